"""One reading against its limit: pass, fail or inconclusive, why, and what would settle it.

The test is the interval turned round: the one-sided p of a figure being within its limit is below half of
one less the confidence just where the interval's lower end is beyond.

Where nothing varied an interval has hardly any width, and tells only that. So errors are allowed for that may
have stayed unseen: none seen leaves up to -log(half of one less the confidence) of them, 3.7 at 95 %, the
exact Poisson bound (Garwood 1936, Biometrika 28, 437-442). A comparison widens its intervals by them already;
this holds for whatever the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, log, log1p, log10

from fairaudit.changes import FEWEST_SPEAKERS
from fairaudit.estimate import t_quantile
from fairaudit.gating.figure import Figure
from fairaudit.gating.readings import Reading
from fairaudit.gating.rules import Rule
from fairaudit.verdict import Status

#: Beyond so many times the speakers it is no use to say how many.
MOST_TIMES = 100
#: Speakers who are needed where none differs from another: with fewer, that may well be luck.
FEWEST_ALIKE = 11
#: Of fewer speakers an interval that is less than so many times as wide as the unseen errors make it is none.
FEW_TIMES = 2.0
#: Below so many degrees of freedom the width of an interval says little of how many speakers it lacks.
FEWEST_DF = 4.0
#: An interval narrower than this has no width, whatever the last digits of its ends are.
NO_WIDTH = 1e-9


@dataclass(frozen=True)
class Judgement:
    """What a rule says of one reading, before it is corrected for the number of findings."""

    rule: Rule
    reading: Reading
    status: Status
    reason: str
    settles: str | None = None
    p_value: float | None = None
    p_adjusted: float | None = None

    @property
    def distance(self) -> float:
        """By how much the value is beyond the limit, on the scale of its standard error."""
        return self.reading.figure.distance(self.rule.limit)


def judge(rule: Rule, reading: Reading, confidence: float) -> Judgement:
    """Compare the interval of a reading with the limit of its rule.

    Parameters
    ----------
    rule : Rule
    reading : Reading
    confidence : float
        Of the intervals of the result.

    Examples
    --------
    >>> rule = Rule(name="overall", measure="wer", max=0.2)
    >>> reading = Reading(None, "overall", None, "everybody", speakers=20,
    ...                   figure=Figure(0.18, 0.15, 0.216, 0.0871, 19.0, "log"))
    >>> judge(rule, reading, 0.95).settles
    'about 36 more speakers like these would make this a pass'
    """
    figure, fewest = reading.figure, rule.min_speakers
    why, settles = reading.missing, reading.settles
    if why is None and fewest is not None and (reading.speakers is None or reading.speakers < fewest):
        why, settles = _too_few(reading.speakers, fewest)
    if why is not None:
        return Judgement(rule, reading, "inconclusive", why, settles)
    low, high = figure.low, figure.high
    if figure.value is None or low is None or high is None:
        why = figure.reason or ("there is no interval" if figure.value is not None else "there is no figure")
        return Judgement(rule, reading, "inconclusive", why, settles or "more speakers")
    if reading.speakers is not None and reading.speakers < FEWEST_SPEAKERS:
        why = f"the interval is of {reading.speakers} speakers, too few to go by"
        return Judgement(rule, reading, "inconclusive", why, f"at least {FEWEST_SPEAKERS} speakers")
    if (luck := _luck(reading, rule, confidence)) is not None:
        return Judgement(rule, reading, "inconclusive", *luck)
    figure = _with_error(figure, confidence)
    judged = Judgement(
        rule, replace(reading, figure=figure), "pass", "", p_value=_p_value(figure, rule, confidence)
    )
    span, limit = _span(low, high, rule), in_unit(rule.limit, rule)
    if high <= rule.limit:
        return replace(judged, reason=f"the interval, {span}, is within the limit of {limit}")
    if low > rule.limit:
        return replace(judged, status="fail", reason=f"the interval, {span}, is beyond the limit of {limit}")
    return replace(
        judged,
        status="inconclusive",
        reason=f"the interval, {span}, is on both sides of the limit of {limit}",
        settles=_settling(replace(reading, figure=figure), rule, confidence),
    )


def in_unit(value: float, rule: Rule) -> str:
    """Return a figure of a rule in words: per cent, or points where it is a difference of rates.

    Examples
    --------
    >>> in_unit(0.05, Rule(name="r", measure="wer", max_increase=0.1))
    '+5.0 points'
    """
    points = rule.bound == "max_increase" or rule.measure == "gap_absolute"
    return f"{_number(value, rule)} {'points' if points else '%'}"


def _span(low: float, high: float, rule: Rule) -> str:
    return f"{_number(low, rule)} to {in_unit(high, rule)}"


def _number(value: float, rule: Rule) -> str:
    sign = "" if rule.bound == "max" else "+"
    digits = 1 if abs(value) >= 0.00095 or value == 0 else 2
    return f"{100 * value:{sign},.{digits}f}"


def _too_few(speakers: int | None, fewest: int) -> tuple[str, str]:
    if speakers is None:
        return (
            f"the number of speakers is withheld, and the rule asks for {fewest}",
            f"at least {fewest} speakers",
        )
    more = fewest - speakers
    return f"{speakers} speakers, and the rule asks for {fewest}", f"{more} more speaker{'s' * (more != 1)}"


def _luck(reading: Reading, rule: Rule, confidence: float) -> tuple[str, str] | None:
    """Say why an interval of hardly any width tells nothing, and what would; None where it tells enough."""
    figure = reading.figure
    half = (figure.scaled(figure.high) - figure.scaled(figure.low)) / 2
    unseen = _moved(figure, -log((1 - confidence) / 2) * (reading.one_error or 0.0))
    few = figure.df is None or figure.df < FEWEST_ALIKE - 1
    # Where both ends are minus infinity, half of it is no number.
    if half >= max(NO_WIDTH, (FEW_TIMES if few else 1.0) * unseen):
        return None
    if few:
        why = "the interval has hardly any width: in so few speakers, that nothing varies may be luck"
        return why, f"at least {FEWEST_ALIKE} speakers"
    if unseen and abs(figure.distance(rule.limit)) >= unseen:
        return None
    why = "the interval has hardly any width: in so few errors, that nothing varies may be luck"
    return why, "more speakers, with more errors among them"


def _moved(figure: Figure, by: float) -> float:
    """Put a move of a figure on the scale of its standard error."""
    return by if figure.scale == "linear" else log1p(by)


def _with_error(figure: Figure, confidence: float) -> Figure:
    """Take the standard error of a difference from its interval where it is not stored."""
    if figure.se is not None or figure.df is None or figure.scale != "linear":
        return figure
    if figure.low is None or figure.high is None:
        return figure
    se = (figure.high - figure.low) / 2 / float(t_quantile(figure.df, confidence))
    return replace(figure, se=se)


def _p_value(figure: Figure, rule: Rule, confidence: float) -> float:
    """Return the one-sided p of the figure being within the limit."""
    from scipy.special import stdtr

    distance = figure.distance(rule.limit)
    if not figure.se or figure.df is None:
        # All that is known is whether the interval leaves the limit out.
        return (1 - confidence) / 2 if figure.low is not None and figure.low > rule.limit else 1.0
    return float(stdtr(figure.df, -distance / figure.se))


def _settling(reading: Reading, rule: Rule, confidence: float) -> str:
    """Say how many more speakers would bring one end of the interval to the limit, all else being equal."""
    figure = reading.figure
    distance = figure.distance(rule.limit)
    verdict = "fail" if distance > 0 else "pass"
    if figure.df is not None and figure.df < FEWEST_DF:
        return "more speakers; of so few, it cannot be told how many more"
    times = _times(figure, rule, distance, confidence)
    if times is None:
        return f"more data would make this a {verdict}"
    if times > MOST_TIMES:
        return "the value is so close to the limit that hardly any amount of data will settle this"
    if reading.speakers is None or reading.held_out or rule.measure in ("gap", "gap_absolute"):
        # Of a gap, either side may be the one that is short of speakers; of halves, twice as many are needed.
        return f"about {times:.1f} times the speakers would make this a {verdict}"
    more = _rounded_up(reading.speakers * (times - 1))
    who = "in this cohort" if reading.cohort_id else "like these"
    return f"about {more:,} more speaker{'s' * (more != 1)} {who} would make this a {verdict}"


def _times(figure: Figure, rule: Rule, distance: float, confidence: float) -> float | None:
    """Return how many times the speakers are needed; None where it cannot be known."""
    if figure.value == 0 and figure.high and figure.scale == "log":
        # Without errors the upper end is inversely proportional to the words.
        return figure.high / rule.limit
    if not figure.se or figure.df is None:
        return None
    if distance == 0:
        return MOST_TIMES + 1
    times = 1.0
    # The standard error shrinks with the root of the speakers, and t shrinks too.
    for _ in range(8):
        df = figure.df * max(times, 1.0)
        times = (float(t_quantile(df, confidence)) * figure.se / distance) ** 2
    return max(times, 1.0)


def _rounded_up(x: float) -> int:
    """Round up to two digits: more would look as if it were known.

    Examples
    --------
    >>> _rounded_up(30.2), _rounded_up(1234.0), _rounded_up(0.0)
    (31, 1300, 1)
    """
    if x <= 1:
        return 1
    step: int = 10 ** max(0, floor(log10(x)) - 1)
    return ceil(x / step) * step
