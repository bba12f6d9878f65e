import numpy as np
import pytest

from fairaudit.classes import LENGTHS, binned, utterance_length


@pytest.mark.parametrize(
    ("words", "name"),
    [
        *[(0, "0"), (1, "1-2"), (2, "1-2"), (3, "3-5"), (5, "3-5"), (6, "6-10"), (10, "6-10")],
        *[(11, "11-20"), (20, "11-20"), (21, "21+"), (900, "21+")],
    ],
)
def test_an_utterance_is_in_the_class_of_its_length(words, name):
    assert utterance_length(np.array([words])).texts().tolist() == [name]


def test_classes_of_length_stand_in_the_order_of_length():
    assert utterance_length(np.array([30, 4, 15, 8, 0, 1])).values == tuple(LENGTHS.values())


def test_a_class_begins_at_its_edge_and_missing_stays_missing():
    labels = binned(np.array([29.9, 30, 59.9, 60, np.nan]), [60, 30])
    assert labels.texts().tolist() == [
        "under 30",
        "30 to under 60",
        "30 to under 60",
        "60 and over",
        None,
    ]


def test_names_stand_in_the_order_of_the_numbers():
    labels = binned(np.array([5.0, 50.0, 500.0]), [10, 100])
    assert labels.values == ("under 10", "10 to under 100", "100 and over")


def test_quantiles_make_classes_of_about_equal_size_whatever_the_order():
    values = np.random.default_rng(0).gamma(2, 17, 1000)
    labels = binned(values, classes=5)
    assert np.bincount(labels.codes).tolist() == pytest.approx([200] * 5, abs=10)
    assert (binned(values[::-1], classes=5).texts() == labels.texts()[::-1]).all()


def test_quantiles_that_coincide_make_fewer_classes():
    values = np.array([0.0] * 90 + [7.0] * 10)
    assert binned(values).values == ("0 and over",)
    assert binned(values, classes=20).values == ("0 to under 7", "7 and over")
    assert binned(np.array([np.nan, np.nan])).values == ()


def test_edges_of_large_numbers_keep_different_names():
    assert binned(np.array([1.0, 2e9]), [1234567890.5, 1234567891.5]).values == (
        "under 1234567890.5",
        "1234567891.5 and over",
    )
