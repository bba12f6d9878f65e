"""Synthetic logs on real US geography, with planted gaps and the truth about every speaker.

A speaker lives at a ZIP code, sounds like one of several voices, and has a true WER: the base WER times
the factors of the planted cohorts that the speaker is in (the *structural* rate), times a gamma variable
of mean 1 that is the speaker's own. Everything in a world is made up except the map.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Floats, Ints
from fairaudit.exceptions import OptionError
from fairaudit.whole import whole_file
from fairaudit.world import BoxPlant, Cohorts, World, check, places_of, voices_of

if TYPE_CHECKING:
    import pyarrow as pa

#: Standard deviation of a home around the coordinate of its ZIP code: about 2 km.
JITTER_DEGREES = 0.02
#: Standard deviations along each axis, of speakers around a voice and of utterances around a speaker.
#: Voices are the square root of 2 apart, so that few, but some, speakers sound like another voice.
SPEAKER_SPREAD, UTTERANCE_SPREAD = 0.22, 0.1
#: Components of embeddings are rounded to multiples of 1 / 1024, so that they compress.
EMBEDDING_STEPS = 1024
#: Of the logarithm of a speaker's expected number of utterances: most say little, a few say much.
TALK_SIGMA = 0.8
WORDS_CV2 = 0.4
WORDS_PER_SECOND = 2.5
#: Shares of substitutions and deletions among errors; the rest are insertions.
SUBSTITUTIONS, DELETIONS = 0.60, 0.25
#: Labels without any true gap; None is missing.
GENDERS = {"female": 0.49, "male": 0.48, "nonbinary": 0.01, None: 0.02}
DEVICES = {"phone": 0.55, "headset": 0.25, "far field": 0.20}
#: How a plant is written on the command line.
PLANTS = {
    "box": "--box {south},{north},{west},{east},{factor}",
    "zip": "--zip {attribute}>{threshold}={gap}",
    "voice": "--voice {share}={gap}",
}


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated log and the truth about it.

    Parameters
    ----------
    log : pyarrow.Table
        Canonical columns, a row per utterance, and the labels `gender` (of speakers) and `device` (of
        utterances), which have no true gap.
    truth : dict
        Plain data: `seed`; `world`; `planted`, a list of cohorts, each with its `kind`, what was
        `wanted`, the `factor` that gives it, and the share and the gap against everybody else as they are
        in the `population` and among the speakers of the `log` (`gap` of structural, `own_gap` of own
        rates, see `true_gap`; None where nobody is on one side); and `speakers`, by id, each with `rate`,
        `structural`, reference `words` in this log, and the number of the `voice` (planted ones first).
    warnings : tuple of str
        Planted cohorts that nobody, or everybody, of the log is in: no audit can find their gap.
    """

    log: pa.Table
    truth: dict[str, Any]
    warnings: tuple[str, ...] = ()

    def write(self, log_path: str | Path, truth_path: str | Path) -> None:
        """Write the log as Parquet (`.parquet`) and the truth as JSON (`.json`).

        Each whole or not at all: what was there before stays until the new file is complete.

        Raises
        ------
        OptionError
            If a file has another ending, or cannot be written.
        """
        import pyarrow.parquet as pq

        log, truth = Path(log_path), Path(truth_path)
        for option, path, ending in (("-o", log, ".parquet"), ("--truth", truth, ".json")):
            if path.suffix != ending:
                raise OptionError(
                    f"cannot write {path.name}", where=f"{option} {path}", allowed=f"NAME{ending}"
                )
        with whole_file(log) as beside:
            pq.write_table(self.log, beside, compression="zstd")
        with whole_file(truth, "--truth") as beside:
            beside.write_bytes(msgspec.json.format(msgspec.json.encode(self.truth)) + b"\n")


def simulate(world: World, seed: int = 1) -> Simulation:
    """Draw a log from a world.

    ZIP codes (by population) and voices are drawn by systematic sampling, sorted by what is planted, so
    that every planted place and voice has its share of the speakers, give or take one. Who gets which is
    random, and voice says nothing about place.

    Parameters
    ----------
    world : World
    seed : int
        Equal worlds and seeds give equal logs.

    Returns
    -------
    Simulation

    Raises
    ------
    OptionError
        If the seed is out of range, an attribute is not in the census table or nobody lives on one side
        of its threshold, or the wanted gaps exclude each other.

    References
    ----------
    Madow, W. G. (1949). On the theory of systematic sampling, II. Annals of Mathematical Statistics 20.

    Examples
    --------
    >>> made = simulate(World(speakers=300, dimensions=8))
    >>> round(made.truth["planted"][-1]["population"]["gap"], 6), len(made.truth["speakers"])
    (0.65, 300)
    """
    check("seed", seed, 0, 2**63 - 1, whole=True)
    rng = np.random.default_rng(seed)
    codes, degrees, places = places_of(world)
    voices = voices_of(world)
    order = np.argsort(places.effect(), kind="stable")
    home = rng.permutation(order[_systematic(places.weights[order], world.speakers, rng)])
    voice = rng.permutation(_systematic(voices.weights, world.speakers, rng))
    effect = np.ones(world.speakers) if world.null else places.effect()[home] * voices.effect()[voice]
    # Rounded before they are used: the truth as written is the truth.
    structural = np.round(world.base_wer * effect, 8)
    rate = np.round(structural * _gamma(world.speaker_cv2, world.speakers, rng), 8)
    digits = len(str(world.speakers))
    speakers = {
        "speaker_id": np.array([f"s{number:0{digits}}" for number in range(1, world.speakers + 1)]),
        "gender": _labels(GENDERS, world.speakers, rng),
        "zip_code": codes[home],
        **dict(zip(("latitude", "longitude"), _near(degrees[:, home], world.boxes, rng), strict=True)),
    }
    talk = rng.lognormal(-(TALK_SIGMA**2) / 2, TALK_SIGMA, world.speakers)
    speaker = np.repeat(np.arange(world.speakers), 1 + rng.poisson((world.utterances - 1) * talk))
    embeddings = _embeddings(world, voice, speaker, rng)
    utterances = _utterances(world, rate[speaker], rng)
    words = np.bincount(speaker, weights=utterances["ref_words"]).astype(np.int64)
    layers = (places, home), (voices, voice)
    planted = [] if world.null else _planted(world, layers, structural, rate, words)
    known = {"rate": rate, "structural": structural, "words": words, "voice": voice}
    rows = zip(*(column.tolist() for column in known.values()), strict=True)
    names = speakers["speaker_id"].tolist()
    truth = {
        "seed": seed,
        "world": msgspec.json.decode(msgspec.json.encode(world)),
        "planted": planted,
        "speakers": {name: dict(zip(known, row, strict=True)) for name, row in zip(names, rows, strict=True)},
    }
    columns = {name: column[speaker] for name, column in speakers.items()} | utterances
    return Simulation(_table(columns, embeddings), truth, tuple(_nobody(planted)))


def true_gap(
    truth: Mapping[str, Any], bottom: Iterable[str], top: Iterable[str], *, structural: bool = True
) -> float:
    """Return the true relative gap between two sets of speakers, such as the sides of a found rule.

    It is expected errors over expected words of `bottom`, divided by the same of `top`, less 1. There are
    two of them. The *structural* gap leaves speakers' own gamma factors out and expects as many words of
    one as of another: it is the gap among new speakers of the same places and voices, and so what an
    interval should cover that speaks of more than the speakers of the log. The *own* gap is that of these
    very speakers, with their own factors and the words that they spoke: the mean over logs in which only
    the errors are drawn again.

    Parameters
    ----------
    truth : mapping
        Of a `Simulation`, or read from its file.
    bottom, top : iterable of str
        Speaker ids.
    structural : bool

    Raises
    ------
    OptionError
        If a set is empty, or a speaker is not in the truth.

    Examples
    --------
    >>> truth = {"speakers": {"a": {"rate": 0.3, "structural": 0.2, "words": 10},
    ...                       "b": {"rate": 0.1, "structural": 0.1, "words": 10}}}
    >>> round(true_gap(truth, ["a"], ["b"]), 6), round(true_gap(truth, ["a"], ["b"], structural=False), 6)
    (1.0, 2.0)
    """
    known = truth["speakers"]
    wers: list[float] = []
    for side, names in (("bottom", list(bottom)), ("top", list(top))):
        unknown = [f"speaker '{name}', who is not in the truth" for name in names if name not in known]
        if unknown or not names:
            raise OptionError(f"{side} has {unknown[0] if unknown else 'no speakers'}", where="true_gap")
        rows = [known[name] for name in names]
        if structural:
            wers.append(math.fsum(row["structural"] for row in rows) / len(rows))
        else:
            errors = math.fsum(row["rate"] * row["words"] for row in rows)
            wers.append(errors / sum(row["words"] for row in rows))
    return wers[0] / wers[1] - 1


def _planted(
    world: World, layers: Iterable[tuple[Cohorts, Ints]], structural: Floats, rate: Floats, words: Ints
) -> list[dict[str, Any]]:
    """Describe every planted cohort, as it is in the population and among the speakers of the log."""
    by_kind: dict[str, tuple[Any, ...]] = {"box": world.boxes, "zip": world.zip_codes, "voice": world.voices}
    kinds = ((kind, msgspec.to_builtins(plant)) for kind, plants in by_kind.items() for plant in plants)
    rows = []
    for layer, units in layers:
        alike, spoken = (layer.of(units, w) for w in (np.ones(len(units)), words.astype(np.float64)))
        for row, factor in enumerate(layer.factors.tolist()):
            kind, wanted = next(kinds)
            population = {"share": layer.share(row), "gap": layer.gap(row, layer.effect())}
            log = {
                "share": alike.share(row),
                "gap": alike.gap(row, structural),
                "own_gap": spoken.gap(row, rate),
            }
            entry = {"kind": kind, "wanted": wanted, "factor": factor}
            rows.append({**entry, "population": population, "log": log})
    return rows


def _nobody(planted: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Name the planted cohorts that the log cannot show, as one plants them on the command line."""
    for plant in planted:
        if plant["log"]["gap"] is None:
            who = "everybody" if plant["log"]["share"] > 0 else "nobody"
            text = PLANTS[plant["kind"]].format(**plant["wanted"])
            yield f"{who} of the log is in the planted cohort {text}: its gap is not there to be found"


def _systematic(weights: Floats, size: int, rng: np.random.Generator) -> Ints:
    """Draw units in proportion to their weights: at equal steps through the total, from a random start."""
    totals = np.cumsum(weights)
    points = (np.arange(size) + rng.random()) / size * totals[-1]
    drawn: Ints = np.searchsorted(totals[:-1], points, side="right")
    return drawn


def _near(degrees: Floats, boxes: Iterable[BoxPlant], rng: np.random.Generator) -> Floats:
    """Move homes a little, but over no edge of a box: the rule in the truth is exact in the log."""
    moved = np.round(degrees + rng.normal(0, JITTER_DEGREES, degrees.shape), 4)
    for box in boxes:
        moved = np.where(box.holds(*moved) == box.holds(*degrees), moved, degrees)
    return moved


def _gamma(cv2: float, size: int, rng: np.random.Generator) -> Floats:
    """Draw factors of mean 1 with a given squared coefficient of variation."""
    return rng.gamma(1 / cv2, cv2, size) if cv2 > 0 else np.ones(size)


def _labels(shares: Mapping[Any, float], size: int, rng: np.random.Generator) -> NDArray[np.object_]:
    drawn = rng.choice(len(shares), size, p=list(shares.values()))
    return np.array(list(shares), dtype=object)[drawn]


def _embeddings(world: World, voice: Ints, speaker: Ints, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a unit vector for each utterance: a voice, plus a speaker's difference, plus noise."""
    # The ends of the axes will do as voices: k-means cannot tell them from turned ones.
    ends = np.vstack([np.eye(world.dimensions), -np.eye(world.dimensions)])
    own = ends[voice] + rng.normal(0, SPEAKER_SPREAD, (len(voice), world.dimensions))
    heard = own[speaker] + rng.normal(0, UTTERANCE_SPREAD, (len(speaker), world.dimensions))
    unit = heard / np.sqrt((heard**2).sum(axis=1, keepdims=True))
    rounded: NDArray[np.float32] = (np.rint(unit * EMBEDDING_STEPS) / EMBEDDING_STEPS).astype(np.float32)
    return rounded


def _utterances(world: World, rate: Floats, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Draw words and errors of utterances, given the rate of each one's speaker."""
    size = len(rate)
    words = 1 + rng.poisson((world.words - 1) * _gamma(WORDS_CV2, size, rng))
    seconds = np.round((0.4 + words / WORDS_PER_SECOND) * rng.lognormal(0, 0.2, size), 2)
    device = _labels(DEVICES, size, rng)
    errors = rng.poisson(rate * words * _gamma(world.utterance_cv2, size, rng))
    # No more words can be substituted or deleted than there are: all further errors are insertions.
    substitutions = np.minimum(rng.binomial(errors, SUBSTITUTIONS), words)
    deletions = rng.binomial(errors - substitutions, DELETIONS / (1 - SUBSTITUTIONS))
    deletions = np.minimum(deletions, words - substitutions)
    return {
        "ref_words": words,
        "errors": errors,
        "substitutions": substitutions,
        "deletions": deletions,
        "insertions": errors - substitutions - deletions,
        "duration": seconds,
        "device": device,
    }


def _table(columns: Mapping[str, NDArray[Any]], embeddings: NDArray[np.float32]) -> pa.Table:
    import pyarrow as pa

    rows, dimensions = embeddings.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * dimensions
    ids = [f"u{number:0{len(str(rows))}}" for number in range(1, rows + 1)]
    plain = {name: pa.array(column) for name, column in columns.items()}
    lists = pa.ListArray.from_arrays(offsets, embeddings.ravel())
    return pa.table({"utterance_id": ids, **plain, "embedding": lists})
