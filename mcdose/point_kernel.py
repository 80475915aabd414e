"""Dose-point kernels: how far from a point the energy of a decay is deposited, in a uniform medium.

1. Monte Carlo about a point source on nested grids (:mod:`mcdose.levels`); the first has 50 voxels on the way that the
   fastest electrons get.
2. The energy of a voxel is spread over 64 points in it with weights 1/r^2 and gathered in spherical shells as thick as
   a voxel: within 10 voxels of the source a shell is right to 1 %, the energy within a radius to 0.1 %.
3. Beyond the reach of the electrons the dose is the smooth curve of :mod:`mcdose.radial_dose`.
4. Voxel S values follow by integration over both voxels: two points in voxels at an offset lie a vector d apart with a
   density that is a triangle along each axis, so a shell of radius r gives its energy to the offsets around r n, the
   direction n being averaged over, with the weights of trilinear interpolation. Energy is conserved exactly.
"""

import json
from dataclasses import dataclass, field

import numpy as np

from mcdose.errors import InputError
from mcdose.hdf5_file import new_hdf5, our_hdf5
from mcdose.kernel_making import _spectrum, _title, as_material, kept, kernel_path
from mcdose.levels import Medium, gy_per_mev
from mcdose.octant import offsets
from mcdose.radial_dose import RadialDose
from mcdose.s_value_kernel import SValueKernel
from mcdose.simulation import check_cutoffs
from mcdose.source import as_emission

FILE_FORMAT = "mcdose dose-point kernel 1"
HISTORIES = 2_000_000  # of each grid: shells that hold 1 % of the energy to about 0.3 %
NEAR_SHELLS = 50
NEAR_WITHOUT_ELECTRONS_CM = 0.5  # photons alone: their electrons get a millimetre
MARGIN_VOXELS = 6  # of medium around the last near shell
POINTS = 4  # along an edge of a voxel, see 2
DIRECTIONS = 64  # squared, over an octant, see 4
RADII = 4  # of a shell, see 4
FAR_RATIO = 1.02  # of the radii of the shells that stand for the smooth curve, see 4


@dataclass(frozen=True, eq=False)
class DosePointKernel:
    """Energy about a point source, made by :func:`dose_point_kernel`.

    Attributes
    ----------
    edges_cm : array (n + 1,)
        Radii of the shells, from 0.
    energy_share : array (n,)
        Share of the emitted energy deposited in each shell.
    relative_uncertainty : array (n,)
        One standard deviation of that; NaN where nothing was scored.
    tail : RadialDose or None
        Dose beyond the last shell, per decay.
    emission, medium : str
    density_g_cm3 : float
    emitted_mev : float
        Energy of a decay, MeV.
    settings : dict
    """

    edges_cm: np.ndarray
    energy_share: np.ndarray
    relative_uncertainty: np.ndarray
    tail: RadialDose | None
    emission: str
    medium: str
    density_g_cm3: float
    emitted_mev: float
    settings: dict = field(repr=False)

    @property
    def cumulative(self):
        """Share of the emitted energy within each of `edges_cm`."""
        return np.concatenate([[0.0], np.cumsum(self.energy_share)])

    def radius_cm(self, share):
        """Radius that holds this share of the energy within the shells (0.9: the X90 of the electrons), cm."""
        inside = self.cumulative
        return float(np.interp(share * inside[-1], inside, self.edges_cm))

    def describe(self):
        """The kernel as a few lines of text."""
        beyond = 0.0 if self.tail is None else self.tail.energy_beyond(self.edges_cm[-1], self.density_g_cm3)
        rows = [
            ("emission", f"{self.emission}, {self.emitted_mev:.5g} MeV per decay"),
            ("medium", f"{self.medium}, {self.density_g_cm3:.4g} g/cm3"),
            ("within", f"{10 * self.edges_cm[-1]:.4g} mm: {100 * self.cumulative[-1]:.2f} % of the energy"),
            ("  half of that", f"{10 * self.radius_cm(0.5):.4g} mm"),
            ("  nine tenths", f"{10 * self.radius_cm(0.9):.4g} mm"),
            ("beyond, photons", f"{100 * beyond / self.emitted_mev:.2f} %"),
        ]
        return "\n".join(f"{name:<16} {value}" for name, value in rows)

    def s_values(self, spacing_mm):
        """Voxel S values by integration over source and target voxel.

        Parameters
        ----------
        spacing_mm : float or tuple of float
            Voxel size (x, y, z).

        Returns
        -------
        SValueKernel
            Without uncertainties.
        """
        spacing = np.broadcast_to(np.asarray(spacing_mm, float) * 0.1, 3)
        reach = self.edges_cm[-1]
        half = [int(reach / s) + 1 for s in spacing[::-1]]
        radii, energy = _thin_shells(self.edges_cm, self.energy_share * self.emitted_mev)
        far_cm = float(np.sqrt(sum(((n + 1) * s) ** 2 for n, s in zip(half, spacing[::-1]))))
        if self.tail is not None and far_cm > reach:
            far = np.geomspace(reach, far_cm, 2 + int(np.log(far_cm / reach) / np.log(FAR_RATIO)))
            beyond = np.array([self.tail.energy_beyond(r, self.density_g_cm3) for r in far])
            radii = np.concatenate([radii, (far[:-1] + far[1:]) / 2])
            energy = np.concatenate([energy, -np.diff(beyond)])
        gy = _deposit(radii, energy, spacing, half) * gy_per_mev(float(np.prod(spacing)) * self.density_g_cm3)
        if self.tail is not None:
            at = offsets(half, spacing)
            out_of_reach = np.sqrt((np.maximum(at - spacing, 0.0) ** 2).sum(axis=-1)) > reach
            gy[out_of_reach] = self.tail.voxel_means(at[out_of_reach], spacing)
        return SValueKernel(
            gy, tuple(10 * spacing), self.emission, self.medium, self.density_g_cm3, tail=self.tail,
            emitted_mev=self.emitted_mev, settings={**self.settings, "method": "dose_point_kernel"},
        )  # fmt: skip

    def plot(self, path):
        """Draw the kernel; see :func:`mcdose.plot_kernel.plot_point_kernel`."""
        from mcdose.plot_kernel import plot_point_kernel

        plot_point_kernel(self, path)

    def save(self, path):
        """Write an HDF5 file, whole or not at all; every number comes back as it was."""
        with new_hdf5(path) as file:
            file.attrs["format"] = FILE_FORMAT
            for name in ("emission", "medium", "density_g_cm3", "emitted_mev"):
                file.attrs[name] = getattr(self, name)
            file.attrs["settings"] = json.dumps(self.settings)
            for name in ("edges_cm", "energy_share", "relative_uncertainty"):
                file.create_dataset(name, data=getattr(self, name))
            if self.tail is not None:
                for name in RadialDose.__dataclass_fields__:
                    file.create_dataset(f"tail/{name}", data=getattr(self.tail, name))

    @classmethod
    def load(cls, path):
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            No such file, or not a dose-point kernel of ours.
        """
        foreign = "not a dose-point kernel of mcdose; give a file that its save has written"
        with our_hdf5(path, FILE_FORMAT, foreign, "make the kernel again") as file:
            tail = file["tail"] if "tail" in file else None
            return cls(
                *(file[name][:] for name in ("edges_cm", "energy_share", "relative_uncertainty")),
                tail and RadialDose(*(tail[name][:] for name in RadialDose.__dataclass_fields__)),
                *(file.attrs[name] for name in ("emission", "medium")),
                *(float(file.attrs[name]) for name in ("density_g_cm3", "emitted_mev")),
                json.loads(file.attrs["settings"]),
            )


def dose_point_kernel(
    emission,
    medium="water",
    density_g_cm3=None,
    histories=HISTORIES,
    photon_cutoff_mev=0.010,
    electron_cutoff_mev=0.010,
    seed=1,
    device="auto",
    threads=None,
    cache=True,
    progress=None,
):
    """Energy deposited about a point source in a uniform medium, by Monte Carlo.

    Parameters
    ----------
    emission : Nuclide, str or Spectrum
    medium : str or Material
    density_g_cm3 : float, optional
        Bulk density; by default the nominal one of the medium.
    histories : int
        Emitted particles simulated on each of the nested grids.
    photon_cutoff_mev, electron_cutoff_mev : float
        As in :func:`mcdose.monte_carlo`; 0.001 for electrons of 100 keV or less.
    seed, device, threads, progress
        As in :func:`mcdose.monte_carlo`.
    cache : bool
        Take the kernel from the disk if it is there, and keep it there if not.

    Returns
    -------
    DosePointKernel

    Raises
    ------
    InputError
        Unknown nuclide or medium, or an option out of range.
    """
    emission, material = as_emission(emission), as_material(medium)
    density = material.density_g_cm3 if density_g_cm3 is None else float(density_g_cm3)
    check_cutoffs(photon_cutoff_mev, electron_cutoff_mev)
    if not 0 < density < float("inf"):
        raise InputError(f"density_g_cm3: {density}; give the density of the medium, above zero")
    cutoffs = {"photon_cutoff_mev": photon_cutoff_mev, "electron_cutoff_mev": electron_cutoff_mev}
    medium = Medium(
        material, density, emission, {"device": device, "threads": threads, "progress": progress, **cutoffs}
    )
    if not cache:
        return _make(medium, histories, seed)
    path = kernel_path(medium, point_source=True, histories=histories, seed=seed)
    return kept(path, DosePointKernel.load, lambda: _make(medium, histories, seed))


def _make(medium, histories, seed):
    from physics_data.emissions import emission_table

    cutoffs = {name: medium.options[name] for name in ("photon_cutoff_mev", "electron_cutoff_mev")}
    near_cm = medium.reach_cm or NEAR_WITHOUT_ELECTRONS_CM
    voxel = near_cm / NEAR_SHELLS
    first = medium.simulate(voxel, [NEAR_SHELLS + MARGIN_VOXELS] * 3, True, histories, seed)
    tail, levels = medium.tail(first, histories, seed)
    edges = voxel * np.arange(NEAR_SHELLS + 1)
    energy, variance = _shell_energies(first, edges)
    emitted = emission_table(_spectrum(medium.emission), *cutoffs.values()).energy_mev_per_decay
    return DosePointKernel(
        edges_cm=edges,
        energy_share=energy / emitted,
        relative_uncertainty=np.divide(np.sqrt(variance), energy, out=np.full(len(energy), np.nan), where=energy > 0),
        tail=tail,
        emission=_title(medium.emission),
        medium=medium.material.name,
        density_g_cm3=medium.density_g_cm3,
        emitted_mev=emitted,
        settings={
            "method": "monte_carlo",
            "histories": sum(level.histories for level in levels),
            "seconds": sum(level.seconds for level in levels),
            "seed": seed,
            **cutoffs,
        },
    )


def _shell_energies(level, edges_cm):
    """Energy (MeV per decay) of each shell and its variance, from the voxels of a grid (see 2)."""
    at = level.offsets_cm.reshape(-1, 3)
    points = (np.arange(POINTS) + 0.5) / POINTS - 0.5
    shifts = np.stack(np.meshgrid(points, points, points), -1).reshape(-1, 3) * level.spacing_cm
    norm = sum(((at + shift) ** 2).sum(axis=1) ** -1.0 for shift in shifts)
    energy = (level.octant.mean * level.octant.count).ravel()
    variance = level.octant.sum_variance.ravel()
    sums = np.zeros((2, len(edges_cm) - 1))
    for shift in shifts:
        square = ((at + shift) ** 2).sum(axis=1)
        shell = np.searchsorted(edges_cm[1:], np.sqrt(square), side="right")
        inside = shell < sums.shape[1]
        share = 1.0 / (square * norm)
        for total, values in zip(sums, (energy, variance)):  # not the square of the share: the upper limit
            total += np.bincount(shell[inside], (values * share)[inside], sums.shape[1])
    return sums


def _thin_shells(edges, energy):
    """Radii, RADII of them in each shell, and the energy at each."""
    inner, width = edges[:-1, None], np.diff(edges)[:, None]
    radii = inner + width * (np.arange(RADII) + 0.5) / RADII
    return radii.ravel(), np.repeat(energy / RADII, RADII)


def _deposit(radii, energy, spacing, half):
    """Mean energy per voxel [k, j, i] of an octant, of shells about a point that lies anywhere in the source voxel."""
    cosines, weights = np.polynomial.legendre.leggauss(DIRECTIONS)
    cosine, weight = (cosines + 1) / 2, weights / 2
    angle = (np.arange(DIRECTIONS) + 0.5) / DIRECTIONS * np.pi / 2
    sine = np.sqrt(1 - cosine**2)
    direction = np.stack(
        [
            np.outer(sine, np.cos(angle)).ravel(),
            np.outer(sine, np.sin(angle)).ravel(),
            np.repeat(cosine, DIRECTIONS),
        ]
    )
    per_direction = np.repeat(weight, DIRECTIONS) / DIRECTIONS
    shape = np.array([n + 2 for n in half])  # one more: shells beyond the octant are cut off below
    total = np.zeros(shape.prod())
    for radius, amount in zip(radii, energy):
        place = radius * direction[::-1] / spacing[::-1, None]  # along z, y, x
        inside = (place < (shape - 1)[:, None]).all(axis=0)
        place = place[:, inside]
        low = place.astype(int)
        part = place - low
        for corner in np.ndindex(2, 2, 2):
            up = np.array(corner)[:, None]
            share = np.where(up, part, 1 - part).prod(axis=0) * per_direction[inside]
            total += np.bincount(np.ravel_multi_index(tuple(low + up), shape), share * amount, total.size)
    images = np.ones(shape)
    for axis in range(3):
        images[(slice(None),) * axis + (slice(1, None),)] *= 2
    return (total.reshape(shape) / images)[tuple(slice(n + 1) for n in half)]
