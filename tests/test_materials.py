"""Materials: validation, Bragg's rule, built-ins against the published numbers."""

import copy
import pickle

import numpy as np
import pytest

from physics_data.materials import Material, material, material_names

WATER = {"H": 0.111894, "O": 0.888106}

# ICRU Report 44 (1989): mean excitation energies in eV, one decimal.
ICRU_44_I_EV = {
    "liver": 74.8,
    "kidney": 74.7,
    "spleen": 75.0,
    "thyroid": 74.7,
    "red_marrow": 69.2,
    "yellow_marrow": 63.9,
    "spongiosa": 78.4,
    "cortical_bone": 112.0,
    "lung": 75.2,
    "adipose": 64.8,
    "muscle": 74.6,
    "pancreas": 73.4,
    "brain": 73.9,
    "blood": 75.2,
    "skin": 73.7,
    "cartilage": 78.0,
}


@pytest.mark.parametrize(("name", "expected"), ICRU_44_I_EV.items())
def test_bragg_rule_reproduces_icru_44(name, expected):
    assert material(name).i_value_ev == pytest.approx(expected, abs=0.06)


def test_elemental_materials_have_the_elemental_excitation_energy():
    assert material("aluminium").i_value_ev == 166.0
    assert Material("gold", 19.32, {"Au": 1.0}).i_value_ev == 790.0


def test_water():
    water = material("water")
    assert water.i_value_ev == 75.0
    assert list(water.z) == [1, 8]
    assert water.weights.sum() == pytest.approx(1, abs=1e-12)
    assert water.electrons_per_gram == pytest.approx(3.3428e23, rel=1e-4)


def test_lung_has_the_density_of_its_tissue():
    assert material("lung").density_g_cm3 == 1.05


def test_every_built_in_material_is_sound():
    for name in material_names():
        one = material(name)
        assert one.name == name
        assert one.weights.sum() == pytest.approx(1, abs=1e-12)
        assert 0.0005 < one.density_g_cm3 < 20
        assert 2.3e23 < one.electrons_per_gram < 3.5e23


def test_names_are_forgiving():
    assert material("Cortical Bone") is material("cortical_bone")
    assert material("soft-tissue") is material("soft_tissue")


def test_fractions_are_normalised_and_sorted():
    rounded = Material("x", 1.0, {"O": 0.88, "H": 0.11})
    assert list(rounded.mass_fractions) == ["H", "O"]
    assert sum(rounded.mass_fractions.values()) == pytest.approx(1, abs=1e-15)
    assert rounded.mass_fractions["O"] == pytest.approx(0.88 / 0.99)


def test_zero_fractions_vanish():
    assert list(Material("x", 1.0, {**WATER, "Ca": 0.0}).z) == [1, 8]


def test_equality_and_hash_are_by_value():
    one = Material("x", 1.0, WATER)
    other = Material("x", 1.0, dict(reversed(WATER.items())))
    assert one == other and hash(one) == hash(other)
    assert one != Material("x", 1.1, WATER)
    assert one != Material("x", 1.0, WATER, i_value_ev=78.0)


def test_materials_survive_pickling_and_copying_bit_for_bit():
    for name in material_names():
        one = material(name)
        assert pickle.loads(pickle.dumps(one)) == one
        assert copy.deepcopy(one) == one


def test_materials_cannot_be_changed():
    water = material("water")
    with pytest.raises(AttributeError):
        water.density_g_cm3 = 2.0
    with pytest.raises(TypeError):
        water.mass_fractions["H"] = 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", 1.0, WATER), "needs a name"),
        (("x", 0.0, WATER), "density_g_cm3 is 0"),
        (("x", -1.0, WATER), "density_g_cm3 is -1"),
        (("x", np.nan, WATER), "density_g_cm3 is nan"),
        (("x", "heavy", WATER), "density_g_cm3 is 'heavy'"),
        (("x", 1.0, {}), "mass_fractions must map"),
        (("x", 1.0, [("H", 1.0)]), "mass_fractions must map"),
        (("x", 1.0, {"H": 11.2, "O": 88.8}), "add up to 100"),
        (("x", 1.0, {"H": 0.5}), "add up to 0.5"),
        (("x", 1.0, {"H": 1.2, "O": -0.2}), "mass fraction of O is -0.2"),
        (("x", 1.0, {"H": np.nan, "O": 1.0}), "mass fraction of H is nan"),
        (("x", 1.0, {"h": 0.1, "O": 0.9}), "did you mean 'H'"),
        (("x", 1.0, WATER, 0.0), "i_value_ev is 0"),
    ],
)
def test_bad_materials_are_refused_in_one_sentence(arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        Material(*arguments)
    assert "\n" not in str(caught.value)


def test_unknown_names_get_the_nearest():
    with pytest.raises(ValueError, match="did you mean liver"):
        material("livr")
