"""S values between regions."""

import csv

import numpy as np
import pytest

import mcdose
from mcdose.errors import InputError

J_PER_MEV = 1.602176634e-13


@pytest.fixture(scope="module")
def phantom():
    return mcdose.Phantom.uniform(mcdose.material("water"), (12, 12, 12), 10.0)


@pytest.fixture(scope="module")
def regions(phantom):
    z = np.arange(12)[:, None, None] * np.ones(phantom.shape)
    return {"low": z < 4, "middle": (z >= 4) & (z < 6), "high": z >= 6}


@pytest.fixture(scope="module")
def table(phantom, regions):
    return mcdose.s_values(phantom, regions, "I-131", histories=200_000)


def test_absorbed_fractions_and_the_escaped_part_make_the_whole(phantom, regions, table):
    source = mcdose.Source(regions["low"] * 1.0, "I-131", phantom)
    escaped = mcdose.monte_carlo(phantom, source, histories=100_000, seed=99)
    absorbed = table.absorbed_fraction[:, 0].sum()
    assert absorbed == pytest.approx(1 - escaped.escaped_mev / escaped.emitted_mev, rel=0.01)


def test_reciprocity(table):
    """S(a <- b) = S(b <- a) in a uniform medium, whatever the masses (exact for points, hence for regions)."""
    for a, b in (("low", "middle"), ("middle", "high"), ("low", "high")):
        (one, u), (other, v) = table.s(a, b), table.s(b, a)
        assert one == pytest.approx(other, abs=4 * np.hypot(u, v))
        assert np.hypot(u, v) < 0.06 * one  # 2 to 3 % expected


def test_mean_dose_of_a_source_is_the_sum_of_its_parts(phantom, regions, table):
    """Activity everywhere, weighted by volume, gives the doses that the table predicts."""
    dose = mcdose.monte_carlo(
        phantom, mcdose.Source(np.ones(phantom.shape), "I-131", phantom), histories=200_000, seed=7
    )
    volumes = [mask.sum() for mask in regions.values()]
    for t, mask in enumerate(regions.values()):
        predicted = table.gy_per_bq_s[t] @ volumes
        sd = np.sqrt((table.standard_uncertainty[t] ** 2) @ np.square(volumes))
        assert dose.gy[mask].mean() == pytest.approx(predicted, abs=4 * sd + 0.01 * predicted)


def test_uncertainty_covers_the_spread_of_seeds(phantom, regions):
    """24 tables: the spread of their values is what they claim, within three times the 15 % to which 24 values tell a
    spread."""
    pairs = (0, 0), (1, 0), (2, 0)
    found = [
        mcdose.s_values(phantom, regions, "Y-90", ["low"], histories=4_000, seed=1000 * k, threads=1) for k in range(24)
    ]
    for t, s in pairs[:2]:
        values = [f.gy_per_bq_s[t, s] for f in found]
        claimed = np.sqrt(np.mean([f.standard_uncertainty[t, s] ** 2 for f in found]))
        assert 0.55 < np.std(values, ddof=1) / claimed < 1.45


def test_electrons_that_stay_give_the_equilibrium_dose(phantom, regions):
    table = mcdose.s_values(phantom, regions, "Lu-177", ["low"], histories=50_000, emissions=("beta", "electron"))
    energy = mcdose.Nuclide("Lu-177").spectrum.select(("beta", "electron")).energy_mev()
    value, sd = table.s("low", "low")
    assert value == pytest.approx(energy * J_PER_MEV / (table.mass_g["low"] * 1e-3), rel=0.01, abs=4 * sd)
    assert table.s("high", "low")[0] < 1e-3 * value


def test_what_it_says(table, tmp_path):
    text = str(table)
    assert "S values of I-131" in text and "from middle" in text and "| low (576)" in text
    table.to_csv(tmp_path / "s.csv")
    with (tmp_path / "s.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9 and float(rows[1]["S (Gy/(Bq s))"]) == pytest.approx(table.s("low", "middle")[0], rel=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sources": ["heart"]}, "source 'heart': not among"),
        ({"batches": 1}, "at least 2"),
        ({"histories": 1.5}, "histories: 1.5"),
        ({"sources": []}, "sources: none"),
        ({"masks": {"none": np.zeros((12, 12, 12), bool)}}, "mask none: no voxel above zero"),
    ],
)
def test_what_cannot_be_is_one_sentence(phantom, regions, change, words):
    with pytest.raises(InputError, match=words):
        mcdose.s_values(phantom, **{"masks": regions, "emission": "Y-90", **change})
