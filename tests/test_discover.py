import dataclasses
import shlex
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from fairaudit.counts import SpeakerCounts
from fairaudit.discover import (
    Discoverer,
    configure,
    installed,
    is_missing,
    parameters_of,
    reasons_unplaced,
)
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn
from fairaudit.discover.listing import describe_installed
from fairaudit.discover.weighting import SCALE, search_weights
from fairaudit.discover.zip_demographics import ZipDemographics
from fairaudit.exceptions import OptionError


def test_the_built_in_discoverers_are_found_by_their_entry_points():
    found = installed()
    assert {"geo", "zip", "voice"} <= set(found)
    assert all(isinstance(kind(), Discoverer) and kind.name == name for name, kind in found.items())


def test_two_packages_with_one_name_are_refused(monkeypatch):
    twice = [EntryPoint("geo", "fairaudit.discover.geo_tree:GeoTree", "fairaudit.discoverers")] * 2
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: twice)
    with pytest.raises(OptionError, match="two discoverers are called 'geo'"):
        installed()


def test_parameters_given_as_text_get_their_types():
    finder = configure("geo", {"max_regions": "50", "grid": "0.1", "criterion": "difference"})
    assert finder == GeoTree(max_regions=50, grid=0.1, criterion="difference")
    assert configure("voice", {"k": "7"}).k == 7
    assert configure("voice", {"k": "null"}).k is None


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("geos", {}, r"(?s)unknown discoverer 'geos'.*did you mean 'geo'"),
        ("geo", {"max_region": "5"}, r"(?s)no parameter 'max_region'.*did you mean 'max_regions'"),
        (
            "geo",
            {"max_regions": "many"},
            r"^geo.max_regions is 'many'\n  where:   --set geo.max_regions\n  allowed: a whole number$",
        ),
        ("geo", {"grid": "x"}, r"geo.grid is 'x'\n.*\n  allowed: a number$"),
        ("voice", {"k": "x"}, r"voice.k is 'x'\n.*\n  allowed: a whole number$"),
        (
            "geo",
            {"criterion": "diff"},
            r"^geo.criterion is 'diff'\n  where:   --set geo.criterion\n"
            "  allowed: did you mean 'difference'. Known: between, difference, poisson$",
        ),
        ("geo", {"max_regions": "1"}, "geo.max_regions is 1"),
        ("zip", {"min_speakers": "1"}, "zip.min_speakers is 1"),
    ],
)
def test_an_unknown_name_or_parameter_is_refused_with_the_nearest_right_one(name, parameters, message):
    with pytest.raises(OptionError, match=message):
        configure(name, parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "place"),
    [
        ("gio", {}, "gio"),
        ("geo", {"max_region": 5}, "geo.max_region"),
        ("geo", {"max_regions": "x"}, "geo.max_regions"),
        ("geo", {"max_regions": 1}, "geo.max_regions"),
    ],
)
@pytest.mark.parametrize("before", ["--set ", "audit.toml, set."])
def test_a_parameter_that_is_refused_has_its_place(name, parameters, place, before):
    with pytest.raises(OptionError) as refused:
        configure(name, parameters, where=before)
    assert refused.value.where == before + place


@dataclasses.dataclass(frozen=True)
class Foreign:
    """Someone else's."""

    name = "foreign"
    requires = ()
    size: int

    def __post_init__(self):
        if self.size > 5:
            raise ValueError("too large for me")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({}, "foreign: .*`size`"), ({"size": "6"}, "foreign: too large for me"), ({"size": "x"}, "size is 'x'")],
)
def test_a_discoverer_of_someone_elses_is_refused_without_a_fault_of_ours(parameters, message, monkeypatch):
    monkeypatch.setattr("fairaudit.discover.installed", lambda: {"foreign": Foreign})
    monkeypatch.setattr("fairaudit.discover.listing.installed", lambda: {"foreign": Foreign})
    with pytest.raises(OptionError, match=message):
        configure("foreign", parameters)
    assert "--set foreign.size=SIZE\n" in describe_installed()


def test_the_listing_says_what_a_parameter_does_and_what_its_default_means():
    text = " ".join(describe_installed().split())
    for expected in (
        "--set geo.min_speakers=30 Distinct speakers that a region needs in the searched half. --set",
        "--set voice.k=K Clusters that k-means starts with. By default one for every 40 speakers",
        "--set voice.seed=SEED Of k-means. By default that of --seed. --set",
        'One of "poisson", "between", "difference". --set',
        "--set 'zip.criterion=lower bound' Choose the attribute",
        "--set zip.zip_table=ZIP_TABLE File of census attributes by ZIP code,",
    ):
        assert expected in text
    assert "None" not in text


def test_every_parameter_is_listed_and_recorded():
    text = describe_installed()
    for name, kind in installed().items():
        plain = parameters_of(kind())
        assert list(plain) == [field.name for field in dataclasses.fields(kind)]
        for parameter, value in plain.items():
            shown = parameter.upper() if value in (None, []) or parameter == "seed" else value
            setting = shlex.quote(f"{name}.{parameter}={shown}")
            assert f"\n  --set {setting}\n      " in text


def test_rows_that_lack_a_column_say_so():
    counts = SpeakerCounts.of(
        ["a", "b", "c"],
        ref_words=[1] * 3,
        errors=[0] * 3,
        attributes={
            "accent": ["x", None, "y"],
            "latitude": [1.0, 2.0, np.nan],
            "longitude": [1.0, 2.0, np.nan],
        },
        embedding_sum={"a": np.array([1, 2])},
    )
    assert reasons_unplaced(LabelColumn("accent"), counts).tolist() == ["", "no accent", ""]
    assert reasons_unplaced(GeoTree(), counts).tolist() == ["", "", "no longitude"]
    assert is_missing(counts, "embedding").tolist() == [False, True, True]


def test_a_label_column_has_a_cohort_for_each_value_in_order():
    counts = SpeakerCounts.of(
        ["a", "b", "c"], ref_words=[1] * 3, errors=[0] * 3, attributes={"accent": ["US", None, "UK"]}
    )
    found = LabelColumn("accent").fit(counts)
    assert [name.cohort for name in found.names] == ["UK", "US"]
    assert found.assign(counts).tolist() == [1, -1, 0]


def plain_weights(errors, words, speaker):
    """The damped weights of the definition, speaker by speaker."""
    everyone = np.unique(speaker)
    e = np.array([errors[speaker == s].sum() for s in everyone])
    w = np.array([words[speaker == s].sum() for s in everyone])
    p = e.sum() / w.sum()
    phi = max(0.0, (((e - p * w) ** 2).sum() - e.sum()) / (p**2 * (w**2).sum()))
    factor = 1 / (1 + w * p * phi)
    return phi, factor[np.searchsorted(everyone, speaker)]


@pytest.mark.parametrize("travellers", [False, True])
def test_search_weights_are_those_of_the_definition(travellers):
    rng = np.random.default_rng(3)
    speaker = np.sort(rng.integers(0, 40, 80)) if travellers else np.arange(80)
    words = rng.integers(20, 2000, 80).astype(float)
    errors = rng.poisson(words * 0.1 * rng.gamma(3, 1 / 3, 80)[speaker]).astype(float)
    phi, factor = plain_weights(errors, words, speaker)
    assert phi > 0.1
    e, w = search_weights(errors[None], words[None], speaker, "damped")
    np.testing.assert_allclose(w[0] / SCALE, words * factor, atol=1 / SCALE)
    # Errors enter as weight x errors / words.
    np.testing.assert_allclose(e[0] / SCALE, words * factor * errors / words, atol=1 / SCALE)


def test_without_overdispersion_words_are_the_weights():
    words = np.full(50, 100.0)
    errors = np.full(50, 10.0)
    for weight in ("words", "damped"):
        e, w = search_weights(errors[None], words[None], np.arange(50), weight)
        np.testing.assert_array_equal(w[0] / SCALE, words)
        np.testing.assert_array_equal(e[0] / SCALE, errors)


def test_a_zip_table_of_ones_own_is_a_parameter(tmp_path):
    file = tmp_path / "own.csv"
    file.write_text("zip_code,pct_x\n10001,0.9\n10002,0.1\n")
    finder = configure("zip", {"zip_table": str(file), "min_speakers": "2"})
    assert isinstance(finder, ZipDemographics)
    assert list(finder.table().values) == ["pct_x"]
