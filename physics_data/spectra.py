"""Emission spectra: what one decay gives off, as lines and continua.

A `Spectrum` is a tuple of components. Each component is one kind of particle with one label, so that parts of the
emission can be chosen and compared: ``beta`` (the continua of beta-minus and beta-plus decay), ``electron`` (conversion
and Auger electrons), ``photon`` (gamma and X), ``alpha`` (alphas, recoils and fission fragments). Energies are kinetic.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

PARTICLES = ("photon", "electron", "positron", "alpha")
"""Kinds of particles; ``alpha`` stands for every heavy charged particle."""

LABELS = ("beta", "electron", "photon", "alpha")
"""Parts of an emission that `Spectrum.select` tells apart."""

INTERPOLATIONS = ("pchip", "linear")

_LINE_LABELS = {"photon": "photon", "electron": "electron", "positron": "beta", "alpha": "alpha"}
_CONTINUUM_LABELS = {"photon": "photon", "electron": "beta", "positron": "beta", "alpha": "alpha"}

_GAUSS_POINTS, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(3)
# Three points integrate degree 5; the highest here is energy times a cubic, degree 4.

_QUANTILE_REFINEMENT = 128
"""Steps per interval of a table when its quantiles are sought: their exact position does not matter (the energy in each
segment is integrated exactly), only that the segments carry nearly equal probability."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Discrete energies of one kind of particle.

    Parameters
    ----------
    particle : {"photon", "electron", "positron", "alpha"}
    label : {"beta", "electron", "photon", "alpha"}
    energies_mev : array_like, shape (n,)
        Kinetic energies, MeV, positive.
    yields : array_like, shape (n,)
        Particles per decay, 0 or more.

    Raises
    ------
    ValueError
        If a value is out of range, not finite, or the lengths differ.
    """

    particle: str
    label: str
    energies_mev: np.ndarray
    yields: np.ndarray

    def __post_init__(self):
        _check_kind(self.particle, self.label)
        energies = _vector(self.energies_mev, "energies_mev")
        yields = _vector(self.yields, "yields")
        if energies.shape != yields.shape:
            raise ValueError(f"yields: {len(yields)} values for {len(energies)} energies; give one yield per line")
        if np.any(energies <= 0):
            raise ValueError(f"energies_mev: {energies.min():g} MeV is not a line energy; give energies above 0")
        if np.any(yields < 0):
            raise ValueError(f"yields: {yields.min():g} per decay is negative; give yields of 0 or more")
        order = np.argsort(energies, kind="stable")
        object.__setattr__(self, "energies_mev", _frozen(energies[order]))
        object.__setattr__(self, "yields", _frozen(yields[order]))

    @property
    def yield_per_decay(self) -> float:
        """Particles per decay."""
        return float(np.sum(self.yields))

    @property
    def energy_mev(self) -> float:
        """Kinetic energy per decay, MeV."""
        return float(np.sum(self.yields * self.energies_mev))

    @property
    def highest_mev(self) -> float:
        """Highest energy emitted, MeV."""
        return float(self.energies_mev[-1])


@dataclass(frozen=True, eq=False)
class Continuum:
    """A continuous spectrum of one kind of particle.

    Parameters
    ----------
    particle : {"photon", "electron", "positron", "alpha"}
    label : {"beta", "electron", "photon", "alpha"}
    energies_mev : array_like, shape (n,)
        Grid of kinetic energies, MeV, ascending, n at least 2; nothing is emitted outside it.
    density_per_mev : array_like, shape (n,)
        Relative number per MeV at the grid points, 0 or more; its scale does not matter.
    yield_per_decay : float
        Particles per decay: the integral over the grid.
    interpolation : {"pchip", "linear"}
        Between grid points: monotone cubic (Fritsch & Carlson 1980) or straight lines.

    Raises
    ------
    ValueError
        If a value is out of range, not finite, the grid does not ascend, or the area is zero.
    """

    particle: str
    label: str
    energies_mev: np.ndarray
    density_per_mev: np.ndarray
    yield_per_decay: float
    interpolation: str = "pchip"

    def __post_init__(self):
        _check_kind(self.particle, self.label)
        energies = _vector(self.energies_mev, "energies_mev")
        density = _vector(self.density_per_mev, "density_per_mev")
        if energies.shape != density.shape:
            raise ValueError(
                f"density_per_mev: {len(density)} values for {len(energies)} energies; give one per energy"
            )
        if len(energies) < 2 or np.any(np.diff(energies) <= 0) or energies[0] < 0:
            raise ValueError("energies_mev: the energies of a table must ascend from 0 or more, at least two of them")
        if np.any(density < 0):
            raise ValueError(f"density_per_mev: {density.min():g} is negative; give densities of 0 or more")
        if not np.any(density > 0):
            raise ValueError("density_per_mev: all zero; give a spectrum with an area")
        if not (np.isfinite(self.yield_per_decay) and self.yield_per_decay >= 0):
            raise ValueError(f"yield_per_decay: {self.yield_per_decay} is not allowed; give a number of 0 or more")
        if self.interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"interpolation: {self.interpolation!r} is unknown; choose one of {', '.join(INTERPOLATIONS)}"
            )
        object.__setattr__(self, "energies_mev", _frozen(energies))
        object.__setattr__(self, "density_per_mev", _frozen(density))
        object.__setattr__(self, "yield_per_decay", float(self.yield_per_decay))

    def density(self, energies_mev: ArrayLike) -> np.ndarray:
        """Particles per MeV and decay at any energies; 0 outside the table."""
        return self._shape(energies_mev) * self._scale

    @property
    def energy_mev(self) -> float:
        """Kinetic energy per decay, MeV."""
        return float(np.sum(self.integrals(self.energies_mev)[1]))

    @property
    def highest_mev(self) -> float:
        """Highest energy emitted, MeV: the grid point where the density has fallen to zero, or the last."""
        last = int(np.flatnonzero(self.density_per_mev)[-1])
        return float(self.energies_mev[min(last + 1, len(self.energies_mev) - 1)])

    def integrals(self, edges_mev: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Particles and energy per decay between consecutive energies, integrated exactly.

        Parameters
        ----------
        edges_mev : array_like, shape (n + 1,)
            Ascending energies within the table.

        Returns
        -------
        number : ndarray, shape (n,)
            Particles per decay in each interval.
        energy : ndarray, shape (n,)
            Their kinetic energy per decay, MeV.
        """
        number, energy, position = self._unscaled_integrals(np.asarray(edges_mev, dtype=float))
        number = np.concatenate([[0.0], np.cumsum(number)])[position]
        energy = np.concatenate([[0.0], np.cumsum(energy)])[position]
        return np.diff(number) * self._scale, np.diff(energy) * self._scale

    def equal_probability_edges(self, lowest_mev: float, segments: int) -> np.ndarray:
        """Energies that cut the spectrum above `lowest_mev` into parts of nearly equal probability.

        Parameters
        ----------
        lowest_mev : float
            Lower bound, MeV.
        segments : int
            Number of parts.

        Returns
        -------
        ndarray, shape (segments + 1,)
            Ascending energies; empty where the spectrum does not reach above the bound.
        """
        grid = self.energies_mev
        start = max(lowest_mev, grid[0])
        if start >= grid[-1]:
            return np.zeros(0)
        knots = np.concatenate([[start], grid[grid > start]])
        fine = np.interp(
            np.arange(_QUANTILE_REFINEMENT * (len(knots) - 1) + 1) / _QUANTILE_REFINEMENT, np.arange(len(knots)), knots
        )
        cumulative = np.concatenate([[0.0], np.cumsum(self.integrals(fine)[0])])
        if cumulative[-1] <= 0:
            return np.zeros(0)
        edges = np.interp(np.linspace(0, cumulative[-1], segments + 1), cumulative, fine)
        edges[0], edges[-1] = fine[0], fine[-1]
        return edges

    def _shape(self, at):
        if self.interpolation == "linear":
            return np.interp(at, self.energies_mev, self.density_per_mev, left=0.0, right=0.0)
        return np.nan_to_num(self._pchip(at), nan=0.0)

    @cached_property
    def _pchip(self):
        from scipy.interpolate import PchipInterpolator  # loaded on first use: it takes longer than all the rest here

        return PchipInterpolator(self.energies_mev, self.density_per_mev, extrapolate=False)

    @cached_property
    def _scale(self):
        return self.yield_per_decay / np.sum(self._unscaled_integrals(self.energies_mev)[0])

    def _unscaled_integrals(self, edges):
        """Integrals over the pieces between all edges and grid points, and the place of each edge among these."""
        grid = self.energies_mev
        points = np.union1d(edges, grid[(grid > edges[0]) & (grid < edges[-1])])
        half = np.diff(points)[:, None] / 2
        at = (points[:-1, None] + half) + half * _GAUSS_POINTS
        weighted = self._shape(at) * half * _GAUSS_WEIGHTS
        return weighted.sum(axis=1), (weighted * at).sum(axis=1), np.searchsorted(points, edges)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The emissions of one decay.

    Parameters
    ----------
    components : tuple of Lines and Continuum
        See `monoenergetic`, `lines` and `table` for making them.

    Examples
    --------
    >>> mixed = Spectrum.monoenergetic("electron", 1.0) + Spectrum.lines("photon", [0.2], [0.5])
    >>> mixed.energy_mev(), mixed.energy_mev("photon")
    (1.1, 0.1)
    """

    components: tuple[Lines | Continuum, ...]

    def __post_init__(self):
        object.__setattr__(self, "components", tuple(self.components))

    @classmethod
    def monoenergetic(cls, particle: str, energy_mev: float) -> "Spectrum":
        """One particle of one energy per decay.

        Parameters
        ----------
        particle : {"photon", "electron", "positron", "alpha"}
        energy_mev : float
            Kinetic energy, MeV.
        """
        return cls.lines(particle, [energy_mev], [1.0])

    @classmethod
    def lines(cls, particle: str, energies_mev: ArrayLike, yields: ArrayLike) -> "Spectrum":
        """Discrete energies; parameters and errors as `Lines`."""
        return cls((Lines(particle, _label(particle, _LINE_LABELS), energies_mev, yields),))

    @classmethod
    def table(
        cls,
        particle: str,
        energies_mev: ArrayLike,
        density_per_mev: ArrayLike,
        yield_per_decay: float,
        interpolation: str = "pchip",
    ) -> "Spectrum":
        """A continuous spectrum, scaled so that its integral is the yield; parameters and errors as `Continuum`."""
        label = _label(particle, _CONTINUUM_LABELS)
        return cls((Continuum(particle, label, energies_mev, density_per_mev, yield_per_decay, interpolation),))

    def __add__(self, other: "Spectrum") -> "Spectrum":
        if not isinstance(other, Spectrum):
            return NotImplemented
        return Spectrum(self.components + other.components)

    def select(self, labels: Iterable[str] | str) -> "Spectrum":
        """The components that carry one of the labels.

        Parameters
        ----------
        labels : str or iterable of str
            Among ``beta``, ``electron``, ``photon``, ``alpha``.

        Raises
        ------
        ValueError
            For an unknown label.
        """
        wanted = {labels} if isinstance(labels, str) else set(labels)
        unknown = sorted(wanted - set(LABELS))
        if unknown:
            raise ValueError(f"emissions: {unknown[0]!r} is unknown; choose among {', '.join(LABELS)}")
        return Spectrum(tuple(part for part in self.components if part.label in wanted))

    def scaled(self, factor: float) -> "Spectrum":
        """The same emissions, `factor` times as many of each.

        Parameters
        ----------
        factor : float
            0 or more: such as the decays of a daughter per decay of the nuclide that a source is given for.

        Raises
        ------
        ValueError
            If the factor is negative or not finite.

        Examples
        --------
        >>> both = Spectrum.monoenergetic("electron", 1.0) + Spectrum.monoenergetic("photon", 0.5).scaled(0.2)
        >>> both.energy_mev()
        1.1
        """
        if not 0 <= factor < float("inf"):
            raise ValueError(f"factor: {factor} is not allowed; give a number of 0 or more")
        return Spectrum(tuple(_times(part, factor) for part in self.components))

    def yield_per_decay(self, particle: str | None = None) -> float:
        """Particles per decay, of one kind or of all."""
        return float(sum(part.yield_per_decay for part in self._of(particle)))

    def energy_mev(self, particle: str | None = None) -> float:
        """Mean kinetic energy per decay, MeV, of one kind of particle or of all."""
        return float(sum(part.energy_mev for part in self._of(particle)))

    def _of(self, particle):
        if particle is not None and particle not in PARTICLES:
            raise ValueError(f"particle: {particle!r} is unknown; choose one of {', '.join(PARTICLES)}")
        return [part for part in self.components if particle is None or part.particle == particle]


def _times(part, factor):
    name = "yields" if isinstance(part, Lines) else "yield_per_decay"
    return replace(part, **{name: factor * getattr(part, name)})


def _label(particle, labels):
    if particle not in labels:
        raise ValueError(f"particle: {particle!r} is unknown; choose one of {', '.join(PARTICLES)}")
    return labels[particle]


def _check_kind(particle, label):
    _label(particle, _LINE_LABELS)
    if label not in LABELS:
        raise ValueError(f"label: {label!r} is unknown; choose one of {', '.join(LABELS)}")


def _vector(values, what):
    try:
        vector = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{what}: {values!r} are not numbers") from None
    if vector.ndim != 1 or vector.size == 0:
        raise ValueError(f"{what}: expected a list of numbers, not an array of shape {vector.shape}")
    if not np.all(np.isfinite(vector)):
        raise ValueError(f"{what}: {vector[~np.isfinite(vector)][0]} is not finite; remove such values")
    return vector


def _frozen(values):
    values.setflags(write=False)
    return values
