"""A batch of histories, and where in the source each of them begins."""

from typing import NamedTuple

import numpy as np

from .source import Shift


class Batch(NamedTuple):
    """Histories ``first`` to ``first + size - 1`` under a 64-bit seed: an independent replicate of the simulation."""

    seed: int
    first: int
    size: int


class Placing(NamedTuple):
    """History i of a batch stands at ``offset + i * stride`` of the cumulative decays; ``shift``: of its sequences."""

    offset: np.uint64
    stride: np.uint64
    shift: Shift


def placing(batch, decays):
    """Random offset and shifts of a batch; ``decays`` is the last of the integer cumulative decays."""
    stride = int(decays) // batch.size
    words = np.random.Philox(key=np.array([batch.seed, batch.first], np.uint64)).random_raw(1 + len(Shift._fields))
    shift = Shift(*(np.uint32(word >> np.uint64(32)) for word in words[1:]))
    return Placing(np.uint64(int(words[0]) % stride), np.uint64(stride), shift)


def seed_words(seed):
    """The two words of a 64-bit seed, low and high."""
    return np.uint32(seed & 0xFFFFFFFF), np.uint32(seed >> 32)


def split(batch, decays, near_end):
    """The first history of a batch that begins at or beyond ``near_end`` of the cumulative decays."""
    at = placing(batch, decays)
    return min(max(-(-(int(near_end) - int(at.offset)) // int(at.stride)), 0), batch.size)
