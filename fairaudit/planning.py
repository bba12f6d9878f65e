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
from fairaudit.discover.labels import LabelColumn
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
        """Whether it is a label column."""
        return isinstance(self.finder, LabelColumn)


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
    """Return column and value of the reference cohort, if there is one.

    Raises
    ------
    OptionError
        If its column is not among the label columns that are audited.
    """
    if options.reference_cohort is None:
        return None
    column, _, value = options.reference_cohort.partition("=")
    declared = [target.name for target in targets if target.declared]
    if column not in declared:
        raise OptionError(
            f"the reference cohort is of '{column}', which is not audited as a label column",
            where="--reference-cohort",
            allowed=nearest(column, declared) if declared else "a label column",
            fix=f"add --by {column}",
        )
    return column, value


def _asked_for(log: UtteranceLog, options: AuditOptions, item: str | Discoverer) -> Target:
    if not isinstance(item, str):
        finder = item
    elif item in installed():
        finder = configure(item, _parameters(options, item))
    elif item in log.labels:
        finder = LabelColumn(item)
    else:
        known = {*installed(), *log.labels}
        raise OptionError(
            f"nothing to partition by is called '{item}'", where="--by", allowed=nearest(item, known)
        )
    for column in finder.requires:
        _require(log, column, f"--by {finder.name}")
    return Target(finder.name, finder=finder)


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
    for column in log.labels:
        if column in installed():
            skipped[f"column {column}"] = f"it is called like the discoverer {column}; rename the column"
            continue
        if why := _no_label(distinct_values(log, column, MOST_VALUES)):
            skipped[column] = f"{why}; ask for it with --by {column}"
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
