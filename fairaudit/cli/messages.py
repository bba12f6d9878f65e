"""What a command says on standard error beside its results, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from fairaudit.exceptions import OptionError

QUIET, NORMAL, VERBOSE = "quiet", "normal", "verbose"
#: Where the context of a command keeps what prints above the stage that runs.
PRINTER = "fairaudit.printer"


def says() -> str:
    """Return how much the running command says: QUIET, NORMAL or VERBOSE."""
    context = click.get_current_context(silent=True)
    meta = context.meta if context else {}
    if meta.get(QUIET) and meta.get(VERBOSE):
        raise OptionError(
            "a command cannot be both quiet and verbose",
            where="--quiet, --verbose",
            fix="leave one of them out",
        )
    return QUIET if meta.get(QUIET) else VERBOSE if meta.get(VERBOSE) else NORMAL


def note(text: str) -> None:
    """Say something on standard error, unless it should be quiet."""
    if says() != QUIET:
        _say(text)


def detail(text: str) -> None:
    """Say something on standard error, where that is wanted in detail."""
    if says() == VERBOSE:
        _say(text)


def _say(text: str) -> None:
    context = click.get_current_context(silent=True)
    printer = context.meta.get(PRINTER) if context else None
    (printer or echo)(text)


def tell_options(options: Mapping[str, Any]) -> None:
    """Say in detail which options are in effect; those that are empty have none."""
    for name, value in options.items():
        if value is not None and value is not False and value not in ((), {}, ""):
            detail(f"option {name}: {_plain(value)}")


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_plain(of)}" for name, of in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def echo(text: str) -> None:
    """Print a line on standard error."""
    click.echo(text, err=True)
