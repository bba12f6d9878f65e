"""The gap that the same procedure gives when speakers' errors have nothing to do with their attributes.

A maximum minus a minimum is positive without any true difference, so an interval around it proves
nothing. Here whole speakers are permuted against their attributes and the whole procedure runs
again: all splits, search, ranking, measuring. The procedure is handed in as a function.

References
----------
Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical
Applications in Genetics and Molecular Biology 9, 39.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fairaudit.counts import Floats, Ints, SpeakerCounts
from fairaudit.evidence import Chance
from fairaudit.procedure import Figures

#: Replicates are run together up to about this many rows in all: more at once are no faster, and tell less
#: often how far they have come.
ROWS_AT_ONCE = 200_000

Run = Callable[[Floats, Floats], Figures]


@dataclass(frozen=True, eq=False)
class Null:
    """What the procedure gave on the permuted logs; see `fairaudit.procedure.Figures`."""

    figures: Figures

    def p_value(self, observed: float, statistics: Floats) -> float | None:
        """Return (1 + r) / (1 + R), where r replicates reach the observed statistic.

        Parameters
        ----------
        observed : float
            NaN where the procedure gave no gap; there is no p then.
        statistics : ndarray of float64, shape (replicates,)
            NaN where a replicate gave no gap, which does not reach anything.
        """
        if not np.isfinite(observed) or not len(statistics):
            return None
        # Equal sums may differ in the last digit where the batches have other shapes.
        reached = int(np.count_nonzero(statistics >= observed - 1e-9 * abs(observed)))
        return (1 + reached) / (1 + len(statistics))


def null(
    run: Run, counts: SpeakerCounts, replicates: int, seed: Sequence[int], step: Callable[[int], None]
) -> Null:
    """Run a procedure on permuted logs.

    Parameters
    ----------
    run : callable
        Takes errors and words of shape (replicates, rows) and returns Figures.
    counts : SpeakerCounts
        The rows that the procedure reads.
    replicates : int
    seed : sequence of int
    step : callable
        Told how many replicates are done.

    Returns
    -------
    Null
    """
    at_once = max(1, min(replicates, ROWS_AT_ONCE // max(1, counts.rows)))
    errors, words = counts.errors.astype(np.float64), counts.ref_words.astype(np.float64)
    done: list[Figures] = []
    rows = permuted_rows(counts, np.random.default_rng(seed))
    for first in range(0, replicates, at_once):
        batch = np.stack([next(rows) for _ in range(min(at_once, replicates - first))])
        done.append(run(errors[batch], words[batch]))
        step(len(batch))
    fields = Figures.__dataclass_fields__
    return Null(Figures(*(np.concatenate([getattr(part, name) for part in done]) for name in fields)))


def chance_of(found: tuple[Figures, Null] | None, *, searches: bool) -> Chance | None:
    """Report what chance gives; Holm over partitions is filled in when all are known.

    Parameters
    ----------
    found : tuple of Figures and Null, or None
        The procedure on the log as it is and on permuted logs.
    searches : bool
        Whether bottom and top are named from the data, so that there is an in-sample gap.
    """
    if found is None:
        return None
    observed, permuted = found
    null_figures = permuted.figures
    replicates = len(null_figures.statistic)
    gaps = tuple(float(g) if np.isfinite(g) else None for g in np.exp(null_figures.log_ratio) - 1)
    known = [g for g in gaps if g is not None]
    in_sample = np.exp(null_figures.in_sample_log_ratio[np.isfinite(null_figures.in_sample_log_ratio)]) - 1
    return Chance(
        replicates=replicates,
        gaps=gaps,
        p95=float(np.quantile(known, 0.95, method="higher")) if known else None,
        in_sample_mean=float(in_sample.mean()) if searches and len(in_sample) else None,
        in_sample_p_value=permuted.p_value(
            float(observed.in_sample_statistic[0]), null_figures.in_sample_statistic
        )
        if searches
        else None,
        p_floor=1 / (1 + replicates),
        p_value=permuted.p_value(float(observed.statistic[0]), null_figures.statistic),
        p_value_holm=None,
    )


def permuted_rows(counts: SpeakerCounts, generator: np.random.Generator) -> Iterator[Ints]:
    """Draw permutations of rows that move whole speakers, and shuffle the rows of each.

    Speakers exchange places with speakers who have the same number of settings, so that a block of
    rows meets a block of equal length. Within a block the rows are shuffled, too: where every speaker
    is in every setting, nothing else would break the link between errors and settings. What moves are
    the errors and words; attributes and halves stay.

    Parameters
    ----------
    counts : SpeakerCounts
    generator : numpy.random.Generator

    Yields
    ------
    ndarray of int64, shape (rows,)
        For each row, the row whose errors and words it gets.

    Examples
    --------
    >>> counts = SpeakerCounts.of(["a", "a", "b", "b", "c"], ref_words=[1] * 5, errors=[0] * 5,
    ...                           attributes={"device": ["x", "y", "x", "z", "x"]})
    >>> rows = permuted_rows(counts, np.random.default_rng(2))
    >>> sorted({tuple(next(rows).tolist()) for _ in range(99)})
    [(0, 1, 2, 3, 4), (0, 1, 3, 2, 4), (1, 0, 2, 3, 4), (1, 0, 3, 2, 4),
     (2, 3, 0, 1, 4), (2, 3, 1, 0, 4), (3, 2, 0, 1, 4), (3, 2, 1, 0, 4)]
    """
    settings = counts.settings_per_speaker()
    starts = np.cumsum(settings) - settings
    blocks = [starts[settings == size][:, None] + np.arange(size) for size in np.unique(settings) if size > 0]
    while True:
        rows = np.empty(counts.rows, dtype=np.int64)
        for block in blocks:
            moved = block[generator.permutation(len(block))]
            # One row has no order, and drawing none keeps the draws of a log without travellers as they are.
            rows[block] = generator.permuted(moved, axis=1) if block.shape[1] > 1 else moved
        yield rows
