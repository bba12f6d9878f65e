"""One partition compared: who is in which cohort, and every figure of both releases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fairaudit import figures
from fairaudit.cells import UNASSIGNED_CELL, Members
from fairaudit.changes import Change, CohortChange, GapChange, PartitionChange, RateChange, SideChange
from fairaudit.comparison.held_out import TOO_FEW, HeldOut
from fairaudit.comparison.paired import Both
from fairaudit.comparison.releases import Releases, gap_change, highest_change
from fairaudit.config import AuditOptions
from fairaudit.counts import Bools, Ints, SpeakerCounts
from fairaudit.estimate import Scale, design_effect
from fairaudit.partition import UNASSIGNED, Partition, cohort_ids, digest
from fairaudit.planning import Target
from fairaudit.ranking import BOTTOM, REST, TOP
from fairaudit.rates import Gap, Rate

#: A share has drifted where it differs from the saved one by more than so many standard errors.
DRIFTED = 3.0
#: Beginning of the reason of a cohort that a saved partition has and the logs do not.
VANISHED = "vanished: nobody in these logs is in this cohort"
UNNAMED = "no bottom and top were named when the partition was saved"


@dataclass(frozen=True, eq=False)
class Compared:
    """One partition's rows of both releases.

    Parameters
    ----------
    target : Target
    partition : Partition or None
        None where no row can be placed.
    releases : Releases
        Of all paired utterances.
    reasons : ndarray of object (str), shape (n_rows,)
        Why a row cannot be placed; an empty text where it can.
    cohort : ndarray of int64, shape (n_rows,)
        -1 where a row has none.
    basis : ndarray of bool, shape (n_rows,)
        Rows whose speakers are measured.
    exploratory : bool
    options : AuditOptions
    """

    target: Target
    partition: Partition | None
    releases: Releases
    reasons: NDArray[np.object_]
    cohort: Ints
    basis: Bools
    exploratory: bool
    options: AuditOptions

    @property
    def counts(self) -> SpeakerCounts:
        """The counts of the baseline, whose speakers and words are those of both."""
        return self.releases.baseline

    @property
    def assigned(self) -> Bools:
        """Measured rows with a cohort."""
        return self.basis & (self.cohort >= 0)

    def figures(self) -> PartitionChange:
        """Report everything but `worst` and `maximum`; nothing is suppressed yet."""
        saved, without = self.target.saved, self.basis & (self.cohort < 0)
        rule = self.partition.to_plain() if self.partition else None
        cohorts = self._cohorts()
        bottom, top, rest = self._sides()
        whole = figures.share_of(self.counts, without, self.basis).speakers
        reasons = sorted(set(self.reasons) - {""})
        return PartitionChange(
            name=self.target.name,
            kind=self.partition.kind if self.partition else "none",
            origin="saved" if saved else "declared",
            discovered_on=saved.discovered_on if saved else None,
            digest=digest(rule) if rule else None,
            exploratory=self.exploratory,
            overall=self._rate_change(self.assigned),
            cohorts=cohorts,
            unassigned=self._rate_change(without) if without.any() else None,
            unassigned_share=whole,
            vanished=tuple(c.cohort for n, c in enumerate(cohorts) if not (self.cohort == n).any()),
            bottom=bottom,
            top=top,
            rest=rest,
            gap=self._gap(),
            worst=None,
            maximum=None,
            reason=None if self.partition else f"no row of the log can be placed: {', '.join(reasons)}",
        )

    def members(self) -> Members:
        """Tell who is in each cell, for the suppression of small ones; never part of a result."""
        speaker = self.counts.speaker
        names = self.partition.names if self.partition else ()
        cells = {
            name.cohort: frozenset(speaker[self.basis & (self.cohort == number)].tolist())
            for number, name in enumerate(names)
        }
        cells[UNASSIGNED_CELL] = frozenset(speaker[self.basis & (self.cohort < 0)].tolist())
        return Members(
            cells=cells,
            curve={},
            everyone=frozenset(speaker.tolist()),
            left_out=frozenset(speaker[self.cohort < 0].tolist()),
        )

    def with_held_out(self, shown: PartitionChange, halved: Bools) -> PartitionChange:
        """Add what is selected: the worst and the highest of the cohorts that are shown.

        Of a label column, bottom and top are named there too, since none are saved.

        Parameters
        ----------
        shown : PartitionChange
            With small cohorts suppressed.
        halved : ndarray of bool, shape (splits, n_speakers)
            True for half 1.
        """
        if self.partition is None:
            return shown
        among = [n for n, c in enumerate(shown.cohorts) if not c.suppressed and c.baseline.speakers]
        confidence = self.options.confidence
        held_out = HeldOut(
            releases=self.releases.select(self.basis),
            cohort=self.cohort[self.basis],
            cohorts=len(shown.cohorts),
            among=among,
            halved=halved[:, np.unique(self.counts.speaker[self.basis])],
            fewest=self.options.min_speakers_shown,
            bottom_share=self.options.bottom_share,
            confidence=confidence,
        )
        shown = msgspec.structs.replace(
            shown,
            maximum=highest_change(self._by_cohort("log"), self._by_cohort("linear"), among, confidence),
            warnings=(*shown.warnings, *self._drifted(shown.cohorts)),
            worst_reason=TOO_FEW,
        )
        if self.target.saved is None:
            shown = _with_sides(shown, held_out)
        return _with_worst(shown, held_out)

    def _rate_change(self, rows: Bools) -> RateChange:
        return RateChange(**self.releases.rate_change(rows))

    def _cohorts(self) -> tuple[CohortChange, ...]:
        if self.partition is None:
            return ()
        saved = self.target.saved
        names = self.partition.names
        shares = saved.shares() if saved else (None,) * len(names)
        effects = tuple(
            design_effect(figures.pooled(counts, self.assigned)) if self.assigned.any() else 1.0
            for counts in (self.releases.baseline, self.releases.candidate)
        )
        rows = []
        for number, (name, key) in enumerate(zip(names, cohort_ids(self.partition), strict=True)):
            own = self.basis & (self.cohort == number)
            figures_of = self.releases.rate_change(own, (effects[0], effects[1]))
            if not (self.cohort == number).any():
                figures_of = _vanished()
            rows.append(
                CohortChange(
                    cohort=name.cohort,
                    id=key,
                    label=name.label,
                    suppressed=False,
                    share=figures.share_of(self.counts, own, self.assigned),
                    saved_share=shares[number],
                    **figures_of,
                )
            )
        return tuple(rows)

    @property
    def _side(self) -> Ints | None:
        """The side of each row, -1 where it has none; None where no bottom and top are saved."""
        saved = self.target.saved
        if saved is None or not (saved.bottom and saved.top):
            return None
        of_cohort = np.full(len(saved.partition.names) + 1, REST)
        of_cohort[list(saved.bottom)], of_cohort[list(saved.top)] = BOTTOM, TOP
        of_cohort[-1] = UNASSIGNED
        sides: Ints = of_cohort[self.cohort]
        return sides

    def _sides(self) -> tuple[SideChange | None, ...]:
        side, saved = self._side, self.target.saved
        if side is None or saved is None:
            return None, None, None
        named = {BOTTOM: saved.bottom, TOP: saved.top}
        others = [n for n in range(len(saved.partition.names)) if n not in (*saved.bottom, *saved.top)]
        return tuple(
            SideChange(
                cohorts=tuple(saved.partition.names[n].cohort for n in named.get(number, others)),
                share=figures.share_of(self.counts, self.basis & (side == number), self.assigned),
                **self.releases.rate_change(self.basis & (side == number)),
            )
            for number in (BOTTOM, TOP, REST)
        )

    def _gap(self) -> GapChange:
        side = self._side
        if side is None:
            none = Gap(definition="bottom against top, as saved", reason=UNNAMED)
            return GapChange(baseline=none, candidate=none, change=Change(reason=UNNAMED))
        log, linear = (self.releases.rates(side, self.basis, 3, scale) for scale in ("log", "linear"))
        return gap_change(log, linear, self.options.confidence)

    def _by_cohort(self, scale: Scale) -> Both:
        assert self.partition is not None
        return self.releases.rates(self.cohort, self.basis, len(self.partition.names), scale)

    def _drifted(self, cohorts: tuple[CohortChange, ...]) -> tuple[str, ...]:
        """Say which cohorts that are shown are larger or smaller than when the partition was saved."""
        saved = self.target.saved
        if saved is None:
            return ()
        speakers = [len(cell) for name, cell in self.members().cells.items() if name != UNASSIGNED_CELL]
        now, then = sum(speakers), sum(n or 0 for n in saved.speakers)
        told = []
        for c, n in zip(cohorts, speakers, strict=True):
            if c.saved_share is None or c.suppressed or not now:
                continue
            pooled = (n + c.saved_share * then) / (now + then)
            error = np.sqrt(pooled * max(0.0, 1 - pooled) * (1 / now + 1 / then))
            if abs(n / now - c.saved_share) > DRIFTED * error:
                told.append(f"{c.cohort} from {100 * c.saved_share:.2g} % to {100 * n / now:.2g} %")
        return (f"shares of speakers have drifted since: {'; '.join(told)}",) if told else ()


def _vanished() -> dict[str, Any]:
    """Return the fields of a RateChange for a cohort that was saved and is gone."""
    none = Rate(speakers=0, reason=VANISHED)
    return {"baseline": none, "candidate": none, "change": Change(reason=VANISHED)}


def _with_worst(shown: PartitionChange, held_out: HeldOut) -> PartitionChange:
    found = held_out.worst()
    if found is None:
        return shown
    number, figures_of, chosen = found
    named = shown.cohorts[number]
    return msgspec.structs.replace(
        shown,
        worst=CohortChange(
            cohort=named.cohort,
            id=named.id,
            label=named.label,
            suppressed=False,
            share=None,
            baseline=figures_of.baseline,
            candidate=figures_of.candidate,
            change=figures_of.change,
            measured_speakers=figures_of.measured_speakers,
        ),
        worst_chosen={shown.cohorts[n].cohort: times for n, times in sorted(chosen.items())},
        worst_reason=None,
    )


def _with_sides(shown: PartitionChange, held_out: HeldOut) -> PartitionChange:
    found = held_out.sides()
    if found is None:
        return msgspec.structs.replace(shown, gap=held_out.gap())
    bottom, top, rest = (
        SideChange(
            cohorts=tuple(shown.cohorts[n].cohort for n in numbers),
            share=None,
            baseline=of.baseline,
            candidate=of.candidate,
            change=of.change,
            measured_speakers=of.measured_speakers,
        )
        for numbers, of in found
    )
    return msgspec.structs.replace(
        shown, bottom=bottom, top=top, rest=rest if rest.cohorts else None, gap=held_out.gap()
    )
