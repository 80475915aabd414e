"""Folding about the middle voxel: means, variances and counts."""

import numpy as np

from mcdose.octant import Octant, fold, offsets, unfold


def test_fold_and_unfold_are_inverse_for_symmetric_arrays():
    near = np.random.default_rng(1).random((3, 4, 2))
    full = unfold(near)
    assert full.shape == (5, 7, 3)
    np.testing.assert_array_equal(full, full[::-1, ::-1, ::-1])
    np.testing.assert_allclose(fold(full, np.zeros(full.shape)).mean, near)


def test_counts_and_variances():
    folded = fold(np.ones((3, 3, 3)), np.full((3, 3, 3), 0.04))
    assert folded.count[0, 0, 0] == 1
    assert folded.count[0, 0, 1] == 2
    assert folded.count[1, 1, 1] == 8
    assert np.isclose(folded.relative_uncertainty[0, 0, 0], 0.2)
    assert np.isclose(folded.relative_uncertainty[1, 1, 1], 0.2 / np.sqrt(8))


def test_axes_are_exchanged_only_where_spacings_are_equal():
    mean = np.zeros((2, 2, 2))
    mean[0, 0, 1], mean[0, 1, 0], mean[1, 0, 0] = 1.0, 3.0, 8.0  # neighbours along x, y, z
    octant = Octant(mean, np.ones((2, 2, 2)), fold(np.ones((3, 3, 3)), np.zeros((3, 3, 3))).count)
    both = octant.exchanged((2.0, 2.0, 3.0))
    assert both.mean[0, 0, 1] == both.mean[0, 1, 0] == 2.0
    assert both.mean[1, 0, 0] == 8.0
    assert both.count[0, 0, 1] == 4
    assert octant.exchanged((2.0, 2.0, 2.0)).mean[1, 0, 0] == 4.0
    np.testing.assert_array_equal(octant.exchanged((2.0, 3.0, 4.0)).mean, mean)


def test_offsets_are_x_y_z():
    np.testing.assert_array_equal(offsets((1, 2, 3), (0.1, 0.2, 0.4))[1, 2, 3], [3 * 0.1, 2 * 0.2, 0.4])
