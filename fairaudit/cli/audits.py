"""The commands that make an audit, and read one again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from fairaudit.cli.options import echo, log_options, open_log, progress_bars, width, write_text


@click.command()
@click.argument("log", nargs=-1, required=True)
@click.option("-o", "--output", metavar="DIR", required=True, help="Where the report and the results go.")
@click.option(
    "--by",
    metavar="geo|zip|voice|slices|COLUMN|COLUMN+COLUMN",
    multiple=True,
    help="What to partition by (repeat). By default all that the log allows.",
)
@click.option("--partitions", metavar="FILE", help="Measure the partitions of an earlier audit.")
@click.option("--reference-cohort", metavar="COLUMN=VALUE", help="Compare with this cohort, not the best.")
@click.option(
    "--bottom-share", type=float, metavar="FRACTION", help="Most speakers in the bottom. [default: 0.1]"
)
@click.option("--splits", type=int, metavar="N", help="Random halvings of the speakers. [default: 11 or 1]")
@click.option("--permutations", type=int, metavar="R", help="For the chance gap. [default: 199]")
@click.option("--confidence", type=float, metavar="LEVEL", help="Of intervals. [default: 0.95]")
@click.option(
    "--min-speakers-shown", type=int, metavar="N", help="Suppress figures of fewer speakers. [default: 11]"
)
@click.option(
    "--set",
    "settings",
    metavar="NAME.PARAMETER=VALUE",
    multiple=True,
    help="Set a parameter of a discoverer (see: fairaudit discoverers).",
)
@click.option("--correction", metavar="holm|bh", help="Of the cohorts' p for their number. [default: holm]")
@click.option(
    "--margin", type=float, metavar="FRACTION", help="Up to here a cohort is not worse. [default: 0.1]"
)
@click.option(
    "--adjust",
    metavar="COLUMN,...",
    multiple=True,
    help="The gap once these are alike, utterance_length among them.",
)
@click.option("--inject", is_flag=True, help="Find out which gaps this audit would have found.")
@click.option(
    "--interval", metavar="jackknife|bootstrap", help="How intervals are made. [default: jackknife]"
)
@click.option("--zip-table", metavar="FILE", help="Attributes by ZIP code, in place of the census table.")
@click.option(
    "--normalizer-sensitivity", is_flag=True, help="Show every cohort under the other normalisers too."
)
@click.option("--seed", type=int, help="Equal seed, equal bytes. [default: 1]")
@click.option("--config", metavar="FILE", help="Options in TOML; those on the command line come first.")
@click.option("--model", metavar="NAME", help="What was audited, for the record.")
@click.option("--dataset", metavar="NAME", help="On which data, for the record.")
@log_options
def audit(log: tuple[str, ...], output: str, config: str | None, **given: Any) -> None:
    """Find the worst-served cohorts of a LOG and measure their gap on held-out speakers.

    LOG is Parquet, CSV, TSV or JSON lines (also .gz and .zst), a row for each utterance: speaker_id,
    ref_words and errors (or substitutions, deletions, insertions; or reference and hypothesis), and
    what to partition by. Several files are one log.
    """
    from fairaudit.auditing import audit as run
    from fairaudit.config import parse_settings, read_options
    from fairaudit.discover import configure
    from fairaudit.outputs import write_audit
    from fairaudit.report import render

    read = open_log(log, given)
    options = read_options(config) if config else {}
    for name, parameters in options.get("parameters", {}).items():
        # Here, where the file is known: what is wrong in it is told with its name.
        configure(name, parameters, where=f"{config}, set.")
    settings = parse_settings(given.pop("settings"))
    partitions = given.pop("partitions")
    options |= {name: value for name, value in given.items() if value not in (None, ())}
    configured = options.pop("parameters", {})
    names = [*configured, *(name for name in settings if name not in configured)]
    parameters = {name: {**configured.get(name, {}), **settings.get(name, {})} for name in names}
    with progress_bars() as progress:
        result = run(read, partitions=partitions, parameters=parameters, progress=progress, **options)
    result = write_audit(result, output)
    echo(render(result, "text", width=width()))


@click.command()
@click.argument("result")
@click.option(
    "--format", "form", default="text", show_default=True, metavar="text|md|html|csv", help="What to render."
)
@click.option("-o", "--output", metavar="FILE", help="Write to a file; by default to standard output.")
def report(result: str, form: str, output: str | None) -> None:
    """Render a saved RESULT (audit.json, compare.json, or its folder) again."""
    from fairaudit.outputs import read_result
    from fairaudit.report import render

    text = render(read_result(result), form, width=width())
    if output is None:
        echo(text)
    else:
        write_text(output, text)


@click.command()
@click.argument("partitions")
@click.argument("log", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE", required=True, help="A .parquet or .csv file.")
@click.option(
    "--per",
    type=click.Choice(["utterance", "speaker"]),
    default="utterance",
    show_default=True,
    help="What has a row; a speaker in several cohorts of a partition has several.",
)
@click.option("--keep", metavar="COLUMN", multiple=True, help="Carry a column of the log along.")
@click.option("--zip-table", metavar="FILE", help="The table that the ZIP partition was found with.")
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
    rows = run(open_log(log, given), saved, per=per, keep=keep, zip_table=zip_table)
    write_assignment(rows, Path(output))
    click.echo(f"{output}: {len(rows):,} rows, cohorts by {', '.join(s.name for s in saved)}", err=True)


@click.command()
def discoverers() -> None:
    """List what can find a partition, with its parameters."""
    from fairaudit.discover.listing import describe_installed

    echo(describe_installed())


@click.command()
@click.option("-o", "--output", metavar="LOG", required=True, help="The log: a .parquet file.")
@click.option("--truth", metavar="FILE", required=True, help="Each speaker's true rate, as JSON.")
@click.option("--null", is_flag=True, help="No gap at all: every speaker has the same expected rate.")
@click.option("--speakers", type=int, metavar="N", help="[default: 20000]")
@click.option("--utterances", type=float, metavar="MEAN", help="For each speaker. [default: 3]")
@click.option("--box", metavar="S,N,W,E,FACTOR", multiple=True, help="A region, and how much worse.")
@click.option("--zip", "zips", metavar="ATTRIBUTE>T=GAP", multiple=True, help="ZIP codes above T; gap.")
@click.option("--voice", "voices", metavar="SHARE=GAP", multiple=True, help="Speakers who sound alike.")
@click.option("--seed", type=int, default=1, show_default=True)
def simulate(output: str, truth: str, null: bool, seed: int, **given: Any) -> None:
    """Write a log with planted gaps on real US geography, and the truth about it.

    By default regions that differ, ZIP codes with an Asian majority whose gap is 41.7 %, and one voice in
    ten with a gap of 65.0 %. --box, --zip and --voice plant what they say instead.
    """
    from fairaudit.simulation import simulate as run
    from fairaudit.world import parse_world

    world = parse_world(null=null, **given)
    simulation = run(world, seed)
    simulation.write(output, truth)
    for warning in simulation.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{output}, and the truth in {truth}", err=True)
