"""What commands share: the options of those that read a log, and where output goes."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from fairaudit.cli.completion import Argument, Option
from fairaudit.cli.help import Command
from fairaudit.cli.messages import detail, note
from fairaudit.exceptions import OptionError

if TYPE_CHECKING:
    from fairaudit.log import Coverage, UtteranceLog

P = ParamSpec("P")
R = TypeVar("R")

command = partial(click.command, cls=Command)
option = partial(click.option, cls=Option)
argument = partial(click.argument, cls=Argument)

#: Options that say which files a log is in, and what its columns are, in the order of `--help`.
FILE_OPTIONS = (
    option("--references", metavar="FILE", multiple=True, help="Reference texts, by utterance."),
    option("--metadata", metavar="FILE", multiple=True, help="Speakers and labels, by utterance or speaker."),
    option(
        "--format",
        "form",
        metavar="NAME",
        help="Format of LOG (see: fairaudit formats). [default: recognised]",
    ),
    option("--references-format", metavar="NAME", help="Format of the references."),
    option("--metadata-format", metavar="NAME", help="Format of the metadata."),
    option(
        "--column",
        "column",
        metavar="CANONICAL=ACTUAL",
        multiple=True,
        help="What a column is called in LOG, as in speaker_id=spk.",
    ),
    option(
        "--speaker-from-id", metavar="REGEX", help="Its group is the speaker in an utterance id: '^([^-]+)-'."
    ),
    option("--where", metavar="COLUMN=VALUE", multiple=True, help="Keep rows with any of the values."),
    option("--missing", metavar="COLUMN=TEXT", multiple=True, help="A text that means a missing value."),
)
#: Options of every command that reads and checks a log.
LOG_OPTIONS = (
    *FILE_OPTIONS,
    option("--embeddings", metavar="FILE", help="Speaker vectors, by speaker or utterance."),
    option(
        "--embeddings-path",
        metavar="OLD=NEW",
        multiple=True,
        help="What the beginning of the paths in that file has become.",
    ),
    option(
        "--max-excluded",
        type=float,
        default=0.01,
        show_default=True,
        metavar="FRACTION",
        help="Most rows that may be left out.",
    ),
    option(
        "--missing-hypothesis",
        metavar="delete|exclude",
        help="How an utterance without a hypothesis counts. [default: refused]",
    ),
    option("--normalizer", metavar="none|basic|whisper-en", help="Of text, before it is scored."),
    option("--metric", metavar="NAME", help="The ratio; text is scored by WER or CER. [default: WER]"),
    option(
        "--assume-independent-utterances",
        is_flag=True,
        help="Take each utterance for a speaker of its own: intervals come out too short.",
    ),
)


def file_options(function: Callable[P, R]) -> Callable[P, R]:
    """Add the options of every command that opens the files of a log."""
    for add in reversed(FILE_OPTIONS):
        function = add(function)
    return function


def log_options(function: Callable[P, R]) -> Callable[P, R]:
    """Add the options of every command that reads a log."""
    for add in reversed(LOG_OPTIONS):
        function = add(function)
    return function


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
    tell_log(log)
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
            note(line)


def tell_log(log: UtteranceLog) -> None:
    """Say in detail what was read."""
    for source in log.inputs:
        rows = "" if source.rows is None else f"{source.rows:,} rows, "
        of = "" if source.format is None else f"{source.format}, "
        detail(f"read {source.role} {source.name}: {of}{rows}sha256 {source.sha256[:12]}")
    out = [f"{n:,} left out for {reason}" for reason, n in log.excluded.items() if n]
    kept = log.rows - sum(log.excluded.values())
    detail(f"log: {', '.join([f'{kept:,} of {log.rows:,} rows kept', *out])}")
    detail(f"columns: {', '.join(sorted(log.columns))}; labels: {', '.join(log.labels) or 'none'}")
    if log.scoring is not None:
        detail(f"scored with the normaliser {log.scoring.normalizer} {log.scoring.version}")


def tell_machine() -> None:
    """Say in detail what of this machine is used."""
    from fairaudit.scoring.parallel import VARIABLE, worker_count

    detail(f"processes that score text: at most {worker_count()} (environment variable {VARIABLE})")
    threads = os.environ.get("OMP_NUM_THREADS")
    detail(f"processors: {os.cpu_count()}; threads of numeric libraries: {threads or 'as they choose'}")


@contextmanager
def whole_folder(folder: str) -> Iterator[None]:
    """Leave no new folder behind where what is written into it is not complete."""
    path = Path(folder)
    made = [each for each in (path, *path.parents) if not each.exists()]
    try:
        yield
    except BaseException:
        if path in made:
            shutil.rmtree(path, ignore_errors=True)
        for parent in made[1:]:
            # Unless something else has been put there since.
            with suppress(OSError):
                parent.rmdir()
        raise


def width() -> int:
    """Return the columns of the terminal; 120 where there is none, as in a file."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 120
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
