"""What a reader of a verdict must know beside its findings: of the policy, of the result, and of its data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fairaudit.changes import ComparisonResult
from fairaudit.gating.fitness import USUAL_CONFIDENCE, pairing_text, unpaired
from fairaudit.gating.policy import Policy
from fairaudit.gating.readings import Result, skipped_was_asked
from fairaudit.gating.rules import EVERY
from fairaudit.result import AuditResult
from fairaudit.verdict import Basis, Finding, any_enforced

#: Limits from here on are most likely per cent that were meant as fractions.
LIKELY_PERCENT = 1.0
#: Most cohorts, or values of a filter, that a warning names.
MOST_NAMED = 5


def cautions(policy: Policy, result: Result, basis: Basis, findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the warnings of a verdict, those that waivers call for apart.

    Parameters
    ----------
    policy : Policy
    result : AuditResult or ComparisonResult
    basis : Basis
    findings : sequence of Finding
    """
    yield from _of_policy(policy, result, findings)
    yield from _let_go(policy, findings)
    yield from _of_result(policy, result)
    yield from _of_basis(basis)


def _of_policy(policy: Policy, result: Result, findings: Sequence[Finding]) -> Iterator[str]:
    enforced = [rule for rule in policy.rules if rule.mode == "enforce"]
    if not any_enforced(findings):
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
        on = "the very data that is gated, or on the very same speakers"
        yield f"exploratory, as the cohorts were found in {on}: {', '.join(found)}"


def _first_release(result: Result) -> str:
    if isinstance(result, AuditResult):
        return "first release: rules that need a baseline were not applied"
    return "the policy says first_release, but there is a baseline: all rules were applied; remove it"


def _of_result(policy: Policy, result: Result) -> Iterator[str]:
    confidence = float(result.options.get("confidence", USUAL_CONFIDENCE))
    if confidence < USUAL_CONFIDENCE:
        level = f"{100 * confidence:g} %"
        yield f"the intervals are of {level} confidence: a pass and a fail take less than usual"
    if isinstance(result, ComparisonResult) and _nothing_differs(result):
        yield "no utterance has another number of errors in the candidate: is it another release?"
    if not skipped_was_asked(result) and any(rule.partition == EVERY for rule in policy.rules):
        for name, why in sorted(result.skipped.items()):
            yield f"not audited, so held to no rule: {name} ({why})"


def _nothing_differs(result: ComparisonResult) -> bool:
    """Tell whether errors moved nowhere: then they have no mean and no variance."""
    test = result.matched_pairs
    return test is not None and test.statistic is None and result.overall.change.absolute == 0


def _let_go(policy: Policy, findings: Iterable[Finding]) -> Iterator[str]:
    """Yield a warning for each rule that let cohorts go because they are too small to be shown."""
    lenient = {rule.name for rule in policy.rules if rule.suppressed == "inform"}
    gone: dict[str, list[str]] = {}
    for f in findings:
        if f.rule in lenient and f.suppressed and not f.blocks:
            gone.setdefault(f.rule, []).append(f.subject)
    for rule, subjects in sorted(gone.items()):
        yield f"rule {rule} says nothing of what is too small to be shown: {_named(sorted(subjects), ', ')}"


def _of_basis(basis: Basis) -> Iterator[str]:
    if basis.where:
        filters = "; ".join(
            f"{column} is {_named(values, ' or ')}" for column, values in sorted(basis.where.items())
        )
        yield f"only a part of the log was gated: {filters}"
    if unpaired(basis):
        yield pairing_text(basis)
    if basis.excluded:
        reasons = ", ".join(f"{reason}: {n:,}" for reason, n in sorted(basis.excluded.items()))
        yield f"{sum(basis.excluded.values()):,} utterances were left out when the log was read ({reasons})"
    yield from basis.warnings


def _named(names: Sequence[str], between: str) -> str:
    """List names, and count those that there is no room for."""
    shown = between.join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else shown
