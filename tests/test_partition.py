import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairaudit.counts import UNIT, SpeakerCounts
from fairaudit.exceptions import PartitionError
from fairaudit.partition import (
    Boxes,
    Centroids,
    Combinations,
    Lookup,
    Name,
    Threshold,
    cohort_ids,
    digest,
    from_plain,
    nearest_centroid,
)
from fairaudit.partition.labels import name_of


def names(*texts):
    return tuple(Name(t, f"people of {t}") for t in texts)


TABLE = {"source": "a table", "year": 2022, "sha256": "ab12"}
BOXES = Boxes(
    0.05, ((None, 3, None, None), (3, None, None, -7), (3, None, -7, None)), names("south", "west", "east")
)
THRESHOLD = Threshold("pct_asian", 0.5, TABLE, names("above", "below"))
CENTROIDS = Centroids(((UNIT, 0), (0, UNIT)), names("one", "two"))
LOOKUP = Lookup("accent", ("UK", "US"), names("UK", "US"))
US_PHONE, PHONE, EVERYONE = (("accent", "US"), ("device", "phone")), (("device", "phone"),), ()
COMBINATIONS = Combinations((US_PHONE, PHONE, EVERYONE), names("US phone", "other phones", "the rest"))
EVERY = [BOXES, THRESHOLD, CENTROIDS, LOOKUP, COMBINATIONS]


def counts():
    return SpeakerCounts.of(
        ["a", "b", "c", "d"],
        ref_words=[1] * 4,
        errors=[0] * 4,
        attributes={
            "latitude": np.array([2.0, 3.0, 9.0, np.nan]),
            "longitude": np.array([5.0, -8.0, -7.0, 1.0]),
            "pct_asian": np.array([0.7, 0.5, 0.1, np.nan]),
            "accent": ["US", "UK", "NZ", None],
            "device": ["phone", None, "phone", "phone"],
        },
        embedding_sum={"a": np.array([5, 1]), "b": np.array([1, 9]), "c": np.array([-3, -2])},
    )


@pytest.mark.parametrize(
    ("partition", "want"),
    [
        (BOXES, [0, 1, 2, -1]),
        # At the threshold is below it.
        (THRESHOLD, [0, 1, 1, -1]),
        (CENTROIDS, [0, 1, 1, -1]),
        (LOOKUP, [1, 0, -1, -1]),
        # The first that a row has; a missing value is none of the values.
        (COMBINATIONS, [0, 2, 1, 1]),
        (Combinations((PHONE, US_PHONE), names("phones", "no more")), [0, -1, 0, 0]),
    ],
    ids=lambda p: getattr(p, "kind", ""),
)
def test_every_row_gets_one_cohort_or_none(partition, want):
    assert partition.assign(counts()).tolist() == want


@pytest.mark.parametrize("partition", EVERY, ids=lambda p: p.kind)
def test_a_rule_survives_its_json(partition):
    text = msgspec.json.encode(partition.to_plain())
    again = from_plain(msgspec.json.decode(text), partition.names)
    assert again == partition
    np.testing.assert_array_equal(again.assign(counts()), partition.assign(counts()))
    assert digest(again.to_plain()) == digest(partition.to_plain())


@pytest.mark.parametrize("partition", EVERY, ids=lambda p: p.kind)
def test_each_cohort_has_an_id_of_its_own_that_depends_on_its_rule_alone(partition):
    ids = cohort_ids(partition)
    assert len(set(ids)) == len(partition.names)
    assert all(len(key) == 12 for key in ids)
    renamed = from_plain(partition.to_plain(), names(*"abc"[: len(partition.names)]))
    assert cohort_ids(renamed) == ids


def test_a_cohort_keeps_its_id_where_its_own_rule_stays():
    wider = Lookup("accent", ("NZ", "UK", "US"), names("NZ", "UK", "US"))
    assert cohort_ids(wider)[1:] == cohort_ids(LOOKUP)
    # The extent of a cluster depends on the other centroids.
    moved = Centroids(((UNIT, 0), (1, UNIT)), names("one", "two"))
    assert cohort_ids(moved)[0] != cohort_ids(CENTROIDS)[0]


def test_the_id_of_a_combination_depends_on_what_may_be_taken_before_it():
    first, second, rest = cohort_ids(COMBINATIONS)
    assert cohort_ids(Combinations((PHONE,), names("a")))[0] != second
    # What a row cannot have together with it takes nothing from it.
    headset = (("device", "headset"),)
    longer = Combinations((headset, US_PHONE, PHONE, EVERYONE), names(*"abcd"))
    assert cohort_ids(longer)[1:3] == (first, second)
    assert cohort_ids(longer)[3] != rest


def test_the_partition_of_a_label_column_is_saved_as_it_always_was():
    assert LOOKUP.to_plain() == {"kind": "lookup", "column": "accent", "values": ["UK", "US"]}
    assert cohort_ids(LOOKUP) == ("62ea81b3dd33", "93292418a98d")


def test_a_row_without_a_column_is_placed_only_where_everyone_is():
    assert COMBINATIONS.unplaced(counts()).tolist() == ["", "", "", ""]
    pair = Combinations((US_PHONE,), names("a"))
    assert pair.unplaced(counts()).tolist() == ["", "no device", "", "no accent"]
    assert pair.requires == ("accent", "device")


def test_two_combinations_never_have_one_name():
    rules = [
        (("a", "b, c=d"),),
        (("a", "b"), ("c", "d")),
        (("a", 'b", c="d'),),
        (("a=b", "c"),),
        (("a", "b=c"),),
        (("a, c", "b"),),
        (("a", '"b, c=d"'),),
    ]
    assert len({name_of(rule).cohort for rule in rules}) == len(rules)


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"kind": "magic"}, r"partition of kind 'magic'"),
        ({"kind": "boxes", "grid": 0.05}, "malformed rule"),
        ({"kind": "boxes", "grid": "wide", "boxes": []}, "malformed rule"),
        ({"kind": "lookup", "column": "accent", "values": ["US"], "extra": 1}, "malformed rule"),
        ({"kind": "combinations", "combinations": [[["accent"]]]}, "malformed rule"),
        ({"kind": "combinations", "combinations": [[["accent", 5]]]}, "malformed rule"),
        ({"kind": "centroids", "unit": UNIT, "centroids": [[0.5]]}, "malformed rule"),
    ],
)
def test_a_malformed_rule_is_refused(plain, message):
    with pytest.raises(PartitionError, match=message):
        from_plain(plain, names("a"))


def test_embeddings_of_another_model_are_refused():
    other = SpeakerCounts.of(["a"], ref_words=[1], errors=[0], embedding_sum={"a": np.array([1, 2, 3])})
    with pytest.raises(PartitionError, match="3 dimensions"):
        CENTROIDS.assign(other)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_nearest_centroid_is_exact_and_a_tie_goes_to_the_first(seed):
    rng = np.random.default_rng(seed)
    vectors, centroids = rng.integers(-4, 5, (20, 3)), rng.integers(-4, 5, (5, 3))
    squares = ((vectors[:, None, :] - centroids[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(nearest_centroid(vectors, centroids), squares.argmin(axis=1))
    np.testing.assert_array_equal(
        nearest_centroid(vectors * UNIT // 5, centroids * UNIT // 5),
        ((vectors[:, None] * UNIT // 5 - centroids[None] * UNIT // 5) ** 2).sum(axis=2).argmin(axis=1),
    )


def test_a_row_outside_the_searched_area_still_falls_into_a_region():
    far = SpeakerCounts.of(
        ["x", "y"],
        ref_words=[1, 1],
        errors=[0, 0],
        attributes={"latitude": np.array([-1800.0, 1799.0]), "longitude": np.array([-3600.0, 3599.0])},
    )
    assert BOXES.assign(far).tolist() == [0, 2]
