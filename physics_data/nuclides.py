"""The 1252 nuclides of ICRP Publication 107: half-lives, daughters and emissions.

1. Half-life, lines and beta spectra come from the icrp107-database package (ICRP 2008, Eckerman & Endo); daughters and
   branching fractions from the table in ``daughters.toml``.
2. Beta spectra are interpolated monotonically and scaled to the listed yields, which keeps the listed mean energies
   within 0.2 % (linear interpolation is 0.35 % high; N-16 is 1.8 % off in the database itself).
3. Where a nuclide decays by beta-minus and beta-plus, the database lists the sum of the spectra. It is shared out by
   the ratio of allowed shapes with the listed mean energies, tilted so that the listed yields and mean energies
   are met (`separate_beta_spectra`).
4. Positrons annihilate when they are transported, so the listed annihilation photons are left out. Neutrons of
   spontaneous fission are left out too: nothing here transports them.
5. On request a decay brings those of its daughters along, in secular equilibrium (`physics_data.chains`).

Not in ICRP-107: internal pairs (Y-90: 3.2e-5 per decay) and internal bremsstrahlung.
"""

import difflib
import importlib.util
import json
import math
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from physics_data.chains import Chain, equilibrium_chain
from physics_data.elements import atomic_number
from physics_data.spectra import Continuum, Lines, Spectrum

ELECTRON_MASS_MEV = 0.51099895
"""Electron rest energy, MeV (CODATA 2018)."""

FINE_STRUCTURE = 7.2973525693e-3
"""Fine-structure constant (CODATA 2018)."""

YEAR_DAYS = 365.2422
"""Days in the year in which ICRP-107 gives half-lives (tropical year)."""

UNIT_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "y": YEAR_DAYS * 86400.0,
}

_READABLE_UNITS = (
    ("years", "y", 1.0),
    ("days", "d", 3.0),
    ("hours", "h", 2.0),
    ("minutes", "m", 2.0),
    ("s", "s", 1.0),
    ("ms", "ms", 1.0),
    ("µs", "us", 1.0),
    ("ns", "ns", 0.0),
)
"""Units a half-life is written in, and from how many of them on (64.1 hours, not 2.67 days)."""

_LINE_KINDS = (
    ("photon", "photon", ("gamma", "x")),
    ("electron", "electron", ("ie", "auger")),
    ("alpha", "alpha", ("alpha", "alpha recoil", "fission")),
)
_DESCRIBED = (
    ("beta-minus", "electron", "beta"),
    ("beta-plus", "positron", "beta"),
    ("conversion and Auger electrons", "electron", "electron"),
    ("gamma and X-rays", "photon", "photon"),
    ("alphas, recoils, fragments", "alpha", "alpha"),
)

_SEPARATION_POINTS = 4000
"""Energies at which the yields and means are summed when beta spectra are separated; errors stay below 0.01 %."""

_TILT_ITERATIONS = 60
_TILT_TOLERANCE = 1e-10

DAUGHTERS = ("none", "equilibrium")
"""What can become of the daughters of a nuclide."""

_DAUGHTERS_FILE = Path(__file__).with_name("daughters.toml")


@dataclass(frozen=True, init=False)
class Nuclide:
    """A radionuclide of ICRP Publication 107, alone or with its daughters.

    Parameters
    ----------
    name : str
        Such as ``"Y-90"``, ``"y90"``, ``"90Y"``, ``"Tc-99m"``; stored as ``"Tc-99m"``.
    half_life_s : float, optional
        Half-life, s; by default that of ICRP-107 (2008).
    daughters : {"none", "equilibrium"}
        Whether a decay brings along those of the daughters in secular equilibrium, in the same place; the rules are
        those of `physics_data.chains`.

    Attributes
    ----------
    equilibrium : bool
        Whether the daughters are included.
    spectrum : Spectrum
        What one decay emits (with the daughters' part of it if they are included), without annihilation photons.

    Raises
    ------
    ValueError
        If there is no such nuclide (the nearest names are listed), a half-life is not positive, or `daughters` is
        neither of the two.

    Examples
    --------
    >>> y90 = Nuclide("90Y")
    >>> y90.name, round(y90.half_life_s / 3600, 1), round(y90.spectrum.energy_mev(), 2)
    ('Y-90', 64.1, 0.93)
    >>> round(Nuclide("Ra-223", daughters="equilibrium").spectrum.energy_mev("alpha"), 1)
    26.9
    """

    name: str
    half_life_s: float
    equilibrium: bool
    spectrum: Spectrum = field(repr=False, compare=False)

    def __init__(self, name: str, half_life_s: float | None = None, daughters: str = "none"):
        name = _canonical_name(name)
        half_life = _half_life_s(name) if half_life_s is None else half_life_s
        if not (math.isfinite(half_life) and half_life > 0):
            raise ValueError(f"half_life_s: {half_life} is not allowed; give a positive number of seconds")
        if daughters not in DAUGHTERS:
            raise ValueError(f"daughters: {daughters!r} is unknown; choose one of {', '.join(DAUGHTERS)}")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "half_life_s", float(half_life))
        object.__setattr__(self, "equilibrium", daughters == "equilibrium")
        spectrum = _chain_spectrum(self.chain) if self.equilibrium else _spectrum(name)
        object.__setattr__(self, "spectrum", spectrum)

    @property
    def title(self) -> str:
        """The name, and that the daughters are included if they are."""
        return f"{self.name} with its daughters in equilibrium" if self.equilibrium else self.name

    @property
    def mean_life_s(self) -> float:
        """Mean life, s: half-life over ln 2."""
        return self.half_life_s / math.log(2)

    @property
    def daughters(self) -> list[tuple[str, float]]:
        """Daughter nuclides and branching fractions (stable ones too), most frequent first."""
        return _branches(self.name)

    @cached_property
    def chain(self) -> Chain:
        """The nuclide and its daughters in secular equilibrium, whether `spectrum` includes them or not."""
        return equilibrium_chain(self.name, self.half_life_s, _branches, _half_life_s)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Where equilibrium, if it is assumed, is a poor assumption: one sentence for each slow daughter."""
        return tuple(self._caution(member) for member in self.chain.slow) if self.equilibrium else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """Which daughters are left out and why, as sentences."""
        if not self.equilibrium:
            names = ", ".join(member.name for member in self.chain.daughters)
            return (f"{self.name}: the decays of its daughters ({names}) are not included",) if names else ()
        return tuple(
            f"{self.name}: {name} ({format_duration(lives)}) lives longer than {self.name} "
            f"({format_duration(self.half_life_s)}) and is left out, with what follows it"
            for name, lives in self.chain.ends
        )

    def describe(self) -> str:
        """Half-life, daughters, and yields and energies by kind of emission, as plain text.

        With daughters in equilibrium: the members of the chain too, and yields and energies are theirs together.
        """
        lines = [
            f"{self.name}   half-life {format_duration(self.half_life_s)}",
            f"daughters: {_percentages(self.daughters) or 'none listed'}",
            *self._describe_chain(),
            "",
            f"{'emission':<32}{'per decay':>12}{'mean energy':>14}{'per decay':>14}{'highest':>12}",
            f"{'':<32}{'':>12}{'(MeV)':>14}{'(MeV)':>14}{'(MeV)':>12}",
        ]
        for title, particle, label in _DESCRIBED:
            part = self.spectrum.select(label)
            number, energy = part.yield_per_decay(particle), part.energy_mev(particle)
            if number > 0:
                highest = max(c.highest_mev for c in part.components if c.particle == particle)
                lines.append(f"{title:<32}{number:>12.5g}{energy / number:>14.5g}{energy:>14.5g}{highest:>12.5g}")
        lines.append(f"{'total kinetic and photon energy':<32}{'':>12}{'':>14}{self.spectrum.energy_mev():>14.5g}")
        if self.spectrum.yield_per_decay("positron") > 0:
            lines.append("annihilation photons come from the positrons when they are transported")
        return "\n".join(lines)

    def _describe_chain(self):
        notes = [f"note: {note}" for note in self.cautions + self.notes]
        if not self.equilibrium:
            return notes
        lines = ["", f"{'in equilibrium':<16}{'half-life':<20}{'decays per decay':<18}{'made by'}"]
        for m in self.chain.members:
            row = f"{m.name:<16}{format_duration(m.half_life_s):<20}{m.decays_per_parent:<18.5g}"
            lines.append((row + _percentages(m.made_by)).rstrip())
        return lines + notes

    def _caution(self, member):
        factor = self.chain.transient_factor(member)
        times = "once" if member.decays_per_parent == 1 else f"{member.decays_per_parent:.4g} times"
        lives = f"{format_duration(member.half_life_s)} against {format_duration(self.half_life_s)}"
        return (
            f"{self.name}: equilibrium is a poor assumption for {member.name} ({lives}): per decay of {self.name} it "
            f"decays {times} in the long run, but once grown in its activity is {factor:.3g} times that"
        )


def nuclide_names() -> list[str]:
    """Names of all 1252 nuclides, by atomic number, then mass number."""
    return list(_names())


def format_duration(seconds: float) -> str:
    """A time in the unit in which it is read, ``"64.1 hours"``."""
    sizes = ((word, UNIT_SECONDS[unit], smallest) for word, unit, smallest in _READABLE_UNITS)
    word, unit_seconds = next((word, unit) for word, unit, smallest in sizes if seconds >= smallest * unit)
    return f"{seconds / unit_seconds:.5g} {word}"


def allowed_beta_shape(energies_mev: np.ndarray, end_point_mev: float, charge: int) -> np.ndarray:
    """Shape of an allowed beta spectrum, p W (W0 - W)^2 F, in arbitrary units.

    Parameters
    ----------
    energies_mev : ndarray
        Kinetic energies, MeV.
    end_point_mev : float
        Highest kinetic energy, MeV.
    charge : int
        Atomic number of the daughter, negative for positrons.

    Returns
    -------
    ndarray
        Non-negative, 0 beyond the end point. F is the non-relativistic Coulomb factor 2 pi eta / (1 - exp(-2 pi eta)),
        eta = alpha Z W / p (Fermi 1934).
    """
    total = energies_mev / ELECTRON_MASS_MEV + 1
    momentum = np.sqrt(np.maximum(total**2 - 1, 1e-12))
    coulomb = 2 * np.pi * FINE_STRUCTURE * charge * total / momentum
    factor = coulomb / -np.expm1(-np.clip(coulomb, -500, 500))
    return momentum * total * np.maximum(end_point_mev - energies_mev, 0) ** 2 * factor


def separate_beta_spectra(energies_mev, density_per_mev, minus, plus, z):
    """Share out a table that lists the sum of a beta-minus and a beta-plus spectrum.

    With s(E) and S(E) the sums of allowed shapes that have the listed yields and mean energies, for the rarer and the
    commoner sign, the share of the rarer is s / (s + S exp(-a - b E)). The numbers a and b are those with which it has
    its listed yield and mean energy; the other sign then has its own. They minimise a convex function, so Newton's
    method with halved steps finds them.

    Parameters
    ----------
    energies_mev, density_per_mev : ndarray, shape (n,)
        The table, MeV and per MeV and decay.
    minus, plus : ndarray, shape (m, 2)
        Branches: mean energy (MeV) and yield.
    z : int
        Atomic number of the parent.

    Returns
    -------
    minus_density, plus_density : ndarray, shape (n,)
        They add up to the table.
    """
    rare_is_plus = plus[:, 1].sum() < minus[:, 1].sum()
    rare, common = (plus, minus) if rare_is_plus else (minus, plus)
    rare_charge, common_charge = (1 - z, z + 1) if rare_is_plus else (z + 1, 1 - z)
    whole = Continuum("electron", "beta", energies_mev, density_per_mev, minus[:, 1].sum() + plus[:, 1].sum())
    fine = np.linspace(energies_mev[0], energies_mev[-1], _SEPARATION_POINTS + 2)[1:-1]
    weight = whole.density(fine) * (fine[1] - fine[0])
    rare_shape, common_shape = _shape_sum(fine, rare, rare_charge), _shape_sum(fine, common, common_charge)
    share = np.where(rare_shape > 0, 1.0, 0.0)
    both = (rare_shape > 0) & (common_shape > 0)
    certain = weight * (share - both)
    targets = np.array([rare[:, 1].sum() - certain.sum(), rare.prod(axis=1).sum() - (certain * fine).sum()])
    log_odds = np.log(rare_shape[both] / common_shape[both])
    tilt = _solve_tilt(fine[both], weight[both], log_odds, targets)
    share[both] = _sigmoid(tilt[0] + tilt[1] * fine[both] + log_odds)
    rare_density = density_per_mev * np.interp(energies_mev, fine, share)
    densities = (density_per_mev - rare_density, rare_density)
    return densities if rare_is_plus else densities[::-1]


def _shape_sum(energies, branches, charge):
    return sum(number * _unit_branch(energies, mean, charge) for mean, number in branches)


def _unit_branch(energies, mean_mev, charge):
    """Allowed shape of unit area with a given mean energy: its end point is found by bisection."""
    low, high = mean_mev, 6 * mean_mev
    for _ in range(40):
        end = (low + high) / 2
        grid = np.linspace(0, end, 201)[1:-1]
        shape = allowed_beta_shape(grid, end, charge)
        low, high = (end, high) if np.sum(shape * grid) < mean_mev * np.sum(shape) else (low, end)
    shape = allowed_beta_shape(energies, end, charge)
    return shape / max(np.sum(shape) * (energies[1] - energies[0]), 1e-300)


def _solve_tilt(energies, weight, log_odds, targets):
    """Minimum of sum(w ln(1 + e^u)) - t . c over c, u = c0 + c1 E + log odds (the dual of meeting the targets)."""

    def objective(tilt):
        return np.sum(weight * np.logaddexp(0, tilt[0] + tilt[1] * energies + log_odds)) - targets @ tilt

    basis = np.stack([np.ones_like(energies), energies])
    tilt = np.zeros(2)
    for _ in range(_TILT_ITERATIONS):
        share = _sigmoid(tilt @ basis + log_odds)
        gradient = basis @ (weight * share) - targets
        if np.all(np.abs(gradient) <= _TILT_TOLERANCE * np.abs(targets)):
            break
        hessian = (basis * (weight * share * (1 - share))) @ basis.T
        step = np.linalg.lstsq(hessian, gradient, rcond=1e-12)[0]
        scale = 1.0
        while objective(tilt - scale * step) > objective(tilt) and scale > 1e-6:
            scale /= 2
        tilt = tilt - scale * step
    return tilt


def _sigmoid(u):
    return 0.5 * (1 + np.tanh(u / 2))


def _percentages(fractions):
    return ", ".join(f"{name} ({100 * fraction:.5g} %)" for name, fraction in fractions)


def _chain_spectrum(chain):
    """Emissions of all members per decay of the parent; lines of one kind in one component."""
    parts = [p for m in chain.members for p in _spectrum(m.name).scaled(m.decays_per_parent).components]
    merged = [part for part in parts if isinstance(part, Continuum)]
    for particle, label, _ in _LINE_KINDS:
        lines = [p for p in parts if isinstance(p, Lines) and p.particle == particle]
        if lines:
            energies, yields = (np.concatenate([getattr(p, a) for p in lines]) for a in ("energies_mev", "yields"))
            merged.append(Lines(particle, label, energies, yields))
    return Spectrum(tuple(merged))


def _spectrum(name):
    emissions = _record(name)["emissions"]
    rows = {key.lower(): np.array(values, dtype=float).reshape(-1, 2) for key, values in emissions.items()}
    components = _beta_components(name, rows)
    for particle, label, kinds in _LINE_KINDS:
        lines = np.concatenate([rows.get(kind, np.zeros((0, 2))) for kind in kinds])
        if len(lines):
            components.append(Lines(particle, label, lines[:, 0], lines[:, 1]))
    return Spectrum(tuple(components))


def _beta_components(name, rows):
    # Delayed beta particles of fission products ("betaD") are beta-minus.
    minus, plus, table = np.concatenate([rows["beta-"], rows["betad"]]), rows["beta+"], rows["b-spectra"]
    if not len(table):
        return []
    energies, density = table.T
    if len(minus) and len(plus):
        densities = separate_beta_spectra(energies, density, minus, plus, atomic_number(name.split("-")[0]))
    else:
        densities = (density, density)
    parts = (("electron", minus, densities[0]), ("positron", plus, densities[1]))
    return [Continuum(particle, "beta", energies, d, b[:, 1].sum()) for particle, b, d in parts if len(b)]


@cache
def _folder():
    package = importlib.util.find_spec("icrp107_database")
    if package is None:
        raise ModuleNotFoundError("the nuclide data need the package icrp107-database; pip install icrp107-database")
    return Path(package.origin).with_name("icrp107")


@cache
def _names():
    def order(name):
        symbol, mass, state = re.fullmatch(r"([A-Za-z]+)-(\d+)(\w*)", name).groups()
        return atomic_number(symbol), int(mass), state

    return tuple(sorted((path.stem for path in _folder().glob("*.json")), key=order))


@cache
def _keys():
    """Every way to write a name, without hyphen and in lower case: symbol first and mass first."""
    keys = {}
    for name in _names():
        symbol, rest = name.lower().split("-")
        keys.setdefault(symbol + rest, name)
        keys.setdefault(rest + symbol, name)
    return keys


def _canonical_name(name):
    keys = _keys()
    key = re.sub(r"[\s_-]", "", str(name)).lower()
    if key in keys:
        return keys[key]
    near = list(dict.fromkeys(keys[match] for match in difflib.get_close_matches(key, keys, n=6, cutoff=0.5)))[:3]
    hint = f"did you mean {' or '.join(near)}?" if near else "names look like Y-90 or Tc-99m"
    raise ValueError(f"unknown nuclide {name!r}; {hint}")


def _record(name):
    # The database encodes its JSON twice: the file holds a string that holds the record.
    with (_folder() / f"{name}.json").open(encoding="utf-8") as file:
        return json.loads(json.load(file))


@cache
def _half_life_s(name):
    """Half-life, s; None for what is not among the nuclides, the stable ones."""
    if name not in _names():
        return None
    record = _record(name)
    return record["half_life"] * UNIT_SECONDS[record["time_unit"]]


def _branches(name):
    return [(daughter, fraction) for daughter, fraction in _daughters().get(name, [])]


@cache
def _daughters():
    with _DAUGHTERS_FILE.open("rb") as file:
        return tomllib.load(file)["daughters"]
