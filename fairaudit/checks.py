"""Checks of the utterance log, row by row. They know no engine: each is an expression.

An empty reference is no reason to refuse an utterance: its words are 0 and its insertions count as
errors, since WER is a ratio of sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fairaudit.log import COORDINATES, COUNTS, FLAGS, KINDS

if TYPE_CHECKING:
    import narwhals as nw

#: Duplicate utterance ids are looked for up to this many rows.
MOST_ROWS_FOR_DUPLICATES = 2_000_000
#: Values of a label that look like a missing value which nobody declared.
LIKELY_MISSING = ("NA", "N/A", "n/a", "nan", "NaN", "None", "none", "null", "NULL", "unknown", "-", "?")

#: Beginning of the columns that are ours and no label, and of those that hold other normalisers' counts.
OURS = "fairaudit:"
OTHER = (f"{OURS}ref_words:", f"{OURS}errors:")
#: The CRC-32 of the normalised reference, by which utterances of two logs are paired; never written.
REFERENCE = f"{OURS}reference"
#: Columns that the checks add and that no log keeps: why a row is left out, and what became of its ZIP
#: code; and, from scoring, why a text could not be scored. No label is called like this.
REASON, REPAIR, UNSCORED = WORKING = ("fairaudit:reason", "fairaudit:repair", "fairaudit:unscored")
#: Beginning of the columns that tell which numbers cannot be read.
BAD = "fairaudit:bad:"
#: Kinds of repair of a ZIP code, and how they are told.
REPAIRS = {
    "zeros": "ZIP codes had lost leading zeros, which were restored",
    "ZIP+4": "ZIP+4 codes were cut to five digits",
    "decimals": "ZIP codes had been written as decimal numbers, which were made text again",
    "spaces": "ZIP codes had spaces around them, which were removed",
}
#: Largest count: up to here every whole number is exact in floating point, and sums stay in 64 bits.
LARGEST = 2**53

#: Why a row is left out, in the order in which reasons are tried, each with what to do about it.
REMEDIES = {
    "missing_reference": "give every utterance a reference",
    "missing_hypothesis": "give every utterance a hypothesis",
    "missing_speaker_id": "name the speakers in speaker_id, or raise --max-excluded",
    "missing_counts": "give every utterance its ref_words and errors",
    "not_a_number": "write plain numbers (below 2^53), or declare the text with --missing COLUMN=TEXT",
    "negative_counts": "counts are whole numbers from 0",
    "fractional_counts": "counts are whole numbers: give errors and words, not rates",
    "errors_not_sum_of_kinds": "errors must be substitutions + deletions + insertions",
    "coordinates_swapped": "try --column latitude=longitude --column longitude=latitude",
    "coordinates_out_of_range": "latitude is -90 to 90 and longitude -180 to 180 degrees",
    "one_coordinate_missing": "give both coordinates or neither",
    "malformed_zip_code": "a ZIP code is text of five digits; keep its leading zeros, or declare the text "
    "with --missing zip_code=TEXT",
    "duplicate_utterance_id": "give every utterance an id of its own",
}


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
        With the column `REASON`, and `REPAIR` where there are ZIP codes.
    """
    import narwhals as nw

    schema = frame.collect_schema()
    numeric = [name for name in (*COUNTS, *FLAGS, *COORDINATES) if name in schema]
    steps: list[nw.Expr] = []
    for name, kind in schema.items():
        if name in numeric:
            steps += number(name, kind)
        elif name != "embedding" and not name.startswith(OURS):
            steps.append(as_text(name, kind).alias(name))
    frame = frame.with_columns(*steps)
    if "zip_code" in schema:
        frame = _zip_codes(frame, zip_codes)
    reason = nw.lit(None).cast(nw.String)
    whole = [name for name in COUNTS if name in schema and schema[name].is_integer()]
    for holds, name in reversed(_reasons(schema.names(), whole)):
        reason = nw.when(holds.fill_null(False)).then(nw.lit(name)).otherwise(reason)
    return frame.with_columns(reason.alias(REASON)).drop([BAD + name for name in numeric])


def _reasons(names: Sequence[str], whole: Sequence[str]) -> list[tuple[nw.Expr, str]]:
    """List what a row is left out for, in the order in which it is tried."""
    import narwhals as nw

    reasons: list[tuple[nw.Expr, str]] = []
    counts = [name for name in COUNTS if name in names]
    if UNSCORED in names:
        # First, since what only the references know of an utterance is missing where there are none.
        texts = ("missing_reference", "missing_hypothesis")
        reasons += [(nw.col(UNSCORED) == name, name) for name in texts]
    if "speaker_id" in names:
        reasons.append((nw.col("speaker_id").is_null(), "missing_speaker_id"))
    numeric = [*counts, *(name for name in (*FLAGS, *COORDINATES) if name in names)]
    reasons += [(nw.col(BAD + name), "not_a_number") for name in numeric]
    needed = [name for name in counts if name != "errors"] if set(KINDS) <= set(counts) else counts
    reasons += [(nw.col(name).is_null(), "missing_counts") for name in needed]
    reasons += [(nw.col(name) < 0, "negative_counts") for name in counts]
    fractions = [name for name in counts if name not in whole]
    reasons += [(nw.col(name) != nw.col(name).round(0), "fractional_counts") for name in fractions]
    if set(KINDS) <= set(counts) and "errors" in counts:
        reasons.append((nw.col("errors") != _sum_of_kinds(), "errors_not_sum_of_kinds"))
    if set(COORDINATES) <= set(names):
        reasons += _coordinate_reasons()
    if "zip_code" in names:
        reasons.append((nw.col(REPAIR) == "malformed", "malformed_zip_code"))
    return reasons


def mark_duplicates(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Give rows that share an utterance id that reason; none of them can be told to be the right one."""
    import narwhals as nw

    shared = (nw.len().over("utterance_id") > 1) & ~nw.col("utterance_id").is_null()
    reason = (
        nw.when(nw.col(REASON).is_null() & shared)
        .then(nw.lit("duplicate_utterance_id"))
        .otherwise(nw.col(REASON))
    )
    return frame.with_columns(reason.alias(REASON))


def tallies(frame: nw.LazyFrame[Any], suspects: Sequence[str]) -> list[nw.Expr]:
    """Count rows by reason and by repair of the ZIP code, and texts that may mean a missing value.

    Parameters
    ----------
    frame : narwhals.LazyFrame
        From `typed`.
    suspects : sequence of str
        Columns of which texts such as NA are pointed at, and one of them is shown.
    """
    import narwhals as nw

    def count(holds: nw.Expr, name: str) -> nw.Expr:
        return holds.fill_null(False).cast(nw.Int64).sum().alias(name)

    counted = [count(nw.col(REASON) == reason, reason) for reason in REMEDIES]
    if REPAIR in frame.collect_schema():
        counted += [count(nw.col(REPAIR) == kind, kind) for kind in REPAIRS]
    for name in suspects:
        likely = nw.col(name).is_in(LIKELY_MISSING)
        counted.append(count(likely, f"likely:{name}"))
        counted.append(nw.when(likely).then(nw.col(name)).otherwise(None).min().alias(f"such as:{name}"))
    return counted


def warnings_of(found: Mapping[str, Any], suspects: Sequence[str]) -> list[str]:
    """Word what was repaired, and which texts may mean a missing value.

    Examples
    --------
    >>> warnings_of({"zeros": 3, "likely:accent": 2, "such as:accent": "NA"}, ["accent"])
    ['3 ZIP codes had lost leading zeros, which were restored',
     "2 rows have a text in accent that may mean a missing value, such as 'NA'; if so: --missing accent=NA"]
    """
    notes = [f"{int(found[kind]):,} {text}" for kind, text in REPAIRS.items() if found.get(kind)]
    for name in suspects:
        if rows := int(found.get(f"likely:{name}") or 0):
            value = found[f"such as:{name}"]
            notes.append(
                f"{rows:,} rows have a text in {name} that may mean a missing value, such as '{value}'; "
                f"if so: --missing {name}={value}"
            )
    return notes


def reads_in_place(frame: nw.LazyFrame[Any]) -> bool:
    """Tell whether a log without faults can be read where it is: all of its numbers are numbers."""
    schema = frame.collect_schema()
    return all(schema[name].is_numeric() for name in (*COUNTS, *FLAGS, *COORDINATES) if name in schema)


def final(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Give the rows that are left their types, and add the errors of kinds up."""
    import narwhals as nw

    schema = frame.collect_schema()
    steps = []
    for name, kind in schema.items():
        if name in COUNTS:
            steps.append(nw.col(name).cast(nw.Int64))
        elif name in FLAGS:
            steps.append(nw.col(name).fill_null(0).cast(nw.Int64))
        elif name in COORDINATES:
            degrees = nw.col(name).cast(nw.Float64)
            # NaN is how data frames write a missing number.
            steps.append(nw.when(~degrees.is_nan()).then(degrees).otherwise(None).alias(name))
        elif name != "embedding" and kind != nw.String and not name.startswith(OURS):
            steps.append(as_text(name, kind).alias(name))
    frame = frame.with_columns(*steps).drop([name for name in schema if name in WORKING])
    return frame.with_columns(_sum_of_kinds().alias("errors")) if set(KINDS) <= set(schema) else frame


def as_text(name: str, kind: Any) -> nw.Expr:
    """Read a column as text; of a floating-point number, the digits: 12.0 is the id 12.

    Parameters
    ----------
    name : str
    kind : narwhals.dtypes.DType
    """
    import narwhals as nw

    column = nw.col(name)
    if kind.is_float():
        fits = (column == column.round(0)) & (column.abs() < LARGEST)
        digits = nw.when(fits).then(column).otherwise(None).cast(nw.Int64).cast(nw.String)
        other = nw.when(column.is_nan()).then(None).otherwise(column.cast(nw.String))
        return nw.when(fits).then(digits).otherwise(other)
    return column.cast(nw.String)


def _sum_of_kinds() -> nw.Expr:
    import narwhals as nw

    return nw.col(KINDS[0]) + nw.col(KINDS[1]) + nw.col(KINDS[2])


def number(name: str, kind: Any) -> list[nw.Expr]:
    """Read a number; what is there but cannot be used as one is marked apart, in `BAD` and the name.

    Parameters
    ----------
    name : str
    kind : narwhals.dtypes.DType
    """
    import narwhals as nw

    column = nw.col(name)
    if kind.is_numeric():
        number = column.cast(nw.Float64)
        # NaN is how data frames write a missing number.
        absent = (number.is_nan() if kind.is_float() else number.is_null()).fill_null(True)
    else:
        text = column.cast(nw.String).str.strip_chars()
        fits = text.str.contains(r"^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)?$")
        number = nw.when(fits).then(text).otherwise(None).cast(nw.Float64)
        absent = text.is_null()
    good = (number.is_finite() & (number.abs() <= LARGEST)).fill_null(False)
    return [nw.when(good).then(number).otherwise(None).alias(name), (~good & ~absent).alias(BAD + name)]


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
    # What data frames make of a column of ZIP codes in which one is missing.
    whole = text.str.replace_all(r"\.0+$", "")
    plus_four = text.str.contains(r"^[0-9]{5}-?[0-9]{4}$")
    short = whole.str.contains(r"^[0-9]{3,4}$")
    padded = nw.when(short).then(whole).otherwise(None).str.zfill(5)
    restored = padded.is_in(list(known)) if known else nw.lit(False)
    repair, code = nw.lit("malformed"), text
    # From the last choice to the first.
    for holds, kind, value in (
        (text.is_null(), "", text),
        (restored, "zeros", padded),
        (whole.str.contains(r"^[0-9]{5}$"), "decimals", whole),
        (plus_four, "ZIP+4", text.str.slice(0, 5)),
        (five, "spaces", text),
        (five & (text == nw.col("zip_code")), "", text),
    ):
        repair = nw.when(holds).then(nw.lit(kind)).otherwise(repair)
        code = nw.when(holds).then(value).otherwise(code)
    return frame.with_columns(repair.alias(REPAIR), code.alias("zip_code"))
