"""The benchmarks run, at tiny sizes, and write what they promise. Nothing here depends on how fast they are."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import SimpleITK as sitk

from benchmarks import __main__, cpu, images, memory, report, start, start_run, yardstick
from benchmarks.cases import CASES


def test_yardstick_takes_every_step_and_loses_what_it_deposits():
    grid, tables = yardstick.case()
    deposits = np.zeros((yardstick.VOXELS,) * 3, np.int64)
    assert yardstick.run(grid, tables, deposits, 0, 200) == 200 * yardstick.STEPS
    start_mev = 200 * 6.0
    left = 0.9**yardstick.STEPS  # of the energy, but for the spread
    assert deposits.sum() / 2**20 == pytest.approx(start_mev * (1 - left), rel=2e-3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_cases_hold_stated_voxels_and_a_source(case):
    phantom, decays, stated = case.make(8)
    assert phantom.shape == decays.shape == stated.shape
    assert decays.sum() > 0
    assert 7 <= stated.sum() < stated.size / 3
    assert 0.9 < case.spectrum().yield_per_decay() < 4


def test_variance_per_history_falls_neither_with_batches_nor_with_threads():
    case = CASES[0]
    few, many = cpu.Engine(case, 0.01, 8), cpu.Engine(case, 0.01, 8)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            few.run(pool, 1)
        for _ in range(80):
            many.run(pool, 2)
    assert few.variance_per_history() == pytest.approx(many.variance_per_history(), rel=0.5)


def test_cpu_writes_a_row_for_each_case(tmp_path):
    text = cpu.run(["y90-water", "lu177-electrons"], threads=2, rounds=2, scale=0.01, half_width=8, folder=tmp_path)
    assert (tmp_path / "cpu.md").read_text() == text
    result = json.loads((tmp_path / "cpu.json").read_text())
    assert set(result["cases"]) == {"y90-water", "lu177-electrons"}
    for case in result["cases"].values():
        assert case["title"] in text
        for key in ("histories_per_s_core", "ratio_to_yardstick", "ratio_to_egsnrc", "efficiency_per_s", "speed_up"):
            assert case[key] > 0, key
        assert np.array(case["rounds"]).shape == (2, 4, 2)
    assert {"processor", "cores", "date", "numba", "kernels"} <= set(result["machine"])


def test_memory_accounts_for_the_grid(tmp_path):
    text = memory.run(voxels=24, histories=500, folder=tmp_path)
    stages = json.loads((tmp_path / "memory.json").read_text())["stages"]
    assert [s["stage"] for s in stages][1:3] == ["phantom", "source"]
    peaks = [s["peak"] for s in stages]
    assert peaks == sorted(peaks) and peaks[-1] > 24**3 * 40
    assert "Peak" in text


def test_start_times_are_in_order(tmp_path, monkeypatch):
    def child(module, begin, *images, cache):
        assert all(path.exists() for path in images)
        return {"import mcdose": 0.1, "first history done": 20.0 if not seen else 1.0, "dose": seen.append(1) or 21.0}

    seen = []
    monkeypatch.setattr(start, "child", child)
    text = start.run(voxels=8, repeats=2, folder=tmp_path)
    result = json.loads((tmp_path / "start.json").read_text())
    assert 0 < result["python_s"] < result["help_s"]
    assert (result["cold_s"]["first history done"], result["warm_s"]["first history done"]) == (20.0, 1.0)
    assert "| first history done" in text


def test_a_start_is_timed_stage_by_stage(tmp_path, capsys):
    paths = [str(tmp_path / name) for name in ("ct.nii", "activity.nii")]
    for image, path in zip(images.body(16), paths):
        sitk.WriteImage(image, path)
    start_run.main(time.time(), *paths)
    stages = json.loads(capsys.readouterr().out)
    assert list(stages)[-2:] == ["first history done", "dose"]
    assert list(stages.values()) == sorted(stages.values())


def test_images_hold_every_tissue_and_activity_only_in_the_body():
    ct, activity = (sitk.GetArrayFromImage(image) for image in images.body(32))
    for level in (images.AIR_HU, images.LUNG_HU, images.TISSUE_HU, images.BONE_HU):
        assert (abs(ct - level) <= images.NOISE_HU).any()
    assert (ct[activity > 0] > images.AIR_HU + images.NOISE_HU).all()
    assert activity.max() == images.TUMOUR_BQ_ML


def test_table_is_markdown():
    lines = report.table(["a", "b"], [["x", "1"], ["yy", "22"]]).splitlines()
    assert lines == ["| a  |  b |", "| -- | -: |", "| x  |  1 |", "| yy | 22 |"]


def test_unknown_case_is_refused(capsys):
    with pytest.raises(SystemExit):
        __main__.main(["cpu", "--case", "nonsense"])
    assert "y90-water" in capsys.readouterr().err
