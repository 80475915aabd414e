import numpy as np
import pytest

from kernels_cuda.device import driver
from kernels_cuda.rng import Stream, child, exponential, philox, uniforms, unit, unit_high16, unit_low16

# Known answers of Random123 (Salmon et al. 2011), philox4x32-10: counter, key, result.
VECTORS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "answer"), VECTORS)
def test_philox_gives_the_known_answers(counter, key, answer):
    words = philox(*(np.uint32(c) for c in counter), *(np.uint32(k) for k in key))
    assert tuple(int(w) for w in words) == answer


def test_numbers_stay_inside_the_open_interval():
    for convert in (unit, unit_high16, unit_low16):
        low, high = convert(np.uint32(0)), convert(np.uint32(0xFFFFFFFF))
        assert 0 < low < high < 1
        assert np.float32(high) < np.float32(1)


@driver()
def _exponentials(numbers):
    out = np.empty_like(numbers)
    for i in range(numbers.size):
        out[i] = exponential(numbers[i])
    return out


def test_exponential_deviates_are_the_logarithm():
    """Every number that can be drawn: within two units of float32's last place, none negative, none out of order."""
    numbers = ((np.arange(2**23) + 0.5) / 2**23).astype(np.float32)
    ours, exact = _exponentials(numbers), -np.log(numbers.astype(float))
    assert np.abs(ours / exact - 1).max() < 2.5e-7
    assert ours.min() > 0
    assert ours.mean(dtype=float) == pytest.approx(1, abs=2e-6)


@driver()
def _draw(n):
    out = np.empty((n, 4), np.float32)
    zero = np.uint32(0)
    for h in range(n):
        out[h] = uniforms(Stream(np.uint32(7), zero, np.uint32(h), zero, zero), zero)
    return out


def test_uniforms_are_uniform_and_uncorrelated():
    n = 200_000
    draws = _draw(n).astype(float)
    sigma = 1 / np.sqrt(12 * n)
    assert np.abs(draws.mean(axis=0) - 0.5).max() < 5 * sigma
    correlation = np.corrcoef(draws.T) - np.eye(4)
    assert np.abs(correlation).max() < 5 / np.sqrt(n)
    assert np.abs(np.corrcoef(draws[1:, 0], draws[:-1, 0])[0, 1]) < 5 / np.sqrt(n)


def test_the_particles_of_a_history_have_numbers_of_their_own():
    """Three generations, each parent with two children per block drawn: no two share a number."""

    def children(number):
        stream = Stream(*[np.uint32(0)] * 4, np.uint32(number))
        return [int(child(stream, np.uint32(block), np.int32(k)).particle) for block in range(1, 31) for k in (0, 1)]

    with np.errstate(over="ignore"):
        sons = children(1)
        grandsons = [n for son in sons for n in children(son)]
    everyone = [0, 1, *sons, *grandsons]
    assert len(set(everyone)) == len(everyone)
