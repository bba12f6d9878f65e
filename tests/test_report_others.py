"""Reports of a comparison, a trend and a verdict: the same house as that of an audit."""

import re

import msgspec
import pytest
from reported import Page
from results import cohort_change, compared, moved, partition_change

from fairaudit.changes import FEWEST_SPEAKERS, Change, GapChange, RateChange
from fairaudit.exceptions import OptionError
from fairaudit.provenance import Source
from fairaudit.rates import Gap
from fairaudit.report import render
from fairaudit.trend import Trend
from fairaudit.verdict import Basis, Finding, Verdict

BASIS = Basis(
    utterances=900,
    speakers=60,
    where={"town": ("<u>Cork</u>", "Kerry")},
    excluded={"no speaker": 3},
    pairing={"matched": 900, "baseline_only": 1},
    warnings=("2 ZIP codes were repaired",),
)


def comparison():
    cohorts = (
        cohort_change("Irish", 0.3, se=0.05),
        cohort_change("<b>Scottish</b>", -0.2, se=0.05),
        cohort_change("Welsh", 0.01, se=0.2),
        cohort_change("few", suppressed=True),
    )
    change = partition_change(
        "accent", cohorts, vanished=("gone",), overall=RateChange(**moved(-0.05, wer=0.2))
    )
    return compared(change, overall=-0.05, skipped={"city": "more than 50 values"})


def trend():
    one = comparison()
    return Trend(releases=("v1", "v2", "<i>v3</i>"), since_first=(one, one), since_previous=(one, one))


def finding(status, **fields):
    made = Finding(
        rule="every cohort",
        partition="accent",
        cohort="<b>Irish</b>",
        cohort_id="id",
        label="accent is Irish",
        measure="wer",
        bound="max_relative_increase",
        limit=0.1,
        value=0.3,
        low=0.2,
        high=0.4,
        status=status,
        mode="enforce",
        blocks=status in ("fail", "inconclusive"),
        reason="the interval is beyond the limit",
    )
    return msgspec.structs.replace(made, **fields)


def verdict(*findings, status="fail"):
    return Verdict(
        schema_version=1,
        fairaudit_version="0.1.0",
        created_at="2026-01-01T00:00:00+00:00",
        status=status,
        confidence=0.95,
        metric="WER",
        result={"name": "compare.json", "sha256": "ab" * 32},
        policy={"name": "policy.toml", "sha256": "cd" * 32},
        basis=BASIS,
        waivers_as_of=None,
        findings=findings,
        warnings=("a rule is about no cohort",),
    )


def everything():
    return verdict(
        finding("fail"),
        finding("inconclusive", settles="about 40 speakers"),
        finding("waived"),
        finding("pass"),
    )


@pytest.fixture(scope="module")
def rendered():
    return {
        name: {form: render(made, form) for form in ("html", "md", "text")}
        for name, made in (("comparison", comparison()), ("trend", trend()), ("verdict", everything()))
    }


@pytest.mark.parametrize("name", ["comparison", "trend", "verdict"])
def test_a_page_is_valid_whole_and_safe(rendered, name):
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed")
    text = rendered[name]["html"]
    html5lib.HTMLParser(strict=True).parse(text)
    page = Page(text)
    assert page.open == []
    assert not page.named("script", "link", "img", "i", "b")
    ids = [attributes["id"] for _, attributes, _ in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len(page.named("h1")) == 1
    assert len(page.named("table")) == len(page.named("caption")) > 0
    assert "url(http" not in text
    assert "Made by fairaudit 0.1.0 on 2026-01-01." in page.text


@pytest.mark.parametrize(("name", "figures"), [("comparison", 2), ("trend", 1), ("verdict", 0)])
def test_every_figure_is_told_in_words(rendered, name, figures):
    page = rendered[name]["html"]
    described = re.findall(r'<svg [^>]*role="img".*?<desc[^>]*>(.*?)</desc>', page)
    assert len(described) == page.count("<figure>") == figures
    assert rendered[name]["md"].count("**Figure.**") == figures
    for words in described:
        assert len(re.findall(r"\d", words)) >= 4
        assert "Irish" in words


def test_a_comparison_says_who_got_worse_before_anything_else(rendered):
    page = Page(rendered["comparison"]["html"])
    text = page.text.replace("\u00a0", " ")
    assert "Of 100 words, 10.0 are wrong in the baseline and 9.5 in the candidate." in text
    assert "Of 3 cohorts that can be compared, 1 got worse, 1 better, and for 1 it cannot be told" in text
    assert "accent is Irish (30.0 % (17.5 to 43.8))." in text
    assert "accent is <b>Scottish</b> (\u221220.0 % (" in text
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", rendered["comparison"]["html"])
    assert titles == [
        "What was compared",
        "Who got worse, and who better",
        "Change of all cohorts",
        "Both releases",
        "What was left out",
        "What the words mean",
        "How to reproduce",
        "In detail: by accent",
    ]
    row = re.search(r"\| accent is Irish \| accent \| . \| worse \|.*", rendered["comparison"]["md"])[0]
    assert "10.0 | 13.0 | 30.0 | 17.5 to 43.8 | 60" in row
    for words in ("nobody is left of gone", "city (more than 50 values)", "1 of 4 cohorts is suppressed"):
        assert words in text


def test_a_trend_has_a_table_and_a_figure_of_each_partition(rendered):
    text = rendered["trend"]["md"]
    assert "## By accent" in text
    assert "Everybody: the last release" in text
    assert "fairaudit compare \\\n" in text
    opening = text[: text.index("## By accent")]
    assert "From the first release to the last:" in opening
    assert "**Got worse:** accent is Irish (30.0 % (17.5 to 43.8))." in opening
    assert "Of 100 words, 10.0 were wrong in v1, 9.5 in v2 and 9.5 in &lt;i&gt;v3&lt;/i&gt;: -5.0 %" in text
    assert "and for each of 3 cohorts over 3 releases" in text
    # Every figure of the plot is in the table, with its interval; a terminal has no room for that.
    assert re.search(r"\| accent is Irish \| 10\.0 \(\d+\.\d to \d+\.\d\) \| 13\.0 \(", text)
    assert "10.0 (" not in rendered["trend"]["text"]
    assert "compare.json of the folders 2-against-1, 3-against-1 and 3-against-2" in text.replace("\\", "")


def test_a_trend_lists_every_log_that_was_read():
    logs = [Source(role="candidate", name=f"v{n}.csv", sha256="c0", rows=1) for n in (2, 3)]
    first = Source(role="baseline", name="v1.csv", sha256="c0", rows=1)
    one, two = (msgspec.structs.replace(comparison(), inputs=(first, log)) for log in logs)
    text = render(Trend(releases=("v1", "v2", "v3"), since_first=(one, two), since_previous=(one, two)), "md")
    rows = re.findall(r"^\| (v\d\.csv) \|", text[text.index("What was read") :], re.M)
    assert rows == ["v1.csv", "v2.csv", "v3.csv"]


def test_a_cohort_of_too_few_speakers_for_a_gate_is_neither_better_nor_worse():
    few = cohort_change("Manx", -0.5, se=0.05, speakers=FEWEST_SPEAKERS - 1)
    enough = cohort_change("Irish", -0.5, se=0.05, speakers=FEWEST_SPEAKERS)
    text = render(compared(partition_change("accent", (few, enough))), "md")
    assert "0 got worse, 1 better, and for 1 it cannot be told" in text
    assert "| accent is Irish | accent | \u2013 | better |" in text
    assert "| accent is Manx | accent |" not in text


def test_a_comparison_speaks_plainly_before_it_says_how_intervals_are_made(rendered):
    text = rendered["comparison"]["md"]
    first = text[: text.index("## What was compared")]
    assert "Negative is better: fewer errors." in first
    assert "jackknife" not in first
    assert "jackknife" in text


def test_a_gap_that_neither_release_has_is_said_once():
    nothing = Gap(definition="", reason="too few speakers")
    gap = GapChange(baseline=nothing, candidate=nothing, change=Change(reason="too few speakers"))
    text = render(compared(partition_change("accent", (cohort_change("b"),), gap=gap)), "md")
    assert "**Gap, bottom against top:** \u2013 (too few speakers)\n" in text
    assert "before" not in text[text.index("bottom against top") :].splitlines()[0]
    assert "Change of the gap" not in text


def test_the_figures_of_a_verdict_have_their_unit_where_there_is_room(rendered):
    assert "| 30.0 % | 20.0 to 40.0 % | increase 10.0 % | " in rendered["verdict"]["md"]
    assert "30.0 %" not in rendered["verdict"]["text"]
    points = render(verdict(finding("fail", bound="max_increase")), "md")
    assert "| 30.0 points | 20.0 to 40.0 points | increase 10.0 points | " in points


@pytest.mark.parametrize("form", ["html", "md", "text"])
def test_a_verdict_is_rendered(rendered, form):
    text = rendered["verdict"][form].replace("\u00a0", " ").replace("\\", "")
    assert re.search(r"FAIL: of 4\s+findings", text)
    assert "a rule is about no cohort" in text
    assert "about 40 speakers" in re.sub(r"\s+", " ", text)


def test_a_verdict_has_a_section_for_each_status_and_says_what_it_means(rendered):
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", rendered["verdict"]["html"])
    assert titles == [
        "What failed",
        "Not enough evidence",
        "Waived",
        "What is within its limit",
        "What it is based on",
        "How to reproduce",
    ]
    assert "What failed" not in re.findall(
        r"<h2[^>]*>(.*?)</h2>", render(verdict(finding("pass"), status="pass"), "html")
    )
    text = Page(rendered["verdict"]["html"]).text
    for words in ("60 speakers, 900 utterances", "town is <u>Cork</u> or Kerry", "Left out: no speaker"):
        assert words in text
    for words in ("Baseline only", "2 ZIP codes were repaired", "Fairness gate: failed"):
        assert words in text
    informs = render(verdict(finding("fail", mode="inform", blocks=False), status="pass"), "md")
    assert informs.startswith("# Fairness gate: nothing is enforced")
    assert "abab" in rendered["verdict"]["html"]
    assert "<td>" not in rendered["verdict"]["md"]


@pytest.mark.parametrize(
    ("made", "form"), [(comparison, "model-card"), (trend, "geojson"), (everything, "csv")]
)
def test_a_form_that_a_result_has_not_is_refused(made, form):
    with pytest.raises(OptionError, match=f"of the form '{form}'"):
        render(made(), form)
