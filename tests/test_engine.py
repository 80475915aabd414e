"""What the transport is given: decays in order, densities and majorants, and tables with which electrons stay put."""

import numpy as np
import pytest

import mcdose
from mcdose import arrays
from mcdose.engine import TOTAL, Physics, problem

WATER, BONE = mcdose.material("water"), mcdose.material("cortical_bone")


def made(phantom, decays, name="Lu-177", **physics):
    return problem(phantom, decays, mcdose.Nuclide(name).spectrum, None, Physics(0.01, 0.01, **physics))


@pytest.mark.parametrize("slab", [1, 40, 10**6])
def test_cumulative_decays_are_those_of_the_whole_grid(monkeypatch, slab):
    monkeypatch.setattr(arrays, "SLAB_VOXELS", slab)
    phantom = mcdose.Phantom.uniform(WATER, (7, 5, 6), 3.0)
    decays = np.random.default_rng(1).random(phantom.shape) ** 4
    decays[decays < 0.2] = 0.0
    decays[:2] = 0.0
    source = made(phantom, decays).source
    voxel = np.flatnonzero(decays)
    assert np.array_equal(source.voxel, voxel) and source.voxel.dtype == np.uint32
    share = np.cumsum(decays.ravel()[voxel])
    assert np.array_equal(source.cumulative, (share / share[-1] * TOTAL).astype(np.uint64))
    assert source.cumulative[-1] == TOTAL


def test_majorant_bounds_every_voxel_and_touches_the_densest():
    density = np.full((2, 3, 4), 1.0, np.float32)
    index = np.zeros(density.shape, np.uint8)
    index[1] = 1
    density[1, 2, 3], density[0, 0, 0] = 1.9, 2.5
    photons = made(mcdose.Phantom(density, index, [WATER, BONE], 3.0), np.ones(density.shape)).photons
    linear = photons.attenuation[:, :, 0] * np.array([[2.5], [1.9]], np.float32)
    assert (photons.majorant >= linear).all()
    assert photons.majorant == pytest.approx(linear.max(axis=0), rel=1e-3)
    assert {0, 1} == set(linear.argmax(axis=0))  # bone at low energy, the dense water above


def test_local_electrons_leave_photons_and_annihilation():
    phantom = mcdose.Phantom.uniform(WATER, (3, 3, 3), 3.0)
    decays = np.ones(phantom.shape)
    for name in ("Lu-177", "F-18", "I-124", "Y-90"):
        spectrum = mcdose.Nuclide(name).spectrum
        here = made(phantom, decays, name, electrons_move=False)
        assert set(here.source.particle.tolist()) <= {0, 2}
        positrons = here.source.particle == 2
        assert (here.source.energy_high[positrons] == 0).all()
        photons = spectrum.select(("photon",))
        soft = sum(
            float((c.energies_mev * c.yields)[c.energies_mev < 0.01].sum()) for c in photons.components
        )  # photons are lines
        assert here.local_mev_per_decay == pytest.approx(spectrum.energy_mev() - photons.energy_mev() + soft, rel=1e-6)
        number = float(sum(c.yields[c.energies_mev >= 0.01].sum() for c in photons.components))
        assert here.particles_per_decay == pytest.approx(number + spectrum.yield_per_decay("positron"), rel=1e-6)
