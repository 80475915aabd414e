"""Emissions: spectra, nuclides against ICRP-107's own sums, and the table the transport samples."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from physics_data.emissions import Nuclide, Spectrum, emission_table, nuclide_names
from physics_data.nuclides import allowed_beta_shape, format_duration

REST_MEV = 0.51099895
ANNIHILATION_MEV = 0.511

# Mean energy per decay, MeV, from the ICRP-107 tables: electrons and positrons (beta, conversion, Auger), photons (with
# annihilation), alphas with recoils. Sums of the listed yields times energies, independent of the code here.
ICRP_107_MEV = {
    "F-18": (0.24163, 0.98858, 0),
    "P-32": (0.6948, 0, 0),
    "Cu-64": (0.1248, 0.1855, 0),
    "Ga-68": (0.7379, 0.9487, 0),
    "Zr-89": (0.1019, 1.1581, 0),
    "Sr-89": (0.5845, None, 0),
    "Y-90": (0.9331, None, 0),
    "Tc-99m": (0.01619, 0.12659, 0),
    "In-111": (0.0348, 0.4061, 0),
    "I-123": (0.0282, 0.1730, 0),
    "I-124": (0.1943, 1.1133, 0),
    "I-131": (0.19185, 0.38276, 0),
    "Sm-153": (0.2699, 0.0643, 0),
    "Tb-161": (0.2025, 0.0365, 0),
    "Ho-166": (0.69634, 0.0301, 0),
    "Er-169": (0.1035, None, 0),
    "Lu-177": (0.14792, 0.03510, 0),
    "Re-186": (0.3362, 0.0208, 0),
    "Re-188": (0.7793, 0.0613, 0),
    "Ra-223": (0.0781, 0.1413, 5.770),
    "Ac-225": (0.0248, 0.0171, 5.892),
    "Bi-213": (0.4441, 0.1277, 0.1245),
    "Pb-212": (0.1766, 0.1450, 0),
    "Bi-212": (0.5046, 0.1038, 2.2164),
    "At-211": (0.00594, 0.0367, 2.4998),
}

BETA_PARENTS_OF_BOTH_SIGNS = ("Cu-64", "As-74", "K-40", "I-126", "Rb-84", "In-112", "Eu-152", "Br-78", "Mn-54")


@pytest.mark.parametrize(("name", "expected"), ICRP_107_MEV.items())
def test_mean_energies_per_decay(name, expected):
    spectrum = Nuclide(name).spectrum
    annihilation = 2 * ANNIHILATION_MEV * spectrum.yield_per_decay("positron")
    ours = (
        spectrum.energy_mev("electron") + spectrum.energy_mev("positron"),
        spectrum.energy_mev("photon") + annihilation,
        spectrum.energy_mev("alpha"),
    )
    for value, listed in zip(ours, expected):
        if listed is not None:
            assert value == pytest.approx(listed, rel=3e-3, abs=1e-9)


def test_there_are_1252_nuclides_in_order():
    names = nuclide_names()
    assert len(names) == len(set(names)) == 1252
    assert names[0] == "H-3" and names[-1] == "Fm-257"
    assert names.index("Tc-99") < names.index("Tc-99m") < names.index("Lu-177")


@pytest.mark.parametrize("name", ["Y-90", "Y90", "y90", "90Y", "90y", "y-90", " Y 90 ", "Y_90"])
def test_names_may_be_written_in_every_usual_way(name):
    assert Nuclide(name) == Nuclide("Y-90")


@pytest.mark.parametrize(
    ("name", "stored"), [("tc99m", "Tc-99m"), ("99mTc", "Tc-99m"), ("99mo", "Mo-99"), ("LU177M", "Lu-177m")]
)
def test_metastable_states(name, stored):
    assert Nuclide(name).name == stored


@pytest.mark.parametrize(("name", "near"), [("Lu-17", "Lu-177"), ("Lu-1777", "Lu-177"), ("Ac-2255", "Ac-225")])
def test_unknown_nuclides_get_the_nearest_names(name, near):
    with pytest.raises(ValueError, match=near):
        Nuclide(name)


@pytest.mark.parametrize("name", ["", "unobtainium", None, 90])
def test_nonsense_is_refused_in_one_sentence(name):
    with pytest.raises(ValueError, match="unknown nuclide"):
        Nuclide(name)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("Y-90", 64.1 * 3600),
        ("F-18", 109.77 * 60),
        ("Lu-177", 6.647 * 86400),
        ("Sr-90", 28.79 * 365.2422 * 86400),
        ("Po-212", 0.299e-6),
    ],
)
def test_half_lives(name, seconds):
    nuclide = Nuclide(name)
    assert nuclide.half_life_s == pytest.approx(seconds, rel=1e-4)
    assert nuclide.mean_life_s == pytest.approx(seconds / np.log(2), rel=1e-4)


def test_half_life_can_be_given():
    assert Nuclide("Ac-225", half_life_s=9.92 * 86400).mean_life_s == pytest.approx(9.92 * 86400 / np.log(2))
    with pytest.raises(ValueError, match="half_life_s"):
        Nuclide("Ac-225", half_life_s=0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (64.1 * 3600, "64.1 hours"),
        (6586.2, "109.77 minutes"),
        (574300.8, "6.647 days"),
        (2.99e-7, "299 ns"),
        (20.0, "20 s"),
    ],
)
def test_half_lives_are_written_readably(seconds, text):
    assert format_duration(seconds) == text


def test_daughters():
    assert Nuclide("Bi-212").daughters == [("Po-212", pytest.approx(0.6406)), ("Tl-208", pytest.approx(0.3594))]
    assert Nuclide("Lu-177").daughters == [("Hf-177", 1.0)]
    names = set(nuclide_names())
    chain, name = [], "Ra-223"
    while name in names:
        chain.append(name)
        name = Nuclide(name).daughters[0][0]
    assert chain == ["Ra-223", "Rn-219", "Po-215", "Pb-211", "Bi-211", "Tl-207"] and name == "Pb-207"


def test_branches_do_not_exceed_one():
    for name in nuclide_names()[::40]:
        assert 0 < sum(fraction for _, fraction in Nuclide(name).daughters) < 1.001, name


@pytest.mark.parametrize("name", BETA_PARENTS_OF_BOTH_SIGNS)
def test_beta_spectra_of_both_signs_are_separated(name):
    spectrum = Nuclide(name).spectrum
    record = icrp_record(name)
    for particle, key in (("electron", "beta-"), ("positron", "beta+")):
        (part,) = [c for c in spectrum.select("beta").components if c.particle == particle]
        mean, number = np.array(record["emissions"][key]).T
        assert part.yield_per_decay == pytest.approx(number.sum(), rel=1e-12)
        assert part.energy_mev == pytest.approx(np.sum(mean * number), rel=4e-3)
        assert np.all(part.density_per_mev >= 0)


def test_separated_spectra_have_the_coulomb_signature():
    # Electrons are held back by the nucleus, positrons pushed out: at low energy the former remain, the latter vanish.
    parts = {c.particle: c for c in Nuclide("Cu-64").spectrum.select("beta").components}
    assert parts["electron"].density(0.001) > 0.9 * parts["electron"].density(0.1)
    assert parts["positron"].density(0.001) < 0.05 * parts["positron"].density(0.25)
    assert parts["electron"].density(0.60) == 0  # end point 0.579 MeV
    assert parts["positron"].density(0.60) > 0  # end point 0.653 MeV


def icrp_record(name):
    import importlib.util
    import json
    from pathlib import Path

    folder = Path(importlib.util.find_spec("icrp107_database").origin).parent
    return json.loads(json.loads((folder / "icrp107" / f"{name}.json").read_text()))


def test_allowed_shape_without_charge_is_the_statistical_factor():
    energy, end = np.linspace(0.01, 0.9, 50), 1.0
    total = energy / REST_MEV + 1
    expected = np.sqrt(total**2 - 1) * total * (end - energy) ** 2
    ours = allowed_beta_shape(energy, end, charge=1e-9)
    assert ours / ours[0] == pytest.approx(expected / expected[0], rel=1e-6)


def test_annihilation_photons_are_left_to_the_positrons():
    for name in ("F-18", "Ga-68", "Zr-89"):
        spectrum = Nuclide(name).spectrum
        (photons,) = [c for c in spectrum.components if c.particle == "photon"] or [None]
        if photons is not None:
            near = np.abs(photons.energies_mev - ANNIHILATION_MEV) < 2e-4
            assert photons.yields[near].sum() < 1e-3
        assert spectrum.yield_per_decay("positron") > 0.2


def test_parts_of_an_emission_add_up():
    spectrum = Nuclide("I-131").spectrum
    parts = [spectrum.select(label) for label in ("beta", "electron", "photon", "alpha")]
    assert sum(p.energy_mev() for p in parts) == pytest.approx(spectrum.energy_mev(), rel=1e-12)
    assert spectrum.select(("beta", "electron")).energy_mev() == pytest.approx(spectrum.energy_mev("electron"))
    with pytest.raises(ValueError, match="'gamma' is unknown; choose among"):
        spectrum.select(("gamma",))


def test_labels_of_user_spectra():
    def label(spectrum):
        return spectrum.components[0].label

    grid = ([0.0, 0.5, 1.0], [1.0, 1.0, 0.0])
    assert label(Spectrum.table("electron", *grid, 1.0)) == "beta"
    assert label(Spectrum.monoenergetic("electron", 1.0)) == "electron"
    assert label(Spectrum.monoenergetic("positron", 1.0)) == "beta"
    assert label(Spectrum.lines("photon", [0.1], [1.0])) == "photon"


def test_linear_tables_are_integrated_exactly():
    triangle = Spectrum.table("electron", [0.0, 1.0], [2.0, 0.0], 0.5, interpolation="linear")
    assert triangle.yield_per_decay() == 0.5
    assert triangle.energy_mev() == pytest.approx(0.5 / 3, rel=1e-12)


def test_pchip_tables_follow_a_smooth_curve_more_closely_than_straight_lines():
    grid, fine = np.linspace(0, 1, 12), np.linspace(0, 1, 20001)
    curve = fine * (1 - fine) ** 2
    exact = np.trapezoid(fine * curve, fine) / np.trapezoid(curve, fine)
    means = {
        k: Spectrum.table("electron", grid, grid * (1 - grid) ** 2, 1.0, k).energy_mev() for k in ("pchip", "linear")
    }
    assert abs(means["pchip"] - exact) < 0.3 * abs(means["linear"] - exact)
    assert means["pchip"] == pytest.approx(exact, rel=3e-3)


@pytest.mark.parametrize("name", ["Y-90", "I-131", "Lu-177", "F-18", "Cu-64", "Ac-225"])
def test_table_conserves_energy(name):
    spectrum = Nuclide(name).spectrum
    table = emission_table(spectrum, 0.01, 0.01)
    transported = table.particles_per_decay * np.sum(
        np.diff(table.cumulative) * (table.energy_low + table.energy_high) / 2
    )
    rest = 2 * REST_MEV * spectrum.yield_per_decay("positron")
    assert transported + table.local_mev_per_decay + rest == pytest.approx(table.energy_mev_per_decay, rel=1e-12)
    assert table.energy_mev_per_decay == pytest.approx(spectrum.energy_mev() + rest, rel=1e-12)


def test_table_is_ordered_and_within_bounds():
    table = emission_table(Nuclide("Cu-64").spectrum, 0.01, 0.02)
    assert table.cumulative[0] == 0 and table.cumulative[-1] == 1 and np.all(np.diff(table.cumulative) > 0)
    assert np.all(np.diff(table.particle) >= 0) and set(table.particle) == {0, 1, 2}
    assert table.particle.dtype == np.int8
    assert np.all(table.energy_low <= table.energy_high)
    for code, cutoff in ((0, 0.01), (1, 0.02), (2, 0.0)):
        low = table.energy_low[table.particle == code]
        assert np.all(np.diff(low) >= 0) and low[0] >= cutoff


def test_continuum_has_segments_of_equal_probability_and_exact_mean():
    spectrum = Nuclide("Y-90").spectrum.select("beta")
    table = emission_table(spectrum, 0.01, 0.01)
    assert len(table.particle) == 2048
    assert np.diff(table.cumulative) == pytest.approx(1 / 2048, rel=1e-3)
    mean = np.sum(np.diff(table.cumulative) * (table.energy_low + table.energy_high) / 2)
    (beta,) = spectrum.components
    edges = np.concatenate([[0.01], beta.energies_mev[beta.energies_mev > 0.01]])
    number, energy = (np.sum(part) for part in beta.integrals(edges))
    assert mean == pytest.approx(energy / number, rel=1e-9)
    assert table.particles_per_decay == pytest.approx(number, rel=1e-12)
    assert table.local_mev_per_decay == pytest.approx(beta.energy_mev - energy, rel=1e-6)


def test_sampling_the_table_reproduces_the_spectrum():
    (beta,) = Nuclide("Lu-177").spectrum.select("beta").components
    table = emission_table(Spectrum((beta,)), 0.0, 0.0)
    u = (np.arange(200_000) + 0.5) / 200_000
    k = np.searchsorted(table.cumulative, u, side="right") - 1
    share = (u - table.cumulative[k]) / np.diff(table.cumulative)[k]
    energy = table.energy_low[k] + share * (table.energy_high[k] - table.energy_low[k])
    edges = np.linspace(0, beta.highest_mev, 26)
    counts = np.histogram(energy, edges)[0] / len(u)
    expected = beta.integrals(edges)[0] / beta.yield_per_decay
    # A tenth of one segment: the last one is a straight line where the spectrum curves to its end.
    assert counts == pytest.approx(expected, abs=5e-5)


def test_cut_offs_move_energy_to_the_source_voxel():
    lines = Spectrum.lines("photon", [0.005, 0.1], [0.5, 0.25]) + Spectrum.lines("electron", [0.008, 0.2], [1.0, 0.1])
    table = emission_table(lines, 0.01, 0.01)
    assert table.particles_per_decay == pytest.approx(0.35)
    assert table.local_mev_per_decay == pytest.approx(0.5 * 0.005 + 0.008)
    assert list(table.energy_low) == list(table.energy_high) == [0.1, 0.2]
    assert emission_table(lines, 0.001, 0.001).local_mev_per_decay == 0.0


def test_positrons_are_transported_below_the_cut_off():
    table = emission_table(Spectrum.monoenergetic("positron", 0.002), 0.01, 0.01)
    assert list(table.particle) == [2] and table.local_mev_per_decay == 0
    assert table.energy_mev_per_decay == pytest.approx(0.002 + 2 * REST_MEV)


def test_alphas_stay_in_the_source_voxel():
    table = emission_table(Nuclide("Po-212").spectrum, 0.01, 0.01)
    assert table.particles_per_decay == 0 and list(table.cumulative) == [0.0]
    assert table.local_mev_per_decay == table.energy_mev_per_decay == pytest.approx(8.954, rel=1e-3)


def test_an_empty_spectrum_gives_an_empty_table():
    table = emission_table(Nuclide("Y-90").spectrum.select("alpha"), 0.01, 0.01)
    assert table.particles_per_decay == table.energy_mev_per_decay == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Spectrum.monoenergetic("proton", 1.0), "particle: 'proton' is unknown"),
        (lambda: Spectrum.monoenergetic("electron", 0.0), "above 0"),
        (lambda: Spectrum.monoenergetic("electron", np.nan), "not finite"),
        (lambda: Spectrum.lines("photon", [0.1, 0.2], [1.0]), "1 values for 2 energies"),
        (lambda: Spectrum.lines("photon", [0.1], [-1.0]), "negative"),
        (lambda: Spectrum.lines("photon", [], []), "list of numbers"),
        (lambda: Spectrum.table("electron", [0.2, 0.1], [1, 1], 1.0), "must ascend"),
        (lambda: Spectrum.table("electron", [0.1], [1], 1.0), "at least two"),
        (lambda: Spectrum.table("electron", [0, 1], [0, 0], 1.0), "all zero"),
        (lambda: Spectrum.table("electron", [0, 1], [1, -1], 1.0), "negative"),
        (lambda: Spectrum.table("electron", [0, 1], [1, 1], -1.0), "yield_per_decay"),
        (lambda: Spectrum.table("electron", [0, 1], [1, 1], 1.0, "spline"), "interpolation: 'spline' is unknown"),
        (lambda: Spectrum.monoenergetic("electron", 1.0).energy_mev("muon"), "particle: 'muon' is unknown"),
        (lambda: emission_table(Spectrum.monoenergetic("electron", 1.0), -0.01, 0.01), "photon_cutoff_mev: -0.01"),
    ],
)
def test_bad_spectra_are_refused_in_one_sentence(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_spectra_survive_pickling():
    spectrum = Nuclide("Cu-64").spectrum
    spectrum.energy_mev()
    assert pickle.loads(pickle.dumps(spectrum)).energy_mev() == spectrum.energy_mev()


@pytest.mark.parametrize("name", ["Bi-212", "Cu-64", "Lu-177"])
def test_description_states_half_life_yields_and_energies(name):
    nuclide = Nuclide(name)
    text = nuclide.describe()
    assert nuclide.name in text and format_duration(nuclide.half_life_s) in text
    assert f"{nuclide.spectrum.energy_mev():.5g}" in text
    assert ("beta-plus" in text) == (nuclide.spectrum.yield_per_decay("positron") > 0)
    assert max(len(line) for line in text.splitlines()) <= 100


def test_every_nuclide_loads_and_balances():
    for name in nuclide_names()[::25]:
        spectrum = Nuclide(name).spectrum
        table = emission_table(spectrum, 0.01, 0.01)
        assert np.isfinite(table.energy_mev_per_decay) and table.energy_mev_per_decay > 0, name
        assert table.local_mev_per_decay <= spectrum.energy_mev() * (1 + 1e-12), name


def test_import_does_not_load_scipy():
    code = "import sys, physics_data.emissions; assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
