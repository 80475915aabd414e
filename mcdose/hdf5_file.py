"""HDF5 files: streamed to the disk whole or not at all, and read back if they are ours."""

import os
from contextlib import contextmanager
from pathlib import Path

from mcdose.errors import InputError
from mcdose.files import atomic


@contextmanager
def new_hdf5(path):
    """An ``h5py.File`` to write to; when all is written it takes the place of `path`.

    Raises
    ------
    InputError
        Folder not writable or disk full.
    """
    import h5py  # slow to load, and most of a run does without

    with atomic(path) as part, part.open("w+b") as stream:
        kept = _Kept(stream)
        try:
            with h5py.File(kept, "w") as file:
                yield file
        finally:
            if kept.error is not None:
                raise kept.error


@contextmanager
def our_hdf5(path, file_format, foreign, remedy):
    """An ``h5py.File`` of ours to read from.

    Parameters
    ----------
    path : str or Path
    file_format : str
        What its attribute "format" must say.
    foreign, remedy : str
        Ends of the sentences for a file that is not of this format, and for one that is damaged.

    Raises
    ------
    InputError
        No such file, of another format, damaged, or without something that is read from it.
    """
    import h5py  # slow to load, and most of a run does without

    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; check the path")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != file_format:
                raise InputError(f"{path}: {foreign}")
            yield file
    except (OSError, KeyError) as error:
        raise InputError(f"{path}: damaged or not an HDF5 file; {remedy}") from error


class _Kept:
    """A binary file that keeps its first error instead of raising it, and pretends to go on.

    HDF5 does not survive a full disk: it can crash the process when it closes a file that could not be written.
    """

    def __init__(self, stream):
        self.error = None
        self._stream = stream
        self._place = self._end = 0

    def write(self, data):
        self._do(self._stream.write, data)
        self._end = max(self._end, self._place + len(data))
        return len(data)

    def read(self, size):
        """Never used; h5py takes a file of Python's for what has it."""
        raise NotImplementedError

    def readinto(self, buffer):
        self._do(self._stream.readinto, buffer)
        return len(buffer)

    def truncate(self, size):
        self._do(self._stream.truncate, size)
        self._end = size

    def flush(self):
        self._do(self._stream.flush)

    def seek(self, offset, whence=os.SEEK_SET):
        self._place = offset + (self._end if whence == os.SEEK_END else 0)
        self._do(self._stream.seek, self._place)
        return self._place

    def tell(self):
        return self._place

    def _do(self, action, *arguments):
        if self.error is None:
            try:
                action(*arguments)
            except OSError as error:
                self.error = error
