"""SpeakerCounts: shards add up to one pass, rows are in one order, parts are cut out without loss."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import assert_same

from fairaudit.counts import UNIT, Labels, SpeakerCounts, merge, to_unit

KINDS = ("substitutions", "deletions", "insertions")

#: An utterance: speaker, words, kinds of error, accent, cell, and a vector or none.
utterances = st.tuples(
    st.sampled_from(["a", "b", "10", "9", "é", ""]),
    st.integers(0, 50),
    st.tuples(*[st.integers(0, 9)] * 3),
    st.sampled_from(["x", "y", None, "é", "Z"]),
    st.sampled_from([0.0, -1.0, 700.0, float("nan")]),
    st.none() | st.tuples(*[st.integers(-UNIT, UNIT)] * 2),
)


def count(rows, *, embeddings=True):
    """Count utterances in one pass."""
    vectors = {}
    for speaker, *_, vector in rows:
        if vector is not None:
            vectors[speaker] = vectors.get(speaker, 0) + np.array(vector, dtype=np.int64)
    texts = np.array([row[3] for row in rows], dtype=object)
    return SpeakerCounts.of(
        [row[0] for row in rows],
        ref_words=[row[1] for row in rows],
        errors=[sum(row[2]) for row in rows],
        kinds={kind: [row[2][number] for row in rows] for number, kind in enumerate(KINDS)},
        attributes={
            "accent": texts,
            "cell": np.array([row[4] for row in rows], dtype=float),
        },
        embedding_sum=vectors if embeddings and vectors else None,
    )


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(utterances, min_size=1, max_size=30), data=st.data())
def test_shards_that_are_counted_apart_and_merged_equal_one_pass(rows, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    shards = [count(rows[i:j]) for i, j in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    merged = shards[0]
    for shard in shards[1:]:
        merged = merge(merged, shard)
    assert_same(merged, count(rows))
    backwards = shards[-1]
    for shard in shards[-2::-1]:
        backwards = merge(backwards, shard)
    assert_same(backwards, merged)


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(utterances, min_size=1, max_size=30), seed=st.integers(0, 9))
def test_counts_are_those_of_a_plain_count_whatever_the_order(rows, seed):
    counts = count(rows)
    settings_ = {}
    for speaker, words, kinds, accent, cell, _ in rows:
        key = (speaker, accent, None if np.isnan(cell) else cell)
        total = settings_.setdefault(key, np.zeros(6, dtype=int))
        total += [1, words, sum(kinds), *kinds]
    # None sorts last among cells and first among labels.
    order = sorted(settings_, key=lambda k: (k[0], k[1] is not None, k[1] or "", k[2] is None, k[2] or 0))
    cells = [None if np.isnan(c) else c for c in counts.numbers("cell").tolist()]
    ids = counts.speakers[counts.speaker].tolist()
    found = list(zip(ids, counts.labels("accent").texts().tolist(), cells, strict=True))
    assert found == order
    columns = [counts.utterances, counts.ref_words, counts.errors, *(counts.kinds[kind] for kind in KINDS)]
    assert np.column_stack(columns).tolist() == [settings_[key].tolist() for key in order]
    assert all(column.dtype == np.int64 for column in [*columns, counts.speaker])
    assert counts.settings_per_speaker().tolist() == [ids.count(s) for s in counts.speakers]
    mixed = [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))]
    assert_same(count(mixed), counts)
    assert count(mixed).sha256() == counts.sha256()


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(utterances, min_size=1, max_size=20), data=st.data())
def test_selected_rows_keep_their_figures_and_drop_speakers_without_any(rows, data):
    counts = count(rows)
    keep = np.array(
        data.draw(st.lists(st.booleans(), min_size=counts.rows, max_size=counts.rows)), dtype=bool
    )
    part = counts.select(keep)
    assert_same(part, counts.select(np.flatnonzero(keep)))
    ids = counts.speakers[counts.speaker][keep]
    assert part.speakers.tolist() == sorted(set(ids))
    assert part.speakers[part.speaker].tolist() == ids.tolist()
    assert part.errors.tolist() == counts.errors[keep].tolist()
    assert {k: v.tolist() for k, v in part.kinds.items()} == {
        k: v[keep].tolist() for k, v in counts.kinds.items()
    }
    labels = part.labels("accent")
    assert labels.texts().tolist() == counts.labels("accent").texts()[keep].tolist()
    assert labels.values == tuple(sorted({t for t in labels.texts() if t is not None}))
    np.testing.assert_array_equal(part.numbers("cell"), counts.numbers("cell")[keep])
    assert part.has_embedding().tolist() == counts.has_embedding()[keep].tolist()
    # Both parts of a cut are the whole, however often a speaker is in both.
    halves = merge(count(rows, embeddings=False).select(keep), count(rows, embeddings=False).select(~keep))
    assert_same(halves, count(rows, embeddings=False))


def test_counts_cannot_be_assigned():
    counts = SpeakerCounts.of(["a"], ref_words=[1], errors=[0])
    for thing, name in ((counts, "errors"), (Labels.of(["x"]), "codes")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, name, np.zeros(1))


def test_shards_of_different_kinds_are_not_merged():
    plain = SpeakerCounts.of(["a"], ref_words=[1], errors=[0])
    by_accent = SpeakerCounts.of(["a"], ref_words=[1], errors=[0], attributes={"accent": ["x"]})
    by_kind = SpeakerCounts.of(["a"], ref_words=[1], errors=[0], kinds={"deletions": [0]})
    for other in (by_accent, by_kind):
        with pytest.raises(ValueError, match="the same attributes and kinds"):
            merge(plain, other)


def test_a_shard_without_embeddings_leaves_those_of_the_others():
    some = SpeakerCounts.of(["a"], ref_words=[1], errors=[0], embedding_sum={"a": np.array([3, 4])})
    none = SpeakerCounts.of(["a", "b"], ref_words=[1, 1], errors=[0, 0])
    for both in (merge(some, none), merge(none, some)):
        assert both.embedding_sum.tolist() == [[3, 4], [0, 0]]
        assert both.has_embedding().tolist() == [True, False]
    assert not none.has_embedding().any()
    with pytest.raises(TypeError, match="hold no embeddings"):
        none.unit_vectors()


def test_counts_of_large_logs_stay_exact():
    big = 2**62
    counts = SpeakerCounts.of(["a", "a"], ref_words=[big, big - 1], errors=[1, 0])
    assert counts.ref_words.tolist() == [2**63 - 1]


def test_an_attribute_is_read_as_what_it_is():
    counts = SpeakerCounts.of(
        ["a", "b"],
        ref_words=[1, 1],
        errors=[0, 0],
        attributes={"zip": ["007", None], "cell": np.array([1, 2])},
    )
    assert counts.labels("zip").values == ("007",)
    assert counts.numbers("cell").dtype == np.float64
    with pytest.raises(TypeError, match="'cell' holds numbers"):
        counts.labels("cell")
    with pytest.raises(TypeError, match="'zip' holds text"):
        counts.numbers("zip")
    more = counts.with_attributes({"x": np.array([0.5, np.nan])})
    assert set(more.attributes) == {"zip", "cell", "x"}
    assert set(counts.attributes) == {"zip", "cell"}


def test_labels_are_sorted_distinct_values():
    labels = Labels.of(["b", None, "a", "b", "10", "9"])
    assert labels.values == ("10", "9", "a", "b")
    assert labels.codes.tolist() == [3, -1, 2, 3, 0, 1]
    assert labels.codes.dtype == np.int64
    assert labels.take(np.array([0, 1])).values == ("b",)
    assert labels.compact(np.array([False] * 5 + [True])).texts().tolist() == [None] * 5 + ["9"]
    assert Labels.of([None, None]).values == ()
    assert Labels.of([]).texts().tolist() == []


def test_unit_vectors_are_rounded_so_that_their_sums_are_exact():
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(500, 16)) * 10.0 ** rng.integers(-6, 6, size=(500, 1))
    units = to_unit(vectors)
    assert units.dtype == np.int64
    np.testing.assert_allclose(np.linalg.norm(units / UNIT, axis=1), 1, atol=2e-4)
    np.testing.assert_allclose(
        units / UNIT, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), atol=2e-5
    )
    # In floating point the order of the terms shows; in these sums it does not.
    assert units.sum(axis=0).tolist() == units[rng.permutation(500)].sum(axis=0).tolist()
    assert to_unit(np.zeros((1, 3))).tolist() == [[0, 0, 0]]


def test_the_digest_is_of_speakers_and_counts_and_not_of_attributes():
    def digest(ids, words, errors, **attributes):
        return SpeakerCounts.of(ids, ref_words=words, errors=errors, attributes=attributes).sha256()

    one = digest(["a", "a", "b"], [1, 2, 3], [0, 1, 1], accent=["x", "y", "x"])
    assert one == digest(["b", "a", "a"], [3, 2, 1], [1, 1, 0])
    others = {
        digest(["a", "a", "c"], [1, 2, 3], [0, 1, 1]),
        digest(["a", "b", "b"], [1, 2, 3], [0, 1, 1]),
        digest(["a", "a", "b"], [1, 2, 4], [0, 1, 1]),
        digest(["a", "a", "b"], [1, 2, 3], [0, 1, 2]),
    }
    assert len(others | {one}) == 5


def test_no_rows_are_no_speakers():
    counts = SpeakerCounts.of([], ref_words=[], errors=[], attributes={"accent": np.array([], dtype=object)})
    assert (counts.rows, counts.speakers.tolist(), counts.labels("accent").values) == (0, [], ())
    assert SpeakerCounts.of(["a"], ref_words=[1], errors=[0]).select(np.array([False])).rows == 0
