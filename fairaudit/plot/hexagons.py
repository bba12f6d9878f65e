"""ZIP cohorts on a map: the hexagons in which enough of their speakers live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairaudit.geography.hexagons import Hexagon, corners, middle
from fairaudit.plot.fills import Fills, box, figures, fill, hatches, legend, patch
from fairaudit.plot.ground import Ground
from fairaudit.plot.labels import shortened
from fairaudit.plot.style import INK, SIDES
from fairaudit.result import Cohort, PartitionResult
from fairaudit.wording import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Size of a hexagon on the map, and of one that lies within that of a larger cohort.
WHOLE, WITHIN = 0.95, 0.6
#: Characters of a line of the key.
LINE = 84


def hexagons(ax: Axes, base: Ground, partition: PartitionResult, fills: Fills) -> None:
    """Fill the hexagons of each cohort, the smaller cohort's within the larger one's where both live."""
    sides = {c: name for name in SIDES if (side := getattr(partition, name)) for c in side.cohorts}
    taken: set[Hexagon] = set()
    entries = []
    for cohort in sorted(partition.cohorts, key=lambda c: -len(c.hexagons)):
        within = [_placed(base, h, WITHIN) for h in cohort.hexagons if h in taken]
        alone = [_placed(base, h, WHOLE) for h in cohort.hexagons if h not in taken]
        taken |= set(cohort.hexagons)
        look = fills.look(cohort)
        fill(ax, base, [*alone, *within], look, 4)
        edge = {"bottom": SIDES["bottom"][0]}.get(sides.get(cohort.cohort, ""), INK)
        outline = {"facecolor": "none", "edgecolor": edge, "linewidth": _line(edge), "zorder": 4}
        patch(ax, [*alone, *within], outline)
        said = _said(cohort, sides.get(cohort.cohort, "rest"))
        entries.append((box(look, edge, _line(edge)), said))
    legend(ax, [*entries[::-1], *hatches(partition.cohorts)], columns=1)


def key_size(partition: PartitionResult) -> tuple[int, int]:
    """Return how many lines the key of hexagons has, and how many entries, each of which is a row."""
    said = [_said(cohort, "bottom") for cohort in partition.cohorts]
    said += [text for _, text in hatches(partition.cohorts)]
    return sum(1 + text.count("\n") for text in said), len(said)


def _line(edge: str) -> float:
    return 0.4 if edge == INK else 1.4


def _said(cohort: Cohort, side: str) -> str:
    """Return what the key says of a cohort."""
    first = {"bottom": "bottom: ", "top": "top: "}.get(side, "")
    said = "not shown: too few speakers" if cohort.wer is None else figures(cohort)
    said += f", {cohort.speakers:,} speakers" if cohort.speakers else ""
    return f"{shortened(first + clean(cohort.label), LINE, 2)}\n{said}"


def _placed(base: Ground, hexagon: Hexagon, size: float) -> Any:
    import shapely

    latitude, longitude = middle(hexagon)
    part = next((p for p in base.parts if _holds(p.box, latitude, longitude)), base.parts[0])
    return shapely.Polygon(part.place(corners(hexagon, size)[:, ::-1]))


def _holds(box: tuple[float, float, float, float], latitude: float, longitude: float) -> bool:
    west, south, east, north = box
    return west <= longitude <= east and south <= latitude <= north
