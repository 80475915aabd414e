"""The mean uncertainty of a dose, judged the same way while a run goes on and in its result."""

import math

from mcdose.arrays import namespace, slabs
from mcdose.phantom import BODY_DENSITY_G_CM3

HIGH_DOSE_SHARE = 0.5  # "above 50 % of the maximum": where the mean uncertainty is quoted
UNKNOWN = 1.0  # relative uncertainty that stands for "nothing scored" where NaN cannot


def mean_uncertainty(energy, relative, density, mask=None):
    """Mean relative uncertainty over a region.

    Parameters
    ----------
    energy, relative : callable
        Energy deposited (any unit) and its relative standard uncertainty (NaN where nothing was scored) in the slab of
        z given as a slice.
    density : array [z, y, x]
        g/cm3.
    mask : bool array [z, y, x], optional
        The region; by default the voxels of the body (see :func:`mcdose.phantom.in_body`) above half of its maximum
        dose.

    Returns
    -------
    float
        Voxels where nothing was scored count as 100 %; NaN for an empty region.
    """
    xp = namespace(density)
    region = mask.__getitem__ if mask is not None else _high_dose(energy, density)
    total, count = 0.0, 0
    for z in slabs(density.shape):
        inside = region(z)
        voxels = int(inside.sum())
        if voxels:
            total += float(xp.nan_to_num(relative(z)[inside], nan=UNKNOWN).sum(dtype=float))
            count += voxels
    return total / count if count else math.nan


def _high_dose(energy, density):
    """A function that gives, for a slab of z, the voxels of the body above half of its maximum dose."""
    xp = namespace(density)
    gas = BODY_DENSITY_G_CM3 if float(density.max()) > BODY_DENSITY_G_CM3 else 0.0  # nothing but gas: all counts

    def body_dose(z):
        return xp.where(density[z] > gas, energy(z) / density[z], 0.0)

    highest = {z.start: float(body_dose(z).max()) for z in slabs(density.shape)}
    floor = HIGH_DOSE_SHARE * max(highest.values())

    def region(z):
        return body_dose(z) > floor if highest[z.start] > floor else xp.zeros(density[z].shape, bool)

    return region
