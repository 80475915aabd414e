"""Local deposition: every decay gives its energy to the voxel it happens in.

1. Electrons, positrons (kinetic energy), alphas and recoils are deposited where they are emitted.
2. So are photons below the cut-off, as in the Monte Carlo: at 10 keV their mean free path in tissue is 2 mm.
3. Photons above it leave without a trace, or, on request, are deposited too, with the two annihilation photons of each
   positron. Neither is what they do: in a patient they deposit most of their energy within tens of centimetres.

The dose is that energy over the mass of the voxel at its own density. It is right where the range of the electrons is
small against the voxel and the scale on which activity and density change (Lu-177 in voxels of 4 mm); elsewhere it
sharpens edges and puts all the energy of a lung into the lung.
"""

import time

import numpy as np

from mcdose.dose import Dose
from mcdose.simulation import check_cutoffs, emission_settings

PHOTON_CUTOFF_MEV = 0.010  # as that of the Monte Carlo


def local_deposition(phantom, source, photons=False, photon_cutoff_mev=PHOTON_CUTOFF_MEV):
    """Absorbed dose when nothing leaves the voxel it is emitted in.

    Parameters
    ----------
    phantom : Phantom
    source : Source
    photons : bool
        Deposit the photons locally too (annihilation photons included) instead of leaving them out.
    photon_cutoff_mev : float
        Photons below it are deposited locally in either case, MeV.

    Returns
    -------
    Dose
        Without histories and without statistical uncertainty (0 where there are decays). ``escaped_mev`` is the energy
        of the photons left out.

    Raises
    ------
    InputError
        For a cut-off out of range.

    Examples
    --------
    >>> import mcdose
    >>> phantom = mcdose.Phantom.uniform(mcdose.material("water"), (3, 3, 3), 10.0)
    >>> source = mcdose.Source.point((10, 10, 10), "Y-90", phantom, decays=1e9)
    >>> round(float(mcdose.local_deposition(phantom, source).gy.max()), 4)
    0.1495
    """
    check_cutoffs(photon_cutoff_mev, photon_cutoff_mev)
    begin = time.perf_counter()
    emitted, local = energies_per_decay(source.spectrum, photon_cutoff_mev)
    per_decay = emitted if photons else local
    return Dose(
        phantom=phantom,
        energy_mev=source.decays * per_decay,
        relative_uncertainty=np.where(source.decays > 0, np.float32(0.0), np.float32(np.nan)),
        emitted_mev=source.total_decays * emitted,
        escaped_mev=source.total_decays * (emitted - per_decay),
        decays=source.total_decays,
        histories=0,
        seconds=time.perf_counter() - begin,
        settings={
            "method": "local_deposition",
            **emission_settings(source.nuclide),
            "photons": "local" if photons else "left out",
            "photon_cutoff_mev": photon_cutoff_mev,
        },
        tally={},
        per_second=source.per_second,
    )


def energies_per_decay(spectrum, photon_cutoff_mev=PHOTON_CUTOFF_MEV):
    """Energy a decay emits, and the part of it that local deposition without photons keeps.

    Parameters
    ----------
    spectrum : Spectrum
    photon_cutoff_mev : float

    Returns
    -------
    emitted_mev : float
        Kinetic and photon energy, and two rest energies for each positron.
    local_mev : float
    """
    from physics_data.emissions import emission_table

    emitted = emission_table(spectrum, photon_cutoff_mev, photon_cutoff_mev).energy_mev_per_decay
    soft = emission_table(spectrum.select("photon"), photon_cutoff_mev, photon_cutoff_mev).local_mev_per_decay
    return emitted, spectrum.select(("beta", "electron", "alpha")).energy_mev() + soft
