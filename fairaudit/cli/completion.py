"""What a shell offers while a command is typed: files, folders and the values that an option takes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem


class Option(click.Option):
    """An option whose values a shell completes: by its name, or by what its metavar says of them."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """Return what the value could be."""
        return completed(ctx, self, incomplete) or super().shell_complete(ctx, incomplete)


class Argument(click.Argument):
    """An argument, which is always a file or a folder."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """Return what the value could be."""
        return [CompletionItem(incomplete, type="file")]


def completed(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[Any]]:
    """Return what the value of an option could be."""
    metavar = param.metavar or ""
    if metavar in ("DIR", "FILE", "LOG"):
        return [CompletionItem(incomplete, type="dir" if metavar == "DIR" else "file")]
    if param.name in VALUES:
        known: Iterable[str] = VALUES[param.name](ctx)
    else:
        # Words in small letters stand for themselves, as in holm|bh.
        known = [word for word in metavar.split("|") if "|" in metavar and word.islower()]
    return [CompletionItem(value) for value in known if value.startswith(incomplete)]


def _partitions(ctx: click.Context) -> list[str]:
    """Return discoverers and the label columns of the log, if that is typed already."""
    found = [] if ctx.info_name == "compare" else sorted(_names("fairaudit.discoverers"))
    return [*found, *_labels(ctx)]


def _labels(ctx: click.Context) -> list[str]:
    from fairaudit.log import CANONICAL

    # An option whose value is missing yet leaves the arguments before it unassigned.
    paths = ctx.params.get("log") or ctx.args
    return [name for name in (columns_of(Path(paths[0])) if paths else ()) if name not in CANONICAL]


def _formats(ctx: click.Context) -> list[str]:
    from fairaudit.readers.formats import PLAIN

    return sorted((*PLAIN, *_names("fairaudit.readers")))


def _forms(ctx: click.Context) -> Iterable[str]:
    from fairaudit.report import FORMS

    return FORMS


def _names(group: str) -> set[str]:
    """Name the plug-ins of a group without loading them."""
    return {point.name for point in entry_points(group=group)}


#: What an option can be, by its name in the code.
VALUES: dict[str | None, Callable[[click.Context], Iterable[str]]] = {
    "by": _partitions,
    "adjust": lambda ctx: [*_labels(ctx), "duration", "utterance_length"],
    "keep": _labels,
    "form": _formats,
    "references_format": _formats,
    "metadata_format": _formats,
    "rendered_as": _forms,
}


def columns_of(path: Path) -> list[str]:
    """Return the columns of a table, as far as its beginning shows them; none where it is anything else.

    Parameters
    ----------
    path : Path
        A .parquet, .csv, .tsv or .jsonl file.
    """
    # A shell that completes says nothing of what is wrong with a file; the command will.
    with suppress(OSError, ValueError, csv.Error):
        if path.suffix == ".parquet":
            from pyarrow.parquet import read_schema

            return list(read_schema(path).names)
        if path.suffix in (".csv", ".tsv", ".jsonl"):
            with path.open(encoding="utf-8", newline="") as file:
                first = file.readline(100_000)
            if path.suffix == ".jsonl":
                row = json.loads(first)
                return list(row) if isinstance(row, dict) else []
            return next(csv.reader([first], delimiter="\t" if path.suffix == ".tsv" else ","), [])
    return []
