"""The refusal of a log of which too much cannot be used: how much, why, and the first row of each kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fairaudit.checks import REASON, REMEDIES, as_text, mark_duplicates, typed
from fairaudit.exceptions import LogError
from fairaudit.log import COORDINATES, COUNTS, IDS, KINDS
from fairaudit.readers.workspace import run

if TYPE_CHECKING:
    import narwhals as nw

    from fairaudit.provenance import Source

#: Columns that a reason is about, in which the first offending value is looked for.
ABOUT: Mapping[str, Sequence[str]] = {
    "missing_speaker_id": ("speaker_id",),
    "missing_counts": COUNTS,
    "not_a_number": (*COUNTS, *COORDINATES),
    "negative_counts": COUNTS,
    "fractional_counts": COUNTS,
    "errors_not_sum_of_kinds": ("errors", *KINDS),
    "coordinates_swapped": COORDINATES,
    "coordinates_out_of_range": COORDINATES,
    "one_coordinate_missing": COORDINATES,
    "malformed_zip_code": ("zip_code",),
}
LONGEST = 20
#: Files that are named.
MOST_FILES = 3


def refuse_too_many(
    frame: nw.LazyFrame[Any],
    zip_codes: Sequence[str],
    excluded: Mapping[str, int],
    rows: int,
    max_excluded: float,
    inputs: Sequence[Source],
    asked: Collection[str] = (),
) -> None:
    """Refuse a log of which more than `max_excluded` of the rows, or all of them, are left out.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        Before it was checked.
    zip_codes : sequence of str
        Known ZIP codes with a leading zero.
    excluded : mapping of str to int
        Reason to number of rows.
    rows : int
        Of the whole log.
    max_excluded : float
    inputs : sequence of Source
    asked : collection of str
        Reasons for which the user asked to leave rows out: any number of them will do.

    Raises
    ------
    LogError
        Names for each reason one value and the utterance or speaker that it belongs to.
    """
    all_out = sum(excluded.values()) == rows
    excluded = {reason: n for reason, n in excluded.items() if all_out or reason not in asked}
    left_out = sum(excluded.values())
    if left_out <= max_excluded * rows and not all_out:
        return
    told = (f"{n:,} {reason} ({_example(frame, zip_codes, reason)})" for reason, n in excluded.items())
    raise LogError(
        f"{left_out:,} of {rows:,} rows cannot be used: {'; '.join(told)}",
        where=names_of(inputs),
        allowed=f"at most {max_excluded:.1%} (--max-excluded)",
        fix="; ".join(f"{reason}: {REMEDIES[reason]}" for reason in excluded),
    )


def names_of(inputs: Sequence[Source]) -> str:
    """Name the files of a log, the surplus as a number."""
    names = [source.name for source in inputs]
    more = f" and {len(names) - MOST_FILES:,} more" if len(names) > MOST_FILES else ""
    return ", ".join(names[:MOST_FILES]) + more


def _example(frame: nw.LazyFrame[Any], zip_codes: Sequence[str], reason: str) -> str:
    """Word one row that is left out for a reason: the same whatever the order of the rows.

    It is looked for only now, since a row that is checked does not keep what was given.
    """
    import narwhals as nw

    schema = frame.collect_schema()
    about = [name for name in ABOUT.get(reason, ()) if name in schema]
    ids = [name for name in IDS if name in schema]
    given = {name: f"fairaudit:given:{name}" for name in dict.fromkeys((*ids, *about))}
    checked = typed(
        frame.with_columns(*(as_text(name, schema[name]).alias(given[name]) for name in given)), zip_codes
    )
    if reason == "duplicate_utterance_id":
        checked = mark_duplicates(checked)
    of_reason = checked.filter(nw.col(REASON) == reason).select(*given, *given.values())
    found = run(lambda: of_reason.sort(*given.values()).head(1).collect("pyarrow"), "the log")
    row = {name: values[0] for name, values in found.to_dict(as_series=False).items()}
    shown = [name for name in about if _offends(reason, row[name], row[given[name]])]
    shown += [name for name in ids if row[name] is not None and name not in shown][:1]
    return ", ".join(f"{name} is {quoted(row[given[name]])}" for name in shown)


def _offends(reason: str, value: Any, given: str | None) -> bool:
    if reason == "missing_counts":
        return given is None
    if reason == "not_a_number":
        return value is None and given is not None
    if reason == "negative_counts":
        return value is not None and value < 0
    if reason == "fractional_counts":
        return value is not None and value % 1 != 0
    return True


def quoted(text: str | None) -> str:
    """Show a value, cut short where it is long."""
    if text is None:
        return "missing"
    return f"'{text[:LONGEST]}...'" if len(text) > LONGEST else f"'{text}'"
