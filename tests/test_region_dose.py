"""Mean doses of regions: exact sums, and uncertainties that cover what repeated runs give."""

import numpy as np
import pytest

import mcdose
from mcdose.arrays import SLAB_VOXELS
from mcdose.errors import InputError, InputWarning
from mcdose.region_dose import cropped, fingerprint, region_sum

SEEDS = 30
# Spread of SEEDS runs over the root mean square of their claims: the spread is known to 1/sqrt(2 (SEEDS - 1)) = 13 %.
# Its deviation from 1 is allowed three times that; taking the voxels as independent gives 0.1 to 3.3.
RATIO_LOW, RATIO_HIGH = 0.61, 1.39


def slab(nuclide, voxel_mm, n=24):
    """Uniform activity in liver below lung without any; masks of regions."""
    lung = np.broadcast_to(np.arange(n)[:, None, None] >= n // 2, (n, n, n))
    media = [mcdose.material("liver"), mcdose.material("lung")]
    phantom = mcdose.Phantom(np.where(lung, 0.26, 1.06), lung.astype(np.uint8), media, voxel_mm)
    block = np.zeros(phantom.shape, bool)
    block[2:10, 8:16, 8:16] = True
    return phantom, mcdose.Source(1e3 * ~lung, nuclide, phantom), {"liver": ~lung, "block": block, "lung": lung}


def ratios(nuclide, voxel_mm, **options):
    """Spread over claim of each region's mean dose, and of the same with voxels taken as independent."""
    phantom, source, masks = slab(nuclide, voxel_mm)
    runs = [mcdose.monte_carlo(phantom, source, seed=seed, regions=masks, **options) for seed in range(1, SEEDS + 1)]
    found = {}
    for name, mask in masks.items():
        spread = np.std([run.regions[name].mean_gy for run in runs], ddof=1)
        claims = [run.regions[name].standard_uncertainty_gy for run in runs]
        sd = [np.nan_to_num(run.relative_uncertainty[mask]) * run.energy_mev[mask] for run in runs]
        per_kg = 1.602176634e-13 / phantom.mass_kg[mask].sum()
        alone = [np.sqrt((voxels**2).sum()) * per_kg for voxels in sd]
        found[name] = tuple(spread / np.sqrt(np.mean(np.square(claim))) for claim in (claims, alone))
    return found


@pytest.mark.parametrize(("nuclide", "voxel_mm"), [("Y-90", 3.0), ("Y-90", 1.0), ("Lu-177", 3.0)])
def test_uncertainty_covers_the_spread_of_repeated_runs(nuclide, voxel_mm):
    found = ratios(nuclide, voxel_mm, histories=10_000)
    for name, (batches, _) in found.items():
        assert RATIO_LOW < batches < RATIO_HIGH, name
    if voxel_mm == 3.0:
        assert found["liver"][1] < RATIO_LOW  # independent voxels claim too much inside the source
    if nuclide == "Y-90":
        assert found["lung"][1] > RATIO_HIGH  # and too little where electrons cross many


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"histories": 100_000}, {"uncertainty": 0.05}])
@pytest.mark.parametrize(("nuclide", "voxel_mm"), [("Y-90", 3.0), ("Y-90", 1.0), ("Lu-177", 3.0), ("I-131", 3.0)])
def test_uncertainty_of_longer_runs_covers_it_too(nuclide, voxel_mm, options):
    """Batches of one size, and batches that grow as a run goes on until its uncertainty is reached."""
    for name, (batches, _) in ratios(nuclide, voxel_mm, **options).items():
        assert RATIO_LOW < batches < RATIO_HIGH, name


@pytest.fixture(scope="module")
def run():
    phantom, source, masks = slab("Y-90", 3.0, 16)
    return mcdose.monte_carlo(phantom, source, histories=20_000, regions=masks), masks


def test_mean_is_energy_over_mass(run):
    dose, masks = run
    for name, mask in masks.items():
        region, density = dose.regions[name], dose.phantom.density_g_cm3[mask].astype(float)
        assert region.mass_g == pytest.approx(density.sum() * 0.027)
        assert region.volume_cm3 == pytest.approx(mask.sum() * 0.027)
        assert region.mean_gy == pytest.approx(np.average(dose.gy[mask], weights=density), rel=1e-12)


def test_regions_that_overlap_and_the_whole(run):
    """All of the grid is the sum of its parts; nothing is lost between batches."""
    dose, masks = run
    phantom, source, _ = slab("Y-90", 3.0, 16)
    whole = mcdose.monte_carlo(
        phantom, source, histories=20_000, regions={"all": np.ones(phantom.shape, bool), **masks}
    )
    joules = {name: region.mean_gy * region.mass_g for name, region in whole.regions.items()}
    assert joules["all"] == pytest.approx(joules["liver"] + joules["lung"], rel=1e-12)
    assert joules["all"] * 1e-3 / 1.602176634e-13 == pytest.approx(whole.deposited_mev, rel=1e-12)
    assert whole.regions["block"] == dose.regions["block"]  # other regions change nothing


def test_threads_do_not_change_a_bit():
    phantom, source, masks = slab("I-131", 3.0, 16)
    one, two = (
        mcdose.monte_carlo(phantom, source, histories=20_000, regions=masks, threads=threads) for threads in (1, 2)
    )
    assert one.regions == two.regions


def test_what_is_not_transported_is_exact():
    """Alphas of At-211: all of the energy stays in the source, without uncertainty, and some of Ac-225's."""
    phantom, source, masks = slab("At-211", 3.0, 16)
    dose = mcdose.monte_carlo(phantom, source, emissions=["alpha"], regions=masks)
    mev = mcdose.Nuclide("At-211").spectrum.select(("alpha",)).energy_mev()
    liver, lung = dose.regions["liver"], dose.regions["lung"]
    assert liver.mean_gy == pytest.approx(1e3 * mev * 1.602176634e-13 / (1.06 * 0.027e-3), rel=1e-6)
    assert liver.standard_uncertainty_gy == lung.mean_gy == lung.standard_uncertainty_gy == 0


def test_one_batch_says_nothing_of_its_uncertainty():
    phantom, source, masks = slab("Y-90", 3.0, 16)
    dose = mcdose.monte_carlo(phantom, source, histories=1, regions=masks)
    assert dose.regions["liver"].mean_gy > 0 and np.isnan(dose.regions["liver"].standard_uncertainty_gy)
    assert "± nan" not in dose.describe()


def test_file_gives_the_regions_back(run, tmp_path):
    dose, _ = run
    dose.save(tmp_path / "dose.h5")
    back = mcdose.Dose.load(tmp_path / "dose.h5")
    assert back.regions == dose.regions and list(back.regions) == ["liver", "block", "lung"]
    assert back.describe() == dose.describe()
    assert "  liver " in dose.describe()


def test_images_on_another_grid_are_resampled_and_it_is_said(image_factory):
    phantom, source, masks = slab("Y-90", 3.0, 16)
    fine = np.repeat(masks["lung"].astype(np.uint8), 3, axis=0)
    image = image_factory(fine, (3, 3, 1), (0, 0, -1))
    with pytest.warns(InputWarning, match="nearest voxel"):
        dose = mcdose.monte_carlo(phantom, source, histories=2_000, regions=image)
    (region,) = dose.regions.values()
    assert region.fingerprint == fingerprint(cropped(masks["lung"]), phantom.shape)
    with pytest.warns(InputWarning, match="nearest voxel"):
        masked = mcdose.monte_carlo(phantom, source, uncertainty=0.5, mask=image)
    assert masked.mean_uncertainty(masks["lung"]) <= 0.5


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ({"heart": np.zeros((16, 16, 16), bool)}, "mask heart: no voxel above zero"),
        ({"heart": np.ones((2, 2, 2), bool)}, "mask heart: an array of shape"),
        (np.zeros((16, 16, 16), np.uint8), "zero everywhere"),
        ("none.nii.gz", "none.nii.gz: no such file"),
    ],
)
def test_what_is_no_region_is_refused(regions, words):
    phantom, source, _ = slab("Y-90", 3.0, 16)
    with pytest.raises(InputError, match=words):
        mcdose.monte_carlo(phantom, source, histories=10, regions=regions)


def test_sums_are_exact_over_slabs():
    """A region of several slabs, with values that a double does not hold to the last unit."""
    shape = (3, 1024, SLAB_VOXELS // 1024)
    mask = np.zeros(shape, bool)
    mask[:, 1:-1, 5:] = True
    region = cropped(mask)
    assert region.mask.shape == (3, 1022, shape[2] - 5)
    values = np.full(shape, 2**40 + 1)
    assert region_sum(values, region) == int(mask.sum()) * (2**40 + 1)


def test_fingerprints_tell_voxels_apart():
    mask = np.zeros((4, 5, 6), bool)
    mask[1:3, 2, 3] = True
    same, moved = fingerprint(cropped(mask.copy()), mask.shape), np.roll(mask, 1, axis=2)
    assert same == fingerprint(cropped(mask), mask.shape)
    assert same != fingerprint(cropped(moved), mask.shape)
    assert same != fingerprint(cropped(np.pad(mask, ((0, 1), (0, 0), (0, 0)))), (5, 5, 6))
