"""`fairaudit compare` as a user meets it, on the counts of EdAcc and Artie that ship and on small logs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from fairaudit.comparison import compare
from fairaudit.outputs import read_comparison
from fairaudit.readers import read_log

ROOT = Path(__file__).parent.parent
DATA = ROOT / "data"
REAL = Path(os.environ.get("FAIRAUDIT_REAL_DATA", ROOT.parent / "shared/data"))
COMMAND = Path(sys.executable).with_name("fairaudit")
#: The groups of the published table.
ACCENTS = [
    "Indian English",
    "Irish English",
    "Jamaican English",
    "Mainstream US English",
    "Nigerian English",
    "Spanish",
    "Vietnamese",
]
EDACC = [DATA / f"edacc_{model}.csv" for model in ("whisper-large-v3-turbo", "parakeet-tdt-0.6b-v3")]
ARTIE = [DATA / f"artie_deepspeech-v0-{release}.csv" for release in ("5-1", "6-0", "7-3")]


def fairaudit(*arguments, cwd=None, **environment):
    """Run the installed command."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0", "COLUMNS": "120", **environment}
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )


def told(run):
    """Return what was printed, however the lines break."""
    return " ".join(run.stdout.split())


def groups():
    return [item for accent in ACCENTS for item in ("--where", f"accent={accent}")]


def cohorts_of(folder, partition="accent"):
    return {c.cohort: c for c in read_comparison(folder).partition(partition).cohorts}


def test_edacc_vietnamese_got_better_from_whisper_to_parakeet(tmp_path):
    shown = ("--by", "accent", "--min-speakers-shown", 1, "--model", "whisper", "--model", "parakeet")
    run = fairaudit("compare", *EDACC, *groups(), *shown, "-o", tmp_path)
    assert run.returncode == 0, run.stderr
    cohorts = cohorts_of(tmp_path)
    change = cohorts["Vietnamese"].change
    assert change.relative == pytest.approx(-0.22, abs=0.005)
    assert (change.relative_low, change.relative_high) == pytest.approx((-0.28, -0.15), abs=0.006)
    assert cohorts["Irish English"].change.relative_high > 0
    assert read_comparison(tmp_path).log.utterances == 5087
    assert "WER of all went from 19.8 % to 15.0 %: -24.1 %" in told(run)
    assert "0 got worse, 4 better, and for 3" in told(run)
    assert "Figures of as few as 1 speaker are shown" in told(run)
    assert "whisper to parakeet" in run.stdout
    # Equal seed, equal bytes.
    again = tmp_path / "again"
    fairaudit("compare", *EDACC, *groups(), *shown, "-o", again)
    for name in ("compare.json", "report.html", "report.md", "changes.csv"):
        assert (again / name).read_bytes() == (tmp_path / name).read_bytes()


def test_edacc_shows_no_accent_by_default(tmp_path):
    run = fairaudit("compare", *EDACC, *groups(), "--by", "accent", "-o", tmp_path)
    assert run.returncode == 0, run.stderr
    assert all(c.suppressed and c.change.relative is None for c in cohorts_of(tmp_path).values())
    assert read_comparison(tmp_path).overall.change.relative_high < 0
    assert "No cohort has a change with an interval that may be shown." in told(run)


def test_artie_gives_a_trend_over_three_releases(tmp_path):
    by = [item for column in ("accent", "gender", "age") for item in ("--by", column)]
    names = [item for name in ("0.5.1", "0.6.0", "0.7.3") for item in ("--model", name)]
    run = fairaudit("compare", *ARTIE, *by, *names, "-o", tmp_path)
    assert run.returncode == 0, run.stderr
    assert "0.5.1 48.7 %, 0.6.0 42.2 %, 0.7.3 40.9 %; from first to last -15.9 % (-18.1 to -13.7)" in told(
        run
    )
    folders = ("2-against-1", "3-against-1", "3-against-2")
    assert sorted(p.name for p in tmp_path.iterdir()) == [*folders, "trend.csv", "trend.html", "trend.md"]
    first, whole, second = (cohorts_of(tmp_path / name) for name in folders)
    us = [of["us"].change.relative for of in (first, second, whole)]
    assert (1 + us[0]) * (1 + us[1]) == pytest.approx(1 + us[2])
    assert read_comparison(tmp_path / "3-against-2").baseline.model == "0.6.0"
    table = pd.read_csv(tmp_path / "trend.csv", keep_default_na=False, na_values=[""])
    rows = table[(table.partition == "accent") & (table.cohort == "us")]
    assert rows.release.tolist() == ["0.5.1", "0.6.0", "0.7.3"]
    assert rows.since_first.tolist()[1:] == pytest.approx([us[0], us[2]])
    assert rows.since_previous.tolist()[1:] == pytest.approx(us[:2])


def test_a_saved_comparison_is_rendered_again(tmp_path):
    fairaudit("compare", *ARTIE[:2], "--by", "gender", "-o", tmp_path)
    for form, name in (("md", "report.md"), ("html", "report.html"), ("csv", "changes.csv")):
        run = fairaudit("report", tmp_path / "compare.json", "--format", form)
        assert run.stdout == (tmp_path / name).read_text("utf-8")
    assert fairaudit("report", tmp_path).stdout.startswith("WER of all went from 48.7 %")


@pytest.fixture
def two_columns(tmp_path):
    rows = [
        {
            "utterance_id": f"u{i}",
            "speaker_id": f"s{i % 12}",
            "accent": "x" if i % 2 else "y",
            "reference": "one two three four",
            "old": "one two three" if i % 3 else "one two three four",
            "new": "One, two three four!" if i % 4 else "one",
        }
        for i in range(48)
    ]
    file = tmp_path / "log.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_one_log_with_two_columns_of_hypotheses_is_two_releases(two_columns, tmp_path):
    columns = ("--baseline-hypothesis", "old", "--candidate-hypothesis", "new", "--normalizer", "basic")
    arguments = ("compare", two_columns, *columns, "--by", "accent", "--min-speakers-shown", 1)
    run = fairaudit(*arguments, "-o", tmp_path / "one")
    assert run.returncode == 0, run.stderr
    result = read_comparison(tmp_path / "one")
    assert (result.overall.baseline.errors, result.overall.candidate.errors) == (32, 36)
    # Two files say the same, and so do more workers and another order of the rows.
    frame = pd.read_json(two_columns, lines=True)
    for name in ("old", "new"):
        renamed = frame.rename(columns={name: "hypothesis"}).sample(frac=1, random_state=3)
        renamed.to_csv(tmp_path / f"{name}.csv", index=False)
    logs = [tmp_path / f"{name}.csv" for name in ("old", "new")]
    two = fairaudit(
        "compare",
        *logs,
        "--normalizer",
        "basic",
        *arguments[-4:],
        "-o",
        tmp_path / "two",
        FAIRAUDIT_WORKERS="3",
    )
    assert two.returncode == 0, two.stderr
    other = read_comparison(tmp_path / "two")
    for part in ("overall", "partitions", "pairing", "matched_pairs", "metrics"):
        assert getattr(result, part) == getattr(other, part)


def wrong():
    edacc, artie = EDACC[0], ARTIE[0]
    by = ("--by", "accent")
    yield "one log", (edacc, *by), "there is one log, and a comparison needs two"
    yield "nothing to compare by", (edacc, edacc), "nothing is named by which to compare"
    yield "a log with itself", (edacc, edacc, *by), "baseline and candidate are the same data"
    yield "other test sets", (edacc, artie, *by), "no utterance in common"
    yield "a search", (*ARTIE[:2], "--by", "geo"), "latitude"
    yield "one column of two", (edacc, "--baseline-hypothesis", "a", *by), "compared in one log"
    yield (
        "the same column twice",
        (edacc, "--baseline-hypothesis", "a", "--candidate-hypothesis", "a", *by),
        "both releases are the column 'a'",
    )
    yield (
        "a column that is not there",
        (edacc, "--baseline-hypothesis", "a", "--candidate-hypothesis", "b", *by),
        "no column 'a'",
    )
    yield "names of three", (*ARTIE[:2], *by, "--model", "x"), "1 names for 2 releases"
    yield "no partitions", (*ARTIE[:2], "--partitions", "nowhere.json"), "cannot read saved partitions"
    yield "confidence", (*ARTIE[:2], *by, "--confidence", "2"), "confidence is 2"


@pytest.mark.parametrize(("arguments", "said"), [pytest.param(a, s, id=i) for i, a, s in wrong()])
def test_bad_input_is_one_clear_message_and_exit_code_2(arguments, said, tmp_path):
    run = fairaudit("compare", *arguments, "-o", tmp_path / "out")
    assert run.returncode == 2
    assert said in run.stderr
    assert run.stderr.count("error:") == 1
    assert "Traceback" not in run.stderr
    assert run.stdout == ""
    assert not (tmp_path / "out").exists()


def test_partitions_of_an_audit_are_exploratory_on_all_releases_that_its_speakers_read(tmp_path):
    fairaudit("audit", ARTIE[0], "--by", "gender", "--permutations", 0, "-o", tmp_path / "audit")
    saved = tmp_path / "audit" / "partitions.json"
    run = fairaudit("compare", *ARTIE[1:], "--partitions", saved, "-o", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    result = read_comparison(tmp_path / "out")
    # Another release and another file, and the same people: half of them are measured.
    partition = result.partition("gender")
    assert partition.exploratory
    assert partition.bottom.baseline.speakers is not None
    assert not any("it is not known" in text for text in result.log.warnings)
    assert [source.role for source in result.inputs] == ["baseline", "candidate", "partitions"]
    # The first release is where the partition was found.
    fairaudit("compare", ARTIE[0], ARTIE[1], "--partitions", saved, "-o", tmp_path / "own")
    assert read_comparison(tmp_path / "own").partition("gender").exploratory


def test_an_edited_comparison_is_refused_with_exit_code_2(tmp_path):
    fairaudit("compare", *ARTIE[1:], "--by", "gender", "-o", tmp_path)
    fairaudit("init", "-o", tmp_path / "policy.toml")
    file = tmp_path / "compare.json"
    for text, said in (
        (file.read_text().replace('"seed": 1', '"seed": 2'), "edited after it was written"),
        ("[" * 100_000, "nested too deeply"),
    ):
        file.write_text(text)
        run = fairaudit("gate", file, "--policy", tmp_path / "policy.toml")
        assert run.returncode == 2
        assert said in run.stderr


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real logs: set FAIRAUDIT_REAL_DATA")
def test_edacc_from_its_texts_is_edacc_from_its_counts():
    """References keep their tags here, so that rates differ a little; the change hardly does."""
    columns = {
        "utterance_id": "utt_id",
        "speaker_id": "speaker",
        "reference": "ref_raw",
        "hypothesis": "hyp_raw",
    }
    logs = [
        read_log(
            REAL / "edacc" / f"{model}.jsonl.gz",
            columns=columns,
            where={"accent": ["Vietnamese"]},
            normalizer="whisper-en",
        )
        for model in ("whisper-large-v3-turbo", "parakeet-tdt-0.6b-v3")
    ]
    result = compare(*logs, by=["accent"], min_speakers_shown=1)
    assert result.pairing.different_reference == result.pairing.baseline_only == 0
    assert result.overall.change.relative == pytest.approx(-0.22, abs=0.03)
    assert result.overall.change.relative_high < -0.1
