"""What is drawn is what the result says, in real text, and nothing else."""

import re
import subprocess
import sys
import warnings
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib as mpl
import matplotlib.pyplot as plt
import msgspec
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from results import audited, cohort, cohort_change, compared, partition, partition_change, rate
from worlds import frame

from fairaudit import plot
from fairaudit.auditing import audit
from fairaudit.changes import SideChange
from fairaudit.evidence import Chance, Layout, Place, SharePoint
from fairaudit.exceptions import OptionError
from fairaudit.plot import style
from fairaudit.rates import Share
from fairaudit.readers import read_log
from fairaudit.result import Side
from fairaudit.trend import Trend

AWKWARD = 'R&D <b>"x"</b> $\\frac{1}{2}$ a_b^c'


def side(*names, wer=0.2):
    return Side(cohorts=names, share=None, **rate(wer))


def ranked(cohorts):
    """Rank cohorts as they stand, give each a share and its errors by kind."""
    share = Share(speakers=1 / len(cohorts), utterances=0.1, ref_words=0.1)
    kinds = {"ref_words": 1000, "substitutions": 60, "deletions": 30, "insertions": 10}
    return [
        c if c.suppressed else msgspec.structs.replace(c, rank=n, share=share, **kinds)
        for n, c in enumerate(cohorts, start=1)
    ]


def chances(gaps):
    return Chance(
        replicates=len(gaps), gaps=tuple(gaps), p95=0.31, in_sample_mean=None, in_sample_p_value=None,
        p_floor=0.01, p_value=0.02, p_value_holm=0.02,
    )  # fmt: skip


@pytest.fixture(scope="module")
def result():
    """Two partitions with everything that is drawn; of the second, cohort d is suppressed."""
    accents = ranked([cohort("b", 0.2), cohort("a", 0.12), cohort("c", 0.1)])
    voices = ranked([cohort("b", 0.25), cohort("a", 0.1), cohort("c", 0.15), cohort("d", suppressed=True)])
    places = [Place(cohort=c, x=x, y=y) for c, x, y in (("b", 0, 1), ("a", 1, 0), ("c", -1, 0), ("d", 0, -1))]
    curve = [SharePoint(share=0.2, relative=0.8), SharePoint(share=0.6, relative=0.3)]
    rng = np.random.default_rng(1)
    return audited(
        partition(
            "accent", accents, bottom=side("b"), top=side("c"), gap_by_share=tuple(curve),
            chance=chances([*rng.normal(0, 0.1, 99).tolist(), None]),
        ),
        partition(
            "voice", voices, kind="centroids", bottom=side("b"), top=side("a"),
            layout=Layout(places=tuple(places), explained=(0.6, 0.3)),
            gap_by_share=(SharePoint(share=0.5, relative=-0.1), SharePoint(share=0.9, relative=None)),
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def comparison():
    changes = [cohort_change("a", -0.1), cohort_change("b", 0.05), cohort_change("c", suppressed=True)]
    saved = {"share": None, "baseline": changes[0].baseline, "candidate": changes[0].candidate}
    sides = {
        name: SideChange(cohorts=(cohorts,), change=changes[0].change, **saved)
        for name, cohorts in (("bottom", "b"), ("top", "a"))
    }
    return compared(partition_change("accent", changes, **sides), partition_change("age", changes[:2]))


@pytest.fixture(scope="module")
def trend():
    one, two = (compared(partition_change("accent", [cohort_change("a", r)])) for r in (-0.1, -0.2))
    return Trend(("v1", "v2", "v3"), (one, two), (one, two))


DRAWN = {
    "forest": lambda r, c, t: plot.forest(r, partition="voice"),
    "forest of a comparison": lambda r, c, t: plot.forest(c, partition="accent"),
    "gap by share": lambda r, c, t: plot.gap_by_share(r),
    "chance": lambda r, c, t: plot.chance(r),
    "voices": lambda r, c, t: plot.voices(r),
    "trend": lambda r, c, t: plot.trend(t),
    "trend of a comparison": lambda r, c, t: plot.trend(c, partition="accent"),
    "errors": lambda r, c, t: plot.errors(r, partition="voice"),
}


@pytest.fixture(scope="module", params=DRAWN)
def drawn(request, result, comparison, trend):
    return DRAWN[request.param](result, comparison, trend)


@pytest.fixture(scope="module")
def page(result, comparison, trend):
    """Each plot as it stands in a page with the others."""
    every = enumerate(DRAWN.items())
    return {key: rendered(draw(result, comparison, trend), f"fig-{n}") for n, (key, draw) in every}


def rendered(ax, name="it"):
    return plot.svg(ax, name=name, title="A title", description="What it shows.")


def texts(ax):
    return [t.get_text() for t in ax.findobj(mpl.text.Text) if t.get_text() and t.get_visible()]


def points(ax, label):
    (line,) = [line for line in ax.get_lines() if line.get_label() == label]
    return np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)


def intervals(ax):
    return sorted(
        tuple(segment[:, 0].tolist())
        for lines in ax.collections
        if isinstance(lines, LineCollection)
        for segment in lines.get_segments()
    )


def test_the_forest_shows_each_rate_and_its_interval_the_worst_on_top(result):
    ax = plot.forest(result, partition="accent")
    cohorts = result.partition("accent").cohorts
    for label, own in (("bottom", cohorts[0]), ("rest", cohorts[1]), ("top", cohorts[2])):
        assert points(ax, label)[0].tolist() == [own.wer]
    assert intervals(ax) == sorted((c.low, c.high) for c in cohorts)
    assert points(ax, "all measured speakers")[0].tolist() == [result.partition("accent").overall.wer] * 2
    heights = [points(ax, label)[1][0] for label in ("bottom", "rest", "top")]
    assert heights == sorted(heights)
    low, high = ax.get_ylim()
    assert low > high, "the axis points down"
    assert f"{100 * cohorts[0].wer:.1f} ({100 * cohorts[0].low:.1f} to {100 * cohorts[0].high:.1f})" in texts(
        ax
    )


def test_the_forest_tells_sides_by_shape_as_well_as_by_colour(result):
    lines = [
        line for line in plot.forest(result, partition="accent").get_lines() if line.get_marker() != "None"
    ]
    assert len({line.get_marker() for line in lines}) == len({line.get_color() for line in lines}) == 3


def test_the_forest_of_a_comparison_shows_the_paired_change_of_each_cohort(comparison):
    ax = plot.forest(comparison, partition="accent")
    a, b, _ = (c.change for c in comparison.partition("accent").cohorts)
    assert points(ax, "bottom")[0].tolist() == [b.relative]
    assert points(ax, "top")[0].tolist() == [a.relative]
    assert points(ax, "bottom")[1] < points(ax, "top")[1], "the worse change is on top"
    assert intervals(ax) == sorted((c.relative_low, c.relative_high) for c in (a, b))
    assert points(ax, "no change")[0].tolist() == [0, 0]


def test_an_interval_that_leaves_the_axis_ends_in_an_arrow():
    wide = [cohort("a", 0.2, 0.9), cohort("b", 0.19, 0.01)]
    ax = plot.forest(audited(partition("accent", ranked(wide))))
    assert wide[0].high > ax.get_xlim()[1]
    arrows = [line for line in ax.get_lines() if line.get_marker() == ">"]
    assert [line.get_xdata()[0] for line in arrows] == [ax.get_xlim()[1]]
    # The interval itself is whole, and in the text beside it.
    assert (wide[0].low, wide[0].high) in intervals(ax)


def test_of_many_cohorts_the_worst_and_the_best_are_drawn_and_it_is_said():
    many = ranked([cohort(f"c{n:03}", 0.3 - n / 1000) for n in range(200)])
    ax = plot.forest(audited(partition("geo", many)))
    values, _ = points(ax, "cohort")
    assert values.tolist() == [c.wer for c in (*many[:20], *many[-10:])]
    assert "170 cohorts between the 20 worst and 10 best" in texts(ax)
    assert len(rendered(ax)) < 60_000


def test_small_cohorts_are_listed_as_not_shown(result):
    for ax in (plot.forest(result, partition="voice"), plot.errors(result, partition="voice")):
        assert "accent is d" in texts(ax)
        assert "not shown: too few speakers" in texts(ax)
    many = [cohort("a"), *(cohort(f"s{n}", suppressed=True) for n in range(9))]
    assert "and 4 more cohorts, not shown either" in texts(plot.forest(audited(partition("x", many))))


def test_no_figure_of_a_suppressed_cohort_is_in_any_plot():
    """Five speakers with a rate that nobody else has, in a log where all is shown, and where it is not."""
    speakers = [(f"s{n:02}", f"phone {n % 4}", 10 + n % 7) for n in range(80)]
    speakers += [(f"r{n}", "rare", 77) for n in range(5)]
    table = pd.DataFrame(speakers, columns=["speaker_id", "device", "errors"]).assign(
        ref_words=100, substitutions=lambda t: t["errors"], deletions=0, insertions=0
    )
    log = read_log(table)
    for fewest in (1, 11):
        found = audit(log, by=["device"], permutations=19, min_speakers_shown=fewest)
        told = "".join(
            rendered(draw(found)) for draw in (plot.forest, plot.errors, plot.gap_by_share, plot.chance)
        )
        assert ("77.0" in told) == (fewest == 1)
        ends = [end for interval in intervals(plot.forest(found)) for end in interval]
        marks = [float(v) for line in plot.forest(found).get_lines() for v in line.get_xdata()]
        assert (max([*ends, *marks]) > 0.7) == (fewest == 1)
        assert ("not shown: too few speakers" in told) == (fewest == 11)


def test_gap_by_share_draws_the_stored_points_of_all_partitions(result):
    ax = plot.gap_by_share(result)
    assert [v.tolist() for v in points(ax, "accent")] == [[0.2, 0.6], [0.8, 0.3]]
    assert [v.tolist() for v in points(ax, "voice")] == [[0.5], [-0.1]], "a point without a gap is left out"
    assert {"accent", "voice"} <= set(texts(ax))


def test_lines_of_twelve_partitions_differ_in_more_than_colour():
    point = (SharePoint(share=0.1, relative=0.1), SharePoint(share=0.9, relative=0.2))
    ax = plot.gap_by_share(audited(*(partition(f"p{n}", gap_by_share=point) for n in range(12))))
    lines = [line for line in ax.get_lines() if str(line.get_label()).startswith("p")]
    looks = [(str(line._dash_pattern), line.get_marker(), line.get_color()) for line in lines]
    assert len({look[:2] for look in looks}) == len({look[::2] for look in looks}) == 12


def test_chance_draws_every_gap_and_marks_the_observed_one_and_p95(result):
    ax = plot.chance(result)
    found = result.partition("accent")
    gaps = [g for g in found.chance.gaps if g is not None]
    bars = [bar for bar in ax.patches if bar.get_height()]
    assert sum(bar.get_height() for bar in ax.patches) == len(gaps) == 99
    assert min(bar.get_x() for bar in bars) == pytest.approx(min(gaps))
    assert {line.get_xdata()[0] for line in ax.get_lines()} == {found.gap.relative, found.chance.p95}
    said = texts(ax)
    assert "this audit: 20.0 %" in said
    assert "p = 0.02 of 100 permutations" in said
    assert "chance exceeds 31.0 %" in said


def test_voices_stand_at_their_stored_places_sized_by_share_and_coloured_by_rate(result):
    ax = plot.voices(result)
    found = result.partition("voice")
    hollow, circles, ring = ax.collections[:3]
    at = {p.cohort: (p.x, p.y) for p in found.layout.places}
    by_place = {
        tuple(xy): v for xy, v in zip(circles.get_offsets().tolist(), circles.get_array(), strict=True)
    }
    assert by_place == {at[c.cohort]: c.wer for c in found.cohorts if c.wer is not None}
    assert np.unique(circles.get_sizes()).tolist() == [100 * 40 * 0.25]
    assert hollow.get_offsets().tolist() == [list(at["d"])]
    assert hollow.get_linestyle()[0][1] is not None, "dashed"
    assert hollow.get_facecolor().size == 0
    assert ring.get_offsets().tolist() == [list(at["b"])]
    assert "b: 25.0 %" in texts(ax)


def test_voices_are_darker_where_the_rate_is_higher(result):
    ax = plot.voices(result)
    circles = ax.collections[1]
    shades = [luminance(circles.cmap(circles.norm(v))) for v in sorted(circles.get_array())]
    assert shades == sorted(shades, reverse=True)
    assert len(set(shades)) == 3


def test_the_trend_follows_each_cohort_and_everybody_over_the_releases(trend):
    ax = plot.trend(trend)
    first, last = (c.partition("accent").cohorts[0] for c in trend.since_first)
    want = [first.baseline, first.candidate, last.candidate]
    places, rates = points(ax, "accent is a")
    assert places.tolist() == [0, 1, 2]
    assert rates.tolist() == [r.wer for r in want]
    drawn = [segment[:, 1].tolist() for lines in ax.collections for segment in lines.get_segments()]
    assert drawn == [[r.low, r.high] for r in want]
    assert points(ax, "everybody")[1].tolist() == [0.1, 0.1, 0.1]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["v1", "v2", "v3"]


def test_a_wild_interval_of_a_trend_leaves_the_rates_apart_and_ends_in_an_arrow():
    wild, tame = cohort_change("a", -0.1), cohort_change("b", 0.1)
    wild = msgspec.structs.replace(wild, candidate=msgspec.structs.replace(wild.candidate, high=16.0))
    ax = plot.trend(compared(partition_change("accent", [wild, tame])))
    high = ax.get_ylim()[1]
    assert tame.candidate.wer < high < 1
    arrows = [line for line in ax.get_lines() if line.get_marker() == "^" and len(line.get_xdata()) == 1]
    # At the second release, moved a little as its interval is.
    assert [(round(line.get_xdata()[0]), line.get_ydata()[0]) for line in arrows] == [(1, high)]


def test_of_many_cohorts_a_trend_names_six():
    many = [cohort_change(f"c{n:02}", n / 100) for n in range(20)]
    ax = plot.trend(compared(partition_change("accent", many)))
    assert "14 more, in between" in texts(ax)
    assert sum(t.startswith("accent is") for t in texts(ax)) == 6


def test_errors_by_kind_add_up_to_the_rate(result):
    ax = plot.errors(result, partition="accent")
    widths = np.array([[bar.get_width() for bar in bars] for bars in ax.containers])
    assert widths.tolist() == [[6.0] * 3, [3.0] * 3, [1.0] * 3]
    assert [bars.get_label() for bars in ax.containers] == ["substitutions", "deletions", "insertions"]
    light = sorted(luminance(bars[0].get_facecolor()) for bars in ax.containers)
    assert min((b + 0.05) / (a + 0.05) for a, b in pairwise(light)) > 2.4, "told apart in grey"
    assert "<pattern" not in plot.svg(ax, name="errors", title="t", description="d")
    assert texts(ax).count("10.0") == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r, c: plot.forest(r), "(?s)2 partitions have rates.*where.*allowed: accent, voice.*fix"),
        (lambda r, c: plot.forest(r, partition="accnt"), "(?s)no partition 'accnt'.*did you mean 'acc"),
        (lambda r, c: plot.forest(c, partition="x"), "(?s)no partition 'x' in this result.*accent, age"),
        (lambda r, c: plot.voices(r, partition="accent"), "(?s)'accent' has no voice clusters.*voice.*fix"),
        (lambda r, c: plot.chance(r, partition="voice"), "(?s)'voice' has no chance gaps.*permutations"),
        (lambda r, c: plot.voices(audited(partition())), "(?s)no partition .* has voice.*--by voice"),
        (lambda r, c: plot.gap_by_share(audited(partition())), "(?s)no partition .* gap by share.*fix"),
        (lambda r, c: plot.errors(audited(partition("x", [cohort("a")]))), "(?s)errors by kind.*columns"),
        (lambda r, c: plot.trend(c), "(?s)2 partitions have rates of cohorts.*accent, age"),
        (lambda r, c: plot.chance(c), "(?s)ComparisonResult cannot.*chance.*: AuditResult\n.*plot.forest or"),
        (lambda r, c: plot.trend(r), "(?s)AuditResult cannot.*ComparisonResult or Trend.*fix.*plot.chance"),
        (lambda r, c: plot.forest("x"), "(?s)str cannot.*AuditResult or ComparisonResult.*read_result"),
        (lambda r, c: plot.gap_by_share(c), "(?s)ComparisonResult cannot be drawn as gap_by_share"),
        (lambda r, c: plot.regions(c), "(?s)ComparisonResult cannot be drawn as regions"),
        (lambda r, c: plot.voices(None), "(?s)NoneType cannot be drawn as voices"),
        (lambda r, c: plot.errors(c), "(?s)ComparisonResult cannot be drawn as errors"),
        (lambda r, c: plot.svg(Figure(), name="1 x", title="", description=""), "(?s)name '1 x'.*letters"),
    ],
)  # fmt: skip
def test_a_mistake_is_an_option_error_with_what_where_allowed_and_fix(result, comparison, call, message):
    with pytest.raises(OptionError, match=message):
        call(result, comparison)


def test_the_users_axes_are_drawn_in_and_returned(result):
    figure = Figure()
    ax = figure.add_subplot()
    assert plot.forest(result, partition="accent", ax=ax) is ax
    assert figure.axes == [ax]


def test_the_users_settings_are_neither_read_nor_changed(result):
    want = rendered(plot.forest(result, partition="accent"))
    with mpl.rc_context(
        {"font.size": 20, "text.usetex": True, "axes.facecolor": "black", "svg.hashsalt": "x"}
    ):
        before = dict(mpl.rcParams)
        assert rendered(plot.forest(result, partition="accent")) == want
        assert dict(mpl.rcParams) == before


def test_many_plots_leave_no_figure_behind(result):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(21):
            assert isinstance(plot.gap_by_share(result), Axes)
    assert not plt.get_fignums()


def test_a_notebook_shows_axes_that_end_a_cell(result):
    formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is not installed")

    shown, sizes = formatters.DisplayFormatter().format(plot.chance(result))
    assert shown["image/png"].startswith(b"\x89PNG")
    assert sizes["image/png"]["width"] == round(96 * style.WIDTH)


@pytest.mark.parametrize("key", DRAWN)
def test_a_plot_is_one_accessible_svg_element_that_needs_nothing_else(page, key):
    text = page[key]
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert text.startswith("<svg ")
    assert root.get("role") == "img"
    assert (root.get("width"), root.get("height")) == ("100%", None)
    assert root.get("viewBox").startswith("0 0 460.8 ")
    first, second = list(root)[:2]
    assert [first.text, second.text] == ["A title", "What it shows."]
    assert root.get("aria-labelledby").split() == [first.get("id"), second.get("id")]
    assert not re.search(r"<\?|<!|<script|<style|<image|metadata|rdf|\bon\w+=|@import", text)
    assert re.findall(r"https?:[^\"' ]*", text) == ["http://www.w3.org/2000/svg"]
    assert set(re.findall(r"font-family[=:] ?\"?([^;\"]*)", text)) == {"sans-serif"}
    assert len(text) < 60_000


def test_a_figure_is_as_it_was_after_it_is_rendered(result):
    figure = plot.gap_by_share(result).figure
    before = figure.canvas, figure.dpi, figure.get_layout_engine()
    plot.svg(figure, name="it", title="t", description="d")
    assert (figure.canvas, figure.dpi, figure.get_layout_engine()) == before


def test_ids_are_unique_in_a_page_of_several_plots_and_only_those_that_are_used(page):
    text = "".join(page.values())
    ids = re.findall(r'\bid="([^"]*)"', text)
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', text))
    labels = {name for names in re.findall(r'aria-labelledby="([^"]*)"', text) for name in names.split()}
    assert len(ids) == len(set(ids))
    assert set(ids) == used | labels
    assert len(used) > 10


def test_text_is_text(drawn):
    told = {e.text for e in ElementTree.fromstring(rendered(drawn)).iter() if e.tag.endswith("text")}
    legend = drawn.get_legend()
    named = [*drawn.texts, drawn.xaxis.label, drawn.yaxis.label, *(legend.get_texts() if legend else ())]
    assert told >= {line for t in named for line in t.get_text().split("\n")} - {""}


def test_equal_results_give_equal_bytes_in_every_process(result, comparison, trend, page, tmp_path):
    for number, (key, draw) in enumerate(DRAWN.items()):
        assert rendered(draw(result, comparison, trend), f"fig-{number}") == page[key]
    (tmp_path / "r.json").write_text(result.to_json(), "utf-8")
    code = (
        "import sys; from fairaudit import plot; from fairaudit.result import AuditResult;"
        f"r = AuditResult.from_json(open({str(tmp_path / 'r.json')!r}, encoding='utf-8').read());"
        "drawn = plot.errors(r, partition='voice'), plot.voices(r);"
        "told = [plot.svg(ax, name=n, title='A title', description='What it shows.')"
        "        for ax, n in zip(drawn, ('fig-7', 'fig-4'))];"
        "sys.stdout.buffer.write(''.join(told).encode())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.decode()
    assert other == page["errors"] + page["voices"]


def test_awkward_names_are_text_and_not_markup_or_mathematics():
    bad = [msgspec.structs.replace(c, label=AWKWARD) for c in ranked([cohort("a", 0.2), cohort("b", 0.1)])]
    layout = Layout(places=(Place(cohort="a", x=0, y=0), Place(cohort="b", x=1, y=0)), explained=(1, 0))
    bad[0] = msgspec.structs.replace(bad[0], cohort="$x^2$")
    layout = Layout(places=(Place(cohort="$x^2$", x=0, y=0), *layout.places[1:]), explained=(1, 0))
    curve = (SharePoint(share=0.5, relative=0.1),)
    own = audited(
        partition(
            AWKWARD, bad, layout=layout, bottom=side("$x^2$"), gap_by_share=curve, chance=chances([0.1, 0.2])
        )
    )
    moved = [msgspec.structs.replace(c, label=AWKWARD) for c in (cohort_change("a"), cohort_change("b"))]
    change = compared(partition_change(AWKWARD, moved))
    change = msgspec.structs.replace(
        change, candidate=msgspec.structs.replace(change.candidate, model="$m_2$")
    )
    for ax in (plot.forest(own), plot.voices(own), plot.gap_by_share(own), plot.chance(own), plot.errors(own),
               plot.forest(change), plot.trend(change)):  # fmt: skip
        text = plot.svg(ax, name="it", title=AWKWARD, description=AWKWARD)
        root = ElementTree.fromstring(text)
        assert [e.text for e in root if e.tag.endswith(("title", "desc"))] == [AWKWARD, AWKWARD]
        told = [e.text or "" for e in root.iter() if e.tag.endswith("text")]
        assert any("$" in line for line in told)
        assert "<b>" not in text
        assert not [e for e in root.iter() if e.tag.endswith("tspan")], "mathematics is set in pieces"


def luminance(colour):
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(parts, (0.2126, 0.7152, 0.0722)))


def contrast(colour):
    return 1.05 / (luminance(colour) + 0.05)


def test_colours_stand_out_from_white(drawn):
    for text in drawn.findobj(mpl.text.Text):
        if text.get_text():
            assert contrast(text.get_color()) >= 4.5
            assert text.get_fontsize() >= 9
    faint = to_rgb(style.FAINT)
    for line in drawn.get_lines():
        assert contrast(line.get_color()) >= 3
    for patch in drawn.patches:
        # A light face has a dark outline.
        assert max(contrast(patch.get_facecolor()), contrast(patch.get_edgecolor())) >= 3
    for marks in drawn.collections:
        for colour in marks.get_edgecolor():
            assert to_rgb(colour) != faint
            assert contrast(colour) >= 3


def test_labels_do_not_overlap_and_nothing_is_cut_off(drawn):
    figure = drawn.get_figure()
    figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in drawn.texts if t.get_text()]
    for number, box in enumerate(boxes):
        assert not [b for b in boxes[number + 1 :] if box.shrunk(0.9, 0.9).overlaps(b.shrunk(0.9, 0.9))]
    page, legend = figure.bbox, drawn.get_legend()
    for box in [*boxes, *([legend.get_window_extent()] if legend else [])]:
        assert page.x0 - 1 <= box.x0
        assert box.x1 <= page.x1 + 1
        assert box.y1 <= page.y1 + 1


@pytest.fixture(scope="module")
def real():
    log = read_log(frame(1, 200, effect=1.5, missing=20))
    return audit(log, by=["voice", "accent"], permutations=0, parameters={"voice": {"min_speakers": 15}})


def test_a_real_audit_is_drawn_and_its_layout_is_that_of_its_centroids(real):
    found = real.partition("voice")
    centroids = np.array(found.rule["centroids"]) / found.rule["unit"]
    at = np.array([(p.x, p.y) for p in found.layout.places])
    assert [p.cohort for p in found.layout.places] == [c.cohort for c in found.cohorts]
    apart = centroids - centroids.mean(axis=0)
    # The plane keeps what it says that it keeps, and no plane keeps more.
    kept = (at**2).sum() / (apart**2).sum()
    assert kept == pytest.approx(sum(found.layout.explained), abs=1e-3)
    assert kept == pytest.approx((np.linalg.svd(apart)[1][:2] ** 2).sum() / (apart**2).sum(), abs=1e-3)
    assert all(p.layout is None for p in real.partitions if p.kind != "centroids")
    for ax in (plot.voices(real), plot.gap_by_share(real), plot.forest(real, partition="accent")):
        assert ElementTree.fromstring(rendered(ax)) is not None


def test_importing_the_package_or_the_plots_loads_no_matplotlib():
    code = "import sys, fairaudit; from fairaudit import plot; print('matplotlib' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown == "False\n"
