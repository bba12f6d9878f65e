"""How the methods meet: shared bottoms, against what chance gives."""

from dataclasses import replace

from fairaudit.cells import Members
from fairaudit.overlap import overlaps


def members(bottom, placed=range(200)):
    return Members(
        {}, {}, frozenset(range(200)), frozenset(), placed=frozenset(placed), bottom=frozenset(bottom)
    )


def test_shared_speakers_are_compared_with_what_chance_gives():
    found = overlaps({"a": members(range(40)), "b": members(range(20, 100))}, 11)
    first, second = found
    assert (first.a, first.b, first.share, first.expected) == ("a", "b", 0.5, 0.4)
    assert (second.a, second.b, second.share, second.expected) == ("b", "a", 0.25, 0.2)
    assert first.p_value == second.p_value


def test_only_speakers_with_a_cohort_in_both_count():
    (first, _) = overlaps({"a": members(range(40)), "b": members(range(80), range(20, 200))}, 11)
    assert (first.share, first.expected) == (1.0, 0.33)


def test_what_would_tell_of_few_speakers_is_not_told():
    (first, second) = overlaps({"a": members(range(40)), "b": members(range(35, 100))}, 11)
    assert first.share is second.share is None
    assert "fewer than 11" in first.reason
    assert overlaps({"a": members(range(40)), "b": members(())}, 11) == ()
    (first, _) = overlaps({"a": members(range(40)), "b": members(range(60, 100))}, 11)
    assert first.share == 0


def test_partitions_that_read_the_same_columns_meet_by_construction():
    def reading(bottom, *columns):
        return replace(members(bottom), reads=frozenset(columns))

    found = overlaps(
        {
            "gender": reading(range(40), "gender"),
            "slices": reading(range(20), "accent", "gender"),
            "accent+age": reading(range(60), "accent", "age"),
            "geo": reading(range(100), "latitude", "longitude"),
        },
        11,
    )
    by_pair = {(o.a, o.b): o for o in found}
    nested = by_pair["gender", "slices"]
    assert (nested.nested, nested.both_read, nested.p_value) == (True, ("gender",), None)
    assert (nested.share, nested.expected) == (0.5, 0.1)
    assert "both read gender" in nested.reason
    partly = by_pair["slices", "accent+age"]
    assert (partly.nested, partly.both_read, partly.p_value) == (False, ("accent",), None)
    apart = by_pair["geo", "slices"]
    assert (apart.nested, apart.both_read, apart.reason) == (False, (), None)
    assert apart.p_value is not None
