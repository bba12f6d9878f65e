"""What became of a gap once other things are alike."""

from __future__ import annotations

from fairaudit.rates import AdjustedGap, Gap
from fairaudit.report.blocks import Table
from fairaudit.report.wording import confidence_text
from fairaudit.result import AuditResult, PartitionResult
from fairaudit.wording import DASH, between, clean, percent

#: Below this part of itself an adjusted gap counts as gone.
HALF = 0.5


def adjusted_table(partition: PartitionResult, result: AuditResult) -> Table | None:
    """Return the gap once other things are alike; None where that was not asked for.

    Parameters
    ----------
    partition : PartitionResult
    result : AuditResult
    """
    if not partition.adjusted_gaps:
        return None
    head = ("Alike in", "Gap (%)", f"{confidence_text(result)} interval", "Without (%)", "What it says")
    rows = tuple(_adjusted_row(gap) for gap in partition.adjusted_gaps)
    caption = (
        "The gap between bottom and top once other things are alike. Without: on the same utterances, and in "
        "the same ways of the splits, as the model, so it may differ from the gap above"
    )
    return Table(caption, head, rows)


def adjusted_text(gap: AdjustedGap) -> str:
    """Say in a line what became of a gap once other things are alike.

    Parameters
    ----------
    gap : AdjustedGap
    """
    given = f"given {', '.join(map(clean, gap.columns))}"
    if gap.relative is None:
        return f"{given}: no gap ({clean(gap.reason or 'no reason')})"
    crude = percent(gap.crude.relative if gap.crude else None)
    left_out = [f"without {clean(name)}, {clean(why)}" for name, why in gap.dropped.items()]
    also = f" ({'; '.join(left_out)})" if left_out else ""
    return (
        f"{given}{also}: {percent(gap.relative)} % ({between(gap.relative_low, gap.relative_high)}), where "
        f"it is {crude} % without, on the same utterances: {_adjustment(gap)}"
    )


def _adjusted_row(gap: AdjustedGap) -> tuple[str, ...]:
    crude = gap.crude.relative if gap.crude else None
    said = gap.reason or _adjustment(gap)
    if gap.dropped:
        said += "; " + "; ".join(f"without {clean(c)}: {why}" for c, why in gap.dropped.items())
    if gap.left_out:
        said += "; left out: " + ", ".join(_left_out(why, part) for why, part in gap.left_out.items())
    return (
        ", ".join(map(clean, gap.columns)),
        percent(gap.relative),
        between(gap.relative_low, gap.relative_high),
        percent(crude),
        said,
    )


def _left_out(reason: str, share: float | None) -> str:
    """Say which share of the utterances the model does without, if they are of enough speakers to tell."""
    if share is None:
        return f"{clean(reason)} (utterances of few speakers)"
    return f"{clean(reason)} ({'under 1' if share < 0.01 else percent(share)} % of utterances)"


def _adjustment(gap: AdjustedGap) -> str:
    """Say in words what became of a gap."""
    if gap.relative is None or gap.crude is None or gap.crude.relative is None:
        return DASH
    clear, crude_clear = _is_clear(gap), _is_clear(gap.crude)
    if not crude_clear:
        return "clear only where they are alike" if clear else "not clear with it or without"
    left = gap.relative / gap.crude.relative
    if clear:
        return (
            "the gap is reversed"
            if left < 0
            else "the gap stays"
            if left >= HALF
            else "less than half is left"
        )
    return "the gap vanishes" if left < HALF else "no longer clear, though not much smaller"


def _is_clear(gap: Gap) -> bool:
    low, high = gap.relative_low, gap.relative_high
    return low is not None and high is not None and not low <= 0 <= high
