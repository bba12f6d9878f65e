import hashlib

import numpy as np
import pytest

from fairaudit.exceptions import OptionError
from fairaudit.split import default_splits, halves


def names(n):
    return np.array([f"speaker {i}" for i in range(n)], dtype=object)


def test_half_of_split_k_is_bit_k_of_the_digest():
    got = halves(names(5), seed=42, splits=256)
    for i, name in enumerate(names(5)):
        digest = int.from_bytes(hashlib.sha256(f"42:{name}".encode()).digest(), "little")
        assert [(digest >> k) & 1 for k in range(256)] == got[:, i].astype(int).tolist()


def test_a_speaker_keeps_its_half_whoever_else_is_there():
    everyone = halves(names(100), seed=1, splits=3)
    np.testing.assert_array_equal(halves(names(100)[::7], seed=1, splits=3), everyone[:, ::7])


def test_halves_are_even_and_seeds_and_splits_differ():
    half = halves(names(4000), seed=1, splits=11)
    assert np.all(abs(half.mean(axis=1) - 0.5) < 0.03)
    agreement = (half[0] == half[1]).mean(), (half[0] == halves(names(4000), seed=2, splits=1)[0]).mean()
    assert all(abs(a - 0.5) < 0.03 for a in agreement)


@pytest.mark.parametrize("splits", [0, 257])
def test_number_of_splits_is_checked(splits):
    with pytest.raises(OptionError, match=str(splits)):
        halves(names(2), 1, splits)


def test_default_number_of_splits():
    assert (default_splits(9_999), default_splits(10_000)) == (11, 1)
