"""The user's monte_carlo: exactness, reproducibility, statistics."""

import numpy as np
import pytest

import mcdose
from kernels_cuda import cpu

WATER = mcdose.material("water")


@pytest.fixture(scope="module")
def cube():
    return mcdose.Phantom.uniform(WATER, (11, 11, 11), 3.0)


def central(phantom, emission, decays=1.0):
    grid = np.zeros(phantom.shape)
    grid[tuple(n // 2 for n in phantom.shape)] = decays
    return mcdose.Source(grid, emission, phantom)


@pytest.mark.parametrize("emission", ["Y-90", "I-131", "F-18", "Lu-177", "Ra-223", "I-124", "Cu-64"])
def test_energy_is_exact_in_tally_units_and_all_there(cube, emission):
    source = central(cube, emission, 1e6)
    dose = mcdose.monte_carlo(cube, source, histories=20_000)
    assert dose.tally["emitted"] == dose.tally["deposited"] + dose.tally["escaped"]
    assert dose.emitted_mev == pytest.approx(dose.energy_mev.sum() + dose.escaped_mev, rel=1e-12)
    expected = 1e6 * source.spectrum.energy_mev() + 2 * 0.51099895e6 * source.spectrum.yield_per_decay("positron")
    assert dose.emitted_mev == pytest.approx(expected, rel=2e-3)
    assert dose.settings["overflows"] == 0


@pytest.mark.parametrize("nuclide", ["Y-90", "I-131"])
def test_threads_and_chunks_do_not_change_a_bit(cube, nuclide, monkeypatch):
    """Nor do the photons that fly beside one: in chunks of one history, each flies alone."""
    source = central(cube, nuclide)
    runs = []
    for threads, chunk in ((1, 4096), (2, 4096), (2, 333), (1, 1)):
        monkeypatch.setattr(cpu.simulate, "__defaults__", (chunk, None))
        runs.append(mcdose.monte_carlo(cube, source, histories=30_000, seed=5, threads=threads))
    for other in runs[1:]:
        assert np.array_equal(runs[0].energy_mev, other.energy_mev)
        assert np.array_equal(runs[0].relative_uncertainty, other.relative_uncertainty, equal_nan=True)
    assert not np.array_equal(runs[0].energy_mev, mcdose.monte_carlo(cube, source, histories=30_000, seed=6).energy_mev)


def test_dose_is_for_the_given_decays(cube):
    few = mcdose.monte_carlo(cube, central(cube, "Y-90", 1.0), histories=10_000)
    many = mcdose.monte_carlo(cube, central(cube, "Y-90", 1e9), histories=10_000)
    assert many.gy == pytest.approx(1e9 * few.gy, rel=1e-12)
    mass = 0.3**3 * 1e-3
    assert few.gy.sum() == pytest.approx(few.energy_mev.sum() * 1.602176634e-13 / mass)


def test_uncertainty_covers_the_spread_of_repeated_runs(cube):
    """40 seeds: the spread of the dose matches the reported deviation within 15 %, and nothing is biased."""
    source = central(cube, "Y-90")
    runs = [mcdose.monte_carlo(cube, source, histories=20_000, seed=s, batches=40) for s in range(40)]
    dose = np.array([r.energy_mev for r in runs])
    mean = dose.mean(axis=0)
    region = mean > 0.005 * mean.max()
    reported = np.array([r.relative_uncertainty[region] * r.energy_mev[region] for r in runs])
    variance = (reported**2).mean(axis=0)
    assert np.sqrt((dose[:, region].var(axis=0, ddof=1) / variance).mean()) == pytest.approx(1, abs=0.15)
    sharp = mcdose.monte_carlo(cube, source, histories=2_000_000, seed=99)
    sigma = np.hypot(np.sqrt(variance / len(runs)), (sharp.relative_uncertainty * sharp.energy_mev)[region])
    z = (mean - sharp.energy_mev)[region] / sigma
    assert abs(z.mean()) < 3 / np.sqrt(z.size)
    assert z.std() == pytest.approx(1, abs=0.3)


def uncertainty_after(cube, histories, batches):
    return mcdose.monte_carlo(cube, central(cube, "Y-90"), histories=histories, batches=batches).mean_uncertainty()


def test_the_uncertainty_falls_with_the_root_of_the_batches(cube):
    few, many = uncertainty_after(cube, 20_000, 20), uncertainty_after(cube, 180_000, 180)
    assert few / many == pytest.approx(3, rel=0.2)


def far_case():
    """Activity all over water, and a region in a corner of it."""
    phantom = mcdose.Phantom.uniform(mcdose.material("water"), (12, 12, 60), 4.0)
    region = np.zeros(phantom.shape, bool)
    region[4:8, 4:8, 4:8] = True
    return mcdose.Source(np.ones(phantom.shape), "Y-90", phantom), phantom, region


def test_decays_out_of_reach_are_sampled_less_and_counted_more():
    """Equal doses within their uncertainty, near and far; exact balance; the same on any number of threads."""
    source, phantom, region = far_case()
    every = mcdose.monte_carlo(phantom, source, histories=1_500_000, seed=2, batches=40)
    fewer, one_thread = (
        mcdose.monte_carlo(phantom, source, uncertainty=0.012, mask=region, seed=3, threads=n) for n in (2, 1)
    )
    assert every.settings["sampled_share"] == 1
    assert 0.25 < fewer.settings["sampled_share"] < 0.6
    assert np.array_equal(fewer.energy_mev, one_thread.energy_mev)
    assert fewer.tally["emitted"] == fewer.tally["deposited"] + fewer.tally["escaped"]
    assert fewer.emitted_mev == pytest.approx(every.emitted_mev, rel=1e-3)
    sigma = np.hypot(*(run.relative_uncertainty * run.energy_mev for run in (every, fewer)))
    z = (fewer.energy_mev - every.energy_mev) / sigma
    for part, scatter in ((region, 0.6), (~region, 0.25)):  # 64 voxels that share histories, and 8600
        assert (z[part] ** 2).mean() == pytest.approx(1, abs=scatter)
        assert abs(z[part].mean()) < 0.3
    far = np.zeros(phantom.shape, bool)
    far[:, :, 30:50] = True
    relative = fewer.relative_uncertainty
    assert relative[far].mean() / relative[region].mean() == pytest.approx(2, rel=0.25)


def test_a_run_stops_at_the_asked_uncertainty(cube):
    source = central(cube, "Y-90")
    dose = mcdose.monte_carlo(cube, source, uncertainty=0.005)
    assert dose.mean_uncertainty() <= 0.005
    mask = np.zeros(cube.shape, bool)
    mask[5, 5, 6] = True
    masked = mcdose.monte_carlo(cube, source, uncertainty=0.01, mask=mask)
    assert masked.mean_uncertainty(mask) <= 0.01


def test_alphas_deposit_where_they_are_born(cube):
    dose = mcdose.monte_carlo(cube, central(cube, "At-211", 100.0), emissions=["alpha"])
    assert dose.histories == 0
    expected = 100 * mcdose.Nuclide("At-211").spectrum.select(("alpha",)).energy_mev()
    assert dose.energy_mev[5, 5, 5] == pytest.approx(expected)
    assert dose.energy_mev.sum() == dose.energy_mev[5, 5, 5]


def test_exact_deposits_count_when_a_run_judges_its_uncertainty(cube):
    """Ac-225: nearly all of the dose is alpha energy deposited exactly, so few histories are enough."""
    dose = mcdose.monte_carlo(cube, central(cube, "Ac-225"), uncertainty=0.001)
    assert dose.histories <= 500_000
    assert dose.relative_uncertainty[5, 5, 5] < 0.001


def test_components_add_up(cube):
    """Electron and photon parts of I-131, run apart, add up to the whole."""
    source = central(cube, "I-131", 1e6)
    whole = mcdose.monte_carlo(cube, source, histories=400_000)
    parts = [
        mcdose.monte_carlo(cube, source, histories=300_000, emissions=e, seed=3)
        for e in (("beta", "electron"), ("photon",))
    ]
    total = sum(p.energy_mev for p in parts)
    sigma = np.sqrt(
        (whole.relative_uncertainty[5, 5, 5] * whole.energy_mev[5, 5, 5]) ** 2
        + sum((p.relative_uncertainty[5, 5, 5] * p.energy_mev[5, 5, 5]) ** 2 for p in parts)
    )
    assert abs(total[5, 5, 5] - whole.energy_mev[5, 5, 5]) < 4 * sigma
    assert sum(p.emitted_mev for p in parts) == pytest.approx(whole.emitted_mev, rel=2e-3)


@pytest.mark.parametrize("emission", ["Lu-177", "I-131", "F-18", "Ra-223", "Na-24"])
def test_local_electrons_keep_every_bit_of_energy(cube, emission):
    source = central(cube, emission, 1e6)
    dose = mcdose.monte_carlo(cube, source, histories=20_000, electrons="local")
    assert dose.tally["emitted"] == dose.tally["deposited"] + dose.tally["escaped"]
    assert dose.emitted_mev == pytest.approx(dose.energy_mev.sum() + dose.escaped_mev, rel=1e-12)
    expected = 1e6 * source.spectrum.energy_mev() + 2 * 0.51099895e6 * source.spectrum.yield_per_decay("positron")
    assert dose.emitted_mev == pytest.approx(expected, rel=2e-3)  # energies of photons are sampled
    assert dose.settings["electrons"] == "local" and dose.settings["overflows"] == 0


def test_local_electrons_leave_no_dose_beside_a_pure_beta_source(cube):
    """Without electrons that move, and without bremsstrahlung, all of Y-90 stays (but for 1e-8 of its photons)."""
    dose = mcdose.monte_carlo(cube, central(cube, "Y-90", 1e6), histories=2_000, electrons="local")
    assert dose.energy_mev[5, 5, 5] == pytest.approx(1e6 * mcdose.Nuclide("Y-90").spectrum.energy_mev(), rel=1e-5)


@pytest.mark.parametrize("emission", ["Lu-177", "F-18"])
def test_local_electrons_make_the_whole_dose_in_voxels_of_a_metre(emission):
    """Where ranges are nothing against a voxel both ways agree, radiative losses of some 1e-4 apart."""
    phantom = mcdose.Phantom.uniform(WATER, (3, 3, 3), 1000.0)
    source = central(phantom, emission)
    whole, local = (mcdose.monte_carlo(phantom, source, histories=60_000, electrons=e) for e in ("transport", "local"))
    sigma = np.hypot(*(d.relative_uncertainty[1, 1, 1] for d in (whole, local)))
    assert local.energy_mev[1, 1, 1] == pytest.approx(whole.energy_mev[1, 1, 1], rel=4 * float(sigma) + 1e-3)


def test_photons_do_not_notice_that_electrons_stay():
    """Photons of 60 keV free electrons of 50 um at most: the dose at every distance is the same."""
    cube = mcdose.Phantom.uniform(WATER, (11, 11, 11), 20.0)
    source = central(cube, mcdose.Spectrum.monoenergetic("photon", 0.06))
    whole, local = (
        mcdose.monte_carlo(cube, source, histories=400_000, electrons=e, seed=s)
        for e, s in (("transport", 1), ("local", 2))
    )
    sigma = np.hypot(whole.relative_uncertainty, local.relative_uncertainty)
    known = sigma < 0.1
    z = (local.energy_mev / whole.energy_mev - 1)[known] / sigma[known]
    assert known.sum() > 300
    assert abs(z.mean()) < 5 / np.sqrt(z.size)  # neighbours share photons
    assert z.std() == pytest.approx(1, abs=0.2)


def test_dose_does_not_depend_on_how_the_grid_lies():
    """The same anisotropic problem with axes exchanged: the same doses within their uncertainty."""
    phantom = mcdose.Phantom.uniform(WATER, (9, 11, 13), (1.0, 2.0, 4.0))
    turned = mcdose.Phantom.uniform(WATER, (13, 11, 9), (4.0, 2.0, 1.0))
    a = mcdose.monte_carlo(phantom, central(phantom, "Y-90"), histories=300_000)
    b = mcdose.monte_carlo(turned, central(turned, "Y-90"), histories=300_000, seed=2)
    other = b.energy_mev.transpose(2, 1, 0)
    region = a.energy_mev > 0.02 * a.energy_mev.max()
    sigma = np.hypot(
        (a.relative_uncertainty * a.energy_mev)[region],
        (b.relative_uncertainty * b.energy_mev).transpose(2, 1, 0)[region],
    )
    z = (a.energy_mev - other)[region] / sigma
    assert (z**2).mean() < 1.5
    assert abs(z.mean()) < 0.6


def test_a_point_source_sits_at_its_point(cube):
    """Two points placed symmetrically give mirrored doses; a point near a face sends half across it."""
    spectrum = mcdose.Spectrum.monoenergetic("electron", 0.2)  # range 0.45 mm
    dose = mcdose.monte_carlo(cube, mcdose.Source.point((16.5, 15, 15), spectrum, cube), histories=20_000)
    assert dose.energy_mev[5, 5, 5] == pytest.approx(dose.energy_mev[5, 5, 6], rel=0.03)
    assert dose.energy_mev[5, 5, 5:7].sum() == pytest.approx(0.2, rel=1e-3)


def test_the_source_is_spread_by_its_decays():
    """Systematic allocation: short-ranged electrons deposit in proportion to the decays, nearly without noise."""
    phantom = mcdose.Phantom.uniform(WATER, (4, 5, 6), 10.0)
    decays = np.random.default_rng(3).random(phantom.shape) ** 3
    decays[0] = 0
    source = mcdose.Source(decays, mcdose.Spectrum.monoenergetic("electron", 0.03), phantom)
    dose = mcdose.monte_carlo(phantom, source, histories=200_000)
    assert dose.energy_mev == pytest.approx(0.03 * decays, rel=0.02, abs=2e-3 * 0.03)


def test_interrupted_runs_keep_what_they_have(cube):
    def stop(state):
        if state.phase == "transport" and state.histories >= 8_000:
            raise KeyboardInterrupt

    dose = mcdose.monte_carlo(cube, central(cube, "Y-90"), histories=10**9, batches=500_000, progress=stop)
    assert not dose.complete
    assert 8_000 <= dose.histories < 10**9
    assert dose.tally["emitted"] == dose.tally["deposited"] + dose.tally["escaped"]
    assert "PARTIAL" in dose.describe()


def test_few_histories_work(cube):
    for n in (1, 2, 7):
        dose = mcdose.monte_carlo(cube, central(cube, "Lu-177"), histories=n)
        assert dose.histories == n
    assert np.isnan(mcdose.monte_carlo(cube, central(cube, "Y-90"), histories=1).relative_uncertainty).all()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"histories": 0}, "histories"),
        ({"histories": -5}, "histories"),
        ({"histories": 2.5}, "histories"),
        ({"uncertainty": 0}, "uncertainty"),
        ({"uncertainty": 2}, "uncertainty"),
        ({"batches": 1}, "batches"),
        ({"seed": -1}, "seed"),
        ({"threads": 0}, "threads"),
        ({"electrons": "some"}, "electrons"),
        ({"device": "cuda"}, "device"),
        ({"photon_cutoff_mev": 1e-5}, "photon_cutoff_mev"),
        ({"electron_cutoff_mev": float("nan")}, "electron_cutoff_mev"),
        ({"emissions": ["gamma"]}, "gamma"),
        ({"mask": np.zeros((2, 2, 2), bool)}, "mask"),
        ({"mask": np.zeros((11, 11, 11), bool)}, "mask"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(cube, options, word):
    with pytest.raises(mcdose.InputError, match=word):
        mcdose.monte_carlo(cube, central(cube, "Y-90"), **{"histories": 10, **options})


def test_energies_beyond_the_tables_are_refused(cube):
    source = central(cube, mcdose.Spectrum.monoenergetic("electron", 50.0))
    with pytest.raises(mcdose.InputError, match="20 MeV"):
        mcdose.monte_carlo(cube, source, histories=10)
