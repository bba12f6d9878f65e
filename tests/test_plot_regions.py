"""The map: what is filled, hatched, outlined and written is what the result says."""

import re
import subprocess
import sys
from itertools import combinations
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest
import shapely
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from results import audited, cohort, partition, rate

from fairaudit import plot
from fairaudit.exceptions import OptionError
from fairaudit.geography.hexagons import locate
from fairaudit.geography.projection import UNITED_STATES
from fairaudit.plot.fills import HIDDEN, OPEN
from fairaudit.plot.regions import OF_RATE, OF_SIDE, regions
from fairaudit.plot.style import SIDES
from fairaudit.result import Side

US = (24, 49, -125, -66)
AWKWARD = "a $\\frac{1}{2}$ <b>&"


def side(*names):
    return Side(cohorts=names, share=None, **rate(0.2))


def tiled(columns, rows, south=26, north=48, west=-122, east=-72):
    """Boxes in cells of one degree; those at the rim are open."""
    x, y = (
        np.linspace(*ends, n + 1).round().astype(int).tolist()
        for *ends, n in ((west, east, columns), (south, north, rows))
    )
    x, y = [None, *x[1:-1], None], [None, *y[1:-1], None]
    return [[y[j], y[j + 1], x[i], x[i + 1]] for j in range(rows) for i in range(columns)]


def geo(boxes, cohorts, *, extent=US, bottom=("r0",), top=(), name="geo"):
    rule = {"kind": "boxes", "grid": 1.0, "boxes": boxes}
    cohorts = [msgspec.structs.replace(c, rank=n) for n, c in enumerate(cohorts, start=1)]
    return partition(
        name,
        cohorts,
        kind="boxes",
        rule=rule,
        extent=extent,
        bottom=side(*bottom),
        top=side(*top) if top else None,
    )


def named(n, wer, status="flagged", **given):
    return msgspec.structs.replace(cohort(f"r{n}", wer, **given), status=status)


@pytest.fixture(scope="module")
def four():
    """Four regions: flagged and bottom, undecided, suppressed, cleared and top."""
    cohorts = [
        named(0, 0.2, speakers=214),
        named(1, 0.15, "undecided"),
        msgspec.structs.replace(cohort("r2", suppressed=True), status=None),
        named(3, 0.1, "cleared", speakers=1234),
    ]
    return audited(geo(tiled(2, 2), cohorts, top=("r3",)))


def filled(ax):
    """Patches that are cohorts, below the borders."""
    return [p for p in coloured(ax) if p.get_zorder() == 2]


def coloured(ax):
    return [p for p in ax.patches if isinstance(p, PathPatch) and p.get_facecolor()[3]]


def hatch_over(ax, patch):
    """Degrees of the lines that are drawn right after a patch, all of which must lie in it."""
    place = ax.patches.index(patch) + 1
    after = ax.patches[place] if place < len(ax.patches) else None
    if after is None or after.get_facecolor()[3] or after.get_zorder() != patch.get_zorder():
        return set()
    lines = np.array([ends[[0, -1]] for ends in after.get_path().to_polygons(closed_only=False)])
    area = shapely.union_all([shapely.make_valid(shapely.Polygon(r)) for r in patch.get_path().to_polygons()])
    assert shapely.covers(shapely.buffer(area, 1), shapely.linestrings(lines)).all()
    return directions(lines)


def in_key(ax):
    """What the hatched boxes of the key have, in order."""
    found = [line for line in ax.get_legend().findobj(Line2D) if isinstance(line.get_marker(), Path)]
    return [directions(line.get_marker().to_polygons(closed_only=False)) for line in found]


def directions(lines):
    """The degrees of straight lines, anticlockwise from the east."""
    across, up = np.array([ends[-1] - ends[0] for ends in lines]).T
    return {round(degrees) % 180 for degrees in np.degrees(np.arctan2(up, across)).tolist()}


def holds(patch, latitude, longitude):
    x, y = UNITED_STATES.forward(latitude, longitude)
    return patch.get_path().contains_point((float(x), float(y)))


def key(ax):
    return {
        text.get_text(): handle
        for text, handle in zip(ax.get_legend().get_texts(), ax.get_legend().legend_handles, strict=True)
    }


def test_each_region_lies_where_its_rule_says_in_the_colour_of_its_rate(four):
    ax = regions(four)
    worst, undecided, hidden, best = filled(ax)
    # South-west, south-east, north-west, north-east of 37° N, 97° W.
    for patch, place in (
        (worst, (33, -112)),
        (undecided, (33, -84)),
        (hidden, (43, -112)),
        (best, (43, -76)),
    ):
        assert holds(patch, *place)
        assert sum(holds(other, *place) for other in filled(ax)) == 1
    # Darker is worse: cividis runs from dark blue to yellow.
    light = [np.dot(p.get_facecolor()[:3], (0.3, 0.59, 0.11)) for p in (worst, undecided, best)]
    assert light == sorted(light)
    assert not holds(worst, 33, -125), "no sea"
    assert to_hex(hidden.get_facecolor()) == "#eef0f2"


def test_what_is_not_told_or_not_shown_is_hatched_and_the_key_says_so(four):
    ax = regions(four)
    worst, undecided, hidden, best = filled(ax)
    hatched = [hatch_over(ax, p) for p in (worst, undecided, hidden, best)]
    assert hatched == [set(), set(OPEN), set(HIDDEN), set()]
    assert {"hatched: not told from everybody else", "not shown: too few speakers"} <= key(ax).keys()
    assert in_key(ax) == [set(OPEN), set(HIDDEN)]


def test_a_hatch_is_no_pattern_which_would_cost_megabytes_in_pdf(four):
    drawing = plot.svg(regions(four), name="map", title="t", description="d")
    assert "<pattern" not in drawing


def test_a_cohort_of_which_nothing_is_said_counts_as_not_told():
    ax = regions(audited(geo([[None] * 4], [named(0, 0.2, None)])))
    assert [hatch_over(ax, p) for p in filled(ax)] == [set(OPEN)]


def test_bottom_and_top_are_outlined_in_colour_and_stroke(four):
    ax = regions(four)
    outlines = {to_hex(p.get_edgecolor()): p for p in ax.patches if p.get_zorder() == 5}
    bottom, top = (outlines[SIDES[name][0]] for name in ("bottom", "top"))
    assert bottom.get_linestyle() == "-" != top.get_linestyle()
    assert holds(bottom, 33, -112)
    assert holds(top, 43, -76)
    assert not holds(bottom, 43, -76)
    assert {"bottom: the worst", "top: the best"} <= key(ax).keys()


def texts(ax):
    return [t for t in ax.texts if "speakers" in t.get_text()]


def test_rate_interval_and_speakers_stand_on_the_map(four):
    written = [t.get_text() for t in texts(regions(four))]
    assert len(written) == 3, "not of the suppressed one"
    first, figures = written[0].split("\n")
    assert first == "r0, 214 speakers"
    assert re.fullmatch(r"20\.0 % \(18\.\d\N{EN DASH}22\.\d\)", figures)
    assert written[-1].startswith("r3, 1,234 speakers\n10.0 % (")
    ax = regions(four)
    assert "In brackets: 95 % interval." in ax.get_xlabel()
    assert "Alaska (smaller), Hawaii and Puerto Rico moved" in ax.get_xlabel()
    assert ax.figure.axes[1].get_xlabel() == "WER (%); darker is worse"


@pytest.fixture(scope="module")
def many():
    """Two hundred regions, some of them suppressed or not told."""
    rng = np.random.default_rng(1)
    wers = np.sort(rng.uniform(0.05, 0.3, 200))[::-1]
    order = rng.permutation(200)
    made = []
    for n, wer in enumerate(wers):
        status = ("flagged", "undecided", "cleared")[n % 3]
        made.append(cohort(f"r{n}", suppressed=True) if n % 17 == 5 else named(n, float(wer), status))
    boxes = tiled(20, 10)
    return audited(geo([boxes[i] for i in order], made, bottom=("r0", "r1"), top=("r199",)))


def test_of_200_regions_the_sides_and_extremes_are_written_and_the_drawing_stays_small(many):
    ax = regions(many)
    assert len(filled(ax)) > 150, "those on land"
    written = [t.get_text().split(",")[0] for t in texts(ax)]
    # By rank the rates fall; regions in the sea are not drawn.
    assert written[0] == "r0"
    assert "r199" in written
    assert len(written) <= 2 * (OF_SIDE + OF_RATE)
    assert all(int(name[1:]) < 10 or int(name[1:]) > 185 for name in written)
    assert len(plot.svg(ax, name="map", title="t", description="d")) < 250_000


def test_the_highest_and_lowest_rates_are_written_whatever_their_ranks():
    wers = [0.16, 0.15, 0.14, 0.29, 0.13, 0.12, 0.05, 0.11, 0.28, 0.06, 0.10, 0.09]
    made = [named(n, wer) for n, wer in enumerate(wers)]
    ax = regions(audited(geo(tiled(4, 3), made, bottom=("r0",), top=("r11", "r10"))))
    written = {t.get_text().split(",")[0] for t in texts(ax)}
    assert written == {"r0", "r3", "r8", "r6", "r9", "r10", "r11"}


def boxes_of(ax):
    figure = ax.figure
    figure.canvas.draw()
    return [t.get_window_extent() for t in texts(ax)]


def test_texts_do_not_cover_each_other_nor_leave_the_figure(many, four):
    for result in (many, four):
        ax = regions(result)
        extents = boxes_of(ax)
        assert not any(a.overlaps(b) for a, b in combinations(extents, 2))
        whole = ax.figure.bbox
        assert all(
            whole.x0 <= e.x0 and e.x1 <= whole.x1 and whole.y0 <= e.y0 and e.y1 <= whole.y1 for e in extents
        )
        legend = ax.get_legend().get_window_extent()
        assert legend.x1 <= whole.x1


def zips(*cohorts, **fields):
    made = partition("zip", cohorts, kind="threshold", rule={"kind": "threshold"}, **fields)
    return msgspec.structs.replace(made, bottom=side("above"), top=side("below"))


def living(name, wer, *places, label):
    hexagons = tuple(tuple(int(v) for v in locate(*place)) for place in places)
    return msgspec.structs.replace(
        cohort(name, wer, speakers=75), hexagons=hexagons, label=label, status="flagged"
    )


LOS_ANGELES, CHICAGO, HONOLULU, ANCHORAGE = (
    (34.05, -118.24),
    (41.88, -87.63),
    (21.32, -157.85),
    (61.2, -149.85),
)


def test_zip_cohorts_are_hexagons_in_the_colour_of_their_cohort():
    above = living("above", 0.2, LOS_ANGELES, label="people living in ZIP codes where most are Asian")
    below = living(
        "below",
        0.1,
        LOS_ANGELES,
        CHICAGO,
        HONOLULU,
        ANCHORAGE,
        label="people living in ZIP codes where at most half are Asian",
    )
    ax = regions(audited(zips(above, below)))
    large, small = [p for p in coloured(ax) if p.get_zorder() == 4]
    rings = [path for path in large.get_path().to_polygons()]
    assert (len(rings), len(small.get_path().to_polygons())) == (4, 1)
    # Where both live the smaller cohort lies within the larger one.
    (within,) = small.get_path().to_polygons()
    around = next(
        ring for ring in rings if np.allclose(ring[:-1].mean(axis=0), within[:-1].mean(axis=0), atol=1)
    )
    assert np.ptp(within[:, 0]) < 0.7 * np.ptp(around[:, 0])
    assert holds(small, *LOS_ANGELES)
    said = "\n".join(key(ax))
    assert "bottom: people living in ZIP codes where most are Asian\n20.0 % (" in said
    assert "75 speakers" in said
    assert "at least 11 speakers of the cohort live there" in ax.get_xlabel()
    assert "ZIP code centres: GeoNames, CC BY 4.0." in ax.get_xlabel()
    # Hawaii and Alaska lie below the contiguous states.
    assert sum(ring[:, 1].max() < -700 for ring in rings) == 2


def test_a_suppressed_zip_cohort_has_no_hexagon_and_no_figure():
    above = msgspec.structs.replace(
        cohort("above", suppressed=True), label="people living in ZIP codes where A"
    )
    below = living("below", 0.1, CHICAGO, label="people living in ZIP codes where B")
    ax = regions(audited(zips(above, below)))
    assert any(text.endswith("A\nnot shown: too few speakers") for text in key(ax))


def test_a_log_beyond_the_us_is_drawn_in_equal_earth_around_its_own_reach():
    cohorts = [named(0, 0.2), named(1, 0.1, "cleared")]
    europe = geo([[None, None, None, 8], [None, None, 8, None]], cohorts, extent=(36, 60, -9, 25))
    ax = regions(audited(europe))
    assert ax.get_xlabel().endswith("Equal Earth projection. Outlines: Natural Earth.")
    assert len(filled(ax)) == 2
    west, east = ax.get_xlim()
    assert 2500 < east - west < 5500, "kilometres"
    assert ax.figure.get_size_inches()[1] < 7
    around_the_globe = geo(
        [[None, None, None, 8], [None, None, 8, None]], cohorts, extent=(-45, 70, -160, 178)
    )
    west, east = regions(audited(around_the_globe)).get_xlim()
    assert east - west > 25_000


def test_an_older_result_without_reach_is_drawn_on_the_world():
    ax = regions(audited(geo([[None] * 4], [named(0, 0.2)], extent=None)))
    assert "Equal Earth" in ax.get_xlabel()


def test_names_are_written_as_they_are():
    odd = msgspec.structs.replace(named(0, 0.2), cohort=AWKWARD)
    ax = regions(audited(geo([[None] * 4], [odd], bottom=())))
    assert texts(ax)[0].get_text().startswith(AWKWARD[:15])
    root = ElementTree.fromstring(plot.svg(ax, name="map", title="t", description="d"))
    assert any(AWKWARD[:15] in (e.text or "") for e in root.iter())


def test_equal_results_give_equal_drawings(four):
    first, second = (plot.svg(regions(four), name="map", title="t", description="d") for _ in range(2))
    assert first == second
    root = ElementTree.fromstring(first)
    assert not [e for e in root.iter() if e.tag.endswith("image")], "no picture of pixels"


def test_the_axes_of_the_user_are_drawn_on(four):
    ax = Figure().add_subplot()
    assert regions(four, ax=ax) is ax


def test_one_message_says_what_cannot_be_drawn(four):
    with pytest.raises(OptionError, match=r"no partition of this result has cohorts on a map\n.*\n  fix: "):
        regions(audited(partition("accent", [cohort("a")])))
    with pytest.raises(OptionError, match="no partition 'nowhere'"):
        regions(four, partition="nowhere")
    both = msgspec.structs.replace(
        four, partitions=(*four.partitions, geo([[None] * 4], [named(0, 0.2)], name="b"))
    )
    with pytest.raises(OptionError, match="2 partitions have cohorts on a map"):
        regions(both)
    assert len(filled(regions(both, partition="b"))) == 1


def test_a_map_needs_no_table_library_and_no_network():
    code = (
        "import sys, socket; socket.socket = None; sys.path.insert(0, 'tests');"
        "from test_plot_regions import *; regions(audited(geo([[None] * 4], [named(0, 0.2)])));"
        "print(sorted({'geopandas', 'pyproj', 'sklearn', 'duckdb'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
