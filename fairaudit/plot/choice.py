"""What is drawn: of a result that fits, the partition that is named, or the only one that can be drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from fairaudit.changes import ComparisonResult
from fairaudit.exceptions import OptionError, nearest
from fairaudit.result import AuditResult
from fairaudit.trend import Trend

#: What can be drawn of each result.
PLOTS: dict[type, tuple[str, ...]] = {
    AuditResult: ("chance", "errors", "forest", "gap_by_share", "regions", "voices"),
    ComparisonResult: ("forest", "trend"),
    Trend: ("trend",),
}


class Named(Protocol):
    """A partition, of whatever result."""

    @property
    def name(self) -> str:
        """What the user calls it by."""


P = TypeVar("P", bound=Named)


def check(result: object, where: str) -> None:
    """Refuse a result of which there is no such plot.

    Parameters
    ----------
    result : object
        As the user gave it.
    where : str
        The plot, by its name in `PLOTS`.

    Raises
    ------
    OptionError
        If it is not a result, or one of another kind.

    Examples
    --------
    >>> check("audit.json", "chance")
    Traceback (most recent call last):
    fairaudit.exceptions.OptionError: str cannot be drawn as chance
      where:   plot.chance(result)
      allowed: AuditResult
      fix:     read a saved result with fairaudit.read_result
    """
    fitting = tuple(kind for kind, plots in PLOTS.items() if where in plots)
    if isinstance(result, fitting):
        return
    others = next((plots for kind, plots in PLOTS.items() if isinstance(result, kind)), ())
    raise OptionError(
        f"{type(result).__name__} cannot be drawn as {where}",
        where=f"plot.{where}(result)",
        allowed=" or ".join(kind.__name__ for kind in fitting),
        fix=f"draw it by plot.{' or plot.'.join(others)}"
        if others
        else "read a saved result with fairaudit.read_result",
    )


def chosen(
    partitions: Sequence[P], name: str | None, where: str, what: str, has: Callable[[P], object], fix: str
) -> P:
    """Return the partition to draw.

    Parameters
    ----------
    partitions : sequence
        Of a result.
    name : str, optional
        As the user gave it.
    where : str
        The plot, for messages.
    what : str
        What is drawn, after "no".
    has : callable
        Whether a partition has that.
    fix : str
        What to do where none has it.

    Raises
    ------
    OptionError
        If there is no such partition, it has nothing to draw, or it must be named.
    """
    where = f"plot.{where}(partition={name!r})"
    able = [p for p in partitions if has(p)]
    names = ", ".join(p.name for p in able)
    if name is not None:
        named = [p for p in partitions if p.name == name]
        if not named:
            known = [p.name for p in partitions]
            raise OptionError(
                f"no partition {name!r} in this result", where=where, allowed=nearest(name, known)
            )
        if named[0] not in able:
            raise OptionError(
                f"partition {name!r} has no {what}", where=where, allowed=names or None, fix=fix
            )
        return named[0]
    if not able:
        raise OptionError(f"no partition of this result has {what}", where=where, fix=fix)
    if len(able) > 1:
        raise OptionError(f"{len(able)} partitions have {what}", where=where, allowed=names, fix="name one")
    return able[0]
