"""Fails that somebody answers for: which waiver holds, which has expired, which is of no use any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import msgspec

from fairaudit.policy import Waiver
from fairaudit.verdict import Finding


class Waivers:
    """The waivers of a policy on a day.

    Parameters
    ----------
    waivers : sequence of Waiver
    today : date
        A waiver holds to the end of the day on which it expires.
    """

    def __init__(self, waivers: Sequence[Waiver], today: date) -> None:
        self._waivers, self._today = waivers, today
        self._used: set[Waiver] = set()

    def apply(self, finding: Finding, in_unit: Callable[[float], str]) -> Finding:
        """Return a fail as waived, or as a fail that says why its waiver does not hold.

        Parameters
        ----------
        finding : Finding
        in_unit : callable
            Puts a value of the finding into words.
        """
        matching = sorted(
            (waiver for waiver in self._waivers if _is_of(waiver, finding)),
            key=lambda w: (w.expires, w.max_value),
        )
        self._used |= set(matching)
        for waiver in matching:
            finding = msgspec.structs.replace(finding, waiver=msgspec.to_builtins(waiver))
            refused = self._refused(waiver, finding, in_unit)
            if refused is None:
                by = f"waived until {waiver.expires} by {waiver.approver}: {waiver.reason}"
                return msgspec.structs.replace(finding, status="waived", reason=f"{by}; {finding.reason}")
            finding = msgspec.structs.replace(finding, reason=f"{finding.reason}; {refused}")
        return finding

    def _refused(self, waiver: Waiver, finding: Finding, in_unit: Callable[[float], str]) -> str | None:
        if waiver.expires < self._today:
            return f"its waiver expired on {waiver.expires}"
        if finding.value is None:
            return "its waiver holds up to a value, and there is none"
        if finding.value > waiver.max_value:
            return f"its waiver holds up to {in_unit(waiver.max_value)}, and this is {in_unit(finding.value)}"
        return None

    def unused(self) -> Iterator[str]:
        """Yield a warning for each waiver that no fail needed."""
        for waiver in sorted(self._waivers, key=lambda w: (w.rule, w.partition, w.cohort)):
            if waiver not in self._used:
                of = f"{waiver.rule}, {waiver.partition} / {waiver.cohort}"
                yield f"a waiver was not needed: {of} (expires {waiver.expires}); remove it"


def _is_of(waiver: Waiver, finding: Finding) -> bool:
    return (
        waiver.rule == finding.rule
        and waiver.partition == (finding.partition or "overall")
        and waiver.cohort in (finding.cohort, finding.cohort_id)
    )
