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
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import msgspec

from fairaudit.changes import ComparisonResult
from fairaudit.estimate import holm
from fairaudit.exceptions import GateError, ResultError
from fairaudit.gating.cautions import cautions
from fairaudit.gating.fitness import USUAL_CONFIDENCE, basis_of, unfit
from fairaudit.gating.judgement import Judgement, in_unit, judge
from fairaudit.gating.policy import Policy, read_policy
from fairaudit.gating.readings import Result, read
from fairaudit.gating.waivers import Waivers
from fairaudit.provenance import DISTRIBUTION, now
from fairaudit.result import AuditResult
from fairaudit.schema import SCHEMA_VERSION
from fairaudit.verdict import Finding, Verdict

#: Why a rule on cohorts that were found in the gated data is refused, and what would settle it.
EXPLORATORY = (
    "refused: the cohorts were found in the very data that is gated, or on the very same speakers",
    "measure these cohorts on another log: save partitions.json, and compare",
)


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
    basis, waivers = basis_of(result), Waivers(policy.waivers, today)
    found = _found(_corrected(judged, confidence), policy, unfit(policy, basis, confidence), waivers)
    findings = [finding for _, finding in sorted(found, key=lambda pair: _order(*pair))]
    return Verdict(
        schema_version=SCHEMA_VERSION,
        fairaudit_version=version(DISTRIBUTION),
        created_at=now(),
        status=_status(findings),
        confidence=confidence,
        metric=result.metric.name,
        result=_origin(result),
        policy={"name": policy.name, "sha256": policy.digest()},
        basis=basis,
        waivers_as_of=today.isoformat() if policy.waivers else None,
        findings=tuple(findings),
        warnings=(
            *cautions(policy, result, basis, findings),
            *waivers.unused(findings),
        ),
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


def _found(
    judged: Sequence[Judgement], policy: Policy, why: tuple[str, str] | None, waivers: Waivers
) -> list[tuple[Judgement, Finding]]:
    """Apply the policy and its waivers to every judgement."""
    # A rule that lets small cohorts go holds for others, else nothing would be held to it.
    holding = {j.rule.name for j in judged if j.rule.suppressed == "inform" and not j.reading.suppressed}
    found = []
    for judgement in judged:
        rule, refused = judgement.rule, policy.exploratory == "refuse" and judgement.reading.exploratory
        barred = EXPLORATORY if refused else why
        ruled, heeded = _ruled(judgement, policy, barred, lets_go=rule.name in holding)
        finding = _finding(ruled, heeded)
        if finding.status == "fail" and barred is None:
            finding = waivers.apply(finding, partial(in_unit, rule=rule))
            finding = msgspec.structs.replace(finding, blocks=finding.blocks and finding.status == "fail")
        found.append((ruled, finding))
    return found


def _ruled(
    judgement: Judgement, policy: Policy, why: tuple[str, str] | None, *, lets_go: bool
) -> tuple[Judgement, bool]:
    """Return a judgement as the policy has it, and whether it may hold up the release.

    `why` tells why nothing can be told of this reading, and what would settle it.
    """
    rule, reading = judgement.rule, judgement.reading
    if policy.first_release and not reading.baseline:
        reason = "not applied: the policy says that this is the first release, without a baseline"
        return replace(judgement, reason=reason, settles=None), False
    if why is not None:
        judgement = replace(judgement, status="inconclusive", reason=why[0], settles=why[1])
    if lets_go and reading.suppressed:
        return judgement, False
    if judgement.status == "inconclusive" and rule.inconclusive == "fail":
        reason = f"not enough evidence, which this rule counts as a fail: {judgement.reason}"
        judgement = replace(judgement, status="fail", reason=reason)
    return judgement, rule.mode == "enforce"


def _finding(judgement: Judgement, heeded: bool) -> Finding:
    rule, reading, figure = judgement.rule, judgement.reading, judgement.reading.figure
    return Finding(
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
        status=judgement.status,
        mode=rule.mode,
        blocks=heeded and judgement.status in ("fail", "inconclusive"),
        reason=judgement.reason,
        settles=judgement.settles,
        p_value=judgement.p_value,
        p_adjusted=judgement.p_adjusted,
        speakers=reading.speakers,
        exploratory=reading.exploratory,
        suppressed=reading.suppressed,
    )


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
