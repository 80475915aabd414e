import numpy as np
import pytest

from kernels_cuda.tables import EnergyAxis, energy_row
from physics_data import photons
from physics_data.axis import energy_axis
from physics_data.materials import Material, material
from physics_data.photon_tables import photon_tables

WATER, BONE = material("water"), material("cortical_bone")


def interpolated(table, axis, e):
    row, weight = energy_row(EnergyAxis(*axis), np.float32(e))
    return table[row] + weight * (table[row + 1] - table[row])


def test_attenuation_between_the_nodes():
    """Linear interpolation on 128 rows per octave: within 0.02 % of the cross sections from 2 keV up."""
    tables = photon_tables([WATER, BONE], [1.0, 1.9], 0.001, 3.0)
    energies = np.exp(np.random.default_rng(1).uniform(np.log(0.005), np.log(2.9), 300))
    for medium, m in enumerate((WATER, BONE)):
        ours = [interpolated(tables["attenuation"][medium, :, 0], tables["energy"], e) for e in energies]
        assert np.array(ours) == pytest.approx(sum(photons.cross_sections(m, energies)), rel=2e-4)


def test_the_majorant_is_never_exceeded():
    densities = [1.06, 1.9]
    tables = photon_tables([WATER, BONE], densities, 0.01, 3.0)
    linear = tables["attenuation"][:, :, 0] * np.array(densities, np.float32)[:, None]
    assert (tables["majorant"] >= linear.max(axis=0)).all()
    assert tables["majorant"] == pytest.approx(linear.max(axis=0), rel=1e-5)


def test_shares_rise_to_one():
    tables = photon_tables([WATER], [1.0], 0.01, 3.0)
    shares = tables["attenuation"][0, :, 1:]
    assert (np.diff(shares, axis=1) >= 0).all()
    assert shares[:, 2].max() <= 1 + 1e-6


def test_only_elements_that_shine_above_the_cutoff_are_listed():
    iodine = Material("contrast", 1.1, {"H": 0.1, "O": 0.88, "I": 0.02})
    assert photon_tables([WATER], [1.0], 0.01, 1.0)["k_edge"].size == 0
    tables = photon_tables([WATER, iodine], [1.0, 1.1], 0.01, 1.0)
    assert tables["k_edge"] == pytest.approx([0.03317], rel=1e-3)
    assert tables["k_vacancy"][0].max() == 0
    assert 0.3 < tables["k_vacancy"][1].max() < 1


def test_axis_rows_of_its_own_nodes():
    axis, nodes = energy_axis(0.01, 2.0, 64)
    for k in (0, 17, len(nodes) - 2):
        assert energy_row(EnergyAxis(*axis), np.float32(nodes[k])) == (k, 0)
    assert nodes[0] <= 0.01
    assert nodes[-1] >= 2.0
    assert energy_row(EnergyAxis(*axis), np.float32(1e-3)) == (0, 0)
    row, weight = energy_row(EnergyAxis(*axis), np.float32(50.0))
    assert (row, weight) == (len(nodes) - 2, 1)
