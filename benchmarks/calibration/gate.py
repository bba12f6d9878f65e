"""Count how often a gate passes a release that is beyond its limit, and fails one that is not.

    python benchmarks/calibration/gate.py [WORLDS]

Two releases are drawn on the same utterances, compared with `fairaudit.compare` and gated with
`fairaudit.gate`. First, single cohorts by errors, speakers and the part of the errors that both releases
share, under a rule that no cohort's WER may rise by more than 10 %: the truth is just beyond that, or half as
much again; and how many of the 95 % intervals hold it. Every cohort of a comparison is a world of its own.
Second, worlds of four cohorts, of which the worst got worse by just more than 10 %: how often rules on that
cohort, the gap, the worst and the highest rate let it pass. Third, worlds in which nothing changed and no
rule allows a rise: how often any of five rules fails.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
from worlds import asked_worlds, factors, heading, line

from fairaudit.auditing import audit
from fairaudit.changes import ComparisonResult
from fairaudit.comparison import compare
from fairaudit.gating import gate
from fairaudit.gating.policy import Policy
from fairaudit.gating.rules import Rule
from fairaudit.readers import read_log
from fairaudit.saved import partitions_json

LIMIT = 0.10
JUST_BEYOND, MUCH_WORSE = 1.1001, 1.5
ERRORS = (5, 20, 80, 320)
SPEAKERS = (5, 11, 40)
SHARED = (0.5, 0.9, 1.0)
#: Expected errors of each cohort in worlds of four, and its speakers.
WHOLE_ERRORS, WHOLE_SPEAKERS = (20, 320), 40
UTTERANCES, WER = 4, 0.1
#: Coefficients of variation between speakers: of their rates, and of how much a release changes on them.
CV_RATE, CV_CHANGE = 0.4, 0.2
#: Worlds of four cohorts in one comparison.
AT_A_TIME = 20
#: The measures of a policy, and by which partition they are taken.
MEASURES = {
    "cohort": ("wer", "own"),
    "gap, held out": ("gap", "own"),
    "gap, saved": ("gap", "saved"),
    "worst": ("worst", "own"),
    "maximum": ("maximum", "own"),
}


def drawn(
    errors: float, sizes: Iterable[int], rates: Iterable[float], changes: Iterable[float], shared: float, rng
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the logs of both releases.

    `errors` are expected of a cohort with rate 1; a part of the errors is made by both releases, and each
    makes the rest by itself. Speakers differ in how much they say, in their rates and in their changes.
    """
    frames = []
    for number, (speakers, rate, change) in enumerate(zip(sizes, rates, changes, strict=True)):
        talk = np.repeat(rng.lognormal(0, 0.5, speakers), UTTERANCES)
        words = np.maximum(1, np.rint(talk / talk.mean() * errors / WER / speakers / UTTERANCES)).astype(int)
        own, moved = (np.repeat(factors(cv, speakers, rng), UTTERANCES) for cv in (CV_RATE, CV_CHANGE))
        before = words * WER * rate * own
        after = before * change * moved
        both = rng.poisson(shared * np.minimum(before, after))
        alone = [rng.poisson(np.maximum(0, m - shared * np.minimum(before, after))) for m in (before, after)]
        speaker = np.repeat(np.arange(speakers), UTTERANCES)
        frames.append(
            pd.DataFrame(
                {
                    "speaker_id": [f"c{number:03}-{s:03}" for s in speaker],
                    "cohort": f"c{number:03}",
                    "ref_words": words,
                    "errors": both + alone[0],
                    "later": both + alone[1],
                }
            )
        )
    whole = pd.concat(frames, ignore_index=True)
    whole.insert(0, "utterance_id", [f"u{i}" for i in range(len(whole))])
    return whole.drop(columns="later"), whole.drop(columns="errors").rename(columns={"later": "errors"})


def statuses(result: ComparisonResult, rules: Iterable[Rule]) -> dict[str, list[str]]:
    """Gate a comparison, and return what came of each rule."""
    policy = Policy(rules=tuple(rules))
    found: dict[str, list[str]] = {rule.name: [] for rule in policy.rules}
    for finding in gate(result, policy).findings:
        found[finding.rule].append(finding.status)
    return found


def percent_of(statuses: Iterable[str], wanted: str) -> str:
    """Write which part of the findings came out as wanted."""
    counted = Counter(statuses)
    return f"{100 * counted[wanted] / max(1, counted.total()):.1f}"


def single_cohorts(worlds: int) -> None:
    """Print how often one cohort passes that is beyond the limit, and how often its interval holds the truth.

    By errors, speakers and the part of the errors that both releases share.
    """
    print("\nA rule that no cohort may get worse by more than 10 %: passes, % of cohorts")
    truths = {"+10.01 %": JUST_BEYOND, "+50 %": MUCH_WORSE}
    columns = (
        "Errors",
        "Speakers",
        *(f"{truth}, {shared:.0%} shared" for truth in truths for shared in SHARED),
    )
    heading(*columns)
    covered: dict[tuple[int, int], list[str]] = {}
    for errors in ERRORS:
        for speakers in SPEAKERS:
            passed, held = [], []
            for change in truths.values():
                for shared in SHARED:
                    rng = np.random.default_rng((errors, speakers, int(10 * shared), int(10 * change)))
                    all_alike = [speakers] * worlds, [1.0] * worlds, [change] * worlds
                    logs = map(read_log, drawn(errors, *all_alike, shared, rng))
                    result = compare(*logs, by=["cohort"], splits=1, min_speakers_shown=1)
                    rule = Rule(name="all", measure="wer", partition="cohort", max_relative_increase=LIMIT)
                    passed.append(percent_of(statuses(result, [rule])["all"], "pass"))
                    held.append(coverage(result, change - 1))
            line(errors, speakers, *passed)
            covered[errors, speakers] = held
    print("\n95 % intervals of the same cohorts that hold the true change, %")
    heading(*columns)
    for (errors, speakers), held in covered.items():
        line(errors, speakers, *held)


def coverage(result: ComparisonResult, truth: float) -> str:
    """Write how many of the cohorts' intervals hold the truth, of those that there are."""
    changes = [c.change for c in result.partition("cohort").cohorts]
    ends = [(c.relative_low, c.relative_high) for c in changes if c.relative_low is not None]
    return f"{100 * np.mean([low <= truth <= high for low, high in ends]):.1f}"


def several(errors: float, change: float, shared: float, rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw some worlds of four cohorts, of which the first is the worst, twice as bad as the others.

    A world has a label column of its own, once to be named on halves and once as it was saved; nobody of
    another world has a value there.
    """
    worlds = []
    for number in range(AT_A_TIME):
        sizes, rates, changes = [WHOLE_SPEAKERS] * 4, [2.0, 1.0, 1.0, 1.0], [change, 1.0, 1.0, 1.0]
        logs = drawn(errors, sizes, rates, changes, shared, rng)
        worlds.append(
            [
                log.drop(columns="cohort").assign(
                    utterance_id=f"{number}-" + log.utterance_id,
                    speaker_id=f"{number}-" + log.speaker_id,
                    **{f"{kind}{number}": log.cohort for kind in ("own", "saved")},
                )
                for log in logs
            ]
        )
    first, second = (pd.concat(logs, ignore_index=True) for logs in zip(*worlds, strict=True))
    return first, second


def saved_sides(folder: Path) -> Path:
    """Save the partitions with their bottom and top, as found on other people."""
    log = several(2_000, 1.0, 1.0, np.random.default_rng(1))[0]
    others = read_log(log.assign(speaker_id="other-" + log.speaker_id))
    file = folder / "partitions.json"
    by = [f"saved{number}" for number in range(AT_A_TIME)]
    file.write_text(partitions_json(audit(others, by=by, permutations=0, splits=1)))
    return file


def told(
    change: float, limit: float, errors: float, shared: float, batches: int, file: Path
) -> Iterator[dict[str, list[str]]]:
    """Yield what came of a rule on each measure, world by world."""
    rng = np.random.default_rng((errors, int(10 * shared), int(10 * change)))
    for _ in range(batches):
        logs = map(read_log, several(errors, change, shared, rng))
        by = [f"own{number}" for number in range(AT_A_TIME)]
        whole = compare(*logs, by=by, partitions=file, min_speakers_shown=1)
        for number in range(AT_A_TIME):
            names = {"own": f"own{number}", "saved": f"saved{number}"}
            # A policy knows nothing of other worlds: the correction is for its own rules.
            kept = tuple(whole.partition(name) for name in names.values())
            rules = []
            for name, (measure, kind) in MEASURES.items():
                # Of the cohorts that are harmed there is one.
                which = {"cohorts": ("c000",)} if name == "cohort" and limit else {}
                partition = {"measure": measure, "partition": names[kind], **which}
                rules.append(Rule(name=name, max_relative_increase=limit, **partition))
            yield statuses(msgspec.structs.replace(whole, partitions=kept), rules)


def all_measures(batches: int, file: Path) -> None:
    """Print how often each measure passes though the worst cohort is beyond the limit."""
    print("\nThe worst of four cohorts got worse by 10.01 %: passes, % of worlds")
    heading("Errors", "Shared", *MEASURES)
    for errors in WHOLE_ERRORS:
        for shared in SHARED:
            worlds = list(told(JUST_BEYOND, LIMIT, errors, shared, batches, file))
            cells = (percent_of((s for w in worlds for s in w[m]), "pass") for m in MEASURES)
            line(errors, f"{shared:.0%}", *cells)


def no_change(batches: int, file: Path) -> None:
    """Print how often rules fail that allow no rise, in worlds in which nothing rose."""
    print("\nNothing changed, and no rule allows a rise: worlds in which it fails, %")
    heading("Errors", "Shared", *MEASURES, "any rule")
    for errors in WHOLE_ERRORS:
        for shared in SHARED[:2]:
            fails: Counter[str] = Counter()
            worlds = list(told(1.0, 0.0, errors, shared, batches, file))
            for world in worlds:
                wrong = [measure for measure, of in world.items() if "fail" in of]
                fails.update([*wrong, *["any"] * bool(wrong)])
            line(
                errors, f"{shared:.0%}", *(f"{100 * fails[m] / len(worlds):.1f}" for m in (*MEASURES, "any"))
            )


if __name__ == "__main__":
    asked = asked_worlds(200)
    single_cohorts(2 * asked)
    with tempfile.TemporaryDirectory() as scratch:
        sides = saved_sides(Path(scratch))
        all_measures(-(-asked // AT_A_TIME), sides)
        no_change(-(-asked // AT_A_TIME), sides)
