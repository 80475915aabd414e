"""Results kept on disk between runs, found again by what they were made from.

The folder lies beside that of the compiled kernels: ``MCDOSE_CACHE_DIR``, or else the user's cache directory.
"""

import hashlib
import json
import os
import sys
from functools import cache
from pathlib import Path


def cache_folder(kind):
    """The folder for one kind of result; it may not exist yet."""
    base = os.environ.get("MCDOSE_CACHE_DIR")
    if base is None:
        caches = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else os.environ.get("XDG_CACHE_HOME")
        base = Path(caches) if caches else Path.home() / ".cache"
    return Path(base) / "mcdose" / kind


def content_key(content):
    """A name (hex digits) for JSON-able content: the same for the same content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


@cache
def source_hash(*packages):
    """Hash of the code and the data of packages: what they make changes at most when this does."""
    digest = hashlib.sha256()
    for package in packages:
        folder = Path(package.__file__).parent
        for path in sorted(p for p in folder.iterdir() if p.suffix in (".py", ".toml", ".h5")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def spectrum_content(spectrum):
    """What a Spectrum emits, JSON-able, every number to the last bit."""
    parts = []
    for part in spectrum.components:
        values = {name: getattr(part, name) for name in part.__dataclass_fields__}
        parts.append({name: v.tolist() if hasattr(v, "tolist") else v for name, v in values.items()})
    return parts


def material_content(material):
    """A Material as JSON: what its physics follows from."""
    return {
        "name": material.name,
        "density_g_cm3": material.density_g_cm3,
        "mass_fractions": dict(material.mass_fractions),
        "i_value_ev": material.i_value_ev,
    }
