"""The land on which each cohort of a partition lives, in degrees: what a map or a GIS draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from fairaudit.exceptions import ResultError
from fairaudit.frames import table
from fairaudit.geography.hexagons import corners
from fairaudit.geography.outlines import land, states
from fairaudit.geography.places import US, WORLD
from fairaudit.partition import Boxes, Name, from_plain
from fairaudit.result import AuditResult, Cohort, PartitionResult
from fairaudit.tables import cohort_rows

if TYPE_CHECKING:
    import geopandas as gpd

#: Columns of `AuditResult.to_geopandas`, and properties of a feature of `cohorts.geojson`, before the area.
AREA_COLUMNS = (
    "partition",
    "cohort",
    "id",
    "label",
    "rank",
    "wer",
    "low",
    "high",
    "speakers",
    "share",
    "status",
    "side",
    "suppressed",
)
WGS84 = "EPSG:4326"
#: Degrees to which areas are rounded, about 100 m.
ROUNDED = 0.001
#: Degrees around the reach of a log beyond the US that are still drawn.
AROUND = 3

Ground = Literal["us", "world"]


def on_map(result: AuditResult) -> tuple[PartitionResult, ...]:
    """Return the partitions of which some cohort lies on a map: regions, and ZIP cohorts with hexagons."""
    return tuple(p for p in result.partitions if is_on_map(p))


def is_on_map(partition: PartitionResult) -> bool:
    """Tell whether a cohort of a partition lies on a map."""
    return partition.kind == Boxes.kind or any(c.hexagons for c in partition.cohorts)


def ground(partition: PartitionResult) -> Ground:
    """Tell what a partition is drawn on: the US where the log reaches no further, else the world."""
    if partition.kind != Boxes.kind:
        return "us"
    import shapely

    south, north, west, east = partition.extent or WORLD
    within = US.south <= south and north <= US.north and US.west <= west and east <= US.east
    regions = list(_boxes(partition).values())
    return "us" if within and shapely.intersects(land("us"), regions).all() else "world"


def areas(partition: PartitionResult) -> dict[str, Any]:
    """Return the area of each cohort on land.

    Parameters
    ----------
    partition : PartitionResult
        One that `is_on_map`.

    Returns
    -------
    dict of str to shapely.MultiPolygon or None
        By name of the cohort. Longitude and latitude in degrees, valid, rounded to 0.001, exteriors
        counter-clockwise. Of a region: what it has of the states to which the log reaches (beyond the US:
        of the land as far as the log reaches). Of a ZIP cohort: its hexagons. None where there is nothing.
    """
    import shapely

    if partition.kind != Boxes.kind:
        return {c.cohort: _of_hexagons(c) for c in partition.cohorts}
    base = _reached(partition)
    return {cohort: _tidy(shapely.intersection(base, box)) for cohort, box in _boxes(partition).items()}


def _boxes(partition: PartitionResult) -> dict[str, Any]:
    """Return the boxes of a partition's rule in degrees; what is open goes to the end of the globe."""
    import shapely

    names = tuple(Name(c.cohort, c.label) for c in partition.cohorts)
    rule = from_plain(partition.rule or {}, names)
    assert isinstance(rule, Boxes)
    found = {}
    for name, edges in zip(names, rule.boxes, strict=True):
        south, north, west, east = (
            end if edge is None else edge * rule.grid for edge, end in zip(edges, WORLD, strict=True)
        )
        found[name.cohort] = shapely.box(west, south, east, north)
    return found


def _reached(partition: PartitionResult) -> Any:
    """Return the land to which a log reaches."""
    import shapely

    south, north, west, east = partition.extent or WORLD
    if ground(partition) == "world":
        reach = shapely.box(west - AROUND, south - AROUND, east + AROUND, north + AROUND)
        return shapely.intersection(land("world"), reach)
    reach = shapely.box(west, south, east, north)
    return shapely.union_all([outline for outline in states().values() if shapely.intersects(outline, reach)])


def _of_hexagons(cohort: Cohort) -> Any:
    import numpy as np
    import shapely

    if not cohort.hexagons:
        return None
    # Rounded first, so that neighbours share their corners.
    every = [shapely.Polygon(np.round(corners(h)[:, ::-1], 3)) for h in cohort.hexagons]
    whole = shapely.union_all(every)
    on_land = _tidy(shapely.intersection(whole, land("us")))
    # A small island may be missing from the outlines.
    return on_land if on_land is not None else _tidy(whole)


def _tidy(area: Any) -> Any:
    """Return the polygons of an area, rounded and wound as RFC 7946 wants them; None where there is none."""
    import shapely
    from shapely.geometry.polygon import orient

    rounded = shapely.set_precision(area, ROUNDED)
    parts = [orient(part) for part in shapely.get_parts(rounded) if part.geom_type == "Polygon"]
    # Off the grid again: later steps would be rounded to it.
    return shapely.set_precision(shapely.MultiPolygon(parts), 0) if parts else None


def area_rows(partition: PartitionResult) -> list[dict[str, Any]]:
    """Return the cells of a partition's cohorts by `AREA_COLUMNS`, and their area, worst first."""
    of_area = areas(partition)
    rows = [{**row, "share": row["share_speakers"]} for row in cohort_rows(partition)]
    return [{c: row[c] for c in AREA_COLUMNS} | {"geometry": of_area[row["cohort"]]} for row in rows]


def placed(result: AuditResult) -> Sequence[PartitionResult]:
    """Return the partitions that lie on a map.

    Raises
    ------
    ResultError
        If there is none.
    """
    found = on_map(result)
    if not found:
        raise ResultError(
            "no partition of this audit lies on a map",
            allowed="regions (geo), or ZIP cohorts of which enough speakers live close together (zip)",
            fix="audit a log with latitude and longitude, or with zip_code",
        )
    return found


def frame(result: AuditResult) -> gpd.GeoDataFrame:
    """Return every cohort that lies on a map; see `AuditResult.to_geopandas`."""
    import geopandas as gpd

    rows = [row for partition in placed(result) for row in area_rows(partition)]
    return gpd.GeoDataFrame(table(rows, AREA_COLUMNS), geometry=[row["geometry"] for row in rows], crs=WGS84)
