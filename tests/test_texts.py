"""What is told of the texts of each cohort: missing, empty, looped, and what the normaliser does."""

import numpy as np
import pandas as pd
import pytest

from fairaudit.auditing import audit
from fairaudit.cli import main
from fairaudit.readers import read_log
from fairaudit.report import render

SPEAKERS = 80


def spoken():
    """Return texts of which only the far device's hypotheses differ in case, loop, or are empty."""
    rng = np.random.default_rng(2)
    rows = []
    for number in range(SPEAKERS * 6):
        speaker, far = number % SPEAKERS, number % SPEAKERS % 2 == 1
        said = " ".join(rng.choice(["one", "two", "three", "four"], 6))
        heard = said.replace("two", "too") if rng.random() < 0.5 else said
        kind = number // SPEAKERS
        if far and kind == 0:
            heard = said.upper()
        if far and kind == 1:
            heard = "thank you " * 20
        if far and kind == 2:
            heard = ""
        if not far and kind == 3:
            said, heard = "", "oh"
        rows.append(
            {
                "utterance_id": f"u{number:04}",
                "speaker_id": f"s{speaker:03}",
                "reference": said,
                "hypothesis": heard,
                "device": "far" if far else "near",
                "group": "few" if speaker < 4 else "many",
            }
        )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def result():
    log = read_log(spoken(), normalizer="none", normalizer_sensitivity=True)
    return audit(log, by=["device", "group"], permutations=0, splits=1)


def test_texts_out_of_the_ordinary_are_counted_by_cohort(result):
    told = {c.cohort: c.text for c in result.partition("device").cohorts}
    half = SPEAKERS // 2
    far, near = told["far"], told["near"]
    assert (far.utterances, far.looped, far.empty_hypothesis, far.empty_reference) == (
        half * 6,
        half,
        half,
        0,
    )
    assert (near.utterances, near.looped, near.empty_hypothesis, near.empty_reference) == (
        half * 6,
        0,
        0,
        half,
    )
    whole = result.log.text
    assert (whole.utterances, whole.looped, whole.missing) == (SPEAKERS * 6, half, 0)


def test_every_cohort_and_the_gap_are_shown_under_each_normaliser(result):
    table = spoken()
    partition = result.partition("device")
    for name in ("none", "basic", "whisper-en"):
        alone = audit(read_log(table, normalizer=name), by=["device"], permutations=0, splits=1)
        wers = {c.cohort: c.wer for c in alone.partition("device").cohorts}
        for cohort in partition.cohorts:
            (rate,) = [r for r in cohort.by_normalizer if r.normalizer == name]
            assert rate.wer == pytest.approx(wers[cohort.cohort], abs=0)
            assert rate.wer == rate.errors / rate.ref_words
        (gap,) = [g for g in partition.gap_by_normalizer if g.normalizer == name]
        assert gap.relative == pytest.approx(wers["far"] / wers["near"] - 1)
    # Case is the far device's alone: folding it closes a part of the gap.
    none, basic, _ = partition.gap_by_normalizer
    assert (none.normalizer, basic.normalizer) == ("none", "basic")
    assert basic.relative < none.relative - 0.2
    assert [r.normalizer for r in result.log.by_normalizer] == ["none", "basic", "whisper-en"]


def test_nothing_is_told_of_the_texts_of_a_suppressed_cohort(result):
    cohorts = {c.cohort: c for c in result.partition("group").cohorts}
    assert cohorts["few"].suppressed
    assert all(c.text is None and c.by_normalizer == () for c in cohorts.values() if c.suppressed)
    assert result.partition("group").gap_by_normalizer == ()


def test_a_log_of_counts_says_nothing_of_texts():
    table = spoken().assign(ref_words=6, errors=1).drop(columns=["reference", "hypothesis"])
    found = audit(read_log(table), by=["device"], permutations=0, splits=1)
    assert found.log.text is None
    assert all(c.text is None for c in found.partition("device").cohorts)
    assert "Texts out of the ordinary" not in render(found, "md")


def test_the_report_shows_both_tables(result):
    report = render(result, "md")
    of_device = report[
        report.index("## In detail: label: device") : report.index("## In detail: label: group")
    ]
    of_group = report[report.index("## In detail: label: group") :]
    for caption in ("texts out of the ordinary; looped: more than five times", "what the normaliser does"):
        assert caption in of_device
        # All of its cohorts are suppressed.
        assert caption not in of_group
    assert "| device is far | 240 | 0.0 | 0.0 | 16.7 | 16.7 |" in of_device


def test_the_option_asks_for_it_on_the_command_line(tmp_path, capsys):
    spoken().to_csv(tmp_path / "log.csv", index=False)
    out = tmp_path / "out"
    options = ["--by", "device", "--permutations", "0", "--normalizer", "basic", "--normalizer-sensitivity"]
    assert main(["audit", str(tmp_path / "log.csv"), "-o", str(out), *options]) == 0
    capsys.readouterr()
    text = (out / "report.md").read_text("utf-8")
    assert "WER (%), whisper-en" in text
    assert "the audit is by basic" in text
