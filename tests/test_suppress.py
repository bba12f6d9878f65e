"""From what a result shows, no figure of too few speakers can be had."""

import itertools
import json
from dataclasses import replace

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import frame

from fairaudit.auditing import audit
from fairaudit.cells import SIDES, UNASSIGNED_CELL, Members, Protection, union
from fairaudit.evidence import InSample, SharePoint, Spatial
from fairaudit.rates import Gap, Rate, Share
from fairaudit.readers import read_log
from fairaudit.result import Cohort, Gaps, PartitionResult, Side, Unassigned
from fairaudit.rounding import coarse_share, rounded
from fairaudit.saved import partitions_json
from fairaudit.suppress import _curve, _side, suppress, suppress_all, suppress_rate

FEWEST = 11
ALL_SHARES = Share(speakers=0.5, utterances=0.5, ref_words=0.5)


def a_rate(speakers, cells=1):
    """Figures that only a cell of this many speakers would have."""
    errors = speakers * 7 + cells
    return {
        "speakers": speakers,
        "utterances": speakers * 3,
        "ref_words": speakers * 97,
        "errors": errors,
        "wer": errors / (speakers * 97),
        "low": 0.01,
        "high": 0.9,
        "confidence": 0.95,
        "log_se": 0.1,
        "df": 9.0,
        "n_effective": float(speakers),
        "wer_speaker_mean": 0.07,
    }


def a_gap(definition="a against b"):
    return Gap(
        definition=definition,
        relative=0.123456789,
        relative_low=0.05,
        relative_high=0.2,
        absolute=0.0123456789,
        absolute_low=0.001,
        absolute_high=0.03,
        ratio=1.123456789,
        log_se=0.1,
        df=9.0,
        relative_to_bottom=0.1,
    )


def built(cells, ranked, bottom, top, unassigned, origin="declared", everyone=None, sides=True):
    """Build the result of a partition from who is in its cells, and who ranks where."""
    names = list(cells)
    who = {**cells, UNASSIGNED_CELL: unassigned}
    rest = [n for n in names if n not in bottom and n not in top]
    no_gap = Gap(definition="a against b", reason="none")
    cohorts = tuple(
        Cohort(
            cohort=n,
            id=n,
            label=n,
            rank=ranked.index(n) + 1 if n in ranked else None,
            suppressed=False,
            share=ALL_SHARES,
            **a_rate(len(cells[n])),
        )
        for n in names
    )

    def side(of):
        if not sides:
            return None
        if not of:
            return Side(cohorts=(), share=None, reason="no split leaves anybody in it")
        return Side(cohorts=tuple(of), share=ALL_SHARES, **a_rate(len(union(who, of)), len(of)))

    result = PartitionResult(
        name="p",
        kind="lookup",
        origin=origin,
        discovered_on=None,
        digest=None,
        rule=None,
        discoverer=None,
        exploratory=False,
        overall=Rate(**a_rate(len(union(who, names)), len(names))),
        splits=None,
        cohorts=cohorts,
        unassigned=Unassigned(share=ALL_SHARES, reasons={"no p": 4}, **a_rate(len(unassigned)))
        if unassigned
        else None,
        bottom=side(bottom),
        top=side(top),
        rest=side(rest),
        gap=a_gap() if sides else no_gap,
        gaps=Gaps(
            rest=a_gap() if sides and rest else no_gap, overall=a_gap() if sides else no_gap, reference=None
        ),
        in_sample_gap=None,
        gap_by_share=tuple(
            # The gap is its number: shares may be rounded.
            SharePoint(share=i / len(names), relative=i / 1000, ref_words=i / 10)
            for i in range(1, len(ranked) + (set(ranked) != set(names)))
        ),
        attributes=(),
        stability=None,
        chance=None,
    )
    left_out = frozenset(unassigned)
    members = Members(
        cells={n: frozenset(s) for n, s in who.items()},
        curve={n: frozenset(s) for n, s in cells.items()},
        everyone=frozenset(everyone) if everyone is not None else union(who, who),
        left_out=left_out,
    )
    return result, members


@st.composite
def partitions(draw):
    """Draw cells of any size that may share speakers, ranks, and a bottom and a top from both ends."""
    k = draw(st.integers(2, 6))
    sizes = draw(st.lists(st.integers(1, 30), min_size=k, max_size=k))
    sharing = draw(st.booleans())
    cells, start = {}, 0
    for number, size in enumerate(sizes):
        first = max(0, start - draw(st.integers(0, 12))) if sharing else start
        cells[f"c{number}"] = frozenset(range(first, first + size))
        start = max(start, first + size)
    missing = draw(st.sampled_from([0, 0, 3, 10, 11, 40]))
    unassigned = frozenset(range(start, start + missing))
    start += missing
    elsewhere = draw(st.sampled_from([0, 0, 4, 60]))
    ranked = draw(st.permutations(sorted(cells)))[: draw(st.integers(2, k))]
    low = draw(st.integers(1, len(ranked) - 1))
    high = draw(st.integers(1, len(ranked) - low))
    total_known = draw(st.booleans()) if elsewhere else True
    result, members = built(
        cells,
        list(ranked),
        list(ranked[:low]),
        list(ranked[len(ranked) - high :]),
        unassigned,
        origin=draw(st.sampled_from(["declared", "saved"])),
        everyone=range(start + elsewhere),
        sides=draw(st.booleans()),
    )
    # With few speakers here or elsewhere, no partition of the audit shows the total of its cells.
    small = any(0 < n < FEWEST for n in (len(members.tabled), elsewhere))
    return result, members, not elsewhere or (total_known and not small)


def published_sums(shown, members, total_known):
    """The cells whose errors and words are published together, one set for each sum."""
    cohorts = {c.cohort for c in shown.cohorts}
    order = [c.cohort for c in sorted(shown.cohorts, key=lambda c: c.rank or 99) if c.rank is not None]
    sides = [side for name in SIDES if (side := getattr(shown, name)) is not None]
    cells = [(c, {c.cohort}) for c in shown.cohorts]
    cells += [(shown.unassigned, {UNASSIGNED_CELL}), (shown.overall, cohorts)]
    cells += [(side, set(side.cohorts)) for side in sides]
    sums = [{*members.cells, "elsewhere"}, *([{*members.cells}] if total_known else [])]
    sums += [names for rate, names in cells if rate is not None and rate.errors is not None]
    return sums + [set(order[: round(1000 * p.relative)]) for p in shown.gap_by_share]


def published_rates(shown):
    """The cells whose rate is published without its counts."""
    sides = [side for name in SIDES if (side := getattr(shown, name)) is not None]
    rates = [set(side.cohorts) for side in sides if side.wer is not None and side.errors is None]
    of_overall = shown.gaps.overall is not None and shown.gaps.overall.relative is not None
    told = of_overall and shown.overall.errors is None
    return rates + ([{c.cohort for c in shown.cohorts}] if told else [])


def what_is_published(shown, members, total_known):
    """What is known of the cells' errors (left half) and words (right half), one equation a row."""
    atoms = [*members.cells, "elsewhere"]
    rows = []
    for cells in published_sums(shown, members, total_known):
        vector = np.array([atom in cells for atom in atoms], dtype=float)
        rows += [np.r_[vector, 0 * vector], np.r_[0 * vector, vector]]
    for number, cells in enumerate(published_rates(shown)):
        vector = np.array([atom in cells for atom in atoms], dtype=float)
        # Each has a rate of its own.
        rows.append(np.r_[vector, -(0.11 + 0.017 * number) * vector])
    return atoms, np.array(rows)


def small_groups_told(atoms, rows, members):
    """The sets of fewer than `FEWEST` speakers of whom some combination of what is published tells."""
    who = {**members.cells, "elsewhere": members.elsewhere}
    populated = [a for a in atoms if who[a]]
    told = []
    rank = np.linalg.matrix_rank(rows, tol=1e-7)
    for r in range(1, len(populated) + 1):
        for group in itertools.combinations(populated, r):
            if not 0 < len(union(who, group)) < FEWEST:
                continue
            others = [i for i, a in enumerate(atoms) if a not in group]
            columns = others + [i + len(atoms) for i in others]
            # What remains of the rank without the others' columns would speak of the group alone.
            if rank > np.linalg.matrix_rank(rows[:, columns], tol=1e-7):
                told.append(group)
    return told


@settings(max_examples=400, deadline=None)
@given(partitions())
def test_nothing_published_can_be_combined_to_tell_of_too_few_speakers(drawn):
    result, members, total_known = drawn
    shown = suppress(result, members, FEWEST, total_known=total_known)
    if 0 < len(members.everyone) < FEWEST:
        return
    assert small_groups_told(*what_is_published(shown, members, total_known), members) == []


def test_the_property_above_would_catch_a_result_that_hides_small_cells_alone():
    result, members = built(
        {"a": set(range(40)), "b": set(range(40, 80)), "c": set(range(80, 84))},
        ["a", "b"],
        ["a"],
        ["b"],
        set(),
    )
    naive = msgspec.structs.replace(
        result,
        cohorts=tuple(suppress_rate(c, FEWEST) for c in result.cohorts),
        rest=suppress_rate(result.rest, FEWEST),
    )
    assert small_groups_told(*what_is_published(naive, members, True), members) == [("c",)]


@settings(max_examples=100, deadline=None)
@given(partitions())
def test_a_blanked_cell_has_no_figure_left_and_says_why(drawn):
    result, members, total_known = drawn
    shown = suppress(result, members, FEWEST, total_known=total_known)
    for cohort in shown.cohorts:
        assert cohort.suppressed == (cohort.wer is None)
        if cohort.suppressed:
            figures = [getattr(cohort, f) for f in Rate.__struct_fields__ if f != "reason"]
            assert figures == [None] * len(figures)
            assert cohort.share is None
            assert cohort.reason.startswith("suppressed: fewer than 11")
        else:
            assert cohort.speakers >= FEWEST


@settings(max_examples=100, deadline=None)
@given(partitions())
def test_nothing_is_suppressed_where_every_group_is_large(drawn):
    result, members, total_known = drawn
    groups = [*members.cells.values(), members.elsewhere]
    if any(0 < len(g) < FEWEST for g in groups):
        return
    assert suppress(result, members, FEWEST, total_known=total_known) == result


def shown_of(cells, ranked, bottom, top, unassigned=frozenset(), **kwargs):
    result, members = built(
        {n: frozenset(s) for n, s in cells.items()}, ranked, bottom, top, unassigned, **kwargs
    )
    return result, suppress(result, members, FEWEST)


def groups(*sizes):
    starts = np.cumsum([0, *sizes])
    return [frozenset(range(a, b)) for a, b in itertools.pairwise(starts)]


def test_a_small_rest_costs_cells_and_counts_but_not_the_gap():
    women, men, others = groups(100, 200, 5)
    before, after = shown_of({"f": women, "m": men, "o": others}, ["f", "m"], ["f"], ["m"])
    assert [c.suppressed for c in after.cohorts] == [True, True, True]
    assert after.bottom.wer == pytest.approx(before.bottom.wer, rel=1e-3)
    assert after.gap.relative == pytest.approx(before.gap.relative, abs=1e-3)
    assert after.bottom.errors is after.bottom.ref_words is after.bottom.share.ref_words is None
    # 100 of about 198.
    assert after.bottom.share.speakers == 0.51
    assert after.bottom.reason.startswith("counts withheld")
    assert after.rest.wer is after.gaps.rest.relative is None
    assert after.overall == before.overall


def test_rates_without_counts_have_four_digits_and_their_bounds_move_along():
    women, men, others = groups(100, 200, 5)
    before, after = shown_of({"f": women, "m": men, "o": others}, ["f", "m"], ["f"], ["m"])
    assert after.gap.ratio == 1.123
    assert after.gap.relative == 0.123
    assert after.gap.absolute == 0.01235
    assert (1 + after.gap.relative_low) / after.gap.ratio == pytest.approx(1.05 / before.gap.ratio)
    assert after.bottom.wer == float(f"{before.bottom.wer:.4g}")
    assert after.bottom.low / after.bottom.wer == pytest.approx(before.bottom.low / before.bottom.wer)


def test_a_standard_error_beside_withheld_counts_has_four_digits_and_the_bounds_are_of_it():
    gap = msgspec.structs.replace(a_gap(), relative_low=-0.1, relative_high=0.4, log_se=0.1234567, df=9.87654)
    after = rounded(gap)
    assert (after.log_se, after.df) == (0.1235, 9.877)
    widened = 0.1235 / 0.1234567
    for end in ("relative_low", "relative_high"):
        log_reach = np.log((1 + getattr(gap, end)) / gap.ratio)
        assert np.log((1 + getattr(after, end)) / after.ratio) == pytest.approx(widened * log_reach)
    assert (after.absolute_low, after.absolute_high) == (-0.00215, 0.02685)


def test_a_few_speakers_without_a_cohort_cost_overall_and_a_cell_of_each_side():
    women, men, missing = groups(100, 200, 3)
    before, after = shown_of({"f": women, "m": men}, ["f", "m"], ["f"], ["m"], missing)
    assert after.unassigned.errors is None
    assert after.unassigned.reasons == {}
    assert after.overall.wer is after.gaps.overall.relative is None
    assert after.gap.ratio == pytest.approx(before.gap.ratio, rel=1e-3)


def test_where_there_is_no_gap_a_few_without_a_cohort_cost_overall_and_the_smallest_cell():
    a, b, c, missing = groups(30, 20, 25, 3)
    _, after = shown_of({"a": a, "b": b, "c": c}, [], [], [], missing, sides=False)
    assert [x.suppressed for x in after.cohorts] == [False, True, False]
    assert after.overall.wer is None


def test_hidden_cells_of_the_same_few_travellers_do_not_protect_each_other():
    travellers = set(range(6))
    cells = {"a": travellers, "b": travellers, "c": set(range(6, 60)), "d": set(range(60, 90))}
    _, after = shown_of(cells, ["c", "d"], ["c"], ["d"])
    # By counts of cells 6 + 6 would have been enough.
    assert [c.suppressed for c in after.cohorts][:2] == [True, True]
    assert any(c.suppressed for c in after.cohorts[2:])


def test_points_of_the_curve_are_left_out_where_a_step_would_tell():
    cells = dict(zip("abcd", groups(50, 5, 40, 60), strict=True))
    before, after = shown_of(cells, ["a", "b", "c", "d"], ["a"], ["d"])
    assert len(before.gap_by_share) == 3
    # Point a and point ab differ by five speakers.
    assert len({p.share for p in after.gap_by_share} & {0.25, 0.5}) <= 1


def test_points_do_not_tell_the_words_of_everyone_where_overall_is_kept_back():
    cells = dict(zip("abcd", groups(50, 45, 40, 60), strict=True))
    result, members = built(cells, ["a", "b", "c", "d"], ["a"], ["d"], set())
    for overall in (False, True):
        points = _curve(result, members, Protection(frozenset(), overall, "counts", {}), FEWEST)
        assert len(points) == 3
        assert all((point.ref_words is None) == overall for point in points)


def test_how_many_have_a_place_is_not_told_where_few_have_none():
    cells = dict(zip("abcd", groups(50, 45, 40, 60), strict=True))
    result, members = built(cells, ["a", "b", "c", "d"], ["a"], ["d"], set())
    spatial = Spatial(moran_i=0.1, expected=0.0, p=0.3, speakers=193)
    result = msgspec.structs.replace(result, spatial=spatial)
    for placed, told in ((193, None), (195, 193), (150, 193)):
        known = replace(members, placed=frozenset(list(members.everyone)[:placed]))
        assert suppress(result, known, FEWEST).spatial.speakers == told
        assert suppress(result, known, FEWEST).spatial.moran_i == 0.1


def test_a_gap_against_a_hidden_reference_is_blanked_and_so_is_an_absolute_gap():
    cells = dict(zip("abcd", groups(50, 5, 40, 60), strict=True))
    result, members = built(cells, ["a", "b", "c", "d"], ["a"], ["b"], set())
    cohorts = tuple(msgspec.structs.replace(c, against_reference=a_gap()) for c in result.cohorts)
    only_absolute = Gap(definition="d", absolute=0.2, reason="the top has no errors to compare with")
    result = msgspec.structs.replace(result, cohorts=cohorts, gap=only_absolute)
    members = Members(members.cells, members.curve, members.everyone, members.left_out, reference="b")
    after = suppress(result, members, FEWEST)
    for cohort in after.cohorts:
        assert cohort.against_reference is None or cohort.against_reference.relative is None
    assert after.gap.absolute is None
    assert after.gap.reason.startswith("suppressed")


def test_one_partition_may_tell_the_total_of_another():
    # The measured half holds 100 of 200 speakers.
    half = {"origin": "discovered", "everyone": range(200)}
    x, y = groups(50, 50)
    u, v, no_zip = groups(40, 57, 3)
    geo = built({"x": x, "y": y}, ["x", "y"], ["x"], ["y"], frozenset(), **half)
    zips = built({"u": u, "v": v}, ["u", "v"], ["u"], ["v"], no_zip, **half)
    assert geo[1].tabled == zips[1].tabled == set(range(100))
    (alone,) = suppress_all([zips], FEWEST)
    assert alone.overall.errors is not None
    assert not any(c.suppressed for c in alone.cohorts)
    _, beside = suppress_all([geo, zips], FEWEST)
    # Else overall of the one less overall of the other were three speakers' figures.
    assert beside.overall.errors is None
    assert any(c.suppressed for c in beside.cohorts)


def test_of_a_discovered_partition_the_counts_of_sides_do_not_tell_who_is_left_out():
    u, v, no_zip = groups(40, 57, 3)
    half = {"origin": "discovered", "everyone": range(200)}
    result, members = built({"u": u, "v": v}, ["u", "v"], ["u"], ["v"], no_zip, **half)
    after = suppress(result, members, FEWEST, total_known=False)
    # Twice their sum, of both ways, is the log less those without a ZIP code.
    assert after.bottom.errors is after.top.errors is None
    assert after.gap.relative is not None


def test_a_user_may_show_everything():
    women, men, others = groups(100, 200, 5)
    result, members = built({"f": women, "m": men, "o": others}, ["f", "m"], ["f"], ["m"], groups(300, 2)[1])
    assert suppress(result, members, 1) == result


# On whole audits


def small_groups():
    """A log with small accents, few without a ZIP code, and a device of three speakers."""
    plain = frame(5, 160, missing=4)
    number = plain["speaker_id"].str[-5:].astype(int)
    plain.loc[number < 6, "accent"] = "accent 9"
    plain.loc[(number >= 6) & (number < 9), "accent"] = None
    plain.loc[number >= 157, "device"] = "device 9"
    return plain


def numbers_in(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from numbers_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers_in(inner)
    elif isinstance(value, float | int) and not isinstance(value, bool):
        yield value


def test_the_json_of_an_audit_holds_no_suppressed_number_and_no_speaker():
    log = read_log(small_groups())
    parameters = {
        "geo": {"min_speakers": 10},
        "zip": {"min_speakers": 10},
        "voice": {"min_speakers": 10, "k": 4},
    }
    by = ["geo", "zip", "voice", "accent", "device"]
    everything = audit(log, by=by, permutations=9, min_speakers_shown=1, parameters=parameters)
    shown = audit(log, by=by, permutations=9, parameters=parameters)
    text = shown.to_json() + partitions_json(shown)
    assert "person-" not in text
    kept = set(numbers_in(json.loads(shown.to_json())))
    hidden = 0
    for before, after in zip(everything.partitions, shown.partitions, strict=True):
        pairs = [*zip(before.cohorts, after.cohorts, strict=True)]
        pairs += [
            (before.unassigned, after.unassigned),
            *((getattr(before, s), getattr(after, s)) for s in SIDES),
        ]
        for full, blank in pairs:
            if full is None or blank.wer is not None or full.wer is None:
                continue
            hidden += 1
            for field in ("ref_words", "errors", "wer", "low", "high", "log_se", "wer_speaker_mean"):
                value = getattr(full, field)
                # Small whole numbers, and rates of nothing, are there for other reasons.
                if value is not None and value not in (0, 1) and (isinstance(value, float) or value > 999):
                    assert value not in kept, (before.name, field)
    assert hidden > 4


def test_a_suppressed_gap_takes_its_spread_over_splits_along():
    plain = frame(5, 60)
    number = plain["speaker_id"].str[-5:].astype(int)
    plain["town"] = np.where(number < 16, "small", "large")
    plain.loc[number < 16, "errors"] *= 3
    shown = audit(read_log(plain), by=["town"], permutations=0).partition("town")
    # Sixteen speakers are shown, but the eight of a half that the gap rests on are not.
    assert not any(c.suppressed for c in shown.cohorts)
    assert shown.bottom.cohorts == ("small",)
    assert shown.bottom.wer is shown.gap.relative is None
    assert (shown.splits.q05, shown.splits.median, shown.splits.q95) == (None, None, None)
    # The eight of the other half are no more.
    assert shown.in_sample_gap is None


def test_an_in_sample_gap_of_few_searched_speakers_is_kept_back_where_nobody_is_held_out():
    cells = dict(zip("ab", groups(20, 30), strict=True))
    result, members = built(cells, [], [], [], frozenset(), sides=False)
    result = msgspec.structs.replace(
        result, in_sample_gap=InSample(relative=0.5, absolute=0.1, searched="whole log")
    )
    assert suppress(result, replace(members, smaller_side=11.0), FEWEST).in_sample_gap
    few = replace(members, smaller_side=10.0)
    assert suppress(result, few, FEWEST).in_sample_gap is None


def test_a_log_of_too_few_speakers_shows_nothing_but_its_size():
    result = audit(read_log(frame(2, 8)), by=["accent"], permutations=0)
    assert result.overall.wer is result.log.errors is None
    assert result.log.speakers == 8
    assert all(c.suppressed for c in result.partition("accent").cohorts)


def test_shares_whose_counts_are_withheld_tell_no_number_of_speakers():
    share = Share(speakers=142 / 961, utterances=0.1, ref_words=0.1)
    side = Side(speakers=142, cohorts=("f",), share=share, wer=0.2)
    kept = Protection(frozenset({"o"}), False, "rates", {})
    # 142 / 0.14776 would be the 961, and so the four others could be had.
    assert _side(side, kept, 11, "").share == Share(speakers=0.15, utterances=None, ref_words=None)


def test_a_share_leaves_open_of_how_many_it_is_though_the_number_of_speakers_is_known():
    for speakers in (5, 27, 142, 600):
        for whole in range(speakers + 11, 4 * speakers + 60, 13):
            shown = coarse_share(speakers / whole, speakers, FEWEST)
            wholes = range(speakers, 5 * speakers + 90)
            same = [n for n in wholes if coarse_share(speakers / n, speakers, FEWEST) == shown]
            assert max(same) - min(same) >= FEWEST


def test_all_shares_together_leave_open_of_how_many_they_are():
    parts = (17, 23, 41, 64)

    def shown(whole):
        return [coarse_share(part / whole, part, FEWEST) for part in parts]

    assert shown(145) == shown(150) == shown(155)


@pytest.fixture(scope="module")
def few_others():
    """An audit of a label that four speakers of 200 have another value of, and five none."""
    rng = np.random.default_rng(4)
    label = np.array([f"v{x}" for x in rng.integers(0, 2, 200)], dtype=object)
    label[:4], label[4:9] = "other", None
    table = pd.DataFrame({"speaker_id": [f"s{i:03}" for i in np.repeat(np.arange(200), 3)]})
    table["ref_words"] = rng.integers(5, 40, 600)
    table["errors"] = rng.poisson(0.15 * table["ref_words"])
    table["label"] = np.repeat(label, 3)
    return audit(read_log(table), by=["label"], permutations=19, splits=3, inject=True).partition("label")


def test_bottom_and_top_of_a_searched_label_do_not_add_up_to_a_rest_of_few(few_others):
    sides = few_others.bottom, few_others.top
    assert few_others.rest.wer is None
    for side in sides:
        assert side.wer is not None
        assert side.errors is side.share.ref_words is side.share.utterances is None
        assert side.share.speakers == round(side.share.speakers, 2)
    assert {"bottom_share_of_errors", "bottom_share_of_words"}.isdisjoint(few_others.disparity)


def test_no_further_share_tells_how_many_have_a_cohort(few_others):
    assert few_others.unassigned.speakers is None
    shares = [few_others.injection.share, *(point.share for point in few_others.gap_by_share)]
    assert len(shares) >= 2
    assert shares == [round(share, 2) for share in shares]
    for point in few_others.gap_by_share:
        assert point.ref_words is None or point.ref_words == float(f"{point.ref_words:.2g}")
        assert point.relative == round(point.relative, 4)
