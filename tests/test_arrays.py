"""Slabs cover a grid, and arrays find their own namespace."""

import numpy as np
import pytest

from mcdose import arrays


@pytest.mark.parametrize("shape", [(1, 1, 1), (5, 3, 4), (7, 1024, 1024), (3, 2048, 1024), (40, 300, 300)])
def test_slabs_cover_every_slice_once(shape):
    parts = list(arrays.slabs(shape))
    assert [z for part in parts for z in range(shape[0])[part]] == list(range(shape[0]))
    assert max(part.stop - part.start for part in parts) in (1, shape[0], arrays.SLAB_VOXELS // (shape[1] * shape[2]))


def test_numpy_arrays_are_at_home():
    values = np.arange(3.0)
    assert arrays.namespace(values) is np
    assert arrays.host(values) is values
