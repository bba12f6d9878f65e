"""A figure of a result as a rule reads it: its value, its interval, and what the interval was made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, log
from typing import Literal

from fairaudit.changes import Change
from fairaudit.gating.rules import Rule
from fairaudit.rates import Gap, Rate

#: Where the standard error of a figure lives: at its log, the log of one and it, or at itself.
Scale = Literal["log", "log1p", "linear"]


@dataclass(frozen=True)
class Figure:
    """A figure with its interval, and the standard error that the interval was made from."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    se: float | None = None
    df: float | None = None
    scale: Scale = "linear"
    reason: str | None = None

    @classmethod
    def of_rate(cls, rate: Rate) -> Figure:
        """Read a rate."""
        return cls(rate.wer, rate.low, rate.high, rate.log_se, rate.df, "log", rate.reason)

    @classmethod
    def of_gap(cls, gap: Gap, rule: Rule) -> Figure:
        """Read the gap that a rule is about, the relative or the absolute one."""
        if rule.measure == "gap":
            ends = gap.relative_low, gap.relative_high
            return cls(gap.relative, *ends, gap.log_se, gap.df, "log1p", gap.reason)
        # Its standard error is not stored; the interval tells it where a corrected p is needed.
        ends = gap.absolute_low, gap.absolute_high
        return cls(gap.absolute, *ends, None, gap.df, "linear", gap.reason)

    @classmethod
    def of_change(cls, change: Change, rule: Rule) -> Figure:
        """Read the change that a rule is about, the relative or the absolute one."""
        if rule.bound == "max_increase":
            ends = change.absolute_low, change.absolute_high
            return cls(change.absolute, *ends, change.absolute_se, change.df, "linear", change.reason)
        ends = change.relative_low, change.relative_high
        return cls(change.relative, *ends, change.log_se, change.df, "log1p", change.reason)

    def lacks_errors(self, change: Change) -> bool:
        """Tell whether there is a change, but a rate without errors that it cannot be relative to."""
        return self.high is None and change.absolute_high is not None

    def one_error(self, rates: Iterable[Rate]) -> float | None:
        """Return by how much one error more in one of the rates would move it; None where none is known."""
        moves = []
        for rate in rates:
            if not rate.errors or not rate.wer:
                return None
            moves.append((rate.wer if self.scale == "linear" else 1.0) / rate.errors)
        return max(moves)

    def distance(self, limit: float) -> float:
        """Return by how much the value is beyond a limit, on the scale of the standard error."""
        return self.scaled(self.value) - self.scaled(limit)

    def scaled(self, value: float | None) -> float:
        """Put a value on the scale of the standard error; minus infinity where there is none."""
        if value is None:
            return -inf
        if self.scale == "linear":
            return value
        x = value + (1.0 if self.scale == "log1p" else 0.0)
        return log(x) if x > 0 else -inf


#: Where there is nothing to read.
NO_FIGURE = Figure()
