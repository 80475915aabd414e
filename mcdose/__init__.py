"""Absorbed dose for radionuclide therapy by Monte Carlo, in the patient's own CT.

The public names are loaded on first use, so that ``import mcdose`` and ``mcdose --help`` are immediate.

Examples
--------
>>> import mcdose
>>> water = mcdose.Phantom.uniform(mcdose.material("water"), (9, 9, 9), 3.0)
>>> water.shape
(9, 9, 9)
"""

from importlib import import_module, metadata

_HOME = {
    "Dose": "mcdose.dose",
    "DoseImage": "mcdose.dose_image",
    "Dvh": "mcdose.dose_volume",
    "GammaCriterion": "mcdose.gamma",
    "InputError": "mcdose.errors",
    "InputWarning": "mcdose.errors",
    "Material": "physics_data.materials",
    "Nuclide": "physics_data.emissions",
    "Phantom": "mcdose.phantom",
    "SValueKernel": "mcdose.s_value_kernel",
    "Source": "mcdose.source",
    "Spectrum": "physics_data.emissions",
    "compare": "mcdose.comparison",
    "dvh": "mcdose.dose_volume",
    "dose_point_kernel": "mcdose.point_kernel",
    "gamma_index": "mcdose.gamma",
    "local_deposition": "mcdose.local_deposit",
    "material": "physics_data.materials",
    "monte_carlo": "mcdose.simulation",
    "ray_superposition": "mcdose.superposition",
    "read_image": "mcdose.images",
    "s_values": "mcdose.region_s_values",
    "sphere_s_values": "mcdose.sphere_model",
    "voxel_s_value": "mcdose.s_value_dose",
}

__all__ = [*_HOME, "__version__"]


def __getattr__(name):
    if name == "__version__":
        return metadata.version("mcdose")
    if name not in _HOME:
        raise AttributeError(f"module 'mcdose' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
