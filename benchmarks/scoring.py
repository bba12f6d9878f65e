"""Text to counts: utterances a second against jiwer, called utterance by utterance in the same run.

    python benchmarks/scoring.py [EDACC.jsonl.gz]

Texts are made up (5,000 words that thin out as in speech, with numbers, contractions and fillers; 17 in an
utterance; 15 % errors where a hypothesis differs), once with half of the hypotheses identical and once with
none. A file of real ones (`ref_raw`, `hyp_raw`) may be named. The best of three times counts: CPU seconds
of one process against jiwer's, and wall seconds of all processes, their start included, against jiwer's. In
parallel, texts that need no normalising are scored four times over.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import jiwer
import numpy as np
import pyarrow as pa

from fairaudit.scoring import normalizers, score
from fairaudit.scoring.batches import Task
from fairaudit.scoring.parallel import score_batches

ROWS, ROWS_NORMALISED, ROWS_OF_JIWER, ROWS_AT_ONCE = 200_000, 30_000, 10_000, 5_000
SPOKEN = "the i and to a you of it that in is so yeah was but like it's have uh don't um know one we're two"
Pairs = Sequence[tuple[str, str]]


def made_up(rows: int, identical: float) -> Pairs:
    """Make cased and punctuated references, and hypotheses of which a part says the same."""
    rng = np.random.default_rng(1)
    syllables = ["".join(pair) for pair in itertools.product("bdfgklmnprst", "aeiou")]
    words = [*SPOKEN.split(), *("".join(rng.choice(syllables, rng.integers(1, 5))) for _ in range(5_000))]
    chance = 1 / (np.arange(len(words)) + 3)
    lengths = 1 + rng.geometric(1 / 16, rows)
    stream = iter(rng.choice(len(words), 4 * lengths.sum(), p=chance / chance.sum()).tolist())
    kinds = iter(rng.random(4 * lengths.sum()).tolist())
    pairs = []
    for length, same in zip(lengths.tolist(), rng.random(rows) < identical, strict=True):
        said = [words[next(stream)] for _ in range(length)]
        heard = said if same else [word for w in said for word in misheard(w, next(kinds), words, stream)]
        if not same and said == heard:
            heard = [*said[:-1], words[next(stream)] + "s"]
        pairs.append((written(said), written(heard)))
    return pairs


def misheard(word: str, kind: float, words: Sequence[str], stream: Iterator[int]) -> list[str]:
    """Substitute, delete or insert a word now and then."""
    if kind > 0.15:
        return [word]
    other = words[next(stream)]
    return [other] if kind < 0.09 else [] if kind < 0.12 else [word, other]


def written(words: Sequence[str]) -> str:
    """Write words as a recogniser does: a capital, a comma every eight words, a full stop."""
    text = ", ".join(" ".join(words[i : i + 8]) for i in range(0, len(words), 8))
    return text[:1].upper() + text[1:] + "."


def per_second(work: Callable[[], object], rows: int) -> np.ndarray:
    """Return utterances a second of CPU and of wall time, from nothing remembered."""
    seconds = []
    for _ in range(3):
        normalizers.bounded.cache_clear()
        start = now()
        work()
        seconds.append(now() - start)
    return rows / np.min(seconds, axis=0)


def now() -> np.ndarray:
    """Return CPU and wall seconds."""
    return np.array([time.process_time(), time.perf_counter()])


def by_jiwer(pairs: Pairs) -> None:
    """Score utterance by utterance."""
    for reference, hypothesis in pairs:
        jiwer.process_words(reference, hypothesis)


def alone(pairs: Pairs, name: str) -> float:
    """Return our utterances a second of CPU in this process."""
    return per_second(lambda: score([r for r, _ in pairs], [h for _, h in pairs], name), len(pairs))[0]


def parallel(pairs: Pairs, name: str) -> float:
    """Return our utterances a second of wall time in as many processes as there are processors."""
    times = 4 if name == "none" else 1
    sides = dict(zip(("reference", "hypothesis"), map(list, zip(*pairs, strict=True)), strict=True))
    batches = [pa.Table.from_batches([b]) for b in pa.table(sides).to_batches(ROWS_AT_ONCE)] * times
    return per_second(lambda: sum(1 for _ in score_batches(batches, Task((name,)))), times * len(pairs))[1]


def rows_of(title: str, pairs: Pairs) -> Iterator[str]:
    """Measure one set of texts: normalised beforehand, and normalised by each."""
    normalize = normalizers.normalizer("whisper-en")
    few = pairs[:ROWS_OF_JIWER]
    normalised = per_second(lambda: [(normalize(r), normalize(h)) for r, h in few], len(few))
    # Pure repetition of a sample would be answered from memory, so the rest is only put in lower case.
    clean = [(r.lower(), h.lower()) for r, h in pairs]
    plain = per_second(lambda: by_jiwer(clean[:ROWS_OF_JIWER]), len(few))
    both = 1 / (1 / normalised + 1 / plain)
    for name, texts, base, rate in (
        ("none", clean, "jiwer", plain),
        ("whisper-en", pairs[:ROWS_NORMALISED], "whisper-normalizer and jiwer", both),
    ):
        ours = alone(texts, name), parallel(texts, name)
        same = sum(r == h for r, h in texts) / len(texts)
        ratios = " | ".join(f"{our / its:.1f}" for our, its in zip(ours, rate, strict=True))
        speeds = " | ".join(f"{our:,.0f}" for our in (rate[0], *ours))
        yield f"| {title} | {same:.0%} | {name} | {base} | {speeds} | {ratios} |"


def real(file: str) -> Pairs:
    """Read real texts, without the tags of the transcriber."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [(re.sub("<[^>]*>", " ", row["ref_raw"]), row["hyp_raw"]) for row in rows]


def main() -> None:
    """Measure and print a table."""
    sets = {"made up": made_up(ROWS, 0.5), "made up, all differ": made_up(ROWS, 0)}
    if sys.argv[1:]:
        sets["real"] = real(sys.argv[1])
    print(
        "| texts | identical | normalizer | against | its utt/s | ours | parallel | ratio | ratio, parallel |"
    )
    print("|" + " --- |" * 9)
    for title, pairs in sets.items():
        for row in rows_of(title, pairs):
            print(row, flush=True)


if __name__ == "__main__":
    main()
