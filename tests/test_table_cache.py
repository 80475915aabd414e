"""Tables on the disk: the same numbers, made once, never trusted when damaged or when anything changed."""

from typing import NamedTuple

import numpy as np
import pytest

import mcdose
from mcdose import table_cache
from mcdose.cache import cache_folder

WATER, LUNG = mcdose.material("water"), mcdose.material("lung")


class Axis(NamedTuple):
    shift: np.int32
    unit: np.float32


@pytest.fixture
def maker(tmp_path, monkeypatch):
    monkeypatch.setenv("MCDOSE_CACHE_DIR", str(tmp_path))
    calls = []

    def made_up_tables(number):
        calls.append(number)
        transposed = np.arange(6, dtype=np.float32).reshape(2, 3).T
        return {"energy": Axis(np.int32(3), np.float32(0.1)), "main": transposed, "cutoff": np.float32(number)}

    made_up_tables.calls = calls
    return made_up_tables


def same(a, b):
    assert set(a) == set(b) == {"energy", "main", "cutoff"}
    assert a["energy"] == b["energy"] == {"shift": 3, "unit": np.float32(0.1)}
    assert type(b["energy"]["shift"]) is np.int32 and type(b["cutoff"]) is np.float32
    assert np.array_equal(a["main"], b["main"]) and a["main"].dtype == b["main"].dtype
    assert a["main"].flags.c_contiguous and b["main"].flags.c_contiguous  # numba compiles for the order in memory


def test_read_is_what_was_made(maker):
    made, read = (table_cache.cached_tables(maker, "water", 0.01) for _ in range(2))
    same(made, read)
    assert len(maker.calls) == 1


def test_other_inputs_are_other_tables(maker):
    for content in ("water", "lung", ["water", 0.01], ["water", 0.010000000000000002]):
        table_cache.cached_tables(maker, content, 2.0)
    assert len(maker.calls) == 4


def test_other_sources_are_other_tables(maker, monkeypatch):
    table_cache.cached_tables(maker, "water", 0.01)
    monkeypatch.setattr(table_cache, "source_hash", lambda *packages: "edited")
    table_cache.cached_tables(maker, "water", 0.01)
    assert len(maker.calls) == 2


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: data[:200], lambda data: data.replace(b"\0\0\0@", b"\0\0\0A")]
)
def test_a_damaged_file_is_made_again(maker, damage):
    made = table_cache.cached_tables(maker, "water", 2.0)
    (path,) = cache_folder("tables").iterdir()
    assert damage(path.read_bytes()) != path.read_bytes()
    path.write_bytes(damage(path.read_bytes()))
    same(made, table_cache.cached_tables(maker, "water", 2.0))
    same(made, table_cache.cached_tables(maker, "water", 2.0))
    assert len(maker.calls) == 2


def test_without_a_place_to_write_tables_are_made_each_time(maker):
    cache_folder("tables").parent.mkdir()
    cache_folder("tables").write_text("a file where the folder should be")
    for _ in range(2):
        table_cache.cached_tables(maker, "water", 0.01)
    assert len(maker.calls) == 2


def test_only_the_last_files_are_kept(maker, monkeypatch):
    monkeypatch.setattr(table_cache, "KEPT_FILES", 3)
    for k in range(5):
        table_cache.cached_tables(maker, k, 2.0)
    assert len(list(cache_folder("tables").iterdir())) == 3


def test_the_transport_gets_the_same_tables_from_the_disk(tmp_path, monkeypatch):
    from mcdose.engine import Physics, problem

    monkeypatch.setenv("MCDOSE_CACHE_DIR", str(tmp_path))
    phantom = mcdose.Phantom(np.full((3, 3, 3), 0.7), np.arange(27).reshape(3, 3, 3) % 2, [WATER, LUNG], 3.0)
    spectrum = mcdose.Nuclide("Lu-177").spectrum
    first, again = (problem(phantom, np.ones((3, 3, 3)), spectrum, None, Physics(0.01, 0.01)) for _ in range(2))
    assert len(list(cache_folder("tables").iterdir())) == 3  # emissions, photons, electrons
    for made, read in ((first.photons, again.photons), (first.electrons, again.electrons)):
        for a, b in zip(made, read):
            assert np.array_equal(a, b) and type(a) is type(b)
