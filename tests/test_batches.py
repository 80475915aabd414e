"""Sums over batches: the mean and its deviation are those of the textbook, and what stays put is exact."""

import numpy as np
import pytest

from kernels_cuda.tally import N_COUNTERS, UNITS_PER_MEV
from mcdose.batches import BatchSums

SHAPE = (2, 3, 4)
ALL = slice(None)


def sums_of(tallies, sizes, decays=None, particles=1.0, local=0.0):
    """The sums a device would make of these tallies (MeV)."""
    units = np.rint(np.asarray(tallies) * UNITS_PER_MEV).astype(np.int64)
    squares = sum(u.astype(float) ** 2 / n for u, n in zip(units, sizes))
    sums = BatchSums(units.sum(axis=0), squares, np.ones(SHAPE, np.float32), decays, particles, local)
    for n in sizes:
        sums.count(np.zeros(N_COUNTERS, np.int64), n)
    return sums


def test_equal_batches_give_the_standard_error_of_the_mean():
    rng = np.random.default_rng(2)
    per_batch = rng.gamma(4.0, 1.0, (20, *SHAPE)) * 100
    sums = sums_of(per_batch, [100] * 20, particles=7.0)
    mean = 7.0 * per_batch.mean(axis=0) / 100
    error = 7.0 * per_batch.std(axis=0, ddof=1) / np.sqrt(20) / 100
    assert sums.energy(ALL) == pytest.approx(mean, rel=1e-6)
    assert sums.relative_uncertainty(ALL) == pytest.approx(error / mean, rel=1e-5)


def test_unequal_batches_cover_the_spread():
    """Poisson tallies in batches of very different size: the deviation is that of the whole."""
    rng = np.random.default_rng(3)
    sizes = [50, 100, 400, 800, 200] * 8
    total = sum(sizes)
    runs = [sums_of([rng.poisson(0.2 * n, SHAPE) for n in sizes], sizes) for _ in range(40)]
    variance = np.mean([(r.relative_uncertainty(ALL) * r.energy(ALL)) ** 2 for r in runs])
    assert variance == pytest.approx(0.2 / total, rel=0.05)  # 960 estimates of 39 degrees of freedom: 0.7 %
    assert np.var([r.energy(ALL) for r in runs], axis=0, ddof=1).mean() == pytest.approx(0.2 / total, rel=0.15)


def test_regions_have_the_deviation_of_the_mean_of_their_batches():
    """Unequal batches, one region with next to no spread: no cancellation."""
    rng = np.random.default_rng(5)
    sizes = np.array([50, 100, 400, 800, 200] * 6)
    per_history = np.stack([rng.gamma(4.0, 1.0, sizes.size), 3.0 + 1e-9 * rng.standard_normal(sizes.size)], axis=1)
    units = np.rint(per_history * sizes[:, None] * UNITS_PER_MEV * 1e6).astype(np.int64)
    sums = BatchSums(np.zeros(SHAPE, np.int64), np.zeros(SHAPE), np.ones(SHAPE), None, 7.0, 0.0)
    for n, of_batch in zip(sizes.tolist(), units.tolist()):
        sums.count(np.zeros(N_COUNTERS, np.int64), n, of_batch)
    energy, sd = sums.region_energies(2)
    mean = np.average(per_history, axis=0, weights=sizes)
    variance = (sizes[:, None] * (per_history - mean) ** 2).sum(axis=0) / ((sizes.size - 1) * sizes.sum())
    assert energy == pytest.approx(7e6 * mean, rel=1e-12)
    assert sd == pytest.approx(7e6 * np.sqrt(variance), rel=1e-5)


def test_what_is_not_transported_is_exact():
    decays = np.arange(24.0).reshape(SHAPE)
    still = sums_of([np.zeros(SHAPE)], [1], decays, particles=0.0, local=5.0)
    assert np.array_equal(still.energy(ALL), 5.0 * decays)
    assert still.relative_uncertainty(ALL)[0, 0, 1] == 0.0
    assert np.isnan(still.relative_uncertainty(ALL)[0, 0, 0])  # nothing there
    rng = np.random.default_rng(4)
    tallies = rng.gamma(4.0, 1.0, (9, *SHAPE))
    plain, more = sums_of(tallies, [10] * 9), sums_of(tallies, [10] * 9, decays, local=0.1)
    ratio = plain.energy(ALL) / more.energy(ALL)
    assert more.relative_uncertainty(ALL) == pytest.approx(plain.relative_uncertainty(ALL) * ratio)


def test_one_batch_says_nothing_of_its_uncertainty():
    sums = sums_of([np.ones(SHAPE)], [10])
    assert np.isnan(sums.relative_uncertainty(ALL)).all()
    assert np.isnan(sums.mean_uncertainty())


def test_deposits_are_summed_exactly():
    big = np.full(SHAPE, 2.0**32)  # MeV: beyond what a double holds to the last unit
    sums = sums_of([big], [1])
    sums.total[0, 0, 0] += 1
    assert sums.deposited_units == 24 * 2**58 + 1
