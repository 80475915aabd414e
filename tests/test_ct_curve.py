"""CT curves: the published numbers, the ends, users' own files and their mistakes."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import physics_data
from physics_data.ct_curve import CtCurve, load_curve
from physics_data.materials import material

OWN_CURVE = """
name = "our scanner"
[density]
hu = [-1000, 0, 1000]
g_cm3 = [0.0012, 1.0, 1.6]
[[tissue]]
lower_hu = -1050
material = "air"
[[tissue]]
name = "soft"
lower_hu = -200
mass_percent = { H = 11.2, O = 88.8 }
[[tissue]]
lower_hu = 200
name = "hard"
mass_percent = { H = 3.4, C = 15.5, N = 4.2, O = 43.5, P = 10.3, Ca = 22.5 }
density_g_cm3 = 1.9
i_value_ev = 111.0
"""


@pytest.fixture(scope="module")
def schneider():
    return load_curve("schneider2000")


@pytest.mark.parametrize(
    ("hu", "density"),
    [(-1000, 0.00121), (-98, 0.93), (14, 1.03), (23, 1.031), (100, 1.1199), (101, 1.0762), (1600, 1.9642), (3000, 2.8)],
)
def test_density_at_the_published_points(schneider, hu, density):
    assert schneider.density(hu) == pytest.approx(density, rel=1e-12)


def test_density_is_linear_between_points(schneider):
    assert schneider.density(-549) == pytest.approx((0.00121 + 0.93) / 2, rel=1e-9)
    assert schneider.density(2300) == pytest.approx((1.9642 + 2.8) / 2, rel=1e-9)


def test_beyond_its_ends_the_curve_is_constant(schneider):
    assert schneider.density([-3024, 5000]) == pytest.approx([0.00121, 2.8])
    assert list(schneider.material_index([-3024, 5000])) == [0, len(schneider.materials) - 1]


def test_tissues_start_at_their_lower_hu(schneider):
    names = [m.name for m in schneider.materials]
    index = schneider.material_index([-951, -950, 18, 19, 79, 119, 120, 2299, 2300])
    assert [names[k] for k in index] == [
        "air",
        "lung",
        "adipose and gland 5",
        "soft tissue",
        "soft tissue",
        "connective tissue",
        "marrow and bone 1",
        "marrow and bone 15",
        "titanium",
    ]
    assert index.dtype == np.uint8 and len(names) == 25


def test_nominal_densities(schneider):
    by_name = {m.name: m for m in schneider.materials}
    assert by_name["lung"].density_g_cm3 == 1.05
    assert by_name["air"].density_g_cm3 == 0.00121
    assert by_name["soft tissue"].density_g_cm3 == pytest.approx(float(schneider.density((19 + 80) / 2)))
    assert by_name["marrow and bone 15"].density_g_cm3 == pytest.approx(float(schneider.density(1900)))


def test_bone_gains_calcium_and_excitation_energy_with_hu(schneider):
    bones = [m for m in schneider.materials if m.name.startswith("marrow")]
    assert np.all(np.diff([m.mass_fractions["Ca"] for m in bones]) > 0)
    assert np.all(np.diff([m.i_value_ev for m in bones]) > 0)


def test_compositions_are_complete(schneider):
    # The publication prints one decimal of a per cent; a mistyped row would miss 100 % by more than its rounding.
    text = Path(physics_data.__file__).with_name("schneider2000.toml").read_text()
    for tissue in tomllib.loads(text)["tissue"]:
        if "mass_percent" in tissue:
            assert sum(tissue["mass_percent"].values()) == pytest.approx(100, abs=0.15), tissue["name"]


def test_shapes_are_kept(schneider):
    hu = np.zeros((2, 3, 4), dtype=np.int16)
    assert schneider.density(hu).shape == schneider.material_index(hu).shape == (2, 3, 4)


def test_a_users_own_curve(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN_CURVE)
    curve = load_curve(path)
    assert curve.name == "our scanner"
    assert curve.density(500) == pytest.approx(1.3)
    assert curve.materials[0] == material("air")
    assert curve.materials[1].density_g_cm3 == pytest.approx(1.0)  # the middle of -200 to 200 HU
    assert (curve.materials[2].density_g_cm3, curve.materials[2].i_value_ev) == (1.9, 111.0)
    assert list(curve.material_index([-500, 0, 200])) == [0, 1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("hu = [-1000, 0, 1000]", "hu = [-1000, 1000, 0]"), "ascend"),
        (("hu = [-1000, 0, 1000]", "hu = [-1000, 0]"), "3 densities for 2 HU"),
        (("g_cm3 = [0.0012, 1.0, 1.6]", "g_cm3 = [1.2, 1000, 1600]"), "density 1000 g/cm3 is impossible"),
        (("g_cm3 = [0.0012, 1.0, 1.6]", "g_cm3 = [0, 1.0, 1.6]"), "density 0 g/cm3 is impossible"),
        (("g_cm3", "density"), "section .density. must have"),
        (("lower_hu = 200\n", "lower_hu = -300\n"), "tissues must ascend"),
        (("lower_hu = 200\n", ""), "tissue 3: lower_hu is missing"),
        (('material = "air"', 'material = "aire"'), "did you mean air"),
        (('material = "air"', ""), "give either material"),
        (("O = 88.8", "O = 8.88"), "add up to 0.2008"),
        (("i_value_ev", "ivalue"), "unknown field 'ivalue'"),
        (("[density]", "[density"), "not a TOML file"),
    ],
)
def test_mistakes_name_the_file_and_the_remedy(tmp_path, change, message):
    path = tmp_path / "own.toml"
    path.write_text(OWN_CURVE.replace(*change))
    with pytest.raises(ValueError, match=message) as caught:
        load_curve(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_unknown_curves_are_refused(tmp_path):
    with pytest.raises(ValueError, match="did you mean schneider2000"):
        load_curve("schneider")
    with pytest.raises(ValueError, match="no CT curve or file"):
        load_curve(tmp_path / "missing.toml")


def test_nan_is_not_a_ct_number(schneider):
    with pytest.raises(ValueError, match="1 CT numbers are NaN"):
        schneider.density([0.0, np.nan])
    with pytest.raises(ValueError, match="NaN"):
        schneider.material_index([np.nan])


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="1 materials for 2 lower HU"):
        CtCurve("x", [0, 1], [1, 1], [0, 5], (material("water"),))
