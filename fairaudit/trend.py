"""More than two releases in order."""

from __future__ import annotations

from dataclasses import dataclass

from fairaudit.changes import ComparisonResult


@dataclass(frozen=True)
class Trend:
    """Several releases in order, each compared with the first and with the one before.

    Parameters
    ----------
    releases : tuple of str
        Their names, the first release first.
    since_first, since_previous : tuple of ComparisonResult
        One less than there are releases: of each, from the second on. All by the same cohorts.
    """

    releases: tuple[str, ...]
    since_first: tuple[ComparisonResult, ...]
    since_previous: tuple[ComparisonResult, ...]

    def _repr_html_(self) -> str:
        from fairaudit.report import notebook

        return notebook.of_trend(self)
