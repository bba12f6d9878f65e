import json
from pathlib import Path

import jsonschema
import msgspec
import pytest
from worlds import frame

from fairaudit import schema
from fairaudit.auditing import audit
from fairaudit.exceptions import ResultError
from fairaudit.readers import read_log
from fairaudit.result import AuditResult, json_schema
from fairaudit.tables import ATTRIBUTE_COLUMNS, COHORT_COLUMNS, SUMMARY_COLUMNS

PUBLISHED = Path(__file__).parent.parent / "docs" / "schemas" / "audit.schema.json"


@pytest.fixture(scope="module")
def result():
    log = read_log(frame(1, 200, effect=1.5, missing=20))
    parameters = {name: {"min_speakers": 15} for name in ("geo", "zip", "voice")}
    return audit(log, permutations=9, parameters=parameters, model="m1", dataset="d1")


@pytest.fixture(scope="module")
def others():
    """Results of other shapes: a reference, too few speakers, nothing to place, no permutations."""
    empty = frame(3, 60)
    empty["accent"] = None
    return [
        audit(read_log(frame(2, 200)), by=["accent"], reference_cohort="accent=accent 1", permutations=9),
        audit(read_log(frame(3, 12)), permutations=9, min_speakers_shown=1),
        audit(read_log(frame(4, 9)), permutations=0),
        audit(read_log(empty), by=["accent"], permutations=9),
    ]


def test_json_gives_the_same_result_back(result, others):
    for item in (result, *others):
        text = item.to_json()
        again = AuditResult.from_json(text)
        assert again == item
        assert again.to_json() == text
        assert text.endswith("}\n")


def test_the_published_schema_is_the_one_of_the_types():
    want = json.dumps(json_schema(), indent=2) + "\n"
    assert PUBLISHED.read_text("utf-8") == want, (
        "write it anew: python -c 'import json; from fairaudit.result import json_schema; "
        f"print(json.dumps(json_schema(), indent=2))' > {PUBLISHED.relative_to(PUBLISHED.parents[2])}"
    )


def test_real_results_fit_the_published_schema(result, others):
    published = json.loads(PUBLISHED.read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(published)
    validator = jsonschema.Draft202012Validator(published)
    for item in (result, *others):
        validator.validate(json.loads(item.to_json()))


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(seed="one"),
        lambda p: p.pop("signature"),
        lambda p: p.update(secret=1),
        lambda p: p["partitions"][0].update(origin="guessed"),
        lambda p: p["partitions"][0]["cohorts"][0].update(wer="high"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_schema_and_by_the_reader(result, change):
    plain = json.loads(result.to_json())
    change(plain)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain, json_schema())
    with pytest.raises(ResultError, match=r"not an audit result: .*\n.*old.json"):
        AuditResult.from_json(json.dumps(schema.sealed(plain)), "old.json")


def test_a_newer_schema_is_refused_by_name(result):
    plain = json.loads(result.to_json()) | {"schema_version": 99, "fairaudit_version": "9.9"}
    with pytest.raises(ResultError, match=r"(?s)schema_version 99 is of a newer fairaudit \(9.9\).*upgrade"):
        AuditResult.from_json(json.dumps(plain))


def test_an_older_schema_is_upgraded_by_an_explicit_step_or_refused(result, monkeypatch):
    plain = json.loads(result.to_json())
    old = {**plain, "schema_version": 0, "name_of_seed": plain["seed"]}
    del old["seed"]
    old = schema.sealed(old)
    with pytest.raises(ResultError, match="schema_version 0 cannot be upgraded"):
        AuditResult.from_json(json.dumps(old))

    def step(previous):
        later = {**previous, "schema_version": 1, "seed": previous["name_of_seed"]}
        del later["name_of_seed"]
        return later

    monkeypatch.setitem(schema.UPGRADES, 0, step)
    assert AuditResult.from_json(json.dumps(old)) == result


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(seed=4),
        lambda p: p["partitions"][0]["cohorts"].pop(),
        lambda p: p["partitions"][0]["gap"].update(relative=0.0),
        lambda p: p.update(digest="0" * 64),
    ],
)
def test_an_edited_result_is_refused_by_name(result, change):
    plain = json.loads(result.to_json())
    change(plain)
    with pytest.raises(ResultError, match=r"was edited after it was written.*\n.*audit.json"):
        AuditResult.from_json(json.dumps(plain))
    # Its layout is no part of it.
    again = json.dumps(json.loads(result.to_json()), indent=None, sort_keys=True)
    assert AuditResult.from_json(again) == result
    del plain["digest"]
    with pytest.raises(ResultError, match="has no digest"):
        AuditResult.from_json(json.dumps(plain))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p["overall"].update(low=0.9), r"result.overall: wer is not between low and high"),
        (lambda p: p["partitions"][4]["gap"].update(relative_high=-0.9), "relative is not between"),
        (lambda p: p["overall"].update(df=-1), "df is -1, which is negative"),
        (lambda p: p["overall"].update(log_se=-0.1), "log_se is -0.1"),
        (lambda p: p["options"].update(confidence="high"), "confidence is 'high'"),
        (lambda p: p["options"].update(confidence=7), "confidence is 7"),
        (lambda p: p["partitions"][4]["cohorts"].append(p["partitions"][4]["cohorts"][0]), "there twice"),
    ],
)
def test_what_makes_no_sense_is_refused_even_if_it_is_sealed(result, change, said):
    plain = json.loads(result.to_json())
    change(plain)
    with pytest.raises(ResultError, match=said):
        AuditResult.from_json(json.dumps(schema.sealed(plain)))


def test_deep_nesting_is_bad_data():
    with pytest.raises(ResultError, match="nested too deeply"):
        AuditResult.from_json("[" * 100_000)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema_version": "1"}', "nonsense"])
def test_what_is_no_result_is_refused(text):
    with pytest.raises(ResultError, match=r"not valid JSON|not an audit result"):
        AuditResult.from_json(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_never_gets_out(result, value):
    wrong = msgspec.structs.replace(result, metrics={"overall.wer": value})
    with pytest.raises(ValueError, match=r"result.metrics.overall.wer is"):
        wrong.to_json()


def test_a_result_cannot_be_changed(result):
    with pytest.raises(AttributeError):
        result.seed = 4
    with pytest.raises(AttributeError):
        result.partitions[0].gap.relative = 0.0


def test_a_partition_is_found_by_name(result):
    assert result.partition("zip").name == "zip"
    with pytest.raises(ResultError, match=r"(?s)no partition 'zap'.*geo, zip, voice, device, accent"):
        result.partition("zap")


def test_tables_are_tidy_with_fixed_columns(result, others):
    for item in (result, *others):
        assert tuple(item.summary().columns) == SUMMARY_COLUMNS
        assert tuple(item.cohorts().columns) == COHORT_COLUMNS
        assert tuple(item.attributes().columns) == ATTRIBUTE_COLUMNS
        assert len(item.summary()) == len(item.partitions)
        assert len(item.cohorts()) == sum(len(p.cohorts) for p in item.partitions)
    accent = result.cohorts().query("partition == 'accent'")
    assert accent["rank"].tolist() == [1, 2, 3, 4]
    assert accent["side"].tolist()[0] == "bottom"
    found = result.partition("accent")
    assert accent["wer"].tolist()[0] == next(c.wer for c in found.cohorts if c.rank == 1)
    row = result.summary().set_index("partition").loc["accent"]
    assert (row["gap"], row["bottom_wer"]) == (found.gap.relative, found.bottom.wer)


def test_the_shape_is_that_of_the_design(result):
    plain = json.loads(result.to_json())
    assert list(plain)[:8] == [
        "schema_version",
        "fairaudit_version",
        "signature",
        "created_at",
        "seed",
        "options",
        "environment",
        "files",
    ]
    for name in ("subject", "metric", "metrics", "inputs", "scoring", "log", "overall", "partitions"):
        assert name in plain
    (first, *_) = plain["partitions"]
    blocks = (
        "name kind origin discovered_on digest rule discoverer overall splits cohorts unassigned bottom top "
        "rest gap gaps in_sample_gap gap_by_share attributes stability chance"
    )
    assert set(blocks.split()) <= set(first)
    # What is not built yet is absent, not empty.
    assert not {"change", "baseline", "candidate"} & {*plain, *first}
    assert not {"change"} & set(first["cohorts"][0])


def test_the_signature_says_how_the_numbers_were_made(result):
    assert result.signature == (
        f"fairaudit:{result.fairaudit_version} | metric:WER | normalizer:counts given | splits:11 | "
        "permutations:9 | seed:1 | bottom-share:0.1 of speakers"
    )
    assert (result.subject.model, result.subject.dataset) == ("m1", "d1")
    assert result.metrics["accent.gap"] == result.partition("accent").gap.relative
    assert set(result.environment) >= {"python", "numpy", "duckdb"}


def test_a_result_is_shown_in_one_line(result):
    assert repr(result).startswith("<AuditResult of ")
    assert len(repr(result)) < 200
    assert all(p.name in repr(result) for p in result.partitions)
