"""The command line: parse, call, write, exit code. Nothing is decided here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from fairaudit.cli.audits import assign, audit, discoverers, report, simulate
from fairaudit.cli.gates import FAILED, INCONCLUSIVE, gate, init
from fairaudit.cli.logs import check, convert, formats, score
from fairaudit.cli.releases import compare
from fairaudit.exceptions import InputError

DONE, BAD_INPUT, INTERNAL, INTERRUPTED = 0, 2, 4, 130
#: What main may return; 1 and 3 are those of `gate` alone.
EXIT_CODES = (DONE, FAILED, BAD_INPUT, INCONCLUSIVE, INTERNAL, INTERRUPTED)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fairaudit-asr", prog_name="fairaudit")
def cli() -> None:
    """Find the groups of speakers that a speech recogniser serves worst.

    \b
    fairaudit audit log.parquet -o audit        the main job
    fairaudit audit log.csv -o audit --by geo --by accent --column speaker_id=spk
    fairaudit audit log.jsonl -o audit --normalizer whisper-en
    fairaudit compare old.csv new.csv --partitions audit/partitions.json -o compared
    """  # noqa: D301 (click reads the backspace itself)


for command in (
    audit,
    compare,
    report,
    assign,
    discoverers,
    simulate,
    check,
    score,
    convert,
    formats,
    gate,
    init,
):
    cli.add_command(command)


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
