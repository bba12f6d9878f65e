"""The gate as a CI system meets it: exit codes of the installed command, files, known releases."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import msgspec
import numpy as np
import pandas as pd
import pytest
from results import HIDDEN, audited, cohort, cohort_change, compared, partition, partition_change

from fairaudit.auditing import audit
from fairaudit.changes import ComparisonResult
from fairaudit.cli import BAD_INPUT, DONE, EXIT_CODES, FAILED, INCONCLUSIVE, INTERNAL, INTERRUPTED
from fairaudit.comparison import compare
from fairaudit.exceptions import ResultError
from fairaudit.gating import gate
from fairaudit.gating.policy import Policy, read_policy
from fairaudit.gating.rules import Rule
from fairaudit.outputs import read_result, write_comparison
from fairaudit.readers import read_log
from fairaudit.saved import partitions_json

COMMAND = Path(sys.executable).with_name("fairaudit")
DOCS = Path(__file__).parent.parent / "docs"
SCHEMAS = DOCS / "schemas"
RULES = '[[rule]]\nname = "every"\nmeasure = "wer"\npartition = "*"\nmax_relative_increase = 0.1\n'


def fairaudit(*arguments, cwd):
    """Run the installed command."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "SOURCE_DATE_EPOCH": "0", "COLUMNS": "120"},
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    """Results of which one passes, one fails, one tells nothing; and a policy."""
    changes = {"pass": 0.0, "fail": 0.5}
    for name, relative in changes.items():
        row = partition_change(cohorts=[cohort_change("a", relative)])
        (tmp_path / f"{name}.json").write_text(compared(row).to_json())
    hidden = partition_change(cohorts=[cohort_change("a", suppressed=True)])
    (tmp_path / "inconclusive.json").write_text(compared(hidden).to_json())
    (tmp_path / "audit.json").write_text(audited(partition(cohorts=[cohort("a")])).to_json())
    (tmp_path / "policy.toml").write_text(RULES)
    return tmp_path


# Exit codes.


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ("pass.json", DONE),
        ("fail.json", FAILED),
        ("inconclusive.json", INCONCLUSIVE),
        ("audit.json", INCONCLUSIVE),
    ],
)
def test_the_exit_code_is_the_verdict(folder, result, code):
    run = fairaudit("gate", result, "--policy", "policy.toml", cwd=folder)
    assert run.returncode == code
    assert run.stderr == ""
    word = {DONE: "PASS", FAILED: "FAIL", INCONCLUSIVE: "INCONCLUSIVE"}[code]
    assert run.stdout.splitlines()[-1].startswith(f"{word}: of 1 finding, ")
    assert "::" not in run.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gate", "pass.json"), "Missing option '--policy'"),
        (("gate", "pass.json", "--policy", "none.toml"), "cannot read the policy: No such file"),
        (("gate", "none.json", "--policy", "policy.toml"), "cannot read the result: No such file"),
        (("gate", "policy.toml", "--policy", "policy.toml"), "not valid JSON"),
        (("gate", "pass.json", "--policy", "typo.toml"), "did you mean 'max_relative_increase'?"),
        (
            ("gate", "pass.json", "--policy", "policy.toml", "--annotations", "gitlab"),
            "'gitlab' is not 'github'",
        ),
        (("gate", "pass.json", "--policy", "policy.toml", "-o", "no/v.json"), "cannot write: No such file"),
        (("gate", "pass.json", "--policy", "policy.toml", "--junit", "no/j.xml"), "--junit no/j.xml"),
        (("gate", "pass.json", "--policy", "policy.toml", "--summary", "no/s.md"), "--summary no/s.md"),
        (("gate", "newer.json", "--policy", "policy.toml"), "schema_version 99 is of a newer fairaudit"),
    ],
)
def test_bad_usage_bad_policy_and_bad_data_are_two(folder, arguments, words):
    (folder / "typo.toml").write_text(RULES.replace("max_relative_increase", "max_relativ_increase"))
    plain = json.loads((folder / "pass.json").read_text()) | {"schema_version": 99}
    (folder / "newer.json").write_text(json.dumps(plain))
    run = fairaudit(*arguments, cwd=folder)
    assert run.returncode == BAD_INPUT
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_a_fault_of_our_own_is_four(folder):
    code = (
        "import sys, fairaudit.cli, fairaudit.gating\n"
        "def broken(*arguments, **given): raise RuntimeError('out of order')\n"
        "fairaudit.gating.gate = broken\n"
        "sys.argv = ['fairaudit', 'gate', 'pass.json', '--policy', 'policy.toml']\n"
        "fairaudit.cli.run()\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False
    )
    assert run.returncode == INTERNAL
    assert "fairaudit failed: RuntimeError: out of order" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_interrupted_gate_is_a_hundred_and_thirty(folder):
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        pytest.skip("these tests were started in the background, where interrupts are ignored")
    os.mkfifo(folder / "slow.json")
    command = [COMMAND, "gate", "slow.json", "--policy", "policy.toml"]
    run = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # Opening waits until the command reads, and it reads until it is interrupted.
    with (folder / "slow.json").open("w"):
        run.send_signal(signal.SIGINT)
        stdout, stderr = run.communicate(timeout=30)
    assert run.returncode == INTERRUPTED
    assert (stdout, stderr.strip()) == ("", "interrupted")


def test_the_codes_are_those_of_the_contract():
    assert EXIT_CODES == (0, 1, 2, 3, 4, 130)


# Files.


def test_a_gate_writes_what_ci_systems_read(folder):
    (folder / "summary.md").write_text("# Of an earlier step\n\n")
    run = fairaudit(
        "gate", "fail.json", "--policy", "policy.toml", "-o", "verdict.json", "--junit", "junit.xml",
        "--summary", "summary.md", "--annotations", "github", cwd=folder,
    )  # fmt: skip
    assert run.returncode == FAILED
    verdict = json.loads((folder / "verdict.json").read_text())
    jsonschema.validate(verdict, json.loads((SCHEMAS / "verdict.schema.json").read_text()))
    assert (verdict["status"], verdict["findings"][0]["cohort"]) == ("fail", "a")
    assert verdict["policy"]["name"] == "policy.toml"
    suite = ElementTree.parse(folder / "junit.xml").getroot().find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    summary = (folder / "summary.md").read_text()
    assert summary.startswith("# Of an earlier step\n\n# Fairness gate\n")
    assert run.stdout.splitlines()[-1].startswith("::error title=fairness gate%3A fail::every, accent / a: ")
    again = fairaudit("gate", "fail.json", "--policy", "policy.toml", "-o", "again.json", cwd=folder)
    assert again.returncode == FAILED
    assert (folder / "again.json").read_bytes() == (folder / "verdict.json").read_bytes()


def test_a_gate_that_comes_to_no_verdict_leaves_none_of_an_earlier_one(folder):
    files = ("-o", "verdict.json", "--junit", "junit.xml", "--summary", "summary.md")
    fairaudit("gate", "pass.json", "--policy", "policy.toml", *files, cwd=folder)
    (folder / "typo.toml").write_text(RULES.replace("max_relative_increase", "max_relativ_increase"))
    run = fairaudit("gate", "fail.json", "--policy", "typo.toml", *files, cwd=folder)
    assert run.returncode == BAD_INPUT
    assert not (folder / "verdict.json").exists()
    assert not (folder / "junit.xml").exists()
    last = (folder / "summary.md").read_text().rpartition("# Fairness gate")[2]
    assert last.strip() == "**There is no verdict: unknown key 'max\\_relativ\\_increase'**"


def test_a_gate_removes_nothing_that_it_is_to_read(folder):
    for name in ("pass.json", "policy.toml"):
        before = (folder / name).read_bytes()
        run = fairaudit("gate", "pass.json", "--policy", "policy.toml", "-o", f"./{name}", cwd=folder)
        assert run.returncode == BAD_INPUT
        assert f"./{name} is read by this gate" in run.stderr
        assert (folder / name).read_bytes() == before


def test_what_is_no_result_is_named_for_what_it_is(folder):
    fairaudit("gate", "pass.json", "--policy", "policy.toml", "-o", "verdict.json", cwd=folder)
    (folder / "partitions.json").write_text(partitions_json(audited()))
    for name in ("2-against-1", "3-against-1", "3-against-2"):
        (folder / "trend" / name).mkdir(parents=True)
        (folder / "trend" / name / "compare.json").write_text((folder / "pass.json").read_text())
    for given, words in (
        ("verdict.json", "this is a verdict, not an audit result"),
        ("partitions.json", "this is a file of saved partitions, not an audit result"),
        ("trend", "the folder holds a trend, which is several comparisons"),
    ):
        run = fairaudit("gate", given, "--policy", "policy.toml", cwd=folder)
        assert run.returncode == BAD_INPUT
        assert words in run.stderr
    assert "2-against-1, 3-against-1, 3-against-2" in run.stderr
    assert fairaudit("gate", "trend/3-against-2", "--policy", "policy.toml", cwd=folder).returncode == DONE


def test_where_nothing_is_enforced_the_code_is_that_of_a_pass_and_the_sentence_is_not(folder):
    (folder / "inform.toml").write_text(RULES + 'mode = "inform"\n')
    run = fairaudit("gate", "fail.json", "--policy", "inform.toml", cwd=folder)
    assert run.returncode == DONE
    assert run.stdout.splitlines()[-1].startswith("Nothing is enforced: of 1 finding, ")


def test_init_writes_a_policy_that_a_gate_reads_and_overwrites_none(folder):
    first = fairaudit("init", "-o", "own.toml", cwd=folder)
    assert first.returncode == DONE
    assert "fairaudit gate RESULT --policy own.toml" in first.stderr
    assert len(read_policy(folder / "own.toml").rules) == 3
    run = fairaudit("gate", "audit.json", "--policy", "own.toml", cwd=folder)
    assert run.returncode == INCONCLUSIVE
    assert "there is no baseline" in run.stdout
    (folder / "own.toml").write_text("mine")
    second = fairaudit("init", "-o", "own.toml", cwd=folder)
    assert second.returncode == BAD_INPUT
    assert "own.toml is there already" in second.stderr
    assert (folder / "own.toml").read_text() == "mine"


def test_a_folder_is_read_for_the_result_in_it(tmp_path):
    with pytest.raises(ResultError, match="cannot read the result"):
        read_result(tmp_path)
    (tmp_path / "compare.json").write_text(compared().to_json())
    assert isinstance(read_result(tmp_path), ComparisonResult)
    (tmp_path / "audit.json").write_text(audited().to_json())
    with pytest.raises(ResultError, match=r"(?s)two results.*audit.json or compare.json"):
        read_result(tmp_path)


def test_a_result_beside_a_file_of_another_is_refused(tmp_path):
    result = msgspec.structs.replace(compared(), files={"report.md": "0" * 64})
    (tmp_path / "compare.json").write_text(result.to_json())
    (tmp_path / "report.md").write_text("another")
    with pytest.raises(ResultError, match=r"report.md was not written by this comparison"):
        read_result(tmp_path)


# Releases whose truth is known.


def releases(effects, *, speakers=700, seed=1):
    """Two logs of the same utterances: accent 0 is worst-served and 4 best; each changes by its effect."""
    rng = np.random.default_rng(seed)
    accent = rng.integers(0, 5, speakers)
    rate = 0.1 * rng.gamma(8, 1 / 8, speakers) * np.array([1.8, 1.2, 1.1, 1.0, 0.6])[accent]
    utterances, words = 4, 50
    n = speakers * utterances
    plain = {
        "utterance_id": [f"u{i:05}" for i in range(n)],
        "speaker_id": np.repeat([f"s{i:04}" for i in range(speakers)], utterances),
        "ref_words": words,
        "accent": np.repeat([f"accent {a}" for a in accent], utterances),
    }
    before, after = (np.repeat(r, utterances) for r in (rate, rate * np.array(effects)[accent]))
    frames = (pd.DataFrame({**plain, "errors": rng.poisson(words * r)}) for r in (before, after))
    return tuple(frames)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Partitions of last month's log, and the policy of the template."""
    folder = tmp_path_factory.mktemp("saved")
    last_month, _ = releases([1] * 5, seed=99)
    (folder / "partitions.json").write_text(
        partitions_json(audit(read_log(last_month), by=["accent"], permutations=0))
    )
    run = fairaudit("init", cwd=folder)
    assert run.returncode == DONE
    return folder


def verdict_of(saved, effects, **given):
    logs = [read_log(frame) for frame in releases(effects, **given)]
    result = compare(*logs, partitions=saved / "partitions.json")
    return result, gate(result, saved / "policy.toml")


def test_a_release_that_changes_nothing_does_not_fail(saved):
    for seed in range(4):
        _, verdict = verdict_of(saved, [1] * 5, seed=seed)
        assert verdict.status != "fail"


def test_a_better_average_does_not_excuse_a_cohort_that_is_harmed(saved):
    result, verdict = verdict_of(saved, [0.6, 0.6, 0.6, 1.5, 0.6])
    assert result.overall.change.relative_high < 0
    assert verdict.status == "fail"
    assert [(f.rule, f.cohort) for f in verdict.findings if f.status == "fail"] == [
        ("every cohort", "accent 3")
    ]


def test_a_gap_that_is_closed_by_harming_the_top_does_not_pass(saved):
    result, verdict = verdict_of(saved, [1.0, 1.0, 1.0, 1.0, 1.7])
    gap = next(f for f in verdict.findings if f.rule == "gap")
    assert gap.value < 0
    assert gap.status == "pass"
    assert result.partitions[0].top.cohorts == ("accent 4",)
    assert verdict.status == "fail"
    assert ("every cohort", "accent 4") in {
        (f.rule, f.cohort) for f in verdict.findings if f.status == "fail"
    }


def test_a_release_that_is_better_for_everybody_passes(saved):
    _, verdict = verdict_of(saved, [0.7] * 5, speakers=1500)
    assert verdict.status == "pass", [f.reason for f in verdict.findings]


def test_a_tiny_log_is_inconclusive(saved):
    for effects in ([1] * 5, [0.7] * 5):
        _, verdict = verdict_of(saved, effects, speakers=20)
        assert verdict.status == "inconclusive"
        assert all(f.settles for f in verdict.findings if f.blocks)
        assert any(f.reason.startswith(HIDDEN.split(":")[0]) for f in verdict.findings)


def test_from_two_logs_to_an_exit_code(saved, tmp_path):
    for name, frame in zip(("old", "new"), releases([0.6, 0.6, 0.6, 1.5, 0.6]), strict=True):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    partitions = saved / "partitions.json"
    run = fairaudit("compare", "old.csv", "new.csv", "--partitions", partitions, "-o", "out", cwd=tmp_path)
    assert run.returncode == DONE, run.stderr
    run = fairaudit("gate", "out", "--policy", saved / "policy.toml", cwd=tmp_path)
    assert run.returncode == FAILED
    assert run.stdout.splitlines()[2].split()[:3] == ["fail", "every", "cohort"]


def test_edacc_passes_one_way_fails_the_other_and_is_inconclusive_where_figures_are_withheld():
    data = Path(__file__).parent.parent / "data"
    accents = ["Jamaican English", "Irish English", "Vietnamese", "Spanish", "Indian English"]
    accents += ["Mainstream US English", "Nigerian English"]
    whisper, parakeet = (
        read_log(data / f"edacc_{name}.csv", where={"accent": accents})
        for name in ("whisper-large-v3-turbo", "parakeet-tdt-0.6b-v3")
    )
    cohorts = ("Vietnamese", "Nigerian English")
    rule = Rule(name="r", measure="wer", partition="accent", cohorts=cohorts, max_relative_increase=0.0)
    policy = Policy(rules=(rule,))
    forward = gate(compare(whisper, parakeet, by=["accent"], min_speakers_shown=1), policy)
    assert forward.status == "pass"
    (found,) = [f for f in forward.findings if f.cohort == "Vietnamese"]
    assert [round(x, 2) for x in (found.value, found.low, found.high)] == [-0.22, -0.28, -0.15]
    assert gate(compare(parakeet, whisper, by=["accent"], min_speakers_shown=1), policy).status == "fail"
    hidden = gate(compare(whisper, parakeet, by=["accent"]), policy)
    assert hidden.status == "inconclusive"
    assert all("suppressed: fewer than 11 speakers" in f.reason for f in hidden.findings)


def rule_of_all(**fields):
    return Rule(
        **{"name": "r", "measure": "wer", "partition": "accent", "max_relative_increase": 0.1} | fields
    )


def held(saved, before, after, rule, **given):
    """The verdict of one rule on the change between two frames, by the saved accents."""
    logs = [read_log(frame) for frame in (before, after)]
    result = compare(*logs, partitions=saved / "partitions.json", **given)
    return gate(result, Policy(rules=(rule,)))


def test_a_cohort_that_vanished_is_said_to_have_vanished(saved):
    frames = [frame[frame.accent != "accent 2"] for frame in releases([0.7] * 5)]
    verdict = held(saved, *frames, rule_of_all())
    found = {f.cohort: f for f in verdict.findings}
    assert found["accent 2"].status == "inconclusive"
    assert found["accent 2"].reason == "the cohort has vanished: nobody of this log is in it"
    assert {f.status for name, f in found.items() if name != "accent 2"} == {"pass"}


def test_a_label_that_the_saved_partition_does_not_know_is_not_harmed_unseen(saved):
    # What accent 1 was is called by a new name, and is served worse.
    before, after = (
        frame.assign(accent=frame.accent.replace("accent 1", "new"))
        for frame in releases([0.8, 1.8, 0.8, 0.8, 0.8])
    )
    verdict = held(saved, before, after, rule_of_all())
    assert [(f.cohort, f.status) for f in verdict.findings if f.status == "fail"] == [("unassigned", "fail")]
    # A few of them are too few to be shown, and still no pass.
    few = before.speaker_id[before.accent == "new"].unique()[:4]
    gone = [frame[(frame.accent != "new") | frame.speaker_id.isin(few)] for frame in (before, after)]
    found = {f.cohort: f for f in held(saved, *gone, rule_of_all()).findings}
    assert (found["unassigned"].status, found["unassigned"].suppressed) == ("inconclusive", True)


def test_a_candidate_that_leaves_out_what_it_got_wrong_does_not_pass(saved):
    before, after = releases([0.8, 0.8, 0.8, 1.5, 0.8])
    kept = after[(after.accent != "accent 3") | (after.errors <= 5)]
    verdict = held(saved, before, kept, rule_of_all(), allow_unequal=True)
    assert verdict.status == "inconclusive"
    lost = len(after) - len(kept)
    assert all(f.reason.startswith(f"{lost:,} of {len(before):,} utterances") for f in verdict.findings)
    assert verdict.basis.pairing["baseline_only"] == lost


def test_a_candidate_without_another_number_of_errors_is_asked_whether_it_is_one(saved):
    before, after = releases([1] * 5, speakers=300)
    same = before.assign(errors=before.errors, build="2")
    asked = "no utterance has another number of errors in the candidate: is it another release?"
    assert asked in held(saved, before, same, rule_of_all()).warnings
    assert asked not in held(saved, before, after, rule_of_all()).warnings


def test_a_filter_is_told_in_the_verdict(saved):
    frames = releases([0.7, 0.7, 0.7, 1.5, 0.7])
    accents = ["accent 0", "accent 4"]
    logs = [read_log(frame, where={"accent": accents}) for frame in frames]
    result = compare(*logs, by=["accent"])
    verdict = gate(result, Policy(rules=(rule_of_all(),)))
    assert verdict.status == "pass"
    assert "only a part of the log was gated: accent is accent 0 or accent 4" in verdict.warnings
    assert list(verdict.basis.where["accent"]) == accents


def test_a_saved_partition_that_an_audit_cannot_measure_is_no_pass(tmp_path):
    frame, _ = releases([1] * 5, speakers=300)
    frame = frame.assign(device=np.where(frame.index % 8 < 4, "phone", "desk"))
    both = audit(read_log(frame), by=["accent", "device"], permutations=0)
    (tmp_path / "partitions.json").write_text(partitions_json(both))
    without = read_log(frame.drop(columns="device"))
    result = audit(without, partitions=tmp_path / "partitions.json", permutations=0)
    verdict = gate(result, Policy(rules=(rule_of_all(partition="*", max_relative_increase=None, max=1.0),)))
    assert verdict.status == "inconclusive"
    assert {f.partition: f.status for f in verdict.findings if f.status != "pass"} == {
        "device": "inconclusive"
    }


def test_few_errors_do_not_pass_a_release_that_makes_half_as_many_again():
    rng = np.random.default_rng(0)
    n, found = 12, []
    for _ in range(20):
        shared = rng.poisson(0.18, n)
        plain = pd.DataFrame(
            {
                "utterance_id": [f"u{i}" for i in range(n)],
                "speaker_id": [f"s{i}" for i in range(n)],
                "accent": "x",
                "ref_words": 20,
            }
        )
        errors = [shared + rng.poisson(extra, n) for extra in (0.02, 0.12)]
        if (errors[0] == errors[1]).all():
            # A log is not compared with itself.
            errors[1][0] += 1
        logs = [read_log(plain.assign(errors=e)) for e in errors]
        result = compare(*logs, by=["accent"])
        found.append(gate(result, Policy(rules=(rule_of_all(),))).status)
    assert found.count("pass") == 0


def test_speakers_in_whom_errors_fall_to_the_same_fraction_are_as_few_as_any():
    words, errors = [100] * 4, np.array([9, 12, 6, 15])
    plain = {"utterance_id": list("abcd"), "speaker_id": list("abcd"), "accent": "x", "ref_words": words}
    logs = [read_log(pd.DataFrame({**plain, "errors": e})) for e in (errors, errors // 3)]
    result = compare(*logs, by=["accent"], min_speakers_shown=1)
    assert gate(result, Policy(rules=(rule_of_all(max_relative_increase=0.0),))).status == "inconclusive"


def test_artie_is_as_the_page_says(tmp_path):
    data = Path(__file__).parent.parent / "data"
    first, second, third = (
        read_log(data / f"artie_deepspeech-v{name}.csv") for name in ("0-5-1", "0-6-0", "0-7-3")
    )
    (text,) = [text for text in blocks("gate.md", "toml") if '"fourties"' in text]
    (tmp_path / "named.toml").write_text(text)
    named = read_policy(tmp_path / "named.toml")
    fairaudit("init", cwd=tmp_path)
    template = read_policy(tmp_path / "policy.toml")
    lenient = msgspec.structs.replace(
        template,
        rules=tuple(
            msgspec.structs.replace(r, suppressed="inform") if r.name == "every cohort" else r
            for r in template.rules
        ),
    )
    for pair, status, left in (((first, second), "pass", 5), ((second, third), "inconclusive", 9)):
        result = compare(*pair, by=["accent", "gender", "age"])
        assert gate(result, named).status == status
        whole, let_go = gate(result, template), gate(result, lenient)
        assert (whole.status, let_go.status) == ("inconclusive", "inconclusive")
        assert len(whole.findings) == 35
        assert sum(f.suppressed for f in whole.findings) == 15
        assert sum(f.blocks for f in let_go.findings) == left
    unsure = {f.cohort: f for f in gate(result, named).findings if f.blocks}
    assert set(unsure) == {"england", "fifties"}
    assert unsure["england"].settles == "about 5 more speakers in this cohort would make this a pass"
    back = gate(compare(third, first, by=["accent", "gender", "age"]), named)
    assert sorted((f.partition, f.status) for f in back.findings) == [
        *[("accent", "fail")] * 3,
        ("accent", "inconclusive"),
        *[("age", "fail")] * 2,
        *[("age", "inconclusive")] * 3,
        *[("gender", "fail")] * 2,
    ]


# The pages.


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text("utf-8"), flags=re.S)


def test_the_policies_of_the_docs_are_read(tmp_path):
    for text in blocks("gate.md", "toml"):
        (tmp_path / "policy.toml").write_text(text)
        assert read_policy(tmp_path / "policy.toml").rules


@pytest.fixture(scope="module")
def repository(saved, tmp_path_factory):
    """What the jobs of the docs find: logs, partitions and a policy."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "logs").mkdir()
    (folder / "fairness").mkdir()
    for name, frame in zip(("in-service", "candidate"), releases([0.6, 0.6, 0.6, 1.5, 0.6]), strict=True):
        frame.to_csv(folder / "logs" / f"{name}.csv", index=False)
    for name in ("partitions.json", "policy.toml"):
        (folder / "fairness" / name).write_bytes((saved / name).read_bytes())
    return folder


def steps(number):
    """The shell lines of a job of the docs, and what else it says."""
    yaml = pytest.importorskip("yaml", reason="the jobs are YAML")
    job = yaml.safe_load(blocks("ci.md", "yaml")[number])
    if number == 0:
        # "on" is a truth value in YAML 1.1.
        assert "pull_request" in job[True]
        return job, [step["run"] for step in job["jobs"]["gate"]["steps"] if "run" in step]
    return job, job["fairness"]["script"]


@pytest.mark.parametrize("number", [0, 1], ids=["github", "gitlab"])
def test_the_jobs_of_the_docs_stop_a_release_that_harms_a_cohort(repository, number):
    job, lines = steps(number)
    assert lines[0] == "pip install -r requirements.txt"
    path = f"{COMMAND.parent}:{os.environ['PATH']}"
    summary = repository / f"summary-{number}.md"
    codes = []
    for line in lines[1:]:
        run = subprocess.run(
            ["bash", "-e", "-c", line], cwd=repository, capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": path, "GITHUB_STEP_SUMMARY": str(summary)},
        )  # fmt: skip
        codes.append(run.returncode)
    assert codes == [DONE, FAILED], run.stderr
    for name in ("verdict.json", "junit.xml"):
        assert (repository / name).stat().st_size
    written = summary if number == 0 else repository / "summary.md"
    assert written.read_text().startswith("# Fairness gate\n\n**FAIL: ")
    assert ("::error title=" in run.stdout) is (number == 0)
    if number == 1:
        assert job["fairness"]["allow_failure"] == {"exit_codes": [INCONCLUSIVE]}
        assert job["fairness"]["artifacts"]["reports"]["junit"] == "junit.xml"


def test_the_test_of_the_docs_fails_a_release_that_harms_a_cohort(repository, monkeypatch):
    frames = [pd.read_csv(repository / "logs" / f"{name}.csv") for name in ("in-service", "candidate")]
    result = compare(*(read_log(f) for f in frames), partitions=repository / "fairness" / "partitions.json")
    write_comparison(result, repository / "compared")
    monkeypatch.chdir(repository)
    namespace = {}
    (code,) = blocks("ci.md", "python")
    exec(code, namespace)
    with pytest.raises(AssertionError, match="the gate is fail"):
        namespace["test_the_candidate_harms_no_cohort"]()
