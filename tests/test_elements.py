"""Elements: order, weights, excitation energies and the words of errors."""

import pytest

from physics_data.elements import MAX_Z, SYMBOLS, atomic_number, atomic_weight, mean_excitation_energy_ev


def test_symbols_stand_at_their_atomic_number():
    assert len(SYMBOLS) == MAX_Z + 1
    assert (SYMBOLS[1], SYMBOLS[8], SYMBOLS[20], SYMBOLS[53], SYMBOLS[92], SYMBOLS[100]) == (
        "H",
        "O",
        "Ca",
        "I",
        "U",
        "Fm",
    )
    assert [atomic_number(symbol) for symbol in SYMBOLS[1:]] == list(range(1, MAX_Z + 1))


@pytest.mark.parametrize(("z", "weight"), [(1, 1.00794), (6, 12.011), (20, 40.078), (53, 126.90447), (82, 207.2)])
def test_atomic_weights(z, weight):
    assert atomic_weight(z) == pytest.approx(weight, rel=1e-6)


def test_charge_over_mass_follows_the_valley_of_stability():
    ratio = [z / atomic_weight(z) for z in range(2, MAX_Z + 1)]
    assert max(ratio) < 0.51 and min(ratio) > 0.38
    assert 1 / atomic_weight(1) == pytest.approx(0.992, abs=1e-3)


def test_excitation_energies_follow_bloch_rule():
    # I is about 10 eV times Z (Bloch 1933) beyond the lightest elements.
    assert all(8 < mean_excitation_energy_ev(z) / z < 17 for z in range(5, MAX_Z + 1))
    assert mean_excitation_energy_ev(1) == 19.2
    assert mean_excitation_energy_ev(82) == 823.0


@pytest.mark.parametrize("symbol", ["ca", "Xx", "", None, 20])
def test_unknown_symbols_are_refused_with_a_suggestion(symbol):
    with pytest.raises(ValueError, match="did you mean"):
        atomic_number(symbol)


def test_suggestion_corrects_capitals():
    with pytest.raises(ValueError, match="did you mean 'Ca'"):
        atomic_number("ca")


@pytest.mark.parametrize("z", [0, -1, 101])
def test_elements_without_data_are_refused(z):
    with pytest.raises(ValueError, match="1 to 100"):
        atomic_weight(z)
    with pytest.raises(ValueError, match="1 to 100"):
        mean_excitation_energy_ev(z)
