"""The memory estimate: silent, a warning or a refusal, with a voxel size that fits."""

import re
import warnings

import pytest

import mcdose
from mcdose import memory
from mcdose.grid import Grid

GRID = Grid((400, 512, 512), (1.0, 1.0, 2.5))
BYTES = 40  # 4.2 GB


@pytest.fixture
def machine(monkeypatch):
    def there(installed, free):
        monkeypatch.setattr(memory, "installed_bytes", lambda: installed)
        monkeypatch.setattr(memory, "free_bytes", lambda: free)

    return there


def test_what_fits_is_not_mentioned(machine):
    machine(8e9, 5e9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        memory.check_memory(GRID, BYTES)


def test_what_is_in_use_elsewhere_is_a_warning(machine):
    machine(8e9, 3e9)
    with pytest.warns(mcdose.InputWarning, match=r"512 x 512 x 400 voxels need about 4.19 GB .* 3 GB are free"):
        memory.check_memory(GRID, BYTES)


def test_what_cannot_fit_is_refused_with_a_size_that_does(machine):
    machine(2e9, 1e9)
    with pytest.raises(mcdose.InputError, match=r"2 GB are there; voxels of .* mm or more fit") as error:
        memory.check_memory(GRID, BYTES)
    size = [float(s) for s in re.search(r"voxels of ([0-9.]+) x ([0-9.]+) x ([0-9.]+) mm", str(error.value)).groups()]
    assert size[0] == size[1] < size[2]
    memory.check_memory(GRID.respaced(tuple(size)), BYTES / 2)  # half: no more than what is free either


def test_a_run_asks_before_it_begins(machine):
    machine(1e3, 1e3)
    phantom = mcdose.Phantom.uniform(mcdose.material("water"), (5, 5, 5), 3.0)
    with pytest.raises(mcdose.InputError, match="dose grid: 5 x 5 x 5 voxels"):
        mcdose.monte_carlo(phantom, mcdose.Source.point((6, 6, 6), "Y-90", phantom), histories=10)


def test_this_machine_is_known():
    assert 1e8 < memory.free_bytes() <= memory.installed_bytes() * 1.01
