"""Small seeded worlds for tests: speakers with overdispersed errors, with or without a planted cohort."""

from __future__ import annotations

import numpy as np

from fairaudit.counts import SpeakerCounts
from fairaudit.discover.labels import LabelColumn
from fairaudit.measurement import Measurement
from fairaudit.procedure import Procedure
from fairaudit.split import halves


def speaker_counts(words, rate, rng, *, labels=None, cells=None):
    """Draw Poisson errors for speakers with given words and true rates."""
    n = len(words)
    attributes = {}
    if labels is not None:
        attributes["accent"] = [str(x) for x in labels]
    if cells is not None:
        attributes |= {"latitude": cells[0].astype(float), "longitude": cells[1].astype(float)}
    return SpeakerCounts.of(
        [f"s{i:05}" for i in range(n)],
        ref_words=words,
        errors=rng.poisson(words * rate),
        attributes=attributes,
    )


def accents(seed, speakers=200, cohorts=5, effect=1.0, spread=6.0, words=(100, 1500)):
    """Speakers of equally likely accents; cohort 0 has `effect` times the error rate."""
    rng = np.random.default_rng(seed)
    accent = rng.integers(0, cohorts, speakers)
    rate = 0.1 * rng.gamma(spread, 1 / spread, speakers) * np.where(accent == 0, effect, 1.0)
    return speaker_counts(rng.integers(*words, speakers), rate, rng, labels=accent)


def measurement(counts, *, splits=11, seed=1, finder=None, bottom_share=0.1):
    """Set up the measurement of the accents, or of what a discoverer finds."""
    half = halves(counts.speakers, seed, splits)
    if finder is None:
        partition = LabelColumn("accent").fit(counts)
        rows = np.ones(counts.rows, dtype=bool)
        return Measurement(Procedure(counts, half, None, partition, bottom_share), 0.95, rows, partition)
    procedure = Procedure(counts, half, finder, None, bottom_share)
    first = procedure.ways[0]
    return Measurement(procedure, 0.95, first.measured, finder.fit(counts.select(first.searched)))
