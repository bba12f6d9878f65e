"""Cohorts as rows, the worst on top: which are drawn, where, and what is said of the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from fairaudit.changes import CohortChange
from fairaudit.plot.labels import label_of, shortened
from fairaudit.plot.style import SOFT
from fairaudit.result import Cohort

if TYPE_CHECKING:
    from matplotlib.axes import Axes

C = TypeVar("C", bound=Cohort | CohortChange)

#: Most cohorts that are drawn; of more, so many of the worst and of the best.
MOST, WORST, BEST = 30, 20, 10
#: Most cohorts that are listed as not shown.
LISTED = 5
#: Inches that a row takes, beside those of each line of its label.
ROW, LINE = 0.11, 0.155
#: Inches of everything but the rows: the axis, its label and the key.
AROUND = 0.85
#: Points between the axes and what stands beside them.
BESIDE = 6


@dataclass(frozen=True)
class Rows(Generic[C]):
    """The rows of a plot.

    Parameters
    ----------
    drawn : tuple of Cohort or CohortChange
        The worst first.
    places : tuple of float
        Of each, in inches from the top.
    said : tuple of tuple of float, str and str
        Place, label and text of rows without a figure.
    height : float
        Of all rows, in inches.
    """

    drawn: tuple[C, ...]
    places: tuple[float, ...]
    said: tuple[tuple[float, str, str], ...]
    height: float


def rows_of(shown: Sequence[C], hidden: Sequence[C]) -> Rows[C]:
    """Lay out the cohorts that have a figure, the worst first, and those that have none."""
    cut = len(shown) > MOST
    drawn: list[C] = [*shown[:WORST], *shown[-BEST:]] if cut else list(shown)
    entries: list[tuple[C | None, str, str]] = [(c, label_of(c), "") for c in drawn]
    if cut:
        entries.insert(
            WORST, (None, "", f"{len(shown) - MOST} cohorts between the {WORST} worst and {BEST} best")
        )
    entries += [(None, label_of(c), _why(c)) for c in hidden[:LISTED]]
    if len(hidden) > LISTED:
        entries.append((None, "", f"and {len(hidden) - LISTED} more cohorts, not shown either"))
    at, places, said = 0.0, [], []
    for cohort, label, text in entries:
        tall = ROW + LINE * (1 + label.count("\n"))
        if cohort is None:
            said.append((at + tall / 2, label, text))
        else:
            places.append(at + tall / 2)
        at += tall
    return Rows(tuple(drawn), tuple(places), tuple(said), at)


def worst_first(cohorts: Iterable[Cohort]) -> list[Cohort]:
    """Sort cohorts by rank; those that are too small for one come last, the highest rate first."""
    return sorted(cohorts, key=lambda c: (c.rank is None, c.rank or 0, -(c.wer or 0.0)))


def _why(cohort: Cohort | CohortChange) -> str:
    if cohort.suppressed:
        return "not shown: too few speakers"
    reason = cohort.reason if isinstance(cohort, Cohort) else cohort.change.reason or cohort.baseline.reason
    return shortened(f"not shown: {reason or 'no figure'}", line=46, lines=1)


def set_rows(ax: Axes, rows: Rows[C]) -> None:
    """Write the labels of rows, and what is said in those without a figure."""
    ax.set_ylim(rows.height, 0.0)
    ax.set_yticks([])
    labels = [(place, label_of(c)) for place, c in zip(rows.places, rows.drawn, strict=True)]
    for place, label in [*labels, *((place, label) for place, label, _ in rows.said)]:
        lines = label.split("\n")
        for number, line in enumerate(lines):
            # A text for each line: a browser's letters are narrower, and the ends would not be level.
            beside(ax, place + LINE * (number - (len(lines) - 1) / 2), line, left=True)
    for place, _, text in rows.said:
        ax.text(
            0.01, place, text, transform=ax.get_yaxis_transform(), va="center", color=SOFT, style="italic",
            parse_math=False, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip


def beside(ax: Axes, place: float, text: str, *, left: bool) -> None:
    """Write a text to the left or to the right of a row."""
    # In points: a distance that grew with the axes would leave the layout without an end.
    ax.annotate(
        text, (0.0 if left else 1.0, place), (-BESIDE if left else BESIDE, 0),
        xycoords=("axes fraction", "data"), textcoords="offset points", ha="right" if left else "left",
        va="center", parse_math=False, annotation_clip=False,
    )  # fmt: skip
