"""The command that compares releases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fairaudit.cli.options import (
    argument,
    command,
    echo,
    log_options,
    open_log,
    option,
    tell_machine,
    whole_folder,
    width,
)
from fairaudit.cli.progress import stages
from fairaudit.cli.stages import Stages
from fairaudit.exceptions import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fairaudit.log import UtteranceLog


@command(
    examples=(
        "fairaudit compare old.csv new.csv --partitions audit/partitions.json -o out",
        "fairaudit compare old.csv new.csv --by accent --model 1.2 --model 1.3 -o out",
        "fairaudit compare may.csv june.csv july.csv --by accent -o trend",
        "fairaudit compare log.csv --baseline-hypothesis old \\",
        "    --candidate-hypothesis new --by accent -o out",
    )
)
@argument("log", nargs=-1, required=True)
@option("-o", "--output", metavar="DIR", required=True, help="Where the report and the results go.")
@option("--partitions", metavar="FILE", help="The partitions.json of an audit: whose cohorts to compare.")
@option(
    "--by",
    metavar="COLUMN|COLUMN+COLUMN",
    multiple=True,
    help="Compare the values of a label column (repeat).",
)
@option(
    "--baseline-hypothesis", metavar="COLUMN", help="Of a single LOG: the texts of the release in service."
)
@option("--candidate-hypothesis", metavar="COLUMN", help="Of a single LOG: the texts of the candidate.")
@option("--allow-unequal", is_flag=True, help="Compare the utterances that both logs have.")
@option(
    "--bottom-share",
    type=float,
    default=0.1,
    show_default=True,
    metavar="FRACTION",
    help="Most speakers in the bottom of a label column.",
)
@option("--splits", type=int, metavar="N", help="Halvings for the worst cohort. [default: 11 or 1]")
@option("--confidence", type=float, default=0.95, show_default=True, metavar="LEVEL", help="Of intervals.")
@option(
    "--min-speakers-shown",
    type=int,
    default=11,
    show_default=True,
    metavar="N",
    help="Suppress figures of fewer speakers.",
)
@option("--zip-table", metavar="FILE", help="The table that the ZIP partition was found with.")
@option("--seed", type=int, default=1, show_default=True, metavar="N", help="Equal seed, equal bytes.")
@option("--model", metavar="NAME", multiple=True, help="Name of each release, in order (repeat).")
@option("--dataset", metavar="NAME", help="On which data, for the record.")
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
    tell_machine()
    with stages() as shown:
        logs = _opened(log, (baseline_hypothesis, candidate_hypothesis), given, shown)
        if model and len(model) != len(logs):
            raise OptionError(
                f"{len(model)} names for {len(logs)} releases",
                where="--model",
                allowed="one for each, in order",
            )
        names: tuple[str | None, ...] = model or (None,) * len(logs)

        def compared(first: int, second: int) -> Any:
            shown.begin(f"comparing release {second + 1} with release {first + 1}")
            options.update(baseline_model=names[first], candidate_model=names[second])
            return run(logs[first], logs[second], **options)

        result: Any
        if len(logs) == 2:
            result = compared(0, 1)
        else:
            since_first = [compared(0, n) for n in range(1, len(logs))]
            later = [compared(n - 1, n) for n in range(2, len(logs))]
            releases = tuple(name or f"release {n}" for n, name in enumerate(names, start=1))
            result = Trend(releases, tuple(since_first), (since_first[0], *later))
        shown.begin(f"writing the report and the results into {output}")
        with whole_folder(output):
            if isinstance(result, Trend):
                write_trend(result, output)
            else:
                result = write_comparison(result, output)
    echo(render(result, "text", width=width()))


def _opened(
    paths: tuple[str, ...],
    hypotheses: tuple[str | None, str | None],
    given: dict[str, Any],
    shown: Stages,
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
        return [_read([path], dict(given), f"reading {path}", shown) for path in paths]
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
        _read(
            paths,
            {**given, "column": (*given["column"], f"hypothesis={column}")},
            f"reading the log and scoring '{column}'",
            shown,
        )
        for column in hypotheses
    ]


def _read(paths: Iterable[str], given: dict[str, Any], stage: str, shown: Stages) -> UtteranceLog:
    shown.begin(stage)
    return open_log(paths, given)
