"""How commands explain themselves: options by what they are about, examples, and options of every command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from fairaudit.cli.completion import Option
from fairaudit.cli.messages import QUIET, VERBOSE, says, tell_options

#: Which options stand together in `--help`, by their names in the code, in this order.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "The world": ("speakers", "utterances", "null", "box", "zips", "voices"),
    "The log": (
        "form",
        "references",
        "references_format",
        "metadata",
        "metadata_format",
        "embeddings",
        "embeddings_path",
        "column",
        "speaker_from_id",
        "where",
        "missing",
        "max_excluded",
        "allow_unequal",
        "assume_independent_utterances",
    ),
    "Scoring": (
        "normalizer",
        "normalizer_sensitivity",
        "metric",
        "missing_hypothesis",
        "baseline_hypothesis",
        "candidate_hypothesis",
    ),
    "The cohorts": (
        "by",
        "partitions",
        "settings",
        "reference_cohort",
        "bottom_share",
        "zip_table",
    ),
    "The statistics": (
        "splits",
        "permutations",
        "confidence",
        "interval",
        "correction",
        "margin",
        "adjust",
        "inject",
        "seed",
    ),
    "The policy": ("policy",),
    "The output": (
        "output",
        "truth",
        "rendered_as",
        "file",
        "per",
        "keep",
        "junit",
        "summary",
        "annotations",
        "min_speakers_shown",
        "model",
        "dataset",
    ),
    "The run": ("config", QUIET, VERBOSE),
}
#: Where `--help` itself stands.
REST = "The run"


def _says(ctx: click.Context, param: click.Parameter, given: bool) -> None:
    ctx.meta[param.name or ""] = given


#: Options of every command.
COMMON = (
    Option(
        ["-q", "--quiet"],
        is_flag=True,
        expose_value=False,
        callback=_says,
        help="Print results and errors only.",
    ),
    Option(
        ["-v", "--verbose"],
        is_flag=True,
        expose_value=False,
        callback=_says,
        help="Say what is read, which options hold and how long each stage takes.",
    ),
)


class Command(click.Command):
    """A command with examples and with the options of every command.

    Parameters
    ----------
    examples : sequence of str
        Lines as they would be typed, each at most 76 characters long.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its own parameters, then those of every command."""
        *own, shown_last = super().get_params(ctx)
        return [*own, *COMMON, shown_last]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, once it is known how much it should say."""
        says()
        tell_options({p.opts[-1]: ctx.params[p.name] for p in self.params if p.name in ctx.params})
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by what they are about, then the examples."""
        records: dict[str, list[tuple[str, str]]] = {heading: [] for heading in SECTIONS}
        places = {name: heading for heading, names in SECTIONS.items() for name in names}
        order = [name for names in SECTIONS.values() for name in names]
        options = [p for p in self.get_params(ctx) if isinstance(p, click.Option)]
        known = [p for p in options if p.name in places]
        others = [p for p in options if p.name not in places]
        for param in (*sorted(known, key=lambda p: order.index(p.name or "")), *others):
            record = param.get_help_record(ctx)
            if record is not None:
                records[places.get(param.name or "", REST)].append(record)
        for heading, rows in records.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
        write_examples(self.examples, formatter)


class Program(click.Group):
    """The program: its commands by what they are for, and examples.

    Parameters
    ----------
    purposes : mapping of str to sequence of click.Command
        Commands by heading, in the order of the help.
    examples : sequence of str
    """

    def __init__(
        self,
        *args: Any,
        purposes: Mapping[str, Sequence[click.Command]],
        examples: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.purposes, self.examples = purposes, tuple(examples)
        for commands in purposes.values():
            for command in commands:
                self.add_command(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by what they are for, then the examples."""
        longest = max(len(name) for name in self.commands)
        for heading, commands in self.purposes.items():
            with formatter.section(heading):
                # The whole first sentence, however long.
                formatter.write_dl(
                    [(f"{c.name:<{longest}}", c.get_short_help_str(limit=300)) for c in commands]
                )
        write_examples(self.examples, formatter)


def write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    """Write lines as they would be typed; they are never wrapped."""
    if examples:
        with formatter.section("Examples"):
            for line in examples:
                formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
