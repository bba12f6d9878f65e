"""The commands that make an audit, and read one again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fairaudit.cli.messages import note, tell_options
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
    write_text,
)
from fairaudit.cli.progress import of_audit, stages

if TYPE_CHECKING:
    from fairaudit.changes import ComparisonResult
    from fairaudit.result import AuditResult
    from fairaudit.verdict import Verdict


@command(
    examples=(
        "fairaudit audit log.csv -o audit",
        "fairaudit audit log.csv -o audit --by geo --by accent --by gender+age",
        "fairaudit audit counts.csv -o audit --column speaker_id=spk",
        "fairaudit audit manifest.json -o audit --normalizer whisper-en",
        "fairaudit audit hyp.trn --references ref.trn --metadata utt2spk -o audit",
        "fairaudit audit july.parquet -o july --partitions audit/partitions.json",
    )
)
@argument("log", nargs=-1, required=True)
@option("-o", "--output", metavar="DIR", required=True, help="Where the report and the results go.")
@option(
    "--by",
    metavar="geo|zip|voice|slices|COLUMN|COLUMN+COLUMN",
    multiple=True,
    help="What to partition by (repeat). By default all that the log allows.",
)
@option("--partitions", metavar="FILE", help="Measure the partitions of an earlier audit.")
@option("--reference-cohort", metavar="COLUMN=VALUE", help="Compare with this cohort, not the best.")
@option("--bottom-share", type=float, metavar="FRACTION", help="Most speakers in the bottom. [default: 0.1]")
@option("--splits", type=int, metavar="N", help="Random halvings of the speakers. [default: 11 or 1]")
@option(
    "--permutations", type=int, metavar="R", help="Permuted logs behind the chance gap and p. [default: 199]"
)
@option("--confidence", type=float, metavar="LEVEL", help="Level of the intervals. [default: 0.95]")
@option(
    "--min-speakers-shown", type=int, metavar="N", help="Suppress figures of fewer speakers. [default: 11]"
)
@option(
    "--set",
    "settings",
    metavar="NAME.PARAMETER=VALUE",
    multiple=True,
    help="Set a parameter of a discoverer (see: fairaudit discoverers).",
)
@option("--correction", metavar="holm|bh", help="Of the p of cohorts, for their number. [default: holm]")
@option(
    "--margin",
    type=float,
    metavar="FRACTION",
    help="A cohort that is worse by no more than this is cleared. [default: 0.1]",
)
@option(
    "--adjust",
    metavar="COLUMN,...",
    multiple=True,
    help="Also give the gap once these columns are alike on both sides.",
)
@option("--inject", is_flag=True, help="Find out which gaps this audit would have found.")
@option(
    "--interval",
    metavar="jackknife|bootstrap",
    help="How the intervals of cohorts are made. [default: jackknife]",
)
@option("--zip-table", metavar="FILE", help="Attributes by ZIP code, in place of the census table.")
@option("--normalizer-sensitivity", is_flag=True, help="Show every cohort under the other normalisers too.")
@option("--seed", type=int, metavar="N", help="Equal seed, equal bytes. [default: 1]")
@option("--config", metavar="FILE", help="Options in TOML; those on the command line come first.")
@option("--model", metavar="NAME", help="What was audited, for the record.")
@option("--dataset", metavar="NAME", help="On which data, for the record.")
@log_options
def audit(log: tuple[str, ...], output: str, config: str | None, **given: Any) -> None:
    """Find the worst-served cohorts of a LOG and measure their gap on held-out speakers.

    LOG is Parquet, CSV, TSV or JSON lines (also .gz and .zst), a row for each utterance: speaker_id,
    ref_words and errors (or substitutions, deletions, insertions; or reference and hypothesis), and
    what to partition by. Several files are one log.
    """
    from fairaudit.auditing import audit as run
    from fairaudit.discover import installed
    from fairaudit.outputs import write_audit
    from fairaudit.report import render

    with stages() as shown:
        shown.begin("reading the log")
        read = open_log(log, given)
        partitions = given.pop("partitions")
        parameters, options = _options(config, given)
        tell_machine()
        progress = of_audit(shown, installed(), saved=partitions is not None)
        result = run(read, partitions=partitions, parameters=parameters, progress=progress, **options)
        shown.begin(f"writing the report and the results into {output}")
        with whole_folder(output):
            result = write_audit(result, output)
    echo(render(result, "text", width=width()))


def _options(config: str | None, given: dict[str, Any]) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Put the options of a file and those of the command line together, which come first."""
    from dataclasses import MISSING, fields

    from fairaudit.config import AuditOptions, parse_settings, read_options
    from fairaudit.discover import configure

    options = read_options(config) if config else {}
    for name, parameters in options.get("parameters", {}).items():
        # Here, where the file is known: what is wrong in it is told with its name.
        configure(name, parameters, where=f"{config}, set.")
    settings = parse_settings(given.pop("settings"))
    typed = {name: value for name, value in given.items() if value not in (None, ())}
    options |= typed
    defaults = {field.name: field.default for field in fields(AuditOptions) if field.default is not MISSING}
    tell_options(
        {f"--{name.replace('_', '-')}": of for name, of in (defaults | options).items() if name not in typed}
    )
    configured = options.pop("parameters", {})
    names = [*configured, *(name for name in settings if name not in configured)]
    return {name: {**configured.get(name, {}), **settings.get(name, {})} for name in names}, options


# Not generic in earlier versions of click.
class Form(click.ParamType):  # type: ignore[type-arg]
    """The form of a report; which there are is known to `fairaudit.report` alone."""

    name = "form"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Name the forms."""
        from fairaudit.report import FORMS

        return "|".join(FORMS)


@command(
    examples=(
        "fairaudit report audit                           in brief, as it was printed",
        "fairaudit report audit --format full             the whole report",
        "fairaudit report audit --format md -o audit.md",
        "fairaudit report compared/compare.json --format csv -o changes.csv",
        "fairaudit report verdict.json",
    )
)
@argument("result")
@option("--format", "rendered_as", type=Form(), default="text", show_default=True, help="What to render.")
@option("-o", "--output", metavar="FILE", help="Write to a file; by default to standard output.")
def report(result: str, rendered_as: str, output: str | None) -> None:
    """Render a saved RESULT again: audit.json, compare.json, their folder, or verdict.json."""
    from fairaudit.report import render

    text = render(_saved(result), rendered_as, width=width())
    if output is None:
        echo(text)
    else:
        write_text(output, text)


def _saved(path: str) -> AuditResult | ComparisonResult | Verdict:
    """Read a result, or the verdict on one."""
    from fairaudit.outputs import read_result

    file = Path(path)
    if file.is_file():
        import msgspec

        from fairaudit.verdict import Verdict

        content = file.read_bytes()
        try:
            kind = msgspec.json.decode(content, type=dict[str, Any]).get("kind")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # That it is no result at all is said below.
            kind = None
        if kind == "verdict":
            return Verdict.from_json(content, path)
    return read_result(path)


@command(
    examples=(
        "fairaudit assign audit/partitions.json log.parquet -o cohorts.csv",
        "fairaudit assign audit/partitions.json log.parquet -o s.csv --per speaker",
    )
)
@argument("partitions")
@argument("log", nargs=-1, required=True)
@option("-o", "--output", metavar="FILE", required=True, help="A .parquet or .csv file.")
@option(
    "--per",
    type=click.Choice(["utterance", "speaker"]),
    default="utterance",
    show_default=True,
    help="What has a row; a speaker in several cohorts of a partition has several.",
)
@option("--keep", metavar="COLUMN", multiple=True, help="Carry a column of the log along.")
@option("--zip-table", metavar="FILE", help="The table that the ZIP partition was found with.")
@log_options
def assign(
    partitions: str, log: tuple[str, ...], output: str, per: Any, keep: tuple[str, ...], **given: Any
) -> None:
    """Give every utterance of a LOG its cohort by saved PARTITIONS (partitions.json of an audit)."""
    from fairaudit.assignment import assign as run
    from fairaudit.assignment import write_assignment
    from fairaudit.saved import read_partitions

    zip_table = given.pop("zip_table")
    saved = read_partitions(partitions)
    with stages() as shown:
        shown.begin("reading the log")
        read = open_log(log, given)
        shown.begin("finding the cohort of every row")
        rows = run(read, saved, per=per, keep=keep, zip_table=zip_table)
        shown.begin(f"writing {output}")
        write_assignment(rows, Path(output))
    note(f"{output}: {len(rows):,} rows, cohorts by {', '.join(s.name for s in saved)}")


@command(
    examples=("fairaudit discoverers", "fairaudit audit log.csv -o audit --by geo --set geo.max_regions=40")
)
def discoverers() -> None:
    """List what can find a partition, with its parameters."""
    from fairaudit.discover.listing import describe_installed

    echo(describe_installed())


@command(
    examples=(
        "fairaudit simulate -o log.parquet --truth truth.json",
        "fairaudit simulate -o null.parquet --truth null.json --null --seed 7",
        "fairaudit simulate -o log.parquet --truth truth.json --speakers 2000 \\",
        "    --voice 0.1=0.5 --box 24,37,-107,-66,1.3 --zip 'pct_black>0.5=0.3'",
    )
)
@option("-o", "--output", metavar="LOG", required=True, help="The log: a .parquet file.")
@option("--truth", metavar="FILE", required=True, help="Each speaker's true rate, as JSON.")
@option("--null", is_flag=True, help="No gap at all: every speaker has the same expected rate.")
@option("--speakers", type=int, metavar="N", help="Speakers of the log. [default: 20000]")
@option(
    "--utterances", type=float, metavar="MEAN", help="Mean number of utterances of a speaker. [default: 3]"
)
@option("--box", metavar="S,N,W,E,FACTOR", multiple=True, help="A region, and how much worse.")
@option("--zip", "zips", metavar="ATTRIBUTE>T=GAP", multiple=True, help="ZIP codes above T; gap.")
@option("--voice", "voices", metavar="SHARE=GAP", multiple=True, help="Speakers who sound alike.")
@option("--seed", type=int, default=1, show_default=True, metavar="N", help="Equal seed, equal files.")
def simulate(output: str, truth: str, null: bool, seed: int, **given: Any) -> None:
    """Write a log with planted gaps on real US geography, and the truth about it.

    By default regions that differ, ZIP codes with an Asian majority whose gap is 41.7 %, and one voice in
    ten with a gap of 65.0 %. --box, --zip and --voice plant what they say instead.
    """
    from fairaudit.simulation import simulate as run
    from fairaudit.world import parse_world

    world = parse_world(null=null, **given)
    with stages() as shown:
        shown.begin(f"drawing {world.speakers:,} speakers and what they say")
        simulation = run(world, seed)
        shown.begin(f"writing {output} and {truth}")
        simulation.write(output, truth)
    for warning in simulation.warnings:
        note(f"warning: {warning}")
    note(f"{output}, and the truth in {truth}")
