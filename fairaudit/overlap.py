"""How the methods meet: whether those whom one partition puts at the bottom are at another's bottom too."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations

import msgspec
import numpy as np

from fairaudit.cells import Members
from fairaudit.evidence import Overlap


def overlaps(members: Mapping[str, Members], fewest: int) -> tuple[Overlap, ...]:
    """Compare the bottoms of every two partitions, over the speakers who have a cohort in both.

    Parameters
    ----------
    members : mapping of str to Members
        By name of the partition; those without a bottom are left out.
    fewest : int
        Speakers that a shown figure needs: in the bottom, in the part that both share, and in the rest of it.

    Returns
    -------
    tuple of Overlap
        Two for each pair, one for each direction. Without a p where both read the same columns, such as
        gender and the slices by gender and accent.
    """
    with_bottom = {name: of for name, of in members.items() if of.bottom}
    found = []
    for a, b in permutations(with_bottom, 2):
        both = with_bottom[a].placed & with_bottom[b].placed
        first, second = (with_bottom[name].bottom & both for name in (a, b))
        overlap = _overlap(a, b, first, second, both, with_bottom[a].everyone, fewest)
        found.append(_of_rules(overlap, with_bottom[a].reads, with_bottom[b].reads))
    return tuple(found)


def _of_rules(overlap: Overlap, first: frozenset[str], second: frozenset[str]) -> Overlap:
    """Take the p from partitions that read the same columns: chance is nothing to compare them with."""
    both = tuple(sorted(first & second))
    if not both:
        return overlap
    why = f"both read {', '.join(both)}: they meet by construction"
    return msgspec.structs.replace(
        overlap,
        p_value=None,
        reason=overlap.reason or why,
        both_read=both,
        nested=first <= second or second <= first,
    )


def _overlap(
    a: str,
    b: str,
    first: frozenset[int],
    second: frozenset[int],
    both: frozenset[int],
    everyone: frozenset[int],
    fewest: int,
) -> Overlap:
    from scipy.stats import fisher_exact

    shared, others = len(first & second), both - first
    cells = (shared, len(first) - shared, len(others & second), len(others - second))
    elsewhere = len(everyone - both)
    if len(first) < fewest or any(0 < cell < fewest for cell in (*cells, elsewhere)):
        why = f"suppressed: it would tell of fewer than {fewest} speakers"
        return Overlap(a=a, b=b, share=None, expected=None, p_value=None, reason=why)
    table = np.array(cells).reshape(2, 2)
    return Overlap(
        a=a,
        b=b,
        # Rounded, so that no count can be worked out of them.
        share=round(shared / len(first), 2),
        expected=round(len(second) / len(both), 2),
        p_value=float(f"{fisher_exact(table).pvalue:.2g}"),
    )
