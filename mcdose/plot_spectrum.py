"""The emission spectrum of a nuclide as a figure: continua above, lines below."""

import numpy as np

from mcdose.plot import new_figure, save_figure
from physics_data.spectra import Continuum, Lines

COLOURS = {"electron": "tab:blue", "positron": "tab:orange", "photon": "tab:green", "alpha": "tab:red"}
NAMES = {"electron": "electrons", "positron": "positrons", "photon": "photons", "alpha": "alphas, recoils, fragments"}
CURVE_POINTS = 800  # smooth at the width of the figure
FAINTEST_YIELD = 1e-5  # lines of less than one in 100 000 decays are left out of the picture
FIGURE_INCHES = (8.0, 6.0)


def plot_spectrum(nuclide, path):
    """Draw what one decay emits.

    Parameters
    ----------
    nuclide : Nuclide
    path : str or Path
        Ends in .png, .pdf or .svg.

    Raises
    ------
    InputError
        Unknown suffix, folder not writable or disk full.
    """
    continua = [c for c in nuclide.spectrum.components if isinstance(c, Continuum)]
    lines = [c for c in nuclide.spectrum.components if isinstance(c, Lines)]
    figure = new_figure(FIGURE_INCHES)
    panels = [draw for draw, parts in ((_draw_continua, continua), (_draw_lines, lines)) if parts]
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for draw, ax in zip(panels, axes):
        draw(ax, continua if draw is _draw_continua else lines)
        ax.set_xlabel("kinetic energy (MeV)")
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8)
    figure.suptitle(f"{nuclide.title}: emissions per decay (ICRP 107)")
    save_figure(figure, path)


def _draw_continua(ax, continua):
    for part in continua:
        energies = np.linspace(0.0, part.highest_mev, CURVE_POINTS)
        label = f"{NAMES[part.particle]}: {part.yield_per_decay:.4g} per decay, mean {_mean(part):.4g} MeV"
        ax.plot(energies, part.density(energies), color=COLOURS[part.particle], label=label)
    ax.set_ylabel("per MeV and decay")
    ax.set_ylim(bottom=0.0)


def _draw_lines(ax, lines):
    for part in lines:
        seen = part.yields >= FAINTEST_YIELD
        label = f"{NAMES[part.particle]}: {part.yield_per_decay:.4g} per decay, mean {_mean(part):.4g} MeV"
        colour = COLOURS[part.particle]
        ax.vlines(part.energies_mev[seen], FAINTEST_YIELD, part.yields[seen], color=colour, lw=1.2, label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_ylim(bottom=FAINTEST_YIELD)
    ax.set_ylabel("lines per decay")


def _mean(part):
    return part.energy_mev / part.yield_per_decay
