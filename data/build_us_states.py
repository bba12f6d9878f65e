"""Make `fairaudit/geography/us_states.geojson` from the npm package us-atlas.

Run with the folder of the unpacked package: `python data/build_us_states.py package`. Lines that two
states share are simplified once, so that the states still meet along them.
"""

from __future__ import annotations

import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

TARGET = Path(__file__).parent.parent / "fairaudit" / "geography" / "us_states.geojson"
SOURCE_SHA256 = "d76b391ccfa8bff601d51e3e3da5d43a89fa46cd5caca72ce731b383be5596d0"
ATTRIBUTION = "US Atlas (ISC), from the US Census Bureau's cartographic boundary files, public domain"
DECIMALS = 3
#: How far a simplified line may stray, in degrees. Alaska's coast alone would fill a third of the file.
TOLERANCE, ALASKA_TOLERANCE = 0.016, 0.06
#: Alaska is all that lies north of this.
ALASKA_FROM = 50.0
#: FIPS code and postal code of each state.
POSTAL = dict(
    re.findall(
        r"(\d+):(\w+)",
        "01:AL 02:AK 04:AZ 05:AR 06:CA 08:CO 09:CT 10:DE 11:DC 12:FL 13:GA 15:HI 16:ID 17:IL 18:IN 19:IA "
        "20:KS 21:KY 22:LA 23:ME 24:MD 25:MA 26:MI 27:MN 28:MS 29:MO 30:MT 31:NE 32:NV 33:NH 34:NJ 35:NM "
        "36:NY 37:NC 38:ND 39:OH 40:OK 41:OR 42:PA 44:RI 45:SC 46:SD 47:TN 48:TX 49:UT 50:VT 51:VA 53:WA "
        "54:WV 55:WI 56:WY 60:AS 66:GU 69:MP 72:PR 78:VI",
    )
)

Line = NDArray[np.float64]


def lines(topology: dict[str, Any]) -> list[Line]:
    """Decode a topology's arcs, stored as whole-number steps, and simplify each."""
    scale, start = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    return [simplified(np.cumsum(steps, axis=0) * scale + start) for steps in topology["arcs"]]


def simplified(line: Line) -> Line:
    """Simplify a line between its ends, which stay."""
    tolerance = ALASKA_TOLERANCE if line[:, 1].min() > ALASKA_FROM else TOLERANCE
    kept: Line = shapely.get_coordinates(shapely.LineString(line).simplify(tolerance))
    return np.round(kept, DECIMALS)


def ring(numbers: list[int], arcs: list[Line]) -> Line:
    """Join arcs; a number below zero means the arc backwards."""
    joined = [arcs[number] if number >= 0 else arcs[~number][::-1] for number in numbers]
    return np.concatenate([joined[0], *(line[1:] for line in joined[1:])])


def outline(geometry: dict[str, Any], arcs: list[Line]) -> shapely.MultiPolygon:
    """Assemble the polygons of a state."""
    polygons = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    rings = [[ring(numbers, arcs) for numbers in polygon] for polygon in polygons]
    # The source holds a ring without area, and a line that touches itself.
    parts = [shapely.Polygon(outer, holes) for outer, *holes in rings if len(np.unique(outer, axis=0)) > 2]
    valid = shapely.make_valid(shapely.MultiPolygon(parts), method="structure", keep_collapsed=False)
    rounded = shapely.transform(valid, lambda degrees: np.round(degrees, DECIMALS))
    return shapely.orient_polygons(rounded)


def main(package: Path) -> None:
    """Write the file, and stop if a state is broken or overlaps another."""
    source = (package / "states-10m.json").read_bytes()
    if sha256(source).hexdigest() != SOURCE_SHA256:
        sys.exit("states-10m.json is not the one of us-atlas 3.0.1")
    topology = json.loads(source)
    arcs = lines(topology)
    states = sorted(
        topology["objects"]["states"]["geometries"], key=lambda state: state["properties"]["name"]
    )
    outlines = [outline(state, arcs) for state in states]
    if not (shapely.is_valid(outlines).all() and shapely.coverage_is_valid(outlines)):
        sys.exit("the simplified states are not valid, or overlap: choose a smaller tolerance")
    features = [
        {
            "type": "Feature",
            "properties": {"name": state["properties"]["name"], "postal": POSTAL[state["id"]]},
            "geometry": json.loads(shapely.to_geojson(geometry)),
        }
        for state, geometry in zip(states, outlines, strict=True)
    ]
    rows = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    head = f'{{"type":"FeatureCollection","attribution":{json.dumps(ATTRIBUTION)},"features":['
    TARGET.write_text(f"{head}\n{rows}\n]}}\n", "utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
