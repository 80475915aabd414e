"""On a real GPU, where there is one: the same physics as on the CPU, and the same dose every time."""

import numpy as np
import pytest

import mcdose
from mcdose.gpu import obstacle, probe

BECAUSE = obstacle(probe())
pytestmark = pytest.mark.skipif(BECAUSE is not None, reason=f"no GPU: {BECAUSE}")


def slab_source(nuclide):
    """Decays in liver below lung."""
    index = np.zeros((16, 9, 9), np.uint8)
    index[8:] = 1
    media = [mcdose.material("liver"), mcdose.material("lung")]
    phantom = mcdose.Phantom(np.where(index, 0.26, 1.06), index, media, 3.0)
    return phantom, mcdose.Source(1.0 - index, nuclide, phantom)


@pytest.mark.parametrize("nuclide", ["Y-90", "Lu-177", "I-131", "F-18"])
def test_gpu_and_cpu_agree_within_their_uncertainty(nuclide):
    phantom, source = slab_source(nuclide)
    masks = {"liver": phantom.density_g_cm3 > 1, "lung": phantom.density_g_cm3 < 1}
    doses = [
        mcdose.monte_carlo(phantom, source, histories=400_000, batches=40, seed=seed, device=device, regions=masks)
        for seed, device in ((1, "cpu"), (2, "cuda"))
    ]
    known = np.ones(phantom.shape, bool)
    for dose in doses:
        assert dose.tally["emitted"] == dose.tally["deposited"] + dose.tally["escaped"]
        assert dose.settings["overflows"] == 0
        known &= (dose.relative_uncertainty > 0) & (dose.relative_uncertainty < 0.1)
    cpu, gpu = doses
    sigma = np.hypot(*(dose.energy_mev * dose.relative_uncertainty for dose in doses))[known]
    z = (gpu.energy_mev - cpu.energy_mev)[known] / sigma
    # of 39 degrees of freedom each the mean is 1.05; voxels share histories, hence more scatter than of free ones
    assert (z**2).mean() == pytest.approx(1.05, abs=6 * np.sqrt(2 / z.size) + 0.05)
    assert gpu.energy_mev.sum() == pytest.approx(cpu.energy_mev.sum(), rel=0.002)
    for name, region in gpu.regions.items():
        u = np.hypot(region.standard_uncertainty_gy, cpu.regions[name].standard_uncertainty_gy)
        assert region.mean_gy == pytest.approx(cpu.regions[name].mean_gy, abs=4 * u)
        own = np.average(gpu.gy[masks[name]], weights=phantom.density_g_cm3[masks[name]])
        assert region.mean_gy == pytest.approx(own, rel=1e-6)  # masses in float32


def test_the_same_seed_gives_the_same_dose():
    phantom, source = slab_source("F-18")
    runs = [mcdose.monte_carlo(phantom, source, histories=300_000, seed=3, device="cuda") for _ in range(2)]
    assert np.array_equal(*(run.energy_mev for run in runs))
    everywhere = mcdose.monte_carlo(phantom, source, histories=300_000, seed=3, device="cuda:all")
    assert np.array_equal(everywhere.energy_mev, runs[0].energy_mev)
