"""Self-dose of spheres: the sphere model for tumours of any mass.

1. Activity uniform in a sphere of radius R, which lies in an endless medium of the same kind.
2. Two points of the sphere a distance r apart: of the points at r from a random point of the sphere, the share inside
   is g(r) = 1 - 3 x / 4 + x^3 / 16, x = r / R <= 2.
3. With f(r) dr the share of a decay's energy absorbed between r and r + dr of a point source (the dose-point kernel),
   the absorbed share is phi = integral of f(r) g(r) dr (Berger 1970): exact, no voxels.
4. S = phi E / m.

The medium around scatters back a little. Without it (a sphere in air) S is lower, by less than the share of energy
that leaves the sphere times the albedo of electrons.

Berger, Beta-ray dosimetry calculations with the use of point kernels, in Medical Radionuclides: Radiation Dose and
Effects (Cloutier, Edwards and Snyder, eds., 1970) 63.
"""

from dataclasses import dataclass, field

import numpy as np

from mcdose.dose import J_PER_MEV
from mcdose.errors import InputError
from mcdose.files import atomic
from mcdose.point_kernel import DosePointKernel, dose_point_kernel

UNIT_DENSITY = 1.0  # g/cm3
HISTORIES = 500_000  # of each grid of the kernel: absorbed fractions to 0.1 %
TAIL_NODES = 2000  # of the integral over the smooth part of the kernel
MGY_PER_MBQ_S = 1e9  # one Gy per Bq s


@dataclass(frozen=True, eq=False)
class SphereSValues:
    """Self-dose of spheres, made by :func:`sphere_s_values`.

    Attributes
    ----------
    mass_g, radius_cm : array (n,)
    absorbed_fraction : array (n,)
        Share of the emitted energy that the sphere absorbs.
    gy_per_bq_s : array (n,)
        S value: dose per decay.
    relative_uncertainty : array (n,)
        Of both, one standard deviation.
    emission, medium : str
    density_g_cm3 : float
    """

    mass_g: np.ndarray
    radius_cm: np.ndarray
    absorbed_fraction: np.ndarray
    gy_per_bq_s: np.ndarray
    relative_uncertainty: np.ndarray
    emission: str
    medium: str
    density_g_cm3: float
    kernel: DosePointKernel = field(repr=False)

    def describe(self):
        """The table as text."""
        rows = [f"{self.emission} in spheres of {self.medium}, {self.density_g_cm3:g} g/cm3"]
        rows.append(
            f"{'mass (g)':>10} {'radius (mm)':>12} {'absorbed':>9} {'Gy/(Bq s)':>11} {'mGy/(MBq h)':>12} {'1 sd':>7}"
        )
        for m, r, phi, s, u in zip(*self._columns):
            rows.append(
                f"{m:10.4g} {10 * r:12.4g} {phi:9.4f} {s:11.4e} {3600 * MGY_PER_MBQ_S * s:12.4g} {100 * u:5.2f} %"
            )
        return "\n".join(rows)

    __str__ = describe

    def to_csv(self, path):
        """Write the table as CSV, whole or not at all."""
        lines = ["mass (g),radius (cm),absorbed fraction,S (Gy/(Bq s)),relative uncertainty"]
        lines += [",".join(f"{value:.6g}" for value in row) for row in zip(*self._columns)]
        with atomic(path) as part:
            part.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def _columns(self):
        return self.mass_g, self.radius_cm, self.absorbed_fraction, self.gy_per_bq_s, self.relative_uncertainty


def sphere_s_values(
    emission, mass_g, medium="water", density_g_cm3=UNIT_DENSITY, kernel=None, histories=HISTORIES, **options
):
    """S values of spheres with uniform activity, in an endless medium of the same kind.

    Parameters
    ----------
    emission : Nuclide, str or Spectrum
    mass_g : float or array
        Masses of the spheres.
    medium : str or Material
    density_g_cm3 : float
        Of the medium; unit density by default, as the sphere model has it.
    kernel : DosePointKernel, optional
        One made before, of this emission; medium and density are then the kernel's.
    histories : int
        Emitted particles simulated on each grid of the kernel.
    **options
        `seed`, `threads`, `progress` and cut-offs of :func:`mcdose.dose_point_kernel`.

    Returns
    -------
    SphereSValues

    Raises
    ------
    InputError
        A mass that is not above zero, or a sphere so small that the kernel's shells do not resolve it.

    Examples
    --------
    >>> import mcdose
    >>> electron = mcdose.Spectrum.monoenergetic("electron", 1.0)
    >>> table = mcdose.sphere_s_values(electron, [1.0, 1e6], histories=20_000)
    >>> bool(0.74 < table.absorbed_fraction[0] < 0.76 and table.absorbed_fraction[1] > 0.99)
    True
    """
    mass = np.atleast_1d(np.asarray(mass_g, float))
    if not (np.isfinite(mass) & (mass > 0)).all():
        raise InputError(f"mass_g: {mass_g}; give masses above zero, in g")
    if kernel is None:
        kernel = dose_point_kernel(emission, medium, density_g_cm3, histories=histories, **options)
    radius = np.cbrt(3 * mass / (4 * np.pi * kernel.density_g_cm3))
    shell = kernel.edges_cm[1]
    if radius.min() < shell:
        raise InputError(
            f"mass_g: {mass.min():.3g} g is a sphere of {10 * radius.min():.3g} mm radius, smaller than the shells of "
            f"the kernel ({10 * shell:.3g} mm); give larger masses"
        )
    found = np.array([absorbed_fraction(kernel, r) for r in radius])
    gy = found[:, 0] * kernel.emitted_mev * J_PER_MEV / (mass * 1e-3)
    relative = found[:, 1] / found[:, 0]
    return SphereSValues(
        mass, radius, found[:, 0], gy, relative, kernel.emission, kernel.medium, kernel.density_g_cm3, kernel
    )


def absorbed_fraction(kernel, radius_cm):
    """Absorbed share of the energy of a uniform sphere, and its standard uncertainty.

    Parameters
    ----------
    kernel : DosePointKernel
    radius_cm : float

    Returns
    -------
    tuple of float
    """
    edges = kernel.edges_cm
    inside = np.diff(_integrated_share(edges, radius_cm)) / np.diff(edges)  # mean of g over each shell
    deviation = kernel.energy_share * np.nan_to_num(kernel.relative_uncertainty) * inside
    near, near_sd = float(kernel.energy_share @ inside), float(np.sqrt((deviation**2).sum()))
    if kernel.tail is None or 2 * radius_cm <= edges[-1]:
        return near, near_sd
    r = np.geomspace(edges[-1], 2 * radius_cm, TAIL_NODES)
    x = r / radius_cm
    beyond = np.array([kernel.tail.energy_beyond(a, kernel.density_g_cm3) for a in r]) / kernel.emitted_mev
    share = 1 - 0.75 * x + x**3 / 16
    pieces = -np.diff(beyond) * (share[1:] + share[:-1]) / 2
    far_sd = float(pieces @ kernel.tail.uncertainty_at(r[1:]))  # as if all of it erred together
    return near + float(pieces.sum()), float(np.hypot(near_sd, far_sd))


def _integrated_share(r, radius_cm):
    """Integral of g from 0 to r."""
    x = np.minimum(r / radius_cm, 2.0)
    return radius_cm * (x - 0.375 * x**2 + x**4 / 64)
