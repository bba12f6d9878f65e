"""The command line as a user meets it: what is printed, what is written, and the exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from fairaudit import cli
from fairaudit.simulation import simulate
from fairaudit.world import BoxPlant, VoicePlant, World, ZipPlant

COMMAND = Path(sys.executable).with_name("fairaudit")
WORLD = World(
    speakers=400,
    utterances=5.0,
    boxes=(BoxPlant(24.0, 37.0, -107.0, -66.0, 1.6),),
    zip_codes=(ZipPlant("pct_hispanic", 0.5, 0.3),),
    voices=(VoicePlant(0.2, 0.8),),
)


def fairaudit(*arguments, cwd=None, **environment):
    """Run the installed command."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0", "COLUMNS": "120", **environment}
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    simulate(WORLD, seed=5).write(folder / "log.parquet", folder / "truth.json")
    return folder / "log.parquet"


@pytest.fixture(scope="module")
def audited(log, tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    run = fairaudit("audit", log, "-o", folder, "--permutations", 39, "--model", "m1")
    assert run.returncode == 0, run.stderr
    return folder, run


#: What the audit of a log with places writes beside its result.
FILES = {"report.html", "report.md", "cohorts.csv", "cohorts.geojson", "partitions.json"}


def test_an_audit_prints_the_sentence_and_the_table_and_writes_its_files(audited):
    folder, run = audited
    names = {file.name for file in folder.iterdir()}
    assert names == {*FILES, "audit.json"}
    assert run.stdout.lstrip().startswith("By ")
    assert "chance" in run.stdout
    for heading in ("WER gap", "Bottom-cohort"):
        assert heading in run.stdout
    assert run.stderr == ""


def test_the_result_keeps_its_schema(audited):
    schema = json.loads((Path(__file__).parent.parent / "docs/schemas/audit.schema.json").read_text())
    result = json.loads((audited[0] / "audit.json").read_text())
    jsonschema.validate(result, schema)
    assert result["subject"] == {"model": "m1", "dataset": None}
    assert [p["name"] for p in result["partitions"]] == ["geo", "zip", "voice", "gender", "device"]
    assert set(result["files"]) == FILES


def test_no_file_of_an_audit_holds_a_speaker_an_utterance_or_a_coordinate(audited, log):
    rows = pq.read_table(log, columns=["speaker_id", "utterance_id", "latitude"]).to_pylist()
    secrets = {str(value) for row in rows[:300] for value in row.values()}
    for file in audited[0].iterdir():
        text = file.read_text()
        assert not [secret for secret in secrets if f'"{secret}"' in text or f",{secret}," in text]


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_equal_seed_gives_equal_bytes_whatever_the_order_of_rows_and_the_threads(log, tmp_path):
    shuffled = tmp_path / "log.parquet"
    table = pd.read_parquet(log).sample(frac=1, random_state=3)
    table.to_parquet(shuffled, index=False, row_group_size=500)
    options = ("--permutations", 19, "--by", "geo", "--by", "zip", "--by", "voice", "--by", "device")
    runs = {"one": (log, "1", 1), "two": (shuffled, "2", 1), "seed": (log, "1", 2)}
    for name, (file, threads, seed) in runs.items():
        run = fairaudit(
            "audit", file, "-o", tmp_path / name, "--seed", seed, *options, OMP_NUM_THREADS=threads
        )
        assert run.returncode == 0, run.stderr
    one, two, seed = (contents(tmp_path / name) for name in runs)
    # The digest of the file itself is all that may differ: the same rows in another order are another file.
    digests = [json.loads(files["audit.json"])["inputs"][0]["sha256"] for files in (one, two)]
    assert digests[0] != digests[1]
    assert one["cohorts.csv"] == two["cohorts.csv"] != seed["cohorts.csv"]
    results = [json.loads(files["audit.json"]) for files in (one, two)]
    for result in results:
        result.pop("inputs")
        result.pop("files")
        # The seal is of all of the result, the digest of the file included.
        result.pop("digest")
        for partition in result["partitions"]:
            assert partition["discovered_on"].pop("files")
    saved = [json.loads(files["partitions.json"])["partitions"] for files in (one, two, seed)]
    rules = [[(p["rule"], p["cohorts"], p["bottom"], p["top"]) for p in of] for of in saved]
    assert rules[0] == rules[1] != rules[2]
    assert results[0] == results[1]
    again = fairaudit("audit", log, "-o", tmp_path / "again", "--seed", 1, *options)
    assert again.returncode == 0
    assert contents(tmp_path / "again") == one


def test_a_saved_result_is_rendered_again(audited, tmp_path):
    folder, run = audited
    assert fairaudit("report", folder / "audit.json").stdout == run.stdout
    assert fairaudit("report", folder, "--format", "html").stdout == (folder / "report.html").read_text()
    written = fairaudit("report", folder, "--format", "csv", "-o", tmp_path / "c.csv")
    assert (written.returncode, written.stdout) == (0, "")
    assert (tmp_path / "c.csv").read_bytes() == (folder / "cohorts.csv").read_bytes()


def test_a_file_of_another_audit_is_refused(audited, tmp_path):
    for file in audited[0].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with (tmp_path / "cohorts.csv").open("a") as file:
        file.write("\n")
    refused = fairaudit("report", tmp_path)
    assert refused.returncode == 2
    assert "cohorts.csv was not written by this audit" in refused.stderr


def test_assign_gives_every_utterance_its_cohort_and_no_speaker_unless_asked(audited, log, tmp_path):
    folder, _ = audited
    run = fairaudit("assign", folder / "partitions.json", log, "-o", tmp_path / "a.parquet")
    assert run.returncode == 0, run.stderr
    rows = pd.read_parquet(tmp_path / "a.parquet")
    assert list(rows.columns) == ["utterance_id", "geo", "zip", "voice", "gender", "device"]
    source = pd.read_parquet(log).set_index("utterance_id")
    assert sorted(rows["utterance_id"]) == sorted(source.index)
    own = source.loc[rows["utterance_id"]]
    assert (rows["device"].to_numpy() == own["device"].to_numpy()).all()
    assert rows["gender"].isna().sum() == own["gender"].isna().sum() > 0
    # What is assigned is what was measured: the words of each cohort on the speakers that were tabled.
    result = json.loads((folder / "audit.json").read_text())
    device = next(p for p in result["partitions"] if p["name"] == "device")
    words = own.groupby(rows["device"].to_numpy())["ref_words"].sum()
    assert {c["cohort"]: c["ref_words"] for c in device["cohorts"]} == words.to_dict()

    asked = fairaudit("assign", folder / "partitions.json", log, "-o", tmp_path / "s.csv", "--per", "speaker")
    assert asked.returncode == 0, asked.stderr
    speakers = pd.read_csv(tmp_path / "s.csv", dtype=str)
    assert next(iter(speakers.columns)) == "speaker_id"
    assert speakers["speaker_id"].nunique() == source["speaker_id"].nunique()
    assert speakers.groupby("speaker_id")["geo"].nunique().max() == 1


def test_saved_partitions_are_measured_on_another_log_by_all_of_its_speakers(audited, log, tmp_path):
    others = simulate(WORLD, seed=6).log
    # Simulated speakers are numbered alike in every world, and these are to be other people.
    ids = pc.binary_join_element_wise("next", others["speaker_id"], "-")
    others = others.set_column(others.column_names.index("speaker_id"), "speaker_id", ids)
    pq.write_table(others, tmp_path / "next.parquet")
    saved = audited[0] / "partitions.json"
    for file, exploratory in ((tmp_path / "next.parquet", False), (log, True)):
        run = fairaudit("audit", file, "-o", tmp_path / "o", "--partitions", saved, "--permutations", 19)
        assert run.returncode == 0, run.stderr
        result = json.loads((tmp_path / "o/audit.json").read_text())
        geo = next(p for p in result["partitions"] if p["name"] == "geo")
        assert (geo["origin"], geo["exploratory"]) == ("saved", exploratory)
        shares = geo["overall"]["speakers"] / result["log"]["speakers"]
        assert (shares == 1.0) != exploratory


def test_part_of_the_log_in_which_partitions_were_found_is_no_other_log(audited, log, tmp_path):
    saved = audited[0] / "partitions.json"
    run = fairaudit(
        "audit",
        log,
        "-o",
        tmp_path / "o",
        "--partitions",
        saved,
        "--permutations",
        0,
        "--where",
        "device=phone",
    )
    assert run.returncode == 0, run.stderr
    result = json.loads((tmp_path / "o/audit.json").read_text())
    assert all(p["exploratory"] for p in result["partitions"])
    assert result["options"]["where"] == {"device": ["phone"]}
    assert result["log"]["rows"] == pq.read_metadata(log).num_rows > result["log"]["utterances"]


def test_partitions_whose_columns_the_next_log_lacks_are_skipped_and_listed(audited, log, tmp_path):
    table = pq.read_table(log).drop_columns(["embedding", "zip_code"])
    pq.write_table(table.slice(0, 900), tmp_path / "next.parquet")
    saved = audited[0] / "partitions.json"
    run = fairaudit("audit", tmp_path / "next.parquet", "-o", tmp_path / "o", "--partitions", saved)
    assert run.returncode == 0, run.stderr
    result = json.loads((tmp_path / "o/audit.json").read_text())
    assert set(result["skipped"]) == {"zip", "voice"}
    assert any(
        "it is not known whether any of the speakers" in warning for warning in result["log"]["warnings"]
    )


def test_help_shows_its_examples_a_line_each():
    lines = [line.strip() for line in fairaudit("--help").stdout.splitlines()]
    assert "fairaudit audit log.jsonl -o audit --normalizer whisper-en" in lines


def test_options_of_the_command_line_come_before_those_of_the_file(log, tmp_path):
    config = tmp_path / "audit.toml"
    config.write_text(
        'by = ["geo"]\npermutations = 9\nseed = 4\n[set.geo]\nmin_speakers = 40\nmax_regions = 9\n'
    )
    run = fairaudit(
        "audit", log, "-o", tmp_path / "o", "--config", config, "--seed", 3, "--set", "geo.max_regions=2"
    )
    assert run.returncode == 0, run.stderr
    result = json.loads((tmp_path / "o/audit.json").read_text())
    assert (result["seed"], result["options"]["permutations"]) == (3, 9)
    parameters = result["partitions"][0]["discoverer"]["parameters"]
    assert (parameters["min_speakers"], parameters["max_regions"]) == (40, 2)


def test_discoverers_are_listed_with_their_parameters():
    shown = fairaudit("discoverers").stdout
    for text in ("geo:", "--set geo.max_regions=126", "reads: zip_code", "--set voice.k=K"):
        assert text in shown


def test_simulate_writes_a_log_and_its_truth(tmp_path):
    run = fairaudit(
        "simulate", "-o", tmp_path / "l.parquet", "--truth", tmp_path / "t.json", "--speakers", 200,
        "--box", "24,37,-107,-66,1.5", "--zip", "pct_black>0.5=0.3", "--voice", "0.2=0.5",
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    truth = json.loads((tmp_path / "t.json").read_text())
    assert [p["kind"] for p in truth["planted"]] == ["box", "zip", "voice"]
    assert len(truth["speakers"]) == pd.read_parquet(tmp_path / "l.parquet")["speaker_id"].nunique()


BAD_USAGE = [
    (["audit"], "Missing argument 'LOG...'"),
    (["audit", "LOG"], "Missing option '-o'"),
    (["audit", "LOG", "-o", "o", "--splits", "x"], "'x' is not a valid integer"),
    (["audit", "LOG", "-o", "o", "--splits", "0"], "allowed: 1 to 256"),
    (["audit", "LOG", "-o", "o", "--bottom-share", "0.9"], "bottom_share is 0.9"),
    (["audit", "LOG", "-o", "o", "--confidence", "95"], "allowed: 0.5 to below 1"),
    (["audit", "LOG", "-o", "o", "--by", "acent"], "nothing to partition by is called 'acent'"),
    (["audit", "LOG", "-o", "o", "--by", "gendre"], "did you mean 'gender'?"),
    (["audit", "LOG", "-o", "o", "--by", "geo", "--set", "geo.max_region=9"], "did you mean 'max_regions'?"),
    (["audit", "LOG", "-o", "o", "--by", "geo", "--set", "gio.max_regions=9"], "did you mean 'geo'?"),
    (["audit", "LOG", "-o", "o", "--by", "geo", "--set", "geo.max_regions"], "NAME.PARAMETER=VALUE"),
    (["audit", "LOG", "-o", "o", "--by", "geo", "--set", "geo.max_regions=many"], "geo"),
    (["audit", "LOG", "-o", "o", "--by", "geo", "--set", "zip.min_speakers=9"], "does not run"),
    (["audit", "LOG", "-o", "o", "--where", "gender"], "cannot read 'gender'"),
    (["audit", "LOG", "-o", "o", "--where", "gender=mle"], "did you mean 'male'?"),
    (["audit", "LOG", "-o", "o", "--by", "device", "--zip-table", "t.csv"], "is read by nothing"),
    (["audit", "semicolons.csv", "-o", "o"], "its fields seem to be divided by ';'"),
    (["audit", "LOG", "-o", "o", "--partitions", "result.json"], "these are not saved partitions"),
    (["audit", "LOG", "-o", "o", "--column", "speaker=speaker_id"], "'speaker' is not a canonical column"),
    (["audit", "LOG", "-o", "o", "--column", "speaker_id=spk"], "the log has no column 'spk'"),
    (["audit", "LOG", "-o", "o", "--reference-cohort", "gender"], "COLUMN=VALUE"),
    (["audit", "LOG", "-o", "o", "--by", "gender", "--reference-cohort", "gender=x"], "no row has gender=x"),
    (["audit", "LOG", "-o", "o", "--partitions", "none.json"], "cannot read saved partitions"),
    (["audit", "LOG", "-o", "o", "--config", "none.toml"], "cannot read the configuration"),
    (["audit", "LOG", "-o", "o", "--embeddings", "none.npz"], "a file of embeddings was given too"),
    (["audit", "LOG", "-o", "o", "--normalizer", "whisper-en"], "no reference"),
    (["audit", "LOG", "-o", "o", "--zip-table", "none.csv"], "none.csv"),
    (["audit", "LOG", "-o", "o", "--assume-independent-utterances"], "the log has speaker_id"),
    (["audit", "none.csv", "-o", "o"], "no such file: none.csv"),
    (["audit", "LOG", "-o", "file/o", "--by", "device", "--permutations", "0"], "cannot write the audit"),
    (["report", "none.json"], "cannot read the result"),
    (["report", "text"], "not valid JSON"),
    (["assign", "none.json", "LOG", "-o", "a.csv"], "cannot read saved partitions"),
    (["simulate", "-o", "l", "--truth", "t", "--box", "1,2"], "S,N,W,E,FACTOR"),
    (["simulate", "-o", "l", "--truth", "t", "--speakers", "1"], "speakers is 1"),
    (["audti"], "No such command 'audti'"),
    (["audit", "LOG", "-o", "o", "--permutation", "9"], "--permutations"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_USAGE, ids=lambda x: x if isinstance(x, str) else "")
def test_bad_usage_is_one_clear_message_and_exit_code_2(
    arguments, message, log, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "text").write_text("no json")
    (tmp_path / "semicolons.csv").write_text("speaker_id;ref_words;errors\na;1;0\n")
    (tmp_path / "result.json").write_text('{"partitions": [], "signature": "s", "schema_version": 1}')
    code = cli.main([str(log) if a == "LOG" else a for a in arguments])
    shown = capsys.readouterr()
    assert code == 2
    assert message in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_exit_codes_of_the_installed_command(tmp_path):
    assert fairaudit("--help").returncode == 0
    assert fairaudit("--version").stdout.startswith("fairaudit, version ")
    bad = fairaudit("audit", tmp_path / "none.csv", "-o", tmp_path)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith("error: no such file")


def test_a_fault_of_our_own_is_exit_code_4_without_a_traceback(monkeypatch, capsys):
    def broken():
        raise ZeroDivisionError("by design")

    monkeypatch.setattr("fairaudit.discover.listing.describe_installed", broken)
    assert cli.main(["discoverers"]) == 4
    shown = capsys.readouterr().err
    assert "ZeroDivisionError: by design" in shown
    assert "Traceback" not in shown
    monkeypatch.setenv("FAIRAUDIT_TRACEBACK", "1")
    assert cli.main(["discoverers"]) == 4
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_exit_code_130(monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("fairaudit.discover.listing.describe_installed", interrupted)
    assert cli.main(["discoverers"]) == 130


def test_a_reader_that_stops_early_is_no_error():
    command = f'"{COMMAND}" discoverers | head -n 1; exit ${{PIPESTATUS[0]}}'
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
