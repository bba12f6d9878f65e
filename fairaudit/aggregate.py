"""The seam: an utterance log to counts per speaker and setting. The only place that knows an engine.

The group-by is one narwhals expression, so it runs where the rows are. Counts are whole numbers and
coordinates become grid cells before they are grouped, so every engine gives the same bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fairaudit.checks import number
from fairaudit.classes import LENGTHS, UTTERANCE_LENGTH, names_between
from fairaudit.counts import Ints, Labels, SpeakerCounts
from fairaudit.exceptions import LogError, OptionError, nearest
from fairaudit.log import COORDINATES, KINDS, UtteranceLog
from fairaudit.readers.workspace import run

if TYPE_CHECKING:
    import narwhals as nw

#: Edge of a grid cell in degrees, by default.
GRID = 0.05
#: Counts are 64-bit whole numbers, and so are their totals.
LARGEST_TOTAL = 2**63 - 1
#: Values up to which a column is one of labels, and where one of numbers is cut.
MOST_CLASSES = 50
QUARTILES = (0.25, 0.5, 0.75)
#: Vectors that are held at once while they are summed by speaker.
VECTORS_AT_ONCE = 50_000


def aggregate(
    log: UtteranceLog, requires: Sequence[str], *, grid: float = GRID, also: Sequence[str] = ()
) -> SpeakerCounts:
    """Count a log by speaker and setting.

    Parameters
    ----------
    log : UtteranceLog
    requires : sequence of str
        Columns that a partition reads: their combinations are the settings. Coordinates become
        integer cells; embeddings are summed by speaker and make no setting.
    grid : float
        Edge of a cell in degrees.
    also : sequence of str
        Further whole-number columns of the frame, which are added up among `kinds`.

    Returns
    -------
    SpeakerCounts

    Raises
    ------
    LogError
        If an embedding is not finite, is zero, or has another length than the others.

    Examples
    --------
    >>> import pandas as pd
    >>> from fairaudit.readers import read_log
    >>> log = read_log(pd.DataFrame({"speaker_id": ["a", "b", "a"], "ref_words": [9, 8, 7],
    ...                              "errors": [1, 0, 2], "device": ["x", "x", "y"]}))
    >>> counts = aggregate(log, ["device"])
    >>> counts.errors.tolist(), counts.labels("device").texts().tolist()
    ([1, 2, 0], ['x', 'y', 'x'])
    """
    kinds = [*(kind for kind in KINDS if kind in log.columns), *also]
    return _counted(log.frame, requires, kinds, grid, _vectors(log) if "embedding" in requires else None)


def aggregate_texts(
    log: UtteranceLog, requires: Sequence[str], counts: SpeakerCounts, *, grid: float = GRID
) -> SpeakerCounts | None:
    """Count the texts of a log by speaker and setting; None where no text was scored.

    Parameters
    ----------
    log : UtteranceLog
    requires : sequence of str
        As for `aggregate`.
    counts : SpeakerCounts
        What `aggregate` returned for the same columns; its embeddings are used.
    grid : float

    Returns
    -------
    SpeakerCounts or None
        Of the rows of the log and of those that are left out for want of a hypothesis; `kinds` are the
        log's `tallies`.
    """
    if log.texts is None:
        return None
    vectors = None
    if counts.embedding_sum is not None:
        vectors = dict(zip(counts.speakers.tolist(), counts.embedding_sum, strict=True))
    return _counted(log.texts, requires, log.tallies, grid, vectors)


def aggregate_given(
    log: UtteranceLog, requires: Sequence[str], columns: Sequence[str], counts: SpeakerCounts, *, grid: float
) -> SpeakerCounts:
    """Count a log by speaker, setting and some further columns, of which numbers are cut into classes.

    Parameters
    ----------
    log : UtteranceLog
    requires : sequence of str
        As for `aggregate`.
    columns : sequence of str
        Labels; columns of numbers with many values, which become four classes of about equally many
        utterances; or `utterance_length`, the classes of the utterances' reference words.
    counts : SpeakerCounts
        What `aggregate` returned for `requires`; its embeddings are used.
    grid : float

    Returns
    -------
    SpeakerCounts
        With the columns as labels.

    Raises
    ------
    OptionError, LogError
        If a column does not exist, or has many values that are no numbers.
    """
    classes = {column: _classes(log, column) for column in columns if column not in requires}
    vectors = None
    if counts.embedding_sum is not None:
        vectors = dict(zip(counts.speakers.tolist(), counts.embedding_sum, strict=True))
    return _counted(log.frame, requires, (), grid, vectors, classes)


@dataclass(frozen=True)
class Classes:
    """How a column becomes labels: by its values as they are, or by classes of its numbers.

    Parameters
    ----------
    source : str
        The column of the log.
    edges : tuple of float
        Where classes begin, but for the first.
    names : tuple of str
        Of the classes; empty where the values are labels themselves.
    """

    source: str
    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()

    def expression(self) -> nw.Expr:
        """Return what rows are grouped by: the value, or the number of its class."""
        import narwhals as nw

        if not self.names:
            return nw.col(self.source)
        number = nw.col(self.source).cast(nw.Float64)
        reached = sum(((number >= edge).cast(nw.Int64) for edge in self.edges), nw.lit(0))
        return nw.when(~number.is_null()).then(reached).otherwise(None).cast(nw.Int64)

    def labels(self, column: Any) -> Any:
        """Return the labels of what was grouped, a column of Arrow."""
        if not self.names:
            return column.to_numpy(zero_copy_only=False)
        codes = column.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return Labels(self.names, codes).compact()


def _classes(log: UtteranceLog, column: str) -> Classes:
    """Decide how a column becomes labels."""
    import narwhals as nw

    known = {*log.labels, *({"duration"} & log.columns), UTTERANCE_LENGTH}
    if column == UTTERANCE_LENGTH and column not in log.labels:
        return Classes("ref_words", tuple(LENGTHS)[1:], tuple(LENGTHS.values()))
    if column not in known:
        raise OptionError(
            f"nothing to adjust for is called '{column}'", where="--adjust", allowed=nearest(column, known)
        )
    if len(distinct_values(log, column, MOST_CLASSES)) <= MOST_CLASSES:
        return Classes(column)
    schema = log.frame.collect_schema()
    value, bad = number(column, schema[column])
    numbers = log.frame.select(value.alias("value"), bad.alias("bad"))
    cuts = [nw.col("value").quantile(q, "linear").alias(f"q{q}") for q in QUARTILES]
    asked = numbers.select(nw.col("bad").cast(nw.Int64).sum().alias("bad"), *cuts)
    found = run(lambda: asked.collect("pyarrow"), "the log").to_dict(as_series=False)
    if wrong := int(found["bad"][0] or 0):
        raise LogError(
            f"{column} has more than {MOST_CLASSES} values, and {wrong:,} of them are no numbers",
            where=f"--adjust {column}",
            allowed=f"a label of at most {MOST_CLASSES} values, or a column of numbers",
        )
    edges = sorted({float(f"{found[f'q{q}'][0]:.3g}") for q in QUARTILES})
    return Classes(column, tuple(edges), names_between(edges))


def _counted(
    rows: nw.LazyFrame[Any],
    requires: Sequence[str],
    kinds: Sequence[str],
    grid: float,
    embedding_sum: Mapping[str, Ints] | None,
    classes: Mapping[str, Classes] | None = None,
) -> SpeakerCounts:
    import narwhals as nw

    classes = classes or {}

    settings = [column for column in requires if column != "embedding"]
    sums = ["ref_words", "errors", *kinds]
    # Columns go by names of their own: a label may be called like a count.
    keys = {f"key:{column}": column for column in ("speaker_id", *settings)}
    frame = rows.select(
        *(cell(c, grid).alias(key) if c in COORDINATES else nw.col(c).alias(key) for key, c in keys.items()),
        *(of.expression().alias(f"class:{name}") for name, of in classes.items()),
        *(nw.col(name).alias(f"sum:{name}") for name in sums),
    )
    totals = [nw.col(f"sum:{name}").sum() for name in sums]
    grouped = frame.group_by(*keys, *(f"class:{name}" for name in classes)).agg(
        *totals, nw.len().alias("sum:utterances")
    )
    # Engines widen sums as they like; an int64 is what travels on.
    whole = grouped.with_columns(*(nw.col(f"sum:{name}").cast(nw.Int64) for name in (*sums, "utterances")))
    table = run(lambda: whole.collect("pyarrow"), "the log").to_native()
    counted = {name: table[f"sum:{name}"].to_numpy() for name in (*sums, "utterances")}
    _refuse_huge(counted)
    return SpeakerCounts.of(
        table["key:speaker_id"].to_numpy(zero_copy_only=False),
        utterances=counted["utterances"],
        ref_words=counted["ref_words"],
        errors=counted["errors"],
        kinds={kind: counted[kind] for kind in kinds},
        attributes={
            **{column: _attribute(table[f"key:{column}"], column) for column in settings},
            **{name: of.labels(table[f"class:{name}"]) for name, of in classes.items()},
        },
        embedding_sum=embedding_sum,
    )


def _refuse_huge(counted: Mapping[str, Ints]) -> None:
    """Refuse counts whose total does not fit: a sum that wraps around would be a wrong number."""
    for name, values in counted.items():
        total = float(values.sum(dtype=np.float64))
        if total > LARGEST_TOTAL:
            raise LogError(
                f"{name} add up to {total:.3g}",
                where="the log",
                allowed=f"at most {LARGEST_TOTAL:.3g} in all",
                fix="count in a larger unit",
            )


def distinct_values(log: UtteranceLog, column: str, most: int) -> list[str]:
    """Return the distinct values of a label column, at most one more than `most`, in no order."""
    import narwhals as nw

    values = log.frame.select(nw.col(column)).drop_nulls().unique().head(most + 1)
    return list(values.collect("pyarrow")[column].to_list())


def grid_of(source: Any) -> float:
    """Return the edge of a cell in degrees, of a discoverer or partition; any will do without coordinates."""
    return float(getattr(source, "grid", GRID))


def cell(column: str, grid: float) -> nw.Expr:
    """Return the number of a grid cell as an expression; see `fairaudit.geography.places.cells`."""
    import narwhals as nw

    # Rounding first keeps a coordinate that lies on an edge on the edge's own side.
    return (nw.col(column) / grid).round(9).floor().cast(nw.Int64).alias(column)


def _attribute(column: Any, name: str) -> Any:
    import pyarrow as pa

    if name in COORDINATES:
        return column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return column.to_numpy(zero_copy_only=False)


def _vectors(log: UtteranceLog) -> Mapping[str, Ints]:
    """Sum unit vectors by speaker: from a file, or streamed from the log's own column."""
    import narwhals as nw

    from fairaudit.embeddings import check, matrix_of, sum_by_speaker

    if log.vectors is not None:
        return log.vectors
    sums: dict[str, Ints] = {}
    frame = log.frame.select("speaker_id", "embedding").filter(~nw.col("embedding").is_null())
    reader = run(lambda: frame.to_native().to_arrow_reader(VECTORS_AT_ONCE), "the log")
    width: int | None = None
    for batch in reader:
        if not len(batch):
            continue
        vectors = matrix_of(batch["embedding"], "column embedding", width)
        width = vectors.shape[1]
        speakers = batch["speaker_id"].to_numpy(zero_copy_only=False)
        check(vectors, speakers, "column embedding")
        sum_by_speaker(vectors, speakers, sums)
    return sums
