"""The benchmarks run, at tiny sizes, and write what they promise. Nothing here depends on how fast they are."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import SimpleITK as sitk

from benchmarks import __main__, convergence, cpu, history, images, memory, report, start, start_run, yardstick
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
    few, many = cpu.Engine(case, 1, 0.01, 8), cpu.Engine(case, 2, 0.01, 8)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            few.run(pool, 1)
        for _ in range(80):
            many.run(pool, 2)
    (rough, error), (better, smaller) = few.variance_per_history(), many.variance_per_history()
    assert rough == pytest.approx(better, rel=4 * error)
    assert smaller < error < 0.5


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
    (line,) = (tmp_path / "history.jsonl").read_text().splitlines()
    assert json.loads(line)["figures"]["y90-water rate"]["value"] == result["cases"]["y90-water"]["ratio_to_yardstick"]
    assert {"processor", "cores", "date", "numba", "kernels"} <= set(result["machine"])


def test_memory_accounts_for_the_grid(tmp_path):
    text = memory.run(shape=(20, 24, 28), histories=500, folder=tmp_path)
    result = json.loads((tmp_path / "memory.json").read_text())
    stages = [s["stage"] for s in result["stages"]]
    assert stages[1:3] == ["phantom", "source"] and len(stages) == 5
    assert all(s["peak"] >= (s["resident"] or 0) > 20 * 24 * 28 * 10 for s in result["stages"])
    assert result["peak"] == max(s["peak"] for s in result["stages"])
    assert "28 x 24 x 20" in text


def test_uncertainty_falls_with_the_root_of_the_histories(tmp_path):
    text = convergence.run(half_width=8, batch=2_000, target=0.05, folder=tmp_path)
    result = json.loads((tmp_path / "convergence.json").read_text())
    assert result["slope"] == pytest.approx(-0.5, abs=0.1)  # few voxels, 20 batches: a tenth
    assert result["goal"]["uncertainty"] <= 0.05
    assert "Convergence" in text


def test_a_regression_beyond_the_noise_is_shown(tmp_path):
    def measured(rate, seconds, error=0.01):
        figures = {"rate": report.Figure(rate, error), "start, s": report.Figure(seconds, error, more_is_better=False)}
        report.write("cpu", "Speed", {}, "text", figures, tmp_path)

    assert history.compare(tmp_path, "cpu")[1] == []
    measured(10.0, 2.0)
    assert "two are needed" in history.compare(tmp_path, "cpu")[0]
    measured(9.5, 2.1)
    assert history.compare(tmp_path, "cpu")[1] == []
    measured(8.0, 2.1)
    text, worse = history.compare(tmp_path, "cpu")
    assert worse == ["rate"] and "-15.8%" in text and "WORSE" in text
    measured(12.0, 3.0)
    assert history.compare(tmp_path, "cpu")[1] == ["start, s"]
    measured(9.0, 3.0, error=0.2)  # too noisy to tell
    assert history.compare(tmp_path, "cpu")[1] == []
    assert __main__.main(["--output", str(tmp_path), "compare", "cpu"]) == 0
    measured(1.0, 3.0)
    assert __main__.main(["--output", str(tmp_path), "compare"]) == 1


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
