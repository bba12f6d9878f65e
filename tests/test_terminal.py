"""The terminal as a user meets it: stages, quiet and verbose, help, completion, and Ctrl-C."""

import io
import json
import os
import re
import resource
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest

from fairaudit import cli
from fairaudit.chance import null
from fairaudit.cli.completion import columns_of
from fairaudit.cli.help import SECTIONS
from fairaudit.cli.options import whole_folder
from fairaudit.cli.progress import ERASE, LastLine, of_audit
from fairaudit.cli.stages import PRESSED, Stage, Stages
from fairaudit.counts import SpeakerCounts
from fairaudit.procedure import Figures

COMMAND = Path(sys.executable).with_name("fairaudit")
COMMANDS = sorted(cli.cli.commands)
needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals here")


def environment(**more):
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    return {**known, "SOURCE_DATE_EPOCH": "0", "TERM": "xterm-256color", **more}


def fairaudit(*arguments, **more):
    """Run the installed command, with standard error that is no terminal."""
    command = [COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment(**more), check=False)


def on_terminal(*arguments, columns=80, interrupt_at=None, **more):
    """Run the installed command with standard error on a pseudo-terminal.

    Returns
    -------
    code : int
    out, err : str
        What came on standard output, which is a pipe, and what the terminal got.
    """
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, np.array([24, columns, 0, 0], dtype="H").tobytes())
    run = subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(**more),
        # Tests may run in the background, where interrupts are ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(theirs)
    got, deadline = b"", time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([ours], [], [], 0.1)[0]:
            continue
        try:
            read = os.read(ours, 65536)
        except OSError:
            break
        if not read:
            break
        got += read
        if interrupt_at is not None and interrupt_at in got.decode():
            run.send_signal(signal.SIGINT)
            interrupt_at = None
    else:
        run.kill()
        run.wait()
        run.stdout.close()
        os.close(ours)
        pytest.fail(f"it hangs: {got!r}")
    os.close(ours)
    out = run.stdout.read().decode()
    run.stdout.close()
    return run.wait(), out, got.decode().replace("\r\n", "\n")


def drawn(text):
    """Return every line that a terminal showed, for however short a time."""
    return [part for part in re.split(rf"{re.escape(ERASE)}|\n", text) if part]


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    rng = np.random.default_rng(3)
    speakers = 400
    rows = {
        "utterance_id": [f"u{i:04}" for i in range(speakers)],
        "speaker_id": [f"s{i:04}" for i in range(speakers)],
        "ref_words": 100,
        "errors": rng.poisson(12, speakers),
        "device": np.where(np.arange(speakers) % 2, "phone", "headset"),
        "latitude": rng.uniform(30, 45, speakers),
        "longitude": rng.uniform(-100, -80, speakers),
    }
    file = tmp_path_factory.mktemp("log") / "log.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    return file


@needs_pty
@pytest.mark.parametrize("columns", [40, 80])
def test_an_audit_shows_its_stages_on_a_terminal_and_prints_the_same_as_elsewhere(log, tmp_path, columns):
    arguments = ("audit", log, "--by", "geo", "--by", "device", "--permutations", 19, "--splits", 1, "-o")
    code, out, err = on_terminal(*arguments, tmp_path / "a", columns=columns)
    assert code == 0, err
    elsewhere = fairaudit(*arguments, tmp_path / "b")
    assert (out, elsewhere.stderr) == (elsewhere.stdout, "")
    over = [line.strip() for line in drawn(err) if re.match(r" *[0-9.:]+ s  ", line)]
    names = [line.partition("  ")[2] for line in over]
    stages = [
        "reading the log",
        "counting words and errors by speaker",
        "by geo: search, 19 permutations",
        "by geo: measuring cohorts",
        "by device: 19 permutations",
        "by device: measuring cohorts",
        "writing the report and the results into",
        "in all",
    ]
    assert len(names) == len(stages)
    for name, stage in zip(names, stages, strict=True):
        shown = name.removesuffix("...")
        assert shown[: len(stage)] == stage[: len(shown)]
    assert max(map(len, drawn(err))) < columns
    # The line of the stage that ran is gone at the end.
    assert err.rpartition(ERASE)[2] == "" or err.endswith("in all\n")


@needs_pty
def test_a_terminal_without_movable_cursor_gets_plain_lines(log):
    code, _, err = on_terminal("check", log, "--by", "device", TERM="dumb")
    assert code == 0
    assert "\x1b" not in err
    assert "\r" not in err
    assert [line.split("  ")[-1] for line in err.splitlines()] == [
        "reading the log",
        "finding out what an audit could place and detect",
        "in all",
    ]


@needs_pty
def test_no_colour_is_used_and_the_cursor_is_never_hidden(log):
    for more in ({}, {"NO_COLOR": "1"}):
        _, _, err = on_terminal("check", log, "--by", "device", **more)
        assert set(re.findall(r"\x1b\[[^A-Za-z]*[A-Za-z]", err)) == {"\x1b[2K"}


@needs_pty
def test_ctrl_c_leaves_a_clean_line_and_no_folder(log, tmp_path):
    arguments = ("audit", log, "--by", "geo", "--permutations", 99_999, "-o", tmp_path / "a")
    code, out, err = on_terminal(*arguments, interrupt_at="99,999 permutations")
    assert (code, out) == (130, "")
    assert drawn(err)[-1] == "interrupted"
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(("width", "bar"), [(40, False), (60, False), (80, True)])
def test_time_left_is_shown_at_any_width(width, bar):
    stage = Stage("by geo: search, 199 permutations", 200, 0.0)
    stage.advance(25, 5.0)
    stage.advance(50, 10.0)
    shown = stage.line(10.0, width)
    assert shown.endswith("  25 %, 0:30 left")
    assert len(shown) < width
    assert ("━" in shown) == bar
    assert shown.startswith("   0:10  by geo: ")


def test_time_left_only_runs_down_between_two_advances_and_never_below_nothing():
    stage = Stage("by voice", 5, 0.0)
    stage.advance(1, 0.0)
    stage.advance(2, 10.0)
    left = [stage.line(now, 80).rpartition(", ")[2] for now in (10.0, 15.0, 25.0, 39.0, 45.0)]
    assert left == ["0:30 left", "0:25 left", "0:15 left", "0:01 left", "0:00 left"]
    stage.advance(3, 46.0)
    assert stage.line(46.0, 80).endswith("  60 %, 0:46 left")


def test_time_left_does_not_count_what_is_done_once_before_the_first_report():
    stage = Stage("by voice", 100, 0.0)
    stage.advance(5, 60.0)
    assert stage.line(60.0, 80).endswith("  5 %")
    stage.advance(10, 61.0)
    assert stage.line(61.0, 80).endswith("  10 %, 0:18 left")


def test_permutations_of_a_large_log_are_reported_in_small_steps():
    counts = SpeakerCounts.of(range(20_000), ref_words=[1] * 20_000, errors=[0] * 20_000)
    steps = []

    def nothing(errors, words):
        none = np.full(len(errors), np.nan)
        return Figures(none, none, none, none, none[:, None])

    null(nothing, counts, 40, (1,), steps.append)
    assert steps == [10] * 4


@needs_pty
def test_quiet_shows_no_stages_and_no_notes_but_errors(log, tmp_path):
    arguments = ("convert", log, "-o", tmp_path / "l.parquet")
    assert on_terminal(*arguments, "--quiet") == (0, "", "")
    assert fairaudit(*arguments, "-q").stderr == ""
    assert fairaudit(*arguments).stderr.startswith(str(tmp_path / "l.parquet"))
    refused = fairaudit("convert", "none.csv", "-q", "-o", tmp_path / "l.parquet")
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (2, "error: no such file: none.csv")


def test_verbose_says_what_is_read_what_holds_and_how_long_it_took(log, tmp_path):
    (tmp_path / "audit.toml").write_text("bottom_share = 0.2\n")
    arguments = ("--by", "device", "--permutations", 19, "--config", tmp_path / "audit.toml")
    run = fairaudit("audit", log, "-o", tmp_path / "a", *arguments, "--verbose")
    assert run.returncode == 0, run.stderr
    assert run.stdout == fairaudit("audit", log, "-o", tmp_path / "b", *arguments).stdout
    for line in (
        "option --permutations: 19",
        "option --bottom-share: 0.2",
        "option --seed: 1",
        "read log log.csv: csv, 400 rows, sha256 ",
        "log: 400 of 400 rows kept",
        "processes that score text: at most ",
    ):
        assert line in run.stderr
    assert re.search(r"^ +[0-9.]+ s  by device: 19 permutations$", run.stderr, flags=re.M)


@needs_pty
def test_what_is_said_in_detail_stands_above_the_stage_that_runs(log):
    _, _, err = on_terminal("check", log, "--by", "device", "-v", columns=100)
    assert any(line.startswith("read log log.csv") for line in drawn(err))


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_is_quiet_and_verbose_at_once(command, capsys):
    needed = [p for p in cli.cli.commands[command].params if p.required]
    given = [
        word
        for p in needed
        for word in ((p.opts[0], "x") if isinstance(p, click.Option) else ("x", "x")[: abs(p.nargs)])
    ]
    assert cli.main([command, *given, "-q", "-v"]) == 2
    assert "a command cannot be both quiet and verbose" in capsys.readouterr().err


def test_reporting_progress_costs_next_to_nothing():
    stream = io.StringIO()
    with click.Context(click.Command("x")), LastLine(stream).shown() as shown:
        shown.begin("by geo: permutations", 100_000)
        began = time.process_time()
        for done in range(100_000):
            shown.advance(done)
        spent = time.process_time() - began
    assert spent < 0.5
    assert stream.getvalue().count(ERASE) < 20


def test_a_stage_is_worded_by_what_is_searched():
    said = []
    shown = Stages(said.append)
    tell = of_audit(shown, {"geo"}, saved=False)
    calls = (("count", 0, 1), ("count", 1, 1), ("geo", 0, 9), ("geo", 9, 9), ("geo, injected gaps", 40, 80))
    for call in calls:
        tell(*call)
    tell("device", 0, 0)
    shown.close()
    assert [line.partition(" s  ")[2] for line in said] == [
        "counting words and errors by speaker",
        "by geo: search, 9 permutations",
        "by geo: measuring cohorts",
        "by geo: injecting gaps",
        "by device",
        "in all",
    ]


def test_an_interrupt_that_a_callback_swallowed_stops_the_next_stage():
    shown = Stages(print)
    PRESSED.set()
    try:
        with pytest.raises(KeyboardInterrupt):
            shown.begin("by geo")
        with pytest.raises(KeyboardInterrupt):
            shown.advance(1)
    finally:
        PRESSED.clear()


def test_an_interrupt_that_an_engine_reports_as_its_own_error_is_one(monkeypatch, capsys):
    def broken():
        PRESSED.set()
        raise RuntimeError("query interrupted")

    monkeypatch.setattr("fairaudit.discover.listing.describe_installed", broken)
    assert cli.main(["discoverers"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_a_folder_that_is_not_complete_is_taken_back_unless_it_was_there(tmp_path):
    (tmp_path / "old").mkdir()
    for name in ("old", "new"):
        folder = tmp_path / name

        def write(folder=folder):
            folder.mkdir(exist_ok=True)
            (folder / "report.md").write_text("half")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), whole_folder(str(folder)):
            write()
    assert [file.name for file in tmp_path.iterdir()] == ["old"]


def test_folders_above_one_that_is_not_complete_go_too_unless_something_else_is_in_them(tmp_path):
    (tmp_path / "old").mkdir()
    for folder in ("old/a/b", "new/a/b", "shared/a/b"):

        def write(folder=folder):
            (tmp_path / folder).mkdir(parents=True)
            if folder.startswith("shared"):
                (tmp_path / "shared" / "of another").write_text("")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt), whole_folder(str(tmp_path / folder)):
            write()
    left = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*"))
    assert left == ["old", "shared", "shared/of another"]


def test_help_takes_little_time():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    fairaudit("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.35


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_fits_a_terminal_and_has_examples(command, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main([*filter(None, [command]), "--help"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "..." not in shown.replace("LOG...", "").replace("COLUMN,...", "").replace("[ARGS]...", "")
    assert f"\n  fairaudit {command}".rstrip() in shown.partition("Examples:")[2]
    if command:
        for heading in ("Options:", "Arguments:"):
            assert heading not in shown
        assert "-q, --quiet" in shown


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_under_a_heading(command):
    grouped = {name for names in SECTIONS.values() for name in names}
    options = [p.name for p in cli.cli.commands[command].params if isinstance(p, click.Option)]
    assert set(options) <= grouped


def examples():
    for command in (cli.cli, *cli.cli.commands.values()):
        text = "\n".join(command.examples).replace("\\\n", "")
        # What is said beside an example stands far from it.
        yield from (re.split(r" {4,}[a-z]", line)[0] for line in text.splitlines())


@pytest.mark.parametrize("line", sorted(set(examples())))
def test_examples_are_commands_that_exist(line):
    program, name, *arguments = shlex.split(line)
    assert program == "fairaudit"
    command = cli.cli.commands[name]
    parsed = command.make_context(name, arguments)
    assert not parsed.args


#: In a real shell: what is typed, and a word of what the shell makes of it.
BASH = """
eval "$(_FAIRAUDIT_COMPLETE=bash_source fairaudit)"
try() {
    COMP_WORDS=("$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    $(complete -p fairaudit | sed 's/.*-F \\([^ ]*\\) .*/\\1/') fairaudit
    echo "${COMPREPLY[*]}"
}
try fairaudit au
try fairaudit audit LOG --by ''
try fairaudit audit --format k
try fairaudit report audit --format ''
try fairaudit audit --correction ''
try fairaudit audit --perm
"""


def in_shell(*command):
    path = os.pathsep.join((str(COMMAND.parent), os.environ["PATH"]))
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(PATH=path), check=True
    ).stdout.splitlines()


def test_bash_completes_commands_options_and_their_values(log):
    if not shutil.which("bash"):
        pytest.skip("no bash here")
    from fairaudit.report import FORMS

    shown = in_shell("bash", "--norc", "-c", BASH.replace("LOG", shlex.quote(str(log))))
    assert shown == [
        "audit",
        "geo slices voice zip device",
        "kaldi",
        " ".join(FORMS),
        "holm bh",
        "--permutations",
    ]


def test_fish_completes_commands_and_values(log):
    if not shutil.which("fish"):
        pytest.skip("no fish here")
    script = (
        "_FAIRAUDIT_COMPLETE=fish_source fairaudit | source; complete -C 'fairaudit au'; "
        f"complete -C 'fairaudit audit {log} --by d'"
    )
    shown = in_shell("fish", "--no-config", "-c", script)
    assert [line.partition("\t")[0] for line in shown] == ["audit", "device"]


@needs_pty
def test_zsh_completes_a_command_when_tab_is_pressed():
    if not shutil.which("zsh"):
        pytest.skip("no zsh here")
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    path = os.pathsep.join((str(COMMAND.parent), os.environ["PATH"]))
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment(PATH=path)
    )
    os.close(theirs)
    got = b""

    def until(text):
        nonlocal got
        deadline = time.monotonic() + 30
        while text not in got and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                got += os.read(ours, 9999)
        assert text in got, got

    try:
        os.write(ours, b"autoload -Uz compinit && compinit -u -D\n")
        os.write(ours, b'eval "$(_FAIRAUDIT_COMPLETE=zsh_source fairaudit)"; echo read""y\n')
        until(b"\nready")
        got = b""
        os.write(ours, b"fairaudit conv\t")
        until(b"convert")
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)


def test_columns_are_read_from_the_beginning_of_a_file(tmp_path):
    frame = pd.DataFrame({"a": ["x"], "b": [1]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_json(tmp_path / "t.jsonl", lines=True, orient="records")
    (tmp_path / "odd.jsonl").write_text("no json\n")
    for ending in ("csv", "tsv", "parquet", "jsonl"):
        assert columns_of(tmp_path / f"t.{ending}") == ["a", "b"]
    assert columns_of(tmp_path / "odd.jsonl") == columns_of(tmp_path / "none.csv") == []


def test_a_verdict_is_rendered_again(log, tmp_path, capsys):
    audit, policy, verdict = (str(tmp_path / name) for name in ("a", "policy.toml", "verdict.json"))
    arguments = ["--by", "device", "--permutations", "19", "-q"]
    assert cli.main(["audit", str(log), "-o", audit, *arguments]) == 0
    Path(policy).write_text('[[rule]]\nname = "r"\npartition = "device"\nmeasure = "wer"\nmax = 0.5\n')
    capsys.readouterr()
    code = cli.main(["gate", audit, "--policy", policy, "-o", verdict])
    printed = capsys.readouterr().out
    assert json.loads(Path(verdict).read_text())["kind"] == "verdict"
    assert (cli.main(["report", verdict]), capsys.readouterr().out) == (0, printed), code
    assert cli.main(["report", verdict, "--format", "md"]) == 0
    assert capsys.readouterr().out.startswith("#")
