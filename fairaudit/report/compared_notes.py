"""What must be said beside a comparison: warnings, and what was left out."""

from __future__ import annotations

from fairaudit.changes import ComparisonResult
from fairaudit.report.blocks import Paragraph
from fairaudit.report.compared import moved
from fairaudit.report.notes import excluded, independent, lowered, narrowed, skipped, unchecked
from fairaudit.wording import capitalised, clean, count, counted, percent


def compared_warnings(result: ComparisonResult) -> tuple[Paragraph, ...]:
    """Return what nobody may miss.

    Parameters
    ----------
    result : ComparisonResult
    """
    names = [clean(p.name) for p in result.partitions if p.exploratory]
    texts = [independent(result), *map(clean, result.log.warnings)]
    if names:
        texts.append(
            f"Exploratory: {', '.join(names)} found in one of these very logs, or on the very "
            "same speakers. Only the half of the speakers among whom it was not found is measured; another "
            "log would be the test."
        )
    texts += [f"{clean(p.name)}: {clean(text)}" for p in result.partitions for text in p.warnings]
    return tuple(Paragraph(capitalised(text), loud=True) for text in texts if text)


def compared_remarks(result: ComparisonResult) -> list[str]:
    """Return what was left out, suppressed, not placed or vanished.

    Parameters
    ----------
    result : ComparisonResult
    """
    texts = [_paired(result), narrowed(result), excluded(result), unchecked(result)]
    for p in result.partitions:
        name = clean(p.name)
        hidden = [c for c in p.cohorts if c.suppressed]
        if hidden:
            why = clean(hidden[0].change.reason or "suppressed")
            are = "is" if len(hidden) == 1 else "are"
            texts.append(f"{name}: {len(hidden)} of {counted(len(p.cohorts), 'cohort')} {are} {why}.")
        if p.vanished:
            texts.append(f"{name}: nobody is left of {', '.join(map(clean, p.vanished))}.")
        if p.unassigned is not None:
            share = f", {percent(p.unassigned_share)} % of speakers" if p.unassigned_share is not None else ""
            texts.append(f"{name}: without a cohort{share}: {moved(p.unassigned)}.")
    texts += [skipped(result, "compared"), lowered(result)]
    return [text for text in texts if text]


def _paired(result: ComparisonResult) -> str:
    pairing = result.pairing
    left = (
        (pairing.baseline_only, "in the baseline alone"),
        (pairing.candidate_only, "in the candidate alone"),
        (pairing.different_reference, "with another reference"),
    )
    told = ", ".join(f"{count(n)} {where}" for n, where in left if n)
    paired = f"{counted(pairing.matched, 'utterance')} paired"
    return (
        f"{capitalised(paired)}; left out: {told}." if told else f"{capitalised(paired)}, all of both logs."
    )
