"""Energy axes that are linear between powers of two.

The row of a float32 is read off its bits (exponent and leading mantissa bits) without a logarithm. With 128 rows per
octave linear interpolation of an E^-3 law errs by less than 1e-4.
"""

from typing import NamedTuple

import numpy as np

MANTISSA_BITS = 23


class Axis(NamedTuple):
    """Bits to drop, mask of the dropped bits, their unit, first and last interval."""

    shift: np.int32
    mask: np.int32
    unit: np.float32
    first: np.int32
    last: np.int32


def energy_axis(lowest, highest, per_octave):
    """An axis that covers ``lowest`` to ``highest``.

    Parameters
    ----------
    lowest, highest : float
        Range, any positive unit.
    per_octave : int
        Intervals per factor of two; a power of two.

    Returns
    -------
    Axis
    numpy.ndarray
        The nodes, float64, one more than there are intervals.
    """
    shift = MANTISSA_BITS - (per_octave.bit_length() - 1)
    first, last = (int(np.float32(e).view(np.int32)) >> shift for e in (lowest, highest))
    nodes = (np.arange(first, last + 2, dtype=np.int32) << shift).view(np.float32).astype(float)
    mask = np.int32((1 << shift) - 1)
    return Axis(np.int32(shift), mask, np.float32(2.0**-shift), np.int32(first), np.int32(last - first)), nodes
