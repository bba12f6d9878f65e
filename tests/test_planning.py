import pandas as pd
import pytest
from worlds import frame

from fairaudit.auditing import audit
from fairaudit.config import AuditOptions
from fairaudit.discover.geo_tree import GeoTree
from fairaudit.discover.labels import LabelColumn, LabelIntersection
from fairaudit.discover.slices import Slices
from fairaudit.exceptions import LogError, OptionError
from fairaudit.planning import plan, reference_of
from fairaudit.readers import read_log


@pytest.fixture(scope="module")
def log():
    return read_log(frame(1, 60))


def planned(log, by=(), **options):
    targets, skipped = plan(log, AuditOptions(**options), by, None)
    return [target.name for target in targets], skipped


def test_without_being_asked_everything_that_the_columns_allow_is_audited(log):
    assert planned(log) == (["geo", "zip", "voice", "device", "accent"], {})
    plain = frame(1, 60).drop(columns=["latitude", "embedding"])
    plain["town"] = [f"town {i}" for i in range(len(plain))]
    plain["country"] = "NA"
    names, skipped = planned(read_log(plain))
    assert names == ["zip", "device", "accent"]
    assert skipped["geo"] == "the log has no latitude"
    assert skipped["voice"] == "the log has no embedding"
    assert "more than 50 values; ask for it with --by town" in skipped["town"]
    assert "fewer than two values" in skipped["country"]


def test_a_label_of_many_values_is_audited_when_asked_for():
    plain = frame(1, 60)[["speaker_id", "ref_words", "errors"]]
    plain["town"] = plain["speaker_id"]
    assert planned(read_log(plain), ["town"])[0] == ["town"]


def test_a_label_called_like_a_discoverer_is_set_aside_and_said():
    plain = frame(1, 60)[["speaker_id", "ref_words", "errors", "accent", "latitude", "longitude"]]
    plain["geo"] = plain["accent"]
    names, skipped = planned(read_log(plain))
    assert names == ["geo", "accent"]
    assert "rename the column" in skipped["column geo"]


def test_discoverers_may_be_given_by_name_or_as_objects(log):
    targets, _ = plan(log, AuditOptions(parameters={"voice": {"k": 3}}), ["voice", GeoTree(grid=0.1)], None)
    assert targets[0].finder.k == 3
    assert targets[1].grid == 0.1
    assert [t.origin for t in targets] == ["discovered", "discovered"]
    # A single name is a name, not a sequence of letters.
    assert audit(log, by="device", permutations=0).partition("device").origin == "declared"


def test_the_seed_and_the_zip_table_of_the_audit_are_those_of_its_discoverers(log, tmp_path):
    file = tmp_path / "own.csv"
    file.write_text("zip_code,pct_x\n10001,0.9\n10002,0.1\n")
    targets, _ = plan(log, AuditOptions(seed=9, zip_table=str(file)), ["voice", "zip"], None)
    assert targets[0].finder.seed == 9
    assert targets[1].finder.zip_table == str(file)
    (own,), _ = plan(log, AuditOptions(seed=9, parameters={"voice": {"seed": "4"}}), ["voice"], None)
    assert own.finder.seed == 4


@pytest.mark.parametrize(
    ("by", "options", "message"),
    [
        (["acent"], {}, r"(?s)nothing to partition by is called 'acent'.*did you mean 'accent'"),
        (["geo", "geo"], {}, "'geo' is asked for twice"),
        (["geo"], {"parameters": {"voice": {"k": 3}}}, r"(?s)parameters are set for 'voice'.*add --by voice"),
        (["geo"], {"parameters": {"geo": {"kk": 3}}}, "geo has no parameter 'kk'"),
        (["geo"], {"parameters": {"gea": {"k": 3}}}, "unknown discoverer 'gea'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_can(log, by, options, message):
    with pytest.raises(OptionError, match=message):
        planned(log, by, **options)


def test_a_discoverer_whose_columns_are_missing_is_refused_when_asked_for():
    plain = read_log(frame(1, 60)[["speaker_id", "ref_words", "errors", "accent"]])
    with pytest.raises(LogError, match=r"(?s)--by voice needs the column embedding.*--embeddings FILE"):
        planned(plain, ["voice"])
    with pytest.raises(LogError, match=r"(?s)--by geo needs the column latitude.*--column latitude=ACTUAL"):
        planned(plain, ["geo"])


def test_a_log_with_nothing_to_partition_by_says_what_it_would_take():
    bare = pd.DataFrame({"speaker_id": ["a", "b"], "ref_words": [10, 10], "errors": [1, 2]})
    with pytest.raises(LogError, match=r"(?s)nothing to partition by.*geo: the log has no latitude"):
        planned(read_log(bare))


def test_a_reference_must_be_of_a_label_column_that_is_audited(log):
    options = AuditOptions(reference_cohort="accent=accent 1")
    assert reference_of(options, plan(log, options, ["accent"], None)[0]) == ("accent", "accent 1")
    with pytest.raises(OptionError, match=r"(?s)'accent', which is not audited.*--by accent"):
        reference_of(options, plan(log, options, ["device"], None)[0])
    with pytest.raises(OptionError, match=r"(?s)no row has accent=accent 9.*did you mean .accent"):
        audit(log, by=["accent"], reference_cohort="accent=accent 9", permutations=0)


def labelled(**columns):
    """A log of thirty speakers with labels."""
    plain = frame(1, 30)[["speaker_id", "ref_words", "errors"]]
    return read_log(plain.assign(**{name: [v[i % len(v)] for i in range(90)] for name, v in columns.items()}))


def finder_of(log, name, **options):
    (target,), _ = plan(log, AuditOptions(**options), [name], None)
    return target.finder


def test_label_columns_with_a_plus_between_them_are_intersected(log):
    (target,), _ = plan(log, AuditOptions(), ["accent+device"], None)
    assert target.finder == LabelIntersection(("accent", "device"))
    assert (target.name, target.origin, target.requires) == (
        "accent+device",
        "declared",
        ("accent", "device"),
    )


def test_a_column_may_hold_a_plus_in_its_own_name():
    own = labelled(**{"age+sex": ["70 f", "30 m"], "age": ["70", "30", "50"], "town": ["Cork", "Galway"]})
    assert finder_of(own, "age+sex") == LabelColumn("age+sex")
    assert finder_of(own, "age+sex+town") == LabelIntersection(("age+sex", "town"))
    assert finder_of(own, "town+age+sex") == LabelIntersection(("town", "age+sex"))
    assert finder_of(own, "town+age") == LabelIntersection(("town", "age"))
    unclear = labelled(**{"a+b": ["x", "y"], "c": ["x", "y"], "a": ["x", "y"], "b+c": ["x", "y"]})
    with pytest.raises(OptionError, match=r"(?s)in more than one way.*a and b\+c; or a\+b and c.*rename"):
        planned(unclear, ["a+b+c"])


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("accent+devise", r"(?s)no label column is called 'devise'.*accent\+devise.*did you mean 'device'"),
        ("accent+geo", r"(?s)no label column is called 'geo'"),
        ("accent+accent", "(?s)an intersection of the columns accent.accent.*different label columns"),
        ("accent+", "no label column is called ''"),
    ],
)
def test_an_intersection_of_what_is_no_label_column_is_refused(log, by, message):
    with pytest.raises(OptionError, match=message):
        planned(log, [by])


def test_the_reference_of_an_intersection_is_named_by_its_values_or_in_full(log):
    for text in ("accent 1+device 0", "accent=accent 1, device=device 0"):
        options = AuditOptions(reference_cohort=f"accent+device={text}")
        targets, _ = plan(log, options, ["accent+device"], None)
        assert reference_of(options, targets) == ("accent+device", "accent=accent 1, device=device 0")
    with pytest.raises(OptionError, match=r"(?s)no row has .*device 7.*did you mean 'accent=accent 1"):
        audit(log, by=["accent+device"], reference_cohort="accent+device=accent 1+device 7", permutations=0)


def test_slices_are_searched_when_asked_for_in_the_columns_that_are_audited_unasked():
    own = labelled(accent=["x", "y"], town=[f"t{i}" for i in range(60)], score=["1", "2"], sex=["f", "m"])
    assert planned(own)[0] == ["accent", "sex"]
    assert finder_of(own, "slices") == Slices(("accent", "sex"))
    assert finder_of(own, Slices(depth=1)) == Slices(("accent", "sex"), depth=1)
    named = {"slices": {"columns": "town,score"}}
    assert finder_of(own, "slices", parameters=named) == Slices(("town", "score"))


def test_slices_of_columns_that_are_not_there_are_refused():
    own = labelled(accent=["x", "y"])
    with pytest.raises(OptionError, match=r"(?s)slices.columns names 'acent'.*did you mean 'accent'"):
        planned(own, ["slices"], parameters={"slices": {"columns": "acent"}})
    numbers = labelled(score=["1", "2"])
    with pytest.raises(
        LogError, match=r"(?s)no label column to search.*score: it holds numbers.*slices.columns="
    ):
        planned(numbers, ["slices"])
    with pytest.raises(LogError, match="no label column to search"):
        planned(labelled(), ["slices"])
    with pytest.raises(OptionError, match="'ref_words', which is no label column"):
        planned(labelled(), ["slices"], parameters={"slices": {"columns": "ref_words"}})
