"""Voxel S values: the mean dose to a voxel per decay in another one, in a uniform medium.

1. A kernel is symmetric about the three mirror planes of the source voxel; only one octant is kept (`near_gy`).
2. Beyond that octant only photons deposit dose, which is a smooth function of the distance (`tail`): the mean over both
   voxels is evaluated wherever it is asked for, so that a kernel has no edge within the patient.
3. How far it is needed follows from the energy beyond: 0.2 % of what is emitted may be left out.

S values are Gy per decay here; tables give the same as mGy/(MBq s), which is 1e9 times the number. Bolch et al., MIRD
Pamphlet No. 17, J. Nucl. Med. 40 (1999) 11S.
"""

import json
from dataclasses import dataclass, field

import numpy as np

from mcdose.convolution import check_odd
from mcdose.dose import J_PER_MEV
from mcdose.errors import InputError
from mcdose.grid import Grid
from mcdose.hdf5_file import new_hdf5, our_hdf5
from mcdose.octant import fold, offsets, unfold
from mcdose.radial_dose import RadialDose

MGY_PER_MBQ_S = 1e9  # mGy/(MBq s) of one Gy per decay
LEFT_OUT = 2e-3  # share of the emitted energy that may lie beyond the extent of a kernel
MIRROR_TOLERANCE = 0.02  # of the largest difference of two mirror images, relative to the self value
FILE_FORMAT = "mcdose voxel S values 1"


@dataclass(frozen=True, eq=False)
class SValueKernel:
    """S values about one source voxel; made by :func:`SValueKernel.make` or read from a file.

    Parameters
    ----------
    near_gy : array [k, j, i]
        Gy per decay at offsets from 0 along z, y and x; mirror images are equal.
    spacing_mm : float or tuple of float
        Voxel size (x, y, z).
    emission : str
        Title of the emission, such as "Y-90".
    medium : str
    density_g_cm3 : float
    relative_uncertainty : array [k, j, i], optional
        One standard deviation; NaN where unknown.
    tail : RadialDose, optional
        Dose beyond `near_gy`; without it, there is none.
    emitted_mev : float, optional
        Energy of a decay, MeV.
    settings : dict
        What made it (JSON-able).

    Raises
    ------
    InputError
        When a number is not finite, negative, or missing.
    """

    near_gy: np.ndarray
    spacing_mm: tuple
    emission: str
    medium: str
    density_g_cm3: float
    relative_uncertainty: np.ndarray | None = None
    tail: RadialDose | None = field(default=None, repr=False)
    emitted_mev: float | None = None
    settings: dict = field(default_factory=dict, repr=False)

    def __post_init__(self):
        near = np.ascontiguousarray(self.near_gy, dtype=np.float64)
        grid = Grid(near.shape, self.spacing_mm)
        if not np.isfinite(near).all() or (near < 0).any() or near[0, 0, 0] <= 0:
            raise InputError("kernel: S values must be finite, not negative, and above zero in the source voxel")
        if not self.density_g_cm3 > 0:
            raise InputError(f"kernel: density {self.density_g_cm3} g/cm3; give the density of its medium, above zero")
        relative = np.full(near.shape, np.nan) if self.relative_uncertainty is None else self.relative_uncertainty
        relative = np.ascontiguousarray(relative, dtype=np.float64)
        if relative.shape != near.shape:
            raise InputError(f"kernel: uncertainty of shape {relative.shape} for S values of shape {near.shape}")
        for name, value in (
            ("near_gy", near),
            ("relative_uncertainty", relative),
            ("spacing_mm", grid.spacing_mm),
            ("density_g_cm3", float(self.density_g_cm3)),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def make(cls, emission, spacing_mm, medium="water", **options):
        """S values by Monte Carlo; see :func:`mcdose.kernel_making.make_kernel` for the options."""
        from mcdose.kernel_making import make_kernel

        return make_kernel(emission, spacing_mm, medium, **options)

    @classmethod
    def from_array(cls, gy_per_decay, spacing_mm, emission, medium, density_g_cm3):
        """A kernel of one's own, as a full array.

        Parameters
        ----------
        gy_per_decay : array [k, j, i]
            Of an odd number of voxels along each axis, the source in the middle.
        spacing_mm, emission, medium, density_g_cm3
            As in the class.

        Raises
        ------
        InputError
            For a kernel of even size, or one that is not symmetric about its middle planes.
        """
        values = np.asarray(gy_per_decay, float)
        check_odd(values.shape)
        near = fold(values, np.zeros(values.shape)).mean
        worst = float(np.abs(unfold(near) - values).max() / near[0, 0, 0])
        if not worst <= MIRROR_TOLERANCE:
            raise InputError(
                f"kernel: mirror images differ by up to {100 * worst:.1f} % of the self value; "
                "give one that is symmetric about its middle voxel"
            )
        return cls(near, spacing_mm, emission, medium, density_g_cm3, settings={"method": "given by the user"})

    @property
    def self_gy(self):
        """Dose to the source voxel itself, Gy per decay."""
        return float(self.near_gy[0, 0, 0])

    @property
    def near_half(self):
        """Voxels from the middle to the edge of the stored octant, (z, y, x)."""
        return tuple(n - 1 for n in self.near_gy.shape)

    @property
    def voxel_kg(self):
        """Mass of a voxel of the medium, kg."""
        return float(np.prod(self.spacing_mm)) * 1e-6 * self.density_g_cm3

    def extent(self, left_out=LEFT_OUT):
        """Voxels (z, y, x) from the middle to the edge that leave out no more than this share of the energy."""
        if self.tail is None:
            return self.near_half
        radius_mm = 10.0 * self.tail.radius_with_beyond(left_out * self.emitted_mev, self.density_g_cm3)
        return tuple(max(n, int(np.ceil(radius_mm / s))) for n, s in zip(self.near_half, self.spacing_mm[::-1]))

    def octant_gy(self, half=None):
        """S values (Gy per decay) [k, j, i] at offsets from 0 up to `half` (z, y, x); by default :meth:`extent`."""
        return self._octant(half, self.near_gy, 1.0)

    def octant_uncertainty(self, half=None):
        """Their relative standard uncertainties; NaN where unknown or nothing is deposited."""
        half = self.extent() if half is None else half
        if self.tail is None:
            return self._octant(half, self.relative_uncertainty, np.nan)
        radius = np.sqrt((offsets(half, np.array(self.spacing_mm) * 0.1) ** 2).sum(axis=-1))
        return self._paste(self.tail.uncertainty_at(radius), self.relative_uncertainty)

    def array_gy(self, half=None):
        """The full array of S values (Gy per decay), odd in every direction, the source voxel in the middle."""
        return unfold(self.octant_gy(half))

    def energy_share(self, half=None):
        """Share of the emitted energy that is deposited within an extent; NaN where the emission is unknown."""
        if self.emitted_mev is None:
            return float("nan")
        total = self.octant_gy(half)
        for _ in range(3):  # along z, y and x: each offset but 0 stands for two
            total = 2 * total.sum(axis=0) - total[0]
        return float(total) * self.voxel_kg / J_PER_MEV / self.emitted_mev

    def describe(self):
        """The kernel as a few lines of text."""
        to_table = MGY_PER_MBQ_S * self.self_gy
        face = [self.near_gy[k] / self.self_gy for k in ((0, 0, 1), (0, 1, 0), (1, 0, 0)) if self._has(k)]
        size = " x ".join(f"{s:.4g}" for s in self.spacing_mm)
        half = self.extent()
        rows = [
            ("emission", self.emission),
            ("medium", f"{self.medium}, {self.density_g_cm3:.4g} g/cm3"),
            ("voxel", f"{size} mm"),
            ("self", f"{to_table:.5g} mGy/(MBq s) {_plus_minus(self.relative_uncertainty[0, 0, 0])}"),
            ("face neighbours", ", ".join(f"{100 * f:.4g} %" for f in face) + " of self (x, y, z)"),
            ("extent", " x ".join(str(2 * n + 1) for n in half[::-1]) + " voxels"),
        ]
        if self.emitted_mev is not None:
            rows.append(("energy", f"{self.emitted_mev:.5g} MeV per decay, {100 * self.energy_share():.2f} % inside"))
        if "histories" in self.settings:
            rows.append(("histories", f"{self.settings['histories']:,} in {self.settings['seconds']:.1f} s"))
        return "\n".join(f"{name:<16} {value}" for name, value in rows)

    def plot(self, path):
        """Draw the S values over the distance; see :func:`mcdose.plot_kernel.plot_kernel`."""
        from mcdose.plot_kernel import plot_kernel

        plot_kernel(self, path)

    def write_text(self, path, half=None):
        """Write the table i, j, k, S; see :func:`mcdose.kernel_text.write_text`."""
        from mcdose.kernel_text import write_text

        write_text(self, path, half)

    @classmethod
    def read_text(cls, path, **about):
        """A kernel from a table i, j, k, S; see :func:`mcdose.kernel_text.read_text`."""
        from mcdose.kernel_text import read_text

        return read_text(path, **about)

    def save(self, path):
        """Write an HDF5 file, whole or not at all; every number comes back as it was."""
        with new_hdf5(path) as file:
            file.attrs["format"] = FILE_FORMAT
            for name in ("spacing_mm", "emission", "medium", "density_g_cm3"):
                file.attrs[name] = getattr(self, name)
            if self.emitted_mev is not None:
                file.attrs["emitted_mev"] = self.emitted_mev
            file.attrs["settings"] = json.dumps(self.settings)
            near = file.create_dataset("near_gy", data=self.near_gy)
            near.attrs["axes"] = "[k, j, i]: offsets from 0 along z, y, x; mirror images are equal"
            near.attrs["unit"] = "Gy per decay; 1e9 times that is mGy/(MBq s)"
            file.create_dataset("relative_uncertainty", data=self.relative_uncertainty)
            if self.tail is not None:
                group = file.create_group("tail")
                for name in RadialDose.__dataclass_fields__:
                    group.create_dataset(name, data=getattr(self.tail, name))
                group.attrs["meaning"] = "dose times squared distance of a point source, beyond near_gy"

    @classmethod
    def load(cls, path):
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            No such file, or not a kernel of ours.
        """
        foreign = "not a kernel of mcdose; give a file that mcdose kernel has written"
        with our_hdf5(path, FILE_FORMAT, foreign, "make the kernel again") as file:
            tail = file["tail"] if "tail" in file else None
            return cls(
                near_gy=file["near_gy"][:],
                spacing_mm=tuple(file.attrs["spacing_mm"].tolist()),
                emission=file.attrs["emission"],
                medium=file.attrs["medium"],
                density_g_cm3=float(file.attrs["density_g_cm3"]),
                relative_uncertainty=file["relative_uncertainty"][:],
                tail=tail and RadialDose(*(tail[name][:] for name in RadialDose.__dataclass_fields__)),
                emitted_mev=float(file.attrs["emitted_mev"]) if "emitted_mev" in file.attrs else None,
                settings=json.loads(file.attrs["settings"]),
            )

    def _octant(self, half, near, scale):
        half = self.extent() if half is None else tuple(half)
        if self.tail is None:
            return self._paste(np.full([n + 1 for n in half], 0.0 * scale), near)
        spacing = np.array(self.spacing_mm) * 0.1
        at = offsets(half, spacing)
        values = np.zeros(at.shape[:3])
        outside = np.ones(at.shape[:3], bool)
        outside[tuple(slice(n) for n in near.shape)] = False
        values[outside] = self.tail.voxel_means(at[outside], spacing)
        return self._paste(values, near)

    @staticmethod
    def _paste(values, near):
        here = tuple(slice(min(a, b)) for a, b in zip(values.shape, near.shape))
        values[here] = near[here]
        return values

    def _has(self, index):
        return all(n < size for n, size in zip(index, self.near_gy.shape))


def _plus_minus(relative):
    return "" if np.isnan(relative) else f"± {100 * relative:.2f} %"
