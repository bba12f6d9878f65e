import numpy as np
import pytest

from fairaudit.counts import UNIT, SpeakerCounts
from fairaudit.discover.speaker_clusters import SpeakerClusters
from fairaudit.exceptions import OptionError
from fairaudit.procedure import Procedure
from fairaudit.split import halves


def voices(seed, n=300, groups=3, spread=0.1, dimensions=6):
    """Speakers of a few voices, well apart or not."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % groups
    centres = np.eye(dimensions)[:groups]
    points = centres[group] + rng.normal(0, spread, (n, dimensions))
    ids = [f"s{i:04}" for i in range(n)]
    sums = {name: np.rint(p * UNIT * 3).astype(np.int64) for name, p in zip(ids, points, strict=True)}
    counts = SpeakerCounts.of(ids, ref_words=[100] * n, errors=rng.poisson(10, n), embedding_sum=sums)
    return counts, group


def test_voices_that_are_apart_become_clusters():
    counts, group = voices(1)
    found = SpeakerClusters(k=3).fit(counts)
    pairs = set(zip(found.assign(counts).tolist(), group.tolist(), strict=True))
    assert len(pairs) == 3
    assert [name.cohort for name in found.names] == ["voice-1", "voice-2", "voice-3"]


def test_a_speaker_counts_once_however_much_is_said():
    counts, _ = voices(1, 90)
    louder = {
        name: v * (1 + 99 * (i < 9))
        for i, (name, v) in enumerate(zip(counts.speakers, counts.embedding_sum, strict=True))
    }
    again = SpeakerCounts.of(counts.speakers, ref_words=[100] * 90, errors=[1] * 90, embedding_sum=louder)
    first, second = (SpeakerClusters(k=3, min_speakers=5).fit(c).centroids for c in (counts, again))
    assert np.abs(np.array(first) - np.array(second)).max() <= 1


@pytest.mark.parametrize(("speakers", "k"), [(90, 2), (300, 7), (900, 22), (6000, 35)])
def test_the_default_number_of_clusters_grows_with_the_speakers(speakers, k):
    counts, _ = voices(2, speakers, groups=1, spread=1.0)
    assert len(SpeakerClusters(min_speakers=1, restarts=1).fit(counts).centroids) == k


def test_clusters_of_too_few_speakers_are_dissolved_and_nobody_is_lost():
    counts, _ = voices(3, 200, groups=1, spread=1.0)
    found = SpeakerClusters(k=20, min_speakers=25).fit(counts)
    sizes = np.bincount(found.assign(counts))
    assert 1 < len(sizes) < 20
    assert sizes.min() >= 25
    assert sizes.sum() == 200


def test_one_cluster_where_there_are_too_few_speakers_for_two():
    counts, _ = voices(4, 40)
    assert len(SpeakerClusters(k=2, min_speakers=30).fit(counts).centroids) == 1


def test_fewer_distinct_voices_than_clusters_are_no_reason_to_complain():
    vector = {f"s{i}": np.array([UNIT * (i % 2), UNIT * (1 - i % 2)]) for i in range(80)}
    counts = SpeakerCounts.of(list(vector), ref_words=[1] * 80, errors=[0] * 80, embedding_sum=vector)
    found = SpeakerClusters(k=7, min_speakers=10).fit(counts)
    assert sorted(np.bincount(found.assign(counts)).tolist()) == [40, 40]


def test_clusters_do_not_depend_on_the_number_of_threads():
    from threadpoolctl import threadpool_limits

    counts, _ = voices(5, 400, spread=0.6)
    with threadpool_limits(limits=1):
        one = SpeakerClusters(k=6).fit(counts)
    with threadpool_limits(limits=2):
        two = SpeakerClusters(k=6).fit(counts)
    assert one == two


def test_centroids_are_whole_multiples_and_a_seed_is_used():
    counts, _ = voices(6, 300, groups=1, spread=1.0)
    finder = SpeakerClusters(k=6, min_speakers=5, restarts=1)
    found = finder.fit(counts)
    assert all(isinstance(c, int) and abs(c) <= UNIT for centroid in found.centroids for c in centroid)
    assert found == finder.fit(counts)
    assert found != SpeakerClusters(k=6, min_speakers=5, restarts=1, seed=3).fit(counts)


def test_stability_tells_voices_that_are_apart_from_a_single_cloud():
    apart, _ = voices(7)
    cloud, _ = voices(7, groups=1, spread=1.0)
    finder = SpeakerClusters(k=3, min_speakers=5, restarts=4)
    assert finder.stability(apart) == 1.0
    assert SpeakerClusters(k=8, min_speakers=5, restarts=1).stability(cloud) < 0.8


def test_clusters_are_found_once_for_a_half_and_not_again_for_each_permutation():
    counts, _ = voices(8, 200)
    fitted = []

    class Counted:
        name, requires, reads_errors = "counted", ("embedding",), False

        def fit(self, counts):
            fitted.append(counts.rows)
            return SpeakerClusters(k=3, min_speakers=5).fit(counts)

    procedure = Procedure(counts, halves(counts.speakers, 1, 2), Counted(), None, 0.1)
    rng = np.random.default_rng(1)
    order = np.stack([rng.permutation(200) for _ in range(9)])
    e, w = counts.errors[order].astype(float), counts.ref_words[order].astype(float)
    first = procedure.figures(e, w, whole_log=False)
    procedure.figures(e, w, whole_log=False)
    assert len(fitted) == 4
    assert np.isfinite(first.statistic).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"k": 1}, "voice.k is 1"),
        ({"min_speakers": 0}, "voice.min_speakers is 0"),
        ({"restarts": 0}, "voice.restarts is 0"),
        ({"seed": -1}, "voice.seed is -1"),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(OptionError, match=message):
        SpeakerClusters(**parameters)


def test_more_clusters_than_speakers_are_refused():
    counts, _ = voices(1, n=40)
    with pytest.raises(OptionError, match="is 41, and 40 speakers are searched") as told:
        SpeakerClusters(k=41).fit(counts)
    assert "2 to 40" in str(told.value)
