"""`mcdose kernel`: what it prints, writes and refuses."""

import pytest

import mcdose
from mcdose.cli import main
from tests.kernels import shorten


@pytest.fixture(autouse=True)
def short_runs(monkeypatch, tmp_path):
    shorten(monkeypatch, tmp_path / "cache", 20_000)


def test_makes_prints_and_exports(tmp_path, capsys):
    files = [tmp_path / f"k.{ending}" for ending in ("h5", "txt", "png")]
    outputs = [word for file in files for word in ("-o", str(file))]
    options = ["--voxel", "4", "4", "3", "--medium", "soft_tissue", "--uncertainty", "5%"]
    assert main(["kernel", "Y-90", *options, *outputs]) == 0
    text = capsys.readouterr().out
    assert "4 x 4 x 3 mm" in text
    assert "mGy/(MBq s) ±" in text
    kernel, table = mcdose.SValueKernel.load(files[0]), mcdose.SValueKernel.read_text(files[1])
    assert kernel.emission == table.emission == "Y-90"
    assert table.self_gy == pytest.approx(kernel.self_gy, rel=1e-6)
    assert files[2].stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Y-90", "--voxel", "4", "3"], "2 numbers; give one size, or three"),
        (["Y-99", "--voxel", "4"], "Y-99"),
        (["Y-90", "--voxel", "4", "--medium", "custard"], "custard"),
        (["Y-90", "--voxel", "4", "-o", "k.nii"], "unknown ending"),
        (["Y-90", "--voxel", "-4"], "above zero"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(arguments, message, capsys):
    assert main(["kernel", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
