"""How far an axis of figures with intervals reaches, so that one wild interval does not squash the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: An interval that reaches beyond so many times the spread of the figures is cut at the end of the axis.
REACH = 2.0


def reach(values: Sequence[float], ends: Iterable[float | None]) -> tuple[float, float]:
    """Return the limits of an axis that holds every figure, and intervals as far as they leave these apart.

    Parameters
    ----------
    values : sequence of float
        The figures; at least one.
    ends : iterable of float or None
        Of their intervals.

    Examples
    --------
    >>> [round(end, 3) for end in reach([0.1, 0.2], [0.05, 0.15, 0.18, 16.0])]
    [0.04, 0.411]
    """
    known = [end for end in ends if end is not None]
    most = REACH * max(max(values) - min(values), 0.25 * max(map(abs, values)), 1e-3)
    low = max(min([*values, *known]), min(values) - most)
    high = min(max([*values, *known]), max(values) + most)
    margin = 0.03 * (high - low) or 0.01
    return low - margin, high + margin
