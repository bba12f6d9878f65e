"""cohorts.geojson: the cohorts that lie on a map, for a GIS. RFC 7946: WGS 84, longitude before latitude."""

from __future__ import annotations

import json
from typing import Any

from fairaudit.areas import AREA_COLUMNS, area_rows, placed
from fairaudit.geography.outlines import CREDITS
from fairaudit.partition import Threshold
from fairaudit.result import AuditResult


def geojson_report(result: AuditResult) -> str:
    """Render the cohorts that lie on a map as a GeoJSON FeatureCollection.

    Parameters
    ----------
    result : AuditResult

    Returns
    -------
    str
        One feature a line, with the properties `areas.AREA_COLUMNS`, each partition worst first. A
        cohort without area has a null geometry; figures that are suppressed, or do not exist, are null.

    Raises
    ------
    ResultError
        If no partition of the audit lies on a map.
    """
    rows = [row for partition in placed(result) for row in area_rows(partition)]
    name = f"cohorts of {result.subject.dataset}" if result.subject.dataset else "cohorts"
    credit = f"outlines: {CREDITS['us']} and {CREDITS['world']}, public domain; "
    if any(partition.kind == Threshold.kind for partition in placed(result)):
        credit += f"ZIP code centres: {CREDITS['zip']}; "
    credit += "see audit.json for the method"
    head = f'{{"type":"FeatureCollection","name":{_text(name)},"attribution":{_text(credit)},"features":['
    features = ",\n".join(_feature(row) for row in rows)
    return f"{head}\n{features}\n]}}\n"


def _feature(row: dict[str, Any]) -> str:
    feature = {
        "type": "Feature",
        "properties": {column: row[column] for column in AREA_COLUMNS},
        "geometry": _geometry(row["geometry"]),
    }
    return json.dumps(feature, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _geometry(area: Any) -> Any:
    """Return the polygons of an area as plain numbers, without digits that rounding leaves behind."""
    if area is None:
        return None
    polygons = [
        [[[round(x, 3), round(y, 3)] for x, y in ring.coords] for ring in (part.exterior, *part.interiors)]
        for part in area.geoms
    ]
    return {"type": "MultiPolygon", "coordinates": polygons}


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
