"""Worlds of several shapes for the study of defaults: who is there, how much worse, who was planted.

A scene is a set of speakers with places, voices or ZIP codes, drawn once; logs are drawn from it many at
a time. A speaker's rate is the base rate, times the effect of the shape, times a gamma variable of the
speaker's own; errors are Poisson.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from fairaudit.counts import SpeakerCounts
from fairaudit.demographics import load_zip_table
from fairaudit.discover.zip_demographics import add_attributes
from fairaudit.world import World, places_of

#: Mean rate, and gamma shape of the speakers' own rates: a coefficient of variation of 41 %.
RATE, SHAPE = 0.12, 6.0
GRID = 0.05
RURAL = 0.0
#: South, north, west, east: about 11 % of the population.
BOX = (29.5, 36.5, -95.0, -82.5)
#: Chicago, and the distance at which half of the (log) effect is left: 9 % of the population.
BLOB, REACH = (41.9, -87.7), 370.0
#: Houston, Miami, Detroit, Phoenix, 80 km around each: 7 % of the population.
SPOTS, SPOT = ((29.76, -95.37), (25.9, -80.25), (42.35, -83.1), (33.45, -112.1)), 80.0

GEO = ("box", "blob", "four cities", "gradient", "rural")
VOICE = ("one voice of ten", "three voices of 32", "no clusters")
ZIP = ("one attribute", "two correlated")


@dataclass(frozen=True, eq=False)
class Scene:
    """Speakers without errors, the effect on the rate of each, and who is in the planted cohort."""

    counts: SpeakerCounts
    effect: np.ndarray
    planted: np.ndarray

    def errors(self, logs: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the errors of several logs, shape (logs, speakers)."""
        own = rng.gamma(SHAPE, 1 / SHAPE, (logs, self.counts.rows))
        return rng.poisson(RATE * self.effect * own * self.counts.ref_words).astype(float)

    def flat(self) -> Scene:
        """Return the same speakers without any gap."""
        return replace(self, effect=np.ones_like(self.effect))


@cache
def zip_codes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return inhabited ZIP codes, their coordinates, and their shares of the population."""
    codes, degrees, places = places_of(World(boxes=(), zip_codes=()))
    return codes, degrees, places.weights / places.weights.sum()


def words_of(talkers: str, speakers: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the words of speakers: all the same; a few who talk most of the time; three short utterances."""
    if talkers == "equal":
        return np.full(speakers, 300)
    if talkers == "heavy-tailed":
        return np.maximum(20, rng.lognormal(np.log(150), 1.2, speakers)).astype(int)
    utterances = 1 + rng.poisson(2 * rng.lognormal(-0.32, 0.8, speakers))
    return rng.poisson(12 * utterances) + 1


def scene(shape: str, speakers: int, talkers: str, factor: float, seed: int) -> Scene:
    """Draw the speakers of a world of one shape."""
    rng = np.random.default_rng((seed, speakers, len(talkers)))
    words = words_of(talkers, speakers, rng)
    draw = _voices if shape in VOICE else _zips if shape in ZIP else _places
    attributes, vectors, strength, planted = draw(shape, speakers, rng)
    ids = [f"s{number:06}" for number in range(speakers)]
    counts = SpeakerCounts.of(
        ids,
        ref_words=words,
        errors=np.zeros(speakers, dtype=int),
        attributes=attributes,
        embedding_sum=None if vectors is None else dict(zip(ids, vectors, strict=True)),
    )
    if shape in ZIP:
        counts = add_attributes(counts, load_zip_table())
    return Scene(counts, factor**strength, planted)


def _places(shape: str, speakers: int, rng: np.random.Generator):
    codes, degrees, share = zip_codes()
    home = rng.choice(len(codes), speakers, p=share)
    latitude, longitude = degrees[:, home]
    strength = np.zeros(speakers)
    planted = np.zeros(speakers, dtype=bool)
    if shape == "box":
        south, north, west, east = BOX
        planted = (latitude >= south) & (latitude < north) & (longitude >= west) & (longitude < east)
        strength = planted.astype(float)
    elif shape == "blob":
        far = _km(latitude, longitude, *BLOB)
        strength, planted = 0.5 ** ((far / REACH) ** 2), far < REACH
    elif shape == "four cities":
        planted = np.any([_km(latitude, longitude, *spot) < SPOT for spot in SPOTS], axis=0)
        strength = planted.astype(float)
    elif shape == "gradient":
        # The southernmost speaker has all of the effect, the northernmost none.
        strength = 1 - np.argsort(np.argsort(latitude, kind="stable")) / speakers
        planted = strength > 0.9
    elif shape == "rural":
        table = load_zip_table()
        tier = table.values["urbanicity"][np.searchsorted(table.zip_codes.astype(str), codes[home])]
        planted = tier == RURAL
        strength = planted.astype(float)
    cells = {"latitude": latitude, "longitude": longitude}
    return {name: np.floor(at / GRID) for name, at in cells.items()}, None, strength, planted


def _km(latitude: np.ndarray, longitude: np.ndarray, south: float, west: float) -> np.ndarray:
    east = (longitude - west) * np.cos(np.radians(south))
    return 111.2 * np.hypot(latitude - south, east)


def _voices(shape: str, speakers: int, rng: np.random.Generator):
    dimensions, spread = 16, 0.22
    if shape == "no clusters":
        points = rng.normal(size=(speakers, dimensions)) * np.r_[2.0, 1.5, np.ones(dimensions - 2)]
        strength = np.argsort(np.argsort(points[:, 0])) / speakers
        planted = strength >= 0.9
    else:
        voices, worse = (10, 1) if shape == "one voice of ten" else (32, 3)
        voice = rng.integers(0, voices, speakers)
        ends = np.vstack([np.eye(dimensions), -np.eye(dimensions)])
        points = ends[voice] + rng.normal(0, spread, (speakers, dimensions))
        planted = voice < worse
        strength = planted.astype(float)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    return {}, np.rint(2**15 * unit).astype(np.int64), strength, planted


def _zips(shape: str, speakers: int, rng: np.random.Generator):
    codes, _, share = zip_codes()
    home = codes[rng.choice(len(codes), speakers, p=share)]
    table = load_zip_table()
    row = np.searchsorted(table.zip_codes.astype(str), home)
    planted = table.values["pct_hispanic"][row] > 0.5
    strength = planted.astype(float)
    if shape == "two correlated":
        # Poverty goes with the first and does some harm of its own.
        poor = table.values["pct_below_poverty"][row]
        strength = strength + 0.3 * (poor > table.thresholds["pct_below_poverty"])
    return {"zip_code": home.tolist()}, None, strength, planted
