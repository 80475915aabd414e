"""The demonstration: radioembolisation of a liver under the lung, made by formula.

1. A body of ellipses in Hounsfield units on a 2.5 mm grid: liver with a dome, lung above it, spine, ribs, fat and skin.
2. Two tumours: one under the dome, 6 mm from the lung, and one deep in the liver.
3. Y-90, 2 GBq: tumours take up four times as much per volume as the liver, 5 % shunts to the lung; activity is sharp
   (no blur of a camera), so that the figure shows the range of the electrons.
4. The same steps as any run: CT to phantom, activity to decays, Monte Carlo, results.
5. Voxel S values (of liver) and local deposition beside it: mean doses of the organs, a profile from liver to lung.
"""

from dataclasses import replace

import numpy as np

from mcdose.files import atomic
from mcdose.grid import Grid
from mcdose.images import to_image
from mcdose.local_deposit import local_deposition
from mcdose.phantom import Phantom
from mcdose.plot import new_figure, save_figure
from mcdose.progress import live_progress
from mcdose.run import results_folder, say, write_results
from mcdose.s_value_dose import voxel_s_value
from mcdose.simulation import monte_carlo
from mcdose.source import Source

HISTORIES = 8_000_000  # about 3 % per voxel in the tumours, within a minute on two cores
SPACING_MM = 2.5
SHAPE = (56, 80, 112)  # z, y, x: 140 x 200 x 280 mm
ACTIVITY_BQ = 2e9
TUMOUR_TO_LIVER = 4.0
LUNG_SHUNT = 0.05
NOISE_HU = 12.0  # standard deviation, as in an abdominal CT
# HU by Schneider 2000: lung 0.26 and liver 1.06 g/cm3; fat 0.95, soft tissue 1.03; vertebra and rib 1.2 to 1.5 g/cm3
HU = {"air": -1000, "fat": -90, "soft": 25, "lung": -745, "liver": 50, "tumour": 55, "spongy": 260, "cortical": 750}
DOME_Z_MM = 18.0  # top of the liver above the grid's centre
TUMOURS_MM = (((-52.0, -12.0, 0.0), 12.0), ((-30.0, 8.0, -42.0), 15.0))  # centre (x, y, z) and radius
PLOT_AT_MM = TUMOURS_MM[0][0]
KERNEL_MEDIUM = "liver"
PROFILE_INCHES = (7.0, 4.2)


def images():
    """The CT (HU) and the activity (Bq/mL) as SimpleITK images on one grid."""
    grid = _grid()
    inside = regions(grid)
    hu = np.full(SHAPE, HU["air"], np.float32)
    for name in ("fat", "soft", "lung", "liver", "tumour", "spongy", "cortical"):
        hu[inside[name]] = HU[name]
    noise = np.random.default_rng(1).normal(0.0, NOISE_HU, SHAPE)
    hu = np.where(hu > HU["air"], hu + noise, hu).round().astype(np.int16)
    return to_image(hu, grid), to_image(_concentration(inside, grid), grid)


def run(folder, histories, threads=None):
    """Calculate the demonstration and write its results; returns the exit status.

    Parameters
    ----------
    folder : Path
    histories : int
    threads : int, optional
    """
    ct, activity = images()
    phantom = Phantom.from_ct(ct)
    source = Source.from_activity(activity, "Y-90", phantom)
    with results_folder(folder, phantom):
        with live_progress() as show:
            dose = monte_carlo(phantom, source, histories=histories, threads=threads, progress=show)
        dose = replace(dose, settings={**dose.settings, "demo": "lung-liver phantom, Y-90, 2 GBq"})
        status = write_results(dose, folder, ct, PLOT_AT_MM)
        if dose.complete:
            _compare_methods(dose, source, folder, threads)
        return status


def _compare_methods(reference, source, folder, threads):
    """Write methods.txt and methods.png: the fast methods beside the Monte Carlo."""
    phantom = reference.phantom
    options = {"medium": KERNEL_MEDIUM, "threads": threads}
    doses = {
        "Monte Carlo": reference,
        "VSV, liver": voxel_s_value(phantom, source, **options),
        "VSV, local density": voxel_s_value(phantom, source, density_correction="local", **options),
        "local deposition": local_deposition(phantom, source),
    }
    text = _table(doses, regions(_grid()))
    with atomic(folder / "methods.txt") as part:
        part.write_text(text + "\n", encoding="utf-8")
    _draw_profiles(doses, folder / "methods.png")
    print(text)
    say(f"the methods side by side in {folder}: methods.txt, methods.png")


def _table(doses, inside):
    """Mean doses (Gy) of the organs by each method."""
    z_mm = (np.arange(SHAPE[0]) - (SHAPE[0] - 1) / 2) * SPACING_MM
    between = (TUMOURS_MM[0][0][2] + TUMOURS_MM[1][0][2]) / 2
    first = inside["tumour"] & (z_mm > between)[:, None, None]
    organs = {
        "tumour 1": first,
        "tumour 2": inside["tumour"] & ~first,
        "liver": inside["liver"] & ~inside["tumour"],
        "lung": inside["lung"],
    }
    lines = [f"{'mean dose (Gy)':<20}" + "".join(f"{name:>12}" for name in organs)]
    for name, dose in doses.items():
        mass = dose.phantom.mass_kg
        means = (np.average(dose.gy[organ], weights=mass[organ]) for organ in organs.values())
        lines.append(f"{name:<20}" + "".join(f"{mean:12.1f}" for mean in means))
    return "\n".join(lines)


def _draw_profiles(doses, path):
    """The doses along the body through the first tumour and up into the lung."""
    figure = new_figure(PROFILE_INCHES)
    ax = figure.subplots()
    for name, dose in doses.items():
        _, y, x = dose.phantom.grid.voxel_of(PLOT_AT_MM)
        edges = (np.arange(SHAPE[0] + 1) - SHAPE[0] / 2) * SPACING_MM
        style = {"color": "black", "lw": 2.0} if name == "Monte Carlo" else {"lw": 1.3}
        ax.stairs(dose.gy[:, y, x], edges, baseline=None, label=name, **style)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("z (mm):  feet  ←   →  head")
    ax.set_ylabel("absorbed dose (Gy)")
    ax.legend(fontsize=8)
    ax.grid(alpha=0.3)
    x, y, _ = PLOT_AT_MM
    figure.suptitle(f"Through the tumour under the dome of the liver (x = {x:.0f}, y = {y:.0f} mm)", fontsize=10)
    save_figure(figure, path)


def _grid():
    corner = [-(n - 1) / 2 * SPACING_MM for n in SHAPE[::-1]]
    return Grid(SHAPE, SPACING_MM, corner)


def regions(grid):
    """Where each tissue is on the grid of :func:`images`: bool arrays by name, later ones lying over earlier ones."""
    z, y, x = (o + SPACING_MM * np.arange(n) for n, o in zip(SHAPE, grid.origin_mm[::-1]))
    z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]
    body = _ellipse(x, y, 0, 0, 132, 92) & (z == z)
    cavity = _ellipse(x, y, 0, -6, 112, 70) & (z == z)
    # The diaphragm: a dome over the liver on the right (x < 0), a lower one on the left.
    top = DOME_Z_MM - 0.006 * ((x + 50) ** 2 + (y + 5) ** 2) * (1 + 0.4 * (x > -50))
    spine = _ellipse(x, y, 0, 62, 19, 17) & (z == z)
    marrow = _ellipse(x, y, 0, 62, 15, 13) & (z == z)
    # Ribs run obliquely: a ring between two ellipses, cut into bands that descend to the front (y < 0).
    ring = _ellipse(x, y, 0, -6, 120, 78) & ~cavity
    ribs = ring & ((z - 0.35 * y) % 30 < 9) & ~_ellipse(x, y, 0, -80, 30, 30)
    liver = cavity & (z < top) & (x < 55 - 0.35 * (y + 30)) & (y < 50) & (z == z)
    lung = cavity & (z >= top) & ~spine & ~_ellipse(x, y, 15, -15, 38, 34)
    tumours = np.zeros(SHAPE, bool)
    for (cx, cy, cz), radius in TUMOURS_MM:
        tumours |= (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 < radius**2
    return {
        "fat": body,
        "soft": _ellipse(x, y, 0, 0, 126, 86) & (z == z),
        "lung": lung,
        "liver": liver,
        "tumour": tumours & liver,
        "spongy": spine,
        "cortical": ribs | (spine & ~marrow),
    }


def _ellipse(x, y, cx, cy, rx, ry):
    return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1


def _concentration(inside, grid):
    """Activity concentration, Bq/mL."""
    weight = np.where(inside["tumour"], TUMOUR_TO_LIVER, 1.0) * inside["liver"]
    weight *= (1 - LUNG_SHUNT) / weight.sum()
    weight += LUNG_SHUNT * inside["lung"] / inside["lung"].sum()
    return (ACTIVITY_BQ * weight / grid.voxel_volume_cm3).astype(np.float32)
