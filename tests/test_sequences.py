"""The places, directions and energies that a batch draws: uniform, and even in every stretch of histories."""

import numpy as np
import pytest

from kernels_cuda import source
from kernels_cuda.batch import Batch, placing
from kernels_cuda.device import driver
from kernels_cuda.rng import Stream
from tests.transport import box

F = np.float32
STRETCH = 200  # histories of a voxel in a batch


@driver()
def _drawn(s, g, first, n, shift):
    out = np.empty((n, 9), np.float32)
    zero = np.uint32(0)
    collision = source.first_collision(shift, zero)
    for i in range(n):
        _, out[i, 0] = source.emission(s, first + i, shift)
        _, _, _, out[i, 1], out[i, 2], out[i, 3], out[i, 4], out[i, 5], out[i, 6] = source.place(
            s, g, 0, first + i, shift
        )
        stream = Stream(zero, zero, np.uint32(first + i), zero, zero)
        out[i, 7], out[i, 8] = source.collision_numbers(collision, stream)
    return out


def drawn(first, n, seed):
    """Eight numbers in (0, 1) for each history: energy, x, y, z, cosine, azimuth, first flight and transfer."""
    grid = box((1, 1, 1), (1.0, 1.0, 1.0))
    line = [np.array(v, kind) for v, kind in (([0.0], F), ([1.0], F), ([1], np.int32), ([0] * 4096, np.int32))]
    tables = source.SourceTables(
        np.zeros(1, np.uint32), np.array([1 << 62], np.uint64), np.zeros(3, F), np.int32(0),
        np.array([0, 0], np.uint32), *line,
    )  # fmt: skip
    # one segment from 0 to 1 MeV over all probabilities: its width wraps to zero, so give it two halves
    half = np.uint32(1 << 31)
    tables = tables._replace(
        threshold=np.array([0, half, 0], np.uint32), energy_low=np.array([0, 0.5], F),
        energy_high=np.array([0.5, 1], F), particle=np.array([1, 1], np.int32),
    )  # fmt: skip
    out = _drawn(tables, grid, first, n, placing(Batch(seed, 0, 1000), 1 << 62).shift).astype(float)
    azimuth = np.arctan2(out[:, 5], out[:, 4]) / (2 * np.pi) % 1
    return np.column_stack([out[:, 0], out[:, 1:4] + 0.5, (out[:, 6] + 1) / 2, azimuth, out[:, 7:]])


def test_every_history_is_uniform_over_batches():
    """The first history of 4000 batches, and the millionth: no batch favours a place, direction or energy."""
    for first in (0, 1_000_000):
        points = np.concatenate([drawn(first, 1, seed) for seed in range(4000)])
        for column in points.T:
            counts, _ = np.histogram(column, 20, (0, 1))
            assert ((counts - 200) ** 2 / 190).sum() == pytest.approx(20, abs=5 * np.sqrt(40))
        correlation = np.corrcoef(points.T) - np.eye(8)
        assert np.abs(correlation).max() < 5 / np.sqrt(4000)


def scatter(values):
    """Scatter over stretches of the mean of a function, in units of that of independent random numbers."""
    return values.mean(axis=1).std() / (values.std() / np.sqrt(STRETCH))


def test_every_stretch_is_even():
    """Means over a stretch scatter far less than those of random numbers: all coordinates, most pairs of them."""
    stretches = np.stack([drawn(97 * seed, STRETCH, seed) for seed in range(300)])
    waves = np.cos(np.pi * stretches)
    assert max(scatter(waves[..., k]) for k in range(6)) < 0.3
    pairs = [scatter(waves[..., k] * waves[..., j]) for k in range(6) for j in range(k)]
    assert np.mean(pairs) < 0.7
    assert max(pairs) < 1.3
