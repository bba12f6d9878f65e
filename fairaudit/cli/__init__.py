"""The command line: parse, call, write, exit code. Nothing is decided here."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from fairaudit.cli.audits import assign, audit, discoverers, report, simulate
from fairaudit.cli.gates import FAILED, INCONCLUSIVE, gate, init
from fairaudit.cli.help import Program
from fairaudit.cli.logs import check, convert, formats, score
from fairaudit.cli.releases import compare
from fairaudit.cli.stages import PRESSED
from fairaudit.exceptions import InputError

DONE, BAD_INPUT, INTERNAL, INTERRUPTED = 0, 2, 4, 130
#: What main may return; 1 and 3 are those of `gate` alone.
EXIT_CODES = (DONE, FAILED, BAD_INPUT, INCONCLUSIVE, INTERNAL, INTERRUPTED)


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"]},
    purposes={
        "Audit": (audit, assign, report),
        "Compare and gate": (compare, gate, init),
        "Logs": (check, score, convert, simulate),
        "What is installed": (discoverers, formats),
    },
    examples=(
        "fairaudit check log.csv                            what a log could show",
        "fairaudit audit log.parquet -o audit               the main job",
        "fairaudit audit log.csv -o audit --by geo --by accent --column speaker_id=spk",
        "fairaudit audit log.jsonl -o audit --normalizer whisper-en",
        "fairaudit compare old.csv new.csv --partitions audit/partitions.json -o out",
        "fairaudit gate out --policy policy.toml",
    ),
)
@click.version_option(package_name="fairaudit-asr", prog_name="fairaudit")
def cli() -> None:
    """Find the groups of speakers that a speech recogniser serves worst.

    COMMAND --help explains a command, with examples.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; no traceback reaches a user.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0 done or passed, 1 a gate failed, 2 bad usage, policy or data, 3 a gate is inconclusive, 4 an error
        of ours, 130 interrupted.
    """
    with _noting_interrupts():
        try:
            code = cli.main(arguments, prog_name="fairaudit", standalone_mode=False)
            return code if isinstance(code, int) else DONE
        except (KeyboardInterrupt, click.Abort):
            return _interrupted()
        except Exception as error:
            # Engines turn an interrupt into an error of their own.
            return _interrupted() if PRESSED.is_set() else _failed(error)


@contextmanager
def _noting_interrupts() -> Iterator[None]:
    """Note that Ctrl-C was pressed, and raise it as ever."""
    PRESSED.clear()

    def note(number: int, frame: Any) -> None:
        PRESSED.set()
        raise KeyboardInterrupt

    # Not where interrupts are ignored, as in the background, nor where somebody else heeds them.
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupted() -> int:
    click.echo("interrupted", err=True)
    return INTERRUPTED


def _failed(error: Exception) -> int:
    """Say what went wrong, and return the exit code for it."""
    if isinstance(error, click.ClickException):
        error.show()
        return BAD_INPUT
    if isinstance(error, InputError):
        click.echo(f"error: {error}", err=True)
        return BAD_INPUT
    if not isinstance(error, OSError):
        return _internal(error)
    # Standard output goes nowhere, so that closing it does not fail once more.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        # The reader of standard output, such as `head`, has what it wanted.
        return DONE
    click.echo(f"error: {error.strerror or error}\n  where:   {error.filename or 'output'}", err=True)
    return BAD_INPUT


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
