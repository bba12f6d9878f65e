"""Utterances without a hypothesis: refused until it is said how they count, and never dropped silently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fairaudit.checks import as_text
from fairaudit.exceptions import LogError, OptionError
from fairaudit.log import IDS, TEXTS
from fairaudit.readers.joining import ONLY_REFERENCE
from fairaudit.readers.refusal import names_of, quoted
from fairaudit.readers.workspace import run

if TYPE_CHECKING:
    import narwhals as nw

    from fairaudit.provenance import Source

#: Ids that are named.
MOST_NAMED = 3


def check_placed(frame: nw.LazyFrame[Any], where: Mapping[str, Sequence[str]]) -> list[str]:
    """Refuse a selection by what utterances without a hypothesis do not have.

    They are rows that only the references have, and what only the log knows of an utterance is missing of
    them, so that a selection would drop them.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        As it was gathered.
    where : mapping of str to sequence of str

    Returns
    -------
    warnings : list of str
        How many utterances have no reference and, for want of what only the references know, are dropped.

    Raises
    ------
    LogError
        If utterances without a hypothesis lack a column of the selection.
    """
    import narwhals as nw

    schema = frame.collect_schema()
    columns = [column for column in where if column in schema]
    if ONLY_REFERENCE not in schema or not columns:
        return []
    notes = []
    for column in columns:
        lacking = nw.col(column).is_null()
        if schema[column] == nw.String:
            lacking = lacking | (nw.col(column) == "")
        if n := _count(frame.filter(lacking & nw.col(ONLY_REFERENCE))):
            raise LogError(
                f"{_utterances(n)} no hypothesis and no {column}, so that nobody can tell whether "
                f"{'it is' if n == 1 else 'they are'} wanted",
                where=f"--where {column}=...",
                fix=f"give {column} for every utterance with --metadata FILE or in the references, "
                "or leave --where out",
            )
        if "reference" in schema and (n := _count(frame.filter(lacking & nw.col("reference").is_null()))):
            notes.append(f"left out by --where {column}: {n:,} utterances without a reference and a {column}")
    return notes


def take_missing(
    frame: nw.LazyFrame[Any], how: str | None, inputs: Sequence[Source], *, scored: bool
) -> tuple[nw.LazyFrame[Any], int]:
    """Refuse utterances without a hypothesis, unless it is said how they count.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        Canonical names.
    how : {"delete", "exclude"} or None
    inputs : sequence of Source
    scored : bool
        Whether text is scored, which sees to them itself; else the log has counts, and they are the
        rows that only the references have.

    Returns
    -------
    frame : narwhals.LazyFrame
    left_out : int
        Rows of a log of counts that were left out here, as asked.

    Raises
    ------
    LogError
        Says how many there are, and names the first ones.
    OptionError
        If they are to count as deleted in a log of counts, which has no words of theirs.
    """
    import narwhals as nw

    schema = frame.collect_schema()
    marked = ONLY_REFERENCE in schema
    left_out = 0
    if scored and set(TEXTS) <= set(schema):
        without = frame.filter(nw.col("hypothesis").is_null() & ~nw.col("reference").is_null())
        if how is None:
            _refuse(without, inputs)
    elif marked and not scored:
        without = frame.filter(nw.col(ONLY_REFERENCE))
        if how is None:
            _refuse(without, inputs)
        left_out = _count(without)
        if left_out and how == "delete":
            raise OptionError(
                f"{_utterances(left_out)} no counts, and the words to be counted as deleted are not known",
                where="--missing-hypothesis delete",
                allowed="exclude, for a log of counts",
                fix="give hypotheses instead of counts, or exclude",
            )
        frame = frame.filter(~nw.col(ONLY_REFERENCE))
    return (frame.drop([ONLY_REFERENCE]) if marked else frame), left_out


def _refuse(without: nw.LazyFrame[Any], inputs: Sequence[Source]) -> None:
    rows = _count(without)
    if not rows:
        return
    schema = without.collect_schema()
    named = next((name for name in IDS if name in schema), None)
    first: list[str] = []
    if named is not None:
        ids = without.select(as_text(named, schema[named]).alias("id")).sort("id").head(MOST_NAMED)
        first = run(lambda: ids.collect("pyarrow"), "the log")["id"].to_list()
    such = f", such as {named} {', '.join(map(quoted, first))}" if first else ""
    raise LogError(
        f"{_utterances(rows)} no hypothesis{such}",
        where=names_of(inputs),
        allowed="a hypothesis for every utterance; an empty text is one, a missing value is not",
        fix="say how they count: --missing-hypothesis delete (all of their words are deletions), "
        "or exclude (they are left out, and their share is reported for every cohort)",
    )


def _utterances(n: int) -> str:
    return "1 utterance has" if n == 1 else f"{n:,} utterances have"


def _count(frame: nw.LazyFrame[Any]) -> int:
    import narwhals as nw

    return int(run(lambda: frame.select(nw.len().alias("n")).collect("pyarrow"), "the log")["n"][0])
