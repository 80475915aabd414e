"""Stopping powers against published values, closed forms against quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad

from physics_data import stopping
from physics_data.materials import Material, material
from physics_data.stopping import ELECTRON_MASS_MEV, MOLLER_CM2_MEV

WATER = material("water")
ESTAR_WATER = [  # MeV; MeV cm2/g collision, radiative; g/cm2 CSDA range: NIST SRD 124, liquid water, I = 75 eV
    (0.01, 22.56, 3.898e-3, 2.515e-4),
    (0.1, 4.115, 4.228e-3, 0.014308),
    (1.0, 1.8491, 1.2798e-2, 0.43674),
    (3.0, 1.8459, 4.299e-2, 1.5137),
]
ESTAR_COLLISION = [  # the same for other materials at 1 MeV: (material, MeV cm2/g, relative rounding)
    (Material("aluminium", 2.6989, {"Al": 1.0}, 166.0), 1.465, 1e-3),
    (Material("lead", 11.35, {"Pb": 1.0}, 823.0), 0.9939, 1e-3),
    (Material("air", 1.20479e-3, {"C": 0.000124, "N": 0.755267, "O": 0.231781, "Ar": 0.012827}, 85.7), 1.661, 1e-3),
]


@pytest.mark.parametrize(("energy", "collision", "radiative", "csda"), ESTAR_WATER)
def test_water_agrees_with_estar(energy, collision, radiative, csda):
    assert stopping.collision(WATER, energy) == pytest.approx(collision, rel=3e-4)
    assert stopping.radiative(WATER, energy) == pytest.approx(radiative, rel=3e-4)
    assert stopping.csda_range(WATER, energy) == pytest.approx(csda, rel=5e-3)


@pytest.mark.parametrize(("medium", "expected", "tolerance"), ESTAR_COLLISION)
def test_metals_and_gases_agree_with_estar(medium, expected, tolerance):
    assert stopping.collision(medium, 1.0) == pytest.approx(expected, rel=tolerance)


def test_mean_excitation_energy_of_icru_90_lowers_stopping_power():
    icru90 = Material("water", 1.0, dict(WATER.mass_fractions), 78.0)
    ratio = stopping.collision(icru90, [0.01, 1.0]) / stopping.collision(WATER, [0.01, 1.0])
    np.testing.assert_allclose(ratio - 1, [-0.008, -0.0023], atol=3e-4)


def test_density_effect_depends_on_density_only_above_threshold():
    lung = material("lung")
    inflated = Material("lung", 0.26, dict(lung.mass_fractions), lung.i_value_ev)
    ratio = stopping.collision(inflated, [0.1, 1.0, 3.0]) / stopping.collision(lung, [0.1, 1.0, 3.0])
    np.testing.assert_allclose(ratio - 1, [0.0, 0.014, 0.042], atol=2e-3)
    assert stopping.density_effect(WATER, 0.1) == 0


def test_density_effect_reaches_the_high_energy_limit():
    """delta -> ln (beta gamma)^2 - 2 ln(I / plasma energy) - 1 (ICRU 37)."""
    delta = stopping.density_effect(WATER, 100.0)
    tau = 100.0 / ELECTRON_MASS_MEV
    plasma = stopping.PLASMON_EV * np.sqrt(WATER.electrons_per_gram / stopping.AVOGADRO)
    assert delta == pytest.approx(np.log(tau * (tau + 2)) - 2 * np.log(75.0 / plasma) - 1, abs=0.02)


def test_stopping_powers_are_smooth_and_positive_below_1_kev():
    energies = np.geomspace(0.3e-3, 3e-3, 200)
    for medium in (WATER, Material("lead", 11.35, {"Pb": 1.0})):
        for power in (stopping.collision, stopping.radiative):
            values = power(medium, energies)
            assert (values > 0).all()
            assert np.abs(np.diff(np.log(values))).max() < 0.05


def moller(w, e):
    gamma = e / ELECTRON_MASS_MEV + 1
    beta2 = 1 - 1 / gamma**2
    cross = 1 / w**2 + 1 / (e - w) ** 2 + ((gamma - 1) / gamma) ** 2 / e**2 - (2 * gamma - 1) / gamma**2 / (w * (e - w))
    return MOLLER_CM2_MEV / beta2 * cross


def bhabha(w, e):
    """In the form of PENELOPE: 1/W^2 [1 - b1 x + b2 x^2 - b3 x^3 + b4 x^4] / beta^2."""
    gamma = e / ELECTRON_MASS_MEV + 1
    beta2 = 1 - 1 / gamma**2
    x = w / e
    g = ((gamma - 1) / gamma) ** 2
    b1 = g * (2 * (gamma + 1) ** 2 - 1) / (gamma**2 - 1)
    b2 = g * (3 * (gamma + 1) ** 2 + 1) / (gamma + 1) ** 2
    b3 = g * 2 * gamma * (gamma - 1) / (gamma + 1) ** 2
    b4 = g * (gamma - 1) ** 2 / (gamma + 1) ** 2
    return MOLLER_CM2_MEV / beta2 / w**2 * (1 - b1 * x + b2 * x**2 - b3 * x**3 + b4 * x**4)


@pytest.mark.parametrize(("charge", "cross_section", "largest"), [(-1, moller, 0.5), (1, bhabha, 1.0)])
@pytest.mark.parametrize("energy", [0.021, 0.1, 1.0, 10.0])
def test_hard_collisions_agree_with_quadrature(charge, cross_section, largest, energy):
    cutoff = 0.01
    hard = stopping.hard_collisions(WATER, energy, cutoff, charge)
    for power, closed in ((0, hard.number), (1, hard.energy_loss)):
        numeric, _ = quad(
            lambda u, p=power: np.exp(u) ** (p + 1) * cross_section(np.exp(u), energy),
            np.log(cutoff),
            np.log(largest * energy),
            epsrel=1e-11,
        )
        assert closed == pytest.approx(WATER.electrons_per_gram * numeric, rel=1e-8)


def test_no_hard_collisions_up_to_twice_the_threshold():
    energies = [0.005, 0.01, 0.015, 0.02, 0.0201]
    for charge in (-1, 1):
        hard = stopping.hard_collisions(WATER, energies, 0.01, charge)
        assert (hard.number[:4] == 0).all() and (hard.energy_loss[:4] == 0).all()
        assert hard.number[4] > 0
        restricted = stopping.restricted_collision(WATER, energies, 0.01, charge)
        np.testing.assert_allclose(restricted + hard.energy_loss, stopping.collision(WATER, energies, charge))


def test_soft_losses_do_not_know_the_charge():
    """Distant collisions are the same for both: F+ and F- differ by what Bhabha and Moller differ in hard ones."""
    energies = np.array([0.05, 0.5, 1.0, 5.0])
    electron, positron = (stopping.restricted_collision(WATER, energies, 5e-4, charge) for charge in (-1, 1))
    np.testing.assert_allclose(positron, electron, rtol=3e-3)


def test_positrons_against_electrons():
    """Positrons lose more at low and less at high energies (ICRU 37); they radiate less."""
    ratio = stopping.collision(WATER, [0.01, 1.0], 1) / stopping.collision(WATER, [0.01, 1.0])
    np.testing.assert_allclose(ratio, [1.10, 0.98], atol=5e-3)
    radiated = [float(stopping.positron_radiative_ratio(8, e)) for e in (1e-3, 1e-2, 0.1, 1.0, 100.0)]
    assert radiated == sorted(radiated)
    assert radiated[-1] == pytest.approx(1, abs=0.01)


def test_annihilation_in_flight_limits():
    """Dirac's rate pi r_e^2 c at rest; ln(2 gamma)/gamma at high energy (Heitler, section 27)."""
    electrons = WATER.electrons_per_gram * np.pi * stopping.ELECTRON_RADIUS_CM**2
    slow = 1e-6
    beta = np.sqrt(stopping.kinematics(np.float64(slow)).beta2)
    assert stopping.annihilation_in_flight(WATER, slow) * beta == pytest.approx(electrons, rel=1e-3)
    gamma = 100.0 / ELECTRON_MASS_MEV + 1
    assert stopping.annihilation_in_flight(WATER, 100.0) == pytest.approx(
        electrons / gamma * (np.log(2 * gamma) - 1), rel=0.03
    )


@pytest.mark.parametrize("energies", [0.0, -1.0, [0.1, np.nan], 200.0])
def test_impossible_energies_are_refused(energies):
    with pytest.raises(ValueError, match="MeV"):
        stopping.collision(WATER, energies)


def test_impossible_charge_is_refused():
    with pytest.raises(ValueError, match="charge"):
        stopping.collision(WATER, 1.0, charge=2)
