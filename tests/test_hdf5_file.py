"""HDF5 streamed to the disk: whole or not at all, and a full disk is an error, not a crash."""

import h5py
import numpy as np
import pytest

from mcdose.errors import InputError
from mcdose.hdf5_file import new_hdf5
from tests.test_dose import file_size_limit

VALUES = np.random.default_rng(1).random((64, 128, 128))  # 8 MiB that do not compress


def write(path):
    with new_hdf5(path) as file:
        data = file.create_dataset("values", VALUES.shape, float, chunks=(8, 128, 128), compression="gzip")
        for z in range(0, 64, 8):
            data[z : z + 8] = VALUES[z : z + 8]
        data.attrs["unit"] = "MeV"
        file.create_group("more").attrs["note"] = "µ"


def test_reads_back_as_written(tmp_path):
    write(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r") as file:
        assert np.array_equal(file["values"][:], VALUES)
        assert file["values"].attrs["unit"] == "MeV" and file["more"].attrs["note"] == "µ"


@pytest.mark.parametrize("room", [0, 100, 3_000, 1_000_000, 7_000_000])
def test_a_disk_that_fills_at_any_point_leaves_the_old_file(tmp_path, room):
    path = tmp_path / "a.h5"
    path.write_text("old")
    with file_size_limit(room), pytest.raises(InputError, match=r"a\.h5: cannot be written"):
        write(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


def test_an_error_while_writing_is_the_callers(tmp_path):
    with pytest.raises(KeyError), new_hdf5(tmp_path / "a.h5"):
        raise KeyError("mine")
    assert not list(tmp_path.iterdir())
