"""What a map is drawn on: a plane, the outlines on it, and where Alaska, Hawaii and Puerto Rico go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fairaudit.counts import Floats
from fairaudit.geography.outlines import countries, states
from fairaudit.geography.projection import ALASKA, HAWAII, PUERTO_RICO, UNITED_STATES, EqualEarth, Projection
from fairaudit.plot.style import WIDTH

if TYPE_CHECKING:
    from matplotlib.path import Path

#: Degrees after which a straight edge of a box gets another point, since it is curved on the map.
STEP = 0.5
#: Degrees around the reach of a log that are drawn.
SEEN = 6
#: Inches of a map's width, and its height in widths at most.
WIDEST, TALLEST = WIDTH - 0.1, 0.75
#: Degrees within which a line is that of the coast.
NEAR = 0.002
#: How far a line may stray, as a fraction of the map's width: a third of a point.
TOLERANCE = 0.0008
#: West, south, east and north of the map of the United States, in kilometres.
US_BOUNDS = (-2400.0, -1490.0, 2980.0, 1590.0)


@dataclass(frozen=True)
class Part:
    """A part of a map with its own projection.

    Parameters
    ----------
    box : tuple of 4 floats
        West, south, east and north of what it shows, in degrees.
    projection : Projection
    scale : float
        Against that of the map.
    x, y : float
        Where the projection's origin lies on the map, in kilometres.
    name : str
        As it is said under the map where the part was moved.
    """

    box: tuple[float, float, float, float]
    projection: Projection
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0
    name: str = ""

    def place(self, degrees: Floats) -> Floats:
        """Return points on the map; longitude before latitude, as they stand in a geometry."""
        x, y = self.projection.forward(degrees[:, 1], degrees[:, 0])
        return np.column_stack([self.x + self.scale * x, self.y + self.scale * y])


@dataclass(frozen=True)
class Ground:
    """A map without its cohorts.

    Parameters
    ----------
    parts : tuple of Part
    outlines : tuple of shapely.MultiPolygon
        Of states or countries, in degrees.
    said : str
        Projection and source, and what was moved.
    """

    parts: tuple[Part, ...]
    outlines: tuple[Any, ...]
    said: str

    def place(self, area: Any) -> Any:
        """Return an area on the plane, simplified to what can be seen; empty where it lies beyond the map.

        Parameters
        ----------
        area : shapely geometry
            In degrees.
        """
        import shapely

        pieces = []
        for part in self.parts:
            there = shapely.intersection(area, shapely.box(*part.box))
            if not there.is_empty:
                curved = shapely.transform(shapely.segmentize(there, STEP), part.place)
                pieces += shapely.get_parts(shapely.simplify(curved, self.tolerance)).tolist()
        if area.geom_type.endswith("LineString"):
            lines = [p for p in pieces if p.geom_type == "LineString" and p.length > 3 * self.tolerance]
            return shapely.MultiLineString(lines)
        least = (2 * self.tolerance) ** 2
        return shapely.MultiPolygon([p for p in pieces if p.geom_type == "Polygon" and p.area > least])

    @cached_property
    def land(self) -> Any:
        """All land, on the plane."""
        import shapely

        return self.place(shapely.union_all(self.outlines))

    @cached_property
    def borders(self) -> Any:
        """The lines between the outlines, on the plane."""
        return self.place(between(self.outlines))

    @property
    def inches(self) -> float:
        """Height of the map in a figure of its own."""
        west, south, east, north = self.bounds()
        return WIDEST * (north - south) / (east - west)

    def bounds(self) -> tuple[float, float, float, float]:
        """Return west, south, east and north of the map on the plane, with room for text beside the land."""
        if len(self.parts) > 1:
            return US_BOUNDS
        west, south, east, north = self.parts[0].box
        sides = np.linspace(south, north, 50)
        rim = np.concatenate([np.column_stack([np.full(50, end), sides]) for end in (west, east)])
        placed = self.parts[0].place(rim)
        (left, low), (right, high) = placed.min(axis=0), placed.max(axis=0)
        return float(left), float(low), float(right), float(high)

    @property
    def tolerance(self) -> float:
        """How far a line may stray, in kilometres."""
        return TOLERANCE * self.width

    @property
    def point(self) -> float:
        """Kilometres of a point in a figure of its own."""
        return self.width / (72 * WIDEST)

    @property
    def width(self) -> float:
        """Of the map, in kilometres."""
        west, _, east, _ = self.bounds()
        return east - west


@cache
def united_states() -> Ground:
    """Return the map of the United States, with Alaska, Hawaii and Puerto Rico moved below it."""
    parts = (
        Part((-125.5, 24.0, -66.0, 50.0), UNITED_STATES),
        Part(
            (-180.0, 50.5, -129.0, 72.0),
            ALASKA,
            0.36,
            -1830.0,
            -1130.0,
            "Alaska (smaller)",
        ),
        Part((-161.0, 18.5, -154.0, 22.5), HAWAII, 1.0, -850.0, -1270.0, "Hawaii"),
        Part((-67.5, 17.5, -64.4, 18.7), PUERTO_RICO, 1.0, 2130.0, -1290.0, "Puerto Rico"),
    )
    moved = ", ".join(part.name for part in parts[1:-1]) + f" and {parts[-1].name}"
    return Ground(
        parts,
        tuple(states().values()),
        f"Albers' equal-area projection; {moved} moved. Outlines: US Census Bureau.",
    )


def world(extent: tuple[int, int, int, int] | None) -> Ground:
    """Return the map of the world, or of the part to which a log reaches; as wide as it needs to be."""
    import shapely

    south, north, west, east = extent or (-56, 84, -180, 180)
    low, high, left, right = max(south - SEEN, -60), min(north + SEEN, 84), west - SEEN, east + SEEN
    while True:
        left, right = max(left, -180), min(right, 180)
        middle = 0.0 if right - left > 300 else (left + right) / 2
        part = Part((left, low, right, high), EqualEarth(middle))
        wide, tall = _size(part)
        if tall <= TALLEST * wide or right - left >= 360:
            break
        left, right = left - 1, right + 1
    near = tuple(
        o for o in countries().values() if shapely.intersects(o, shapely.box(left, low, right, high))
    )
    return Ground((part,), near, "Equal Earth projection. Outlines: Natural Earth.")


def _size(part: Part) -> tuple[float, float]:
    west, south, east, north = Ground((part,), (), "").bounds()
    return east - west, north - south


def between(areas: Sequence[Any]) -> Any:
    """Return the lines between areas in degrees, without the coast around them all."""
    import shapely

    coast = shapely.buffer(shapely.boundary(shapely.union_all(areas)), NEAR)
    lines = shapely.difference(shapely.union_all(shapely.boundary(areas)), coast)
    return shapely.line_merge(lines)


def path_of(areas: Sequence[Any]) -> Path:
    """Return the rings of areas on the plane, or lines, as one path."""
    from matplotlib.path import Path

    paths = []
    for part in (part for area in areas for part in getattr(area, "geoms", (area,))):
        if part.geom_type == "LineString":
            paths.append(Path(np.asarray(part.coords)))
        else:
            paths += [Path(np.asarray(ring.coords), closed=True) for ring in (part.exterior, *part.interiors)]
    return Path.make_compound_path(*paths)
