"""What a reader of a report would stumble over: orders, names, intervals and figures that disagree."""

import re

import msgspec
import pytest
from reported import (
    JUDGED,
    Page,
    chance,
    cohort,
    hidden,
    partition,
    result,
    rich_result,
    side,
    zip_partition,
)

from fairaudit.evidence import Layout, Place, SharePoint
from fairaudit.report import render
from fairaudit.report.figures import chance_table
from fairaudit.report.notebook import of_partition

RATES = {"b": 0.11, "r": 0.15, "s": 0.13, "t": 0.10}


def ranked(**fields):
    """Return a partition whose ranks, from other speakers, are not the order of the rates that are shown."""
    rows = tuple(cohort(name, wer, rank=n + 1) for n, (name, wer) in enumerate(RATES.items()))
    return partition(cohorts=(*rows, hidden("x", rank=5)), bottom=side("b", 0.11, 0.1), **fields)


def section(text, title):
    """Return a section of a report in Markdown."""
    return text[text.index(f"## {title}") :].split("\n## ")[0]


def first_cells(text):
    return re.findall(r"^\| (?:voice-)?accent is (\w)", text, re.M)


def test_the_highest_rates_are_among_the_worst_served_whatever_their_rank():
    text = section(render(result(ranked()), "md"), "Who is served worst")
    assert first_cells(text) == ["b", "r", "s"]
    assert text.count("highest rate\\[1\\]") == 2
    assert "such a selection looks worse than it is" in text
    # A rate below those at the bottom is none of the highest, even where few cohorts are left.
    low = partition(cohorts=(cohort("b", 0.2), cohort("r", 0.1, rank=2), cohort("t", 0.1, rank=3)))
    assert first_cells(section(render(result(low), "md"), "Who is served worst")) == ["b"]


def test_tables_by_rank_say_who_ranked_and_the_others_are_in_the_order_of_rates():
    places = tuple(Place(cohort=name, x=0.1 * n, y=0.0) for n, name in enumerate(RATES))
    found = ranked(layout=Layout(places=places, explained=(0.6, 0.4)), kind="centroids", origin="discovered")
    text = render(result(found), "md")
    assert first_cells(section(text, "How they sound")) == ["r", "s", "b", "t", "x"]
    every = section(text, "All cohorts")
    assert first_cells(every) == ["b", "r", "s", "t", "x"]
    assert "in the order of rank, 1 the worst, which the other half of the speakers gave" in every
    assert "so the rates need not fall" in of_partition(found)


def test_cohorts_that_nobody_ranked_have_no_side_and_no_rank_and_come_by_rate():
    rows = tuple(cohort(name, wer, rank=None) for name, wer in RATES.items())
    none = partition(cohorts=rows, bottom=None, top=None)
    every = section(render(result(none), "md"), "All cohorts")
    assert first_cells(every) == ["r", "s", "b", "t"]
    assert "the highest rate first" in every
    assert "| Cohort | WER (%) |" in every
    assert "rank" not in every
    assert "| Side | Rank |" in section(render(result(ranked()), "md"), "All cohorts")


def test_an_interval_without_an_upper_end_that_means_anything_says_so():
    rows = (cohort("b", 0.15, low=0.0, high=3_216_549.2), cohort("t", 0.1, rank=2))
    text = render(result(partition(cohorts=rows)), "md")
    assert "| 0.0 to over 1,000\\[1\\] |" in section(text, "All cohorts")
    assert "too few speakers, or too unequal ones, for an upper end" in text
    assert "321,654" not in text


def test_why_rates_of_named_cohorts_differ_from_those_of_bottom_and_top_is_said_under_the_table():
    text = render(result(zip_partition()), "md")
    opening = text[: text.index("## What was audited")]
    assert (
        "The cohorts that are named are those found on one half of the speakers, in the first split"
        in opening
    )
    assert "and in the other splits" in opening
    assert "cohorts that are named" not in render(result(partition(splits=None, origin="saved")), "md")


def test_a_gap_that_is_told_while_no_row_is_worse_is_reconciled():
    unclear = cohort("b", **JUDGED | {"status": "undecided"})
    rows = (unclear, cohort("t", 0.1, rank=2, status="cleared"))
    said = "By accent the gap is told from chance although no cohort of the bottom is called worse"
    assert said in render(result(partition(cohorts=rows)), "md")
    worse = (cohort("b", **JUDGED), rows[1])
    for other in (partition(cohorts=worse), partition(cohorts=rows, tested="not told")):
        assert "although no cohort of the bottom" not in render(result(other), "md")


def test_the_percentiles_of_chance_gaps_agree_with_the_gap_that_one_in_twenty_exceeds():
    gaps = tuple(n / 100 for n in range(31))
    found = msgspec.structs.replace(chance(), gaps=gaps, p95=0.29)
    table = dict(chance_table(partition(chance=found)).rows)
    # The 95th percentile lies between the 28th and the 29th of 30 steps: the one above is taken.
    assert (table["95 %"], table["0 %"], table["50 %"], table["100 %"]) == ("29.0", "0.0", "15.0", "30.0")


def test_who_sounds_alike_is_told_by_labels_or_that_none_tells():
    name = "speakers who sound alike, cluster 3"
    for fields, said in (
        (JUDGED, "More common among them than elsewhere: device is far field."),
        ({}, "Beyond that they sound alike, no label of the log tells who they are."),
    ):
        voice = partition("voice", cohorts=(cohort("b", label=name, **fields), cohort("t", rank=2)))
        assert said in render(result(voice), "md")


def test_the_metric_is_explained_to_who_has_never_heard_of_it():
    assert "WER: of 100 words that were said, how many were got wrong." in render(result(partition()), "md")
    assert "of 100 characters that were to be written" in render(result(partition(), metric="CER"), "md")


def test_everybody_covered_is_a_zero_and_no_dash():
    row = re.search(r"\| label: accent \| A column of the log \|.*", render(result(partition()), "md"))[0]
    assert row.split(" | ")[3] == "0"
    assert row.split(" | ")[5] == "0.0"


def test_on_whom_the_curve_is_measured_is_said_and_nothing_that_is_untrue():
    points = (
        SharePoint(share=0.1, relative=0.1, ref_words=0.1),
        SharePoint(share=0.3, relative=0.4, ref_words=0.3),
    )
    text = render(result(partition(gap_by_share=points)), "md")
    assert "nearer to zero" not in text
    assert "read off one half of the speakers, and the gaps are of the other half" in text


def test_the_terminal_names_the_bottom_of_every_partition_that_is_told_from_chance():
    told = partition("region", wers=(0.2, 0.1)), partition("device"), partition("age", tested="not told")
    text = render(result(*told), "text")
    after = text[text.index("Also told from chance") :]
    assert "by device, accent is b: WER 14.0 % against 10.0 %, gap 40.0 % (10.0 to 70.0)" in after
    assert "by age" not in after
    assert "by region, " not in after
    assert "Also told" not in render(result(told[0]), "text")


def test_options_that_nobody_set_are_not_listed_in_raw_words():
    for form in ("md", "html"):
        assert "not set" not in render(rich_result(), form)


@pytest.mark.parametrize(
    ("fewest", "said"),
    [(1, "figures of a single speaker were asked for"), (5, "Figures of fewer than 5 speakers are not in")],
)
def test_suppression_is_explained_as_it_was_asked_for(fewest, said):
    text = render(result(partition(), options={"min_speakers_shown": fewest}), "md")
    assert said in text
    assert "fewer than 1 speakers" not in text


def test_negative_numbers_have_a_minus_in_the_page_and_dates_keep_their_hyphens():
    page = Page(render(result(partition(wers=(0.1, 0.2))), "html"))
    assert "\u221250.0" in page.text
    assert not re.search(r"(?<![\w])-\d", page.text)
    assert "2026-01-01" in page.text
