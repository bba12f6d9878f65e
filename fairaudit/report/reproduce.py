"""How to get the same numbers again: signature, versions, options, digests and the command."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fairaudit.changes import ComparisonResult
from fairaudit.provenance import Source
from fairaudit.report.blocks import Block, Command, Fact, Facts, Paragraph, Section, Table
from fairaudit.report.wording import Result
from fairaudit.result import AuditResult
from fairaudit.wording import clean, count, setting

#: Options of a result whose flag on the command line is another word, or takes one pair at a time.
FLAGS = {"columns": "column", "parameters": "set"}
#: Name of a log that was a frame of the user's, and no file.
IN_MEMORY = "<table>"
#: Roles among the inputs that are flags of the same name.
ROLES = ("references", "metadata", "embeddings")


def reproduced_section(
    result: Result, logs: Sequence[Source] = (), models: Sequence[str | None] = (), where: str = ""
) -> Section:
    """Say how to get the same numbers.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
    logs : sequence of Source, optional
        The logs, where they are more than those of the result.
    models : sequence of str or None, optional
        Names of their models, as the user gave them.
    where : str, optional
        Files that have everything, where they are more than one.
    """
    options = "; ".join(
        f"{name}: {setting(value)}" for name, value in result.options.items() if value not in (None, {}, [])
    )
    versions = ", ".join(f"{clean(name)} {clean(version)}" for name, version in result.environment.items())
    facts = (
        Fact("Signature", clean(result.signature), "One line that says how the numbers were made."),
        Fact("Made", clean(result.created_at)),
        Fact("fairaudit", clean(result.fairaudit_version)),
        Fact("Seed", str(result.seed)),
        Fact("Options", options, "All others were left as they are by default."),
        Fact("Versions", versions),
        Fact("Digest of the counts", result.log.sha256, "The same whatever the order of the rows."),
    )
    file = where or ("audit.json" if isinstance(result, AuditResult) else "compare.json")
    digests = tuple((clean(p.name), p.kind, p.digest or "none") for p in result.partitions)
    said = f"Equal input, options and seed give equal numbers. Everything is in {file}. The command:"
    blocks: list[Block] = [
        Paragraph(said),
        Command(command(result, [log.name for log in logs], models)),
        Facts(facts),
        inputs_table(result, logs),
    ]
    if digests:
        blocks.append(Table("Digests of the rules", ("Partition", "Kind", "SHA-256"), digests, texts=3))
    return Section("How to reproduce", tuple(blocks))


def inputs_table(result: Result, logs: Sequence[Source] = ()) -> Table:
    """Return the files that were read, with their digests.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
    logs : sequence of Source, optional
        The logs, where they are more than those of the result.
    """
    others = [s for s in result.inputs if s.role not in ("log", "baseline", "candidate")]
    rows = tuple(
        (clean(s.name), clean(s.role), clean(s.format or "table"), s.sha256, count(s.rows))
        for s in ([*logs, *others] if logs else result.inputs)
    )
    return Table("What was read", ("Name", "Role", "Format", "SHA-256", "Rows"), rows, texts=4)


def command(result: Result, logs: Sequence[str] = (), models: Sequence[str | None] = ()) -> tuple[str, ...]:
    """Return the command that makes a result again, a part on each line.

    Names of files are without their folders, and what was withheld from the result is not in it.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
    logs : sequence of str, optional
        Names of the logs, where they are more than those of the result.
    models : sequence of str or None, optional
        Names of their models, as the user gave them.

    Examples
    --------
    >>> list(_flags({"by": ["geo"], "inject": True, "zip_table": None, "where": {"accent": ["a b"]}}))
    ['--by geo', '--inject', "--where 'accent=a b'"]
    """
    comparison = isinstance(result, ComparisonResult)
    roles = ("baseline", "candidate") if comparison else ("log",)
    named = logs or [s.name for role in roles for s in result.inputs if s.role == role]
    named = ["LOG" if name == IN_MEMORY else name for name in named]
    options = {name: value for name, value in result.options.items() if name != "partitions"}
    for flag, value in _told_elsewhere(result, models):
        options.setdefault(flag, value)
    begin = "fairaudit compare" if comparison else "fairaudit audit"
    return (
        begin,
        *(shlex.quote(clean(name)) for name in named),
        *_files(result),
        *_flags(options),
        "-o again",
    )


def _files(result: Result) -> Iterator[str]:
    """Yield the flags of the files that were read beside the log."""
    for source in result.inputs:
        if source.role in ROLES:
            yield f"--{source.role} {shlex.quote(clean(source.name))}"
    saved = [clean(s.name) for s in result.inputs if s.role == "partitions"]
    if saved or any(p.origin == "saved" for p in result.partitions):
        yield f"--partitions {shlex.quote(saved[0] if saved else 'partitions.json')}"


def _told_elsewhere(result: Result, models: Sequence[str | None]) -> Iterator[tuple[str, Any]]:
    """Yield what a result tells outside its options, by the names of flags."""
    if isinstance(result, ComparisonResult):
        models = models or [subject.model for subject in (result.baseline, result.candidate)]
        yield "model", [model for model in models if model]
        yield "dataset", result.candidate.dataset
    if result.scoring is not None:
        yield "normalizer", result.scoring.normalizer
    if result.metric.name != "WER":
        yield "metric", result.metric.name
    yield "assume_independent_utterances", result.log.independent_utterances


def _flags(options: Mapping[str, Any]) -> Iterator[str]:
    for name, value in options.items():
        flag = f"--{FLAGS.get(name, name).replace('_', '-')}"
        if value is True:
            yield flag
        elif isinstance(value, Mapping):
            yield from (f"{flag} {shlex.quote(clean(pair))}" for pair in _pairs(value))
        elif isinstance(value, list | tuple):
            yield from (f"{flag} {shlex.quote(clean(str(one)))}" for one in value)
        elif value not in (None, False):
            yield f"{flag} {shlex.quote(clean(str(value)))}"


def _pairs(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield COLUMN=VALUE, and NAME.PARAMETER=VALUE of what is nested."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{pair}" for pair in _pairs(value))
        elif isinstance(value, list | tuple):
            yield from (f"{name}={one}" for one in value)
        else:
            yield f"{name}={value}"
