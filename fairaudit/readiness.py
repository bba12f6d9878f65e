"""What a log is like before it is audited: frozen plain data with a JSON form, and no fairness number."""

from __future__ import annotations

from typing import Literal

from fairaudit.provenance import Joined, Metric, Plain, Scoring, Source, TextTally
from fairaudit.schema import encode


class Column(Plain, frozen=True, kw_only=True):
    """A column that was read: its name in the input, and what it was taken as.

    `taken_as` is a canonical name, or `label`. `name` is None where it is no column of the log, such as
    errors that were added up from their kinds, or embeddings from a file.
    """

    name: str | None
    taken_as: str


class Detectable(Plain, frozen=True, kw_only=True):
    """The smallest relative gap that an audit of this log would show at a power of 80 %, as a fraction.

    `cohort` is compared with `against`, shares of the speakers. `relative` is None where no gap could be
    shown, and `reason` says why. `suppressed` tells that an audit would not show it: a gap is measured on
    half of the speakers at a time, so that it takes twice `min_speakers_shown`. `twice_the_speakers` and
    `twice_the_words` are what it would be in a log of twice as many speakers like these, or of these
    speakers with twice as many words.
    """

    cohort: float
    against: float
    speakers: int
    suppressed: bool
    relative: float | None = None
    twice_the_speakers: float | None = None
    twice_the_words: float | None = None
    reason: str | None = None


class ValueCheck(Plain, frozen=True, kw_only=True):
    """A value of a label column: how much there is of it, and its smallest gap against all other values.

    For want of speakers, an audit would not show its figures (`suppressed`), or not its gap, which is
    measured on half of them at a time (`gap_suppressed`).
    """

    value: str
    speakers: int
    utterances: int
    ref_words: int
    suppressed: bool
    gap_suppressed: bool
    smallest_gap: float | None
    reason: str | None


class PartitionCheck(Plain, frozen=True, kw_only=True):
    """What one partition could place of the log: in all, by value of a label, and why the rest not.

    `unplaced` counts utterances by reason, and `unplaced_speakers` those who have no other. `min_speakers`
    is what a search needs of each cohort in both halves. `enough` tells whether an audit could give a gap
    at all; `reason` says why not.
    """

    name: str
    kind: Literal["label", "search"]
    speakers: int
    utterances: int
    ref_words: int
    unplaced: dict[str, int]
    unplaced_speakers: int
    enough: bool
    reason: str | None
    min_speakers: int | None = None
    detectable: Detectable | None = None
    values: tuple[ValueCheck, ...] = ()


class LogCheck(Plain, frozen=True, kw_only=True):
    """Everything that can be said of a log without saying whom the recogniser serves well.

    `rows` are those of the log's files, `utterances` those that are left by `where` and by what was
    excluded. `n_effective` is the number of equal talkers that the speakers are worth. `detectable` are
    gaps of cohorts that are known beforehand, at this `power` and `confidence`; a cohort that has to be
    found needs about `search_cost` times as much, and any cohort `fewest_in_half` speakers in both halves
    of a split, which `fewest_speakers` mostly give.

    See Also
    --------
    fairaudit.check : makes one.
    """

    schema_version: int
    fairaudit_version: str
    seed: int
    splits: int
    min_speakers_shown: int
    inputs: tuple[Source, ...]
    joined: tuple[Joined, ...]
    columns: tuple[Column, ...]
    metric: Metric
    scoring: Scoring | None
    where: dict[str, tuple[str, ...]]
    missing: dict[str, tuple[str, ...]]
    rows: int
    utterances: int
    speakers: int
    ref_words: int
    n_effective: float
    independent_utterances: bool
    excluded: dict[str, int]
    unchecked: tuple[str, ...]
    warnings: tuple[str, ...]
    text: TextTally | None
    power: float
    confidence: float
    fewest_in_half: int
    fewest_speakers: int
    search_cost: float
    detectable: tuple[Detectable, ...]
    partitions: tuple[PartitionCheck, ...]
    skipped: dict[str, str]

    def __repr__(self) -> str:
        names = ", ".join(p.name for p in self.partitions)
        return f"<LogCheck of {self.speakers:,} speakers by {names or 'nothing'}; see .to_text()>"

    def _repr_html_(self) -> str:
        from fairaudit.report import notebook

        return notebook.of_check(self)

    def partition(self, name: str) -> PartitionCheck:
        """Return one partition by name.

        Raises
        ------
        KeyError
            If the check has no partition of that name.
        """
        return {p.name: p for p in self.partitions}[name]

    def to_json(self) -> str:
        """Return the JSON form: two-space indent, fields in the order of the schema."""
        return encode(self)

    def to_text(self, width: int = 120) -> str:
        """Return what the command prints.

        Parameters
        ----------
        width : int
            Columns of the terminal, at least 80.
        """
        from fairaudit.report.checked import check_text

        return check_text(self, width)
