"""The command line: parse, call, write, exit code. Nothing is decided here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from fairaudit.exceptions import InputError, OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairaudit.auditing import Progress
    from fairaudit.log import UtteranceLog

P = ParamSpec("P")
R = TypeVar("R")

DONE, BAD_INPUT, INTERNAL, INTERRUPTED = 0, 2, 4, 130

#: Options of every command that reads a log, in the order of `--help`.
LOG_OPTIONS = (
    click.option("--column", "column", metavar="CANONICAL=ACTUAL", multiple=True, help="Name a column."),
    click.option("--where", metavar="COLUMN=VALUE", multiple=True, help="Keep rows with any of the values."),
    click.option(
        "--missing", metavar="COLUMN=TEXT", multiple=True, help="A text that means a missing value."
    ),
    click.option(
        "--max-excluded",
        type=float,
        default=0.01,
        show_default=True,
        metavar="FRACTION",
        help="Most rows that may be left out.",
    ),
    click.option("--embeddings", metavar="FILE", help="Speaker vectors by speaker or utterance."),
    click.option("--normalizer", metavar="none|basic|whisper-en", help="Of text, before it is scored."),
    click.option("--metric", default="WER", show_default=True, help="Name of the ratio that is reported."),
    click.option(
        "--assume-independent-utterances",
        is_flag=True,
        help="Take each utterance for a speaker of its own: intervals come out too short.",
    ),
)


def log_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add the options of every command that reads a log."""
    for option in reversed(LOG_OPTIONS):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fairaudit-asr", prog_name="fairaudit")
def cli() -> None:
    """Find the groups of speakers that a speech recogniser serves worst.

    \b
    fairaudit audit log.parquet -o audit        the main job
    fairaudit audit log.csv -o audit --by geo --by accent --column speaker_id=spk
    fairaudit audit log.jsonl -o audit --normalizer whisper-en
    """  # noqa: D301 (click reads the backspace itself)


@cli.command()
@click.argument("log", nargs=-1, required=True)
@click.option("-o", "--output", metavar="DIR", required=True, help="Where the report and the results go.")
@click.option(
    "--by",
    metavar="geo|zip|voice|COLUMN",
    multiple=True,
    help="What to partition by (repeat). By default all that the log allows.",
)
@click.option("--partitions", metavar="FILE", help="Measure the partitions of an earlier audit.")
@click.option("--reference-cohort", metavar="COLUMN=VALUE", help="Compare with this cohort, not the best.")
@click.option(
    "--bottom-share", type=float, metavar="FRACTION", help="Most speakers in the bottom. [default: 0.1]"
)
@click.option("--splits", type=int, metavar="N", help="Random halvings of the speakers. [default: 11 or 1]")
@click.option("--permutations", type=int, metavar="R", help="For the chance gap. [default: 199]")
@click.option("--confidence", type=float, metavar="LEVEL", help="Of intervals. [default: 0.95]")
@click.option(
    "--min-speakers-shown", type=int, metavar="N", help="Suppress figures of fewer speakers. [default: 11]"
)
@click.option(
    "--set",
    "settings",
    metavar="NAME.PARAMETER=VALUE",
    multiple=True,
    help="Set a parameter of a discoverer (see: fairaudit discoverers).",
)
@click.option("--zip-table", metavar="FILE", help="Attributes by ZIP code, in place of the census table.")
@click.option("--seed", type=int, help="Equal seed, equal bytes. [default: 1]")
@click.option("--config", metavar="FILE", help="Options in TOML; those on the command line come first.")
@click.option("--model", metavar="NAME", help="What was audited, for the record.")
@click.option("--dataset", metavar="NAME", help="On which data, for the record.")
@log_options
def audit(log: tuple[str, ...], output: str, config: str | None, **given: Any) -> None:
    """Find the worst-served cohorts of a LOG and measure their gap on held-out speakers.

    LOG is Parquet, CSV, TSV or JSON lines (also .gz and .zst), a row for each utterance: speaker_id,
    ref_words and errors (or substitutions, deletions, insertions; or reference and hypothesis), and
    what to partition by. Several files are one log.
    """
    from fairaudit.auditing import audit as run
    from fairaudit.config import parse_settings, read_options
    from fairaudit.discover import configure
    from fairaudit.outputs import write_audit
    from fairaudit.report import render

    read = _read_log(log, given)
    options = read_options(config) if config else {}
    for name, parameters in options.get("parameters", {}).items():
        # Here, where the file is known: what is wrong in it is told with its name.
        configure(name, parameters, where=f"{config}, set.")
    settings = parse_settings(given.pop("settings"))
    partitions = given.pop("partitions")
    options |= {name: value for name, value in given.items() if value not in (None, ())}
    configured = options.pop("parameters", {})
    names = [*configured, *(name for name in settings if name not in configured)]
    parameters = {name: {**configured.get(name, {}), **settings.get(name, {})} for name in names}
    with _progress() as progress:
        result = run(read, partitions=partitions, parameters=parameters, progress=progress, **options)
    result = write_audit(result, output)
    _echo(render(result, "text", width=_width()))


@cli.command()
@click.argument("result")
@click.option(
    "--format", "form", default="text", show_default=True, metavar="text|md|html|csv", help="What to render."
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; by default to standard output.")
def report(result: str, form: str, output: str | None) -> None:
    """Render a saved RESULT (audit.json, or its folder) again."""
    from fairaudit.outputs import read_audit
    from fairaudit.report import render

    text = render(read_audit(result), form, width=_width())
    if output is None:
        _echo(text)
    else:
        _write(output, text)


@cli.command()
@click.argument("partitions")
@click.argument("log", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE", required=True, help="A .parquet or .csv file.")
@click.option(
    "--per",
    type=click.Choice(["utterance", "speaker"]),
    default="utterance",
    show_default=True,
    help="What has a row; a speaker in several cohorts of a partition has several.",
)
@click.option("--keep", metavar="COLUMN", multiple=True, help="Carry a column of the log along.")
@click.option("--zip-table", metavar="FILE", help="The table that the ZIP partition was found with.")
@log_options
def assign(
    partitions: str, log: tuple[str, ...], output: str, per: Any, keep: tuple[str, ...], **given: Any
) -> None:
    """Give every utterance of a LOG its cohort by saved PARTITIONS (partitions.json of an audit)."""
    from fairaudit.assignment import assign as run
    from fairaudit.assignment import write_assignment
    from fairaudit.saved import read_partitions

    zip_table = given.pop("zip_table")
    saved = read_partitions(partitions)
    rows = run(_read_log(log, given), saved, per=per, keep=keep, zip_table=zip_table)
    write_assignment(rows, Path(output))
    click.echo(f"{output}: {len(rows):,} rows, cohorts by {', '.join(s.name for s in saved)}", err=True)


@cli.command()
def discoverers() -> None:
    """List what can find a partition, with its parameters."""
    from fairaudit.discover import describe_installed

    _echo(describe_installed())


@cli.command()
@click.option("-o", "--output", metavar="LOG", required=True, help="The log: a .parquet file.")
@click.option("--truth", metavar="FILE", required=True, help="Each speaker's true rate, as JSON.")
@click.option("--null", is_flag=True, help="No gap at all: every speaker has the same expected rate.")
@click.option("--speakers", type=int, metavar="N", help="[default: 20000]")
@click.option("--utterances", type=float, metavar="MEAN", help="For each speaker. [default: 3]")
@click.option("--box", metavar="S,N,W,E,FACTOR", multiple=True, help="A region, and how much worse.")
@click.option("--zip", "zips", metavar="ATTRIBUTE>T=GAP", multiple=True, help="ZIP codes above T; gap.")
@click.option("--voice", "voices", metavar="SHARE=GAP", multiple=True, help="Speakers who sound alike.")
@click.option("--seed", type=int, default=1, show_default=True)
def simulate(output: str, truth: str, null: bool, seed: int, **given: Any) -> None:
    """Write a log with planted gaps on real US geography, and the truth about it.

    By default regions that differ, ZIP codes with an Asian majority whose gap is 41.7 %, and one voice in
    ten with a gap of 65.0 %. --box, --zip and --voice plant what they say instead.
    """
    from fairaudit.simulation import simulate as run
    from fairaudit.world import parse_world

    world = parse_world(null=null, **given)
    simulation = run(world, seed)
    simulation.write(output, truth)
    for warning in simulation.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{output}, and the truth in {truth}", err=True)


def _read_log(paths: Iterable[str], given: dict[str, Any]) -> UtteranceLog:
    """Read the log with the options of `LOG_OPTIONS`, which are taken out of `given`."""
    from fairaudit.config import parse_columns, parse_pairs
    from fairaudit.readers import read_log

    return read_log(
        list(paths),
        columns=parse_columns(given.pop("column")),
        where=parse_pairs("--where", given.pop("where")),
        missing=parse_pairs("--missing", given.pop("missing")),
        max_excluded=given.pop("max_excluded"),
        embeddings=given.pop("embeddings"),
        normalizer=given.pop("normalizer"),
        metric=given.pop("metric"),
        assume_independent_utterances=given.pop("assume_independent_utterances"),
    )


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Show stages on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        with nullcontext():
            yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total or 1)
            bars.update(tasks[stage], completed=done if total else 1)

        yield tell


def _width() -> int:
    """Return the columns of the terminal; 120 where there is none, as in a file."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 120
    import shutil

    return shutil.get_terminal_size((120, 24)).columns


def _write(file: str, text: str) -> None:
    try:
        Path(file).write_bytes(text.encode())
    except OSError as error:
        raise OptionError(f"cannot write: {error.strerror}", where=f"-o {file}") from None


def _echo(text: str) -> None:
    click.echo(text, nl=not text.endswith("\n"))


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; no traceback reaches a user.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0 done, 2 bad usage or bad data, 4 an error of ours, 130 interrupted.
    """
    try:
        code = cli.main(arguments, prog_name="fairaudit", standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except InputError as error:
        click.echo(f"error: {error}", err=True)
        return BAD_INPUT
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except OSError as error:
        # Standard output goes nowhere, so that closing it does not fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            # The reader of standard output, such as `head`, has what it wanted.
            return DONE
        click.echo(f"error: {error.strerror or error}\n  where:   {error.filename or 'output'}", err=True)
        return BAD_INPUT
    except Exception as error:
        return _internal(error)


def _internal(error: Exception) -> int:
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    click.echo(
        f"error: fairaudit failed: {type(error).__name__}: {error}\n  where:   {place}\n"
        "  fix:     this is a fault of fairaudit's; set FAIRAUDIT_TRACEBACK=1 for the whole trace",
        err=True,
    )
    if os.environ.get("FAIRAUDIT_TRACEBACK"):
        traceback.print_exception(error)
    return INTERNAL


def run() -> None:
    """Run as the command `fairaudit`."""
    sys.exit(main())
