"""The gap at a share of speakers that no set of whole cohorts has."""

import numpy as np
import pytest

from fairaudit.curve import MATCHED_SHARES, gap_at
from fairaudit.evidence import SharePoint

#: Speakers, words and errors of cohorts, the worst first.
COHORTS = np.array([[10.0, 900, 180], [30, 4000, 600], [40, 2000, 220], [20, 3100, 200]])


def curve_of(cohorts):
    total, points = cohorts.sum(axis=0), []
    for taken in np.cumsum(cohorts, axis=0)[:-1]:
        rate, rest = taken[2] / taken[1], (total - taken)[2] / (total - taken)[1]
        words = taken[1] / total[1]
        points.append(SharePoint(share=taken[0] / total[0], relative=rate / rest - 1, ref_words=words))
    return points


def plain(cohorts, share):
    """Take speakers one by one, the last cohort in part."""
    wanted, taken = share * cohorts[:, 0].sum(), np.zeros(3)
    for cohort in cohorts:
        part = min(1.0, wanted / cohort[0])
        taken += part * cohort
        wanted -= part * cohort[0]
    rest = cohorts.sum(axis=0) - taken
    return (taken[2] / taken[1]) / (rest[2] / rest[1]) - 1


@pytest.mark.parametrize("share", [*MATCHED_SHARES, 0.4, 0.9])
def test_the_cohort_in_which_a_share_ends_counts_in_proportion(share):
    assert gap_at(curve_of(COHORTS), share) == pytest.approx(plain(COHORTS, share))


def test_a_cohort_whose_point_is_withheld_counts_together_with_the_next():
    points = curve_of(COHORTS)
    joined = np.array([COHORTS[0], COHORTS[1] + COHORTS[2], COHORTS[3]])
    assert gap_at([points[0], points[2]], 0.3) == pytest.approx(plain(joined, 0.3))


def test_a_curve_that_does_not_tell_its_words_has_no_figure():
    points = [SharePoint(share=p.share, relative=p.relative) for p in curve_of(COHORTS)]
    assert gap_at(points, 0.1) is None
    assert gap_at([], 0.1) is None
    assert gap_at([SharePoint(share=0.5, relative=None, ref_words=0.5)], 0.1) is None
