"""The map: where the cohorts of a partition live, and how they are served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from fairaudit.areas import areas, ground, is_on_map
from fairaudit.geography.hexagons import ACROSS
from fairaudit.geography.outlines import CREDITS
from fairaudit.plot.callouts import Callout, write
from fairaudit.plot.choice import check, chosen
from fairaudit.plot.fills import Fills, figures, fill, hatches, legend, patch
from fairaudit.plot.ground import Ground, between, united_states, world
from fairaudit.plot.hexagons import hexagons, key_size
from fairaudit.plot.labels import shortened
from fairaudit.plot.style import FAINT, INK, SIDES, SOFT, axes_of, styled
from fairaudit.result import AuditResult, Cohort, PartitionResult
from fairaudit.wording import clean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Inches of a new figure that the bar and what is said below the map take.
BELOW = 0.95
#: Inches that the key takes: around it, for each line, and for each row of its entries.
AROUND, LINE, ROW = 0.18, 0.155, 0.065
#: Entries of a row of the key; four would be wider than the map.
IN_ROW, IN_ROW_OF_MORE = 3, 2
#: Cohorts whose figures are written on the map: of each side, and of the highest and of the lowest rates; of
#: at most so many in all, every one.
OF_SIDE, OF_RATE, ALL = 3, 2, 6
#: From so many regions on the lines between them are thinner.
MANY = 60
#: Bays up to twice so wide, as a fraction of the map, are not followed by the outline of a side.
BAYS = 0.006
#: How each side is outlined, should the colours be lost, and what the key says.
SIDE_LINES: Mapping[str, tuple[Any, str]] = {
    "bottom": ("-", "bottom: the worst"),
    "top": ((0, (4, 1)), "top: the best"),
}
#: What is drawn as lines only.
LINES: dict[str, Any] = {"facecolor": "none"}
#: Size of what is said below the map, in points.
SMALL = 7.5


def regions(result: AuditResult, *, partition: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw where the cohorts of a partition live, coloured by their rate; darker is worse.

    Regions are clipped to land. The bottom and the top are outlined; they, and the two highest and the two
    lowest rates, have their figures written beside them. ZIP cohorts are hexagons, 100 km across, in which
    enough of their speakers live. Hatched one way is what is not told from everybody else, hatched both ways
    what is not shown. Land without colour is where too few speakers of the log live, if any.

    Parameters
    ----------
    result : AuditResult
    partition : str, optional
        Name of a partition; may be left out where there is one that lies on a map.
    ax : Axes, optional
        Where to draw; by default in a figure of its own, which `plt.show` does not know.

    Returns
    -------
    Axes
        In kilometres on an equal-area plane: Albers' for the United States, Equal Earth beyond.

    Raises
    ------
    OptionError
        If the result is of another kind, there is no such partition, or none that lies on a map.
    """
    check(result, "regions")
    fix = "audit a log with coordinates by geo, or one with ZIP codes by zip"
    found = chosen(result.partitions, partition, "regions", "cohorts on a map", is_on_map, fix)
    base = united_states() if ground(found) == "us" else world(found.extent)
    as_hexagons = any(c.hexagons for c in found.cohorts)
    with styled():
        lines, rows = key_size(found) if as_hexagons else _key_size(found)
        above = AROUND + LINE * lines + ROW * rows
        ax = axes_of(ax, base.inches + BELOW + above)
        fills = Fills.of(found.cohorts)
        patch(ax, [base.land], {"facecolor": FAINT, "edgecolor": SOFT, "linewidth": 0.6, "zorder": 1})
        patch(ax, [base.borders], LINES | {"edgecolor": (1, 1, 1, 0.75), "linewidth": 0.5, "zorder": 3})
        if as_hexagons:
            hexagons(ax, base, found, fills)
        else:
            _regions(ax, base, found, fills)
        _frame(ax, base, _said(result, as_hexagons))
        fills.bar(ax, f"{clean(result.metric.name)} (%); darker is worse")
    return ax


def _regions(ax: Axes, base: Ground, partition: PartitionResult, fills: Fills) -> None:
    """Fill each region, outline bottom and top, and write the figures of these and of the extremes."""
    from matplotlib.patches import Patch

    on_land = {cohort: area for cohort, area in areas(partition).items() if area is not None}
    placed = {cohort: base.place(area) for cohort, area in on_land.items()}
    drawn = [c for c in partition.cohorts if c.cohort in placed and not placed[c.cohort].is_empty]
    for cohort in drawn:
        fill(ax, base, [placed[cohort.cohort]], fills.look(cohort), 2)
    lines = base.place(between(list(on_land.values())))
    width = 0.8 if len(drawn) < MANY else 0.5
    patch(ax, [lines], LINES | {"edgecolor": INK, "linewidth": width, "zorder": 4})
    sides = _outlined(ax, base, partition, placed)
    texts = [_callout(c, placed[c.cohort], sides.get(c.cohort, "rest")) for c in _labelled(drawn, sides)]
    write(ax, texts, base.bounds(), base.land)
    entries: list[tuple[Any, str]] = [
        (Patch(facecolor="white", edgecolor=SIDES[name][0], linewidth=2.0, linestyle=line), text)
        for name, (line, text) in SIDE_LINES.items()
        if name in sides.values()
    ]
    entries += hatches(drawn)
    legend(ax, entries, columns=_columns(len(entries)))


def _columns(entries: int) -> int:
    return IN_ROW if entries <= IN_ROW else IN_ROW_OF_MORE


def _key_size(partition: PartitionResult) -> tuple[int, int]:
    """Return how many lines the key of regions has at most, and how many rows: each is a line."""
    entries = len(SIDE_LINES) + len(hatches(partition.cohorts))
    rows = ceil(entries / _columns(entries))
    return rows, rows


def _outlined(
    ax: Axes, base: Ground, partition: PartitionResult, placed: Mapping[str, Any]
) -> dict[str, str]:
    """Outline the bottom and the top, each as a whole, and return the side of their cohorts."""
    import shapely

    sides: dict[str, str] = {}
    for name in ("top", "bottom"):
        side = getattr(partition, name)
        own = [c for c in (side.cohorts if side else ()) if c in placed]
        sides |= dict.fromkeys(own, name)
        # Bays are jumped over: a thick line into each of them would hide the coast.
        wide = BAYS * base.width
        whole = shapely.buffer(shapely.buffer(shapely.union_all([placed[c] for c in own]), wide), -wide)
        whole = shapely.simplify(whole, 2 * base.tolerance)
        look = LINES | {"joinstyle": "round", "zorder": 5}
        own_look = {"edgecolor": SIDES[name][0], "linewidth": 2.0, "linestyle": SIDE_LINES[name][0]}
        patch(ax, [whole], look | {"edgecolor": "white", "linewidth": 3.6})
        patch(ax, [whole], look | own_look)
    return sides


def _labelled(drawn: Sequence[Cohort], sides: Mapping[str, str]) -> list[Cohort]:
    """Return the cohorts whose figures are written, those first that should be nearest to their figures."""
    by_rank = sorted((c for c in drawn if c.wer is not None), key=lambda c: (c.rank is None, c.rank or 0))
    by_rate = sorted(by_rank, key=lambda c: -(c.wer or 0.0))
    if len(by_rank) <= ALL:
        return by_rank
    bottom, top = ([c for c in by_rank if sides.get(c.cohort) == side] for side in ("bottom", "top"))
    chosen = [*bottom[:OF_SIDE], *by_rate[:OF_RATE], *top[-OF_SIDE:], *by_rate[-OF_RATE:]]
    return list({c.cohort: c for c in chosen}.values())


def _callout(cohort: Cohort, area: Any, side: str) -> Callout:
    import shapely

    largest = max(shapely.get_parts(area), key=lambda part: part.area)
    point = largest.centroid if largest.contains(largest.centroid) else largest.representative_point()
    name = shortened(cohort.cohort, 20, 1)
    first = f"{name}, {cohort.speakers:,} speakers" if cohort.speakers else name
    return Callout(point.x, point.y, f"{first}\n{figures(cohort)}", side, area)


def _said(result: AuditResult, as_hexagons: bool) -> str:
    level = f"In brackets: {100 * float(result.options.get('confidence', 0.95)):g} % interval."
    if not as_hexagons:
        return level
    fewest = result.options.get("min_speakers_shown", 1)
    who = "speaker" if fewest == 1 else "speakers"
    live = f"A hexagon, {ACROSS:g} km across: at least {fewest} {who} of the cohort live there."
    return f"{live} {level}\nZIP code centres: {CREDITS['zip']}."


def _frame(ax: Axes, base: Ground, said: str) -> None:
    """Show the whole map and no axes, and say below what it is."""
    west, south, east, north = base.bounds()
    ax.set_xlim(west, east)
    ax.set_ylim(south, north)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xlabel(f"{said}\n{base.said}", color=SOFT, fontsize=SMALL, loc="left", labelpad=1)
