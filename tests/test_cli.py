"""The command line, end to end on a small lung-liver case."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import mcdose
from mcdose.cli import main
from mcdose.images import array_of, read_image
from tests.kernels import shorten

RESULTS = ["dose.h5", "dose.nii.gz", "dose.png", "run.toml", "summary.txt", "uncertainty.nii.gz"]
Y90_MEV = 0.933  # per decay, ICRP-107


def dose_command(thorax, out, *more):
    ct, activity = thorax
    return ["dose", "--ct", str(ct), "--activity", str(activity), "--nuclide", "Y-90", "-o", str(out), *more]


def test_main_job(thorax, tmp_path, capsys):
    out = tmp_path / "new" / "out"
    assert main(dose_command(thorax, out, "--histories", "2e4", "--threads", "2")) == 0
    assert sorted(p.name for p in out.iterdir()) == RESULTS
    dose = mcdose.Dose.load(out / "dose.h5")
    decays = 125 * 1e6 * 0.216 * 64.1 * 3600 / np.log(2)
    assert dose.decays == pytest.approx(decays, rel=1e-3)
    assert dose.emitted_mev == pytest.approx(decays * Y90_MEV, rel=0.02)
    assert dose.tally["emitted"] == dose.tally["deposited"] + dose.tally["escaped"]
    assert array_of(read_image(out / "dose.nii.gz")) == pytest.approx(dose.gy, rel=1e-6)
    assert set(dose.settings["inputs"]) == {"ct", "activity"}
    assert len(dose.settings["inputs"]["ct"]["sha256"]) == 64
    printed = capsys.readouterr().out
    assert printed.strip() == (out / "summary.txt").read_text(encoding="utf-8").strip()
    for word in ("decays", "emitted", "deposited", "escaped", "mean dose", "maximum dose", "uncertainty", "histories"):
        assert word in printed


def test_run_file_repeats_the_run(thorax, tmp_path, monkeypatch):
    out, again = tmp_path / "out", tmp_path / "again"
    monkeypatch.chdir(tmp_path)
    ct, activity = (p.relative_to(tmp_path) for p in thorax)
    command = dose_command((ct, activity), "out", "--histories", "1e4", "--seed", "7", "--photon-cutoff", "20")
    assert main([*command, "--threads", "1"]) == 0
    assert main(["dose", str(out / "run.toml"), "-o", str(again), "--threads", "2"]) == 0
    one, other = mcdose.Dose.load(out / "dose.h5"), mcdose.Dose.load(again / "dose.h5")
    assert np.array_equal(one.energy_mev, other.energy_mev)
    assert np.array_equal(one.relative_uncertainty, other.relative_uncertainty, equal_nan=True)
    assert other.settings["photon_cutoff_mev"] == pytest.approx(0.02)


def test_options_reach_the_engine(thorax, tmp_path, image_factory):
    import SimpleITK as sitk

    mask = tmp_path / "mask.nii.gz"
    region = np.zeros((18, 20, 20), np.uint8)
    region[5:9, 8:12, 8:12] = 1
    sitk.WriteImage(image_factory(region, (4, 4, 4), (-38, -38, -34)), str(mask))
    out = tmp_path / "out"
    more = ["--activity-unit", "Bq", "--integrate", "none", "--spacing", "8", "--emissions", "beta,electron"]
    more += ["--uncertainty", "10%", "--mask", str(mask), "--electron-cutoff", "50", "--plot-at", "0", "-2", "-10"]
    assert main(dose_command(thorax, out, *more)) == 0
    dose = mcdose.Dose.load(out / "dose.h5")
    assert dose.per_second and dose.unit == "Gy/s"
    assert dose.decays == pytest.approx(125 * 1e6, rel=1e-3)
    assert dose.phantom.spacing_mm == (8.0, 8.0, 8.0)
    assert dose.settings["electron_cutoff_mev"] == pytest.approx(0.05)
    assert list(dose.settings["emissions"]) == ["beta", "electron"]
    assert dose.settings["mask_uncertainty"] <= 0.10
    assert main(["dose", str(out / "run.toml"), "-o", str(tmp_path / "again"), "--threads", "1"]) == 0
    assert np.array_equal(mcdose.Dose.load(tmp_path / "again" / "dose.h5").energy_mev, dose.energy_mev)


def test_regions_are_reported(thorax, tmp_path, image_factory, capsys):
    """A label image on the CT's grid, with names: regions in the summary and dose.h5, and in the repeated run."""
    import SimpleITK as sitk

    labels = np.ones((18, 20, 20), np.uint8)
    labels[9:] = 2
    sitk.WriteImage(image_factory(labels, (4, 4, 4), (-38, -38, -34)), str(tmp_path / "organs.nii.gz"))
    (tmp_path / "organs.txt").write_text("1 liver\n2 lung\n")
    masks = ["--masks", str(tmp_path / "organs.nii.gz"), "--names", str(tmp_path / "organs.txt")]
    out = tmp_path / "out"
    assert main(dose_command(thorax, out, "--histories", "5000", *masks)) == 0
    said = capsys.readouterr()
    assert "organs.nii.gz: on another grid" in said.err
    dose = mcdose.Dose.load(out / "dose.h5")
    assert list(dose.regions) == ["liver", "lung"] and 0 < dose.regions["liver"].relative_uncertainty < 0.1
    assert dose.settings["inputs"]["masks[0]"]["path"].endswith("organs.nii.gz")
    summary = (out / "summary.txt").read_text(encoding="utf-8")
    assert "  liver " in summary and summary.strip() == said.out.strip()
    assert main(["dose", str(out / "run.toml"), "-o", str(tmp_path / "again")]) == 0
    assert mcdose.Dose.load(tmp_path / "again" / "dose.h5").regions == dose.regions
    capsys.readouterr()
    empty = image_factory(np.zeros((18, 20, 20), np.uint8), (4, 4, 4), (-38, -38, -34))
    sitk.WriteImage(empty, str(tmp_path / "empty.nii.gz"))
    assert main(dose_command(thorax, tmp_path / "no", "--masks", str(tmp_path / "empty.nii.gz"))) == 2
    assert "empty.nii.gz: zero everywhere" in capsys.readouterr().err and not (tmp_path / "no").exists()


def test_a_dicom_ct_gets_its_dose_as_rtdose(thorax, dicom_factory, tmp_path):
    folder = dicom_factory(np.full((10, 40, 40), 40), [(-29.25, -39.0, -26.0 + 3 * k) for k in range(10)])
    out = tmp_path / "out"
    assert main(dose_command((folder, thorax[1]), out, "--histories", "1000")) == 0
    assert sorted(p.name for p in out.iterdir()) == sorted([*RESULTS, "dose.dcm"])
    found = mcdose.compare(out / "dose.dcm", out / "dose.nii.gz")
    assert abs(found.regions[0].difference_percent) < 1e-4


def test_electrons_may_stay_where_they_are(thorax, tmp_path):
    out = tmp_path / "out"
    assert main([*dose_command(thorax, out, "--histories", "2000", "--electrons", "local"), "--nuclide", "Lu-177"]) == 0
    dose = mcdose.Dose.load(out / "dose.h5")
    assert dose.settings["electrons"] == "local"
    assert dose.tally["emitted"] == dose.tally["deposited"] + dose.tally["escaped"]
    assert 'electrons = "local"' in (out / "run.toml").read_text(encoding="utf-8")


def test_a_grid_beyond_the_memory_is_refused_with_one_that_fits(thorax, tmp_path, monkeypatch, capsys):
    from mcdose import memory

    monkeypatch.setattr(memory, "installed_bytes", lambda: 1e9)
    assert main(dose_command(thorax, tmp_path / "out", "--spacing", "0.1")) == 2
    said = capsys.readouterr().err
    assert "780 x 780 x 720 voxels need about 25.8 GB" in said and "--spacing" in said
    assert not (tmp_path / "out").exists()


def test_dose_on_the_ct_grid(thorax, tmp_path):
    assert main(dose_command(thorax, tmp_path / "out", "--grid", "ct", "--histories", "2000")) == 0
    assert mcdose.Dose.load(tmp_path / "out" / "dose.h5").phantom.shape == (18, 20, 20)


@pytest.fixture
def interrupt_after(monkeypatch):
    """Ctrl-C once so many histories have been calculated."""

    def arm(histories):
        @contextmanager
        def progress():
            def show(state):
                if state.phase == "transport" and state.histories > histories:
                    raise KeyboardInterrupt

            yield show

        monkeypatch.setattr("mcdose.run.live_progress", progress)

    return arm


def test_interrupted_run_saves_a_marked_partial_result(thorax, tmp_path, interrupt_after, capsys):
    out = tmp_path / "out"
    assert main(dose_command(thorax, out, "--histories", "5000", "--seed", "3")) == 0
    whole = (out / "dose.h5").read_bytes()
    interrupt_after(2000)
    assert main(dose_command(thorax, out, "--histories", "50000")) == 130
    assert (out / "dose.h5").read_bytes() == whole
    partial = mcdose.Dose.load(out / "partial_dose.h5")
    assert not partial.complete
    assert 2000 < partial.histories < 50000
    assert np.isfinite(partial.mean_uncertainty())
    assert (out / "partial_summary.txt").read_text().startswith("PARTIAL RESULT")
    assert "partial" in capsys.readouterr().err


def test_interrupt_before_any_result(thorax, tmp_path, interrupt_after, monkeypatch, capsys):
    def stop(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("mcdose.run.read_image", stop)
    assert main(dose_command(thorax, tmp_path / "out")) == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_demo(tmp_path, capsys, monkeypatch):
    shorten(monkeypatch, tmp_path / "cache")
    assert main(["demo", "-o", str(tmp_path / "demo"), "--histories", "2e4"]) == 0
    expected = {*RESULTS, "methods.png", "methods.txt"} - {"run.toml"}
    assert {p.name for p in (tmp_path / "demo").iterdir()} == expected
    table = (tmp_path / "demo" / "methods.txt").read_text().splitlines()
    means = {line[:20].strip(): [float(v) for v in line[20:].split()] for line in table[1:]}
    # The tumour deep in the liver within a few percent; in the lung S values of soft tissue miss most of the dose.
    assert means["VSV, liver"][1] == pytest.approx(means["Monte Carlo"][1], rel=0.1)
    assert means["VSV, liver"][3] < 0.6 * means["Monte Carlo"][3] < means["VSV, local density"][3]
    dose = mcdose.Dose.load(tmp_path / "demo" / "dose.h5")
    assert dose.decays == pytest.approx(2e9 * 64.1 * 3600 / np.log(2), rel=2e-3)
    assert "Y-90" in capsys.readouterr().out


def test_nuclides(tmp_path, capsys):
    assert main(["nuclides"]) == 0
    assert len(capsys.readouterr().out.split()) == 1252
    assert main(["nuclides", "lu177", "--plot", str(tmp_path / "lu.png")]) == 0
    assert "6.647 days" in capsys.readouterr().out
    assert (tmp_path / "lu.png").stat().st_size > 20_000


def test_info_names_versions_threads_and_devices(capsys, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert mcdose.__version__ in text
    assert "cores" in text
    assert "no: CUDA_VISIBLE_DEVICES hides every device" in text


def test_version_and_help(capsys):
    for option in ("--version", "--help"):
        with pytest.raises(SystemExit) as exit_:
            main([option])
        assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith(f"mcdose {mcdose.__version__}")


def test_help_loads_no_heavy_package():
    code = "import sys\nfrom mcdose.cli import main\ntry: main(['dose', '--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in ('numpy', 'numba', 'SimpleITK', 'h5py', 'matplotlib') if m in sys.modules])"
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.splitlines()[-1] == "[]"
