"""Dose as a smooth function of the distance from its source, where only photons deposit it.

1. Beyond the reach of the electrons the dose D(r) of a point source, times r^2, is smooth: attenuation, build-up and
   the absorption of energy change over centimetres. Noise of single voxels is averaged over spherical shells.
2. A shell's mean of r^2 D is the energy of its voxels over the sum of their mass times the mean of 1/r^2 over all
   pairs of a point of the source and a point of the voxel: exact where r^2 D is constant, whatever the shape of the
   voxels.
3. ln(r^2 D) over ln r is a cubic spline, as smooth as the uncertainties of the shells allow (Reinsch 1967: the sum of
   squared deviations, in units of their variances, equals the number of shells).
4. Beyond the last shell that is known well, r^2 D falls exponentially with the slope it has there.
5. The mean over two voxels is a sum over Gauss points of their difference, whose density is a triangle along each axis.

Reinsch, Numer. Math. 10 (1967) 177.
"""

from dataclasses import dataclass

import numpy as np

J_PER_MEV_KG_PER_G = 1.602176634e-10  # Gy per MeV/g
NODES = 256  # of the stored curve, over three decades of distance: linear interpolation is right to 1e-4
FEWEST_SHELLS = 6
LARGEST_UNCERTAINTY = 0.25  # of a shell that still counts
MODEL_UNCERTAINTY = 0.003  # of a shell: r^2 D is not constant over its voxels
SHELL_RATIO = 1.12  # of the radii of a shell: 20 shells per decade
NEAR_VOXELS = 8.0  # two voxels closer than this need more than two Gauss points along an axis
BLOCK = 1 << 18  # voxels evaluated at a time: bounds the memory


@dataclass(frozen=True, eq=False)
class RadialDose:
    """Dose per decay of a point source over the distance from it.

    Attributes
    ----------
    radii_cm : array (n,)
        Ascending.
    gy_cm2 : array (n,)
        Dose times the square of the distance, Gy cm2 per decay, above zero; linear in between, constant below the first
        radius, zero beyond the last.
    relative_uncertainty : array (n,)
        One standard deviation of a shell (12 % wide) there.
    """

    radii_cm: np.ndarray
    gy_cm2: np.ndarray
    relative_uncertainty: np.ndarray

    def at(self, radius_cm):
        """Dose per decay (Gy) at distances above zero, any shape."""
        return np.interp(radius_cm, self.radii_cm, self.gy_cm2, right=0.0) / np.square(radius_cm)

    def uncertainty_at(self, radius_cm):
        """Relative standard uncertainty at distances."""
        return np.interp(radius_cm, self.radii_cm, self.relative_uncertainty)

    def energy_beyond(self, radius_cm, density_g_cm3):
        """Energy (MeV per decay) deposited between a distance and the last radius."""
        first = min(radius_cm, self.radii_cm[-1])
        fine = np.union1d(first, self.radii_cm[self.radii_cm > first])
        gy_cm2 = np.interp(fine, self.radii_cm, self.gy_cm2)
        return float(4 * np.pi * density_g_cm3 * np.trapezoid(gy_cm2, fine) / J_PER_MEV_KG_PER_G)

    def radius_with_beyond(self, energy_mev, density_g_cm3):
        """The distance (cm) beyond which this energy (MeV per decay) is deposited; the first radius at least."""
        beyond = np.array([self.energy_beyond(r, density_g_cm3) for r in self.radii_cm])
        return float(np.interp(-energy_mev, -beyond, self.radii_cm))

    def voxel_means(self, offsets_cm, spacing_cm):
        """Mean dose per decay (Gy) over pairs of points in two voxels.

        Parameters
        ----------
        offsets_cm : array [..., 3]
            From the middle of the source voxel to that of the other, (x, y, z).
        spacing_cm : array (3,)
        """
        return pair_means(self.at, offsets_cm, spacing_cm, point_source=False)


def pair_means(function, offsets_cm, spacing_cm, point_source):
    """Mean of a function of the distance over a voxel and a source, which is a point or a voxel of the same size.

    Parameters
    ----------
    function : callable
        Of an array of distances (cm).
    offsets_cm : array [..., 3]
        From the source's middle to the voxel's, (x, y, z); longer than a voxel.
    spacing_cm : array (3,)
    point_source : bool
    """
    offsets = np.asarray(offsets_cm, float).reshape(-1, 3)
    spacing = np.asarray(spacing_cm, float)
    close = np.sqrt((offsets**2).sum(axis=1)) < NEAR_VOXELS * spacing.max()
    means = np.empty(len(offsets))
    for chosen, points in ((close, 3), (~close, 1)):
        nodes, weights = _difference_rule(points, point_source)
        grid = np.stack(np.meshgrid(nodes, nodes, nodes, indexing="ij"), -1).reshape(-1, 3) * spacing
        weight = np.einsum("i,j,k->ijk", weights, weights, weights).ravel()
        where = np.flatnonzero(chosen)
        for first in range(0, len(where), BLOCK):
            some = where[first : first + BLOCK]
            total = np.zeros(len(some))
            for shift, share in zip(grid, weight):
                total += share * function(np.sqrt(((offsets[some] + shift) ** 2).sum(axis=1)))
            means[some] = total
    return means.reshape(np.shape(offsets_cm)[:-1])


def _difference_rule(points, point_source):
    """Nodes (in voxels) and weights of the difference of two uniform points along an axis, or of one and the middle.

    One point stands for two at plus and minus the standard deviation: right to the third moment.
    """
    if points == 1:
        deviation = np.sqrt(1 / 12 if point_source else 1 / 6)
        return np.array([-deviation, deviation]), np.array([0.5, 0.5])
    nodes, weights = np.polynomial.legendre.leggauss(points)
    if point_source:
        return nodes / 2, weights / 2
    half = (nodes + 1) / 2  # on 0 to 1, with the density 1 - t of the triangle
    share = weights / 2 * (1 - half)
    return np.concatenate([-half[::-1], half]), np.concatenate([share[::-1], share])


@dataclass(frozen=True, eq=False)
class Shells:
    """Means of r^2 D over spherical shells: radii (cm), values (Gy cm2 per decay), relative standard uncertainties."""

    radii_cm: np.ndarray
    gy_cm2: np.ndarray
    relative_uncertainty: np.ndarray


def shells(octant, offsets_cm, chosen, spacing_cm, voxel_g, point_source):
    """Shells from the voxels about a source.

    Parameters
    ----------
    octant : Octant
        Energies, MeV per decay.
    offsets_cm : array [z, y, x, 3]
    chosen : bool array [z, y, x]
        The voxels to use.
    spacing_cm : array (3,)
    voxel_g : float
        Mass of a voxel.
    point_source : bool
        The source is a point, otherwise a voxel.
    """
    at = offsets_cm[chosen]
    if not len(at):
        return Shells(*np.zeros((3, 0)))
    radius = np.sqrt((at**2).sum(axis=1))
    count = octant.count[chosen]
    inverse = count * pair_means(lambda r: r**-2.0, at, spacing_cm, point_source)
    shell = (np.log(radius / radius.min()) / np.log(SHELL_RATIO)).astype(int)
    weight, energy, variance, distance = (
        np.bincount(shell, values)
        for values in (inverse, (octant.mean * octant.count)[chosen], octant.sum_variance[chosen], inverse * radius)
    )
    known = energy > 0
    weight, energy, variance, distance = weight[known], energy[known], variance[known], distance[known]
    gy_cm2 = energy / (weight * voxel_g) * J_PER_MEV_KG_PER_G
    return Shells(distance / weight, gy_cm2, np.sqrt(variance) / energy)


def smooth(parts, last_cm):
    """The smooth curve through the shells of several grids, or None where there is hardly any dose.

    Parameters
    ----------
    parts : sequence of Shells
    last_cm : float
        Where the curve ends.
    """
    from scipy.interpolate import UnivariateSpline

    columns = [np.concatenate([getattr(p, name) for p in parts]) for name in Shells.__dataclass_fields__]
    order = np.argsort(columns[0])
    radius, gy_cm2, relative = (c[order] for c in columns)
    good = (relative < LARGEST_UNCERTAINTY) & (relative > 0)
    if good.sum() < FEWEST_SHELLS:
        return None
    radius, gy_cm2, relative = radius[good], gy_cm2[good], relative[good]
    radius, first = np.unique(radius, return_index=True)
    gy_cm2, relative = gy_cm2[first], relative[first]
    weights = 1.0 / np.hypot(relative, MODEL_UNCERTAINTY)
    spline = UnivariateSpline(np.log(radius), np.log(gy_cm2), w=weights, s=len(radius))
    end = min(radius[-1], last_cm)
    nodes = np.geomspace(radius[0], last_cm, NODES)
    inside = np.minimum(nodes, end)
    slope = min(float(spline.derivative()(np.log(end))) / end, 0.0)
    curve = np.exp(spline(np.log(inside)) + slope * (nodes - inside))
    return RadialDose(nodes, curve, np.interp(nodes, radius, relative))
