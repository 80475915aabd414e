"""FFT convolution against direct summation."""

import numpy as np
import pytest

import mcdose
from mcdose.convolution import convolve


def _direct(decays, kernel):
    """The definition: every decay spreads the kernel about itself."""
    half = [n // 2 for n in kernel.shape]
    padded = np.zeros([n + 2 * h for n, h in zip(decays.shape, half)])
    for z, y, x in np.argwhere(decays):
        there = tuple(slice(i, i + n) for i, n in zip((z, y, x), kernel.shape))
        padded[there] += decays[z, y, x] * kernel
    return padded[tuple(slice(h, h + n) for h, n in zip(half, decays.shape))]


@pytest.mark.parametrize("size", [(3, 5, 7), (1, 1, 1), (21, 25, 31)])
def test_equals_direct_summation_to_1e_12(size):
    random = np.random.default_rng(4)
    decays = np.where(random.random((12, 9, 14)) > 0.7, random.random((12, 9, 14)), 0.0)
    kernel = random.random(size) ** 20  # five decades and more
    fast = convolve(decays, [kernel])[0]
    direct = _direct(decays, kernel)
    assert np.abs(fast - direct).max() < 1e-12 * direct.max()
    assert fast.min() >= 0.0


def test_nothing_wraps_around_the_edges():
    decays = np.zeros((9, 9, 9))
    decays[0, 0, 0] = 1.0
    kernel = np.zeros((5, 5, 5))
    kernel[2, 2, 2], kernel[0, 2, 2] = 1.0, 10.0
    out = convolve(decays, [kernel])[0]
    assert out[0, 0, 0] == pytest.approx(1.0)
    assert out.sum() == pytest.approx(1.0)  # the 10 lies outside the grid


def test_an_asymmetric_kernel_keeps_its_direction():
    decays = np.zeros((7, 7, 7))
    decays[3, 3, 3] = 2.0
    kernel = np.zeros((3, 5, 3))
    kernel[2, 0, 1] = 1.0  # one voxel up in z, two down in y
    out = convolve(decays, [kernel])[0]
    assert out[4, 1, 3] == pytest.approx(2.0)


def test_even_kernels_are_refused():
    decays = np.ones((4, 4, 4))
    with pytest.raises(mcdose.InputError, match=r"4 x 3 x 3 voxels.*odd"):
        convolve(decays, [np.ones((3, 3, 4))])
