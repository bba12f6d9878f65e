"""The commands that are about a log itself: check it, score it, convert it, and what can be read."""

from __future__ import annotations

from typing import Any

import click

from fairaudit.cli.options import (
    echo,
    file_options,
    files_of,
    log_options,
    open_log,
    tell_coverage,
    width,
    write_text,
)


@click.command()
@click.argument("log", nargs=-1, required=True)
@click.option(
    "--by",
    metavar="geo|zip|voice|COLUMN",
    multiple=True,
    help="What would be partitioned by (repeat). By default all that the log allows.",
)
@click.option("--zip-table", metavar="FILE", help="Attributes by ZIP code, in place of the census table.")
@click.option(
    "--min-speakers-shown",
    type=int,
    default=11,
    show_default=True,
    metavar="N",
    help="An audit suppresses figures of fewer speakers.",
)
@click.option("--json", "file", metavar="FILE", help="Write the check as JSON too.")
@log_options
def check(
    log: tuple[str, ...],
    by: tuple[str, ...],
    zip_table: str | None,
    min_speakers_shown: int,
    file: str | None,
    **given: Any,
) -> None:
    """Say what a LOG holds and how small a gap it could show, before any audit.

    What was read and left out, how much each partition could place, and the smallest gap that would be
    seen. No error rate and no gap is worked out.
    """
    from fairaudit.checking import check as run

    read = open_log(log, given)
    found = run(read, by=by, zip_table=zip_table, min_speakers_shown=min_speakers_shown)
    if file is not None:
        write_text(file, found.to_json(), "--json")
    echo(found.to_text(width()))


@click.command()
@click.argument("log", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE", required=True, help="The counts: a .parquet file.")
@log_options
def score(log: tuple[str, ...], output: str, **given: Any) -> None:
    """Count the word errors of a LOG of texts, and write them without the texts.

    The result is a log that `audit` reads: ids, counts by kind of error, and every label.
    """
    from fairaudit.conversion import write_counts

    given["normalizer"] = given["normalizer"] or "none"
    told = write_counts(open_log(log, given), output)
    for warning in told.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(told.line(output), err=True)


@click.command()
@click.argument("log", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE", required=True, help="The log: a .parquet file.")
@file_options
def convert(log: tuple[str, ...], output: str, **given: Any) -> None:
    """Write a LOG of any format as one Parquet log with canonical columns.

    Every row is kept as it is, texts included; nothing is scored and nothing is left out.
    """
    from fairaudit.conversion import convert as run

    told = run(list(log), output, **files_of(given))
    tell_coverage(told.coverage)
    for warning in told.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(told.line(output), err=True)


@click.command()
def formats() -> None:
    """List the formats that a log can be in."""
    from fairaudit.readers.formats import describe_installed

    echo(describe_installed())
