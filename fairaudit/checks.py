"""Checks of the utterance log, row by row. They know no engine: each is an expression.

An empty reference is no reason to refuse an utterance: its words are 0 and its insertions count as
errors, since WER is a ratio of sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fairaudit.exceptions import LogError, nearest
from fairaudit.log import COORDINATES, COUNTS, KINDS, TEXTS

if TYPE_CHECKING:
    import narwhals as nw

#: Duplicate utterance ids are looked for up to this many rows.
MOST_ROWS_FOR_DUPLICATES = 2_000_000
#: Values of a label that look like a missing value which nobody declared.
LIKELY_MISSING = ("NA", "N/A", "n/a", "nan", "NaN", "None", "none", "null", "NULL", "unknown", "-", "?")

#: Columns that the checks add and that no log keeps.
WORKING = ("reason", "zip_repair", "text_reason")
#: Kinds of `zip_repair` that changed something, and how they are told.
REPAIRS = {
    "zeros": "ZIP codes had lost leading zeros, which were restored",
    "ZIP+4": "ZIP+4 codes were cut to five digits",
}

#: Why a row is left out, in the order in which reasons are tried, each with what to do about it.
REMEDIES = {
    "missing_speaker_id": "name the speakers in speaker_id, or raise --max-excluded",
    "missing_reference": "give every utterance a reference",
    "missing_hypothesis": "give every utterance a hypothesis",
    "missing_counts": "give every utterance its ref_words and errors",
    "not_a_number": "write plain numbers, or declare the text with --missing COLUMN=TEXT",
    "negative_counts": "counts are whole numbers from 0",
    "fractional_counts": "counts are whole numbers: give errors and words, not rates",
    "errors_not_sum_of_kinds": "errors must be substitutions + deletions + insertions",
    "coordinates_swapped": "try --column latitude=longitude --column longitude=latitude",
    "coordinates_out_of_range": "latitude is -90 to 90 and longitude -180 to 180 degrees",
    "one_coordinate_missing": "give both coordinates or neither",
    "malformed_zip_code": "a ZIP code is text of five digits; keep its leading zeros",
    "duplicate_utterance_id": "give every utterance an id of its own",
}


def narrow(frame: nw.LazyFrame[Any], where: Mapping[str, Sequence[str]]) -> nw.LazyFrame[Any]:
    """Keep rows that have any of the given values in each of the given columns."""
    import narwhals as nw

    there = frame.collect_schema().names()
    for column, values in where.items():
        if column not in there:
            raise LogError(
                f"the log has no column '{column}'",
                where=f"--where {column}=...",
                allowed=nearest(column, there),
            )
        frame = frame.filter(nw.col(column).cast(nw.String).is_in(list(values)))
    return frame


def blank(frame: nw.LazyFrame[Any], missing: Mapping[str, Sequence[str]]) -> nw.LazyFrame[Any]:
    """Make empty texts null, and those that the user declares; an empty hypothesis stays."""
    import narwhals as nw

    schema = frame.collect_schema()
    for column in missing:
        if column not in schema:
            raise LogError(
                f"the log has no column '{column}'",
                where=f"--missing {column}=...",
                allowed=nearest(column, schema),
            )
    blanked = []
    for name, kind in schema.items():
        text = nw.col(name).cast(nw.String)
        empty = [] if name in TEXTS or kind != nw.String else [""]
        out = [*empty, *missing.get(name, ())]
        if out:
            blanked.append(nw.when(~text.is_in(out)).then(nw.col(name)).otherwise(None).alias(name))
    return frame.with_columns(*blanked) if blanked else frame


def typed(frame: nw.LazyFrame[Any], zip_codes: Sequence[str]) -> nw.LazyFrame[Any]:
    """Give every column its type, and every row the reason why it is left out, or null.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        Canonical names.
    zip_codes : sequence of str
        Known ZIP codes with a leading zero, by which codes that lost it are repaired.

    Returns
    -------
    narwhals.LazyFrame
        With the columns `reason`, and `zip_repair` where there are ZIP codes.
    """
    import narwhals as nw

    schema = frame.collect_schema()
    steps: list[nw.Expr] = []
    for name, kind in schema.items():
        if name in COUNTS or name in COORDINATES:
            steps += _number(name, kind)
        elif name != "embedding":
            steps.append(_text(name, kind).alias(name))
    frame = frame.with_columns(*steps)
    if "zip_code" in schema:
        frame = _zip_codes(frame, zip_codes)
    reason = nw.lit(None).cast(nw.String)
    for holds, name in reversed(_reasons(schema.names())):
        reason = nw.when(holds.fill_null(False)).then(nw.lit(name)).otherwise(reason)
    frame = frame.with_columns(reason.alias("reason"))
    if set(KINDS) <= set(schema):
        frame = frame.with_columns((nw.col(KINDS[0]) + nw.col(KINDS[1]) + nw.col(KINDS[2])).alias("errors"))
    return frame.drop([f"{name}:bad" for name in (*COUNTS, *COORDINATES) if name in schema])


def _reasons(names: Sequence[str]) -> list[tuple[nw.Expr, str]]:
    """List what a row is left out for, in the order in which it is tried."""
    import narwhals as nw

    reasons: list[tuple[nw.Expr, str]] = []
    counts = [name for name in COUNTS if name in names]
    if "speaker_id" in names:
        reasons.append((nw.col("speaker_id").is_null(), "missing_speaker_id"))
    if "text_reason" in names:
        texts = ("missing_reference", "missing_hypothesis")
        reasons += [(nw.col("text_reason") == name, name) for name in texts]
    numeric = [*counts, *(name for name in COORDINATES if name in names)]
    reasons += [(nw.col(f"{name}:bad"), "not_a_number") for name in numeric]
    needed = [name for name in counts if name != "errors"] if set(KINDS) <= set(counts) else counts
    reasons += [(nw.col(name).is_null(), "missing_counts") for name in needed]
    reasons += [(nw.col(name) < 0, "negative_counts") for name in counts]
    reasons += [(nw.col(name) != nw.col(name).round(0), "fractional_counts") for name in counts]
    if set(KINDS) <= set(counts) and "errors" in counts:
        total = nw.col(KINDS[0]) + nw.col(KINDS[1]) + nw.col(KINDS[2])
        reasons.append((nw.col("errors") != total, "errors_not_sum_of_kinds"))
    if set(COORDINATES) <= set(names):
        reasons += _coordinate_reasons()
    if "zip_code" in names:
        reasons.append((nw.col("zip_repair") == "malformed", "malformed_zip_code"))
    return reasons


def mark_duplicates(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Give rows that share an utterance id that reason; none of them can be told to be the right one."""
    import narwhals as nw

    shared = (nw.len().over("utterance_id") > 1) & ~nw.col("utterance_id").is_null()
    reason = (
        nw.when(nw.col("reason").is_null() & shared)
        .then(nw.lit("duplicate_utterance_id"))
        .otherwise(nw.col("reason"))
    )
    return frame.with_columns(reason.alias("reason"))


def tallies(frame: nw.LazyFrame[Any], labels: Sequence[str]) -> list[nw.Expr]:
    """Count rows by reason, by repair of the ZIP code, and by label that may mean a missing value."""
    import narwhals as nw

    def count(holds: nw.Expr, name: str) -> nw.Expr:
        return holds.fill_null(False).cast(nw.Int64).sum().alias(name)

    counted = [count(nw.col("reason") == reason, reason) for reason in REMEDIES]
    if "zip_repair" in frame.collect_schema():
        counted += [count(nw.col("zip_repair") == kind, kind) for kind in REPAIRS]
    return counted + [count(nw.col(name).is_in(LIKELY_MISSING), f"label:{name}") for name in labels]


def warnings_of(found: Mapping[str, int], labels: Sequence[str]) -> list[str]:
    """Word what was repaired, and which labels may mean a missing value.

    Examples
    --------
    >>> warnings_of({"zeros": 3, "label:accent": 2}, ["accent"])
    ['3 ZIP codes had lost leading zeros, which were restored',
     '2 rows have an accent that may mean a missing value (such as NA); if so: --missing accent=NA']
    """
    notes = [f"{int(found[kind]):,} {text}" for kind, text in REPAIRS.items() if found.get(kind)]
    for name in labels:
        if rows := int(found.get(f"label:{name}") or 0):
            article = "an" if name[0] in "aeiou" else "a"
            notes.append(
                f"{rows:,} rows have {article} {name} that may mean a missing value (such as NA); "
                f"if so: --missing {name}=NA"
            )
    return notes


def is_final(frame: nw.LazyFrame[Any]) -> bool:
    """Tell whether columns have the types of a checked log, so that a clean one is read in place."""
    import narwhals as nw

    for name, kind in frame.collect_schema().items():
        if name in COUNTS:
            fits = kind.is_integer()
        elif name in COORDINATES:
            fits = kind.is_float()
        else:
            fits = name == "embedding" or kind == nw.String
        if not fits or name in WORKING:
            return False
    return True


def final(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Make the counts of included rows whole numbers, and add the errors of kinds up."""
    import narwhals as nw

    there = frame.collect_schema().names()
    frame = frame.with_columns(*(nw.col(name).cast(nw.Int64) for name in COUNTS if name in there))
    if "errors" not in there:
        frame = frame.with_columns((nw.col(KINDS[0]) + nw.col(KINDS[1]) + nw.col(KINDS[2])).alias("errors"))
    for name in (name for name in COORDINATES if name in there):
        # NaN is how data frames write a missing number.
        frame = frame.with_columns(nw.when(~nw.col(name).is_nan()).then(nw.col(name)).alias(name))
    return frame.drop([name for name in there if name in WORKING])


def _number(name: str, kind: Any) -> list[nw.Expr]:
    """Read a number; what is there but is none is marked apart."""
    import narwhals as nw

    column = nw.col(name)
    if kind.is_numeric():
        number = column.cast(nw.Float64)
        finite = number.is_finite().fill_null(True)
        # NaN is how data frames write a missing number.
        absent = number.is_nan().fill_null(False) if kind.is_float() else nw.lit(False)
        return [
            nw.when(finite).then(number).otherwise(None).alias(name),
            (~finite & ~absent).alias(f"{name}:bad"),
        ]
    text = column.cast(nw.String).str.strip_chars()
    fits = text.str.contains(r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$")
    safe = nw.when(fits).then(text).otherwise(None).cast(nw.Float64)
    return [safe.alias(name), (~fits).fill_null(False).alias(f"{name}:bad")]


def _text(name: str, kind: Any) -> nw.Expr:
    """Read text; a number that stands for an id or a ZIP code loses a trailing `.0`, not its digits."""
    import narwhals as nw

    column = nw.col(name)
    if kind.is_float():
        fits = (column == column.round(0)) & (column.abs() < 2**53)
        digits = nw.when(fits).then(column).otherwise(None).cast(nw.Int64).cast(nw.String)
        other = nw.when(column.is_nan()).then(None).otherwise(column.cast(nw.String))
        return nw.when(fits).then(digits).otherwise(other)
    return column.cast(nw.String)


def _coordinate_reasons() -> list[tuple[nw.Expr, str]]:
    import narwhals as nw

    latitude, longitude = nw.col("latitude"), nw.col("longitude")
    impossible = (latitude.abs() > 90) & (longitude.abs() <= 90)
    # South of the last village, and once swapped in the range of inhabited latitudes.
    antarctic = (latitude < -60) & (longitude >= 15) & (longitude <= 75)
    return [
        (impossible | antarctic, "coordinates_swapped"),
        ((latitude.abs() > 90) | (longitude.abs() > 180), "coordinates_out_of_range"),
        (latitude.is_null() != longitude.is_null(), "one_coordinate_missing"),
    ]


def _zip_codes(frame: nw.LazyFrame[Any], known: Sequence[str]) -> nw.LazyFrame[Any]:
    """Cut ZIP+4 and restore lost zeros where only one ZIP code can be meant; the rest is malformed."""
    import narwhals as nw

    text = nw.col("zip_code").str.strip_chars()
    five = text.str.contains(r"^[0-9]{5}$")
    plus_four = text.str.contains(r"^[0-9]{5}-?[0-9]{4}$")
    short = text.str.contains(r"^[0-9]{3,4}$")
    padded = nw.when(short).then(text).otherwise(None).str.zfill(5)
    restored = padded.is_in(list(known)) if known else nw.lit(False)
    repair = (
        nw.when(five)
        .then(nw.lit(""))
        .otherwise(
            nw.when(plus_four)
            .then(nw.lit("ZIP+4"))
            .otherwise(
                nw.when(restored)
                .then(nw.lit("zeros"))
                .otherwise(nw.when(text.is_null()).then(nw.lit("")).otherwise(nw.lit("malformed")))
            )
        )
    )
    code = nw.when(restored).then(padded).otherwise(text.str.slice(0, 5))
    return frame.with_columns(repair.alias("zip_repair"), code.alias("zip_code"))
