"""The utterance log: its column names, what was read, and what was left out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from fairaudit.exceptions import LogError, nearest
from fairaudit.provenance import Joined, Metric, Scoring, Selection, Source

if TYPE_CHECKING:
    import narwhals as nw

IDS = ("utterance_id", "speaker_id")
KINDS = ("substitutions", "deletions", "insertions")
COUNTS = ("ref_words", "errors", *KINDS)
COORDINATES = ("latitude", "longitude")
TEXTS = ("reference", "hypothesis")
#: What the texts of an utterance were like, 0 or 1; scoring makes them.
MISSING = "missing_hypothesis"
FLAGS = (MISSING, "empty_reference", "empty_hypothesis", "looped")
#: Every column that has a meaning of its own; all others are labels that can be audited.
CANONICAL = (
    "utterance_id",
    "speaker_id",
    *COUNTS,
    *FLAGS,
    *TEXTS,
    *COORDINATES,
    "zip_code",
    "embedding",
    "duration",
)
#: Beginning of columns that hold other models' transcripts, which are no labels.
TRANSCRIPTS = "pred_text"
#: How an utterance without a hypothesis can be counted.
MISSING_HYPOTHESIS = ("delete", "exclude")


class Engine(Protocol):
    """Where the rows of a log are."""

    def frame_of(self, columns: Mapping[str, Sequence[Any]]) -> nw.LazyFrame[Any]:
        """Make a frame that can be joined to the log."""

    def copied(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Compute a frame once, also one of another engine, so that it can be joined to the log."""


@dataclass(frozen=True)
class Coverage:
    """How a file that was joined fits the log; the ids are for the user's eyes and never stored.

    Parameters
    ----------
    record : Joined
    name : str
        Of the file.
    only_in_log, only_in_file : tuple of str
        The first ids that the other side lacks.
    """

    record: Joined
    name: str
    only_in_log: tuple[str, ...]
    only_in_file: tuple[str, ...]

    def lines(self) -> list[str]:
        """Word it, for standard error."""
        r = self.record
        matched = f"{r.utterances_matched:,} of {r.utterances:,}"
        if r.key == "utterance_id":
            of_log, of_file = f"{matched} utterances of the log are in it", "rows are in the log"
        else:
            of_log, of_file = f"{matched} utterances are of speakers in it", "speakers are in the log"
        told = [f"{r.role} {self.name}: {of_log}, {r.rows_matched:,} of its {r.rows:,} {of_file}"]
        for ids, where in (
            (self.only_in_log, "only in the log"),
            (self.only_in_file, f"only in {self.name}"),
        ):
            if ids:
                told.append(f"  {where}, such as: {', '.join(ids)}")
        return told


@dataclass(frozen=True, eq=False)
class UtteranceLog:
    """A log that was read and checked; `fairaudit.read_log` makes one.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        Included rows only, canonical names: ids text, counts int64, coordinates float64 in degrees,
        ZIP codes text of five characters, everything else text.
    columns : frozenset of str
        Canonical columns that are there; `embedding` also where a file of embeddings was given.
    labels : tuple of str
        Columns that can be audited.
    excluded : mapping of str to int
        Reason to number of utterances.
    unchecked, warnings : tuple of str
    inputs : tuple of Source
    scoring : Scoring or None
    metric : Metric
    independent_utterances : bool
        Whether each utterance stands for a speaker of its own, for want of speaker ids.
    selection : Selection
        What of the inputs was read, and under which names.
    coverage : tuple of Coverage
        Of each file that was joined.
    texts : narwhals.LazyFrame or None
        Where text was scored: the rows of `frame`, and those that are left out for want of a hypothesis.
    tallies : tuple of str
        Whole-number columns of `texts` that are added up beside the counts.
    rows : int
        Of the inputs, before any was left out.
    vectors : mapping of str to ndarray or None
        Sum of unit vectors by speaker, from a file of embeddings.
    engine : Engine
        Holds connections and temporary files as long as the log lives.
    """

    frame: nw.LazyFrame[Any]
    columns: frozenset[str]
    labels: tuple[str, ...]
    excluded: Mapping[str, int]
    unchecked: tuple[str, ...]
    warnings: tuple[str, ...]
    inputs: tuple[Source, ...]
    scoring: Scoring | None
    metric: Metric
    independent_utterances: bool
    selection: Selection
    engine: Engine = field(repr=False)
    coverage: tuple[Coverage, ...] = ()
    texts: nw.LazyFrame[Any] | None = None
    tallies: tuple[str, ...] = ()
    rows: int = 0
    vectors: Mapping[str, Any] | None = None

    def _repr_html_(self) -> str:
        from fairaudit.report import notebook

        return notebook.of_log(self)


def rename(available: Sequence[str], columns: Mapping[str, str]) -> dict[str, str]:
    """Return canonical name to actual name for every column of a file.

    Parameters
    ----------
    available : sequence of str
        Columns that the file has.
    columns : mapping of str to str
        Canonical to actual, of those that it has.

    Examples
    --------
    >>> rename(["spk", "ref_words"], {"speaker_id": "spk"})
    {'speaker_id': 'spk', 'ref_words': 'ref_words'}
    """
    taken = set(columns.values())
    # A column whose name was given to another one keeps its content under no name.
    rest = {name: name for name in available if name not in taken and name not in columns}
    return {**columns, **rest}


def check_names(names: Sequence[str], where: str) -> None:
    """Refuse columns that the engine could not tell apart: for it, case makes no difference.

    Raises
    ------
    LogError
        If a column has no name, or two have the same.

    Examples
    --------
    >>> check_names(["accent", "Accent"], "log.csv")
    Traceback (most recent call last):
    fairaudit.exceptions.LogError: the columns 'accent' and 'Accent' have one name
      where:   log.csv
      fix:     rename one of them; case alone does not tell columns apart
    """
    seen: dict[str, str] = {}
    for name in names:
        if not name:
            raise LogError("a column has no name", where=where, fix="name it")
        if name.lower() in seen:
            raise LogError(
                f"the columns '{seen[name.lower()]}' and '{name}' have one name",
                where=where,
                fix="rename one of them; case alone does not tell columns apart",
            )
        seen[name.lower()] = name


def has_counts(names: Iterable[str]) -> bool:
    """Tell whether errors and reference words are there as numbers.

    Examples
    --------
    >>> has_counts(["ref_words", "errors"]), has_counts(["ref_words", "substitutions"])
    (True, False)
    """
    there = set(names)
    return "ref_words" in there and ("errors" in there or there >= set(KINDS))


def check_columns(names: Iterable[str], *, independent: bool) -> None:
    """Refuse a log without speakers or without counts.

    Raises
    ------
    LogError
        Names the columns that are there and how to map them.
    """
    there = sorted(names)
    if len(there) == 1 and (found := [c for c in ";\t|" if c in there[0]]):
        raise LogError(
            f"the log has a single column, '{there[0]}': its fields seem to be divided by {found[0]!r}",
            allowed="commas in .csv, tabs in .tsv",
            fix="name a file with tabs .tsv, or write it anew with commas",
        )
    if "speaker_id" not in there and not independent:
        raise LogError(
            "the log has no speaker_id, and speakers are the unit of independence",
            allowed=nearest("speaker_id", there),
            fix="name it with --column speaker_id=ACTUAL; if every utterance is of another speaker, "
            "say so with --assume-independent-utterances",
        )
    if "speaker_id" in there and independent:
        raise LogError(
            "the log has speaker_id, so its utterances are not independent",
            where="--assume-independent-utterances",
            fix="leave the option out",
        )
    if not has_counts(there) and not set(TEXTS) <= set(there):
        one = [text for text in TEXTS if text in there]
        fixes = {
            "hypothesis": "give the references with --references FILE, or name them with "
            "--column reference=ACTUAL",
            "reference": "name the hypotheses with --column hypothesis=ACTUAL; or, if they are in a file of "
            "their own, give it as LOG and this one with --references",
        }
        fix = fixes[one[0]] if one else "name them with --column ref_words=ACTUAL, and so on"
        raise LogError(
            f"the log has a {one[0]} and no other text"
            if one
            else "the log has no counts and no text to score",
            where=f"columns: {', '.join(there)}",
            allowed="ref_words with errors, or with substitutions, deletions and insertions; "
            "or reference and hypothesis",
            fix=fix,
        )


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
