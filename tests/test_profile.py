"""Why this cohort: labels that are more common in it, with control for the many that are not."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from fairaudit.counts import SpeakerCounts
from fairaudit.profile import MOST_TRAITS, holders_of, lift_of, profile

IDS = [f"s{i:03}" for i in range(200)]
MEMBERS, OTHERS = set(IDS[:40]), set(IDS[40:])


def labelled(values, name="accent"):
    return SpeakerCounts.of(IDS, ref_words=[9] * 200, errors=[1] * 200, attributes={name: values})


def traits(labels, **options):
    holders = {column: holders_of(counts, column) for column, counts in labels.items()}
    return profile(MEMBERS, OTHERS, holders, **({"confidence": 0.95, "fewest": 11} | options))


def test_a_label_that_is_more_common_is_told_with_its_lift():
    values = ["x" if i < 28 or (i >= 40 and i % 8 == 0) else None for i in range(200)]
    (trait,) = traits({"accent": labelled(values)})
    inside, outside = 28, len(range(40, 200, 8))
    assert (trait.column, trait.value) == ("accent", "x")
    assert trait.lift == pytest.approx((inside / 40) / (outside / 160), rel=0.05)
    assert trait.low < trait.lift < trait.high
    p = fisher_exact([[inside, 12], [outside, 160 - outside]]).pvalue
    assert trait.p_adjusted == pytest.approx(p, rel=0.05)


def test_what_is_told_leads_to_no_small_number_of_speakers():
    """Of the cohort 3 lack the value, or 4 elsewhere have it: neither may be worked out."""
    for few in ([i < 37 or i >= 180 for i in range(200)], [i < 25 or i >= 196 for i in range(200)]):
        assert traits({"accent": labelled(["x" if has else None for has in few])}) == ()
    (trait,) = traits({"accent": labelled(["x" if i < 25 or i >= 187 else None for i in range(200)])})
    for figure in (trait.lift, trait.low, trait.high, trait.p_adjusted):
        assert float(f"{figure:.2g}") == figure


def test_p_is_corrected_for_all_values_of_all_columns():
    rng = np.random.default_rng(1)
    planted = labelled(["x" if i < 28 or (i >= 40 and i % 8 == 0) else "y" for i in range(200)])
    noise = {f"n{k}": labelled([f"v{v}" for v in rng.integers(0, 5, 200)], f"n{k}") for k in range(10)}
    alone = traits({"accent": planted})[0].p_adjusted
    among = next(t for t in traits({"accent": planted, **noise}) if t.column == "accent").p_adjusted
    assert among == pytest.approx(alone / 2 * 52, rel=0.1)
    told = traits({**noise})
    assert not any(t.p_adjusted <= 0.05 for t in told)
    assert len(told) <= MOST_TRAITS


def test_a_value_of_few_speakers_is_not_told():
    values = ["rare" if i < 10 else "y" for i in range(200)]
    assert all(t.value != "rare" for t in traits({"accent": labelled(values)}))
    assert "rare" in {t.value for t in traits({"accent": labelled(values)}, fewest=10)}


def test_a_speaker_with_several_values_has_each_of_them():
    ids, values = IDS * 2, ["x"] * 200 + [("y" if i < 40 else "x") for i in range(200)]
    both = SpeakerCounts.of(ids, ref_words=[9] * 400, errors=[1] * 400, attributes={"device": values})
    (trait,) = traits({"device": both})
    assert (trait.value, np.isfinite(trait.lift)) == ("y", True)


def test_katz_intervals_cover_the_ratio_of_two_fractions():
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(600):
        low, high = lift_of(rng.binomial(40, 0.5), 40, rng.binomial(160, 0.25), 160, 0.95)[1:]
        held += low <= 2.0 <= high
    assert 0.925 <= held / 600 <= 0.985
