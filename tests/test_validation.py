"""The validation suite: what counts as agreement, the reference tables, and reports that show what fails."""

import json
import math
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from benchmarks.validation import catalogue, consistency, fano, point_sources, tables, voxel_s_values
from benchmarks.validation.command import validate
from benchmarks.validation.comparison import Comparison, mean_difference, worst
from benchmarks.validation.radial import octant, shell_shares
from benchmarks.validation.runner import REPLICATES, Run, Runner
from mcdose.cli import main
from mcdose.errors import InputError

CASE = "vsv-I-131-electrons"
TABLE = "egsnrc_vsv_I-131_electrons"
TINY = 0.003  # of the quick suite's histories


def point(ours, reference=1.0, tolerance=0.01, ours_sigma=0.0, reference_sigma=0.0, relative=True):
    columns = ([0.0], [ours], [ours_sigma], [reference], [reference_sigma], [tolerance])
    return Comparison("test", ["point"], *columns, relative)


@pytest.mark.parametrize(
    ("comparison", "passed"),
    [
        (point(2.0199, 2.0), True),
        (point(2.0201, 2.0), False),
        (point(1.9799, 2.0), False),
        (point(2.05, 2.0, ours_sigma=0.006, reference_sigma=0.008), True),  # 2.5 % within 1 % + 3 times 0.5 %
        (point(2.0501, 2.0, ours_sigma=0.006, reference_sigma=0.008), False),
        (point(0.105, 0.1, relative=False), True),  # 0.5 points, of 5 % relative
        (point(0.1101, 0.1, relative=False), False),
        (point(math.nan), False),
        (point(1.0, tolerance=0.0), True),
        (point(1.0 + 1e-9, tolerance=0.0), False),
    ],
)
def test_rows_pass_within_tolerance_plus_three_sigma(comparison, passed):
    (row,) = comparison.rows()
    assert row.passed is passed
    assert (row.allowance_used <= 1) is passed


def test_points_without_tolerance_are_not_judged():
    comparison = Comparison("test", "ab", [0, 1], [1.0, 9.0], 0.0, [1.0, 1.0], 0.0, [0.01, np.nan])
    assert [row.name for row in comparison.rows()] == ["a"]


def test_comparisons_refuse_what_cannot_be_compared():
    with pytest.raises(ValueError, match="not above zero"):
        point(1.0, reference=0.0)
    with pytest.raises(ValueError, match="shape"):
        Comparison("test", "ab", [0, 1], [1.0, 1.0, 1.0], 0.0, 1.0, 0.0, 0.01)


def test_worst_and_mean():
    rows = point(1.005).rows() + point(1.02, ours_sigma=0.02).rows() + point(0.992).rows()
    assert worst(rows).difference == pytest.approx(-0.008)  # 80 % of what it is allowed; 2 % of 7 % is less
    mean, sigma = mean_difference(rows)
    weight = 1e-4 / (1e-4 + 4e-4)
    assert mean == pytest.approx((0.005 - 0.008 + weight * 0.02) / (2 + weight))
    assert sigma == pytest.approx(weight * 0.02 / (2 + weight))
    assert np.isnan(mean_difference(point(1.0).rows())[0])


def test_shells_of_a_known_kernel():
    """Energy per volume g(r)/(4 pi r^2) with g rising by 80 % over 14 voxels, integrated finely in each voxel."""
    fine = 16
    edges = np.arange(0.0, 14.0)
    within = (np.arange(fine) + 0.5) / fine - 0.5
    axis = (np.arange(15)[:, None] + within).ravel() ** 2
    energy = np.empty((15, 15, 15))
    for k in range(15):
        r2 = axis[k * fine : (k + 1) * fine, None, None] + axis[:, None] + axis
        density = (1 + 0.8 * np.sqrt(r2) / 14) / (4 * np.pi * r2)
        energy[k] = density.reshape(fine, 15, fine, 15, fine).mean(axis=(0, 2, 4))
    mirrored = np.full(15, 2.0)
    mirrored[0] = 1.0
    energy *= mirrored[:, None, None] * mirrored[:, None] * mirrored
    exact = np.diff(edges + 0.4 * edges**2 / 14)
    shares = shell_shares(15, 1.0, edges)
    shells = energy.ravel() @ shares
    assert shells[2:] == pytest.approx(exact[2:], rel=0.005)
    assert np.cumsum(shells)[3:] == pytest.approx(
        np.cumsum(exact)[3:], rel=0.01
    )  # the first voxel is integrated crudely
    assert shares.sum(axis=1).max() == pytest.approx(1.0)
    assert shares.sum(axis=1)[0] == pytest.approx(1.0)


def test_octants_keep_the_energy_and_fold_mirror_images_together():
    values = np.zeros((5, 5, 5))
    values[0, 1, 2] = 1.0
    values[4, 3, 2] = 2.0
    folded = octant(values, 3)
    assert folded.shape == (3, 3, 3)
    assert folded[2, 1, 0] == 3.0
    assert folded.sum() == 3.0
    assert octant(np.ones((5, 5, 5)), 2).sum() == 27.0


def test_symmetric_voxels():
    assert [len(voxel_s_values._equivalent(6, o)[0]) for o in ((0, 0, 0), (1, 0, 0), (2, 2, 1), (3, 2, 1))] == [
        1,
        6,
        24,
        48,
    ]


def test_rounding_uncertainty():
    assert voxel_s_values.rounding_sigma(np.array([1.54, 0.0422]), 3) == pytest.approx(
        np.array([0.01, 0.0001]) / math.sqrt(12)
    )


def test_every_table_says_where_it_comes_from():
    names = [path.stem for path in tables.FOLDER.glob("*.csv")]
    used = {name for case in catalogue.CASES for name in case.tables}
    assert used <= set(names)
    for name in names:
        table = tables.load(name)
        assert "description" in table.about and "units" in table.about
        assert "source" in table.about or {"code", "physics", "histories", "media"} <= set(table.about)
        assert all(np.isfinite(column).all() for column in table.columns.values())
        assert (tables.FOLDER / f"{name}.csv").stat().st_size < 100_000
    for name in used:
        assert "uncertainty" in tables.load(name).about


@pytest.mark.parametrize(
    ("nuclide", "emission", "energy_mev", "particles"),
    [
        ("Y-90", "beta", 0.934244, 1.0),
        ("I-131", "electrons", 0.192383, 1.762109),
        ("I-131", "photons", 0.382758, 1.825188),
    ],
)
def test_spectra_are_those_of_the_reference_runs(nuclide, emission, energy_mev, particles):
    spectrum = tables.sampled_spectrum(nuclide, emission)
    assert spectrum.energy_mev() == pytest.approx(energy_mev, rel=1e-4)
    assert spectrum.yield_per_decay() == pytest.approx(particles, rel=1e-5)


def test_slab_table_reaches_equilibrium():
    table = tables.load("egsnrc_slab_Y-90_beta_1mm")
    deep = (table["high_cm"] < -3) & (table["low_cm"] > -10)
    assert table["gy_per_decay"][deep].mean() / table.about["equilibrium_gy_per_decay"] == pytest.approx(
        0.996, abs=0.003
    )


def test_coarser_shells_keep_the_energy():
    table = tables.load("egsnrc_photons_208keV")
    coarser = point_sources._coarser(table, 0.5)
    assert coarser["outer_cm"][:3] == pytest.approx([0.5, 1.0, 1.5])
    assert coarser["share"][1] == pytest.approx(table["share"][2] + table["share"][3])
    assert coarser["share"].sum() == pytest.approx(table["share"].sum())
    assert coarser["relative_uncertainty"][1] == pytest.approx(
        table["relative_uncertainty"][2] / math.sqrt(2), rel=0.05
    )
    assert coarser["relative_uncertainty"][-1] == pytest.approx(table["relative_uncertainty"][-1])


def test_cavities_are_surrounded():
    density, regions = fano.cavities(5)
    assert sorted(np.unique(density)) == pytest.approx([0.05, 0.26, 1.0])
    judged = np.sum(list(regions.values()), axis=0)
    assert judged.max() == 1
    assert not judged[:4].any() and not judged[:, :, -4:].any()  # the range lies beyond
    assert (density[regions["water"]] == 1).all()
    assert (density < 1).sum() == judged[density < 1].sum()


def test_choice_of_cases():
    assert catalogue.choose(None) == catalogue.CASES
    assert {case.name for case in catalogue.choose(["kernels", "fano"])} == {"kernel-100keV", "kernel-1MeV", "fano"}
    with pytest.raises(InputError, match=r"no case is named 'kernel'.*kernel-1MeV"):
        catalogue.choose(["kernel"])


def test_a_missing_unit_of_energy_fails():
    run = Run("run", 1000, REPLICATES, 1.0, 1, 0.01, 0.01, 0, 0)
    for changes, passed in (({}, True), ({"missing": 1}, False), ({"overflows": 1}, False)):
        (comparison,) = consistency.balance_case([run._replace(**changes)]).compare(Runner())
        assert [row.passed for row in comparison.rows()] == [passed]


class Structure(HTMLParser):
    """Open tags, for a check that every one is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.images = [], []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.images.append(dict(attrs))
        elif tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_report(tmp_path, capsys):
    folder = tmp_path / "report"
    assert validate(folder, cases=[CASE], scale=TINY, threads=2) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["plots", "report.html", "report.md", "results.json"]
    assert [path.name for path in (folder / "plots").iterdir()] == [f"{CASE}.png"]

    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["passed"] and results["effort"] == "quick"
    assert {"processor", "cores", "date", "mcdose", "numba"} <= set(results["machine"])
    case, balance = results["results"]
    assert [row["name"] for row in case["rows"]] == ["(0, 0, 0)", "(1, 0, 0)"]
    assert [row["tolerance"] for row in case["rows"]] == [0.005, 0.01]
    assert case["rows"][0]["reference"] == pytest.approx(0.940, abs=0.001)
    assert case["rows"][0]["ours"] == pytest.approx(0.940, rel=0.02)
    assert 0 < case["rows"][0]["sigma"] < 0.02
    assert case["runs"][0]["histories"] == pytest.approx(24_000, rel=0.01)
    assert balance["case"] == "balance" and len(balance["rows"]) == 1

    text = (folder / "report.md").read_text(encoding="utf-8")
    assert f"](plots/{CASE}.png)" in text and f"{TABLE}.csv" in text and "9edee3e" in text and "FAIL" not in text
    page = Structure()
    page.feed((folder / "report.html").read_text(encoding="utf-8"))
    assert not page.open
    assert [image["src"][:22] for image in page.images] == ["data:image/png;base64,"]
    assert "Voxel S values, I-131 electrons" in capsys.readouterr().out

    again = tmp_path / "again"
    assert validate(again, cases=[CASE], scale=TINY, threads=1) == 0
    repeated = json.loads((again / "results.json").read_text(encoding="utf-8"))["results"]
    assert repeated[0]["rows"] == case["rows"]  # whatever the number of threads


def test_a_wrong_reference_is_shown_failing(tmp_path, monkeypatch, capsys):
    wrong = tmp_path / "reference"
    shutil.copytree(tables.FOLDER, wrong)
    path = wrong / f"{TABLE}.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    place = next(k for k, line in enumerate(lines) if line.startswith("0,0,0,"))
    i, j, k, value, sigma = lines[place].split(",")
    lines[place] = ",".join([i, j, k, str(1.2 * float(value)), sigma])
    path.write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(tables, "FOLDER", wrong)
    assert validate(tmp_path, cases=[CASE], scale=TINY) == 1
    assert "FAIL" in capsys.readouterr().out
    assert "1 FAIL" in (tmp_path / "report.md").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count('<td class="fail">FAIL</td>') == 2  # in the headline and in the row
    assert "<details open>" in page
    rows = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"][0]["rows"]
    assert [row["passed"] for row in rows] == [False, True]


def test_an_exact_relation_holds(tmp_path):
    """Fano cavities at tiny statistics: the spread over replicates covers the deviation from 1."""
    runner = Runner(1.0, 1, 2)
    comparison = fano._cavities(runner, *fano.SOURCES[1], 60_000)
    assert all(comparison.passed)
    assert (comparison.ours_sigma < 0.04).all()
    spoiled = replace(comparison, ours=comparison.ours + 0.15)
    assert not spoiled.passed.any()


def test_command_line(tmp_path, capsys):
    assert main(["validate", "-o", str(tmp_path / "out"), "--cases", "vsv", "nonsense"]) == 2
    assert "no case is named 'nonsense'" in capsys.readouterr().err
    assert main(["validate", "-o", str(tmp_path / "out"), "--threads", "0"]) == 2
    assert main(["validate", "-o", str(tmp_path / "out"), "--seed", "-1"]) == 2
    assert not (tmp_path / "out").exists()
