"""Whether the gap that `--inject` calls detectable is found four times in five in logs drawn anew.

    python benchmarks/injection.py [LOGS]

So many logs without a gap are drawn for each method, and injected into as an audit would. For each, logs are
drawn anew from the same world, in which the speakers of a random place, ZIP set, neighbourhood of voices or
label have just that much higher true rates, and the audit's own procedure and permutations run.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from fairaudit.counts import UNIT, SpeakerCounts, to_unit
from fairaudit.demographics import load_zip_table
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.discover.zip_demographics import ZipDemographics
from fairaudit.injection import injected, region_of
from fairaudit.measurement import Measurement
from fairaudit.placing import place
from fairaudit.procedure import Procedure
from fairaudit.split import default_splits, halves

SPEAKERS, SHARE, PERMUTATIONS, RATE = 1000, 0.10, 99, 0.12
#: Logs drawn anew for each log that was injected into.
ANEW = 8
FINDERS = {
    "device": LabelColumn("device"),
    "voice": SpeakerClusters(),
    "geo": GeoTree(),
    "zip": ZipDemographics(),
}


@dataclass(frozen=True)
class World:
    """Speakers of unequal words and rates, and what one method reads of them."""

    ids: list[str]
    words: np.ndarray
    rate: np.ndarray
    attributes: dict[str, np.ndarray]
    vectors: dict[str, np.ndarray] | None

    def log(self, rng: np.random.Generator, factor: np.ndarray | float = 1.0) -> SpeakerCounts:
        """Draw the errors of all speakers, whose true rates are multiplied."""
        return SpeakerCounts.of(
            self.ids,
            ref_words=self.words,
            errors=rng.poisson(self.rate * factor * self.words),
            attributes=self.attributes,
            embedding_sum=self.vectors,
        )


def world(rng: np.random.Generator, by: str) -> World:
    """Draw speakers, with a place, a ZIP code, a voice or a device each."""
    ids = [f"s{i:04}" for i in range(SPEAKERS)]
    attributes, vectors = {}, None
    if by == "geo":
        attributes = {
            "latitude": rng.integers(600, 960, SPEAKERS).astype(float),
            "longitude": rng.integers(-2400, -1400, SPEAKERS).astype(float),
        }
    elif by == "zip":
        table = load_zip_table(None)
        attributes = {"zip_code": rng.choice(table.zip_codes, SPEAKERS)}
    elif by == "voice":
        centres = rng.normal(size=(20, 16))
        voices = centres[rng.integers(0, 20, SPEAKERS)] + 0.6 * rng.normal(size=(SPEAKERS, 16))
        vectors = dict(zip(ids, to_unit(voices / UNIT), strict=True))
    else:
        attributes = {"device": rng.permutation([f"d{i % 10}" for i in range(SPEAKERS)])}
    words = np.maximum(20, rng.lognormal(np.log(200), 0.8, SPEAKERS)).astype(int)
    return World(ids, words, RATE * rng.gamma(6, 1 / 6, SPEAKERS), attributes, vectors)


def measured(counts: SpeakerCounts, by: str) -> Measurement:
    """Set up an audit's measurement by one method."""
    finder = FINDERS[by]
    counts, reasons = place(finder, by, counts, None)
    counts = counts.select(reasons == "")
    fixed = finder.fit(counts) if by == "device" else None
    split = halves(counts.speakers, 1, default_splits(SPEAKERS))
    procedure = Procedure(counts, split, None if fixed else finder, fixed, SHARE)
    return Measurement(procedure, 0.95, np.ones(counts.rows, bool), fixed or finder.fit(counts))


def found(by: str, gap: float, rng: np.random.Generator) -> bool:
    """Draw a world with a gap at a random place and tell whether the audit tells it from chance."""
    drawn = world(rng, by)
    plain = measured(drawn.log(rng), by)
    members = plain.counts.speakers[np.unique(plain.counts.speaker[region_of(plain, SHARE)(rng)])]
    factor = np.where(np.isin(drawn.ids, members.astype(str)), 1 + gap, 1.0)
    observed, null = measured(drawn.log(rng, factor), by).chance(PERMUTATIONS, (1,), lambda done: None)
    p = null.p_value(float(observed.statistic[0]), null.figures.statistic)
    return p is not None and p <= 0.05


def called(by: str, number: int, rng: np.random.Generator) -> tuple[float, float | None]:
    """Inject into a log without a gap; return the share, and the gap that is called detectable."""
    measurement = measured(world(rng, by).log(rng), by)
    _, null = measurement.chance(PERMUTATIONS, (number,), lambda done: None)
    said = injected(measurement, null.figures, SHARE, (number,), lambda done: None)
    assert said is not None
    return said.share, said.detectable


def main() -> None:
    """Print a table."""
    logs = int(sys.argv[1]) if sys.argv[1:] else 8
    print("| by | share | called detectable: median, range | found in logs drawn anew |")
    print("| --- | --- | --- | --- |")
    for number, by in enumerate(FINDERS):
        rng = np.random.default_rng((7, number))
        said = [called(by, one, rng) for one in range(logs)]
        gaps = [gap for _, gap in said if gap is not None]
        held = [found(by, gap, rng) for gap in gaps for _ in range(ANEW)]
        share = np.mean([share for share, _ in said])
        size = f"{np.median(gaps):.0%}, {min(gaps):.0%} to {max(gaps):.0%}" if gaps else "above 100 %"
        print(f"| {by} | {share:.0%} | {size} | {np.mean(held):.0%} of {len(held)} |", flush=True)


if __name__ == "__main__":
    main()
