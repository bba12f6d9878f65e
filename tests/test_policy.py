"""Policies as people write them: what is read, and what is refused with which words."""

import json
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from fairaudit import read_policy
from fairaudit.exceptions import OptionError
from fairaudit.gating.measures import BOUNDS, MEASURES
from fairaudit.gating.policy import OWN_KEYS, Policy, json_schema
from fairaudit.gating.rules import Rule, Waiver

DOCS = Path(__file__).parent.parent / "docs"
RULE = '[[rule]]\nname = "r"\nmeasure = "wer"\npartition = "accent"\nmax = 0.2\n'
WAIVER = """
[[waiver]]
rule = "r"
partition = "accent"
cohort = "US"
reason = "new channel"
approver = "Ada"
note = "T-1"
expires = 2026-12-31
max_value = 0.3
"""


def template():
    return (files("fairaudit.gating") / "policy.toml").read_text("utf-8")


def written(tmp_path, text):
    (tmp_path / "p.toml").write_text(text)
    return tmp_path / "p.toml"


def refused(tmp_path, text):
    with pytest.raises(OptionError) as error:
        read_policy(written(tmp_path, text))
    return error.value


def uncommented(text):
    """The template with every key that it only shows."""
    head, _, waiver = text.partition("# A fail that")
    lines = []
    for line in head.splitlines():
        shown = line.startswith(("# min_speakers", "# suppressed", "# inconclusive", "# mode"))
        lines.append(line.removeprefix("# ") if shown else line)
    lines += [line.removeprefix("# ") for line in waiver.splitlines() if line.startswith("# ")]
    return "\n".join(lines)


def test_a_policy_is_read(tmp_path):
    policy = read_policy(written(tmp_path, f'exploratory = "refuse"\nfirst_release = true\n{RULE}{WAIVER}'))
    assert policy.rules == (Rule(name="r", measure="wer", partition="accent", max=0.2),)
    assert (policy.rules[0].bound, policy.rules[0].limit) == ("max", 0.2)
    assert policy.waivers[0].expires == date(2026, 12, 31)
    assert (policy.exploratory, policy.first_release, policy.name) == ("refuse", True, "p.toml")
    assert len(policy.digest()) == 64
    listed = RULE.replace("max = 0.2", 'cohorts = ["US", "3f2a"]\nmax_increase = 0')
    assert read_policy(written(tmp_path, listed)).rules[0].cohorts == ("US", "3f2a")


def test_the_template_has_the_three_rules_and_every_key(tmp_path):
    policy = read_policy(written(tmp_path, template()))
    assert [(r.name, r.partition, r.measure, r.bound) for r in policy.rules] == [
        ("overall", None, "wer", "max_relative_increase"),
        ("every cohort", "*", "wer", "max_relative_increase"),
        ("gap", "*", "gap", "max_relative_increase"),
    ]
    assert not policy.waivers
    whole = read_policy(written(tmp_path, uncommented(template())))
    assert whole.rules[1].min_speakers == 30
    assert (whole.rules[1].inconclusive, whole.rules[1].mode) == ("fail", "inform")
    assert (policy.rules[1].suppressed, whole.rules[1].suppressed) == ("block", "inform")
    assert (policy.max_unpaired, policy.confidence) == (0.01, 0.95)
    # What the template says is what holds without it.
    assert Policy(rules=policy.rules, name=policy.name, sha256=policy.sha256) == policy
    assert whole.waivers[0].approver == "Ada Lovelace"


def test_the_published_schema_is_the_one_of_the_types():
    published = (DOCS / "schemas" / "policy.schema.json").read_text("utf-8")
    assert published == json.dumps(json_schema(), indent=2) + "\n"


def test_the_schema_takes_the_template_and_refuses_what_the_reader_refuses():
    jsonschema.Draft202012Validator.check_schema(json_schema())
    validator = jsonschema.Draft202012Validator(json_schema())

    def fits(text):
        # TOML has dates, JSON has them as text.
        return validator.is_valid(json.loads(json.dumps(tomllib.loads(text), default=str)))

    assert fits(template())
    assert fits(uncommented(template()))
    assert fits(RULE + WAIVER)
    for wrong in (
        "",
        RULE.replace("max = 0.2", ""),
        RULE + "max_increase = 0.1",
        RULE + "colour = 1",
        "colour = 1\n" + RULE,
        RULE.replace('"wer"', '"cer"'),
        RULE.replace("0.2", '"0.2"'),
        RULE + WAIVER.replace('note = "T-1"', ""),
    ):
        assert not fits(wrong)


@pytest.mark.parametrize(
    ("text", "what", "where", "allowed"),
    [
        ("", "a policy without rules allows everything", "[[rule]]", "at least one rule"),
        (
            f"colour = 1\n{RULE}",
            "unknown key 'colour'",
            "p.toml",
            "Known: confidence, exploratory, first_release, max_unp",
        ),
        (
            RULE.replace("[[rule]]", "[rule]"),
            "rule is no list of tables",
            "p.toml",
            "[[rule]], in two brackets",
        ),
        (RULE + "max_incraese = 0.1", "unknown key 'max_incraese'", "p.toml, [[rule]] 1", "'max_increase'?"),
        (
            RULE + RULE.replace("max", "maxx"),
            "unknown key 'maxx'",
            "p.toml, [[rule]] 2",
            "did you mean 'max'?",
        ),
        (
            RULE.replace('name = "r"\n', ""),
            "name is missing",
            "p.toml, [[rule]] 1",
            "required: name, measure",
        ),
        (RULE.replace("0.2", '"20 %"'), "max is '20 %'", "p.toml, [[rule]] 1, max", "a number"),
        (RULE.replace("0.2", "true"), "max is True", "p.toml, [[rule]] 1, max", "a number"),
        (
            RULE.replace('"wer"', '"wr"'),
            "measure is 'wr'",
            "p.toml, [[rule]] 1, measure",
            "did you mean 'wer'?",
        ),
        (
            RULE + 'mode = "enfroce"',
            "mode is 'enfroce'",
            "p.toml, [[rule]] 1, mode",
            "did you mean 'enforce'?",
        ),
        (
            RULE + "min_speakers = 2.5",
            "min_speakers is 2.5",
            "p.toml, [[rule]] 1, min_speakers",
            "a whole number",
        ),
        (RULE + "min_speakers = 0", "min_speakers is 0", "p.toml, [[rule]] 1, min_speakers", "at least 1"),
        (
            RULE + 'cohorts = "worst"',
            "cohorts is 'worst'",
            "p.toml, [[rule]] 1, cohorts",
            "or a list of texts",
        ),
        (RULE + "cohorts = []", "empty list", "p.toml, [[rule]] 1, cohorts", "ids or names"),
        (
            RULE + "max_increase = 1",
            "max and max_increase",
            "p.toml, [[rule]] 1",
            "exactly one of max, max_increase",
        ),
        (RULE.replace("max = 0.2", ""), "no limit", "p.toml, [[rule]] 1", "exactly one of max, max_increase"),
        (
            RULE.replace("0.2", "15"),
            "max is 15",
            "p.toml, [[rule]] 1, max",
            "at most 10; a fraction: 0.05 is 5 %",
        ),
        (RULE.replace("0.2", "nan"), "max is nan", "p.toml, [[rule]] 1, max", "above 0"),
        (RULE.replace("0.2", "inf"), "max is inf", "p.toml, [[rule]] 1, max", "above 0"),
        (RULE.replace("0.2", "0"), "max is 0", "p.toml, [[rule]] 1, max", "above 0"),
        (
            RULE.replace('"wer"', '"gap"').replace("max", "max_increase"),
            "gap has no max_increase",
            "p.toml, [[rule]] 1, max_increase",
            "max, max_relative_increase",
        ),
        (RULE.replace('"wer"', '"maximum"'), "maximum has no max", "p.toml, [[rule]] 1, max", "max_increase"),
        (
            RULE.replace('"wer"', '"gap"').replace('partition = "accent"\n', ""),
            "gap is of a partition",
            "p.toml, [[rule]] 1, partition",
            "a name",
        ),
        (
            RULE.replace('"wer"', '"gap"') + 'cohorts = "all"',
            "its measure is gap",
            "p.toml, [[rule]] 1, cohorts",
            "",
        ),
        (
            RULE.replace('partition = "accent"', 'cohorts = "all"'),
            "no partition",
            "p.toml, [[rule]] 1, cohorts",
            "",
        ),
        (
            RULE.replace('"accent"', '"*"') + 'cohorts = ["US"]',
            "cohorts of every partition",
            "p.toml, [[rule]] 1, partition",
            "the name of one partition",
        ),
        (RULE + RULE, "two rules are called r", "[[rule]]", "a name for each"),
        (
            RULE.replace('name = "r"', 'name = " "'),
            "a rule has no name",
            "p.toml, [[rule]] 1, name",
            "any text",
        ),
        (
            'exploratory = "warm"\n' + RULE,
            "exploratory is 'warm'",
            "p.toml, exploratory",
            "did you mean 'warn'?",
        ),
        ("first_release = 1\n" + RULE, "first_release is 1", "p.toml, first_release", "true or false"),
        (
            RULE + WAIVER.replace('approver = "Ada"\n', ""),
            "approver is missing",
            "p.toml, [[waiver]] 1",
            "required",
        ),
        (
            RULE + WAIVER.replace('"Ada"', '" "'),
            "approver of a waiver is empty",
            "p.toml, [[waiver]] 1, approver",
            "",
        ),
        (
            RULE + WAIVER.replace("2026-12-31", '"next year"'),
            "expires is 'next year'",
            "p.toml, [[waiver]] 1, expires",
            "a date such as 2026-12-31",
        ),
        (
            RULE + WAIVER.replace("2026-12-31", "2026-12-31T10:00:00"),
            "expires is datetime",
            "p.toml, [[waiver]] 1, expires",
            "a date such as 2026-12-31",
        ),
        (
            RULE + WAIVER.replace('rule = "r"', 'rule = "rr"'),
            "of the rule 'rr'",
            "p.toml, [[waiver]] 1, rule",
            "'r'?",
        ),
        (
            RULE + WAIVER.replace("0.3", "0.1"),
            "could never apply",
            "p.toml, [[waiver]] 1, max_value",
            "above 0.2",
        ),
        (
            RULE + WAIVER.replace("0.3", "inf"),
            "max_value is inf",
            "p.toml, [[waiver]] 1, max_value",
            "at most 10",
        ),
        (
            RULE + WAIVER.replace("0.3", "1e9"),
            "max_value is 1000000000.0",
            "p.toml, [[waiver]] 1, max_value",
            "at most 10",
        ),
        (
            RULE.replace('"accent"', '" "'),
            "partition is empty",
            "p.toml, [[rule]] 1, partition",
            'a name, "*" for each, or no such key',
        ),
        (
            RULE + 'cohorts = ["US", ""]',
            "a cohort without a name",
            "p.toml, [[rule]] 1, cohorts",
            "ids or names",
        ),
        (
            RULE + 'cohorts = ["US"]\nsuppressed = "inform"',
            "lets cohorts go that are too small",
            "p.toml, [[rule]] 1, suppressed",
            'cohorts = "all"',
        ),
        ("max_unpaired = 5\n" + RULE, "max_unpaired is 5", "p.toml, max_unpaired", "a fraction: 0.01 is 1 %"),
        ("confidence = 95\n" + RULE, "confidence is 95", "p.toml, confidence", "0.5 to below 1"),
        ("confidence = 0.3\n" + RULE, "confidence is 0.3", "p.toml, confidence", "0.5 to below 1"),
        (RULE + WAIVER + WAIVER, "a waiver of the same cohort", "p.toml, [[waiver]] 2", "one"),
        ("[[rule", "not valid TOML", "p.toml", ""),
    ],
)
def test_what_is_wrong_is_told_with_file_table_and_key(tmp_path, text, what, where, allowed):
    error = refused(tmp_path, text)
    assert what in error.what
    assert error.where.startswith(str(tmp_path))
    assert error.where.endswith(where)
    assert allowed in (error.allowed or "")


def test_a_policy_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(OptionError, match="cannot read the policy: No such file"):
        read_policy(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(RULE.replace('"r"', '"ü"').encode("latin-1"))
    with pytest.raises(OptionError, match="not valid TOML"):
        read_policy(tmp_path / "latin.toml")


def test_a_policy_of_an_editor_that_marks_its_files_is_read(tmp_path):
    (tmp_path / "p.toml").write_bytes(b"\xef\xbb\xbf" + RULE.encode())
    assert read_policy(tmp_path / "p.toml").rules[0].name == "r"


def test_a_policy_made_in_python_is_checked_alike():
    with pytest.raises(OptionError, match="exactly one of"):
        Rule(name="r", measure="wer")
    with pytest.raises(OptionError, match="allows everything"):
        Policy(rules=())
    rule = Rule(name="r", measure="wer", max=0.2)
    late = Waiver(
        cohort="a", partition="p", rule="x", reason="r", approver="a", note="n", expires=date.max, max_value=1
    )
    with pytest.raises(OptionError, match="of the rule 'x'"):
        Policy(rules=(rule,), waivers=(late,))
    same, other = Policy(rules=(rule,)), Policy(rules=(Rule(name="r", measure="wer", max=0.3),))
    assert same.digest() == Policy(rules=(rule,)).digest() != other.digest()


def test_every_measure_and_every_key_is_documented():
    page = (DOCS / "gate.md").read_text("utf-8")
    for name, measure in MEASURES.items():
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        cells = [cell.strip() for cell in row.strip("|").split(" | ")]
        assert cells[1] == ", ".join(f"`{bound}`" for bound in measure.bounds)
        assert [cell.rstrip(" |") for cell in cells[2:]] == [measure.audit, measure.comparison]
    for kind in (Rule, Waiver):
        for key in kind.__struct_fields__:
            assert f"`{key}`" in page
    for key in (*BOUNDS, *OWN_KEYS):
        assert f"`{key}`" in page
