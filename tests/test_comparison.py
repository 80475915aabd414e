"""Two doses side by side: figures, uncertainty, tables, pictures, command line."""

import csv
from dataclasses import replace

import numpy as np
import pytest

import mcdose
from mcdose import cli
from mcdose.comparison import compare
from mcdose.dose_image import DoseImage
from mcdose.errors import InputError
from mcdose.grid import Grid
from mcdose.images import read_image, to_image, write_image

GRID = Grid((12, 14, 16), 3.0)
NOISE = 0.03


@pytest.fixture
def organs():
    upper = np.zeros(GRID.shape, bool)
    upper[6:] = True
    return {"lung": upper, "liver": ~upper}


def noisy(factor, seed, organs, uncertainty=True):
    """100 Gy in the liver, 40 in the lung times a factor, with noise of NOISE per voxel."""
    gy = np.where(organs["lung"], 40.0 * factor, 100.0)
    gy = gy * (1 + NOISE * np.random.default_rng(seed).standard_normal(GRID.shape))
    density = np.where(organs["lung"], 0.26, 1.06)
    spread = np.full(GRID.shape, NOISE) if uncertainty else None
    return DoseImage(gy, GRID, "Gy", spread, density, f"dose {seed}")


def test_means_and_their_difference_with_its_uncertainty(organs):
    """20 % more in the lung: found in every seed within 4 standard deviations, one of them on average."""
    pulls = []
    for seed in range(0, 40, 2):
        found = compare(noisy(1.2, seed, organs), noisy(1.0, seed + 1, organs), organs)
        lung, liver = found.region("lung"), found.region("liver")
        expected = 100 * 1.2 * NOISE * np.sqrt(2 / organs["lung"].sum())
        assert lung.difference_sd_percent == pytest.approx(expected, rel=0.02)
        pulls.append((lung.difference_percent - 20) / lung.difference_sd_percent)
        pulls.append(liver.difference_percent / liver.difference_sd_percent)
    assert np.abs(pulls).max() < 4
    assert 0.66 < np.std(pulls) < 1.34  # 40 pulls: the spread is known to 11 %


def test_voxels_differ_beyond_noise_and_tolerance_only(organs):
    same = compare(noisy(1.0, 1, organs), noisy(1.0, 2, organs), organs)
    assert same.region("liver").differing_percent < 0.5  # 0.27 % by chance, less with the tolerance
    found = compare(noisy(1.3, 1, organs), noisy(1.0, 2, organs), organs)
    assert found.region("lung").differing_percent > 97
    assert found.region("liver").differing_percent < 0.5
    assert (
        compare(noisy(1.3, 1, organs), noisy(1.0, 2, organs), organs, tolerance=0.5).region("lung").differing_percent
        == 0
    )


def test_a_dose_against_itself_is_the_same(organs):
    dose = noisy(1.0, 1, organs)
    found = compare(dose, dose, organs)
    for region in found.regions:
        assert (region.difference_percent, region.differing_percent, region.gamma_percent) == (0, 0, 100)
    assert not found.difference.any()


def test_mean_is_energy_over_mass(organs):
    """Half lung, half liver by volume: the lung counts with a fifth of the mass."""
    dose = noisy(1.0, 1, organs, uncertainty=False)
    everything = {"all": np.ones(GRID.shape, bool)}
    by_mass = compare(dose, dose, everything).region("all").reference.mean
    by_volume = compare(dose, dose, everything, weighting="volume").region("all").reference.mean
    assert by_mass == pytest.approx((0.26 * 40 + 1.06 * 100) / 1.32, rel=3e-3)
    assert by_volume == pytest.approx(70, rel=3e-3)


def test_candidate_of_another_tool_on_another_grid(organs, tmp_path):
    """A constant dose of 1.5 mm voxels over a part of the reference; only that part is compared."""
    grid = Grid((24, 28, 16), 1.5, (-0.75, -0.75, -0.75))
    write_image(to_image(np.full(grid.shape, 50_000, np.float32), grid), tmp_path / "theirs.mha")
    reference = DoseImage(np.full(GRID.shape, 40.0), GRID)
    found = compare(tmp_path / "theirs.mha", reference, organs, unit="mGy")
    assert found.region("liver").difference_percent == pytest.approx(25)
    assert found.region("lung").reference.doses.size == 6 * 14 * 8
    assert any("interpolated linearly" in note for note in found.notes)
    assert any("50.0 % of the reference's grid" in note for note in found.notes)


def test_monte_carlo_doses_compare(organs):
    """Two seeds agree, a dose with 5 % more decays does not."""
    water = mcdose.Phantom.uniform(mcdose.material("water"), (9, 9, 9), 3.0)
    decays = np.zeros(water.shape)
    decays[3:6, 3:6, 3:6] = 1e6
    runs = [
        mcdose.monte_carlo(water, mcdose.Source(decays * f, "Lu-177", water), histories=100_000, seed=seed)
        for f, seed in ((1, 1), (1, 2), (1.05, 3))
    ]
    source = {"source": decays > 0}
    same, more = (compare(run, runs[0], source).region("source") for run in runs[1:])
    assert abs(same.difference_percent) < 4 * same.difference_sd_percent
    assert more.difference_percent == pytest.approx(5, abs=4 * more.difference_sd_percent)
    assert same.difference_sd_percent < 1


@pytest.fixture(scope="module")
def judged():
    """Two runs of a slab: the second knows only one of the regions."""
    water = mcdose.Phantom.uniform(mcdose.material("water"), (10, 10, 10), 3.0)
    low = np.broadcast_to(np.arange(10)[:, None, None] < 5, water.shape)
    source = mcdose.Source(1e6 * low, "Y-90", water)
    masks = {"low": low, "high": ~low}
    first = mcdose.monte_carlo(water, source, histories=20_000, regions=masks)
    return first, mcdose.monte_carlo(water, source, histories=20_000, seed=2, regions={"other name": low}), masks


def test_the_uncertainty_of_a_run_is_taken_where_it_has_the_region(judged, tmp_path):
    first, second, masks = judged
    first.save(tmp_path / "first.h5")
    found = compare(second, tmp_path / "first.h5", masks)
    low, high = found.region("low"), found.region("high")
    assert low.reference_sd == first.regions["low"].standard_uncertainty_gy and low.reference_judged
    assert low.candidate_sd == second.regions["other name"].standard_uncertainty_gy  # the voxels count, not the name
    assert high.reference_judged and not high.candidate_judged
    assert low.reference.mean == pytest.approx(first.regions["low"].mean_gy, rel=1e-6)  # masses in float32
    lines = str(found).split("\n\n")[1].splitlines()[2:]  # of the first table
    marks = {line.split("|")[1].strip(): line.count("≈") for line in lines}
    assert marks == {"above 10 % of maximum": 3, "low": 0, "high": 2}


def test_another_question_gets_the_estimate_of_independent_voxels(judged):
    """By volume, other voxels, other densities, another grid: not what the run has judged."""
    first, second, masks = judged
    assert not compare(second, first, masks, weighting="volume").region("low").reference_judged
    fewer = {"low": masks["low"] & (np.arange(10) < 9)}
    assert not compare(second, first, fewer).region("low").reference_judged
    lighter = replace(second, phantom=replace(second.phantom, density_g_cm3=0.5 * second.phantom.density_g_cm3))
    found = compare(lighter, first, masks).region("low")
    assert found.reference_judged and not found.candidate_judged
    moved = replace(second, phantom=replace(second.phantom, origin_mm=(0, 0, 1.0)))
    assert not compare(moved, first, masks).region("low").candidate_judged


def test_tables(organs, tmp_path):
    found = compare(noisy(1.2, 1, organs, False), noisy(1.0, 2, organs), organs, levels=(20, 45))
    row = found.table[1]
    assert row["region"] == "lung" and row["candidate V45 (%)"] > 70 > 5 > row["reference V45 (%)"]
    text = str(found)
    assert "| lung " in text and "weighted by mass" in text and "No uncertainty is known of the candidate" in text
    assert len({len(line) for line in text.splitlines() if line.startswith("|")}) == 2  # two tables, each aligned
    found.to_csv(tmp_path / "c.csv")
    with (tmp_path / "c.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[1]["difference (%)"]) == pytest.approx(found.region("lung").difference_percent)
    assert rows[1]["candidate mean sd (Gy)"] == ""
    found.to_html(tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert page.count("<table>") == 2 and page.count("data:image/png;base64,") == 3
    found.to_html(tmp_path / "plain.html", figures=False)
    assert "<img" not in (tmp_path / "plain.html").read_text(encoding="utf-8")


def test_figures_need_no_uncertainty_and_no_density(organs, tmp_path):
    gy = noisy(1.0, 1, organs).gy
    gy[:2] = np.nan
    bare = DoseImage(gy, GRID)
    found = compare(DoseImage(gy * 0.9, GRID), bare)
    for draw, name in ((found.plot, "planes"), (found.plot_dvh, "dvh"), (found.plot_profiles, "profiles")):
        draw(tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 10_000
    with pytest.raises(InputError, match="outside the grid"):
        found.plot(tmp_path / "x.png", at_mm=(1000, 0, 0))


@pytest.fixture
def files(organs, tmp_path):
    write_image(to_image(noisy(1.2, 1, organs).gy.astype(np.float32), GRID), tmp_path / "a.nii.gz")
    write_image(to_image(noisy(1.0, 2, organs).gy.astype(np.float32), GRID), tmp_path / "b.mha")
    coarse = Grid((6, 7, 8), 6.0, (1.5, 1.5, 1.5))
    labels = np.ones(coarse.shape, np.uint8)
    labels[3:] = 2
    write_image(to_image(labels, coarse), tmp_path / "organs.nii.gz")
    (tmp_path / "names.txt").write_text("1 liver\n2 lung\n")
    return tmp_path


def test_command_line(files, capsys):
    arguments = [str(files / "a.nii.gz"), str(files / "b.mha"), "--unit", "Gy", "-o", str(files / "out")]
    masks = ["--masks", str(files / "organs.nii.gz"), "--names", str(files / "names.txt")]
    assert cli.main(["compare", *arguments, *masks, "--levels", "45", "--gamma", "2", "2", "--gamma-local"]) == 0
    out = capsys.readouterr().out
    assert "| lung " in out and "nearest voxel" in out and "2 %/2 mm local" in out and "V45" in out
    names = {path.name for path in (files / "out").iterdir()}
    figures = {"planes.png", "dvh.png", "profiles.png"}
    assert names == {"compare.md", "compare.csv", "compare.html", "difference.nii.gz", "gamma.nii.gz", *figures}
    difference = read_image(files / "out" / "difference.nii.gz")
    assert difference.GetSpacing() == (3, 3, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"unit": []}, "does not say the unit of its values; give --unit Gy"),
        ({"candidate": "none.h5"}, "no such file"),
        ({"candidate": "names.txt"}, "not a readable image"),
        ({"unit": ["--unit", "rem"]}, "unit 'rem': unknown"),
        ({"more": ["--weighting", "mass"]}, "no densities"),
        ({"more": ["--gamma", "0", "3"]}, "above zero"),
        ({"more": ["--tolerance", "200"]}, "tolerance"),
        ({"more": ["--plot-at", "900", "0", "0"]}, "outside the grid"),
    ],
)
def test_command_line_refuses_in_one_sentence(files, capsys, change, words):
    candidate = files / change.get("candidate", "a.nii.gz")
    unit = change.get("unit", ["--unit", "Gy"])
    more = change.get("more", [])
    assert cli.main(["compare", str(candidate), str(files / "b.mha"), *unit, "-o", str(files / "o"), *more]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert not (files / "o").exists()


def test_dose_and_dose_rate_are_not_compared(organs):
    dose = noisy(1.0, 1, organs)
    rate = DoseImage(dose.gy, GRID, "Gy/s", name="rate")
    with pytest.raises(InputError, match=r"rate is in Gy/s, dose 1 in Gy"):
        compare(rate, dose)
    with pytest.raises(InputError, match="no dose above zero"):
        compare(dose, DoseImage(np.zeros(GRID.shape), GRID))
    with pytest.raises(InputError, match="there are above 10 % of maximum"):
        compare(dose, dose).region("heart")
