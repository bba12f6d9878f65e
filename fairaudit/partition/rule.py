"""What every partition offers, and how its cohorts are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

from fairaudit.counts import Ints, SpeakerCounts

UNASSIGNED = -1


@dataclass(frozen=True)
class Name:
    """How a cohort is called: `cohort` in tables and files, `label` for people."""

    cohort: str
    label: str


class Partition(Protocol):
    """What every partition offers; the five kinds of this package are the ones that can be saved."""

    kind: ClassVar[str]

    @property
    def names(self) -> tuple[Name, ...]:
        """The cohorts in their fixed order."""

    @property
    def requires(self) -> tuple[str, ...]:
        """Columns of the log that the rule reads."""

    def assign(self, counts: SpeakerCounts) -> Ints:
        """Return the number of each row's cohort, -1 where the row cannot be placed."""

    def cohort_rules(self) -> list[dict[str, Any]]:
        """Return each cohort's own rule as plain data; its digest is the cohort's id."""

    def to_plain(self) -> dict[str, Any]:
        """Return the rule as plain data, from which `from_plain` makes an equal partition."""


class Displayed:
    """What a notebook shows of a rule that ends a cell."""

    def _repr_html_(self) -> str:
        from fairaudit.report import notebook

        return notebook.of_rule(cast(Partition, self))
