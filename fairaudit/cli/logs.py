"""The commands that are about a log itself: check it, score it, convert it, and what can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairaudit.cli.messages import note
from fairaudit.cli.options import (
    argument,
    command,
    echo,
    file_options,
    files_of,
    log_options,
    open_log,
    option,
    tell_coverage,
    tell_machine,
    width,
    write_text,
)
from fairaudit.cli.progress import stages

if TYPE_CHECKING:
    from fairaudit.conversion import Written


@command(
    examples=(
        "fairaudit check log.csv",
        "fairaudit check log.csv --by accent --by gender --json check.json",
        "fairaudit check hyp.trn --references ref.trn --metadata utt2spk",
    )
)
@argument("log", nargs=-1, required=True)
@option(
    "--by",
    metavar="geo|zip|voice|COLUMN",
    multiple=True,
    help="What would be partitioned by (repeat). By default all that the log allows.",
)
@option("--zip-table", metavar="FILE", help="Attributes by ZIP code, in place of the census table.")
@option(
    "--min-speakers-shown",
    type=int,
    default=11,
    show_default=True,
    metavar="N",
    help="An audit suppresses figures of fewer speakers.",
)
@option("--json", "file", metavar="FILE", help="Write the check as JSON too.")
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

    with stages() as shown:
        shown.begin("reading the log")
        read = open_log(log, given)
        shown.begin("finding out what an audit could place and detect")
        found = run(read, by=by, zip_table=zip_table, min_speakers_shown=min_speakers_shown)
    if file is not None:
        write_text(file, found.to_json(), "--json")
    echo(found.to_text(width()))


@command(
    examples=(
        "fairaudit score log.jsonl -o counts.parquet --normalizer whisper-en",
        "fairaudit score hyp.trn --references ref.trn --metadata utt2spk \\",
        "    --normalizer basic -o counts.parquet",
        "fairaudit score log.jsonl -o cer.parquet --metric CER",
    )
)
@argument("log", nargs=-1, required=True)
@option("-o", "--output", metavar="FILE", required=True, help="The counts: a .parquet file.")
@log_options
def score(log: tuple[str, ...], output: str, **given: Any) -> None:
    """Count the word errors of a LOG of texts, and write them without the texts.

    The result is a log that `audit` reads: ids, counts by kind of error, and every label.
    """
    from fairaudit.conversion import write_counts

    given["normalizer"] = given["normalizer"] or "none"
    tell_machine()
    with stages() as shown:
        shown.begin("reading the log and scoring its texts")
        read = open_log(log, given)
        shown.begin(f"writing {output}")
        told = write_counts(read, output)
    _tell(told, output)


@command(
    examples=(
        "fairaudit convert manifest.json -o log.parquet",
        "fairaudit convert hyp.trn --references ref.trn -o log.parquet --where set=test",
    )
)
@argument("log", nargs=-1, required=True)
@option("-o", "--output", metavar="FILE", required=True, help="The log: a .parquet file.")
@file_options
def convert(log: tuple[str, ...], output: str, **given: Any) -> None:
    """Write a LOG of any format as one Parquet log with canonical columns.

    Every row is kept as it is, texts included; nothing is scored and nothing is left out.
    """
    from fairaudit.conversion import convert as run

    with stages() as shown:
        shown.begin(f"reading the log and writing {output}")
        told = run(list(log), output, **files_of(given))
    tell_coverage(told.coverage)
    _tell(told, output)


def _tell(told: Written, output: str) -> None:
    """Say what was written, after what is odd about it."""
    for warning in told.warnings:
        note(f"warning: {warning}")
    note(told.line(output))


@command(examples=("fairaudit formats", "fairaudit audit scores.txt --format kaldi -o audit"))
def formats() -> None:
    """List the formats that a log can be in."""
    from fairaudit.readers.formats import describe_installed

    echo(describe_installed())
