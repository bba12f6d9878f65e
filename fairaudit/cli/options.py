"""What commands share: the options of those that read a log, progress, and where output goes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from fairaudit.exceptions import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fairaudit.auditing import Progress
    from fairaudit.log import Coverage, UtteranceLog

P = ParamSpec("P")
R = TypeVar("R")

#: Options that say which files a log is in, and what its columns are, in the order of `--help`.
FILE_OPTIONS = (
    click.option("--references", metavar="FILE", multiple=True, help="Reference texts, by utterance."),
    click.option(
        "--metadata", metavar="FILE", multiple=True, help="Speakers and labels, by utterance or speaker."
    ),
    click.option("--format", "form", metavar="NAME", help="Of LOG (see: fairaudit formats)."),
    click.option("--references-format", metavar="NAME", help="Of the references."),
    click.option("--metadata-format", metavar="NAME", help="Of the metadata."),
    click.option("--column", "column", metavar="CANONICAL=ACTUAL", multiple=True, help="Name a column."),
    click.option(
        "--speaker-from-id", metavar="REGEX", help="Its group is the speaker in an utterance id: '^([^-]+)-'."
    ),
    click.option("--where", metavar="COLUMN=VALUE", multiple=True, help="Keep rows with any of the values."),
    click.option(
        "--missing", metavar="COLUMN=TEXT", multiple=True, help="A text that means a missing value."
    ),
)
#: Options of every command that reads and checks a log.
LOG_OPTIONS = (
    *FILE_OPTIONS,
    click.option("--embeddings", metavar="FILE", help="Speaker vectors, by speaker or utterance."),
    click.option(
        "--embeddings-path", metavar="OLD=NEW", multiple=True, help="Beginning of the paths that it names."
    ),
    click.option(
        "--max-excluded",
        type=float,
        default=0.01,
        show_default=True,
        metavar="FRACTION",
        help="Most rows that may be left out.",
    ),
    click.option(
        "--missing-hypothesis",
        metavar="delete|exclude",
        help="How an utterance without a hypothesis counts. [default: refused]",
    ),
    click.option("--normalizer", metavar="none|basic|whisper-en", help="Of text, before it is scored."),
    click.option("--metric", metavar="NAME", help="The ratio; text is scored by WER or CER. [default: WER]"),
    click.option(
        "--assume-independent-utterances",
        is_flag=True,
        help="Take each utterance for a speaker of its own: intervals come out too short.",
    ),
)


def file_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add the options of every command that opens the files of a log."""
    for option in reversed(FILE_OPTIONS):
        command = option(command)
    return command


def log_options(command: Callable[P, R]) -> Callable[P, R]:
    """Add the options of every command that reads a log."""
    for option in reversed(LOG_OPTIONS):
        command = option(command)
    return command


def open_log(paths: Iterable[str], given: dict[str, Any]) -> UtteranceLog:
    """Read the log with the options of `LOG_OPTIONS`, which are taken out of `given`."""
    from fairaudit.config import parse_single
    from fairaudit.readers import read_log

    log = read_log(
        list(paths),
        **files_of(given),
        embeddings=given.pop("embeddings"),
        embeddings_path=parse_single("--embeddings-path", given.pop("embeddings_path")),
        max_excluded=given.pop("max_excluded"),
        missing_hypothesis=given.pop("missing_hypothesis"),
        normalizer=given.pop("normalizer"),
        normalizer_sensitivity=given.pop("normalizer_sensitivity", False),
        metric=given.pop("metric"),
        assume_independent_utterances=given.pop("assume_independent_utterances"),
    )
    tell_coverage(log.coverage)
    return log


def files_of(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that `FILE_OPTIONS` stand for, which are taken out of `given`."""
    from fairaudit.config import parse_pairs, parse_single

    return {
        "references": given.pop("references") or None,
        "metadata": given.pop("metadata") or None,
        "format": given.pop("form"),
        "references_format": given.pop("references_format"),
        "metadata_format": given.pop("metadata_format"),
        "columns": parse_single("--column", given.pop("column")),
        "speaker_from_id": given.pop("speaker_from_id"),
        "where": parse_pairs("--where", given.pop("where")),
        "missing": parse_pairs("--missing", given.pop("missing")),
    }


def tell_coverage(coverage: Iterable[Coverage]) -> None:
    """Say on standard error how the files that were joined fit the log."""
    for fits in coverage:
        for line in fits.lines():
            click.echo(line, err=True)


@contextmanager
def progress_bars() -> Iterator[Progress | None]:
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


def width() -> int:
    """Return the columns of the terminal; 120 where there is none, as in a file."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 120
    import shutil

    return shutil.get_terminal_size((120, 24)).columns


def write_text(file: str, text: str, option: str = "-o") -> None:
    """Write a text to a file that the user named."""
    try:
        Path(file).write_bytes(text.encode())
    except OSError as error:
        raise OptionError(f"cannot write: {error.strerror}", where=f"{option} {file}") from None


def echo(text: str) -> None:
    """Print a text, with one end of line."""
    click.echo(text, nl=not text.endswith("\n"))
