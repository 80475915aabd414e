"""Transport tables kept on disk: making them takes longer than reading the images and starting the kernels.

1. A file is named by a hash of everything its tables follow from: the inputs, all sources and data of ``physics_data``,
   and the version of NumPy. A change of any of them is another file.
2. Files are written whole or not at all; one that cannot be read is made again, one that cannot be written is done
   without.
3. The files that were used last are kept.
"""

import contextlib
import os
import zipfile

import numpy as np

import physics_data
from mcdose.cache import cache_folder, content_key, source_hash
from mcdose.errors import InputError
from mcdose.files import atomic

KEPT_FILES = 100  # of 0.1 to 2 MB
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)


def cached_tables(make, content, *inputs):
    """``make(*inputs)``, from the disk where it was made before.

    Parameters
    ----------
    make : callable
        Gives a dictionary of arrays, numbers and named tuples of numbers.
    content
        JSON-able: what the inputs are, by which the tables are found again.
    *inputs

    Returns
    -------
    dict
        The same whether made or read: named tuples as dictionaries, numbers as NumPy's, arrays in C order.
    """
    key = content_key([make.__name__, content, np.__version__, source_hash(physics_data)])
    path = cache_folder("tables") / f"{key}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            flat = {name: file[name] for name in file.files}
        with contextlib.suppress(OSError):
            os.utime(path)
    except UNREADABLE:
        flat = _flat(make(*inputs))
        _store(path, flat)
    return _nested(flat)


def _store(path, flat):
    with contextlib.suppress(OSError, InputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as part:
            np.savez(part, **flat)
        for old in sorted(path.parent.glob("*.npz"), key=os.path.getmtime)[:-KEPT_FILES]:
            old.unlink()


def _flat(tables):
    """Arrays by name; the fields of a named tuple as ``name/field``."""
    flat = {}
    for name, value in tables.items():
        parts = {f"{name}/{k}": v for k, v in value._asdict().items()} if hasattr(value, "_asdict") else {name: value}
        flat.update({key: np.asarray(v, order="C") for key, v in parts.items()})
    return flat


def _nested(flat):
    tables = {}
    for key, value in flat.items():
        name, _, field = key.partition("/")
        value = value if value.ndim else value[()]
        if field:
            tables.setdefault(name, {})[field] = value
        else:
            tables[name] = value
    return tables
