"""The commands that hold a result to a policy."""

from __future__ import annotations

from pathlib import Path

import click

from fairaudit.cli.messages import note
from fairaudit.cli.options import argument, command, echo, option, width, write_text
from fairaudit.exceptions import InputError, OptionError

FAILED, INCONCLUSIVE = 1, 3
CODES = {"pass": 0, "fail": FAILED, "inconclusive": INCONCLUSIVE}


@command(
    examples=(
        "fairaudit gate compared --policy policy.toml",
        "fairaudit gate compared --policy policy.toml -o verdict.json \\",
        '    --junit junit.xml --summary "$GITHUB_STEP_SUMMARY" --annotations github',
    )
)
@argument("result")
@option("--policy", metavar="FILE", required=True, help="What is allowed, in TOML (see: fairaudit init).")
@option("-o", "--output", metavar="FILE", help="Write the verdict as JSON.")
@option("--junit", metavar="FILE", help="Write it as JUnit XML, which CI systems show as tests.")
@option("--summary", metavar="FILE", help="Append it to FILE as Markdown, as for a job summary.")
@option(
    "--annotations", type=click.Choice(["github"]), help="Print a line for each finding, to be shown by CI."
)
def gate(
    result: str,
    policy: str,
    output: str | None,
    junit: str | None,
    summary: str | None,
    annotations: str | None,
) -> int:
    """Hold a saved RESULT (audit.json or compare.json, or its folder) to a policy.

    The exit code is 0 for pass, 1 for fail and 3 for not enough evidence. Files of an earlier gate are
    removed first, so that there is none where there is no verdict.
    """
    from fairaudit.gating import gate as run
    from fairaudit.gating.policy import read_policy
    from fairaudit.outputs import read_result
    from fairaudit.report.junit import junit_report
    from fairaudit.report.verdict import (
        no_verdict_markdown,
        verdict_annotations,
        verdict_markdown,
        verdict_text,
    )

    for file, name in ((output, "-o"), (junit, "--junit")):
        if file is not None:
            _removed(file, name, (result, policy))
    try:
        verdict = run(read_result(result), read_policy(policy))
    except InputError as error:
        if summary is not None:
            # Of an earlier step it may hold a verdict, which is not that of this one.
            _append(summary, no_verdict_markdown(error.what))
        raise
    if output is not None:
        write_text(output, verdict.to_json())
    if junit is not None:
        write_text(junit, junit_report(verdict), "--junit")
    if summary is not None:
        _append(summary, verdict_markdown(verdict))
    echo(verdict_text(verdict, width()))
    if annotations is not None:
        click.echo(verdict_annotations(verdict), nl=False)
    return CODES[verdict.status]


@command(examples=("fairaudit init", "fairaudit init -o release.toml"))
@option(
    "-o", "--output", metavar="FILE", default="policy.toml", show_default=True, help="Where the policy goes."
)
def init(output: str) -> None:
    """Write a policy to begin with: three rules, with comments."""
    from importlib.resources import files

    template = (files("fairaudit.gating") / "policy.toml").read_text(encoding="utf-8")
    try:
        # Never over what somebody has written.
        with Path(output).open("x", encoding="utf-8", newline="\n") as file:
            file.write(template)
    except FileExistsError:
        raise OptionError(
            f"{output} is there already", where=f"-o {output}", fix="name another file, or remove it first"
        ) from None
    except OSError as error:
        raise OptionError(f"cannot write: {error.strerror}", where=f"-o {output}") from None
    note(f"{output}: hold a result to it with fairaudit gate RESULT --policy {output}")


def _removed(file: str, name: str, read: tuple[str, ...]) -> None:
    """Remove a file of an earlier gate, and none that this one is to read."""
    path = Path(file)
    if not path.is_file():
        return
    if any(Path(other).exists() and path.samefile(other) for other in read):
        raise OptionError(f"{file} is read by this gate", where=f"{name} {file}", fix="name another file")
    try:
        path.unlink()
    except OSError as error:
        raise OptionError(f"cannot remove: {error.strerror}", where=f"{name} {file}") from None


def _append(file: str, text: str) -> None:
    """Add a text to a file that other steps of a job may have written to."""
    try:
        with Path(file).open("a", encoding="utf-8", newline="\n") as summary:
            summary.write(text)
    except OSError as error:
        raise OptionError(f"cannot write: {error.strerror}", where=f"--summary {file}") from None
