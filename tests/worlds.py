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


def codes(table, attribute, rng, above, population=0):
    """Draw ZIP codes on the wanted side of an attribute's own threshold."""
    values = table.values[attribute]
    wanted = np.where(np.isnan(values), False, values > table.thresholds[attribute])
    sides = [table.zip_codes[~wanted & ~np.isnan(values)], table.zip_codes[wanted]]
    return np.array([rng.choice(sides[int(side)]) for side in above], dtype=object)


def frame(seed, speakers=240, *, effect=1.0, missing=0, utterances=3, dimensions=4):
    """Build a log with places, voices, an accent and a device; `effect` is that of accent 0.

    Accent 0 also lives in the south and sounds alike, so each search has something to find.
    """
    import pandas as pd

    from fairaudit.demographics import load_zip_table

    rng = np.random.default_rng(seed)
    accent = rng.integers(0, 4, speakers)
    worse = accent == 0
    rate = 0.12 * rng.gamma(6.0, 1 / 6.0, speakers) * np.where(worse, effect, 1.0)
    voice = rng.normal(size=(speakers, dimensions)) / 4
    voice[:, 0] += np.where(worse, 2.0, -2.0)
    table = load_zip_table()
    known = table.zip_codes[~np.isnan(table.values["median_age"])]
    place = rng.choice(known, speakers).astype(object)
    place[:missing] = "00000"
    columns = {
        "latitude": np.where(worse, 31.0, 41.0) + rng.uniform(-3, 3, speakers),
        "longitude": rng.uniform(-110, -80, speakers),
        "zip_code": place,
        "accent": [f"accent {a}" for a in accent],
        "embedding": list(voice.astype(np.float32)),
    }
    row = np.repeat(np.arange(speakers), utterances)
    words = rng.integers(20, 200, len(row))
    return pd.DataFrame(
        {
            "speaker_id": [f"person-{i:05}" for i in row],
            "ref_words": words,
            "errors": rng.poisson(words * rate[row]),
            "device": [f"device {d}" for d in rng.integers(0, 2, len(row))],
            **{name: [values[i] for i in row] for name, values in columns.items()},
        }
    )
