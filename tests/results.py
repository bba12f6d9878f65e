"""Small results for the tests of gates: audits and comparisons with figures as they are wanted."""

from __future__ import annotations

from math import exp

import msgspec

from fairaudit.changes import (
    Change,
    CohortChange,
    ComparisonResult,
    GapChange,
    Pairing,
    PartitionChange,
    RateChange,
    SideChange,
)
from fairaudit.estimate import t_quantile
from fairaudit.provenance import LogSummary, Metric, Source, Subject
from fairaudit.rates import Gap, Rate
from fairaudit.result import AuditResult, Cohort, Gaps, PartitionResult, Side

HIDDEN = "suppressed: fewer than 11 speakers, here or in what it could be subtracted from"


def rate(wer, se=0.05, *, df=40.0, speakers=60, confidence=0.95):
    """A rate with the interval that its standard error gives."""
    if wer is None:
        return {"speakers": 0, "reason": "no speakers"}
    half = float(t_quantile(df, confidence)) * se
    bounds = {"low": wer * exp(-half), "high": wer * exp(half)}
    return {"wer": wer, **bounds, "log_se": se, "df": df, "speakers": speakers, "confidence": confidence}


def gap(relative, se=0.1, *, df=40.0):
    if relative is None:
        return Gap(definition="bottom against top", reason="too few speakers")
    half = float(t_quantile(df, 0.95)) * se
    times = 1 + relative
    return Gap(
        definition="bottom against top",
        relative=relative,
        relative_low=times * exp(-half) - 1,
        relative_high=times * exp(half) - 1,
        absolute=0.1 * relative,
        absolute_low=0.1 * relative - 0.1 * half,
        absolute_high=0.1 * relative + 0.1 * half,
        ratio=times,
        log_se=se,
        df=df,
    )


def change(relative, se=0.02, *, df=40.0, wer=0.1):
    """A change with the intervals that its standard error gives."""
    if relative is None:
        return Change(reason="too few speakers")
    half = float(t_quantile(df, 0.95)) * se
    times = 1 + relative
    absolute, absolute_se = wer * relative, wer * se
    return Change(
        absolute=absolute,
        absolute_low=absolute - wer * half,
        absolute_high=absolute + wer * half,
        absolute_se=absolute_se,
        relative=relative,
        relative_low=times * exp(-half) - 1,
        relative_high=times * exp(half) - 1,
        log_se=se,
        df=df,
    )


def moved(relative, se=0.02, *, speakers=60, wer=0.1, df=40.0):
    """The fields of a rate in two releases."""
    candidate = None if relative is None else wer * (1 + relative)
    return {
        "baseline": Rate(**rate(wer, speakers=speakers)),
        "candidate": Rate(**rate(candidate, speakers=speakers)),
        "change": change(relative, se, df=df, wer=wer),
    }


def cohort(name, wer=0.1, se=0.05, *, suppressed=False, **given):
    plain = {"reason": HIDDEN} if suppressed else rate(wer, se, **given)
    return Cohort(
        cohort=name,
        id=f"id-{name}",
        label=f"accent is {name}",
        rank=1,
        suppressed=suppressed,
        share=None,
        **plain,
    )


def cohort_change(name, relative=0.0, se=0.02, *, suppressed=False, **given):
    plain = moved(relative, se, **given)
    if suppressed:
        plain = {
            "baseline": Rate(reason=HIDDEN),
            "candidate": Rate(reason=HIDDEN),
            "change": Change(reason=HIDDEN),
        }
    return CohortChange(
        cohort=name, id=f"id-{name}", label=f"accent is {name}", suppressed=suppressed, share=None, **plain
    )


def partition(name="accent", cohorts=(), *, relative=0.2, se=0.1, **fields):
    side = {"cohorts": ("b",), "share": None}
    made = PartitionResult(
        name=name,
        kind="lookup",
        origin="declared",
        discovered_on=None,
        digest=None,
        rule=None,
        discoverer=None,
        exploratory=False,
        overall=Rate(**rate(0.1)),
        splits=None,
        cohorts=tuple(cohorts),
        unassigned=None,
        bottom=Side(**side, **rate(0.15, speakers=20)),
        top=Side(**side, **rate(0.1, speakers=30)),
        rest=None,
        gap=gap(relative, se),
        gaps=Gaps(rest=None, overall=None, reference=None),
        in_sample_gap=None,
        gap_by_share=(),
        attributes=(),
        stability=None,
        chance=None,
    )
    return msgspec.structs.replace(made, **fields)


def partition_change(name="accent", cohorts=(), *, relative=0.0, se=0.05, **fields):
    side = {"cohorts": ("b",), "share": None}
    made = PartitionChange(
        name=name,
        kind="lookup",
        origin="saved",
        discovered_on=None,
        digest=None,
        exploratory=False,
        overall=RateChange(**moved(0.0)),
        cohorts=tuple(cohorts),
        unassigned=None,
        unassigned_share=None,
        vanished=(),
        bottom=SideChange(**side, **moved(0.0, speakers=20)),
        top=SideChange(**side, **moved(0.0, speakers=30)),
        rest=None,
        gap=GapChange(baseline=gap(0.2), candidate=gap(0.2), change=change(relative, se)),
        worst=cohort_change("b"),
        maximum=change(0.0),
    )
    return msgspec.structs.replace(made, **fields)


def _common(options):
    log = LogSummary(
        sha256="ab" * 32, utterances=900, speakers=60, ref_words=9000, errors=900, excluded={}, unchecked=(),
        warnings=(),
    )  # fmt: skip
    return {
        "schema_version": 1,
        "fairaudit_version": "0.1.0",
        "signature": "fairaudit:0.1.0 | metric:WER",
        "created_at": "2026-01-01T00:00:00+00:00",
        "seed": 1,
        "options": {"confidence": 0.95, "min_speakers_shown": 11} | (options or {}),
        "environment": {},
        "files": {},
        "metric": Metric(name="WER", numerator="errors", denominator="ref_words"),
        "metrics": {},
        "inputs": (Source(role="log", name="log.csv", sha256="cd" * 32, rows=900),),
        "scoring": None,
        "log": log,
    }


def audited(*partitions, overall=None, options=None, skipped=None):
    """An audit."""
    return AuditResult(
        **_common(options),
        subject=Subject(model="m2", dataset="set"),
        overall=overall or Rate(**rate(0.1)),
        skipped=skipped or {},
        partitions=partitions,
    )


def compared(*partitions, overall=0.0, se=0.02, options=None, skipped=None, df=40.0):
    """A comparison."""
    return ComparisonResult(
        **_common(options),
        baseline=Subject(model="m1", dataset="set"),
        candidate=Subject(model="m2", dataset="set"),
        pairing=Pairing(matched=900, baseline_only=0, candidate_only=0, different_reference=0),
        overall=RateChange(**moved(overall, se, df=df)),
        matched_pairs=None,
        partitions=partitions,
        skipped=skipped or {},
    )
