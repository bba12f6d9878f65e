"""The command that compares releases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fairaudit.cli.options import echo, log_options, open_log, width
from fairaudit.exceptions import OptionError

if TYPE_CHECKING:
    from fairaudit.log import UtteranceLog


@click.command()
@click.argument("log", nargs=-1, required=True)
@click.option("-o", "--output", metavar="DIR", required=True, help="Where the report and the results go.")
@click.option(
    "--partitions", metavar="FILE", help="The partitions.json of an audit: whose cohorts to compare."
)
@click.option(
    "--by",
    metavar="COLUMN|COLUMN+COLUMN",
    multiple=True,
    help="Compare the values of a label column (repeat).",
)
@click.option(
    "--baseline-hypothesis", metavar="COLUMN", help="Of a single LOG: the texts of the release in service."
)
@click.option("--candidate-hypothesis", metavar="COLUMN", help="Of a single LOG: the texts of the candidate.")
@click.option("--allow-unequal", is_flag=True, help="Compare the utterances that both logs have.")
@click.option(
    "--bottom-share",
    type=float,
    default=0.1,
    show_default=True,
    metavar="FRACTION",
    help="Most speakers in the bottom of a label column.",
)
@click.option("--splits", type=int, metavar="N", help="Halvings for the worst cohort. [default: 11 or 1]")
@click.option(
    "--confidence", type=float, default=0.95, show_default=True, metavar="LEVEL", help="Of intervals."
)
@click.option(
    "--min-speakers-shown",
    type=int,
    default=11,
    show_default=True,
    metavar="N",
    help="Suppress figures of fewer speakers.",
)
@click.option("--zip-table", metavar="FILE", help="The table that the ZIP partition was found with.")
@click.option("--seed", type=int, default=1, show_default=True, help="Equal seed, equal bytes.")
@click.option("--model", metavar="NAME", multiple=True, help="Name of each release, in order (repeat).")
@click.option("--dataset", metavar="NAME", help="On which data, for the record.")
@log_options
def compare(
    log: tuple[str, ...],
    output: str,
    model: tuple[str, ...],
    baseline_hypothesis: str | None,
    candidate_hypothesis: str | None,
    **given: Any,
) -> None:
    """Compare releases by their LOGs: the one in service first, then the candidate.

    The same utterances, speakers and cohorts in both; nothing is searched. Three and more logs are releases
    in order, and give a trend. A LOG of several files is a folder or a quoted pattern.
    """
    from fairaudit.comparison import compare as run
    from fairaudit.outputs import write_comparison, write_trend
    from fairaudit.report import render
    from fairaudit.trend import Trend

    own = (
        "partitions",
        "by",
        "allow_unequal",
        "bottom_share",
        "splits",
        "confidence",
        "min_speakers_shown",
        "zip_table",
        "seed",
    )
    options: dict[str, Any] = {name: given.pop(name) for name in (*own, "dataset")}
    logs = _opened(log, (baseline_hypothesis, candidate_hypothesis), given)
    if model and len(model) != len(logs):
        raise OptionError(
            f"{len(model)} names for {len(logs)} releases", where="--model", allowed="one for each, in order"
        )
    names: tuple[str | None, ...] = model or (None,) * len(logs)

    def compared(first: int, second: int) -> Any:
        options.update(baseline_model=names[first], candidate_model=names[second])
        return run(logs[first], logs[second], **options)

    if len(logs) == 2:
        result = write_comparison(compared(0, 1), output)
        echo(render(result, "text", width=width()))
        return
    since_first = [compared(0, n) for n in range(1, len(logs))]
    later = [compared(n - 1, n) for n in range(2, len(logs))]
    releases = tuple(name or f"release {n}" for n, name in enumerate(names, start=1))
    trend = Trend(releases, tuple(since_first), (since_first[0], *later))
    write_trend(trend, output)
    echo(render(trend, "text", width=width()))


def _opened(
    paths: tuple[str, ...], hypotheses: tuple[str | None, str | None], given: dict[str, Any]
) -> list[UtteranceLog]:
    """Read every release with the same options."""
    if not any(hypotheses):
        if len(paths) < 2:
            raise OptionError(
                "there is one log, and a comparison needs two",
                where="LOG",
                allowed="the logs of two or more releases; or one log with two columns of hypotheses",
                fix="add the candidate's log, or --baseline-hypothesis COLUMN --candidate-hypothesis COLUMN",
            )
        return [open_log([path], dict(given)) for path in paths]
    where = "--baseline-hypothesis, --candidate-hypothesis"
    if len(paths) > 1 or not all(hypotheses):
        raise OptionError(
            "two columns of hypotheses are compared in one log",
            where=where,
            allowed="one LOG, and the columns of both releases",
        )
    if hypotheses[0] == hypotheses[1]:
        raise OptionError(
            f"both releases are the column '{hypotheses[0]}'", where=where, allowed="two columns"
        )
    if any(pair.startswith("hypothesis=") for pair in given["column"]):
        raise OptionError("the hypothesis is named twice", where=f"--column hypothesis=..., {where}")
    return [
        open_log(paths, {**given, "column": (*given["column"], f"hypothesis={column}")})
        for column in hypotheses
    ]
