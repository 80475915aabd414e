"""The command line: parsing, and what is said when something is wrong.

Exit status: 0 done, 2 bad input (one sentence), 130 interrupted.
"""

import argparse
import sys
from pathlib import Path

from mcdose.config import DAUGHTERS, ELECTRONS, EMISSIONS, GRIDS, make_config, read_config
from mcdose.errors import InputError, as_input_error

BAD_INPUT = 2
INTERRUPTED = 130
LIST_COLUMNS = 10  # nuclide names per line: 80 characters


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, like all others."""

    def error(self, message):
        self.exit(BAD_INPUT, f"mcdose: {message}; see {self.prog} --help\n")


class _Version(argparse.Action):
    """Print the version; looked up only when asked for."""

    def __call__(self, parser, namespace, values, option_string=None):
        import mcdose

        print(f"mcdose {mcdose.__version__}")
        parser.exit()


def main(arguments=None):
    """Run the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except InputError as error:
        print(f"mcdose: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("mcdose: interrupted before there was a result; nothing was written", file=sys.stderr)
        return INTERRUPTED


def _parser():
    parser = _Parser(
        prog="mcdose", description="Absorbed dose for radionuclide therapy by Monte Carlo. Research use only."
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and leave")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_dose(commands)
    _add_compare(commands)
    _add_kernel(commands)
    _add_nuclides(commands)
    _add_validate(commands)
    text = "Compile the kernels now, so that the first run does not have to (once on a machine, under half a minute)."
    warmup = commands.add_parser("warmup", help="compile the kernels now", description=text)
    warmup.set_defaults(command=_warmup)
    info = commands.add_parser("info", help="versions, threads, devices", description="Versions, threads and devices.")
    info.set_defaults(command=_info)
    return parser


def _add_demo(commands):
    text = "Y-90 in a lung-liver phantom: dose, uncertainty, figure and summary in about a minute."
    demo = commands.add_parser("demo", help="try it on a built-in phantom", description=text)
    demo.add_argument("-o", "--output", type=Path, default=Path("mcdose-demo"), metavar="FOLDER", help="%(default)s")
    demo.add_argument("--histories", metavar="N", help="electrons to simulate")
    demo.add_argument("--threads", type=int, metavar="N", help="default: one per core")
    demo.set_defaults(command=_demo)


def _add_dose(commands):
    text = (
        "Absorbed dose from a CT and an activity image, or from the run.toml of an earlier run; options given as well \
take precedence over the file."
    )
    dose = commands.add_parser("dose", help="dose from a CT and an activity image", description=text)
    dose.add_argument("config", nargs="?", type=Path, metavar="run.toml", help="settings of an earlier run")
    images = dose.add_argument_group("images")
    images.add_argument("--ct", type=Path, help="CT in HU: DICOM folder, NIfTI, MHA or NRRD")
    images.add_argument("--activity", type=Path, metavar="IMAGE", help="activity image on any grid")
    images.add_argument("--activity-unit", metavar="UNIT", help="Bq/mL (default), Bq (per voxel), Bq*s or Bq*s/mL")
    images.add_argument("--mask", type=Path, help="region (above zero) over which the uncertainty is judged")
    images.add_argument(
        "--masks", type=Path, nargs="+", metavar="IMAGE", help="masks or label images of regions to report the dose of"
    )
    images.add_argument("--names", type=Path, metavar="FILE", help="names of their labels, lines such as: 5 liver")
    images.add_argument("--curve", help="HU to density and material: schneider2000 (default) or a TOML file")
    images.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="where the results go")
    physics = dose.add_argument_group("physics")
    physics.add_argument("--nuclide", metavar="NAME", help="such as Y-90; mcdose nuclides lists them")
    physics.add_argument("--daughters", choices=DAUGHTERS, help="decays of its daughters: none (default), equilibrium")
    physics.add_argument(
        "--integrate",
        metavar="HOW",
        help="physical (default: all decay in place), none (dose rate, Gy/s), effective=HOURS (half-life)",
    )
    physics.add_argument("--emissions", metavar="KINDS", help=f"some of {','.join(EMISSIONS)}; default all")
    physics.add_argument("--electrons", choices=ELECTRONS, help="local: semi-Monte Carlo, only photons are transported")
    physics.add_argument("--photon-cutoff", type=float, metavar="KEV", help="10 by default")
    physics.add_argument("--electron-cutoff", type=float, metavar="KEV", help="10 by default")
    grid = dose.add_argument_group("dose grid").add_mutually_exclusive_group()
    grid.add_argument("--grid", choices=GRIDS, help="voxels of the activity image (default) or of the CT")
    grid.add_argument("--spacing", type=float, metavar="MM", help="cubic voxels of this size over the activity image")
    effort = dose.add_argument_group("effort")
    effort.add_argument("--histories", metavar="N", help="particles to simulate")
    effort.add_argument("--uncertainty", metavar="U", help="stop at this mean uncertainty, such as 1%% (default 2%%)")
    effort.add_argument("--seed", type=int, metavar="N", help="same seed, same result (default 1)")
    effort.add_argument("--threads", type=int, metavar="N", help="default: one per core")
    effort.add_argument("--device", help="auto (default: a GPU if there is one), cpu, cuda, cuda:N or cuda:all")
    dose.add_argument("--plot-at", type=float, nargs=3, metavar=("X", "Y", "Z"), help="point of the figure, mm, LPS")
    dose.set_defaults(command=_dose)


def _add_compare(commands):
    text = "Compare a dose of any tool with a reference: regions, dose-volume histograms, gamma index, figures."
    compare = commands.add_parser("compare", help="compare two doses", description=text)
    compare.add_argument("candidate", type=Path, help="dose: mcdose's .h5, DICOM RTDOSE, NIfTI, MHA or NRRD")
    compare.add_argument("reference", type=Path, help="dose to compare it with; the candidate is put on its grid")
    compare.add_argument("--masks", type=Path, nargs="+", metavar="IMAGE", help="masks or label images on any grid")
    compare.add_argument("--names", type=Path, metavar="FILE", help="names of the labels, lines such as: 5 liver")
    compare.add_argument("--unit", help="of images that do not say theirs: Gy, mGy, cGy, Gy/s, mGy/s, mGy/h")
    compare.add_argument("--weighting", choices=("mass", "volume"), help="default: mass, where densities are known")
    compare.add_argument("--levels", type=float, nargs="+", metavar="GY", help="doses x of the figures Vx (default 20)")
    compare.add_argument("--tolerance", type=float, metavar="PERCENT", help="let pass in a voxel (default 2)")
    criterion = compare.add_argument_group("gamma index")
    criterion.add_argument(
        "--gamma", type=float, nargs=2, default=(3, 3), metavar=("PERCENT", "MM"), help="default 3 3"
    )
    criterion.add_argument("--gamma-local", action="store_true", help="%% of the local dose, not of the maximum")
    criterion.add_argument(
        "--gamma-threshold", type=float, default=10, metavar="PERCENT", help="of the maximum; default 10"
    )
    compare.add_argument("--plot-at", type=float, nargs=3, metavar=("X", "Y", "Z"), help="of the figures, mm, LPS")
    compare.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="tables, figures and images go here")
    compare.set_defaults(command=_compare)


def _add_kernel(commands):
    text = "Voxel S values by Monte Carlo: the dose to each voxel about one in which a nuclide decays, in one medium."
    kernel = commands.add_parser("kernel", help="make a kernel of voxel S values", description=text)
    kernel.add_argument("nuclide", metavar="NUCLIDE", help="such as Y-90")
    kernel.add_argument(
        "--voxel", type=float, nargs="+", required=True, metavar="MM", help="size, or sizes along x y z"
    )
    kernel.add_argument("--medium", default="water", metavar="NAME", help="built-in material, default %(default)s")
    kernel.add_argument("--density", type=float, metavar="G/CM3", help="default: the nominal density of the medium")
    kernel.add_argument("--daughters", choices=DAUGHTERS, default="none", help="with its daughters in equilibrium")
    kernel.add_argument("--uncertainty", default="0.5%", metavar="U", help="of the self value, default 0.5%%")
    kernel.add_argument("--threads", type=int, metavar="N", help="default: one per core")
    kernel.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help=".h5: the kernel; .txt or .csv: table i,j,k,S; .png, .pdf or .svg: figure; may be given again",
    )
    kernel.set_defaults(command=_kernel)


def _add_nuclides(commands):
    text = "List the nuclides, or print one's half-life, energies and yields."
    nuclides = commands.add_parser("nuclides", help="list nuclides or describe one", description=text)
    nuclides.add_argument("name", nargs="?", metavar="NAME", help="such as Lu-177")
    nuclides.add_argument("--daughters", choices=DAUGHTERS, help="with its daughters in equilibrium; default none")
    nuclides.add_argument("--plot", type=Path, metavar="FILE", help="draw its spectrum (.png, .pdf or .svg)")
    nuclides.set_defaults(command=_nuclides)


def _add_validate(commands):
    text = "Compare mcdose with EGSnrc, published values and exact relations; write a report. Status 1 if a row fails."
    validate = commands.add_parser("validate", help="measure the accuracy on this machine", description=text)
    folder = Path("mcdose-validation")
    validate.add_argument("-o", "--output", type=Path, default=folder, metavar="FOLDER", help="report: %(default)s")
    validate.add_argument("--full", action="store_true", help="an hour instead of five minutes: smaller uncertainties")
    validate.add_argument("--cases", nargs="+", metavar="NAME", help="only these or groups; a wrong name lists them")
    validate.add_argument("--threads", type=int, metavar="N", help="default: one per core")
    validate.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same result (default 1)")
    validate.set_defaults(command=_validate)


def _demo(options):
    from mcdose import demo
    from mcdose.config import parse_histories

    histories = demo.HISTORIES if options.histories is None else parse_histories(options.histories)
    return demo.run(options.output, histories, options.threads)


def _dose(options):
    given = {
        "ct": options.ct,
        "activity": options.activity,
        "nuclide": options.nuclide,
        "daughters": options.daughters,
        "output": options.output,
        "activity_unit": options.activity_unit,
        "integrate": options.integrate,
        "curve": options.curve,
        "grid": options.grid,
        "spacing_mm": options.spacing,
        "histories": options.histories,
        "uncertainty": options.uncertainty,
        "mask": options.mask,
        "masks": options.masks,
        "names": options.names,
        "emissions": options.emissions and tuple(options.emissions.split(",")),
        "electrons": options.electrons,
        "photon_cutoff_kev": options.photon_cutoff,
        "electron_cutoff_kev": options.electron_cutoff,
        "seed": options.seed,
        "device": options.device,
        "threads": options.threads,
        "plot_at": options.plot_at,
    }
    given = {name: value for name, value in given.items() if value is not None}
    config = make_config(given) if options.config is None else read_config(options.config, given)
    from mcdose.run import run

    return run(config)


def _compare(options):
    from mcdose.compare_command import run

    return run(options)


def _kernel(options):
    from mcdose.config import parse_uncertainty
    from mcdose.kernel_command import kernel

    uncertainty = parse_uncertainty(options.uncertainty)
    return kernel(
        options.nuclide,
        options.voxel,
        options.medium,
        options.density,
        uncertainty,
        options.output,
        options.daughters,
        options.threads,
    )


def _nuclides(options):
    from physics_data.emissions import Nuclide, nuclide_names

    if options.name is None:
        if options.plot is not None:
            raise InputError("--plot: needs the name of a nuclide, such as mcdose nuclides Y-90 --plot y90.png")
        if options.daughters is not None:
            raise InputError(
                "--daughters: needs the name of a nuclide, such as mcdose nuclides Ra-223 --daughters equilibrium"
            )
        names = nuclide_names()
        for k in range(0, len(names), LIST_COLUMNS):
            print(" ".join(f"{name:<8}" for name in names[k : k + LIST_COLUMNS]).rstrip())
        return
    with as_input_error():
        nuclide = Nuclide(options.name, daughters=options.daughters or "none")
    print(nuclide.describe())
    if options.plot is not None:
        from mcdose.plot_spectrum import plot_spectrum

        plot_spectrum(nuclide, options.plot)


def _validate(options):
    from benchmarks.validation.command import validate

    return validate(options.output, options.full, options.cases, options.threads, options.seed)


def _warmup(options):
    from mcdose.warmup import warm_up

    warm_up()


def _info(options):
    from mcdose import info

    print(info.describe())
