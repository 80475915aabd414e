"""Figures and figures of merit of docs/physics.md: ``python -m benchmarks.physics_figures [folder]``.

1. Stopping powers and attenuation over those EGSnrc used, six media (tests/data/egsnrc_media_tables.csv).
2. First transport cross section: elastic against the partial waves of EGSnrc, all of it against its Z(Z + 1) recipe.
3. Deflection of a step: the table as it is sampled against the Goudsmit-Saunderson series.
4. Printed: what the tables' interpolation costs, at random energies.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from physics_data import electron_tables, photon_tables, photons, scattering, stopping
from physics_data.elements import atomic_weight
from physics_data.materials import material
from physics_data.stopping import AVOGADRO, ELECTRON_MASS_MEV
from tests.test_media_reference import MEDIA, REFERENCE

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
MU = np.geomspace(1e-12, 1, 4000)
FINE_STRUCTURE_EGS, THOMAS_FERMI = 1 / 137.03604, 0.88534138  # as EGSnrc rounds them
# Velocity over c; screening parameter that gives the first moment of the partial-wave cross section, over Moliere's:
# data of the figure of the screening parameter in the EGSnrc manual (Kawrakow et al., NRCC Report PIRS-701)
EGSNRC_SCREENING = {
    6: (
        (0.0624693, 0.963315),
        (0.115028, 0.959429),
        (0.21004, 0.99666),
        (0.281556, 1.01456),
        (0.373267, 1.02883),
        (0.485645, 1.03919),
        (0.548219, 1.04305),
        (0.627539, 1.04668),
        (0.761792, 1.05067),
        (0.875699, 1.05254),
        (0.976406, 1.05314),
    ),
    13: (
        (0.0624693, 1.77333),
        (0.115028, 1.38805),
        (0.21004, 1.20185),
        (0.281556, 1.17446),
        (0.373267, 1.1681),
        (0.485645, 1.17099),
        (0.548219, 1.1736),
        (0.627539, 1.17679),
        (0.761792, 1.1809),
        (0.875699, 1.18257),
        (0.976406, 1.18188),
    ),
}


def main(folder=FIGURES):
    """Draw all figures into a folder and print the numbers."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in (("media", media), ("scattering", scattering_strength), ("deflection", deflection)):
        figure = draw()
        figure.savefig(folder / f"physics_{name}.png", dpi=110)
        plt.close(figure)
    attenuation_errors()
    electron_errors()


def media():
    """Figure 1."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", sharex=True)
    for name, medium in MEDIA.items():
        table = REFERENCE[name]
        energies = table["energy_mev"]
        ours = photons.cross_sections(medium, energies)
        rest = sum(table[key] for key in ("photoelectric", "coherent", "pair"))
        part = ours.photoelectric + ours.coherent + ours.pair + ours.triplet
        axes[0].semilogx(energies, 100 * (part - rest) / (rest + table["klein_nishina"]), "o-", ms=3, label=name)
        collision = stopping.collision(medium, energies)
        axes[1].semilogx(energies, 100 * (collision / table["collision"] - 1), "o-", ms=3)
    axes[0].set(title="Photoelectric + coherent + pair, of the total", ylabel="mcdose − EGSnrc (%)")
    axes[1].set(title="Collision stopping power", ylabel="mcdose / EGSnrc − 1 (%)")
    for axis in axes:
        axis.axhline(0, color="0.7", lw=0.8, zorder=0)
        axis.set_xlabel("energy (MeV)")
    axes[0].legend(fontsize=8, ncols=2)
    return figure


def scattering_strength():
    """Figure 2."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained", sharex=True)
    for (z, rows), colour, name in zip(EGSNRC_SCREENING.items(), ("C0", "C1"), ("carbon", "aluminium")):
        energies, theirs, ours, born = np.array([_elastic_moments(z, *row) for row in rows]).T
        axes[0].semilogx(energies, 100 * (theirs / ours - 1), "o-", ms=3, color=colour, label=f"{name}: EGSnrc")
        axes[0].semilogx(energies, 100 * (born / ours - 1), ":", color=colour, label=f"{name}: Born × Mott")
    axes[0].set(title="Elastic, over mcdose's partial waves", ylabel="difference (%)", ylim=(-3, 3))
    energies = np.geomspace(0.01, 5, 25)
    for cutoff in (0.001, 0.01):
        ratio = [recipe_over_ours(e, cutoff) for e in energies]
        axes[1].semilogx(energies, 100 * (np.array(ratio) - 1), label=f"threshold {1e3 * cutoff:g} keV")
    axes[1].set(title="Water, all scattering: EGSnrc's Z(Z + 1) recipe", ylabel="over mcdose − 1 (%)", ylim=(-0.5, 2))
    for axis in axes:
        axis.axhline(0, color="0.7", lw=0.8, zorder=0)
        axis.set_xlabel("kinetic energy (MeV)")
        axis.legend(fontsize=8)
    return figure


def deflection():
    """Figure 3."""
    water = material("water")
    figure, axis = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    mu, p = electron_tables._legendre()
    for colour, (energy, strength) in zip(("C0", "C1"), ((1.0, 0.05), (0.05, 0.2))):
        moments = scattering.moments(water, [energy], 0.01)
        k = strength * moments[0] / moments[0, 1]
        none = np.exp(-k[0])
        below = 0.5 * ((1 - p[1]) * (1 - none) + (np.exp(-k[1:]) - none) @ (p[: electron_tables.MULTIPOLES] - p[2:]))
        axis.loglog(mu[1:], 1 - below[1:] - none, color=colour, lw=3, alpha=0.4)
        scale, t = electron_tables._deflections(np.array([strength]), moments)
        y = np.linspace(0, 1, 4001)[1:-1]
        value = np.interp(y, np.linspace(0, 1, t.shape[1]), t[0])
        sampled = scale[0] * (1 - value) / (scale[0] + value)
        axis.loglog(sampled, y * y, "--", color=colour, label=f"{energy:g} MeV, strength {strength:g}")
    axis.set(xlabel="µ = (1 − cos θ)/2", ylabel="probability of more", xlim=(1e-4, 1), ylim=(1e-4, 1.2))
    axis.set_title("Goudsmit–Saunderson: series (wide), table as sampled (dashed)", fontsize=10)
    axis.legend(fontsize=8)
    return figure


def recipe_over_ours(energy, cutoff):
    """First moment of all scattering in water, Moller collisions included: EGSnrc's recipe over ours.

    EGSnrc: elastic times 1 + 1/Z, less `moller_share`. The elastic part is ours in both.
    """
    water = material("water")
    whole = 0.0
    for z, n in _atoms_per_gram(water).items():
        weighted = scattering.elastic_cross_section(z, energy, MU) * 2 * MU**2
        whole += n * (1 + 1 / z) * np.trapezoid(weighted, np.log(MU))
    cosine, cross = _moller(energy, cutoff)
    explicit = water.electrons_per_gram * ((1 - cosine) * cross).sum()
    ours = scattering.moments(water, [energy], cutoff, -1, 1)[0, 1]
    return (whole * (1 - moller_share(energy, cutoff)) + explicit) / (ours + explicit)


def moller_share(energy, cutoff):
    """Share of explicit Moller collisions in the scattering of water by EGSnrc's recipe.

    Moments of sin^2 of Moller collisions over that of screened Rutherford scattering with Z(Z + 1): Kawrakow, Med.
    Phys. 24 (1997) 505; PIRS-701, "Elastic scattering with spin".
    """
    water = material("water")
    tau, beta2, _ = stopping.kinematics(np.float64(energy))
    atoms = _atoms_per_gram(water)
    weight = sum(n * z * (z + 1) for z, n in atoms.items())
    eta = np.exp(sum(n * z * (z + 1) * np.log(_moliere(z, tau, beta2)) for z, n in atoms.items()) / weight)
    rutherford = (1 + 2 * eta) * np.log(1 + 1 / eta) - 2
    cosine, cross = _moller(energy, cutoff)
    unit = 4 * np.pi * stopping.ELECTRON_RADIUS_CM**2 / (tau * (tau + 2) * beta2)
    return water.electrons_per_gram * ((1 - cosine**2) * cross).sum() / unit / rutherford / weight


def attenuation_errors():
    """Table of attenuation, linear between its rows, against the cross sections."""
    names = "water", "cortical_bone", "air"
    mixtures = [material(name) for name in names]
    table = photon_tables.photon_tables(mixtures, [m.density_g_cm3 for m in mixtures], 0.01, 3.0)
    energies = np.exp(np.random.default_rng(1).uniform(np.log(0.01), np.log(3.0), 20_000))
    for k, medium in enumerate(mixtures):
        exact = sum(photons.cross_sections(medium, energies))
        error = np.interp(energies, _nodes(table["energy"]), table["attenuation"][k, :, 0]) / exact - 1
        print(f"attenuation, {medium.name}: at most {np.abs(error).max():.1e}, mean {error.mean():+.1e}")


def electron_errors():
    """Energy and range on the step coordinate against a sixteen times finer quadrature, and the way back."""
    water, cutoff, highest, voxel_cm = material("water"), 0.01, 2.28, 0.3
    table = electron_tables.electron_tables([water], cutoff, cutoff, highest, voxel_cm, False)
    nodes = _nodes(table["energy"])
    energy = np.geomspace(cutoff / 2, nodes[-1], 24_000)
    steps = electron_tables._step_policy(electron_tables._rates(water, energy, (cutoff, cutoff), -1), energy, voxel_cm)
    random = np.random.default_rng(1)
    n = random.uniform(0, float(table["n_cut"]), 20_000)
    rows = np.arange(len(table["main"])) / float(table["main_rows"])
    for column, values, name in ((0, energy, "energy"), (1, steps.residual, "residual range")):
        exact = electron_tables._at(n, steps.coordinate, values)
        error = np.interp(n, rows, table["main"][:, column]) / exact - 1
        print(f"{name} at a step coordinate: at most {np.abs(error).max():.1e}, mean {error.mean():+.1e}")
    born = np.exp(random.uniform(np.log(cutoff), np.log(highest), 20_000))
    back = np.interp(np.interp(born, nodes, table["coordinate"]), rows, table["main"][:, 0]) / born - 1
    print(f"energy, to the coordinate and back: at most {np.abs(back).max():.1e}, mean {back.mean():+.1e}")


def _elastic_moments(z, beta, over_moliere):
    """Energy (MeV) and first moments of an element: EGSnrc's screened Rutherford x Mott, ours, Born x Mott."""
    tau = 1 / np.sqrt(1 - beta**2) - 1
    energy = tau * ELECTRON_MASS_MEV
    eta = over_moliere * _moliere(z, tau, 1.0)  # the manual's unit has alpha Z where Moliere has alpha Z / beta
    mott = scattering.mott_ratio(z, energy, np.sqrt(MU))
    rutherford = scattering._rutherford(z, energy, np.ones(1))
    ours = scattering.elastic_cross_section(z, energy, MU) / rutherford * MU**2
    born = ours / scattering.partial_wave_ratio(z, energy, MU)
    log_mu = np.log(MU)
    return energy, *(np.trapezoid(v, log_mu) for v in (MU**2 / (MU + eta) ** 2 * mott, ours, born))


def _moliere(z, tau, beta2):
    """Moliere's screening parameter of (mu + eta)^-2."""
    radius = (FINE_STRUCTURE_EGS / THOMAS_FERMI) ** 2 * z ** (2 / 3) / (4 * tau * (tau + 2))
    return radius * (1.13 + 3.76 * (FINE_STRUCTURE_EGS * z) ** 2 / beta2)


def _atoms_per_gram(mixture):
    return {z: w * AVOGADRO / atomic_weight(z) for z, w in zip(mixture.z.tolist(), mixture.weights.tolist())}


def _moller(energy, cutoff):
    """Cosines of the faster electron and cross sections (cm2) of Moller collisions above a threshold, on a grid.

    None where the energy is not above twice the threshold.
    """
    if energy <= 2 * cutoff:
        return np.zeros(0), np.zeros(0)
    tau, beta2, gamma = stopping.kinematics(np.float64(energy))
    edges = np.geomspace(cutoff, energy / 2, 2001)
    w, width = np.sqrt(edges[1:] * edges[:-1]), np.diff(edges)
    rest = energy - w
    bracket = 1 / w**2 + 1 / rest**2 + (tau / gamma / energy) ** 2 - (2 * tau + 1) / gamma**2 / (w * rest)
    cosine = np.sqrt(rest * (energy + 2 * ELECTRON_MASS_MEV) / (energy * (rest + 2 * ELECTRON_MASS_MEV)))
    return cosine, stopping.MOLLER_CM2_MEV / beta2 * bracket * width


def _nodes(axis):
    """Energies of the rows of an axis."""
    bits = np.arange(axis.first, axis.first + axis.last + 2, dtype=np.int32) << axis.shift
    return bits.astype(np.int32).view(np.float32).astype(float)


if __name__ == "__main__":
    main(*sys.argv[1:])
