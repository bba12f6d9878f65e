"""The contract of discoverers: all built-in ones keep it, and whoever breaks it is told which part."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pytest
from worlds import codes

from fairaudit.counts import UNIT, SpeakerCounts
from fairaudit.demographics import load_zip_table
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.discover.zip_demographics import ZipDemographics
from fairaudit.partition import Lookup, Name
from fairaudit.testing import check_discoverer


def counts(n=300, travellers=False):
    rng = np.random.default_rng(4)
    device = rng.integers(0, 3, n)
    ids = [f"s{i // 2 if travellers else i:03}" for i in range(n)]
    vectors = {name: np.rint(rng.normal(size=4) * UNIT).astype(np.int64) for name in ids}
    above = rng.random(n) < 0.4
    return SpeakerCounts.of(
        ids,
        ref_words=rng.integers(50, 400, n),
        errors=rng.poisson(np.where(device == 0, 60, 20)),
        attributes={
            "device": [f"d{d}" for d in device],
            "latitude": rng.integers(500, 980, n).astype(float),
            "longitude": rng.integers(-2400, -1400, n).astype(float),
            "zip_code": codes(load_zip_table(), "median_household_income", rng, above),
        },
        embedding_sum=vectors,
    )


BUILT_IN = [
    GeoTree(min_speakers=15),
    GeoTree(criterion="between", weight="words", max_regions=5),
    ZipDemographics(min_speakers=15),
    ZipDemographics(criterion="difference", search="threshold", min_speakers=40),
    ZipDemographics(min_speakers=250),
    SpeakerClusters(k=4, min_speakers=10),
    LabelColumn("device"),
]


@pytest.mark.parametrize("travellers", [False, True])
@pytest.mark.parametrize("discoverer", BUILT_IN, ids=repr)
def test_every_built_in_discoverer_keeps_the_contract(discoverer, travellers):
    check_discoverer(discoverer, counts(travellers=travellers))


def by_device(values=("d0", "d1", "d2")):
    return Lookup("device", tuple(values), tuple(Name(v, v) for v in values))


@dataclass(frozen=True)
class Fine:
    """A discoverer with nothing wrong; those below break one part each."""

    name: ClassVar[str] = "fine"
    requires: ClassVar[tuple[str, ...]] = ("device",)
    reads_errors: ClassVar[bool] = False
    order: int = 1

    def fit(self, counts):
        return by_device()


def test_a_third_party_discoverer_without_a_fault_passes():
    check_discoverer(Fine(), counts())


class ReadsErrors(Fine):
    def fit(self, counts):
        worst = int(counts.errors.argmax()) % 3
        return by_device(tuple(f"d{(worst + i) % 3}" for i in range(3)))


class ReadsWords(Fine):
    def fit(self, counts):
        longest = int(counts.ref_words.argmax()) % 3
        return by_device(tuple(f"d{(longest + i) % 3}" for i in range(3)))


class ChangesErrors(Fine):
    def fit(self, counts):
        counts.errors[0] += 1
        return by_device()


class ChangesAttributes(Fine):
    def fit(self, counts):
        counts.attributes["latitude"][3] = 0.0
        return by_device()


class ChangesVoices(Fine):
    def fit(self, counts):
        counts.embedding_sum[2] += 5
        return by_device()


class Moody(Fine):
    calls: ClassVar[list[int]] = []

    def fit(self, counts):
        self.calls.append(1)
        return by_device(("d0", "d1", "d2") if len(self.calls) % 2 else ("d2", "d1", "d0"))


@dataclass(frozen=True)
class Relative(Lookup):
    """Assigns by who else is there."""

    def assign(self, counts):
        return (counts.numbers("latitude") > counts.numbers("latitude").mean()).astype(np.int64)


@dataclass(frozen=True)
class ByRate(Lookup):
    """Assigns by what it should explain."""

    def assign(self, counts):
        return (counts.errors > 30).astype(np.int64)


@dataclass(frozen=True)
class TooMany(Lookup):
    """Assigns to a cohort that it does not have."""

    def assign(self, counts):
        return super().assign(counts) + 1


@dataclass(frozen=True)
class Labels(Lookup):
    """Assigns texts."""

    def assign(self, counts):
        return counts.labels("device").texts()


@dataclass(frozen=True)
class Forgetful(Lookup):
    """Saves less than it knows."""

    def to_plain(self):
        return {**super().to_plain(), "values": ["d0"]}


class Odd(Fine):
    kind: ClassVar[type] = Relative

    def fit(self, counts):
        plain = by_device()
        return self.kind(plain.column, plain.values, plain.names)


class OddByRate(Odd):
    kind = ByRate


class OddTooMany(Odd):
    kind = TooMany


class OddLabels(Odd):
    kind = Labels


class OddForgetful(Odd):
    kind = Forgetful


class Twins(Fine):
    def fit(self, counts):
        return Lookup("device", ("d0", "d1"), (Name("same", "x"), Name("same", "y")))


class OneRuleTwice(Fine):
    def fit(self, counts):
        return Lookup("device", ("d0", "d0"), (Name("a", "x"), Name("b", "y")))


class NoCohorts(Fine):
    def fit(self, counts):
        return Lookup("device", (), ())


class NeedsNothing(Fine):
    requires = ()


class NoFit:
    name, requires, reads_errors = "none", ("device",), False


class Thawed:
    name, requires, reads_errors = "thawed", ("device",), False

    def fit(self, counts):
        return by_device()


@dataclass(frozen=True)
class Hidden(Fine):
    """Its parameters do not tell all."""

    secret: object = field(default_factory=object)

    def __post_init__(self):
        object.__setattr__(self, "secret", object())


class OtherBatch(Fine):
    reads_errors = True

    def fit_many(self, counts, errors, ref_words):
        found = self.fit(counts).assign(counts)

        class Fits:
            attributes, chosen, cohorts = (), np.zeros(0, dtype=int), 3

            def assign(self, counts):
                return np.stack([found[::-1] for _ in errors])

        return Fits()


class Together(Fine):
    reads_errors = True

    def fit_many(self, counts, errors, ref_words):
        found = self.fit(counts).assign(counts)

        class Fits:
            attributes, chosen, cohorts = (), np.zeros(0, dtype=int), 3

            def assign(self, counts):
                return np.stack([found if len(errors) > 1 else found * 0 for _ in errors])

        return Fits()


class DropsRows(Fine):
    def prepare(self, counts):
        return counts.select(np.arange(counts.rows) > 3)

    def unplaced(self, counts):
        return np.full(counts.rows, "", dtype=object)


@pytest.mark.parametrize(
    ("broken", "part"),
    [
        (ReadsErrors(), "reads_errors is False"),
        (ReadsWords(), "reads_errors is False"),
        (ChangesErrors(), "does not change the counts"),
        (ChangesAttributes(), "does not change the counts"),
        (ChangesVoices(), "does not change the counts"),
        (Moody(), "finds the same from the same counts"),
        (Odd(), "who else is there"),
        (OddByRate(), "reads neither errors nor words"),
        (OddTooMany(), "numbers of cohorts, or -1"),
        (OddLabels(), "a whole number for each row"),
        (OddForgetful(), "the rule survives its plain form|the saved rule assigns the same"),
        (Twins(), "a name of its own"),
        (OneRuleTwice(), "a rule of its own"),
        (NoCohorts(), "there are cohorts"),
        (NeedsNothing(), "not empty"),
        (NoFit(), "has name, requires, reads_errors and fit"),
        (Thawed(), "frozen dataclass"),
        (Hidden(), "parameters make an equal one"),
        (OtherBatch(), "fit_many finds what fit finds"),
        (Together(), "does not depend on what it is grown with"),
        (DropsRows(), "keeps every row"),
    ],
    ids=lambda x: type(x).__name__,
)
def test_whoever_breaks_the_contract_is_told_which_part(broken, part):
    with pytest.raises(AssertionError, match=f"broken contract: .*({part})"):
        check_discoverer(broken, counts())


def test_the_counts_that_were_given_are_left_as_they_were():
    given = counts()
    before = replace(given, errors=given.errors.copy())
    check_discoverer(GeoTree(), given)
    np.testing.assert_array_equal(given.errors, before.errors)
