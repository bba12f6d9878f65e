"""Fails that somebody answers for: which waiver holds, which has expired, which is of no use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

import msgspec

from fairaudit.exceptions import nearest
from fairaudit.gating.rules import Waiver
from fairaudit.verdict import Finding

#: A waiver is looked at again at least once a year.
LONGEST = timedelta(days=366)


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
        if waiver.expires > self._today + LONGEST:
            latest = self._today + LONGEST
            return f"its waiver is until {waiver.expires}, and holds only if it is until {latest} at most"
        if finding.value is None:
            return "its waiver holds up to a value, and there is none"
        if finding.value > waiver.max_value:
            return f"its waiver holds up to {in_unit(waiver.max_value)}, and this is {in_unit(finding.value)}"
        return None

    def unused(self, findings: Sequence[Finding]) -> Iterator[str]:
        """Yield a warning for each waiver that no fail needed, or that is of nothing here.

        Parameters
        ----------
        findings : sequence of Finding
            All of the verdict.
        """
        for waiver in sorted(self._waivers, key=lambda w: (w.rule, w.partition, w.cohort)):
            if waiver in self._used:
                continue
            of = f"{waiver.rule}, {waiver.partition} / {waiver.cohort} (expires {waiver.expires})"
            if any(_is_of(waiver, finding) for finding in findings):
                yield f"a waiver was not needed: {of}; remove it"
            else:
                yield f"a waiver is of nothing in this verdict: {of}; {_meant(waiver, findings)}"


def _is_of(waiver: Waiver, finding: Finding) -> bool:
    return (
        waiver.rule == finding.rule
        and waiver.partition == _partition(finding)
        and waiver.cohort in (finding.cohort, finding.cohort_id)
    )


def _meant(waiver: Waiver, findings: Sequence[Finding]) -> str:
    """Name the partition or cohort that may have been meant."""
    own = [finding for finding in findings if finding.rule == waiver.rule]
    partitions = {_partition(finding) for finding in own}
    if waiver.partition not in partitions:
        return f"partition {waiver.partition}: {nearest(waiver.partition, partitions)}"
    cohorts = {f.cohort for f in own if f.cohort and _partition(f) == waiver.partition}
    return f"cohort {waiver.cohort}: {nearest(waiver.cohort, cohorts)}"


def _partition(finding: Finding) -> str:
    return finding.partition or "overall"
