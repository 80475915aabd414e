"""Files that are either written whole or not at all."""

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from mcdose.errors import InputError

CHUNK_BYTES = 1 << 20  # 1 MiB per read: large enough that hashing is bound by the disk, small in memory


@contextmanager
def atomic(path):
    """Give a temporary path beside `path` to write to; on success it takes the place of `path`.

    Whatever happens in between (an exception, a full disk, Ctrl-C), an older file at `path` stays as it was and
    no temporary file is left.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder must exist.

    Yields
    ------
    Path
        A name in the same folder with the same suffixes, so that writers which look at the suffix behave.

    Raises
    ------
    InputError
        When the folder is missing or not writable, or the disk is full.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=".mcdose-", suffix="".join(path.suffixes[-2:]), dir=path.parent)
        os.close(handle)
        part = Path(name)
        try:
            yield part
            _flush_to_disk(part)
            os.chmod(part, 0o666 & ~_umask())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error}); {_remedy(error)}") from error


@contextmanager
def output_folder(path, needed_bytes):
    """Make the output folder and check, before any long work, that `needed_bytes` can be written there.

    When the work inside fails before anything is written, a folder made here is taken away again.

    Raises
    ------
    InputError
        When the folder cannot be made or written to, or has too little free space.
    """
    path = Path(path)
    new = not path.exists()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".mcdose-", dir=path):
            pass
        free = shutil.disk_usage(path).free
    except OSError as error:
        raise InputError(
            f"{path}: not a writable output folder ({error.strerror or error}); choose another with -o"
        ) from error
    if free < needed_bytes:
        raise InputError(
            f"{path}: {free / 1e6:.0f} MB free, the results need about {needed_bytes / 1e6:.0f} MB; "
            "free some space or choose another folder with -o"
        )
    try:
        yield
    finally:
        if new:
            with suppress(OSError):  # it holds results: it stays
                path.rmdir()


def sha256(path):
    """SHA-256 of a file, or of a folder's files in the order of their names (hex digits)."""
    path = Path(path)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]:
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
    return digest.hexdigest()


def _flush_to_disk(path):
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _umask():
    """The process's file mode mask (it can only be read by setting it)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _remedy(error):
    if isinstance(error, FileNotFoundError):
        return "make the folder first"
    if isinstance(error, PermissionError):
        return "choose a folder you may write to"
    return "free some space or choose another folder"
