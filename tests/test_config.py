import pytest

from fairaudit.config import AuditOptions, parse_pairs, parse_settings, parse_single, read_options
from fairaudit.exceptions import OptionError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bottom_share": 0.0}, r"bottom_share is 0.0\n.*--bottom-share\n.*above 0, at most 0.5"),
        ({"bottom_share": 0.6}, "bottom_share is 0.6"),
        ({"bottom_share": float("nan")}, "bottom_share is nan"),
        ({"confidence": 0.4}, "confidence is 0.4"),
        ({"confidence": 1.0}, "confidence is 1.0"),
        ({"splits": 0}, "splits is 0"),
        ({"splits": 257}, "splits is 257"),
        ({"permutations": -1}, "permutations is -1"),
        ({"permutations": 100_000}, "permutations is 100000"),
        ({"min_speakers_shown": 0}, r"min_speakers_shown is 0\n.*--min-speakers-shown"),
        ({"seed": -1}, "seed is -1"),
        ({"reference_cohort": "US"}, r"reference cohort is 'US'\n.*\n.*COLUMN=VALUE"),
    ],
)
def test_an_option_out_of_range_is_refused_by_name(changes, message):
    with pytest.raises(OptionError, match=message):
        AuditOptions(**changes)


def written(tmp_path, text):
    file = tmp_path / "audit.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_configuration_gives_what_it_holds_and_nothing_else(tmp_path):
    file = written(tmp_path, 'by = ["geo"]\nbottom_share = 0.2\n[set.geo]\nmax_regions = 40\n')
    assert read_options(file) == {
        "by": ("geo",),
        "bottom_share": 0.2,
        "parameters": {"geo": {"max_regions": 40}},
    }
    assert read_options(written(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bottom_shre = 0.2", r"(?s)unknown key 'bottom_shre'.*audit.toml.*did you mean 'bottom_share'"),
        ("[parameters.geo]\nmax_regions = 4", "unknown key 'parameters'"),
        (
            "permutations = 'many'",
            r"permutations is 'many'\n.*audit.toml, permutations\n  allowed: a whole number$",
        ),
        ("splits = 'many'", r"splits is 'many'\n.*\n  allowed: a whole number$"),
        ("bottom_share = 'x'", r"bottom_share is 'x'\n.*\n  allowed: a number$"),
        ("model = 4", r"model is 4\n.*\n  allowed: text$"),
        ("by = 'geo'", r"by is 'geo'\n.*\n  allowed: a list of texts$"),
        ("permutations = -4", r"permutations is -4\n.*audit.toml, permutations\n  allowed: 0 to 99999"),
        ("bottom_share = 0.7", r"bottom_share is 0.7\n.*audit.toml, bottom_share"),
        ("splits = = 4", "not valid TOML"),
        ("set = 4", r"set is 4\n.*audit.toml, set\n  allowed: tables \[set.NAME\]"),
    ],
)
def test_a_configuration_that_cannot_be_used_says_where_and_why(tmp_path, text, message):
    with pytest.raises(OptionError, match=message):
        read_options(written(tmp_path, text))


def test_a_configuration_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OptionError, match="cannot read the configuration"):
        read_options(tmp_path / "absent.toml")


def test_settings_pairs_and_columns_are_read_from_the_command_line():
    assert parse_settings(("geo.grid=0.1", "geo.max_regions=9", "voice.k=a=b")) == {
        "geo": {"grid": "0.1", "max_regions": "9"},
        "voice": {"k": "a=b"},
    }
    assert parse_pairs("--where", ("a=1", "a=", "b=x=y")) == {"a": ["1", ""], "b": ["x=y"]}
    assert parse_single("--column", ("speaker_id=spk", "errors=n")) == {"speaker_id": "spk", "errors": "n"}


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: parse_settings(("geo=4",)), "cannot read 'geo=4'"),
        (lambda: parse_settings(("geo.grid",)), "cannot read 'geo.grid'"),
        (lambda: parse_pairs("--where", ("accent",)), "cannot read 'accent'"),
        (lambda: parse_pairs("--where", ("=US",)), "cannot read '=US'"),
        (lambda: parse_single("--column", ("errors=a", "errors=b")), "errors is given twice: a, b"),
    ],
)
def test_what_cannot_be_read_is_refused(read, message):
    with pytest.raises(OptionError, match=message):
        read()
