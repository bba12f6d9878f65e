import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from fairaudit.discover.growth import Field, grow
from fairaudit.discover.weighting import search_weights


def field(seed, n=400, *, criterion="between", min_speakers=10, min_words=0, speaker=None, weight="words"):
    rng = np.random.default_rng(seed)
    latitude, longitude = rng.integers(500, 980, n), rng.integers(-2490, -1340, n)
    words = rng.integers(50, 400, n).astype(float)
    errors = rng.poisson(words * 0.1 * rng.gamma(4, 1 / 4, n)).astype(float)
    speaker = np.arange(n) if speaker is None else speaker
    e, w = search_weights(errors[None], words[None], speaker, weight)
    whole = words[None].astype(np.int64)
    return Field((latitude, longitude), speaker, e, w, whole, min_speakers, min_words, criterion)


def leaves(f, most=126):
    return grow(f, most).assign(*(place.astype(float) for place in f.places))[0]


@pytest.mark.parametrize("most", [2, 9, 126])
@pytest.mark.parametrize("seed", range(4))
def test_same_tree_as_scikit_learn_with_words_as_weights(seed, most):
    f = field(seed)
    words = f.words[0].astype(float)
    places = np.column_stack(f.places)
    tree = DecisionTreeRegressor(max_leaf_nodes=most, min_samples_leaf=10, random_state=0)
    theirs = tree.fit(places, f.errors[0] / f.weights[0], sample_weight=words).apply(places)
    ours = leaves(f, most)
    assert len(set(zip(ours, theirs, strict=True))) == len(set(ours)) == len(set(theirs))


def plain_tree(f, gain):
    """Grow by recursion, trying every edge of both axes, as slowly as it reads."""
    labels = np.zeros(len(f.speaker), dtype=int)

    def admissible(side):
        speakers = len(set(f.speaker[side]))
        return speakers >= f.min_speakers and f.words[0, side].sum() >= f.min_words

    def split(rows):
        best = (1e-9, None)
        for place in f.places:
            for edge in np.unique(place[rows])[1:]:
                left, right = rows[place[rows] < edge], rows[place[rows] >= edge]
                if admissible(left) and admissible(right):
                    worth = gain(f, rows, left, right)
                    if worth > best[0] * (1 + 1e-12):
                        best = (worth, (left, right))
        if best[1] is not None:
            labels[best[1][1]] = labels.max() + 1
            for side in best[1]:
                split(side)

    split(np.arange(len(labels)))
    return labels


def poisson(f, rows, left, right):
    def term(side):
        e, w = f.errors[0, side].sum(), f.weights[0, side].sum()
        return e * np.log(e / w) if e else 0.0

    return term(left) + term(right) - term(rows)


def difference(f, rows, left, right):
    rate = [f.errors[0, side].sum() / f.weights[0, side].sum() for side in (left, right)]
    return abs(rate[0] - rate[1])


@pytest.mark.parametrize(("criterion", "gain"), [("poisson", poisson), ("difference", difference)])
@pytest.mark.parametrize("travellers", [False, True])
def test_same_tree_as_trying_every_edge(criterion, gain, travellers):
    speaker = np.sort(np.random.default_rng(1).integers(0, 60, 120)) if travellers else None
    f = field(7, 120, criterion=criterion, speaker=speaker, min_words=1500, weight="damped")
    ours, theirs = leaves(f), plain_tree(f, gain)
    assert len(set(zip(ours, theirs, strict=True))) == len(set(ours)) == len(set(theirs)) > 2


def test_every_region_has_enough_distinct_speakers():
    speaker = np.sort(np.random.default_rng(2).integers(0, 130, 400))
    f = field(3, speaker=speaker, min_speakers=12)
    leaf = leaves(f)
    assert len(set(leaf)) > 3
    assert min(len(set(speaker[leaf == k])) for k in set(leaf)) >= 12


def test_replicates_grown_together_are_those_grown_alone():
    fields = [field(seed, 200, criterion="poisson", weight="damped") for seed in range(6)]
    first = fields[0]
    together = Field(
        first.places,
        first.speaker,
        np.concatenate([f.errors for f in fields]),
        np.concatenate([f.weights for f in fields]),
        np.concatenate([f.words for f in fields]),
        first.min_speakers,
        first.min_words,
        first.criterion,
    )
    places = [place.astype(float) for place in first.places]
    batch = grow(together, 8).assign(*places)
    for i, f in enumerate(fields):
        alone = Field(first.places, first.speaker, f.errors, f.weights, f.words, 10, 0, "poisson")
        np.testing.assert_array_equal(grow(alone, 8).assign(*places)[0], batch[i])


def test_no_split_without_errors_or_with_equal_rates():
    f = field(1)
    equal = Field(f.places, f.speaker, f.weights // 10, f.weights // 10 * 10, f.words, 10, 0, "poisson")
    nothing = Field(f.places, f.speaker, f.errors * 0, f.weights, f.words, 10, 0, "poisson")
    assert set(leaves(equal)) == set(leaves(nothing)) == {0}


def first_cut(seed, criterion):
    """Return the share of speakers that the first split cuts off, where 30 % live in a worse region."""
    rng = np.random.default_rng(seed)
    n = 600
    places = rng.integers(0, 400, n), rng.integers(0, 400, n)
    words = rng.integers(50, 400, n).astype(float)
    rate = 0.1 * rng.gamma(3, 1 / 3, n) * np.where(places[0] < 120, 1.5, 1.0)
    e, w = search_weights(rng.poisson(words * rate).astype(float)[None], words[None], np.arange(n), "damped")
    f = Field(places, np.arange(n), e, w, words[None].astype(int), 30, 0, criterion)
    return np.bincount(leaves(f, 2)).min() / n


def test_the_absolute_difference_cuts_off_ends_where_the_likelihood_ratio_finds_the_region():
    cuts = {c: np.array([first_cut(seed, c) for seed in range(20)]) for c in ("poisson", "difference")}
    found = {c: np.mean(abs(cut - 0.3) < 0.06) for c, cut in cuts.items()}
    # The smallest admissible region holds 5 % of the speakers.
    ends = {c: np.mean(cut < 0.1) for c, cut in cuts.items()}
    assert found["poisson"] > 0.8 > found["difference"] + 0.2
    assert ends["difference"] > 0.2
    assert ends["poisson"] == 0


def test_a_heavy_talker_owns_the_search_by_words_and_not_the_damped_one():
    rng = np.random.default_rng(9)
    n = 300
    words = rng.integers(50, 400, n).astype(float)
    words[0] = 100_000
    errors = rng.poisson(words * 0.1 * rng.gamma(3, 1 / 3, n)).astype(float)
    share = {}
    for weight in ("words", "damped"):
        _, w = search_weights(errors[None], words[None], np.arange(n), weight)
        share[weight] = w[0, 0] / w.sum()
    assert share["words"] > 0.5
    assert share["damped"] < 0.02
