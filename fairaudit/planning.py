"""What an audit will partition by: discoverers, label columns and saved partitions, or why not."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fairaudit.aggregate import distinct_values, grid_of
from fairaudit.config import BUILT_IN, AuditOptions
from fairaudit.discover import Discoverer, configure, installed
from fairaudit.discover.labels import LabelColumn, LabelIntersection, divisions
from fairaudit.discover.slices import Slices
from fairaudit.exceptions import LogError, OptionError, nearest
from fairaudit.log import UtteranceLog
from fairaudit.partition import Partition
from fairaudit.saved import SavedPartition, read_partitions

#: Label columns with this many values are audited without being asked for.
FEWEST_VALUES, MOST_VALUES = 2, 50


@dataclass(frozen=True, eq=False)
class Target:
    """One partition that will be measured: found by a discoverer, or saved."""

    name: str
    finder: Discoverer | None = None
    saved: SavedPartition | None = None

    @property
    def source(self) -> Discoverer | Partition:
        """What assigns the rows, now or once it is fitted."""
        if self.saved is not None:
            return self.saved.partition
        assert self.finder is not None
        return self.finder

    @property
    def requires(self) -> tuple[str, ...]:
        """Columns of the log that it reads."""
        return self.source.requires

    @property
    def grid(self) -> float:
        """Edge of a coordinate cell in degrees."""
        return grid_of(self.source)

    @property
    def origin(self) -> Literal["discovered", "declared", "saved"]:
        """Where its partition comes from."""
        return "saved" if self.saved else "declared" if self.declared else "discovered"

    @property
    def declared(self) -> bool:
        """Whether it is a label column, or an intersection of several."""
        return isinstance(self.finder, LabelColumn | LabelIntersection)


def plan(
    log: UtteranceLog, options: AuditOptions, by: Sequence[str | Discoverer], partitions: str | Path | None
) -> tuple[list[Target], dict[str, str]]:
    """Decide what to partition by.

    Parameters
    ----------
    log : UtteranceLog
    options : AuditOptions
    by : sequence of str or Discoverer
        Empty for all that the log allows, unless saved partitions are given.
    partitions : str or Path, optional
        File of saved partitions.

    Returns
    -------
    targets : list of Target
    skipped : dict of str to str
        What was left out without being asked for, and why.

    Raises
    ------
    OptionError, LogError, PartitionError
        If something that was asked for does not exist, or the log lacks its columns.
    """
    targets, skipped = _saved(log, partitions) if partitions else ([], {})
    if by:
        targets += [_asked_for(log, options, item) for item in by]
    elif not targets:
        found, skipped = _allowed(log, options)
        targets += found
    names = [target.name for target in targets]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"'{name}' is asked for twice", where="--by, --partitions")
    _check_parameters(options, names)
    if options.zip_table is not None and not any("zip_code" in target.requires for target in targets):
        raise OptionError(
            f"the ZIP table {options.zip_table} is read by nothing in this audit",
            where="--zip-table",
            fix="add --by zip, or leave --zip-table out",
        )
    return targets, skipped


def _saved(log: UtteranceLog, partitions: str | Path) -> tuple[list[Target], dict[str, str]]:
    """Take the saved partitions that the log has the columns for."""
    targets: list[Target] = []
    skipped: dict[str, str] = {}
    for saved in read_partitions(partitions):
        target = Target(saved.name, saved=saved)
        missing = [c for c in target.requires if c not in log.columns and c not in log.labels]
        if missing:
            skipped[saved.name] = f"saved, but the log has no {' and no '.join(missing)}"
        else:
            targets.append(target)
    if not targets:
        raise LogError(
            "the log has the columns of none of the saved partitions",
            where="; ".join(f"{name}: {why}" for name, why in skipped.items()) or str(partitions),
            fix="name the columns with --column CANONICAL=ACTUAL",
        )
    return targets, skipped


def reference_of(options: AuditOptions, targets: Sequence[Target]) -> tuple[str, str] | None:
    """Return column and cohort of the reference, if there is one.

    Of an intersection such as ``accent+gender`` the value may be ``Irish+female``, or the name of the
    cohort in full.

    Raises
    ------
    OptionError
        If its column is not among the label columns that are audited.
    """
    if options.reference_cohort is None:
        return None
    column, _, value = options.reference_cohort.partition("=")
    declared = {target.name: target.finder for target in targets if target.declared}
    if column not in declared:
        raise OptionError(
            f"the reference cohort is of '{column}', which is not audited as a label column",
            where="--reference-cohort",
            allowed=nearest(column, declared) if declared else "a label column",
            fix=f"add --by {column}",
        )
    finder = declared[column]
    return column, finder.cohort_of(value) if isinstance(finder, LabelIntersection) else value


def _asked_for(log: UtteranceLog, options: AuditOptions, item: str | Discoverer) -> Target:
    finder = _finder(log, options, item) if isinstance(item, str) else item
    if isinstance(finder, Slices):
        finder = _with_columns(log, finder)
    for column in finder.requires:
        _require(log, column, f"--by {finder.name}")
    return Target(finder.name, finder=finder)


def _finder(log: UtteranceLog, options: AuditOptions, name: str) -> Discoverer:
    """Return what is called so: a discoverer, a label column, or an intersection of label columns."""
    if name in installed():
        return configure(name, _parameters(options, name))
    if name in log.labels:
        return LabelColumn(name)
    ways = divisions(name.split("+"), log.labels)
    if len(ways) > 1:
        raise OptionError(
            f"'{name}' is an intersection of label columns in more than one way",
            where="--by",
            allowed="; or ".join(" and ".join(columns) for columns in ways),
            fix="rename a column",
        )
    if ways:
        return LabelIntersection(ways[0])
    unknown = next((part for part in name.split("+") if part not in log.labels), name)
    if unknown != name:
        raise OptionError(
            f"no label column is called '{unknown}'",
            where=f"--by {name}",
            allowed=nearest(unknown, log.labels),
        )
    raise OptionError(
        f"nothing to partition by is called '{name}'",
        where="--by",
        allowed=nearest(name, {*installed(), *log.labels}),
    )


def _with_columns(log: UtteranceLog, finder: Slices) -> Slices:
    """Return a search for slices of columns that the log has: by default those that are audited unasked."""
    for column in finder.columns:
        if column not in log.labels:
            raise OptionError(
                f"slices.columns names '{column}', which is no label column of the log",
                where="--set slices.columns",
                allowed=nearest(column, log.labels) if log.labels else "none: the log has no label column",
            )
    if finder.columns:
        return finder
    columns, skipped = label_columns(log)
    if not columns:
        raise LogError(
            "the log has no label column to search for slices",
            where="; ".join(f"{column}: {why}" for column, why in skipped.items()) or "--by slices",
            allowed=f"label columns of {FEWEST_VALUES} to {MOST_VALUES} values that are not numbers",
            fix="name others with --set slices.columns=COLUMN,COLUMN" if skipped else None,
        )
    return dataclasses.replace(finder, columns=tuple(columns))


def label_columns(log: UtteranceLog) -> tuple[list[str], dict[str, str]]:
    """Return the label columns that are taken unasked, and why the others are not.

    Parameters
    ----------
    log : UtteranceLog

    Returns
    -------
    taken : list of str
    refused : dict of str to str
    """
    reasons = {column: _no_label(distinct_values(log, column, MOST_VALUES)) for column in log.labels}
    return [c for c, why in reasons.items() if not why], {c: why for c, why in reasons.items() if why}


def _allowed(log: UtteranceLog, options: AuditOptions) -> tuple[list[Target], dict[str, str]]:
    """Take everything that the columns of the log allow."""
    targets: list[Target] = []
    skipped: dict[str, str] = {}
    for name in BUILT_IN:
        finder = configure(name, _parameters(options, name))
        missing = [column for column in finder.requires if column not in log.columns]
        if missing:
            skipped[name] = f"the log has no {' and no '.join(missing)}"
        else:
            targets.append(Target(name, finder=finder))
    _, refused = label_columns(log)
    for column in log.labels:
        if column in installed():
            skipped[f"column {column}"] = f"it is called like the discoverer {column}; rename the column"
        elif column in refused:
            skipped[column] = f"{refused[column]}; ask for it with --by {column}"
        else:
            targets.append(Target(column, finder=LabelColumn(column)))
    if not targets:
        reasons = "; ".join(f"{name}: {why}" for name, why in skipped.items())
        raise LogError(
            "the log has nothing to partition by",
            where=reasons,
            allowed="latitude and longitude, zip_code, embedding, or a label column of 2 to 50 values",
            fix="name the columns with --column CANONICAL=ACTUAL",
        )
    return targets, skipped


def _no_label(values: Sequence[str]) -> str:
    """Say why a column is not audited unasked; an empty text where it is."""
    if len(values) < FEWEST_VALUES:
        return "fewer than two values"
    if len(values) > MOST_VALUES:
        return f"more than {MOST_VALUES} values"
    # Such as the errors of another recogniser: an outcome is no label.
    numbers = all(re.fullmatch(r"[+-]?[0-9]+([.][0-9]*)?", value) for value in values)
    return "it holds numbers" if numbers else ""


def _parameters(options: AuditOptions, name: str) -> dict[str, Any]:
    """Return the parameters of a discoverer: as set, with the audit's seed and ZIP table otherwise."""
    fields = {field.name for field in dataclasses.fields(installed()[name])}  # type: ignore[arg-type]
    shared = {"seed": options.seed, "zip_table": options.zip_table}
    given = {key: value for key, value in shared.items() if key in fields and value is not None}
    return given | dict(options.parameters.get(name, {}))


def _check_parameters(options: AuditOptions, names: Sequence[str]) -> None:
    """Refuse parameters of something that is not run: they would be ignored."""
    for name, parameters in options.parameters.items():
        configure(name, parameters)
        if name not in names:
            raise OptionError(
                f"parameters are set for '{name}', which this audit does not run",
                where="--set",
                allowed=", ".join(names),
                fix=f"add --by {name}, or leave --set {name}... out",
            )


def _require(log: UtteranceLog, column: str, who: str) -> None:
    if column not in log.columns and column not in log.labels:
        there = sorted({*log.columns, *log.labels})
        raise LogError(
            f"{who} needs the column {column}, which the log does not have",
            allowed=nearest(column, there),
            fix="give embeddings with --embeddings FILE"
            if column == "embedding"
            else f"name it with --column {column}=ACTUAL",
        )
