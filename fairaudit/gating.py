"""Gate a release: a saved result and a policy to findings and a verdict. Nothing is computed again.

A pass needs the whole interval within the limit, a fail the whole interval beyond it and a p that stands
the correction for the number of findings; everything else is inconclusive. That all rules pass needs no
correction: a release that is truly beyond one limit passes only if that very rule errs, whose chance is
bounded already (an intersection-union test).

References
----------
Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24, 295-300.
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
Statistics 6, 65-70.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec

from fairaudit.changes import ComparisonResult
from fairaudit.estimate import holm
from fairaudit.exceptions import GateError, ResultError
from fairaudit.judgement import Judgement, in_unit, judge
from fairaudit.policy import EVERY, Policy, read_policy
from fairaudit.provenance import DISTRIBUTION, now
from fairaudit.readings import Result, read
from fairaudit.result import AuditResult
from fairaudit.schema import SCHEMA_VERSION
from fairaudit.verdict import Finding, Verdict
from fairaudit.waivers import Waivers

#: Limits from here on are most likely per cent that were meant as fractions.
LIKELY_PERCENT = 1.0
USUAL_CONFIDENCE = 0.95


def gate(result: Result, policy: Policy | str | Path, *, today: date | None = None) -> Verdict:
    """Hold a result to a policy.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
    policy : Policy or str or Path
        Or the TOML file that it is in.
    today : date, optional
        The day on which waivers are looked at; today's in UTC by default.

    Returns
    -------
    Verdict
        The worst findings first, whatever the order of rules and cohorts.

    Raises
    ------
    OptionError
        If the policy cannot be read.
    ResultError
        If the result is neither an audit nor a comparison.

    Examples
    --------
    >>> gate(result, "policy.toml").status  # doctest: +SKIP
    'inconclusive'
    """
    if not isinstance(result, AuditResult | ComparisonResult):
        raise ResultError(f"a {type(result).__name__} cannot be gated", allowed="an audit or a comparison")
    if not isinstance(policy, Policy):
        policy = read_policy(policy)
    today = today or datetime.now(UTC).date()
    confidence = float(result.options.get("confidence", USUAL_CONFIDENCE))
    judged = [judge(rule, r, confidence) for rule in policy.rules for r in read(rule, result)]
    judged = _corrected(judged, confidence)
    waivers = Waivers(policy.waivers, today)
    found = sorted(((j, _finding(j, policy, waivers)) for j in judged), key=lambda pair: _order(*pair))
    findings = [finding for _, finding in found]
    return Verdict(
        schema_version=SCHEMA_VERSION,
        fairaudit_version=version(DISTRIBUTION),
        created_at=now(),
        status=_status(findings),
        confidence=confidence,
        metric=result.metric.name,
        result=_origin(result),
        policy={"name": policy.name, "sha256": policy.digest()},
        waivers_as_of=today.isoformat() if policy.waivers else None,
        findings=tuple(findings),
        warnings=(*_warnings(policy, result, findings), *waivers.unused()),
    )


def assert_gate(result: Result, policy: Policy | str | Path, *, today: date | None = None) -> Verdict:
    """Hold a result to a policy, and raise unless it passes: a gate in a test of pytest.

    Parameters
    ----------
    result, policy, today
        As of `gate`.

    Returns
    -------
    Verdict
        That has passed.

    Raises
    ------
    GateError
        An AssertionError, with every blocking finding in words.
    OptionError
        If the policy cannot be read.
    """
    verdict = gate(result, policy, today=today)
    if verdict.status != "pass":
        said = [f"  {f.status}: {in_words(f)}" for f in verdict.findings if f.blocks]
        raise GateError("\n".join([f"the gate is {verdict.status}", *said]))
    return verdict


def in_words(finding: Finding) -> str:
    """Say in one line what was found: rule, subject, reason, and what would settle it."""
    settles = f"; what settles it: {finding.settles}" if finding.settles else ""
    return f"{finding.rule}, {finding.subject}: {finding.reason}{settles}"


def _corrected(judged: Sequence[Judgement], confidence: float) -> list[Judgement]:
    """Correct the p of each for their number, and take back the fails that do not stand it.

    Rules that only inform are corrected among themselves: more of them must not weaken those that block.
    """
    corrected = list(judged)
    for mode in ("enforce", "inform"):
        places = [n for n, j in enumerate(judged) if j.rule.mode == mode]
        for place, p in zip(places, holm([judged[n].p_value for n in places]), strict=True):
            judgement = replace(judged[place], p_adjusted=p)
            if judgement.status == "fail" and p is not None and p > 1 - confidence + 1e-12:
                number = sum(judged[n].p_value is not None for n in places)
                why = f"but of {number} findings one may be so by chance (p {p:.3f} corrected)"
                judgement = replace(
                    judgement,
                    status="inconclusive",
                    reason=f"{judgement.reason}, {why}",
                    settles="more data would make this a fail, if its value stays as it is",
                )
            corrected[place] = judgement
    return corrected


def _finding(judgement: Judgement, policy: Policy, waivers: Waivers) -> Finding:
    rule, reading, figure = judgement.rule, judgement.reading, judgement.reading.figure
    status, reason, settles = judgement.status, judgement.reason, judgement.settles
    if reading.exploratory and policy.exploratory == "refuse":
        status, settles = (
            "inconclusive",
            "measure these cohorts on another log: save partitions.json, and compare",
        )
        reason = f"refused: the cohorts were found in the very data that is gated; {reason}"
    first = policy.first_release and not reading.baseline
    if first:
        reason = "not applied: the policy says that this is the first release, without a baseline"
        settles = None
    elif status == "inconclusive" and rule.inconclusive == "fail":
        status, reason = "fail", f"not enough evidence, which this rule counts as a fail: {reason}"
    finding = Finding(
        rule=rule.name,
        partition=reading.partition,
        cohort=reading.cohort,
        cohort_id=reading.cohort_id,
        label=reading.label,
        measure=rule.measure,
        bound=rule.bound,
        limit=rule.limit,
        value=figure.value,
        low=figure.low,
        high=figure.high,
        status=status,
        mode=rule.mode,
        blocks=False,
        reason=reason,
        settles=settles,
        p_value=judgement.p_value,
        p_adjusted=judgement.p_adjusted,
        speakers=reading.speakers,
        exploratory=reading.exploratory,
    )
    if status == "fail":
        finding = waivers.apply(finding, lambda value: in_unit(value, rule))
    heeded = rule.mode == "enforce" and not first
    return msgspec.structs.replace(finding, blocks=heeded and finding.status in ("fail", "inconclusive"))


def _order(judgement: Judgement, finding: Finding) -> tuple[int, float, float, str, str, str]:
    """Sort what blocks first, then the surest."""
    if finding.status == "pass":
        group = 5
    elif finding.status == "waived":
        group = 2
    else:
        group = (0 if finding.blocks else 3) + (finding.status == "inconclusive")
    sure = 2.0 if finding.p_value is None else finding.p_value
    return (
        group,
        sure,
        -judgement.distance,
        finding.rule,
        finding.partition or "",
        finding.cohort or "",
    )


def _status(findings: Iterable[Finding]) -> Literal["pass", "fail", "inconclusive"]:
    blocking = {finding.status for finding in findings if finding.blocks}
    if "fail" in blocking:
        return "fail"
    return "inconclusive" if blocking else "pass"


def _origin(result: Result) -> dict[str, str]:
    """Name what was gated; the digest is that of its JSON form, as it is written to a file."""
    origin = {"sha256": hashlib.sha256(result.to_json().encode()).hexdigest(), "signature": result.signature}
    if isinstance(result, AuditResult):
        models = {"kind": "audit", "model": result.subject.model, "dataset": result.subject.dataset}
    else:
        models = {
            "kind": "comparison",
            "baseline": result.baseline.model,
            "candidate": result.candidate.model,
        }
    return {key: value for key, value in (models | origin).items() if value is not None}


def _warnings(policy: Policy, result: Result, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what a reader of the verdict must know beside its findings."""
    enforced = [rule for rule in policy.rules if rule.mode == "enforce"]
    if not any(f.mode == "enforce" and (f.blocks or f.status in ("pass", "waived")) for f in findings):
        yield "no rule was enforced: this verdict says nothing about the release"
    elif all(rule.measure in ("gap", "gap_absolute") for rule in enforced):
        yield "all rules are about gaps: a release that gets worse for the best-served cohorts passes them"
    if policy.first_release:
        yield _first_release(result)
    for rule in sorted(policy.rules, key=lambda rule: rule.name):
        if rule.limit >= LIKELY_PERCENT:
            yield f"rule {rule.name}: the limit is a fraction, so {rule.limit:g} is {100 * rule.limit:g} %"
    found = sorted({f"{f.rule} ({f.partition})" for f in findings if f.exploratory})
    if found and policy.exploratory == "warn":
        yield f"exploratory, as the cohorts were found in the very data that is gated: {', '.join(found)}"
    yield from _of_result(policy, result)


def _first_release(result: Result) -> str:
    if isinstance(result, AuditResult):
        return "first release: rules about increases were not applied, as there is no baseline"
    return "the policy says first_release, but there is a baseline: all rules were applied; remove it"


def _of_result(policy: Policy, result: Result) -> Iterator[str]:
    confidence = float(result.options.get("confidence", USUAL_CONFIDENCE))
    if confidence < USUAL_CONFIDENCE:
        level = f"{100 * confidence:g} %"
        yield f"the intervals are of {level} confidence: a pass and a fail take less than usual"
    if isinstance(result, AuditResult) and any(rule.partition == EVERY for rule in policy.rules):
        for name, why in sorted(result.skipped.items()):
            yield f"not audited, so held to no rule: {name} ({why})"
