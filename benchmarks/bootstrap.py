"""One million utterances: the CPU of the speaker bootstrap against fairlearn's bootstrap of rows.

    python benchmarks/bootstrap.py [ROWS] [ROW_REPLICATES]

Needs `pip install fairlearn`. Both give the intervals of two groups' WER and of the ratio. Fairlearn
draws utterances, and its cost is a constant plus so much for each replicate, so it runs with one and
with ROW_REPLICATES of them and the cost of 2,000 follows. Of ways to hand the group to it the cheapest
is taken, whole numbers. Ours is timed from the rows, so adding them up by speaker is in it; that part
is printed too.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from fairlearn.metrics import MetricFrame

from fairaudit.bootstrap import REPLICATES, percentile, ratio, resample

SPEAKERS = (1_000, 10_000)
CONFIDENCE = 0.95


def log(rows: int, speakers: int) -> dict[str, np.ndarray]:
    """Draw utterances of overdispersed speakers; every tenth is in group 0 and has 1.3 times the WER."""
    rng = np.random.default_rng(0)
    speaker = rng.integers(0, speakers, rows)
    words = rng.integers(1, 30, rows)
    rate = 0.1 * rng.gamma(6, 1 / 6, speakers) * np.where(np.arange(speakers) % 10 == 0, 1.3, 1.0)
    group = np.where(speaker % 10 == 0, 0, 1)
    return {"speaker": speaker, "group": group, "words": words, "errors": rng.poisson(words * rate[speaker])}


def wer(words: np.ndarray, errors: np.ndarray) -> float:
    """Return the ratio of sums; fairlearn hands `y_true` and `y_pred` to a metric."""
    return errors.sum() / words.sum()


def fairlearn(rows: dict[str, np.ndarray], replicates: int) -> tuple[float, list[float]]:
    """Return CPU seconds, and the interval of the ratio."""
    start = time.process_time()
    frame = MetricFrame(
        metrics=wer,
        y_true=rows["words"],
        y_pred=rows["errors"],
        sensitive_features=rows["group"],
        n_boot=replicates,
        ci_quantiles=[(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2],
        random_state=1,
    )
    # It offers the lower rate over the higher, so ours is its inverse.
    low, high = (1 / float(bound) for bound in reversed(frame.ratio_ci()))
    return time.process_time() - start, [low, high]


def speaker_bootstrap(rows: dict[str, np.ndarray]) -> tuple[float, float, list[float]]:
    """Return CPU seconds, those of adding up, and the interval of the ratio."""
    start = time.process_time()
    speaker, group = rows["speaker"], rows["group"]
    speakers = int(speaker.max()) + 1
    errors, words = (np.bincount(speaker, rows[name], speakers) for name in ("errors", "words"))
    of_speaker = np.zeros(speakers, dtype=np.int64)
    of_speaker[speaker] = group
    added = time.process_time() - start
    drawn = resample(of_speaker[None], errors[None], words[None], np.arange(speakers), 2, seed=[1])
    for side in (0, 1):
        percentile(drawn.rate(side), CONFIDENCE)
    bounds = percentile(ratio(drawn, 0, drawn, 1), CONFIDENCE)
    return time.process_time() - start, added, [bounds.low, bounds.high]


def main() -> None:
    """Measure and print a table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    row_replicates = int(sys.argv[2]) if len(sys.argv) > 2 else 11
    print(f"{rows:,} utterances, {REPLICATES:,} replicates; fairlearn ran {row_replicates} of them")
    print("| speakers | fairlearn, CPU s | of it a replicate | fairaudit, CPU s | of it adding up | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    intervals = []
    speaker_bootstrap(log(1000, 100))  # what is loaded once is not part of it
    for speakers in SPEAKERS:
        drawn = log(rows, speakers)
        once, _ = fairlearn(drawn, 1)
        more, theirs = fairlearn(drawn, row_replicates)
        each = (more - once) / (row_replicates - 1)
        whole = once + (REPLICATES - 1) * each
        cpu, added, ours = min(speaker_bootstrap(drawn) for _ in range(3))
        intervals.append(f"{speakers:,} speakers: {_said(theirs)} by rows, {_said(ours)} by speakers")
        print(
            f"| {speakers:,} | {whole:,.0f} | {each:.2f} | {cpu:.3f} | {added:.3f} | {whole / cpu:,.0f} |",
            flush=True,
        )
    print("\nInterval of the ratio of the two WERs, true value about 1.3; " + "; ".join(intervals))


def _said(bounds: list[float]) -> str:
    return f"{bounds[0]:.3f} to {bounds[1]:.3f}"


if __name__ == "__main__":
    main()
