"""Whether a result is fit to be gated at all: what it was made from, and what it was without.

A candidate that is compared without the utterances that it harmed, or with intervals of next to no
confidence, would pass any rule.
"""

from __future__ import annotations

from fairaudit.changes import ComparisonResult, Pairing
from fairaudit.gating.policy import Policy
from fairaudit.gating.readings import Result
from fairaudit.verdict import Basis

#: Confidence of the intervals of a result that does not say.
USUAL_CONFIDENCE = 0.95


def basis_of(result: Result) -> Basis:
    """Return what a result was made from.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
    """
    log, warnings = result.log, list(result.log.warnings)
    pairing = None
    if isinstance(result, ComparisonResult):
        pairing = _counts(result.pairing)
        warnings += [f"{p.name}: {warning}" for p in result.partitions for warning in p.warnings]
    return Basis(
        utterances=log.utterances,
        speakers=log.speakers,
        where=log.where,
        excluded=log.excluded,
        pairing=pairing,
        warnings=tuple(warnings),
    )


def unfit(policy: Policy, basis: Basis, confidence: float) -> tuple[str, str] | None:
    """Say why nothing can be told from a result, and what would settle it; None where it can.

    Parameters
    ----------
    policy : Policy
    basis : Basis
    confidence : float
        Of the intervals of the result.
    """
    if confidence < policy.confidence - 1e-9:
        level = f"{100 * confidence:g} %"
        return (
            f"the intervals are of {level} confidence, and the policy asks for {100 * policy.confidence:g} %",
            f"a result with --confidence {policy.confidence:g}, or confidence = {confidence:g} in the policy",
        )
    if unpaired(basis) > policy.max_unpaired * _all(basis):
        allowed = f"the policy allows {100 * policy.max_unpaired:g} %"
        return (
            f"{pairing_text(basis)}, and {allowed}",
            "complete logs, or a policy with a higher max_unpaired",
        )
    return None


def _counts(pairing: Pairing) -> dict[str, int]:
    return {name: getattr(pairing, name) for name in pairing.__struct_fields__}


def _all(basis: Basis) -> int:
    return sum((basis.pairing or {}).values())


def unpaired(basis: Basis) -> int:
    """Return how many utterances of either log were not compared.

    Parameters
    ----------
    basis : Basis
    """
    return _all(basis) - (basis.pairing or {}).get("matched", 0)


def pairing_text(basis: Basis) -> str:
    """Say which utterances were not compared; there must be some.

    Parameters
    ----------
    basis : Basis
    """
    counts = basis.pairing or {}
    lost, whole = unpaired(basis), _all(basis)
    return (
        f"{lost:,} of {whole:,} utterances ({100 * lost / whole:.2g} %) were not compared: "
        f"{counts['baseline_only']:,} are in the baseline alone, {counts['candidate_only']:,} in the "
        f"candidate alone, and {counts['different_reference']:,} have another reference"
    )
