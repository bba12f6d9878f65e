"""What ends a cell of a notebook shows itself: short, escaped, with nothing from elsewhere."""

import re

import msgspec
import pandas as pd
import pytest
from reported import EVIL, Page, evil_result, result, rich_result, without_gap
from test_report_others import comparison, everything, trend

from fairaudit.change_tables import CHANGE_COLUMNS
from fairaudit.checking import check
from fairaudit.partition import Boxes, Centroids, Combinations, Lookup, Name, Threshold
from fairaudit.readers import read_log
from fairaudit.report.notebook import MOST_ROWS
from fairaudit.report.sentence import sentence
from fairaudit.tables import ATTRIBUTE_COLUMNS, COHORT_COLUMNS, SUMMARY_COLUMNS
from fairaudit.wording import clean

ALLOWED = {
    "div", "p", "strong", "table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre",
}  # fmt: skip
NAMES = (Name("<b>a</b>", "the <i>first</i>"), Name("b", "costs $5 or $6"))
RULES = (
    Boxes(0.05, ((None, 10, None, None), (10, None, None, None)), NAMES),
    Threshold("pct_asian", 0.5, {"source": "census"}, NAMES),
    Centroids(((1, 0), (0, 1)), NAMES),
    Lookup("<u>accent</u>", ("US", "UK"), NAMES),
    Combinations(((("accent", "US"),), ()), NAMES),
)


def log(**columns):
    rows = {"speaker_id": [f"s{i}" for i in range(40)], "ref_words": 100, "errors": range(40)}
    return read_log(pd.DataFrame(rows | {"<b>town</b>": ["Cork", "Kerry"] * 20} | columns))


@pytest.fixture(scope="module")
def objects():
    read, evil = log(), evil_result()
    audits = (rich_result(), evil, result(without_gap(chance=None)), result())
    others = (comparison(), trend(), everything(), check(read), read)
    return (*audits, *rich_result().partitions, *evil.partitions, *others, *RULES)


@pytest.fixture(scope="module")
def fragments(objects):
    return [shown._repr_html_() for shown in objects]


def text_of(fragment):
    return Page(fragment).text.replace("\u00a0", " ")


def test_every_kind_of_object_shows_itself_as_one_closed_fragment(fragments):
    for fragment in fragments:
        page = Page(fragment)
        assert page.open == []
        assert page.tags[0][0] == "div"
        assert fragment.count(page.tags[0][1]["style"]) == 1


def test_no_script_no_style_sheet_and_nothing_from_elsewhere(fragments):
    for fragment in fragments:
        for tag, attributes, _ in Page(fragment).tags:
            assert tag in ALLOWED
            assert set(attributes) <= {"style", "class", "scope", "open"}
        assert "url(" not in fragment


def test_what_users_wrote_is_text(fragments):
    told = [fragment for fragment in fragments if "&lt;" in fragment]
    assert len(told) >= len(RULES) + 4
    evil = text_of(evil_result().partitions[0]._repr_html_())
    assert sum(clean(name) in evil for name in EVIL) > len(EVIL) // 2


def test_a_dollar_is_no_formula(fragments):
    """A notebook typesets what stands between two dollars, unless it is told not to."""
    for fragment in fragments:
        assert "tex2jax_ignore" in Page(fragment).tags[0][1]["class"].split()
    assert "costs $5 or $6" in text_of(RULES[0]._repr_html_())


def test_colours_are_those_of_the_notebook(fragments):
    """Text of a colour of ours would vanish on the ground of some notebook."""
    for fragment in fragments:
        colours = re.findall(r"(?<![-\w])(?:color|background[-\w]*):([^;\"]+)", fragment)
        assert set(colours) <= {"inherit"}


def test_an_audit_shows_its_sentence_its_table_and_where_the_rest_is():
    audit = rich_result()
    text = text_of(audit._repr_html_())
    assert sentence(audit) in text
    for partition in audit.partitions:
        assert partition.name in text
    assert "result.cohorts()" in text


def test_a_long_table_says_how_much_of_it_is_left_out():
    names = tuple(Name(f"v{n}", f"value {n}") for n in range(MOST_ROWS + 3))
    rule = Lookup("town", tuple(name.cohort for name in names), names)
    text = text_of(rule._repr_html_())
    assert f"value {MOST_ROWS - 1}" in text
    assert f"value {MOST_ROWS}" not in text
    assert f"the first {MOST_ROWS} of {MOST_ROWS + 3} rows" in text


def test_a_partition_shows_why_there_is_no_gap():
    partition = without_gap()
    assert partition.gap.reason in text_of(partition._repr_html_())


def test_headings_of_rows_and_columns_are_marked(fragments):
    tables = [f for f in fragments if "<table" in f]
    assert len(tables) > len(RULES)
    for fragment in tables:
        page = Page(fragment)
        assert {a.get("scope") for tag, a, _ in page.tags if tag == "th"} == {"col", "row"}
        assert sum(tag == "caption" for tag, *_ in page.tags) == fragment.count("<table")


def test_a_log_shows_what_was_read_without_counting_again():
    read = log()
    frame = read.frame
    object.__setattr__(read, "frame", None)
    text = text_of(read._repr_html_())
    object.__setattr__(read, "frame", frame)
    assert "40 rows" in text
    assert "<b>town</b>" in text


def test_tables_have_the_same_columns_whatever_is_in_them():
    for audit in (rich_result(), result(without_gap(chance=None)), result()):
        assert tuple(audit.summary().columns) == SUMMARY_COLUMNS
        assert tuple(audit.cohorts().columns) == COHORT_COLUMNS
        assert tuple(audit.attributes().columns) == ATTRIBUTE_COLUMNS
    for compared in (comparison(), msgspec.structs.replace(comparison(), partitions=())):
        assert tuple(compared.changes().columns) == CHANGE_COLUMNS
