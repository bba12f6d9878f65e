"""Measure one partition: run its procedure on the log as it is, and report every figure of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from fairaudit import figures
from fairaudit.chance import Null, null
from fairaudit.counts import Bools, Floats, Ints, SpeakerCounts
from fairaudit.estimate import Contrast, Rates, Scale, contrast, design_effect, jackknife
from fairaudit.evidence import InSample, Splits
from fairaudit.partition import Partition
from fairaudit.procedure import Figures, Named, Procedure, Way
from fairaudit.ranking import BOTTOM, FEWEST_RANKED, REST, TOP
from fairaudit.rates import Gap
from fairaudit.result import ONE_COHORT, Gaps, Side


@dataclass(frozen=True, eq=False)
class Observed:
    """One way on the log as it is: who was named, and what the measured speakers show.

    `in_sample_speakers` are those of bottom or top, whichever has fewer, among the searched.
    """

    way: Way
    named: Named
    chosen: str | None
    log: Rates
    linear: Rates
    overall_log: Rates
    overall_linear: Rates
    in_sample: tuple[Contrast, Contrast] | None
    in_sample_speakers: float

    @property
    def has_one_cohort(self) -> bool:
        """Whether all speakers who have a cohort have the same."""
        return len(np.unique(self.named.cohort[self.named.cohort >= 0])) <= 1

    @property
    def has_gap(self) -> bool:
        """Whether a bottom and a top were named and have words in the measured half."""
        return bool(self.log.words[0, BOTTOM] > 0 and self.log.words[0, TOP] > 0)


@dataclass(frozen=True, eq=False)
class Measurement:
    """All ways of one partition's procedure, and what is reported of them.

    Parameters
    ----------
    procedure : Procedure
    confidence : float
    table_rows : ndarray of bool, shape (n_rows,)
        Rows of which the cohorts are tabled: all of a declared partition, the measured half of the
        first split of a discovered one.
    partition : Partition
        Of the first split.
    """

    procedure: Procedure
    confidence: float
    table_rows: Bools
    partition: Partition

    @property
    def counts(self) -> SpeakerCounts:
        """The rows that can be placed."""
        return self.procedure.counts

    @cached_property
    def own(self) -> tuple[Floats, Floats]:
        """Errors and words as they are, as a batch of one."""
        return self.counts.errors[None].astype(float), self.counts.ref_words[None].astype(float)

    @cached_property
    def ways(self) -> list[Observed]:
        """Every way, in the order of the procedure."""
        return [self._observe(way) for way in self.procedure.ways]

    @cached_property
    def whole(self) -> Observed:
        """The way that searches and measures all speakers."""
        return self._observe(self.procedure.whole)

    @cached_property
    def whole_log(self) -> bool:
        """Whether too few speakers can be held out, so that only the whole log can be searched."""
        return sum(o.has_gap for o in self.ways) * 2 < len(self.ways) and self.searches

    @property
    def searches(self) -> bool:
        """Whether bottom and top are named from the data."""
        return self.procedure.fixed_sides is None

    @cached_property
    def cohort(self) -> Ints:
        """Cohort of each row in the partition of the first split."""
        return self.partition.assign(self.counts)

    @cached_property
    def effect(self) -> float:
        """Design effect over the measured speakers, for cohorts without errors."""
        rows = self.table_rows & (self.cohort >= 0)
        return design_effect(figures.pooled(self.counts, rows)) if rows.any() else 1.0

    def _observe(self, way: Way) -> Observed:
        errors, words = self.own
        fits = self.procedure.fits(way, errors, words)
        named = self.procedure.named(way, fits.assign(self.counts), fits.cohorts, errors, words)
        side = named.row_sides()
        everyone = np.where(side >= 0, 0, -1)
        in_sample, in_sample_speakers = self._in_sample(side, way.searched)
        return Observed(
            way=way,
            named=named,
            chosen=fits.attributes[int(fits.chosen[0])] if fits.attributes and fits.chosen[0] >= 0 else None,
            log=self.rates(side, way.measured, "log"),
            linear=self.rates(side, way.measured, "linear"),
            overall_log=self.rates(everyone, way.measured, "log", 1),
            overall_linear=self.rates(everyone, way.measured, "linear", 1),
            in_sample=in_sample,
            in_sample_speakers=in_sample_speakers,
        )

    def rates(self, group: Ints, rows: Bools, scale: Scale, groups: int = 3) -> Rates:
        """Return the rates of groups of rows; by default those of bottom, top and rest."""
        errors, words = self.own
        speaker = self.counts.speaker[rows]
        return jackknife(group[:, rows], errors[:, rows], words[:, rows], speaker, groups, scale=scale)

    def _in_sample(self, side: Ints, searched: Bools) -> tuple[tuple[Contrast, Contrast] | None, float]:
        log, linear = self.rates(side, searched, "log"), self.rates(side, searched, "linear")
        fewer = float(min(log.speakers[0, [BOTTOM, TOP]]))
        if not (log.words[0, BOTTOM] > 0 and log.errors[0, TOP] > 0):
            return None, fewer
        return (contrast(log, BOTTOM, log, TOP), contrast(linear, BOTTOM, linear, TOP)), fewer

    @property
    def per_split(self) -> int:
        """Ways of a split."""
        return 2 if len(self.ways) > 1 else 1

    def gap(self, against: Literal["top", "rest", "overall"], definition: str) -> Gap:
        """Report the bottom against the top, the rest or all measured speakers, over all ways."""
        log, linear = [], []
        for o in self.ways:
            group = {"top": TOP, "rest": REST, "overall": 0}[against]
            other, other_linear = (
                (o.overall_log, o.overall_linear) if against == "overall" else (o.log, o.linear)
            )
            there = o.has_gap and other.words[0, group] > 0
            linear.append(contrast(o.linear, BOTTOM, other_linear, group) if there else None)
            has_errors = there and other.errors[0, group] > 0
            log.append(contrast(o.log, BOTTOM, other, group) if has_errors else None)
        ratio, difference = (figures.aggregate_ways(w, self.per_split) for w in (log, linear))
        return figures.gap(definition, ratio, difference, self.confidence, self._why_no_gap(against))

    def _why_no_gap(self, against: str) -> str:
        usable = sum(o.has_gap for o in self.ways)
        if usable * 2 >= len(self.ways):
            return f"the {against} has no errors to compare with"
        if not self.counts.ref_words.any():
            return "no reference words"
        if not self.searches:
            return "the saved bottom or top has no speakers here"
        # Where a search finds two in the whole log, its halves have too few speakers.
        if all(o.has_one_cohort for o in (*self.ways, self.whole)):
            fewest, speakers = getattr(self.procedure.finder, "min_speakers", 0), len(self.counts.speakers)
            if speakers < 4 * fewest:
                return (
                    f"too few speakers: {speakers}, where two cohorts of at least {fewest} in both halves "
                    f"need {4 * fewest}"
                )
            return ONE_COHORT
        return (
            f"too few speakers: only {usable} of {len(self.ways)} ways leave two cohorts with at least "
            f"{FEWEST_RANKED} speakers in both halves"
        )

    def side(self, number: int) -> Side:
        """Report bottom, top or rest."""
        tallies, shares, rates = [], [], []
        for o in self.ways:
            rows = o.way.measured & (o.named.row_sides()[0] == number)
            assigned = o.way.measured & (o.named.row_sides()[0] >= 0)
            there = o.has_gap and rows.any()
            rates.append(figures.rate_contrast(o.log, number) if there else None)
            if there:
                tallies.append(figures.tally(self.counts, rows))
                shares.append(figures.share_of(self.counts, rows, assigned))
        log_rate = figures.aggregate_ways(rates, self.per_split)
        return figures.side(
            self._side_cohorts(number), tallies, shares, log_rate, self.confidence, self.effect
        )

    def errors_at_bottom(self) -> float | None:
        """Return the share of all errors that falls on the bottom: the mean over ways, as that of words."""
        parts = []
        for o in self.ways:
            everyone = float(o.overall_log.errors[0, 0])
            if o.has_gap and everyone:
                parts.append(float(o.log.errors[0, BOTTOM]) / everyone)
        return float(np.mean(parts)) if parts else None

    def _side_cohorts(self, number: int) -> tuple[str, ...]:
        """Return the cohorts of a side in the first split: the worst first, of the top the best."""
        named, fixed = self.ways[0].named, self.procedure.fixed_sides
        if fixed is not None and number != REST:
            numbers = list(fixed[number])  # as saved, and so in the order of the ranks then
        else:
            numbers = [c for c in named.order[0].tolist() if named.side[0, c] == number]
            numbers = numbers[::-1] if number == TOP else numbers
        return tuple(self.partition.names[c].cohort for c in numbers)

    def ranks(self) -> list[int | None]:
        """Return the rank of each cohort on the discovery half of the first split."""
        named = self.ways[0].named
        ranks: list[int | None] = [None] * len(self.partition.names)
        for rank, number in enumerate(named.order[0], start=1):
            if named.eligible[0, number]:
                ranks[number] = rank
        return ranks

    def splits(self) -> Splits | None:
        """Report how the gap varied over splits, and what the search chose."""
        if not self.searches:
            return None
        estimates = [
            float(o.log.estimate[0, BOTTOM] - o.log.estimate[0, TOP])
            if o.has_gap and o.log.errors[0, TOP] > 0
            else np.nan
            for o in self.ways
        ]
        pairs = [estimates[i : i + self.per_split] for i in range(0, len(estimates), self.per_split)]
        gaps = [np.exp(np.nanmean(pair)) - 1 for pair in pairs if np.isfinite(pair).any()]
        low, middle, high = (float(q) for q in np.quantile(gaps, (0.05, 0.5, 0.95))) if gaps else (None,) * 3
        chosen = Counter(o.chosen for o in self.ways if o.chosen is not None)
        return Splits(
            n=len(pairs),
            ways=sum(o.has_gap for o in self.ways),
            q05=low,
            median=middle,
            q95=high,
            chosen=dict(sorted(chosen.items(), key=lambda item: (-item[1], item[0]))),
        )

    @property
    def in_sample_ways(self) -> list[Observed]:
        """The ways whose searched speakers give the in-sample gap."""
        if not self.searches:
            return []
        return [self.whole] if self.whole_log else self.ways

    def in_sample(self) -> InSample | None:
        """Report the gap on the very speakers that were searched."""
        if not self.searches:
            return None
        searched: Literal["half", "whole log"] = "whole log" if self.whole_log else "half"
        found = [o.in_sample for o in self.in_sample_ways]
        log, linear = (
            figures.aggregate_ways([pair[i] if pair else None for pair in found], min(2, len(found)))
            for i in (0, 1)
        )
        relative = float(np.exp(log.estimate) - 1) if log else None
        return InSample(relative=relative, absolute=linear.estimate if linear else None, searched=searched)

    def chance(
        self, replicates: int, seed: Sequence[int], step: Callable[[int], None]
    ) -> tuple[Figures, Null] | None:
        """Run the procedure on permuted logs; None where that is not asked for."""
        if not replicates:
            return None

        def run(errors: Floats, words: Floats) -> Figures:
            return self.procedure.figures(errors, words, whole_log=self.whole_log)

        return run(*self.own), null(run, self.counts, replicates, seed, step)


def gaps_of(measurement: Measurement, reference_name: str | None) -> tuple[Gap, Gaps]:
    """Report the headline gap and those stored beside it."""
    top = f"bottom against {reference_name}" if reference_name else "bottom against top"
    held_out = measurement.searches
    where = ", on speakers who had no part in the naming" if held_out else ""
    headline = measurement.gap("top", top + where)
    return headline, Gaps(
        rest=measurement.gap("rest", "bottom against the rest" + where),
        overall=measurement.gap("overall", "bottom against all measured speakers" + where),
        reference=headline if reference_name else None,
    )
