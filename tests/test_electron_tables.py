import numpy as np
import pytest

from kernels_cuda.tables import EnergyAxis, energy_row
from physics_data import stopping
from physics_data.electron_tables import FRACTION, FRACTION_LONG, FRACTION_SHORT, electron_tables, step_fraction
from physics_data.materials import Material, material

WATER = material("water")


@pytest.fixture(scope="module")
def tables():
    return electron_tables([WATER, material("cortical_bone"), material("lung")], 0.01, 0.01, 2.4, 0.3, positrons=True)


def test_the_main_table_is_the_restricted_slowing_down(tables):
    """dE/dR along the table is the restricted stopping power; energies fall, ranges too, collisions add up."""
    energy, residual, collisions, strength = tables["main"].astype(float).T
    used = energy > 0.01
    assert (np.diff(energy[used]) < 0).all()
    assert (np.diff(residual[used]) < 0).all()
    assert (np.diff(collisions) >= 0).all()
    assert 0 < strength.min() <= strength.max() <= 0.41
    from physics_data.bremsstrahlung import restricted

    middle = (energy[used][1:] + energy[used][:-1]) / 2
    slope = np.diff(energy[used]) / np.diff(residual[used])
    loss = stopping.restricted_collision(WATER, middle, 0.01, -1) + stopping.radiative(WATER, middle)
    loss -= restricted(WATER, middle, 0.01)[1]
    assert slope == pytest.approx(loss, rel=2e-3)


def test_coordinate_and_energy_are_inverse(tables):
    axis = tables["energy"]
    nodes = ((np.arange(tables["coordinate"].size, dtype=np.int32) + axis.first) << axis.shift).view(np.float32)
    inside = nodes > 0.006
    rows = tables["coordinate"][inside] * tables["main_rows"]
    back = np.interp(rows, np.arange(len(tables["main"])), tables["main"][:, 0])
    assert back == pytest.approx(nodes[inside].astype(float), rel=5e-4)


@pytest.mark.parametrize("highest", [0.1, 0.3, 0.95, 1.0, 2.28])
def test_a_source_at_the_top_of_the_table_starts_with_its_energy(highest):
    """Whole interval below the last node: E(n(E)) = E to 1e-4."""
    tables = electron_tables([WATER], 0.01, 0.01, highest, 0.3, positrons=False)
    axis = tables["energy"]
    row, weight = energy_row(EnergyAxis(*axis), np.float32(highest))
    n = tables["coordinate"][row] + weight * (tables["coordinate"][row + 1] - tables["coordinate"][row])
    back = np.interp(n * tables["main_rows"], np.arange(len(tables["main"])), tables["main"][:, 0])
    assert back == pytest.approx(highest, rel=1e-4)


def test_the_reference_medium_has_unit_ratios(tables):
    assert tables["medium"][0, :, :2] == pytest.approx(1, abs=1e-6)


def test_bone_stops_less_and_scatters_more_per_mass_than_water(tables):
    bone = tables["medium"][1, :80]
    assert ((bone[:, 0] > 0.8) & (bone[:, 0] < 0.97)).all()
    assert (bone[:, 1] > 1.1).all()


def test_containment_uses_the_longest_possible_path(tables):
    assert (tables["longest"] <= tables["medium"][:, :, 0].min(axis=1)).all()


def test_positron_media_differ_by_stopping_and_annihilation(tables):
    electron, positron = tables["medium"][0], tables["medium"][3]
    assert tables["positron_media"] == 3
    assert np.abs(positron[:40, 0] / electron[:40, 0] - 1).max() < 0.05
    assert (positron[:40, 4] > 0).all()
    assert (electron[:, 4] == 0).all()


def test_steps_are_as_fine_as_voxels_resolve():
    assert step_fraction(1e-4, 1.0) == pytest.approx(FRACTION_SHORT, rel=0.05)
    assert step_fraction(1.5, 1.0) == pytest.approx(FRACTION, rel=0.1)
    assert step_fraction(1e3, 1.0) == pytest.approx(FRACTION_LONG, rel=0.01)


def test_heavy_elements_get_tables_with_the_first_moment_right():
    gold = Material("gold", 19.3, {"Au": 1.0})
    tables = electron_tables([gold], 0.001, 0.001, 0.1, 0.05, positrons=False)
    q, a = tables["deflection"].astype(float), tables["median"].astype(float)
    assert np.isfinite(q).all()
    y = (np.arange(20_000) + 0.5) / 20_000
    position = y * (q.shape[2] - 1)
    k = position.astype(int)
    rows = np.arange(0, q.shape[1], 7)
    value = q[0, rows][:, k] + (position - k) * (q[0, rows][:, k + 1] - q[0, rows][:, k])
    mu = a[0, rows, None] * (1 - value) / (a[0, rows, None] + value)
    mean = (mu * 2 * y).mean(axis=1)
    strength = np.interp(rows / 2, np.arange(len(tables["main"])) / 8, tables["main"][:, 3])
    assert mean == pytest.approx((1 - np.exp(-strength)) / 2, rel=5e-3)
