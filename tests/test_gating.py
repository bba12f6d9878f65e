"""What a gate says of results whose truth is known."""

import itertools
import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import msgspec
import numpy as np
import pytest
from results import (
    HIDDEN,
    audited,
    change,
    cohort,
    cohort_change,
    compared,
    gap,
    moved,
    partition,
    partition_change,
    rate,
)

from fairaudit import assert_gate, gate
from fairaudit.changes import CohortChange, GapChange, Pairing, RateChange, SideChange
from fairaudit.estimate import t_quantile
from fairaudit.exceptions import GateError, ResultError
from fairaudit.gating import in_words
from fairaudit.gating.policy import Policy
from fairaudit.gating.rules import Rule, Waiver
from fairaudit.rates import Rate
from fairaudit.report.junit import junit_report
from fairaudit.report.verdict import verdict_annotations, verdict_markdown, verdict_sentence, verdict_text
from fairaudit.result import Unassigned
from fairaudit.schema import encode
from fairaudit.verdict import Verdict, json_schema

PUBLISHED = Path(__file__).parent.parent / "docs" / "schemas" / "verdict.schema.json"
OVERALL = Rule(name="overall", measure="wer", max_relative_increase=0.05)
EVERY = Rule(name="every", measure="wer", partition="*", max_relative_increase=0.1)
GAP = Rule(name="gap", measure="gap", partition="*", max_relative_increase=0.1)
TODAY = date(2026, 6, 1)


def policy(*rules, **fields):
    return Policy(rules=rules, **fields)


def only(result, rule, **fields):
    """The finding of a policy of one rule on a result where it has one."""
    (finding,) = gate(result, policy(rule, **fields), today=TODAY).findings
    return finding


# Pass, fail, inconclusive.


@pytest.mark.parametrize(
    ("relative", "se", "status"),
    [
        (0.0, 0.01, "pass"),
        (0.0, 0.1, "inconclusive"),
        (0.08, 0.05, "inconclusive"),
        (0.2, 0.02, "fail"),
        (-0.3, 0.02, "pass"),
        (None, 0.0, "inconclusive"),
    ],
)
def test_an_interval_within_passes_one_beyond_fails_and_all_else_is_inconclusive(relative, se, status):
    verdict = gate(compared(overall=relative, se=se), policy(OVERALL))
    assert verdict.status == status
    assert verdict.findings[0].status == status
    assert verdict.findings[0].blocks is (status != "pass")


def test_an_end_at_the_limit_is_within_it():
    figures = change(0.0, 0.01)
    at = Rule(name="r", measure="wer", max_relative_increase=figures.relative_high)
    assert only(compared(se=0.01), at).status == "pass"
    below = Rule(name="r", measure="wer", max_relative_increase=figures.relative_high - 1e-9)
    assert only(compared(se=0.01), below).status == "inconclusive"


def test_what_settles_it_is_how_many_speakers_more():
    # The interval reaches just to the limit once its half is 0.0488 = log(1.05).
    finding = only(compared(overall=0.0, se=0.05), OVERALL)
    assert finding.settles.startswith("about ")
    assert finding.settles.endswith(" more speakers like these would make this a pass")
    more = int(finding.settles.split()[1].replace(",", ""))
    times = 1 + more / 60
    assert (
        only(compared(overall=0.0, se=float(0.05 / np.sqrt(times)), df=40 * times), OVERALL).status == "pass"
    )
    fewer = 1 + 0.9 * more / 60
    assert (
        only(compared(overall=0.0, se=float(0.05 / np.sqrt(fewer)), df=40 * fewer), OVERALL).status != "pass"
    )
    beyond = only(compared(overall=0.07, se=0.05), OVERALL)
    assert beyond.settles.endswith("would make this a fail")
    row = partition_change(cohorts=[cohort_change("a", 0.0, 0.06)])
    assert "more speakers in this cohort" in only(compared(row), EVERY).settles
    assert "hardly any amount of data" in only(compared(overall=0.05, se=0.05), OVERALL).settles


def test_the_speakers_that_a_cohort_without_errors_lacks_are_of_its_upper_end():
    none = Rate(wer=0.0, low=0.0, high=0.3, speakers=20, confidence=0.95)
    finding = only(audited(overall=none), Rule(name="r", measure="wer", max=0.2))
    assert (finding.status, finding.p_value) == ("inconclusive", 1.0)
    assert finding.settles == "about 10 more speakers like these would make this a pass"
    assert only(audited(overall=none), Rule(name="r", measure="wer", max=0.3)).status == "pass"


# What each measure reads.


def test_every_measure_reads_its_own_figure_of_a_comparison():
    row = partition_change(
        cohorts=[cohort_change("a", 0.01), cohort_change("b", 0.02)],
        gap=GapChange(baseline=gap(0.2), candidate=gap(0.3), change=change(0.03, 0.01)),
        worst=cohort_change("b", 0.04),
        maximum=change(0.05),
    )
    result = compared(row, overall=0.06)

    def value(measure, bound, **given):
        finding = only(result, Rule(name="r", measure=measure, **{bound: 1.0}, **given))
        assert finding.status == "pass"
        return round(finding.value, 9)

    accent = {"partition": "accent"}
    assert value("wer", "max_relative_increase") == 0.06
    assert value("wer", "max_increase") == 0.006
    assert value("wer", "max") == 0.106
    assert value("wer", "max_relative_increase", **accent, cohorts=("id-b",)) == 0.02
    assert value("wer", "max", **accent, cohorts=("a",)) == 0.101
    assert value("wer", "max_relative_increase", **accent, cohorts="bottom") == 0.0
    assert value("gap", "max_relative_increase", **accent) == 0.03
    assert value("gap", "max", **accent) == 0.3
    assert value("gap_absolute", "max_increase", **accent) == 0.003
    assert value("gap_absolute", "max", **accent) == 0.03
    assert value("worst", "max_relative_increase", **accent) == 0.04
    assert value("worst", "max", **accent) == 0.104
    assert value("maximum", "max_relative_increase", **accent) == 0.05
    assert value("maximum", "max_increase", **accent) == 0.005


def test_every_measure_reads_its_own_figure_of_an_audit():
    result = audited(partition(cohorts=[cohort("a", 0.11), cohort("b", 0.12)]), overall=Rate(**rate(0.13)))
    accent = {"partition": "accent", "max": 5.0}
    assert only(result, Rule(name="r", measure="wer", max=5.0)).value == 0.13
    assert only(result, Rule(name="r", measure="wer", cohorts=("b",), **accent)).value == 0.12
    assert only(result, Rule(name="r", measure="wer", cohorts="bottom", **accent)).value == 0.15
    assert only(result, Rule(name="r", measure="gap", **accent)).value == 0.2
    assert only(result, Rule(name="r", measure="gap_absolute", **accent)).value == pytest.approx(0.02)
    worst = only(result, Rule(name="r", measure="worst", **accent))
    assert (worst.status, worst.value) == ("inconclusive", None)
    assert worst.reason == "an audit has no such figure: worst takes a comparison"
    assert worst.settles.endswith('of an audit, a rule on cohorts = "bottom" reads much the same')


def test_a_limit_of_a_gap_in_points_is_held_to_its_own_interval():
    result = audited(partition(relative=0.5, se=0.05))
    low = only(result, Rule(name="r", measure="gap_absolute", partition="accent", max=0.01))
    assert (low.status, round(low.value, 3)) == ("fail", 0.05)
    assert low.p_value < 0.005
    at = Rule(name="r", measure="gap_absolute", partition="accent", max=low.low)
    # Where the limit is the lower end, p is what lies beyond one side of the interval.
    assert only(result, at).p_value == pytest.approx(0.025)


# What is not there never passes.


def test_what_is_missing_never_passes():
    gone = partition_change(cohorts=[cohort_change("a")], vanished=("z",))
    empty = partition_change(
        cohorts=[], gap=None, worst=None, maximum=None, bottom=None, reason="nobody left"
    )
    one = Rule(name="r", measure="wer", partition="accent", cohorts=("nobody",), max_relative_increase=0.1)
    dialect = Rule(name="r", measure="wer", partition="dialect", max_relative_increase=0.1)
    cases = [
        (compared(), EVERY, "the result has no partitions"),
        (compared(), GAP, "the result has no partitions"),
        (compared(gone), dialect, "Known: accent"),
        (compared(skipped={"dialect": "the log has no dialect"}), dialect, "the log has no dialect"),
        (compared(gone), one, "no cohort nobody"),
        (compared(empty), EVERY, "nobody left"),
        (compared(empty), GAP, "nobody left"),
        (compared(partition_change(cohorts=[cohort_change("a", None)])), EVERY, "too few speakers"),
        (audited(), Rule(name="r", measure="wer", partition="*", max=1), "the result has no partitions"),
        (
            audited(overall=Rate(speakers=0, reason="no speakers")),
            Rule(name="r", measure="wer", max=1),
            "no sp",
        ),
        (audited(overall=Rate(wer=0.1, speakers=1)), Rule(name="r", measure="wer", max=1), "no interval"),
    ]
    for result, rule, words in cases:
        for inconclusive, status in (("warn", "inconclusive"), ("fail", "fail")):
            strict = msgspec.structs.replace(rule, inconclusive=inconclusive)
            verdict = gate(result, policy(strict))
            assert verdict.status == status, rule
            assert words in verdict.findings[0].reason


def test_a_cohort_that_vanished_and_a_partition_that_was_not_compared_hold_up_the_rule_of_all():
    row = partition_change(cohorts=[cohort_change("a", 0.0, 0.001)], vanished=("z",))
    verdict = gate(compared(row), policy(EVERY))
    assert verdict.status == "inconclusive"
    assert [(f.status, f.cohort) for f in verdict.findings] == [("inconclusive", "z"), ("pass", "a")]
    whole = partition_change(cohorts=[cohort_change("a", 0.0, 0.001)])
    verdict = gate(compared(whole, skipped={"zip": "the log has no zip_code"}), policy(EVERY))
    assert verdict.status == "inconclusive"
    assert "no zip_code" in verdict.findings[0].reason


def test_what_an_audit_skipped_is_said():
    whole = partition(cohorts=[cohort("a", 0.1, 0.01)])
    rule = Rule(name="r", measure="wer", partition="*", max=0.5)
    verdict = gate(audited(whole, skipped={"city": "more than 50 values"}), policy(rule))
    assert verdict.status == "pass"
    assert verdict.warnings == ("not audited, so held to no rule: city (more than 50 values)",)


def test_a_suppressed_cohort_is_inconclusive_and_says_so():
    for row in (
        compared(partition_change(cohorts=[cohort_change("a", suppressed=True)])),
        audited(partition(cohorts=[cohort("a", suppressed=True)])),
    ):
        rule = Rule(name="r", measure="wer", partition="accent", cohorts=("a",), max=0.5)
        finding = only(row, rule)
        assert finding.status == "inconclusive"
        assert "suppressed: fewer than 11 speakers" in finding.reason
        assert "--min-speakers-shown" in finding.settles


def test_fewer_speakers_than_the_rule_asks_for_are_inconclusive():
    rule = Rule(name="r", measure="wer", partition="accent", max_relative_increase=0.1, min_speakers=30)
    result = compared(partition_change(cohorts=[cohort_change("a", 0.0, 0.001, speakers=29)]))
    finding = only(result, rule)
    assert (finding.status, finding.settles) == ("inconclusive", "1 more speaker")
    assert finding.reason == "29 speakers, and the rule asks for 30"
    enough = compared(partition_change(cohorts=[cohort_change("a", 0.0, 0.001, speakers=30)]))
    assert only(enough, rule).status == "pass"
    # Of a gap the smaller side counts.
    gap_rule = Rule(name="r", measure="gap", partition="accent", max=5.0, min_speakers=21)
    assert "20 speakers" in only(audited(partition()), gap_rule).reason


def test_a_tiny_log_is_inconclusive():
    tiny = compared(
        partition_change(cohorts=[cohort_change("a", 0.0, 0.3, df=2.0, speakers=3)]), se=0.3, df=2.0
    )
    assert gate(tiny, policy(OVERALL, EVERY)).status == "inconclusive"


def alike(errors, *, df=40.0, se=0.0, relative=0.0):
    """A comparison in which nothing varies, of so many errors in each release."""
    row = compared(overall=relative, se=se, df=df).overall
    sides = {
        name: msgspec.structs.replace(getattr(row, name), errors=errors) for name in ("baseline", "candidate")
    }
    return msgspec.structs.replace(compared(), overall=msgspec.structs.replace(row, **sides))


def test_few_speakers_or_errors_in_which_nothing_changed_are_no_evidence_that_nothing_does():
    for df, status in ((5.0, "inconclusive"), (9.9, "inconclusive"), (10.0, "pass")):
        assert only(alike(500, df=df), OVERALL).status == status
    assert only(alike(500, df=5.0), OVERALL).settles == "at least 11 speakers"
    # Of 75 errors 3.7 more are 4.92 %, of 74 they are 4.98 %, of 73 they are 5.05 %.
    for errors, status in (
        (500, "pass"),
        (75, "pass"),
        (74, "pass"),
        (73, "inconclusive"),
        (2, "inconclusive"),
    ):
        finding = only(alike(errors), OVERALL)
        assert finding.status == status
    assert "in so few errors" in finding.reason
    # How many errors there are has to be known.
    assert only(alike(None), OVERALL).status == "inconclusive"
    # A change that is the same in everybody may be as much luck.
    assert only(alike(30, relative=0.08), OVERALL).status == "inconclusive"
    assert only(alike(500, relative=0.08), OVERALL).status == "fail"


def test_an_interval_without_width_is_known_as_such_whatever_its_last_digits_are():
    for se in (0.0, 1e-17, 1e-12):
        assert only(alike(20, se=se), OVERALL).status == "inconclusive"
        assert only(alike(500, se=se, df=3.0), OVERALL).status == "inconclusive"
    # Of one that is wider than 3.7 errors, or of few speakers twice that, something varied.
    wide = np.log1p(3.69 / 40)
    for df, times, status in ((40.0, 1.01, "pass"), (8.0, 1.9, "inconclusive"), (8.0, 2.01, "pass")):
        se = float(times * wide / t_quantile(df, 0.95))
        assert only(alike(40, df=df, se=se, relative=-0.3), OVERALL).status == status


def test_with_few_errors_a_harm_passes_no_more_often_than_the_confidence_says():
    # Nothing seen to vary passes only where a true change at the limit would show in 39 of 40 releases.
    limit = OVERALL.limit
    for errors in range(1, 400):
        if only(alike(errors), OVERALL).status == "pass":
            break
    unseen = np.exp(-errors * limit)
    assert unseen <= 0.025
    assert np.exp(-0.9 * errors * limit) > 0.025


def test_a_result_of_a_lower_confidence_than_the_policy_asks_for_is_inconclusive():
    for overall in (-0.3, 0.5):
        result = compared(overall=overall, se=0.001, options={"confidence": 0.8})
        finding = only(result, OVERALL)
        assert finding.status == "inconclusive"
        assert finding.reason.startswith("the intervals are of 80 % confidence, and the policy asks for 95 %")
        assert "--confidence 0.95" in finding.settles
    named = gate(compared(se=0.001, options={"confidence": 0.8}), policy(OVERALL, confidence=0.8))
    assert named.status == "pass"
    assert "80 % confidence" in named.warnings[0]
    higher = policy(OVERALL, confidence=0.99)
    assert gate(compared(se=0.001), higher).status == "inconclusive"
    assert gate(compared(se=0.001, options={"confidence": 0.99}), higher).status == "pass"


# What the result was made from.


def test_utterances_that_were_not_compared_hold_up_every_finding():
    pairing = Pairing(matched=880, baseline_only=15, candidate_only=3, different_reference=2)
    result = msgspec.structs.replace(compared(se=0.001), pairing=pairing)
    verdict = gate(result, policy(OVERALL, msgspec.structs.replace(OVERALL, name="i", inconclusive="fail")))
    counts = (
        "20 of 900 utterances (2.2 %) were not compared: 15 are in the baseline alone, 3 in the candidate "
        "alone, and 2 have another reference"
    )
    assert [f.status for f in verdict.findings] == ["fail", "inconclusive"]
    assert all(f"{counts}, and the policy allows 1 %" in f.reason for f in verdict.findings)
    assert verdict.basis.pairing == {
        "matched": 880,
        "baseline_only": 15,
        "candidate_only": 3,
        "different_reference": 2,
    }
    for shown in (verdict_text(verdict, 400), verdict_markdown(verdict), junit_report(verdict)):
        assert counts in shown
    allowed = gate(result, policy(OVERALL, max_unpaired=0.03))
    assert (allowed.status, allowed.warnings) == ("pass", (counts,))
    assert gate(result, policy(OVERALL, max_unpaired=20 / 900)).status == "pass"
    # What nobody can tell is waived by nobody.
    answered = waiver(rule="i", partition="overall", cohort="overall", max_value=1.0)
    strict = msgspec.structs.replace(OVERALL, name="i", inconclusive="fail")
    assert gate(result, policy(strict, waivers=(answered,)), today=TODAY).status == "fail"


def test_filters_exclusions_and_warnings_of_the_result_are_carried_into_the_verdict():
    plain = compared(partition_change(cohorts=[cohort_change("a")], warnings=("shares have drifted",)))
    log = msgspec.structs.replace(
        plain.log,
        where={"accent": tuple("abcdefg"), "device": ("phone",)},
        excluded={"no speaker": 2, "no words": 5},
        warnings=("both releases are the same",),
    )
    verdict = gate(msgspec.structs.replace(plain, log=log), policy(EVERY))
    assert verdict.status == "pass"
    assert verdict.warnings == (
        "only a part of the log was gated: accent is a or b or c or d or e and 2 more; device is phone",
        "7 utterances were left out when the log was read (no speaker: 2, no words: 5)",
        "both releases are the same",
        "accent: shares have drifted",
    )
    assert verdict.basis.where["device"] == ("phone",)
    assert (verdict.basis.utterances, verdict.basis.excluded["no words"]) == (900, 5)
    for shown in (verdict_text(verdict, 400), verdict_markdown(verdict), junit_report(verdict)):
        assert all(warning in shown for warning in verdict.warnings)
    rows = {
        p.get("name"): p.get("value") for p in ElementTree.fromstring(junit_report(verdict)).iter("property")
    }
    assert (rows["where: device"], rows["excluded: no words"], rows["pairing: matched"]) == (
        "phone",
        "5",
        "900",
    )
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_speakers_without_a_cohort_are_held_to_the_rule_of_all():
    rows = [cohort_change("a", 0.0, 0.001)]
    harmed = partition_change(cohorts=rows, unassigned=RateChange(**moved(1.0)))
    verdict = gate(compared(harmed), policy(EVERY))
    assert verdict.status == "fail"
    first = verdict.findings[0]
    assert (first.cohort, first.label, first.cohort_id) == ("unassigned", "without a cohort", None)
    named = msgspec.structs.replace(EVERY, partition="accent", cohorts=("unassigned",))
    assert only(compared(harmed), named).status == "fail"
    assert only(compared(harmed), msgspec.structs.replace(named, cohorts=("a",))).status == "pass"
    hidden = RateChange(baseline=Rate(reason=HIDDEN), candidate=Rate(reason=HIDDEN), change=change(None))
    withheld = gate(compared(partition_change(cohorts=rows, unassigned=hidden)), policy(EVERY))
    assert [(f.cohort, f.status) for f in withheld.findings] == [
        ("unassigned", "inconclusive"),
        ("a", "pass"),
    ]
    assert withheld.findings[0].suppressed
    nobody = only(compared(partition_change(cohorts=rows)), named)
    assert (nobody.status, nobody.reason) == ("inconclusive", "everybody has a cohort")
    # So in an audit.
    unassigned = Unassigned(share=None, reasons={}, **rate(0.6, 0.01))
    result = audited(partition(cohorts=[cohort("a", 0.1, 0.01)], unassigned=unassigned))
    found = gate(result, policy(Rule(name="r", measure="wer", partition="*", max=0.5)))
    assert [(f.cohort, f.status) for f in found.findings] == [("unassigned", "fail"), ("a", "pass")]


def test_saved_partitions_that_an_audit_could_not_measure_hold_up_the_rule_of_all():
    whole = partition(cohorts=[cohort("a", 0.1, 0.01)], origin="saved")
    rule = Rule(name="r", measure="wer", partition="*", max=0.5)
    verdict = gate(audited(whole, skipped={"device": "saved, but the log has no device"}), policy(rule))
    assert verdict.status == "inconclusive"
    assert [(f.partition, f.status) for f in verdict.findings] == [
        ("device", "inconclusive"),
        ("accent", "pass"),
    ]
    assert verdict.warnings == ()


def test_a_rule_may_let_cohorts_go_that_are_too_small_to_be_shown_and_says_so():
    small = [cohort_change(name, suppressed=True) for name in "uvwxyz"]
    result = compared(partition_change(cohorts=[cohort_change("a", 0.0, 0.001), *small]))
    assert gate(result, policy(EVERY)).status == "inconclusive"
    lenient = msgspec.structs.replace(EVERY, suppressed="inform")
    verdict = gate(result, policy(lenient))
    assert verdict.status == "pass"
    assert [(f.status, f.blocks) for f in verdict.findings if f.suppressed] == [("inconclusive", False)] * 6
    assert verdict.warnings == (
        "rule every says nothing of what is too small to be shown: accent / u, accent / v, accent / w, "
        "accent / x, accent / y and 1 more",
    )
    assert gate(result, policy(msgspec.structs.replace(lenient, inconclusive="fail"))).status == "pass"
    # But not all of them, and nothing else that is missing.
    assert gate(compared(partition_change(cohorts=small)), policy(lenient)).status == "inconclusive"
    gone = partition_change(cohorts=[cohort_change("a", 0.0, 0.001)], vanished=("z",))
    assert gate(compared(gone), policy(lenient)).status == "inconclusive"
    other = gate(result, policy(lenient, msgspec.structs.replace(EVERY, name="strict")))
    assert other.status == "inconclusive"


def test_the_least_number_of_measured_speakers_counts_where_a_figure_has_no_other():
    def held_out(speakers):
        plain = {name: Rate(**rate(0.1) | {"speakers": None}) for name in ("baseline", "candidate")}
        return plain | {"change": change(0.0, 0.001), "measured_speakers": speakers}

    side = {"share": None, "cohorts": ("a",)}
    worst = CohortChange(cohort="a", id="id-a", label="a", suppressed=False, share=None, **held_out(25))
    row = partition_change(
        bottom=SideChange(**side, **held_out(12)),
        top=SideChange(**side, **held_out(40)),
        worst=worst,
        se=0.001,
    )
    found = {
        measure: only(compared(row), Rule(name="r", partition="accent", max_relative_increase=0.1, **given))
        for measure, given in (
            ("bottom", {"measure": "wer", "cohorts": "bottom", "min_speakers": 13}),
            ("gap", {"measure": "gap", "min_speakers": 13}),
            ("worst", {"measure": "worst", "min_speakers": 13}),
        )
    }
    assert {name: (f.status, f.speakers) for name, f in found.items()} == {
        "bottom": ("inconclusive", 12),
        "gap": ("inconclusive", 12),
        "worst": ("pass", 25),
    }
    assert found["gap"].reason == "12 speakers, and the rule asks for 13"
    # They are those of half of the log, so it is not said how many more.
    plain = held_out(12) | {"change": change(0.0, 0.08)}
    wide = partition_change(bottom=SideChange(**side, **plain))
    rule = Rule(name="r", measure="wer", partition="accent", cohorts="bottom", max_relative_increase=0.1)
    assert "times the speakers would make this a pass" in only(compared(wide), rule).settles


def test_why_there_is_no_worst_cohort_is_told():
    row = partition_change(worst=None, worst_reason="no cohort has enough of them")
    rule = Rule(name="r", measure="worst", partition="accent", max_relative_increase=0.1)
    assert only(compared(row), rule).reason == "no cohort has enough of them"


def test_where_a_release_has_no_errors_another_rule_settles_it():
    plain = moved(0.0)
    none = Rate(wer=0.0, low=0.0, high=0.01, speakers=60, errors=0, confidence=0.95)
    figures = msgspec.structs.replace(
        change(None), absolute=0.02, absolute_low=0.01, absolute_high=0.03, df=40.0, reason="no errors"
    )
    result = msgspec.structs.replace(
        compared(), overall=RateChange(**plain | {"baseline": none, "change": figures})
    )
    finding = only(result, OVERALL)
    assert (finding.status, finding.reason) == ("inconclusive", "no errors")
    assert finding.settles == "a rule with max_increase, which needs no errors to compare with"
    other = Rule(name="r", measure="wer", max_increase=0.005)
    assert only(result, other).status == "fail"
    row = partition_change(gap=GapChange(baseline=gap(None), candidate=gap(0.2), change=figures))
    found = only(compared(row), GAP)
    assert found.settles == "a rule on gap_absolute with max_increase, which needs no errors to compare with"


def test_of_very_few_speakers_it_is_not_said_how_many_are_lacking():
    tiny = only(compared(overall=0.2, se=0.4, df=3.0), OVERALL)
    assert tiny.settles == "more speakers; of so few, it cannot be told how many more"
    assert only(compared(overall=0.2, se=0.4, df=4.0), OVERALL).settles.startswith("about ")


# No baseline, exploratory cohorts.


def test_an_increase_needs_a_baseline_unless_the_policy_says_that_there_is_none():
    result = audited(partition(cohorts=[cohort("a", 0.1, 0.01)]))
    verdict = gate(result, policy(OVERALL, EVERY, GAP))
    assert verdict.status == "inconclusive"
    assert all("there is no baseline" in f.reason and f.blocks for f in verdict.findings)
    absolute = Rule(name="limit", measure="wer", partition="*", max=0.5)
    first = gate(result, policy(OVERALL, EVERY, GAP, absolute, first_release=True))
    assert first.status == "pass"
    assert [(f.rule, f.status) for f in first.findings if f.status == "pass"] == [("limit", "pass")]
    assert all("first release" in f.reason for f in first.findings if f.status != "pass")
    # It excuses nothing else.
    worse = gate(
        audited(partition(cohorts=[cohort("a", 0.9, 0.01)])), policy(OVERALL, absolute, first_release=True)
    )
    assert worse.status == "fail"
    # What needs a baseline is not applied, whatever else is missing; what does not need one is.
    gone = Rule(name="gone", measure="wer", partition="dialect", max_relative_increase=0.1)
    worst = Rule(name="worst", measure="worst", partition="*", max=0.5)
    highest = Rule(name="highest", measure="maximum", partition="*", max_increase=0.1)
    assert gate(result, policy(gone, worst, highest, absolute, first_release=True)).status == "pass"
    assert gate(result, policy(gone, worst, highest, absolute)).status == "inconclusive"
    there = Rule(name="there", measure="wer", partition="dialect", max=0.5)
    assert gate(result, policy(there, absolute, first_release=True)).status == "inconclusive"
    nothing = gate(result, policy(OVERALL, first_release=True))
    assert not nothing.enforced
    assert "no rule was enforced: this verdict says nothing about the release" in nothing.warnings
    compares = gate(compared(overall=0.5), policy(OVERALL, first_release=True))
    assert compares.status == "fail"
    assert "there is a baseline" in compares.warnings[0]


def test_rules_on_exploratory_cohorts_warn_or_are_refused():
    rule = Rule(name="r", measure="wer", partition="*", max=0.5)
    results = [
        audited(partition(cohorts=[cohort("a", 0.1, 0.01)], origin="discovered")),
        audited(partition(cohorts=[cohort("a", 0.1, 0.01)], origin="saved", exploratory=True)),
        compared(partition_change(cohorts=[cohort_change("a")], exploratory=True)),
    ]
    for result in results:
        warned = gate(result, policy(rule))
        assert warned.status == "pass"
        assert any(w.startswith("exploratory") and "r (accent)" in w for w in warned.warnings)
        refused = gate(result, policy(rule, exploratory="refuse"))
        assert refused.status == "inconclusive"
        assert refused.findings[0].reason.startswith("refused: the cohorts were found in the very data")
    declared = audited(partition(cohorts=[cohort("a", 0.1, 0.01)]))
    assert gate(declared, policy(rule, exploratory="refuse")).status == "pass"


# Many findings.


def limits(n, **fields):
    return [
        Rule(name=f"r{i:02}", measure="wer", partition="accent", cohorts=(f"c{i:02}",), **fields)
        for i in range(n)
    ]


def test_a_fail_among_many_findings_has_to_stand_the_correction():
    # One-sided p of 0.01: a fail among 4 findings (0.04), not among 6 (0.06).
    from scipy.special import stdtrit

    beyond = float(np.exp(stdtrit(40.0, 0.99) * 0.02)) - 1
    for others, status in ((3, "fail"), (5, "inconclusive")):
        rows = [cohort_change("bad", beyond), *(cohort_change(f"c{i}", -0.3) for i in range(others))]
        rule = Rule(name="r", measure="wer", partition="accent", max_relative_increase=0.0)
        first = gate(compared(partition_change(cohorts=rows)), policy(rule)).findings[0]
        assert (first.cohort, first.status) == ("bad", status)
        assert first.p_value == pytest.approx(0.01)
        assert first.p_adjusted == pytest.approx(0.01 * (others + 1))
        assert first.low > 0
    assert "of 6 findings one may be so by chance (p 0.060 corrected)" in first.reason
    assert first.settles.startswith("more data would make this a fail")
    # The correction never makes a pass of it, and rules that inform do not weaken those that block.
    inform = [msgspec.structs.replace(r, mode="inform") for r in limits(20, max_relative_increase=0.0)]
    enforced = Rule(name="x", measure="wer", partition="accent", cohorts=("bad",), max_relative_increase=0.0)
    rows = [cohort_change("bad", beyond), *(cohort_change(f"c{i:02}", -0.3) for i in range(20))]
    assert gate(compared(partition_change(cohorts=rows)), policy(enforced, *inform)).status == "fail"


def test_that_all_pass_is_not_corrected():
    rows = [cohort_change(f"c{i:02}", 0.0, 0.02) for i in range(50)]
    rule = Rule(name="r", measure="wer", partition="accent", max_relative_increase=0.05)
    assert gate(compared(partition_change(cohorts=rows)), policy(rule)).status == "pass"


def test_without_a_change_the_gate_fails_at_most_once_in_twenty_over_its_rules():
    rng = np.random.default_rng(1)
    rule = Rule(name="r", measure="wer", partition="*", max_relative_increase=0.0)
    fails = single = 0
    runs, n = 400, 12
    for _ in range(runs):
        draws = rng.standard_normal(n) * 0.05
        # The standard error is itself estimated.
        errors = 0.05 * np.sqrt(rng.chisquare(15, n) / 15)
        rows = [
            cohort_change(f"c{i}", float(np.exp(x)) - 1, float(s), df=15.0)
            for i, (x, s) in enumerate(zip(draws, errors, strict=True))
        ]
        verdict = gate(compared(partition_change(cohorts=rows)), policy(rule))
        fails += verdict.status == "fail"
        single += any(row.change.relative_low > 0 for row in rows)
    assert fails <= 0.05 * runs + 2 * np.sqrt(runs * 0.05 * 0.95)
    # Without the correction a quarter of these releases would have been stopped.
    assert single > 0.2 * runs


def test_a_rule_that_informs_never_blocks():
    inform = msgspec.structs.replace(OVERALL, mode="inform")
    verdict = gate(compared(overall=0.5), policy(inform))
    assert verdict.status == "pass"
    assert (verdict.findings[0].status, verdict.findings[0].blocks) == ("fail", False)
    assert verdict.warnings == ("no rule was enforced: this verdict says nothing about the release",)
    assert verdict_sentence(verdict) == "Nothing is enforced: of 1 finding, 1 that do not count."
    assert "PASS" not in verdict_text(verdict) + verdict_markdown(verdict)
    (found,) = ElementTree.fromstring(junit_report(verdict)).iterfind(".//property[@name='verdict']")
    assert found.get("value") == "nothing is enforced"


def test_gap_rules_alone_are_warned_of():
    row = partition_change(cohorts=[cohort_change("a")], relative=0.0, se=0.01)
    assert any("all rules are about gaps" in w for w in gate(compared(row), policy(GAP)).warnings)
    assert gate(compared(row), policy(GAP, EVERY)).warnings == ()


def test_limits_that_look_like_per_cent_are_warned_of():
    rule = Rule(name="r", measure="wer", max_relative_increase=5)
    assert gate(compared(), policy(rule)).warnings == ("rule r: the limit is a fraction, so 5 is 500 %",)


# Waivers.


def waiver(**fields):
    plain = {
        "cohort": "a",
        "partition": "accent",
        "rule": "every",
        "reason": "new telephone channel",
        "approver": "Ada",
        "note": "T-1",
        "expires": date(2026, 6, 1),
        "max_value": 0.3,
    }
    return Waiver(**plain | fields)


HARMED = compared(partition_change(cohorts=[cohort_change("a", 0.25), cohort_change("b", 0.0)]))


def waived(**fields):
    return gate(HARMED, policy(EVERY, waivers=(waiver(**fields),)), today=TODAY)


def test_a_waiver_turns_its_fail_into_waived_and_is_shown():
    assert gate(HARMED, policy(EVERY)).status == "fail"
    for verdict in (waived(), waived(cohort="id-a")):
        assert verdict.status == "pass"
        first = verdict.findings[0]
        assert (first.status, first.cohort, first.blocks) == ("waived", "a", False)
        assert first.waiver["approver"] == "Ada"
        assert first.waiver["expires"] == "2026-06-01"
        assert first.reason.startswith("waived until 2026-06-01 by Ada: new telephone channel; the interval")
        assert verdict.waivers_as_of == "2026-06-01"
        assert verdict.warnings == ()


def test_a_waiver_that_expired_or_holds_for_less_does_not_help():
    expired = waived(expires=date(2026, 5, 31))
    assert expired.status == "fail"
    assert "its waiver expired on 2026-05-31" in expired.findings[0].reason
    less = waived(max_value=0.2)
    assert less.status == "fail"
    assert "its waiver holds up to +20.0 %, and this is +25.0 %" in less.findings[0].reason
    # An earlier one that expired does not take the later one's place.
    both = policy(EVERY, waivers=(waiver(expires=date(2026, 1, 1), cohort="id-a"), waiver()))
    assert gate(HARMED, both, today=TODAY).findings[0].status == "waived"


def test_a_waiver_is_of_one_cohort_of_one_rule():
    others = (
        waiver(cohort="b"),
        waiver(partition="accents"),
        waiver(rule="gap", cohort="US"),
        waiver(cohort="id-c"),
    )
    verdict = gate(HARMED, policy(EVERY, GAP, waivers=others), today=TODAY)
    assert verdict.status == "fail"
    day = "(expires 2026-06-01)"
    assert verdict.warnings == (
        f"a waiver was not needed: every, accent / b {day}; remove it",
        f"a waiver is of nothing in this verdict: every, accent / id-c {day}; cohort id-c: Known: a, b",
        f"a waiver is of nothing in this verdict: every, accents / a {day}; partition accents: did you mean "
        "'accent'? Known: accent",
        f"a waiver is of nothing in this verdict: gap, accent / US {day}; cohort US: Known: gap",
    )


def test_a_waiver_is_looked_at_again_at_least_once_a_year():
    assert waived(expires=date(2027, 6, 2)).status == "pass"
    late = waived(expires=date(2027, 6, 3))
    assert late.status == "fail"
    assert (
        "its waiver is until 2027-06-03, and holds only if it is until 2027-06-02 at most"
        in late.findings[0].reason
    )


def test_what_is_not_of_a_cohort_is_waived_by_its_word():
    row = partition_change(relative=0.5, se=0.02)
    waivers = (
        waiver(rule="overall", partition="overall", cohort="overall"),
        waiver(rule="gap", cohort="gap", max_value=1.0),
    )
    verdict = gate(compared(row, overall=0.2), policy(OVERALL, GAP, waivers=waivers), today=TODAY)
    assert [f.status for f in verdict.findings] == ["waived", "waived"]


def test_what_is_inconclusive_is_not_waived():
    row = compared(partition_change(cohorts=[cohort_change("a", suppressed=True)]))
    for inconclusive, status in (("warn", "inconclusive"), ("fail", "fail")):
        rule = msgspec.structs.replace(EVERY, inconclusive=inconclusive)
        assert gate(row, policy(rule, waivers=(waiver(),)), today=TODAY).status == status


# Order, records, words.


def test_the_order_of_rules_and_cohorts_changes_nothing():
    rows = [
        cohort_change("a", 0.3),
        cohort_change("b", 0.0),
        cohort_change("c", 0.1, 0.05),
        cohort_change("d", 0.25),
    ]
    rules = [OVERALL, EVERY, GAP]
    found = set()
    for order in itertools.permutations(range(3)):
        for cohorts in (rows, rows[::-1]):
            result = compared(partition_change(cohorts=cohorts), overall=0.2)
            verdict = gate(result, policy(*(rules[i] for i in order)), today=TODAY)
            found.add(
                (verdict.status, b"".join(map(msgspec.json.encode, verdict.findings)), verdict.warnings)
            )
    assert len(found) == 1
    assert [f.cohort for f in verdict.findings if f.status == "fail"] == ["a", "overall", "d"]


def test_equal_results_give_equal_bytes(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    first, second = (gate(HARMED, policy(EVERY)).to_json() for _ in range(2))
    assert first == second
    plain = json.loads(first)
    assert plain["created_at"] == "1970-01-01T00:00:00+00:00"
    assert plain["result"]["kind"] == "comparison"
    assert (plain["result"]["baseline"], plain["result"]["candidate"]) == ("m1", "m2")


def many(n=5000):
    rows = [cohort_change(f"cohort <{i}> | :: {'x' * 60}", 0.5 if i % 2 else 0.0) for i in range(n)]
    return gate(compared(partition_change(cohorts=rows)), policy(EVERY))


def verdicts():
    tiny = compared(partition_change(cohorts=[cohort_change("a", suppressed=True)]), se=0.3, df=2.0)
    inform = msgspec.structs.replace(OVERALL, mode="inform")
    return [
        gate(HARMED, policy(OVERALL, EVERY)),
        gate(tiny, policy(inform, EVERY)),
        waived(),
        gate(audited(partition(cohorts=[cohort("a")])), policy(OVERALL, EVERY, GAP)),
    ]


def test_the_published_schema_is_the_one_of_the_types_and_verdicts_keep_it():
    assert PUBLISHED.read_text("utf-8") == json.dumps(json_schema(), indent=2) + "\n"
    jsonschema.Draft202012Validator.check_schema(json_schema())
    for verdict in verdicts():
        jsonschema.validate(json.loads(verdict.to_json()), json_schema())
        assert Verdict.from_json(verdict.to_json()) == verdict
        assert encode(verdict) == verdict.to_json()


def test_asserting_a_gate_raises_what_blocks_in_words():
    assert assert_gate(compared(se=0.001), policy(OVERALL)).status == "pass"
    with pytest.raises(
        GateError, match=r"(?s)the gate is fail.*fail: every, accent / a: the interval"
    ) as error:
        assert_gate(HARMED, policy(EVERY))
    assert isinstance(error.value, AssertionError)
    with pytest.raises(AssertionError, match="the gate is inconclusive"):
        assert_gate(compared(se=0.3), policy(OVERALL))
    with pytest.raises(ResultError, match="a dict cannot be gated"):
        gate({}, policy(OVERALL))


def test_the_terminal_shows_the_worst_first_and_one_sentence_last():
    text = verdict_text(gate(HARMED, policy(OVERALL, EVERY)), 120)
    lines = text.splitlines()
    assert lines[0].split() == [
        "Status",
        "Rule",
        "Partition",
        "/",
        "cohort",
        "Value",
        "Interval",
        "Limit",
        "Speakers",
    ]
    assert lines[2].split()[:4] == ["fail", "every", "accent", "/"]
    assert "increase 10.0 %" in lines[2]
    assert "* fail: every, accent / a: the interval, +20.0 to +30.2 %, is beyond the limit of +10.0 %" in text
    assert lines[-1] == "FAIL: of 3 findings, 1 failed, 2 within the limit."
    assert verdict_sentence(waived()) == "PASS: of 2 findings, 1 waived, 1 within the limit."


def test_what_is_said_of_several_cohorts_is_said_once():
    text = verdict_text(gate(audited(partition(cohorts=[cohort("a"), cohort("b")])), policy(EVERY)))
    assert text.count("there is no baseline") == 1
    assert "every, accent / a and 1 more: " in text


def test_junit_has_a_failure_for_a_fail_and_skips_what_is_inconclusive_or_waived():
    for verdict in verdicts():
        suite = ElementTree.fromstring(junit_report(verdict)).find("testsuite")
        cases = suite.findall("testcase")
        heeded = [f for f in verdict.findings if f.mode == "enforce"]
        assert len(cases) == len(heeded) == int(suite.get("tests"))
        assert len({(c.get("classname"), c.get("name")) for c in cases}) == len(cases)
        assert len(suite.findall("testcase/failure")) == sum(f.status == "fail" for f in heeded)
        skipped = suite.findall("testcase/skipped")
        assert (
            len(skipped)
            == int(suite.get("skipped"))
            == sum(f.status in ("waived", "inconclusive") for f in heeded)
        )
        whole = ElementTree.fromstring(junit_report(verdict))
        for total in ("tests", "failures", "errors"):
            assert whole.get(total) == suite.get(total)
    suite = ElementTree.fromstring(junit_report(waived())).find("testsuite")
    assert suite.find("testcase/skipped").get("message").startswith("waived: every, accent / a: waived until")
    informs = ElementTree.fromstring(junit_report(verdicts()[1]))
    names = [p.get("name") for p in informs.iter("property")]
    assert "informs: overall, overall" in names


def test_a_reader_of_junit_finds_what_the_verdict_says():
    junitparser = pytest.importorskip("junitparser", reason="it reads JUnit")
    for verdict in verdicts():
        whole = junitparser.JUnitXml.fromstring(junit_report(verdict).encode())
        (suite,) = whole
        heeded = [f for f in verdict.findings if f.mode == "enforce"]
        cases = list(suite)
        assert [case.is_passed for case in cases] == [f.status == "pass" for f in heeded]
        assert [case.is_failure for case in cases] == [f.status == "fail" for f in heeded]
        said = (suite.tests, suite.failures, suite.errors, suite.skipped)
        suite.update_statistics()
        assert said == (suite.tests, suite.failures, suite.errors, suite.skipped)
        assert said[:3] == (whole.tests, whole.failures, whole.errors)


#: Of junit-10.xsd: the elements within each, and the attributes that it must and may have.
JUNIT_10 = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"properties", "testcase"},
        {"name", "tests", "failures", "errors"},
        {"time", "skipped", "timestamp"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, set()),
    "testcase": ({"skipped", "failure"}, {"name"}, {"time", "classname"}),
    "skipped": (set(), set(), {"type", "message"}),
    "failure": (set(), set(), {"type", "message"}),
}


def test_junit_keeps_to_the_schema_that_jenkins_checks_by():
    for verdict in verdicts():
        for element in ElementTree.fromstring(junit_report(verdict)).iter():
            within, must, may = JUNIT_10[element.tag]
            assert {child.tag for child in element} <= within
            assert must <= set(element.attrib) <= must | may


def test_findings_that_are_called_alike_are_told_apart_in_junit():
    hidden = RateChange(baseline=Rate(reason=HIDDEN), candidate=Rate(reason=HIDDEN), change=change(None))
    rows = [cohort_change("a\x1b", 0.5), cohort_change("a", 0.4), cohort_change("a\x07", 0.3)]
    rows = [msgspec.structs.replace(row, id=f"id-{n}") for n, row in enumerate(rows)]
    verdict = gate(compared(partition_change(cohorts=rows, unassigned=hidden)), policy(EVERY))
    names = [c.get("name") for c in ElementTree.fromstring(junit_report(verdict)).iter("testcase")]
    assert len(set(names)) == len(names) == 4
    assert [n.partition(" (")[2] for n in names] == ["id-0)", "", "id-2)", ""]


def test_names_of_the_users_break_no_report():
    name = '<b>&"]]>\x1b[31m\n::error::no|`x`'
    row = partition_change(cohorts=[cohort_change(name, 0.5)])
    verdict = gate(compared(row), policy(EVERY))
    (case,) = ElementTree.fromstring(junit_report(verdict)).iter("testcase")
    assert "\x1b" not in case.get("name")
    assert case.get("name").startswith('accent / <b>&"]]>')
    (line,) = verdict_annotations(verdict).splitlines()
    assert line.startswith("::error title=")
    for shown in (verdict_text(verdict), verdict_markdown(verdict)):
        assert "\x1b" not in shown
        assert "::error::" not in shown
    assert "<b>" not in verdict_markdown(verdict)


def test_annotations_are_one_line_each_and_as_many_as_are_shown():
    lines = verdict_annotations(gate(HARMED, policy(EVERY))).splitlines()
    assert lines == [
        "::error title=fairness gate%3A fail::every, accent / a: the interval, +20.0 to +30.2 %25, "
        "is beyond the limit of +10.0 %25"
    ]
    assert [line.split()[0] for line in verdict_annotations(verdicts()[1]).splitlines()] == [
        "::warning",
        "::notice",
    ]
    lines = verdict_annotations(many(60)).splitlines()
    assert len(lines) == 11
    assert lines[-1] == "::notice title=fairness gate::20 more are in the summary and in verdict.json"
    assert verdict_annotations(gate(compared(se=0.001), policy(OVERALL))) == ""


def test_a_summary_of_five_thousand_findings_is_well_under_a_mebibyte():
    verdict = many()
    summary = verdict_markdown(verdict)
    assert len(summary.encode()) < 2**18
    assert "And 2,300 fail, 2,500 pass: all are in verdict.json." in summary
    assert "| fail | every |" in summary
    assert len(verdict_text(verdict).splitlines()) < 300
    # One that somebody answers for is shown however many others fail.
    name = verdict.findings[-1].cohort
    rows = [cohort_change(f"c{i}", 0.5) for i in range(300)] + [cohort_change(name, 0.25)]
    answered = policy(EVERY, waivers=(waiver(cohort=name),))
    held = gate(compared(partition_change(cohorts=rows)), answered, today=TODAY)
    assert "## Waived" in verdict_markdown(held)
    assert "| waived |" in verdict_markdown(held)


def test_a_finding_in_words_has_reason_and_what_settles_it():
    finding = only(compared(overall=0.0, se=0.05), OVERALL)
    assert in_words(finding) == (
        "overall, overall: the interval, -9.6 to +10.6 %, is on both sides of the limit of +5.0 %; "
        f"what settles it: {finding.settles}"
    )
