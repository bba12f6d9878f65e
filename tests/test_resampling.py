"""Bootstrap intervals in an audit: of the same width as the jackknife's, and as good where it matters."""

import numpy as np
import pandas as pd

from fairaudit.auditing import audit
from fairaudit.readers import read_log


def log_of(seed, speakers=300, worse=1.5):
    rng = np.random.default_rng(seed)
    group = np.array(["p", "q"])[np.arange(speakers) % 2]
    rate = 0.12 * rng.gamma(6, 1 / 6, speakers) * np.where(group == "p", worse, 1.0)
    words = rng.integers(100, 500, speakers)
    return pd.DataFrame(
        {
            "speaker_id": [f"s{i:03}" for i in range(speakers)],
            "ref_words": words,
            "errors": rng.poisson(rate * words),
            "group": group,
        }
    )


def both(table, **options):
    log = read_log(table)
    given = {"by": ["group"], "permutations": 0} | options
    return [audit(log, **given, interval=kind).partition("group") for kind in ("jackknife", "bootstrap")]


def test_intervals_of_many_speakers_are_about_those_of_the_jackknife():
    jackknife, bootstrap = both(log_of(1))
    # Under names that stay fixed, a bootstrap would leave out the luck of the naming.
    assert bootstrap.gap == jackknife.gap
    ends = [[(row.low, row.high) for row in (p.overall, *p.cohorts)] for p in (jackknife, bootstrap)]
    for (low, high), (other_low, other_high) in zip(*ends, strict=True):
        assert (low, high) != (other_low, other_high)
        assert 0.75 < (other_high - other_low) / (high - low) < 1.2


def test_equal_seeds_give_equal_intervals_whatever_the_order_of_the_log():
    table = log_of(2)
    first, second = (
        audit(read_log(t), by=["group"], permutations=0, splits=3, interval="bootstrap").to_json()
        for t in (table, table.sample(frac=1, random_state=3))
    )
    same = [
        [
            line
            for line in text.splitlines()
            if not any(of in line for of in ("sha256", "digest", "created_at"))
        ]
        for text in (first, second)
    ]
    assert same[0] == same[1]


def test_what_has_no_interval_has_none_by_the_bootstrap_either():
    table = log_of(4).assign(group=["lone"] + ["q"] * 149 + ["p"] * 150)
    jackknife, bootstrap = both(table, min_speakers_shown=1)
    for j, b in zip(jackknife.cohorts, bootstrap.cohorts, strict=True):
        assert (j.low is None) == (b.low is None)
