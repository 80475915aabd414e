"""The problems whose speed is measured, some with a published-code figure to stand beside.

Voxels of 3 mm unless said, cut-offs of 10 keV, spectra of ICRP-107. The peer is EGSnrc (nrc-cnrc/EGSnrc, git 9edee3e,
December 2025; egs++ application without variance reduction, same geometry, cut-offs and emissions), on one core on
which the work of ``yardstick`` ran at ``PEER_YARDSTICK`` histories/s: only the ratio of the two is compared.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import mcdose
from benchmarks.images import body, in_tumour
from benchmarks.validation import tables

SPACING_MM = 3.0
PEER_YARDSTICK = 367_000  # yardstick histories/s on the core on which EGSnrc was timed
# EGSnrc's decays/s: its histories/s over all particles of a decay, most of which are below the cut-off (I-131: 1.825
# photons, 1.06 of them above; Lu-177: 2.27 electrons, 1.10 above) and cost it next to nothing.
PEER_I131_PER_DECAY = 1.825
PEER_Y90, PEER_SLAB, PEER_I131_PHOTONS, PEER_LU177 = 32_700, 33_500, 82_600 / PEER_I131_PER_DECAY, 387_000 / 2.271


@dataclass(frozen=True)
class Case:
    """One problem.

    Parameters
    ----------
    name, title : str
    make : callable
        ``make(half_width)`` gives the phantom, the decays per voxel [z, y, x] and the mask of the stated voxels.
    voxels : str
        The stated voxels, in words.
    nuclide : str
    emissions : tuple of str
        What of the decay is transported.
    batch : int
        Histories of a batch, about a quarter of a second of one core; more in large grids, as in a run.
    half_width : int
        Voxels from the central one to the side of the grid (30 cm of water by default; EGSnrc had 80 cm, which only
        photons notice).
    peer_decays_per_s : float or None
        EGSnrc's rate on one core.
    peer_variance : callable or None
        Gives EGSnrc's variance per decay in the stated voxels, relative to the square of the dose.
    """

    name: str
    title: str
    make: Callable
    voxels: str
    nuclide: str
    emissions: tuple[str, ...]
    batch: int
    half_width: int = 50
    peer_decays_per_s: float | None = None
    peer_variance: Callable | None = None

    def spectrum(self):
        """What a decay emits, as far as it is transported here."""
        return mcdose.Nuclide(self.nuclide).spectrum.select(self.emissions)


def _water(half_width):
    """Water cube, its source in the central voxel."""
    phantom = mcdose.Phantom.uniform(mcdose.material("water"), (2 * half_width + 1,) * 3, SPACING_MM)
    decays = np.zeros(phantom.shape)
    decays[(half_width,) * 3] = 1.0
    return phantom, decays


def _faces(half_width):
    """Source voxel in water; stated: that voxel and the six that share a face with it."""
    phantom, decays = _water(half_width)
    away = np.abs(np.indices(phantom.shape) - half_width).sum(axis=0)
    return phantom, decays, away <= 1


def _cube(half_width):
    """Source voxel in water; stated: 7 x 7 x 7 voxels round it."""
    phantom, decays = _water(half_width)
    stated = np.zeros(phantom.shape, bool)
    stated[(slice(half_width - 3, half_width + 4),) * 3] = True
    return phantom, decays, stated


def _peer_variance(table, stated, particles_per_decay=1.0):
    """EGSnrc's variance per decay, relative to the squared dose of a voxel: the mean over voxels of its S values.

    It gives the uncertainty of the mean over the n voxels that a cube's symmetry makes equal: one voxel alone has the
    square root of n times it.
    """
    reference = tables.load(table)
    variance = voxels = 0
    for *offset, uncertainty in zip(*(reference[name] for name in ("i", "j", "k", "relative_uncertainty"))):
        if stated(*offset):
            n = len(set(itertools.permutations(offset))) * 2 ** np.count_nonzero(offset)
            variance, voxels = variance + n * n * uncertainty**2, voxels + n
    return variance / voxels * reference.about["histories"] / particles_per_decay


def slab(half_width, slice_mm=SPACING_MM):
    """Liver, with the source throughout, below lung; stated: the inner columns within 0.9 cm of the face."""
    across = half_width // 2
    materials = [mcdose.material("liver"), mcdose.material("lung")]
    face, near = (round(n * SPACING_MM / slice_mm) for n in (half_width, 3))
    shape = (2 * face, 2 * across + 1, 2 * across + 1)
    lung = np.zeros(shape, np.uint8)
    lung[face:] = 1
    phantom = mcdose.Phantom(np.where(lung, 0.26, 1.06), lung, materials, (SPACING_MM, SPACING_MM, slice_mm))
    stated = np.zeros(shape, bool)
    inner = slice(across // 2, across + (across + 1) // 2 + 1)
    stated[face - near : face + near, inner, inner] = True
    return phantom, 1.0 - lung, stated


def patient(half_width):
    """Soft tissue, lungs and bone, activity in all of the body and a thousand times more in a tumour; stated: it."""
    ct, activity = body(2 * half_width)
    phantom = mcdose.Phantom.from_ct(ct, grid=activity)
    source = mcdose.Source.from_activity(activity, "Lu-177", phantom, integrate="none")
    return phantom, source.decays, in_tumour(phantom.shape)


CASES = (
    Case(
        "y90-water", "Y-90 β in water", _faces, "source voxel and 6 faces", "Y-90", ("beta",), 125_000,
        peer_decays_per_s=PEER_Y90,
        peer_variance=lambda: _peer_variance("egsnrc_vsv_Y-90_beta", lambda i, j, k: i + j + k <= 1),
    ),
    Case(
        "y90-slab", "Y-90 β, liver–lung slab", slab, "inner columns, ±0.9 cm of the face", "Y-90", ("beta",), 125_000,
        half_width=40, peer_decays_per_s=PEER_SLAB,
    ),
    Case(
        "y90-slab-1mm", "Y-90 β, liver–lung slab, 1 mm slices", lambda half_width: slab(half_width, 1.0),
        "inner columns, ±0.9 cm of the face", "Y-90", ("beta",), 100_000, half_width=20,
    ),
    Case("i131-photons", "I-131 photons, 30 cm of water", _cube, "7³ round the source", "I-131", ("photon",), 200_000),
    Case(
        "i131-photons-80cm", "I-131 photons, 80 cm of water", _cube, "7³ round the source", "I-131", ("photon",),
        75_000, half_width=133, peer_decays_per_s=PEER_I131_PHOTONS,
        peer_variance=lambda: _peer_variance(
            "egsnrc_vsv_I-131_photons", lambda i, j, k: max(i, j, k) <= 3, PEER_I131_PER_DECAY
        ),
    ),
    Case(
        "i131-photons-ct", "I-131 photons, CT-like phantom, 4 mm", patient, "the tumour", "I-131", ("photon",), 100_000,
        half_width=64,
    ),
    Case(
        "lu177-electrons", "Lu-177 electrons in water", _faces, "source voxel and 6 faces", "Lu-177",
        ("beta", "electron"), 1_000_000, peer_decays_per_s=PEER_LU177,
    ),
    Case(
        "lu177-ct", "Lu-177, everything, CT-like phantom, 4 mm", patient, "the tumour", "Lu-177",
        ("beta", "electron", "photon"), 400_000, half_width=64,
    ),
    Case(
        "f18-water", "F-18 in water, everything", _faces, "source voxel and 6 faces", "F-18",
        ("beta", "electron", "photon"), 75_000,
    ),
)  # fmt: skip
