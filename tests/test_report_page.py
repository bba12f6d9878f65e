"""report.html: one valid file that needs nothing else, in the order of a reader, for eyes, ears and paper."""

import re
from itertools import pairwise

import msgspec
import pytest
from markdown_it import MarkdownIt
from reported import (
    EVIL,
    Page,
    chance,
    cohort,
    evil_result,
    partition,
    result,
    rich_result,
    side,
    without_gap,
)

from fairaudit.evidence import Layout, Place
from fairaudit.rates import Gap
from fairaudit.report import render
from fairaudit.wording import DASH

#: Elements that would load something, run something or format what a user wrote.
UNWANTED = {"script", "link", "img", "iframe", "object", "embed", "form", "base", "i", "b", "u", "s"}


def gap(relative, low, high):
    return Gap(definition="", relative=relative, relative_low=low, relative_high=high, absolute=relative / 10)


@pytest.fixture(scope="module")
def rendered():
    made = [rich_result(), evil_result(), result(without_gap(chance=None)), result()]
    return [render(one, "html") for one in made]


@pytest.fixture(scope="module")
def pages(rendered):
    return [Page(text) for text in rendered]


def shown(page):
    return page.text.replace("\u00a0", " ")


def test_a_page_is_valid_html(rendered):
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed")
    for text in rendered:
        html5lib.HTMLParser(strict=True).parse(text)


def test_no_request_leaves_a_page(pages, rendered):
    for page, text in zip(pages, rendered, strict=True):
        assert page.open == []
        for tag, attributes, within in page.tags:
            assert tag not in UNWANTED
            assert not [
                name for name in attributes if name.startswith("on") or name in ("src", "srcset", "data")
            ]
            assert "style" not in attributes or "svg" in (*within, tag)
            if "href" in attributes and not attributes["href"].startswith("#"):
                assert re.match(r"https://(arxiv|doi)\.org/", attributes["href"])
                assert tag == "a"
        assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)", text))
        assert "@import" not in text
        elsewhere = set(re.findall(r"https?://[^\s\"'<)]+", text)) - {"http://www.w3.org/2000/svg"}
        assert {place for place in elsewhere if "arxiv.org" not in place} <= {"http://x.example/x.png"}


def test_what_a_user_wrote_is_text_in_the_page_and_in_its_figures(pages, rendered):
    for label in (EVIL[0], EVIL[1], EVIL[3]):
        assert f"<b>|` is {label}" in pages[1].text
    drawn = " ".join(re.findall(r"<svg.*?</svg>", rendered[1], re.S))
    assert "<text" in drawn
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_ids_are_unique_and_every_reference_meets_one(pages):
    for page in pages:
        ids = [attributes["id"] for _, attributes, _ in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        wanted = [a["href"][1:] for _, a, _ in page.tags if a.get("href", "").startswith("#")]
        wanted += [i for _, a, _ in page.tags for i in a.get("aria-labelledby", "").split()]
        wanted += [
            i for _, a, _ in page.tags for v in a.values() for i in re.findall(r"url\(#([^)]+)\)", v or "")
        ]
        assert len(wanted) > 5
        assert set(wanted) <= set(ids)


def test_a_page_can_be_read_aloud(pages, rendered):
    page = pages[0]
    assert page.named("html")[0][0]["lang"] == "en"
    assert [len(page.named(tag)) for tag in ("h1", "main", "header", "nav", "footer")] == [1, 1, 1, 1, 1]
    first = next((tag, a) for tag, a, within in page.tags if within and within[-1] == "body")
    assert first == ("a", {"class": "skip", "href": "#content"})
    assert page.named("main")[0][0]["id"] == "content"
    assert len(page.named("table")) == len(page.named("caption")) > 10
    assert all(a["scope"] in ("col", "row") for a, _ in page.named("th"))
    levels = [int(tag[1]) for tag, _, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    # What scrolls can be reached by keyboard, and says what it is.
    for attributes, _ in page.named("div"):
        if re.search(r"\b(wide|card)\b", attributes.get("class", "")):
            broad = re.search(r"\b(long|broad|card)\b", attributes["class"])
            assert attributes.get("tabindex") == ("0" if broad else None)
            assert attributes["role"] == "group"
            assert attributes["aria-label"]
    # Whoever goes from table to table, or from heading to heading, hears which is which.
    captions = re.findall(r"<caption>(.*?)</caption>", rendered[0])
    assert len(captions) == len(set(captions))
    headings = re.findall(r"<h3>(Gap|Chance|Disparity)(.*?)</h3>", rendered[0])
    assert headings
    assert all(by.startswith(", by ") for _, by in headings)


def test_every_figure_has_its_numbers_in_words_and_a_table_beside_it(rendered):
    page = rendered[0]
    figures = re.findall(r"<figure>.*?</figure>(.*?)(?=<figure>|</section>)", page, re.S)
    assert len(figures) == page.count("<svg ") >= 9
    assert all("<table" in after for after in figures)
    described = re.findall(
        r'<svg [^>]*role="img"[^>]*><title[^>]*>(.*?)</title><desc[^>]*>(.*?)</desc>', page
    )
    assert len(described) == len(figures)
    assert all(len(re.findall(r"\d", words)) >= 4 for _, words in described)
    for words in (
        "From the highest: accent is b, 12.0 % (10.8 to 13.2)",
        "from -10.0 to 14.0 %",
        "A map of 3 cohorts",
        "ccent is b: 7.0 substitutions, 4.0 deletions, 1.0 insertions",
        "31.0 % at 25.0 % of speakers",
        "3 clusters as circles",
    ):
        assert any(words in text for _, text in described), words


def test_the_order_is_that_of_a_reader(pages, rendered):
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", rendered[0])
    wanted = [
        "What was audited",
        "Who is served worst",
        "All cohorts",
        "Where they live",
        "How they sound",
        "The gap at each share of speakers",
        "Errors by kind",
        "Why these cohorts",
        "Change since the baseline",
        "What was left out",
    ]
    assert titles[: len(wanted)] == wanted
    assert titles[len(wanted) :][:2] == ["What the words mean", "How to reproduce"]
    assert [title[:11] for title in titles[len(wanted) + 2 :]] == ["In detail: "] * 5
    text = shown(pages[0])
    in_turn = [
        "this audit can tell that from chance",
        "Who is served worst",
        "By how much",
        "How sure that is",
    ]
    places = [text.index(words) for words in (*in_turn, "Bottom against top by partition")]
    assert places == sorted(places)


def test_who_how_much_and_how_sure_are_said_in_plain_words():
    told = shown(Page(render(result(partition(), partition("age", tested="not told")), "html")))
    for words in (
        "Accent is b: 12 % of speakers, by accent.",
        "WER is 14.0 % for them and 10.0 % for the best-served: 40.0 % higher.",
        "The true figure is likely between 10.0 and 70.0 % (the 95 % interval).",
        "Chance alone gives a gap as clear in about 5 of 1,000 audits",
        "so it is told from chance.",
        "By age. That is no proof that there is none",
    ):
        assert words in told
    assert "Nothing was audited." in shown(Page(render(result(), "html")))


def test_people_in_zip_codes_are_never_called_by_the_attribute(rendered):
    for text in (rendered[0], *(render(rich_result(), form) for form in ("md", "model-card"))):
        text = text.replace("\u00a0", " ").replace("\\", "")
        assert "most are Hispanic" in text
        for found in re.finditer(r"most are Hispanic", text):
            before = re.sub(r"(<[^>]*>|\s)+", " ", text[max(0, found.start() - 300) : found.start()])
            # An SVG breaks a label into lines.
            assert re.search(r"(people living in ZIP codes ?|census attribute \(zip\): )where $", before), (
                before
            )


def test_a_page_and_its_markdown_say_the_same(pages):
    def words(text):
        return re.sub(r"[\s|*#>\\-]+", " ", text.replace("\u00a0", " ")).split()

    text = " ".join(words(pages[0].text))
    for token in MarkdownIt("commonmark").enable("table").parse(render(rich_result(), "md")):
        if token.type == "inline":
            plain = "".join(child.content for child in token.children if child.type == "text")
            for part in re.split(r"\.\s|: ", plain.removeprefix("Figure. ")):
                assert " ".join(words(part)).rstrip(".:") in text


# Colours, paper and size.


def luminance(colour):
    digits = colour.lstrip("#")
    digits = digits if len(digits) == 6 else "".join(2 * d for d in digits)
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_known():
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777", "#fff") == pytest.approx(4.48, abs=0.01)


def test_text_stands_out_in_both_schemes_and_on_paper(rendered):
    css = re.search(r"<style>(.*?)</style>", rendered[0], re.S)[1]
    schemes = [
        dict(re.findall(r"--(\w+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", css, re.S)
    ]
    assert len(schemes) == 3
    for scheme in schemes:
        colours = schemes[0] | scheme
        for ground in ("paper", "loud", "quiet"):
            assert contrast(colours["ink"], colours[ground]) >= 7
        assert contrast(colours["soft"], colours["paper"]) >= 4.5
        assert contrast(colours["accent"], colours["paper"]) >= 3
    # Figures are drawn for a white ground, which they keep.
    assert {scheme.get("card", "#fff") for scheme in schemes} == {"#fff"}


def test_paper_shows_what_a_screen_scrolls(rendered):
    css = re.search(r"@media print \{(.*)\n\}\n</style>", rendered[0], re.S)[1]
    assert ".wide, .long, .card, pre { overflow: visible; max-height: none; }" in css
    assert "figure, tr, dl > div" in css
    assert "break-inside: avoid" in css
    assert "<details" not in rendered[0]


def many(name, kind, n, **fields):
    rows = tuple(
        cohort(
            f"{name}-{number:03}",
            0.3 - number / (5 * n),
            rank=number + 1,
            label=f"parts of a region of {name} with a name of some length, number {number}",
            substitutions=1500,
            deletions=800,
            insertions=700,
        )
        for number in range(n)
    )
    edges = [(-100 + number, -100 + number + 1) for number in range(n)]
    boxes = [[500 + a, 500 + b, -2400, -1500] for a, b in edges]
    return partition(
        name,
        kind=kind,
        origin="discovered",
        cohorts=rows,
        bottom=side([f"{name}-000"], 0.3, 0.05),
        top=side([f"{name}-{n - 1:03}"], 0.1, 0.05),
        rule={"kind": "boxes", "grid": 0.05, "boxes": boxes} if kind == "boxes" else {},
        chance=msgspec.structs.replace(chance(), gaps=tuple(k / 1000 for k in range(199))),
        **fields,
    )


def test_200_regions_and_50_clusters_stay_small_and_whole():
    places = tuple(Place(cohort=f"voice-{n:03}", x=n % 7 / 10, y=n % 5 / 10) for n in range(50))
    large = result(
        many("geo", "boxes", 200, extent=(25, 48, -124, -67)),
        many("voice", "centroids", 50, layout=Layout(places=places, explained=(0.4, 0.2))),
    )
    text = render(large, "html")
    assert len(text.encode()) < 2_000_000
    page = Page(text)
    rows = [within for _, within in page.named("tr") if "tbody" in within]
    assert len(rows) > 3 * 250
    assert "geo-199" in page.text
    assert "(200 rows)" in page.text


# What is said beside a figure.


@pytest.mark.parametrize("form", ["text", "md", "html"])
def test_p_and_an_interval_that_disagree_are_reconciled(form):
    told = partition("told", gap=gap(0.2, -0.05, 0.5), chance=chance(0.01))
    clear = partition("clear", gap=gap(0.2, 0.05, 0.4), chance=chance(0.04, holm=0.08))
    agreed = partition("agreed")

    def said(*partitions):
        return re.sub(r"\s+", " ", render(result(*partitions), form).replace("\u00a0", " "))

    text = said(told, clear, agreed)
    assert "told: p and interval disagree. p asks whether the procedure finds a gap anywhere" in text
    assert "clear: p and interval disagree. The interval measures the size of the gap" in text
    assert text.count("disagree") == 2
    assert "disagree" not in said(agreed)


def test_the_legend_tells_how_intervals_were_made():
    assert "(bootstrap)" not in render(result(partition()), "md")
    told = render(result(partition(), options={"interval": "bootstrap"}), "md")
    assert "percentiles of 2,000 logs whose speakers were drawn anew (bootstrap)" in told


def test_the_command_that_makes_a_result_again_is_given(pages):
    options = {"by": ["geo", "accent"], "where": {"town": ["St. John's"]}, "inject": True, "zip_table": None}
    lines = render(result(partition(), options=options), "md").split("The command:")[1].splitlines()
    command = [line.strip(" \\") for line in lines if line.startswith("    ")]
    assert command[:2] == ["fairaudit audit", "log.csv"]
    assert command[-1] == "-o again"
    for part in (
        "--by geo",
        "--by accent",
        "--where 'town=St. John'\"'\"'s'",
        "--inject",
        "--permutations 199",
    ):
        assert part in command
    assert not [part for part in command if "zip" in part]
    assert "--permutations 199" in pages[0].text


def test_a_model_card_has_a_row_for_every_cohort():
    card = render(rich_result(), "model-card")
    assert card.startswith("## Evaluation results by cohort\n")
    assert "| accent | accent is b | no | 100 | 1,234 | 12.0 | 10.8 to 13.2 |" in card
    assert f"| accent | accent is r | yes | {' | '.join([DASH] * 4)} |" in card
    assert "people living in ZIP codes where most are Hispanic" in card
    rows = [line for line in card.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + sum(len(p.cohorts) for p in rich_result().partitions)
    for words in ("model-1", "set-1", "none: the log has counts", "fairaudit:0.1.0 \\| metric:WER"):
        assert words in card
