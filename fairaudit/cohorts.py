"""The table of a partition: its cohorts, the rows without one, the curve, and who is in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from fairaudit import figures
from fairaudit.cells import UNASSIGNED_CELL, Members
from fairaudit.counts import Bools, Ints, SpeakerCounts
from fairaudit.estimate import contrast
from fairaudit.evidence import SharePoint
from fairaudit.measurement import Measurement
from fairaudit.partition import cohort_ids
from fairaudit.ranking import BOTTOM, TOP
from fairaudit.rates import Gap
from fairaudit.result import Cohort, Unassigned


@dataclass(frozen=True, eq=False)
class Table:
    """The cohorts of the first split's partition, on the rows that are tabled.

    Parameters
    ----------
    measurement : Measurement
        Of the rows that can be placed.
    counts : SpeakerCounts
        Of the whole log.
    reasons : ndarray of object (str), shape (n_rows,)
        Why a row of the log cannot be placed; an empty text where it can.
    basis : ndarray of bool, shape (n_rows,)
        Rows of the log whose speakers are tabled.
    """

    measurement: Measurement
    counts: SpeakerCounts
    reasons: NDArray[np.object_]
    basis: Bools

    @property
    def assigned(self) -> Bools:
        """The tabled rows that have a cohort, among those that can be placed."""
        return self.measurement.table_rows & (self.measurement.cohort >= 0)

    @property
    def unassigned(self) -> Bools:
        """The rows of the whole log that have no cohort, tabled or not."""
        rows: Bools = self.reasons != ""
        rows[np.flatnonzero(~rows)[self.measurement.cohort < 0]] = True
        return rows

    def cohorts(self, ranks: Sequence[int | None]) -> tuple[Cohort, ...]:
        """Report every cohort."""
        m = self.measurement
        rows = []
        for number, (name, key) in enumerate(zip(m.partition.names, cohort_ids(m.partition), strict=True)):
            own = self.assigned & (m.cohort == number)
            rows.append(
                Cohort(
                    cohort=name.cohort,
                    id=key,
                    label=name.label,
                    rank=ranks[number],
                    suppressed=False,
                    share=figures.share_of(m.counts, own, self.assigned),
                    against_reference=self._against_reference(number),
                    **figures.rate(m.counts, own, m.confidence, m.effect),
                )
            )
        return tuple(rows)

    def without_cohort(self) -> Unassigned | None:
        """Report the rows that have no cohort, of the same speakers; None where every row has one."""
        part = self.basis & self.unassigned
        if not part.any():
            return None
        without = f"not in a cohort of the partition by {self.measurement.partition.kind}"
        reasons = np.where(self.reasons == "", without, self.reasons)
        named = {
            r: int(self.counts.utterances[part & (reasons == r)].sum()) for r in sorted(set(reasons[part]))
        }
        return Unassigned(
            **figures.rate(self.counts, part, self.measurement.confidence, self.measurement.effect),
            share=figures.share_of(self.counts, part, self.basis),
            reasons=named,
        )

    def curve(self, ranks: Sequence[int | None]) -> tuple[SharePoint, ...]:
        """Report the gap of the worst cohorts against everyone else, at each cumulated share.

        On the measured half of the first split: the ranks were read off the other one.
        """
        m = self.measurement
        assigned = self._curved
        taken = np.zeros(m.counts.rows, dtype=bool)
        points = []
        for _, number in sorted((rank, number) for number, rank in enumerate(ranks) if rank is not None):
            taken |= assigned & (m.cohort == number)
            rest = assigned & ~taken
            if not rest.any():
                break
            errors, words = (v[taken].sum() for v in (m.counts.errors, m.counts.ref_words))
            rest_errors, rest_words = (v[rest].sum() for v in (m.counts.errors, m.counts.ref_words))
            relative = None
            if words and rest_words and rest_errors:
                relative = float((errors / words) / (rest_errors / rest_words) - 1)
            share = figures.share_of(m.counts, taken, assigned)
            point = SharePoint(share=share.speakers or 0.0, relative=relative, ref_words=share.ref_words)
            points.append(point)
        return tuple(points)

    def members(self) -> Members:
        """Tell who is in each cell, for the suppression of small ones; never part of a result."""
        m, speaker = self.measurement, self.counts.speaker
        placed = speaker[self.reasons == ""]
        cells = self._by_cohort(placed, self.assigned)
        cells[UNASSIGNED_CELL] = frozenset(speaker[self.basis & self.unassigned].tolist())
        reference = m.procedure.reference
        return Members(
            cells=cells,
            curve=self._by_cohort(placed, self._curved),
            everyone=frozenset(speaker.tolist()),
            left_out=frozenset(speaker[self.unassigned].tolist()),
            reference=None if reference is None else m.partition.names[reference].cohort,
            smaller_side=self._smaller_side(),
            reads=frozenset(m.partition.requires),
            placed=frozenset(placed[m.cohort >= 0].tolist()),
            bottom=frozenset(placed[np.isin(m.cohort, self._bottom)].tolist()),
        )

    @property
    def _bottom(self) -> list[int]:
        """Numbers of the cohorts that the first split names bottom; none where there is no gap."""
        named = self.measurement.ways[0].named
        return np.flatnonzero(named.side[0] == BOTTOM).tolist() if self.measurement.ways[0].has_gap else []

    def _smaller_side(self) -> float:
        """Return the speakers of the smaller of bottom and top, measured or searched, on average.

        The gap rests on the measured ones and the in-sample gap on the searched ones.
        """
        m = self.measurement
        # Where only the whole log can be searched, no held-out gap is reported.
        measured = [] if m.whole_log else [min(o.log.speakers[0, [BOTTOM, TOP]]) for o in m.ways if o.has_gap]
        searched = [o.in_sample_speakers for o in m.in_sample_ways if o.in_sample]
        return min((float(np.mean(speakers)) for speakers in (measured, searched) if speakers), default=inf)

    @property
    def _curved(self) -> Bools:
        return self.measurement.procedure.ways[0].measured & (self.measurement.cohort >= 0)

    def _by_cohort(self, speaker: Ints, rows: Bools) -> dict[str, frozenset[int]]:
        m = self.measurement
        return {
            name.cohort: frozenset(speaker[rows & (m.cohort == number)].tolist())
            for number, name in enumerate(m.partition.names)
        }

    def _against_reference(self, number: int) -> Gap | None:
        m = self.measurement
        reference = m.procedure.reference
        if reference is None or number == reference:
            return None
        group, k = m.cohort[None], len(m.partition.names)
        log, linear = m.rates(group, m.table_rows, "log", k), m.rates(group, m.table_rows, "linear", k)
        name = m.partition.names[reference].cohort
        has_errors = log.errors[0, reference] > 0
        ratio = figures.aggregate_ways([contrast(log, number, log, reference) if has_errors else None], 1)
        difference = figures.aggregate_ways([contrast(linear, number, linear, reference)], 1)
        why = "too few speakers, or a reference without errors"
        return figures.gap(f"against {name}, all speakers", ratio, difference, m.confidence, why)
