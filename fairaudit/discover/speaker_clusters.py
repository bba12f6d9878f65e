"""Speakers who sound alike: k-means on their embeddings."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from fairaudit.counts import UNIT, Floats, Ints, SpeakerCounts
from fairaudit.discover import check_at_least
from fairaudit.exceptions import OptionError
from fairaudit.partition import Centroids, Name, nearest_centroid

#: From this many speakers on, k-means reads mini-batches, so that its working set stays bounded.
MINI_BATCHES_FROM = 50_000


@dataclass(frozen=True)
class SpeakerClusters:
    """Clusters of speakers by how they sound.

    Follows Dheram et al. (2022): one embedding per speaker, k-means, clusters ranked by WER. Each
    speaker's vector is the mean of the speaker's unit vectors, scaled to length one. Clusters with
    fewer than `min_speakers` speakers are dissolved, the smallest first, and their speakers join the
    nearest that remains: a cohort that cannot be measured helps nobody.

    Parameters
    ----------
    k : int, optional
        Clusters that k-means starts with. By default one for every 40 speakers of the searched
        half, at least 2 and at most 35, so that most clusters are large enough to be measured. The
        evidence is in ``benchmarks/defaults.py``.
    min_speakers : int
        Speakers that a cluster needs in the searched half.
    seed : int
        Of k-means.
    restarts : int
        k-means runs, of which the tightest is kept.

    References
    ----------
    Dheram, P. et al. (2022). Toward fairness in speech recognition: Discovery and mitigation of
    performance disparities. arXiv:2207.11345.
    """

    name: ClassVar[str] = "voice"
    requires: ClassVar[tuple[str, ...]] = ("embedding",)
    reads_errors: ClassVar[bool] = False

    k: int | None = None
    min_speakers: int = 30
    seed: int = 0
    restarts: int = 4

    def __post_init__(self) -> None:
        check_at_least(self.name, {"k": self.k}, 2)
        check_at_least(self.name, {"min_speakers": self.min_speakers, "restarts": self.restarts}, 1)
        check_at_least(self.name, {"seed": self.seed}, 0)

    def fit(self, counts: SpeakerCounts) -> Centroids:
        """Find clusters.

        Parameters
        ----------
        counts : SpeakerCounts
            Whose speakers all have an embedding.

        Returns
        -------
        Centroids
            A single cluster where there are too few speakers for two.
        """
        vectors = counts.unit_vectors()
        centroids = self._dissolved(vectors, self._centroids(vectors))
        digits = len(str(len(centroids)))
        names = tuple(
            Name(f"voice-{number + 1:0{digits}}", f"speakers who sound alike, cluster {number + 1}")
            for number in range(len(centroids))
        )
        return Centroids(tuple(tuple(int(c) for c in centroid) for centroid in centroids), names)

    def stability(self, counts: SpeakerCounts, seeds: int = 5) -> float:
        """Return the mean adjusted Rand index of the clustering against those of other seeds.

        Parameters
        ----------
        counts : SpeakerCounts
        seeds : int
            Number of other seeds.

        References
        ----------
        Hubert, L. and Arabie, P. (1985). Comparing partitions. Journal of Classification 2, 193-218.
        """
        from sklearn.metrics import adjusted_rand_score

        vectors = counts.unit_vectors()
        own, *others = (
            nearest_centroid(vectors, finder._dissolved(vectors, finder._centroids(vectors)))
            for finder in (replace(self, seed=self.seed + step) for step in range(seeds + 1))
        )
        return float(np.mean([adjusted_rand_score(own, other) for other in others]))

    def _centroids(self, vectors: Ints) -> Ints:
        from sklearn.cluster import KMeans, MiniBatchKMeans
        from threadpoolctl import threadpool_limits

        if self.k is not None and self.k > len(vectors):
            raise OptionError(
                f"voice.k is {self.k}, and {len(vectors):,} speakers are searched",
                where="--set voice.k",
                allowed=f"2 to {len(vectors)}",
                fix="leave it out for one cluster in 40 speakers",
            )
        wanted = self.k if self.k is not None else min(35, max(2, len(vectors) // 40))
        points = vectors.astype(np.float64) / UNIT
        distinct = len(np.unique(vectors, axis=0)) if len(vectors) < 4 * wanted else wanted
        k = min(wanted, distinct)
        if k < 2:
            return _rounded(points.mean(axis=0, keepdims=True) if len(points) else points)
        kind = KMeans if len(vectors) < MINI_BATCHES_FROM else MiniBatchKMeans
        # More than one thread would add in an order that changes from run to run.
        with threadpool_limits(limits=1), warnings.catch_warnings():
            # Fewer distinct voices than clusters is a matter for `_dissolved`.
            warnings.filterwarnings("ignore", message="Number of distinct clusters")
            found = kind(n_clusters=k, n_init=self.restarts, random_state=self.seed).fit(points)
        # The order of clusters out of k-means is arbitrary.
        rounded = _rounded(found.cluster_centers_)
        return rounded[np.lexsort(rounded.T[::-1])]

    def _dissolved(self, vectors: Ints, centroids: Ints) -> Ints:
        while len(centroids) > 1:
            sizes = np.bincount(nearest_centroid(vectors, centroids), minlength=len(centroids))
            smallest = int(sizes.argmin())
            if sizes[smallest] >= self.min_speakers:
                break
            centroids = np.delete(centroids, smallest, axis=0)
        return centroids


def _rounded(points: Floats) -> Ints:
    rounded: Ints = np.rint(points * UNIT).astype(np.int64)
    return rounded
