"""Daughters in secular equilibrium: which, how many, and the energy they bring."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import mcdose
from mcdose.cli import main
from mcdose.config import DAUGHTERS as CONFIG_DAUGHTERS
from mcdose.config import read_config
from physics_data.chains import equilibrium_chain
from physics_data.nuclides import DAUGHTERS, Nuclide, nuclide_names

# Decays per decay of the parent, from the branching fractions printed in ICRP Publication 107.
BI_212_BETA, BI_213_BETA, BI_211_ALPHA = 0.6406, 0.9791, 0.99724
RA_223 = {"Rn-219": 1, "Po-215": 1, "Pb-211": 1, "Bi-211": 1, "Tl-207": BI_211_ALPHA, "Po-211": 1 - BI_211_ALPHA}
DECAYS_PER_DECAY = {
    "Ra-223": RA_223,
    "Th-227": {"Ra-223": 1, **RA_223},
    "Ac-225": {
        "Fr-221": 1,
        "At-217": 1,
        "Bi-213": 1,
        "Po-213": BI_213_BETA,
        "Tl-209": 1 - BI_213_BETA,
        "Pb-209": 1,
    },
    "Bi-213": {"Po-213": BI_213_BETA, "Tl-209": 1 - BI_213_BETA},
    "Pb-212": {"Bi-212": 1, "Po-212": BI_212_BETA, "Tl-208": 1 - BI_212_BETA},
    "Ra-224": {"Rn-220": 1, "Po-216": 1, "Pb-212": 1, "Bi-212": 1, "Po-212": BI_212_BETA, "Tl-208": 1 - BI_212_BETA},
    "At-211": {"Po-211": 0.582},
    "Sr-90": {"Y-90": 1},
    "Y-90": {},
}
# Q values of the ground-state decays down to the last daughter (AME 2020), MeV.
Q_MEV = {
    "Ra-223": (5.979, 6.946, 7.526, 1.366, 6.750, 1.418),
    "Th-227": (6.147, 5.979, 6.946, 7.526, 1.366, 6.750, 1.418),
    "Ac-225": (5.935, 6.457, 7.202, 1.422, 8.536, 0.644),
    "Pb-212": (0.569, 2.252, 8.954),
}
NEUTRINO_SHARE = (
    1.9  # mean antineutrino over mean electron energy of the beta-minus decays of these chains, within 10 %
)


def equilibrium(name, **options):
    return Nuclide(name, daughters="equilibrium", **options)


def listed_mev(name):
    """Energy per decay by kind, summed over the listed rows of the database itself."""
    folder = Path(importlib.util.find_spec("icrp107_database").origin).parent / "icrp107"
    rows = json.loads(json.loads((folder / f"{name}.json").read_text()))["emissions"]

    def energy(*kinds):
        return sum(e * n for kind in kinds for e, n in rows.get(kind, []))

    return np.array([energy("alpha", "alpha recoil"), energy("beta-", "beta+", "IE", "auger"), energy("gamma", "X")])


def spectrum_mev(nuclide):
    return np.array([nuclide.spectrum.energy_mev(kind) for kind in ("alpha", "electron", "photon")])


@pytest.mark.parametrize(("parent", "decays"), DECAYS_PER_DECAY.items())
def test_members_and_their_decays(parent, decays):
    chain = Nuclide(parent).chain
    assert chain.parent.name == parent and chain.parent.decays_per_parent == 1
    ours = {m.name: m.decays_per_parent for m in chain.daughters}
    # The rarest branch of At-217 (1.2e-4, to Rn-217) is not followed, since ICRP-107 has no Rn-217.
    assert ours == pytest.approx(decays, rel=2e-4)


@pytest.mark.parametrize(("parent", "decays"), DECAYS_PER_DECAY.items())
def test_energy_is_the_sum_of_the_members(parent, decays):
    expected = sum(n * listed_mev(member) for member, n in {parent: 1, **decays}.items())
    assert spectrum_mev(equilibrium(parent)) == pytest.approx(expected, rel=2e-3, abs=1e-6)


@pytest.mark.parametrize("parent", ["Ra-223", "Ac-225", "Th-227", "Pb-212"])
def test_decays_are_those_of_the_bateman_equations(parent):
    radioactivedecay = pytest.importorskip("radioactivedecay")
    half_life_s = Nuclide(parent).half_life_s
    atoms = radioactivedecay.Inventory({parent: 1.0}, "num")
    decays = atoms.cumulative_decays(100 * half_life_s, "s")
    for member in Nuclide(parent).chain.members:
        assert member.decays_per_parent == pytest.approx(decays[member.name], rel=1e-6)


def test_radium_223_has_its_published_shares():
    """95.3 % alpha, 3.6 % beta, 1.1 % gamma (prescribing information of radium-223 dichloride), of about 28 MeV."""
    energies = spectrum_mev(equilibrium("Ra-223"))
    assert energies.sum() == pytest.approx(28.2, abs=0.1)
    assert energies[0] == pytest.approx(26.87, abs=0.05)
    assert energies / energies.sum() == pytest.approx([0.953, 0.036, 0.011], abs=1.5e-3)


@pytest.mark.parametrize(("parent", "q_values"), Q_MEV.items())
def test_energy_and_neutrinos_make_up_the_mass_difference(parent, q_values):
    """Along every path to the last daughter the Q values add up to the same; neutrinos take their part of it."""
    spectrum = equilibrium(parent).spectrum
    neutrinos = NEUTRINO_SHARE * spectrum.select("beta").energy_mev()
    assert spectrum.energy_mev() + neutrinos == pytest.approx(sum(q_values), abs=0.1 * neutrinos + 0.01)


def test_a_daughter_that_outlives_the_parent_ends_the_chain():
    assert [name for name, _ in Nuclide("Bi-213").chain.ends] == ["Pb-209"]  # 3.25 h against 46 min
    assert [name for name, _ in Nuclide("At-211").chain.ends] == ["Bi-207"]  # 33 y against 7.2 h
    assert [name for name, _ in Nuclide("Mo-99").chain.ends] == ["Tc-99"]
    assert not Nuclide("Ac-225").chain.ends
    slower = equilibrium("Bi-213", half_life_s=10 * 3600)
    assert [m.name for m in slower.chain.daughters] == ["Po-213", "Tl-209", "Pb-209"]


def toy(branches, half_lives):
    return equilibrium_chain("A", half_lives["A"], lambda name: branches.get(name, []), half_lives.get)


def test_paths_that_meet_again_add_up_and_order_is_that_of_decay():
    branches = {"A": [("B", 0.7), ("C", 0.3)], "B": [("C", 0.5), ("D", 0.5)], "C": [("D", 1.0)], "D": [("E", 1.0)]}
    chain = toy(branches, {"A": 100.0, "B": 1.0, "C": 2.0, "D": 3.0})
    assert [m.name for m in chain.members] == ["A", "B", "C", "D"]
    assert {m.name: m.decays_per_parent for m in chain.members} == pytest.approx({"A": 1, "B": 0.7, "C": 0.65, "D": 1})
    assert dict(chain.members[2].made_by) == {"A": 0.3, "B": 0.5}


def test_what_follows_a_long_lived_daughter_is_left_out_unless_reached_otherwise():
    branches = {"A": [("L", 0.6), ("B", 0.4)], "L": [("S", 1.0)], "B": [("S", 0.5)]}
    chain = toy(branches, {"A": 10.0, "L": 10.0, "B": 1.0, "S": 1.0})
    assert {m.name: m.decays_per_parent for m in chain.daughters} == pytest.approx({"B": 0.4, "S": 0.2})
    assert chain.ends == (("L", 10.0),)


@pytest.mark.parametrize(
    ("parent", "slow"), [("Ra-223", []), ("Ac-225", []), ("Pb-212", ["Bi-212"]), ("Th-227", ["Ra-223"])]
)
def test_daughters_that_are_not_short_lived_are_cautioned_about(parent, slow):
    nuclide = equilibrium(parent)
    assert [m.name for m in nuclide.chain.slow] == slow
    assert len(nuclide.cautions) == len(slow)
    for name, text in zip(slow, nuclide.cautions):
        assert name in text
    assert not Nuclide(parent).cautions


@pytest.mark.parametrize("parent", ["Pb-212", "Th-227"])
def test_transient_factor_is_that_of_the_bateman_solution(parent):
    chain = Nuclide(parent).chain
    fast, slow = 1 / chain.members[1].half_life_s, 1 / chain.parent.half_life_s
    late = 60 * chain.parent.half_life_s
    ratio = fast / (fast - slow) * (1 - 2 ** (-(fast - slow) * late))
    assert chain.transient_factor(chain.members[1]) == pytest.approx(ratio, rel=1e-9)
    assert ratio == pytest.approx({"Pb-212": 1.105, "Th-227": 2.576}[parent], rel=1e-3)


def test_chains_of_all_nuclides_are_finite_and_conserve_decays():
    for name in nuclide_names()[::5]:
        members = Nuclide(name).chain.members
        position = {m.name: k for k, m in enumerate(members)}
        for k, member in enumerate(members):
            assert 0 < member.decays_per_parent < 1.001
            assert all(position[mother] < k for mother, _ in member.made_by)
            assert member.half_life_s < members[0].half_life_s or k == 0


def test_a_nuclide_is_alone_by_default_and_says_so():
    alone, whole = Nuclide("Ra-223"), equilibrium("Ra-223")
    assert alone == Nuclide("Ra-223", daughters="none") != whole
    assert alone.spectrum.energy_mev("alpha") == pytest.approx(5.770, rel=1e-3)
    assert "Rn-219, Po-215" in alone.notes[0] and "not included" in alone.notes[0]
    assert not whole.notes and not Nuclide("Y-90").notes
    assert equilibrium("Y-90").spectrum.energy_mev() == pytest.approx(Nuclide("Y-90").spectrum.energy_mev(), rel=1e-12)


def test_description_lists_the_chain_with_branching():
    text = equilibrium("Pb-212").describe()
    for word in ("Bi-212", "60.55 minutes", "0.6406", "Bi-212 (64.06 %)", "Tl-208", "poor assumption", "10.3"):
        assert word in text
    assert "Pb-209 (3.253 hours) lives longer" in equilibrium("Bi-213").describe()
    assert "not included" in Nuclide("Pb-212").describe()


@pytest.mark.parametrize("daughters", ["all", "", None, True])
def test_unknown_treatment_is_refused(daughters):
    with pytest.raises(ValueError, match="choose one of none, equilibrium"):
        Nuclide("Ra-223", daughters=daughters)


def test_a_spectrum_is_scaled():
    spectrum = Nuclide("Cu-64").spectrum
    third = spectrum.scaled(1 / 3)
    for particle in ("electron", "positron", "photon"):
        assert third.yield_per_decay(particle) == pytest.approx(spectrum.yield_per_decay(particle) / 3, rel=1e-12)
        assert third.energy_mev(particle) == pytest.approx(spectrum.energy_mev(particle) / 3, rel=1e-12)
    assert spectrum.scaled(0).energy_mev() == 0
    for factor in (-1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="factor"):
            spectrum.scaled(factor)


@pytest.fixture(scope="module")
def cube():
    return mcdose.Phantom.uniform(mcdose.material("water"), (7, 7, 7), 3.0)


def central(phantom, emission, decays=1.0):
    grid = np.zeros(phantom.shape)
    grid[tuple(n // 2 for n in phantom.shape)] = decays
    return mcdose.Source(grid, emission, phantom)


def test_a_source_knows_what_is_assumed_of_the_daughters(cube):
    assert "not included" in central(cube, "Ra-223").notes[0]
    with pytest.warns(mcdose.InputWarning, match="poor assumption for Bi-212"):
        source = central(cube, equilibrium("Pb-212"))
    assert "poor assumption" in source.notes[0]
    assert "lives longer" in central(cube, equilibrium("At-211")).notes[0]
    assert central(cube, "Y-90").notes == central(cube, equilibrium("Ra-223")).notes == ()


def test_dose_of_a_chain_is_that_of_its_members(cube):
    with pytest.warns(mcdose.InputWarning):
        whole = mcdose.monte_carlo(cube, central(cube, equilibrium("Pb-212")), histories=20_000)
    decays = {"Pb-212": 1, **DECAYS_PER_DECAY["Pb-212"]}
    parts = [mcdose.monte_carlo(cube, central(cube, n, d), histories=5_000, seed=2) for n, d in decays.items()]
    energy = sum(part.energy_mev for part in parts)
    sigma = np.sqrt(sum(np.nan_to_num(d.relative_uncertainty * d.energy_mev) ** 2 for d in (whole, *parts)))
    near = np.s_[2:5, 2:5, 2:5]
    assert np.all(np.abs(whole.energy_mev - energy)[near] < 5 * sigma[near])
    assert whole.emitted_mev == pytest.approx(10.31, abs=0.1)


def test_settings_of_a_dose_record_the_daughters(cube):
    dose = mcdose.monte_carlo(cube, central(cube, equilibrium("At-211")), histories=100, emissions=["photon", "alpha"])
    assert dose.settings["nuclide"] == "At-211"
    assert dose.settings["daughters"] == "equilibrium"
    assert dose.settings["decays_of_daughters"] == {"Po-211": pytest.approx(0.582)}
    assert "At-211 with its daughters in equilibrium" in dose.describe()
    alone = mcdose.monte_carlo(cube, central(cube, "At-211"), histories=100, emissions=["alpha"])
    assert alone.settings["daughters"] == "none" and alone.settings["decays_of_daughters"] == {}


def test_activity_of_a_nuclide_with_daughters(image_factory, cube):
    image = image_factory(np.full(cube.shape, 1000.0), (3, 3, 3))
    source = mcdose.Source.from_activity(image, equilibrium("Ra-223"), cube)
    half_life_s = 11.43 * 86400
    assert source.total_decays == pytest.approx(343 * 27 * half_life_s / np.log(2), rel=1e-6)  # decays of radium
    assert source.spectrum.energy_mev() == pytest.approx(28.2, abs=0.1)


def test_command_line_and_run_file(thorax, tmp_path, capsys):
    ct, activity = thorax
    out = tmp_path / "out"
    images = ["--ct", str(ct), "--activity", str(activity), "-o", str(out)]
    assert main(["dose", *images, "--nuclide", "pb212", "--daughters", "equilibrium", "--histories", "2000"]) == 0
    assert "note: Pb-212: equilibrium is a poor assumption for Bi-212" in capsys.readouterr().err
    assert read_config(out / "run.toml").daughters == "equilibrium"
    dose = mcdose.Dose.load(out / "dose.h5")
    assert dose.settings["run"]["daughters"] == "equilibrium"
    assert dose.emitted_mev / dose.decays == pytest.approx(10.31, rel=0.05)


def test_nuclides_command(tmp_path, capsys):
    plot = tmp_path / "ra.png"
    assert main(["nuclides", "Ra-223", "--daughters", "equilibrium", "--plot", str(plot)]) == 0
    assert "Bi-211 (99.724 %)" in capsys.readouterr().out
    assert plot.stat().st_size > 20_000
    assert main(["nuclides", "--daughters", "equilibrium"]) == 2
    assert "--daughters: needs the name of a nuclide" in capsys.readouterr().err


def test_unknown_treatment_in_a_run_file_is_refused(thorax, tmp_path, capsys):
    ct, activity = thorax
    lines = {"ct": ct, "activity": activity, "nuclide": "Ra-223", "output": tmp_path / "out", "daughters": "all"}
    (tmp_path / "run.toml").write_text("".join(f'{k} = "{v}"\n' for k, v in lines.items()))
    assert main(["dose", str(tmp_path / "run.toml")]) == 2
    assert "daughters 'all': one of none, equilibrium is needed" in capsys.readouterr().err
    assert CONFIG_DAUGHTERS == DAUGHTERS
