"""Make `fairaudit/geography/countries.geojson` from the npm package world-atlas.

Run with the folder of the unpacked package: `python data/build_countries.py package`. As for the US
states, lines that two countries share are simplified once, so that they still meet along them.
"""

from __future__ import annotations

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

TARGET = Path(__file__).parent.parent / "fairaudit" / "geography" / "countries.geojson"
SOURCE_SHA256 = "04342cdc1e3016bcd7db1630de95684d67b79fe3c8c460321e87aef469502394"
ATTRIBUTION = "World Atlas (ISC), from Natural Earth, public domain"
DECIMALS = 2
#: How far a simplified line may stray, in degrees; a closed line, an island's, keeps more of its shape, and
#: one beyond the Arctic Circle less: few people live on those long coasts.
TOLERANCE, ISLAND_TOLERANCE, ARCTIC_TOLERANCE = 0.23, 0.17, 1.0
ARCTIC_FROM = 66.5
#: Square degrees of an island that is left out, unless it is the largest of its country.
SMALL = 0.25
#: Nobody who is measured lives there, and its coast is long.
LEFT_OUT = {"Antarctica"}

Line = NDArray[np.float64]


def lines(topology: dict[str, Any]) -> list[Line]:
    """Decode a topology's arcs, stored as whole-number steps, and simplify each."""
    scale, start = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    return [simplified(np.cumsum(steps, axis=0) * scale + start) for steps in topology["arcs"]]


def simplified(line: Line) -> Line:
    """Simplify a line between its ends, which stay."""
    tolerance = ISLAND_TOLERANCE if (line[0] == line[-1]).all() else TOLERANCE
    tolerance = ARCTIC_TOLERANCE if line[:, 1].min() > ARCTIC_FROM else tolerance
    kept: Line = shapely.get_coordinates(shapely.LineString(line).simplify(tolerance))
    return np.round(kept, DECIMALS)


def outline(geometry: dict[str, Any], arcs: list[Line]) -> shapely.MultiPolygon:
    """Assemble the polygons of a country, without its small islands."""
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    rings = [[ring(numbers, arcs) for numbers in polygon] for polygon in polygons]
    parts = [
        shapely.Polygon(outer, [hole for hole in holes if len(np.unique(hole, axis=0)) > 2])
        for outer, *holes in rings
        if len(np.unique(outer, axis=0)) > 2
    ]
    whole = shapely.make_valid(shapely.MultiPolygon(parts), method="structure", keep_collapsed=False)
    pieces = sorted(shapely.get_parts(whole), key=shapely.area, reverse=True)
    kept = [piece for number, piece in enumerate(pieces) if number == 0 or piece.area >= SMALL]
    return shapely.orient_polygons(cut(shapely.MultiPolygon(kept)))


def cut(outline: shapely.MultiPolygon) -> shapely.MultiPolygon:
    """Cut what goes on beyond the 180th meridian, and move it to where it is written."""
    pieces = []
    for turn in (-360, 0, 360):
        there = shapely.intersection(outline, shapely.box(turn - 180, -90, turn + 180, 90))
        moved = shapely.transform(there, lambda degrees, turn=turn: degrees - [turn, 0])
        pieces += [p for p in shapely.get_parts(moved) if p.geom_type == "Polygon" and p.area > 0]
    rounded = shapely.set_precision(shapely.MultiPolygon(pieces), 10**-DECIMALS)
    whole = shapely.MultiPolygon([p for p in shapely.get_parts(rounded) if p.geom_type == "Polygon"])
    return shapely.transform(whole, lambda degrees: np.round(degrees, DECIMALS))


def ring(numbers: list[int], arcs: list[Line]) -> Line:
    """Join arcs; a number below zero means the arc backwards."""
    joined = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
    whole = np.concatenate([joined[0], *(arc[1:] for arc in joined[1:])])
    # A ring that crosses the 180th meridian goes on beyond it.
    return np.column_stack([np.unwrap(whole[:, 0], period=360), whole[:, 1]])


def main(package: Path) -> None:
    """Write the file, and stop if a country is broken or overlaps another by more than a sliver."""
    source = (package / "countries-50m.json").read_bytes()
    if sha256(source).hexdigest() != SOURCE_SHA256:
        sys.exit("countries-50m.json is not the one of world-atlas 2.0.2")
    topology = json.loads(source)
    arcs = lines(topology)
    countries = sorted(
        (
            c
            for c in topology["objects"]["countries"]["geometries"]
            if c["properties"]["name"] not in LEFT_OUT
        ),
        key=lambda country: country["properties"]["name"],
    )
    outlines = [outline(country, arcs) for country in countries]
    here = [not o.is_empty for o in outlines]
    outlines = [o for o, there in zip(outlines, here, strict=True) if there]
    countries = [c for c, there in zip(countries, here, strict=True) if there]
    overlap = sum(o.area for o in outlines) - shapely.union_all(outlines).area
    if not shapely.is_valid(outlines).all() or overlap > 0.1:
        sys.exit("the simplified countries are not valid, or overlap: choose a smaller tolerance")
    features = [
        {
            "type": "Feature",
            "properties": {"name": country["properties"]["name"]},
            "geometry": json.loads(shapely.to_geojson(geometry)),
        }
        for country, geometry in zip(countries, outlines, strict=True)
    ]
    rows = ",\n".join(json.dumps(feature, separators=(",", ":"), ensure_ascii=False) for feature in features)
    head = f'{{"type":"FeatureCollection","attribution":{json.dumps(ATTRIBUTION)},"features":['
    TARGET.write_text(f"{head}\n{rows}\n]}}\n", "utf-8", newline="\n")
    print(len(features), "countries,", TARGET.stat().st_size, "bytes, overlap", round(overlap, 3))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
