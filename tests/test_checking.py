"""The check: what a log holds and could show, and that nobody can read off it whom the recogniser serves."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from worlds import frame, measurement, speaker_counts

from fairaudit.auditing import audit
from fairaudit.checking import check
from fairaudit.cli import main
from fairaudit.counts import SpeakerCounts
from fairaudit.estimate import jackknife
from fairaudit.exceptions import LogError, OptionError
from fairaudit.power import FEWEST_SPEAKERS, Spread, Whole, smallest_gap
from fairaudit.readers import read_log
from fairaudit.split import halves


def talkers(seed, speakers, *, heavy=False, spread=6.0):
    """Draw words and rates of speakers."""
    rng = np.random.default_rng(seed)
    words = np.full(speakers, 300)
    if heavy:
        words = np.maximum(20, rng.lognormal(np.log(150), 1.2, speakers)).astype(int)
    return rng, words, 0.12 * rng.gamma(spread, 1 / spread, speakers)


def log_of(rows, **options):
    return read_log(pd.DataFrame(rows), **options)


def people(speakers=200, seed=0, **columns):
    """Build a log of one row for each speaker."""
    rng, words, rate = talkers(seed, speakers)
    return {
        "speaker_id": [f"person-{i:04}" for i in range(speakers)],
        "ref_words": words,
        "errors": rng.poisson(words * rate),
        **columns,
    }


@pytest.mark.parametrize("heavy", [False, True])
def test_variance_of_the_whole_log_is_that_of_the_jackknife(heavy):
    rng, words, rate = talkers(3, 800, heavy=heavy)
    counts = speaker_counts(words, rate, rng)
    whole = Whole.of(counts, Spread.of(counts), 11)
    group = np.zeros((1, counts.rows), dtype=np.int64)
    rates = jackknife(
        group, counts.errors[None].astype(float), counts.ref_words[None].astype(float), counts.speaker, 1
    )
    assert whole.words + whole.between == pytest.approx(rates.variance[0, 0], rel=0.03)
    assert whole.n_effective == pytest.approx(rates.n_effective[0, 0])


def test_spread_is_that_of_the_rates_whatever_the_words():
    rng, words, rate = talkers(5, 6_000, heavy=True, spread=4.0)
    assert Spread.of(speaker_counts(words, rate, rng)).rows == pytest.approx(1 / 4, rel=0.15)
    even = speaker_counts(words, np.full(6_000, 0.12), rng)
    assert Spread.of(even).rows < 0.01


def test_what_the_settings_of_a_speaker_share_cancels_between_them():
    rng, words, rate = talkers(7, 3_000)
    ids = [f"s{i}" for i in range(3_000)] * 2
    device = ["a"] * 3_000 + ["b"] * 3_000
    errors = rng.poisson(np.tile(words * rate, 2))
    counts = SpeakerCounts.of(ids, ref_words=np.tile(words, 2), errors=errors, attributes={"device": device})
    spread = Spread.of(counts)
    assert spread.shared == pytest.approx(1 / 6, rel=0.1)
    first = counts.labels("device").codes == 0
    one, other, joint = spread.variance(counts, first, ~first)
    # What is left is the variance of the Poisson errors.
    assert joint == pytest.approx(2 / (0.12 * words.sum()), rel=0.3)
    assert joint < (one + other) / 5


def test_power_at_the_smallest_gap_is_eighty_per_cent():
    shown = []
    for seed in range(60):
        rng, words, rate = talkers(100 + seed, 120)
        member = np.arange(120) % 3 == 0
        spread = Spread.of(speaker_counts(words, rate, rng))
        counts = speaker_counts(words, rate, rng)
        gap = smallest_gap(*spread.variance(counts, member, ~member), (40, 80), 11)
        fresh = 0.12 * rng.gamma(6.0, 1 / 6.0, 120)
        planted = speaker_counts(words, fresh * np.where(member, 1 + gap, 1), rng, labels=member)
        low = measurement(planted).gap("top", "").relative_low
        shown.append(low is not None and low > 0)
    # Four standard errors on either side would be 60 to 100 %; half the gap would give about 25 %.
    assert 0.66 <= np.mean(shown) <= 0.94


def test_one_split_needs_a_larger_gap_than_eleven():
    one, eleven = (smallest_gap(0.004, 0.004, 0.008, (400.0, 400.0), n) for n in (1, 11))
    assert one > eleven
    # 2.77 standard errors of a half to be shown, or 1.96 and what the naming takes; 0.84 for the power.
    assert np.log1p(one) == pytest.approx((2.79 + 0.85) * 0.008**0.5, rel=0.02)
    assert np.log1p(eleven) == pytest.approx((2.12 + 0.85) * 0.008**0.5, rel=0.02)


def test_no_gap_can_be_shown_with_too_few_talkers():
    assert smallest_gap(0.3, 0.1, 0.4, (2.0, 50.0), 11) is None
    assert smallest_gap(0.3, 0.1, 0.4, (2.2, 50.0), 11) is None


def test_twelve_speakers_are_the_fewest_who_mostly_fill_both_halves():
    share = {}
    for speakers in (FEWEST_SPEAKERS - 1, FEWEST_SPEAKERS):
        names = np.array([f"p{i}" for i in range(speakers)], dtype=object)
        sizes = np.array([halves(names, seed, 200).sum(axis=1) for seed in range(5)])
        share[speakers] = np.mean(np.minimum(sizes, speakers - sizes) >= 5)
    assert share[FEWEST_SPEAKERS - 1] < 0.5 < share[FEWEST_SPEAKERS]


def test_more_speakers_help_more_than_more_words():
    found = check(log_of(people()))
    assert [round(d.cohort, 2) for d in found.detectable] == [0.05, 0.1, 0.2, 0.5, 0.1]
    small, *others = found.detectable
    assert (small.speakers, small.relative) == (10, None)
    assert "12" in small.reason
    for row in others:
        assert row.twice_the_speakers < row.twice_the_words < row.relative
    larger = check(log_of(people(400, seed=1)))
    assert larger.detectable[1].relative == pytest.approx(found.detectable[1].twice_the_speakers, rel=0.15)


def test_who_is_in_a_cohort_is_counted_and_small_values_are_marked():
    accent = ["a"] * 100 + ["b"] * 50 + ["c"] * 9 + [None] * 41
    found = check(log_of(people(accent=accent)), by=["accent"]).partition("accent")
    assert [(v.value, v.speakers, v.utterances, v.ref_words) for v in found.values] == [
        ("a", 100, 100, 30_000),
        ("b", 50, 50, 15_000),
        ("c", 9, 9, 2_700),
    ]
    assert [(v.suppressed, v.gap_suppressed) for v in found.values] == [
        (False,) * 2,
        (False,) * 2,
        (True,) * 2,
    ]
    assert [v.smallest_gap is None for v in found.values] == [False, False, True]
    assert (found.speakers, found.unplaced_speakers, found.unplaced) == (159, 41, {"no accent": 41})
    assert found.enough


def test_what_is_said_to_be_possible_is_what_an_audit_gives():
    for counts in ((100, 100), (170, 30), (180, 12), (180, 9), (194, 6)):
        label = [value for value, n in zip("ab", counts, strict=True) for _ in range(n)]
        log = log_of(people(sum(counts), accent=label))
        said = check(log, by=["accent"]).partition("accent")
        gap = audit(log, by=["accent"], permutations=0, min_speakers_shown=1).partition("accent").gap
        assert said.enough == (gap.relative is not None), counts
        assert all((v.smallest_gap is not None) == said.enough for v in said.values)
        shown = audit(log, by=["accent"], permutations=0).partition("accent").gap.relative is not None
        assert any(v.gap_suppressed or v.smallest_gap is None for v in said.values) == (not shown), counts


def test_a_search_says_what_it_cannot_place_and_whether_it_has_enough():
    whole = frame(4, 240, missing=30)
    found = check(read_log(whole), by=["geo", "zip", "voice"])
    zips = found.partition("zip")
    assert zips.unplaced_speakers == 30
    assert sum(zips.unplaced.values()) == 90
    assert zips.speakers == 210
    assert all(p.enough and p.min_speakers == 30 for p in found.partitions)
    # Of 240 speakers a search finds no cohort of 24: 30 in each half are 60.
    assert found.partition("geo").detectable.cohort == 0.25
    few = check(read_log(whole[whole.speaker_id < "person-00100"]), by=["geo"]).partition("geo")
    assert not few.enough
    assert "100" in few.reason
    assert "120" in few.reason


def test_errors_of_cohorts_make_no_difference():
    """Errors that are dealt out otherwise among people of equal words leave the check as it is."""
    rng = np.random.default_rng(8)
    rows = people(300, accent=[f"accent {i % 3}" for i in range(300)])
    rows |= {
        "latitude": 30 + rng.uniform(0, 10, 300),
        "longitude": -100 + rng.uniform(0, 10, 300),
        # Nobody of the accent that is dealt the fewest errors has a voice or a club.
        "embedding": [rng.normal(size=3).astype(np.float32) if i % 3 else None for i in range(300)],
        "club": [f"club {i % 2}" if i % 3 else None for i in range(300)],
    }
    order = np.argsort(rows["accent"], kind="stable")
    worst_last = rows | {"errors": np.sort(rows["errors"])[np.argsort(order)]}
    by_accent = pd.DataFrame(worst_last).groupby("accent").errors.sum()
    assert by_accent.max() > 2 * by_accent.min()
    checks = [check(log_of(dealt)) for dealt in (rows, worst_last)]
    texts = [re.sub(r'"(sha256|digest)": "[0-9a-f]+"', "", c.to_json()) for c in checks]
    assert texts[0] == texts[1]
    assert [p.name for p in checks[0].partitions] == ["geo", "voice", "accent", "club"]
    shown = [re.sub(r"\b[0-9a-f]{12}\b", "", c.to_text()) for c in checks]
    assert shown[0] == shown[1]


def test_no_rate_no_errors_and_no_ids_are_in_what_is_given_out():
    rows = people(60, accent=["far"] * 30 + ["near"] * 30)
    rows["ref_words"] = np.full(60, 1_000)
    rows["errors"] = np.array([731] * 30 + [173] * 30)
    found = check(log_of(rows))
    for text in (found.to_json(), found.to_text(80)):
        assert "person-" not in text
        for told in ("731", "73.1", "173", "17.3", "45.2", "0.452", str(731 * 30), f"{731 * 30:,}", "27,120"):
            assert told not in text

    def keys(plain):
        if isinstance(plain, dict):
            yield from (k for key, value in plain.items() for k in (key, *keys(value)))
        elif isinstance(plain, list):
            yield from (k for value in plain for k in keys(value))

    assert not {"wer", "errors", "gap", "ratio", "low", "high"} & set(keys(json.loads(found.to_json())))


def test_columns_are_told_by_what_they_were_taken_as():
    rows = people(50, accent=["x", "y"] * 25)
    rows["spk"] = rows.pop("speaker_id")
    errors = rows.pop("errors")
    rows |= {"substitutions": errors, "deletions": 0 * errors, "insertions": 0 * errors}
    found = check(log_of(rows, columns={"speaker_id": "spk"}))
    taken = {c.taken_as: c.name for c in found.columns if c.taken_as != "label"}
    assert taken["speaker_id"] == "spk"
    assert taken["errors"] is None
    assert taken["deletions"] == "deletions"
    assert [c.name for c in found.columns if c.taken_as == "label"] == ["accent"]
    assert "speaker_id (called spk in the log)" in found.to_text(200)


def test_a_log_with_nothing_to_partition_by_is_checked_all_the_same():
    found = check(log_of(people(50)))
    assert found.partitions == ()
    assert "nothing to partition by" in found.warnings[0]
    assert found.detectable[3].relative > 0


def test_a_log_without_errors_says_that_nothing_is_known():
    rows = people(50, accent=["x", "y"] * 25) | {"errors": np.zeros(50, dtype=int)}
    found = check(log_of(rows))
    assert all(d.relative is None and "no errors" in d.reason for d in found.detectable)
    assert "no errors" in found.to_text()


def test_a_log_of_too_few_speakers_for_any_gap_says_so():
    for speakers in (15, 40):
        found = check(log_of(people(speakers, accent=["a", "b"] * (speakers // 2) + ["a"] * (speakers % 2))))
        text = found.to_text()
        assert "No audit of it could show any gap (too few speakers" in text
        assert "four times in five" not in text
        assert found.partition("accent").enough == (speakers == 40)
    assert "Fewer than 22 speakers" in text


def test_the_example_of_the_docs_runs(capsys, monkeypatch):
    root = Path(__file__).parent.parent
    monkeypatch.chdir(root)
    (example,) = re.findall(
        r"```python\n(.*?)```", (root / "docs" / "check.md").read_text("utf-8"), flags=re.S
    )
    exec(example, {})
    assert capsys.readouterr().out.startswith("0.2")


def test_texts_that_are_out_of_the_ordinary_are_counted():
    rows = people(30, accent=["a", "b"] * 15)
    rows.pop("ref_words"), rows.pop("errors")
    rows |= {
        "reference": ["one two three four"] * 30,
        "hypothesis": ["one too three"] * 28 + ["", "la " * 30],
    }
    found = check(log_of(rows))
    assert (found.text.empty_hypothesis, found.text.looped) == (1, 1)
    assert {c.name for c in found.columns if c.taken_as in ("errors", "ref_words")} == {None}
    assert "Scored the text of 30 utterances" in found.to_text(200)


def test_what_was_asked_for_and_is_not_there_is_refused():
    with pytest.raises(LogError, match="zip_code"):
        check(log_of(people(50)), by=["zip"])
    with pytest.raises(OptionError, match="min_speakers_shown"):
        check(log_of(people(50)), min_speakers_shown=0)
    with pytest.raises(LogError, match="DataFrame"):
        check(pd.DataFrame(people(5)))


@pytest.fixture
def folder(tmp_path):
    rows = pd.DataFrame(people(120, region=["NA", "east", "west"] * 40))
    rows["utterance_id"] = [f"utt-{i:04}" for i in range(120)]
    rows.drop(columns="region").to_csv(tmp_path / "log.csv", index=False)
    rows[["speaker_id", "region"]][:118].to_csv(tmp_path / "people.csv", index=False)
    return tmp_path


def test_the_command_tells_the_join_the_repairs_and_the_gaps(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["check", "log.csv", "--metadata", "people.csv", "--json", "check.json"]) == 0
    out, err = capsys.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    flowing = " ".join(out.split())
    assert "120 speakers, 120 utterances and 36,000 reference words" in flowing
    assert "Joined metadata by speaker_id: 118 of 120" in flowing
    assert "--missing region=NA" in flowing
    assert "5 % against everybody else [1]" in flowing
    assert "10 % against everybody else [2] 12" in flowing
    assert "person-" not in out
    # The first ids that did not match are for the user's eyes.
    assert "person-0118" in err
    plain = json.loads((folder / "check.json").read_text())
    assert plain["joined"][0]["utterances_matched"] == 118
    assert plain["partitions"][0]["unplaced"] == {"no region": 2}
    assert "person-" not in json.dumps(plain)
    assert "utt-" not in json.dumps(plain)


def test_the_command_takes_what_an_audit_would_take(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    told = ["check", "log.csv", "--metadata", "people.csv", "--by", "region", "--min-speakers-shown", "41"]
    assert main(told) == 0
    assert "Fewer than 41 speakers" in capsys.readouterr().out
    assert main(["check", "log.csv", "--by", "zip"]) == 2
    assert "zip_code" in capsys.readouterr().err
    assert main(["check", "log.csv", "--json", "no/such/folder.json"]) == 2
    assert "--json no/such/folder.json" in capsys.readouterr().err
