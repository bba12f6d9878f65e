import numpy as np
import pytest

from fairaudit.counts import SpeakerCounts
from fairaudit.spatial import NEIGHBOURS, nearest_cells, spatial_evidence, standardised

pytest.importorskip("esda", reason="the extra `spatial` is not installed")


def world(seed, speakers=150, *, factor=1.0, cells=12):
    """Speakers in a grid of cells, of very unequal word totals; the south may be worse."""
    rng = np.random.default_rng(seed)
    latitude, longitude = (
        rng.integers(680, 680 + cells, speakers),
        rng.integers(-1700, -1700 + cells, speakers),
    )
    words = np.rint(30 * (1 + rng.pareto(1.5, speakers)))
    rate = 0.15 * rng.gamma(5, 1 / 5, speakers) * np.where(latitude < 680 + cells // 3, factor, 1.0)
    return {
        "speaker": np.array([f"s{i:04}" for i in range(speakers)]),
        "words": words.astype(int),
        "errors": rng.poisson(words * rate),
        "latitude": latitude.astype(float),
        "longitude": longitude.astype(float),
    }


def counts_of(log):
    return SpeakerCounts.of(
        log["speaker"],
        ref_words=log["words"],
        errors=log["errors"],
        attributes={name: log[name] for name in ("latitude", "longitude")},
    )


def evidence(log, **options):
    return spatial_evidence(counts_of(log), grid=0.05, **{"seed": [1], "permutations": 199} | options)


def plain_i(log, grid, neighbours):
    """Moran's I by loops, from the formulas: arcs, ties, empirical Bayes, a double sum."""
    cells = {}
    for row in zip(log["latitude"], log["longitude"], log["errors"], log["words"], strict=True):
        total = cells.setdefault(row[:2], [0, 0])
        total[0] += row[2]
        total[1] += row[3]
    places, n = sorted(cells), len(cells)
    sum_e, sum_w = (sum(cells[p][k] for p in places) for k in (0, 1))
    mean = sum_e / sum_w
    rates = {p: cells[p][0] / cells[p][1] for p in places}
    between = sum(cells[p][1] * (rates[p] - mean) ** 2 for p in places) / sum_w - mean / (sum_w / n)
    z = []
    for p in places:
        variance = between + mean / cells[p][1]
        z.append((rates[p] - mean) / (variance if variance >= 0 else mean / cells[p][1]) ** 0.5)
    z = np.array(z) - np.mean(z)

    def arc(p, q):
        (a, b), (c, d) = (np.radians((np.array(x) + 0.5) * grid) for x in (p, q))
        return np.arccos(min(1.0, np.sin(a) * np.sin(c) + np.cos(a) * np.cos(c) * np.cos(b - d)))

    total = 0.0
    for i, p in enumerate(places):
        arcs = {j: arc(p, q) for j, q in enumerate(places) if j != i}
        last = sorted(arcs.values())[neighbours - 1]
        near = [j for j, length in arcs.items() if length <= last * (1 + 1e-7)]
        total += z[i] * np.mean([z[j] for j in near])
    return total / (z * z).sum(), n


@pytest.mark.parametrize(("seed", "neighbours"), [(1, NEIGHBOURS), (2, 4), (3, 1)])
def test_equals_a_plain_implementation(seed, neighbours):
    log = world(seed, 90)
    found = evidence(log, neighbours=neighbours, permutations=0)
    i, cells = plain_i(log, 0.05, neighbours)
    assert found.moran_i == pytest.approx(i, rel=1e-9)
    assert (found.cells, found.speakers, found.p_value) == (cells, 90, None)
    assert found.expected == pytest.approx(-1 / (cells - 1))


def test_p_is_the_share_of_permuted_logs_that_reach_it():
    log = world(4, 60)
    found = evidence(log, permutations=39)
    rng, reached = np.random.default_rng([1]), 0
    for _ in range(39):
        order = rng.permutation(60)
        moved = log | {name: log[name][order] for name in ("errors", "words")}
        reached += plain_i(moved, 0.05, NEIGHBOURS)[0] >= found.moran_i
    assert found.p_value == (1 + reached) / 40


def test_without_a_gap_small_p_are_as_rare_as_they_say():
    p = np.array([evidence(world(seed, 60, cells=8), permutations=99).p_value for seed in range(250)])
    assert 0.02 <= (p <= 0.05).mean() <= 0.085
    assert 0.42 <= (p <= 0.5).mean() <= 0.58


def test_crowded_places_that_lie_together_do_not_pass_for_a_pattern():
    def towns(seed):
        # Twenty speakers live in each cell of the east, one in each of the west.
        rng = np.random.default_rng(seed)
        south, east = (axis.ravel().astype(float) for axis in np.mgrid[700:710, -1700:-1690])
        cell = np.repeat(np.arange(100), np.where(east < -1695, 1, 20))
        rate = 0.15 * rng.gamma(1.5, 1 / 1.5, len(cell))
        return {
            "speaker": np.array([f"s{i:04}" for i in range(len(cell))]),
            "words": np.full(len(cell), 300),
            "errors": rng.poisson(300 * rate),
            "latitude": south[cell],
            "longitude": east[cell],
        }

    # To permute the cells gives 10 % here.
    p = np.array([evidence(towns(seed), permutations=99).p_value for seed in range(200)])
    assert (p <= 0.05).mean() <= 0.08


def test_a_planted_regional_gap_is_found():
    found = [evidence(world(seed, 300, factor=1.8)) for seed in range(10)]
    assert all(f.p_value <= 0.02 and f.moran_i > 0.1 for f in found)


def test_the_order_of_rows_and_the_ids_do_not_matter():
    log = world(5)
    order = np.random.default_rng(0).permutation(150)
    assert evidence(log) == evidence({name: values[order] for name, values in log.items()})


def test_other_seeds_move_p_alone():
    log = world(6)
    found = [evidence(log, seed=[seed]) for seed in range(4)]
    assert len({f.p_value for f in found}) > 1
    assert len({f.moran_i for f in found}) == 1


def test_nobody_elses_random_numbers_are_drawn():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    evidence(world(7))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_a_speaker_in_two_places_counts_in_both():
    log = world(8, 80)
    half = np.arange(80) % 2 == 1
    log["speaker"][half] = log["speaker"][~half]
    found = evidence(log)
    i, cells = plain_i(log, 0.05, NEIGHBOURS)
    assert (found.speakers, found.cells) == (40, cells)
    assert found.moran_i == pytest.approx(i, rel=1e-9)
    assert 0 < found.p_value <= 1


def test_cells_that_are_equally_near_are_all_neighbours():
    degrees = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, -1.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 9.0]])
    near = nearest_cells(degrees, 1).toarray()
    assert near[0].tolist() == [0, 0.25, 0.25, 0.25, 0.25, 0]
    assert near[5].tolist() == [0, 1, 0, 0, 0, 0]


def test_neighbours_are_found_across_the_date_line_and_by_the_arc():
    degrees = np.array([[60.0, 179.9], [60.0, -179.9], [60.0, 178.0], [62.0, 179.9]])
    near = nearest_cells(degrees, 1).toarray()
    assert near[0].argmax() == 1
    assert near[2].argmax() == 0


def test_agrees_with_esda_on_standardised_rates():
    from esda.smoothing import assuncao_rate

    rng = np.random.default_rng(0)
    words = rng.integers(20, 2000, 50).astype(float)
    for spread in (3.0, 1e6):
        errors = rng.poisson(words * 0.1 * rng.gamma(spread, 1 / spread, 50)).astype(float)
        assert standardised(errors, words) == pytest.approx(assuncao_rate(errors, words))


def test_speakers_without_a_place_or_words_are_not_read():
    log = world(9)
    more = {name: np.concatenate([values, values[:4]]) for name, values in log.items()}
    more["speaker"][-4:] = ["x0", "x1", "x2", "x3"]
    more["latitude"][-4:-2], more["words"][-2:], more["errors"][-2:] = np.nan, 0, 0
    assert evidence(more) == evidence(log)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"latitude": np.full(150, np.nan)}, "no speaker has a place and words"),
        (
            {"latitude": np.full(150, 1.0), "longitude": np.full(150, 2.0)},
            "all speakers live in one grid cell",
        ),
        (
            {"latitude": np.arange(150.0) % 19, "longitude": np.zeros(150)},
            "too few places: 19 grid cells, where at least 20 are needed",
        ),
        ({"errors": np.zeros(150, dtype=int)}, "no errors"),
        ({"errors": np.full(150, 10), "words": np.full(150, 100)}, "all cells have the same WER"),
    ],
)
def test_says_why_there_is_none(change, reason):
    found = evidence(world(10) | change)
    assert (found.moran_i, found.p_value, found.reason) == (None, None, reason)


def test_names_the_command_that_installs_the_extra(monkeypatch):
    monkeypatch.setattr("fairaudit.spatial.find_spec", lambda name: None if name == "esda" else True)
    found = evidence(world(11))
    assert found.moran_i is None
    assert "pip install 'fairaudit-asr[spatial]'" in found.reason
