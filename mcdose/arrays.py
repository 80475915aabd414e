"""Arrays wherever they live: NumPy's in the memory of the machine, CuPy's on a GPU, worked on by the same code.

Whole-grid temporaries cost as much memory as the grid; so arithmetic on grids goes slab by slab along z.
"""

import sys

SLAB_VOXELS = 1 << 20  # 8 MiB of float64: near the cache, and many enough that the loop over slabs costs nothing


def namespace(array):
    """The package an array belongs to: numpy, or cupy, whose functions have the same names."""
    return sys.modules[type(array).__module__.partition(".")[0]]


def host(array):
    """The same values as a NumPy array."""
    return array.get() if hasattr(array, "get") else array


def slabs(shape):
    """Slices of z that cover a grid of this shape, each of about ``SLAB_VOXELS`` voxels.

    Examples
    --------
    >>> list(slabs((5, 1024, 512)))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    thickness = max(SLAB_VOXELS // (shape[1] * shape[2]), 1)
    for first in range(0, shape[0], thickness):
        yield slice(first, min(first + thickness, shape[0]))
