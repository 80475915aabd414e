"""The settings of a run: checked once, and the same from the command line and from a file."""

from dataclasses import replace
from pathlib import Path

import pytest

from mcdose.config import RunConfig, make_config, parse_histories, parse_uncertainty, read_config, to_toml
from mcdose.errors import InputError

LEAST = {"ct": "ct.nii.gz", "activity": "spect.nii.gz", "nuclide": "Y-90", "output": "out"}


def test_file_written_by_a_run_repeats_it(tmp_path):
    config = RunConfig(
        tmp_path / 'ct "a".nii.gz',
        tmp_path / "spéct.nii.gz",
        "Lu-177",
        tmp_path / "out",
        integrate="effective=50",
        spacing_mm=3.0,
        uncertainty=0.01,
        emissions=("beta", "photon"),
        mask=tmp_path / "mask.nii.gz",
        masks=(tmp_path / "organs.nii.gz", tmp_path / "tumour.mha"),
        names=tmp_path / "organs.txt",
        seed=2**63 - 1,
        plot_at=(1.0, -2.5, 3.0),
        curve=str(tmp_path / "own.toml"),
    )
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "run.toml").write_text(to_toml(config, "1.2.3", ("a line",)), encoding="utf-8")
    back = read_config(folder / "run.toml")
    assert replace(back, output=back.output.resolve()) == replace(config, output=folder.resolve())


def test_relative_paths_are_kept_whole_in_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = to_toml(make_config({**LEAST, "histories": 5}), "1.2.3")
    assert f'ct = "{tmp_path / "ct.nii.gz"}"' in text
    assert 'output = "."' in text


def test_paths_in_a_file_are_relative_to_it(tmp_path):
    (tmp_path / "run.toml").write_text('ct = "a/ct"\nactivity = "spect.mha"\nnuclide = "Y-90"\noutput = "out"\n')
    config = read_config(tmp_path / "run.toml")
    assert config.ct == tmp_path / "a" / "ct" and config.masks is None
    for masks, names in (('"o.mha"', ["o.mha"]), ('["o.mha", "b/t.mha"]', ["o.mha", "b/t.mha"])):
        (tmp_path / "run.toml").write_text(
            f'ct = "a/ct"\nactivity = "spect.mha"\nnuclide = "Y-90"\noutput = "out"\nmasks = {masks}\nnames = "n.txt"\n'
        )
        config = read_config(tmp_path / "run.toml")
        assert config.masks == tuple(tmp_path / name for name in names)
        assert config.names == tmp_path / "n.txt"
    assert config.output == tmp_path / "out"


def test_command_line_takes_precedence(tmp_path):
    (tmp_path / "run.toml").write_text(
        'ct = "c"\nactivity = "a"\nnuclide = "Y-90"\noutput = "out"\nuncertainty = 0.01\nspacing_mm = 3\nseed = 4\n'
    )
    config = read_config(tmp_path / "run.toml", {"histories": "1e6", "grid": "ct", "output": Path("elsewhere")})
    assert (config.histories, config.uncertainty) == (1_000_000, None)
    assert (config.grid, config.spacing_mm) == ("ct", None)
    assert config.output == Path("elsewhere")
    assert config.seed == 4


@pytest.mark.parametrize(("text", "value"), [("1%", 0.01), ("0.5 %", 0.005), ("0.02", 0.02), ("2e-2", 0.02)])
def test_uncertainty_as_text(text, value):
    assert parse_uncertainty(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "value"), [("1e6", 1_000_000), ("250000", 250_000)])
def test_histories_as_text(text, value):
    assert parse_histories(text) == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"histories": 0}, "histories 0"),
        ({"histories": -5}, "histories -5"),
        ({"histories": "1.5"}, "not a whole number"),
        ({"histories": "many"}, "not a whole number"),
        ({"histories": True}, "histories True"),
        ({"uncertainty": "one"}, "not a number"),
        ({"uncertainty": 2}, "between 0 and 100 %"),
        ({"uncertainty": "0%"}, "between 0 and 100 %"),
        ({"uncertainty": float("nan")}, "between 0 and 100 %"),
        ({"spacing_mm": 0}, "voxel size above zero"),
        ({"spacing_mm": "3"}, "voxel size above zero"),
        ({"photon_cutoff_kev": 0.1}, "1 to 10000 keV"),
        ({"electron_cutoff_kev": float("inf")}, "1 to 10000 keV"),
        ({"seed": -1}, "seed -1"),
        ({"seed": 1.5}, "seed 1.5"),
        ({"threads": 0}, "threads 0"),
        ({"device": "tpu"}, "one of auto, cpu, cuda"),
        ({"grid": "pet"}, "one of activity, ct"),
        ({"emissions": ["gamma"]}, "one or more of beta, electron, photon, alpha"),
        ({"emissions": []}, "one or more of"),
        ({"emissions": "beta"}, "a list of"),
        ({"plot_at": [1, 2]}, "three numbers"),
        ({"ct": 5}, "ct 5: text"),
        ({"masks": []}, "a list of images, is needed"),
        ({"masks": [5]}, "an image, or a list"),
        ({"names": "n.txt"}, "names 'n.txt': there are no labels to name; give masks"),
        ({"nuclide": None}, "nuclide: missing"),
        ({"histoires": 5}, "did you mean histories"),
    ],
)
def test_impossible_values_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        make_config({**LEAST, **change})


@pytest.mark.parametrize("content", ["ct = ", "\xff\xfe", "ct = 1\nct = 2"])
def test_not_toml(tmp_path, content):
    (tmp_path / "run.toml").write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match=r"run\.toml: not a TOML file"):
        read_config(tmp_path / "run.toml")


def test_error_names_the_file(tmp_path):
    (tmp_path / "run.toml").write_text('ct = "c"\nactivity = "a"\nnuclide = "Y-90"\noutput = "o"\nseed = -1\n')
    with pytest.raises(InputError, match=r"run\.toml: seed -1"):
        read_config(tmp_path / "run.toml")
    with pytest.raises(InputError, match="cannot be read"):
        read_config(tmp_path / "missing.toml")
