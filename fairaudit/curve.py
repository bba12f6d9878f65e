"""The gap-by-share curve between its points, so that partitions compare at the same share of speakers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fairaudit.evidence import SharePoint

#: Shares of speakers at which partitions are compared.
MATCHED_SHARES = (0.01, 0.02, 0.05, 0.10, 0.20, 0.30)


def gap_at(points: Sequence[SharePoint], share: float) -> float | None:
    """Return the gap of the worst-ranked share of the speakers against everyone else.

    The cohort in which the share ends counts in proportion: so many of its speakers, with as much of its
    words and errors, as are still wanted; the others of it are among everyone else. Cohorts without a point
    of their own count together with the next, and all behind the last point count as one.

    Parameters
    ----------
    points : sequence of SharePoint
        The curve of a partition.
    share : float
        Of the speakers, more than 0 and less than 1.

    Returns
    -------
    float or None
        A fraction; None for a curve without points that tell how many words their cohorts hold.

    Examples
    --------
    The worst cohort has a fifth of speakers and words and twice the rate of the others. Of a tenth, half of
    it, the others are 80 of 90 speakers as before and the 10 that are left of it.

    >>> round(gap_at([SharePoint(share=0.2, relative=1.0, ref_words=0.2)], 0.2), 3)
    1.0
    >>> round(gap_at([SharePoint(share=0.2, relative=1.0, ref_words=0.2)], 0.1), 3)
    0.8
    """
    known = [(p.share, p.ref_words, p.relative) for p in points if p.ref_words and p.relative is not None]
    if not known or known[0][0] <= 0:
        return None
    shares, words, relative = np.array(known, dtype=np.float64).T
    # The share of all errors that fall on cohorts with so many of all words, at such a gap.
    errors = words * (1 + relative) / (1 + words * relative)
    corners = np.concatenate([[0.0], shares, [1.0]])
    own_words, own_errors = (
        float(np.interp(share, corners, np.concatenate([[0.0], held, [1.0]]))) for held in (words, errors)
    )
    if not (0 < own_words < 1 and own_errors < 1):
        return None
    return own_errors / own_words * (1 - own_words) / (1 - own_errors) - 1
