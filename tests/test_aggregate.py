"""The seam: counts equal a plain count to the bit, whatever the order, the threads and the batches."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import SETTINGS, assert_same, counted, frame, rows

from fairaudit import aggregate as seam
from fairaudit.aggregate import GRID, aggregate, distinct_values, grid_of
from fairaudit.counts import SpeakerCounts, to_unit
from fairaudit.exceptions import LogError
from fairaudit.geography.places import cells
from fairaudit.readers import read_log

KINDS = ("substitutions", "deletions", "insertions")


def plain(table, columns, grid=GRID):
    """Count a log in plain Python, row by row."""
    totals = {}
    for row in table:
        key = [row["speaker_id"]]
        for name in columns:
            value = row[name]
            if name in ("latitude", "longitude"):
                value = float("inf") if value is None else float(cells([value], grid)[0])
            key.append(value)
        total = totals.setdefault(tuple(key), [0] * 6)
        values = [1, row["ref_words"], row["errors"], *(row.get(kind, 0) for kind in KINDS)]
        totals[tuple(key)] = [a + b for a, b in zip(total, values, strict=True)]
    ids = [key[0] for key in totals]
    attributes = {}
    for number, name in enumerate(columns, 1):
        values = [key[number] for key in totals]
        places = name in ("latitude", "longitude")
        attributes[name] = (
            np.where(np.isinf(values), np.nan, values) if places else np.array(values, dtype=object)
        )
    numbers = np.array(list(totals.values()))
    return SpeakerCounts.of(
        ids,
        utterances=numbers[:, 0],
        ref_words=numbers[:, 1],
        errors=numbers[:, 2],
        kinds={k: numbers[:, 3 + i] for i, k in enumerate(KINDS)} if KINDS[0] in table[0] else {},
        attributes=attributes,
    )


@pytest.mark.parametrize("columns", [*SETTINGS, ("zip_code", "latitude", "longitude", "day")], ids="-".join)
def test_a_log_is_counted_as_it_would_be_by_hand(columns):
    table = rows(300, seed=8)
    assert_same(aggregate(read_log(frame(table)), columns), plain(table, columns))


def test_kinds_of_error_are_counted_and_add_up():
    rng = np.random.default_rng(4)
    table = []
    for row in rows(200):
        kinds = dict(zip(KINDS, rng.integers(0, 5, 3).tolist(), strict=True))
        table.append(row | kinds | {"errors": sum(kinds.values())})
    counts = aggregate(read_log(frame(table)), ["accent"])
    assert_same(counts, plain(table, ["accent"]))
    assert (sum(counts.kinds.values()) == counts.errors).all()


degrees = st.floats(-89.9, 89.9) | st.integers(-1790, 1790).map(lambda n: n * 0.05) | st.integers(-80, 80)


@settings(max_examples=25, deadline=None)
@given(latitudes=st.lists(degrees.filter(lambda d: abs(d) < 90), min_size=1, max_size=40),
       grid=st.sampled_from([0.05, 0.1, 0.25, 1.0, 0.001]))  # fmt: skip
def test_cells_are_those_of_places_also_on_edges(latitudes, grid):
    n = len(latitudes)
    table = {"speaker_id": [f"{i:03}" for i in range(n)], "ref_words": [1] * n, "errors": [0] * n}
    places = {"latitude": np.array(latitudes, dtype=float), "longitude": np.full(n, -100.0)}
    counts = aggregate(read_log(pd.DataFrame(table | places)), ["latitude", "longitude"], grid=grid)
    assert counts.numbers("latitude").tolist() == cells(latitudes, grid).tolist()


def test_every_edge_of_the_grid_is_in_the_cell_that_begins_there():
    edges = np.arange(-1200, 1201)
    written = [f"{edge * 0.05:.2f}" for edge in edges]
    table = pd.DataFrame({"speaker_id": [f"{i:04}" for i in range(len(edges))], "ref_words": 1, "errors": 0})
    for latitude in (np.array(written, dtype=float), written, edges * 0.05, edges / 20):
        counts = aggregate(read_log(table.assign(latitude=latitude, longitude=-100.0)), ["latitude"])
        assert counts.numbers("latitude").tolist() == edges.tolist()


def test_numbers_of_single_precision_are_the_same_as_in_double():
    exact = pd.DataFrame(rows(200))[["speaker_id", "ref_words", "errors", "latitude", "longitude"]]
    single = exact.astype(
        {"latitude": np.float32, "longitude": np.float32, "ref_words": np.int8, "errors": np.uint16}
    )
    double = single.astype({"latitude": float, "longitude": float, "ref_words": int, "errors": int})
    places = [("latitude", "longitude")]
    assert_same(counted(read_log(single), places), counted(read_log(double), places))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_neither_the_order_of_rows_nor_threads_nor_row_groups_change_a_bit(threads, tmp_path):
    rng = np.random.default_rng(6)
    table = frame(rows(3000, seed=9))
    table["embedding"] = list(rng.normal(size=(3000, 5)) * 10.0 ** rng.integers(-3, 3, (3000, 1)))
    columns = [*SETTINGS, ("embedding", "day")]
    expected = counted(read_log(table), columns)
    table.sample(frac=1, random_state=threads).to_parquet(
        tmp_path / "log.parquet", row_group_size=100 * threads
    )
    log = read_log(tmp_path / "log.parquet")
    log.engine.connection.execute(f"SET threads = {threads}")
    assert_same(counted(log, columns), expected)


def test_embeddings_are_summed_as_unit_vectors_by_speaker_and_make_no_setting(monkeypatch):
    rng = np.random.default_rng(2)
    table = frame(rows(500))
    vectors = rng.normal(size=(500, 3)).astype(np.float32)
    table["embedding"] = list(vectors)
    table.loc[table["speaker_id"] == "7", "embedding"] = None
    log = read_log(table)
    counts = aggregate(log, ["embedding"])
    assert counts.rows == len(counts.speakers)
    for number, speaker in enumerate(counts.speakers):
        own = (table["speaker_id"] == speaker).to_numpy()
        want = to_unit(vectors[own].astype(float)).sum(axis=0) if speaker != "7" else np.zeros(3, dtype=int)
        assert counts.embedding_sum[number].tolist() == want.tolist()
    assert counts.has_embedding().tolist() == [speaker != "7" for speaker in counts.speakers]
    assert aggregate(log, ["day"]).embedding_sum is None
    monkeypatch.setattr(seam, "VECTORS_AT_ONCE", 7)
    assert_same(aggregate(log, ["embedding"]), counts)


#: Embeddings of three utterances, what is wrong with them, and what would have been accepted.
BAD_EMBEDDINGS = [
    ([[1.0, 2.0], [1.0, 2.0], [1.0]], "embeddings of several lengths: 1, 2", "one length"),
    ([[1.0, 2.0], [1.0, 2.0], [1.0, None]], "an embedding holds null", "numbers only"),
    ([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0]], "the embedding of 'c' is zero (1 such)", "not all zero"),
    (
        [[1.0, 2.0], [1.0, 2.0], [np.inf, 0.0]],
        "the embedding of 'c' is not finite (1 such)",
        "finite numbers",
    ),
    ([["1", "2"], ["1", "2"], ["1", "x"]], "an embedding holds values of type string", "numbers only"),
    (["[1, 2]", "[1, 2]", "[1, 2]"], "embedding is of type string", "a list of numbers"),
    ([[], [], []], "the embedding of 'a' is zero (3 such)", "not all zero"),
]


@pytest.mark.parametrize(
    ("vectors", "what", "allowed"), BAD_EMBEDDINGS, ids=[w for _, w, _ in BAD_EMBEDDINGS]
)
def test_embeddings_without_a_direction_are_refused(vectors, what, allowed):
    table = {"speaker_id": list("abc"), "ref_words": [1] * 3, "errors": [0] * 3, "embedding": vectors}
    log = read_log(pa.table(table))
    with pytest.raises(LogError) as refused:
        aggregate(log, ["embedding"])
    assert what in refused.value.what
    assert refused.value.where == "column embedding"
    assert allowed in refused.value.allowed


def test_embeddings_of_another_length_are_refused_in_a_later_batch_too(monkeypatch):
    monkeypatch.setattr(seam, "VECTORS_AT_ONCE", 1)
    table = {"speaker_id": ["a"] * 5000, "ref_words": [1] * 5000, "errors": [0] * 5000}
    log = read_log(pa.table(table | {"embedding": [[1.0, 2.0]] * 4999 + [[1.0]]}))
    with pytest.raises(LogError, match="embeddings of several lengths: 1, 2"):
        aggregate(log, ["embedding"])


def test_sums_beyond_64_bits_are_an_error_and_no_wrong_number():
    table = pd.DataFrame({"speaker_id": ["a"] * 1100, "ref_words": 2**53, "errors": 0})
    with pytest.raises(LogError, match="out of range"):
        aggregate(read_log(table), ())
    assert aggregate(read_log(table[:1000]), ()).ref_words.tolist() == [1000 * 2**53]


def test_distinct_values_are_counted_up_to_one_more_than_asked():
    log = read_log(frame())
    assert [len(distinct_values(log, "day", most)) for most in (0, 1, 3, 9)] == [1, 2, 3, 3]
    assert len(distinct_values(log, "accent", 9)) == 3
    assert distinct_values(read_log(frame().assign(none=None)), "none", 9) == []


def test_the_grid_is_that_of_the_source_where_it_has_one():
    class Coarse:
        grid = 1

    assert (grid_of(Coarse()), grid_of(object())) == (1.0, GRID)


def test_counts_whose_total_would_wrap_around_are_refused():
    table = pd.DataFrame({"speaker_id": [f"s{i}" for i in range(1200)], "ref_words": 2**53, "errors": 0})
    assert aggregate(read_log(table.head(900)), ()).ref_words.sum() == 900 * 2**53
    with pytest.raises(LogError, match="ref_words add up to"):
        aggregate(read_log(table), ())
