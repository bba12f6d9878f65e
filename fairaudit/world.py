"""What is planted in a simulated world, and how much worse each planted cohort is for the wanted gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairaudit.counts import Bools, Floats, Ints
from fairaudit.demographics import built_in_file
from fairaudit.exceptions import OptionError, nearest

#: In the table of ZIP codes, but neither a state nor the District of Columbia.
ELSEWHERE = ("AA", "AE", "AP", "AS", "FM", "GU", "MH", "MP", "PR", "PW", "VI")


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
        Of 20,000, about 90 in each half are in the published ZIP cohort of 0.9 %, and the search finds it
        in 19 halves of 20; with 12,000, in 17.
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
        check("speakers", self.speakers, 2, 10_000_000, whole=True)
        check("base_wer", self.base_wer, 0.0001, 1)
        check("utterances", self.utterances, 1, 10_000)
        check("words", self.words, 1, 10_000)
        check("speaker_cv2", self.speaker_cv2, 0, 4)
        check("utterance_cv2", self.utterance_cv2, 0, 4)
        check("dimensions", self.dimensions, 2, 4096, whole=True)
        check("speakers x utterances x dimensions", self.speakers * self.utterances * self.dimensions, 0, 1e9)
        # Voices lie on the axes, which have two ends each; one voice at least is not planted.
        check("components", self.components, len(self.voices) + 1, 2 * self.dimensions, whole=True)
        for box in self.boxes:
            check("south edge of a box", box.south, -90, box.north)
            check("north edge of a box", box.north, box.south, 90)
            check("west edge of a box", box.west, -180, box.east)
            check("east edge of a box", box.east, box.west, 180)
            check("factor of a box", box.factor, 0.01, 100)
        for place in self.zip_codes:
            check("threshold of a ZIP attribute", place.threshold, -1e12, 1e12)
            check("gap of a ZIP attribute", place.gap, -0.99, 99)
        for voice in self.voices:
            check("share of a voice", voice.share, 0.0001, 0.9999)
            check("gap of a voice", voice.gap, -0.99, 99)
        check("total share of planted voices", sum(voice.share for voice in self.voices), 0, 0.9999)


def parse_world(
    *,
    null: bool = False,
    speakers: int | None = None,
    utterances: float | None = None,
    box: Sequence[str] = (),
    zips: Sequence[str] = (),
    voices: Sequence[str] = (),
) -> World:
    """Read a world off the command line; what is planted there replaces the default plants.

    Parameters
    ----------
    null : bool
    speakers : int, optional
    utterances : float, optional
    box : sequence of str
        ``SOUTH,NORTH,WEST,EAST,FACTOR``, in degrees.
    zips : sequence of str
        ``ATTRIBUTE>THRESHOLD=GAP``.
    voices : sequence of str
        ``SHARE=GAP``.

    Raises
    ------
    OptionError
        If a text has another form, a value is out of range, or plants are given with `null`.

    Examples
    --------
    >>> parse_world(zips=["pct_black>0.5=0.3"]).zip_codes
    (ZipPlant(attribute='pct_black', threshold=0.5, gap=0.3),)
    """
    sizes = {"speakers": speakers, "utterances": utterances}
    given: dict[str, Any] = {name: size for name, size in sizes.items() if size is not None}
    if box or zips or voices:
        if null:
            raise OptionError("--null plants nothing", where="--box, --zip, --voice", fix="leave one out")
        corners = [_numbers(text, text.split(","), 5, "--box", "S,N,W,E,FACTOR") for text in box]
        given["boxes"] = tuple(BoxPlant(*five) for five in corners)
        given["zip_codes"] = tuple(_zip_plant(text) for text in zips)
        pairs = (_numbers(text, text.split("="), 2, "--voice", "SHARE=GAP") for text in voices)
        given["voices"] = tuple(VoicePlant(*pair) for pair in pairs)
    return World(null=null, **given)


def _zip_plant(text: str) -> ZipPlant:
    attribute, _, rest = text.partition(">")
    threshold, gap = _numbers(text, rest.split("="), 2, "--zip", "ATTRIBUTE>THRESHOLD=GAP")
    return ZipPlant(attribute, threshold, gap)


def _numbers(text: str, parts: Sequence[str], n: int, option: str, form: str) -> list[float]:
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = []
    if len(numbers) != n:
        raise OptionError(f"cannot read '{text}'", where=option, allowed=form)
    return numbers


@dataclass(frozen=True, eq=False)
class Cohorts:
    """Planted cohorts, a row each, over ZIP codes, voices or speakers: in, out, or (unknown) neither."""

    inside: Bools
    outside: Bools
    factors: Floats
    weights: Floats

    def of(self, units: Ints, weights: Floats) -> Cohorts:
        """Carry over to the speakers who have these units."""
        return Cohorts(self.inside[:, units], self.outside[:, units], self.factors, weights)

    def effect(self) -> Floats:
        """Return the product of the factors of each unit's cohorts."""
        effect: Floats = np.where(self.inside, self.factors[:, None], 1.0).prod(axis=0)
        return effect

    def share(self, row: int) -> float:
        """Return the share of a row in all weight."""
        return float(self.weights[self.inside[row]].sum() / self.weights.sum())

    def gap(self, row: int, rates: Floats) -> float | None:
        """Return the relative gap of a row; None where nobody is on one side."""
        sides = self.inside[row], self.outside[row]
        if not all(self.weights[side].any() for side in sides):
            return None
        bottom, top = (float(np.average(rates[side], weights=self.weights[side])) for side in sides)
        return bottom / top - 1

    def fitted(self, wanted: Mapping[int, float]) -> Cohorts:
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


def places_of(world: World) -> tuple[NDArray[np.str_], Floats, Cohorts]:
    """Return inhabited ZIP codes, their latitudes and longitudes, and the cohorts planted there."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = built_in_file()
    attributes = [plant.attribute for plant in world.zip_codes]
    number = pa.types.is_integer, pa.types.is_floating
    numbers = {field.name for field in pq.read_schema(file) if any(is_(field.type) for is_ in number)}
    for attribute in attributes:
        if attribute not in numbers:
            allowed = nearest(attribute, numbers)
            raise OptionError(f"no census attribute '{attribute}'", where="simulated world", allowed=allowed)
    wanted = dict.fromkeys(["lat", "lon", "population", *attributes])
    # Nulls fail every filter.
    lived_in = [("state", "not in", ELSEWHERE), ("population", ">", 0), ("lat", ">=", -90)]
    table = pq.read_table(file, columns=["zip", *wanted], filters=lived_in).sort_by("zip")
    column = {name: table[name].cast(pa.float64()).to_numpy() for name in wanted}
    degrees = np.round([column["lat"], column["lon"]], 4)
    boxed = [box.holds(*degrees) for box in world.boxes]
    above = [column[plant.attribute] > plant.threshold for plant in world.zip_codes]
    not_above = [column[plant.attribute] <= plant.threshold for plant in world.zip_codes]
    shape = len(boxed) + len(above), degrees.shape[1]
    cohorts = Cohorts(
        np.array([*boxed, *above], dtype=bool).reshape(shape),
        np.array([*(~box for box in boxed), *not_above], dtype=bool).reshape(shape),
        np.array([*(box.factor for box in world.boxes), *(1.0 for _ in above)]),
        column["population"],
    )
    gaps = {len(boxed) + row: plant.gap for row, plant in enumerate(world.zip_codes)}
    return table["zip"].to_numpy().astype(str), degrees, cohorts.fitted(gaps)


def voices_of(world: World) -> Cohorts:
    """Return the voices, the planted ones first, weighted by their share of the speakers."""
    planted = [voice.share for voice in world.voices]
    others = world.components - len(planted)
    inside = np.eye(len(planted), world.components, dtype=bool)
    shares = np.array([*planted, *[(1 - sum(planted)) / others] * others])
    cohorts = Cohorts(inside, ~inside, np.ones(len(planted)), shares)
    return cohorts.fitted({row: voice.gap for row, voice in enumerate(world.voices)})


def check(name: str, value: float, low: float, high: float, *, whole: bool = False) -> None:
    """Refuse a parameter of a world that is out of range."""
    if not low <= value <= high or (whole and not isinstance(value, int)):
        allowed = f"{low} to {high}" + (", a whole number" if whole else "")
        raise OptionError(f"{name} is {value}", where="simulated world", allowed=allowed)
