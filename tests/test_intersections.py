"""Intersections of label columns: measured like a label column, named readably, saved and read again."""

import numpy as np
import pandas as pd
import pytest

from fairaudit.assignment import assign
from fairaudit.auditing import audit
from fairaudit.checking import check
from fairaudit.counts import SpeakerCounts
from fairaudit.discover.labels import LabelIntersection
from fairaudit.readers import read_log
from fairaudit.report import render
from fairaudit.saved import partitions_json, read_partitions
from fairaudit.testing import check_discoverer


def frame(seed, speakers=400, *, accents=2, ages=2, missing=20):
    """A log in which one combination of accent and age is twice as bad; some speakers have no age."""
    rng = np.random.default_rng(seed)
    accent, age = rng.integers(0, accents, speakers), rng.integers(0, ages, speakers)
    rate = 0.1 * rng.gamma(9, 1 / 9, speakers) * np.where((accent == 0) & (age == 0), 2.0, 1.0)
    words = rng.integers(200, 800, speakers)
    ages_of = np.array([f"age {a:02}" for a in age], dtype=object)
    ages_of[:missing] = None
    return pd.DataFrame(
        {
            "utterance_id": [f"u{i:04}" for i in range(speakers)],
            "speaker_id": [f"s{i:04}" for i in range(speakers)],
            "ref_words": words,
            "errors": rng.poisson(words * rate),
            "accent": [f"accent {a:02}" for a in accent],
            "age": ages_of,
        }
    )


@pytest.fixture(scope="module")
def result():
    return audit(read_log(frame(1)), by=["accent+age"], permutations=19, splits=3)


def test_each_combination_is_a_cohort_and_rows_without_a_column_say_which(result):
    found = result.partition("accent+age")
    assert found.origin == "declared"
    assert [(c.cohort, c.label) for c in found.cohorts][:2] == [
        ("accent=accent 00, age=age 00", "accent is accent 00 and age is age 00"),
        ("accent=accent 00, age=age 01", "accent is accent 00 and age is age 01"),
    ]
    assert found.bottom.cohorts == ("accent=accent 00, age=age 00",)
    assert 0.4 < found.gap.relative_low < found.gap.relative < 1.6
    assert found.chance.p_value == 1 / 20
    # Every speaker of a declared cohort counts in its own figures.
    assert sum(cohort.speakers for cohort in found.cohorts) == 380
    assert found.unassigned.reasons == {"no age": 20}


def test_a_reference_is_compared_with_every_other_combination():
    options = {"by": ["accent+age"], "permutations": 0, "splits": 1}
    named = audit(read_log(frame(1)), reference_cohort="accent+age=accent 01+age 01", **options)
    cohorts = {c.cohort: c.against_reference for c in named.partition("accent+age").cohorts}
    assert cohorts["accent=accent 00, age=age 00"].relative_low > 0.5
    assert cohorts["accent=accent 01, age=age 01"] is None


def test_it_is_saved_and_read_again(result, tmp_path):
    file = tmp_path / "partitions.json"
    file.write_text(partitions_json(result))
    # Other people, who are numbered differently.
    rows = frame(2).assign(speaker_id=lambda rows: "next-" + rows["speaker_id"])
    again = audit(read_log(rows), partitions=file, permutations=0).partition("accent+age")
    assert again.origin == "saved"
    assert again.unassigned.reasons == {"no age": 20}
    assert again.gap.relative_low > 0.5
    cohort = assign(read_log(rows), read_partitions(file))["accent+age"]
    want = "accent=" + rows["accent"] + ", age=" + rows["age"]
    pd.testing.assert_series_equal(cohort.where(cohort.notna()), want.where(want.notna()), check_names=False)


def test_it_keeps_the_contract_of_discoverers():
    rows = frame(3)
    counts = SpeakerCounts.of(
        rows["speaker_id"],
        ref_words=rows["ref_words"],
        errors=rows["errors"],
        attributes={name: rows[name].tolist() for name in ("accent", "age")},
    )
    check_discoverer(LabelIntersection(("accent", "age")), counts)


def test_a_check_says_how_much_there_is_of_each_combination():
    (found,) = check(read_log(frame(1)), by=["accent+age"]).partitions
    assert found.unplaced == {"no age": 20}
    assert {row.value for row in found.values} >= {"accent=accent 01, age=age 00"}
    assert sum(row.speakers for row in found.values) == 380


def test_the_report_names_the_columns_and_each_combination_once(result):
    text = render(result, "md")
    assert "labels: accent and age" in text
    assert "Each combination of values of the columns accent and age is a cohort." in text
    assert "accent is accent 01 and age is age 01" in text
    assert "accent=accent 01" not in text


def test_the_report_of_two_hundred_combinations_stays_readable():
    rows = frame(4, 3_000, accents=20, ages=10)
    many = audit(read_log(rows), by=["accent+age"], permutations=0, splits=1)
    assert len(many.partition("accent+age").cohorts) == 200
    text = render(many, "text")
    assert len(text.splitlines()) < 40
    assert len(render(many, "html")) < 1_500_000


def test_a_saved_intersection_is_titled_as_one_and_slices_are_not(result, tmp_path):
    file = tmp_path / "partitions.json"
    file.write_text(partitions_json(result))
    saved = audit(read_log(frame(2)), partitions=file, permutations=0)
    assert "labels: accent and age, saved" in render(saved, "md")
    slices = audit(read_log(frame(2)), by=["slices"], permutations=0, splits=1)
    assert "Slices of label columns (slices)" in render(slices, "md")
    assert "labels:" not in render(slices, "md")
