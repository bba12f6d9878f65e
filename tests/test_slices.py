"""The search for slices: what it takes, what it groups, and that chance alone is not believed."""

from dataclasses import replace
from itertools import combinations
from math import log

import numpy as np
import pandas as pd
import pytest

from fairaudit.assignment import assign
from fairaudit.auditing import audit
from fairaudit.chance import null
from fairaudit.counts import SpeakerCounts
from fairaudit.discover import configure
from fairaudit.discover.slices import Slices
from fairaudit.discover.weighting import SCALE, search_weights
from fairaudit.exceptions import OptionError
from fairaudit.partition import cohort_ids
from fairaudit.procedure import Procedure
from fairaudit.readers import read_log
from fairaudit.saved import partitions_json, read_partitions
from fairaudit.split import halves
from fairaudit.testing import check_discoverer

COLUMNS = ("a", "b", "c")


def world(seed, speakers=400, *, worse=(), effect=1.0, values=(3, 4, 3), settings=1, missing=0.0, spread=8.0):
    """Speakers with three labels; those with all values of `worse` have `effect` times the errors.

    With more than one setting the last label is of the utterance, and a speaker has several.
    """
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(speakers), settings)
    codes = [rng.integers(0, n, speakers)[person] for n in values[:-1]]
    codes.append(rng.integers(0, values[-1], len(person)))
    texts = [
        np.array([f"{name}{code}" for code in column], dtype=object)
        for name, column in zip("abc", codes, strict=True)
    ]
    hit = np.all([texts["abc".index(text[0])] == text for text in worse], axis=0) if worse else person < 0
    rate = 0.12 * rng.gamma(spread, 1 / spread, speakers)[person] * np.where(hit, effect, 1.0)
    words = rng.integers(60, 900, len(person))
    for column in texts:
        column[rng.random(len(person)) < missing] = None
    return SpeakerCounts.of(
        [f"s{i:04}" for i in person],
        ref_words=words,
        errors=rng.poisson(words * rate),
        attributes=dict(zip(COLUMNS, texts, strict=True)),
    )


def gain(e, w, rest_e, rest_w):
    """The log likelihood ratio of the definition, where the first part is the worse."""
    if not (w > 0 and rest_w > 0 and e / w > rest_e / rest_w):
        return -1.0
    terms = [(e, w, 1), (rest_e, rest_w, 1), (e + rest_e, w + rest_w, -1)]
    return sum(sign * x * log(x / y) for x, y, sign in terms if x > 0)


def people(counts, rows):
    return len({counts.speaker[row] for row in rows})


def plain_candidates(counts, finder):
    """The slices with enough speakers inside and outside that are near none before them, with their rows."""
    slices, every = {}, set(range(counts.rows))
    for size in range(1, finder.depth + 1):
        for chosen in combinations(finder.columns, size):
            values = list(zip(*(counts.labels(column).texts() for column in chosen), strict=True))
            for value in sorted(v for v in set(values) if None not in v):
                inside = {row for row in every if values[row] == value}
                enough = min(people(counts, inside), people(counts, every - inside)) >= finder.min_speakers
                near = (len(inside & other) / len(inside | other) for other in slices.values())
                if enough and all(jaccard < finder.overlap for jaccard in near):
                    slices[tuple(zip(chosen, value, strict=True))] = inside
    return slices


def plain_search(counts, finder):
    """The same search, slice by slice and row by row."""
    own = (counts.errors[None].astype(float), counts.ref_words[None].astype(float))
    weighted = search_weights(*own, counts.speaker, finder.weight)
    e, w = ((values[0] / SCALE).tolist() for values in weighted)
    slices, clear = plain_candidates(counts, finder), finder.clear**2 / 2
    left, taken = set(range(counts.rows)), []

    def score(inside, among):
        parts = (inside & among, among - inside)
        return gain(*(sum(values[row] for row in rows) for rows in parts for values in (e, w)))

    def admissible(inside):
        return min(people(counts, inside & left), people(counts, left - inside)) >= finder.min_speakers

    while len(taken) < finder.max_slices:
        scores = {rule: score(inside, left) for rule, inside in slices.items() if admissible(inside)}
        scores = {rule: value for rule, value in scores.items() if value > 1e-6}
        best = max(scores, key=scores.get, default=None)
        if best is None:
            break
        parents = [(condition,) for condition in best if len(best) == 2 and (condition,) in scores]
        alike = [p for p in parents if score(slices[best], slices[p] & left) <= clear]
        best = max(alike, key=scores.get, default=best)
        if taken and scores[best] <= clear:
            break
        taken.append(best)
        left -= slices[best]
    return taken


@pytest.mark.parametrize("settings", [1, 3])
@pytest.mark.parametrize(
    "finder",
    [
        Slices(COLUMNS, min_speakers=12, clear=0.5),
        Slices(COLUMNS, min_speakers=5, clear=2.0, weight="words", overlap=0.3),
        Slices(("c", "a"), min_speakers=20, depth=1, clear=0.0),
    ],
    ids=["loose", "words", "one column"],
)
def test_the_search_is_that_of_the_definition(finder, settings):
    lengths = set()
    for seed in range(6):
        counts = world(seed, 120, worse=("a0", "b1"), effect=1.8, settings=settings, missing=0.1)
        found = finder.fit(counts)
        assert list(found.combinations[:-1]) == plain_search(counts, finder)
        assert found.combinations[-1] == ()
        lengths.add(len(found.combinations))
    assert max(lengths) > 2


@pytest.mark.parametrize("settings", [1, 2])
def test_many_replicates_at_once_find_what_each_finds_alone(settings):
    counts = world(3, 200, settings=settings, missing=0.1)
    rng = np.random.default_rng(5)
    order = np.stack([rng.permutation(counts.rows) for _ in range(12)])
    errors, words = counts.errors[order], counts.ref_words[order]
    finder = Slices(COLUMNS, min_speakers=10, clear=1.0)
    everyone = finder.fit_many(counts, errors.astype(float), words.astype(float)).assign(counts)
    for e, w, cohort in zip(errors, words, everyone, strict=True):
        alone = finder.fit(replace(counts, errors=e, ref_words=w, kinds={}))
        np.testing.assert_array_equal(alone.assign(counts), cohort)
    assert len({tuple(cohort) for cohort in everyone.tolist()}) > 6


@pytest.mark.parametrize("finder", [Slices(COLUMNS, min_speakers=15), Slices(("b", "a"), min_speakers=200)])
@pytest.mark.parametrize("settings", [1, 3])
def test_it_keeps_the_contract_of_discoverers(finder, settings):
    check_discoverer(finder, world(1, 300, worse=("b2",), effect=1.5, settings=settings, missing=0.05))


@pytest.mark.parametrize(
    ("worse", "effect"), [(("b2",), 1.5), (("a1", "b3"), 2.0)], ids=["one column", "two columns"]
)
def test_a_planted_slice_is_found_and_little_else(worse, effect):
    precision, recall = [], []
    for seed in range(20):
        counts = world(seed, 1_000, worse=worse, effect=effect)
        cohort = Slices(COLUMNS).fit(counts).assign(counts)
        texts = {name: counts.labels(name).texts() for name in COLUMNS}
        planted = np.all([texts[value[0]] == value for value in worse], axis=0)
        precision.append((planted & (cohort == 0)).sum() / (cohort == 0).sum())
        recall.append((planted & (cohort == 0)).sum() / planted.sum())
    assert np.mean(precision) > 0.9
    assert np.mean(recall) > 0.9


def test_a_slice_that_does_not_differ_from_its_parent_gives_way_to_it():
    child, parents = (("a", "a1"), ("b", "b3")), [(("a", "a1"),), (("b", "b3"),)]
    for seed in range(5):
        counts = world(seed, 1_000, worse=("a1", "b3"), effect=2.5)
        assert Slices(COLUMNS).fit(counts).combinations[0] == child
        # So many standard errors lie between the child and neither of its parents.
        assert Slices(COLUMNS, clear=30.0).fit(counts).combinations[0] in parents
        # Where the whole parent is worse, none of its parts is taken beside it.
        counts = world(seed, 1_000, worse=("a1",), effect=1.4)
        first, *others = Slices(COLUMNS, clear=1.0).fit(counts).combinations
        assert first == parents[0]
        assert not any(("a", "a1") in rule for rule in others)


def test_of_near_duplicates_the_first_is_the_candidate():
    counts = world(2, 600, worse=("b2",), effect=1.8)
    twin = counts.labels("b").texts()
    twin[::25] = "other"
    counts = counts.with_attributes(
        {
            "twin": SpeakerCounts.of(
                counts.speakers, ref_words=counts.ref_words, errors=counts.errors, attributes={"twin": twin}
            ).labels("twin")
        }
    )
    assert Slices(("b", "twin")).fit(counts).combinations == ((("b", "b2"),), ())
    assert Slices(("twin", "b")).fit(counts).combinations == ((("twin", "b2"),), ())


def test_without_an_admissible_slice_everyone_is_one_cohort():
    found = Slices(COLUMNS, min_speakers=300).fit(world(1))
    assert [name.cohort for name in found.names] == ["everyone else"]
    assert set(found.assign(world(1)).tolist()) == {0}


def p_of(counts, finder):
    """The p of the honest gap over two splits and 39 permutations."""
    procedure = Procedure(counts, halves(counts.speakers, 1, 2), finder, None, 0.1)
    observed = procedure.figures(
        counts.errors[None].astype(float), counts.ref_words[None].astype(float), whole_log=False
    )
    permuted = null(
        lambda e, w: procedure.figures(e, w, whole_log=False), counts, 39, (7,), lambda done: None
    )
    return permuted.p_value(float(observed.statistic[0]), permuted.figures.statistic)


@pytest.mark.parametrize("settings", [1, 2])
def test_where_there_is_no_gap_p_is_small_no_more_often_than_it_says(settings):
    finder = Slices(COLUMNS, min_speakers=15)
    p = np.array([p_of(world(seed, 140, settings=settings, spread=3.0), finder) for seed in range(40)])
    # Of 40 worlds 2 are expected at p <= 0.05 and 10 at p <= 0.25; others than these in one of 1,000.
    assert (p <= 0.05).sum() <= 7
    assert 2 <= (p <= 0.25).sum() <= 19
    assert p_of(world(0, 140, worse=("b1",), effect=2.0, settings=settings), finder) == 1 / 40


def frame(seed, speakers=400):
    """A log of two utterances for each speaker, with a place of its own for each, and missing labels."""
    counts = world(seed, speakers, worse=("b2",), effect=1.8, settings=2, missing=0.1)
    labels = {column: counts.labels(column).texts() for column in COLUMNS}
    return pd.DataFrame(
        {
            "utterance_id": [f"u{i:04}" for i in range(counts.rows)],
            "speaker_id": counts.speakers[counts.speaker],
            "ref_words": counts.ref_words,
            "errors": counts.errors,
            **labels,
        }
    )


def test_slices_are_measured_saved_and_assigned_again(tmp_path):
    rows = frame(1)
    result = audit(read_log(rows), by=["slices"], permutations=19, splits=3)
    found = result.partition("slices")
    assert found.origin == "discovered"
    assert found.discoverer.parameters["columns"] == list(COLUMNS)
    assert found.bottom.cohorts == ("b=b2",)
    assert found.unassigned is None
    assert found.gap.relative_low > 0.3
    assert found.chance.p_value == 1 / 20
    file = tmp_path / "partitions.json"
    file.write_text(partitions_json(result))
    (saved,) = read_partitions(file)
    assert saved.partition.to_plain() == found.rule
    assert cohort_ids(saved.partition) == tuple(cohort.id for cohort in found.cohorts)
    # Every utterance has a cohort, also where a label is missing.
    assigned = assign(read_log(rows), [saved])
    assert assigned["utterance_id"].tolist() == rows["utterance_id"].tolist()
    np.testing.assert_array_equal(assigned["slices"] == "b=b2", rows["b"] == "b2")
    assert assigned["slices"].notna().all()
    again = audit(read_log(frame(2)), partitions=file, permutations=19).partition("slices")
    assert again.origin == "saved"
    assert again.gap.relative_low > 0.3


def test_the_parameters_are_read_from_texts():
    finder = configure("slices", {"columns": "accent, age group", "depth": "1", "clear": "2.5"})
    assert finder == Slices(("accent", "age group"), depth=1, clear=2.5)
    assert configure("slices", {"columns": ["a,b", "c"]}).columns == ("a,b", "c")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"depth": "3"}, r"^slices.depth is 3\n  where:   --set slices.depth\n  allowed: 1 or 2$"),
        ({"depth": "0"}, "slices.depth is 0"),
        ({"max_slices": "0"}, "slices.max_slices is 0"),
        ({"min_speakers": "1"}, "slices.min_speakers is 1"),
        ({"clear": "-1"}, "slices.clear is -1"),
        ({"overlap": "0"}, r"slices.overlap is 0.*\n.*\n  allowed: above 0, at most 1$"),
        ({"overlap": "1.5"}, r"slices.overlap is 1.5"),
        ({"columns": "a,b,a"}, r"slices.columns is a,b,a\n.*\n  allowed: each column once"),
        ({"columns": 5}, r"slices.columns is 5\n.*\n  allowed: a list of texts"),
        ({"weight": "heavy"}, r"(?s)slices.weight is 'heavy'.*damped, words"),
    ],
)
def test_a_parameter_out_of_range_is_one_clear_error(parameters, message):
    with pytest.raises(OptionError, match=message) as refused:
        configure("slices", parameters)
    assert str(refused.value).count("where:") == 1


def test_slices_that_differ_by_less_than_the_stated_errors_are_not_taken_after_the_first():
    counts = world(4, 600, spread=4.0)
    assert len(Slices(COLUMNS).fit(counts).combinations) == 2
    many = Slices(COLUMNS, clear=0.0, max_slices=4).fit(counts)
    assert len(many.combinations) == 5


def test_a_label_says_what_is_taken_before_it():
    worse = world(1, 1_000, worse=("a1", "b3"), effect=3.0)
    more = np.where(worse.labels("a").texts() == "a1", 2 * worse.errors, worse.errors)
    found = Slices(COLUMNS).fit(replace(worse, errors=more))
    assert [(name.cohort, name.label) for name in found.names[:2]] == [
        ("a=a1, b=b3", "a is a1 and b is b3"),
        ("a=a1", "a is a1, except where b is b3"),
    ]
    assert found.names[-1].label == "everyone else"
