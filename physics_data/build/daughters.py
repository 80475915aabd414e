"""Daughters and branching fractions of the ICRP-107 nuclides, from radioactivedecay, as a TOML file."""

import importlib.metadata
from pathlib import Path

from physics_data.nuclides import nuclide_names

NOT_NUCLIDES = ("SF",)
"""Products that radioactivedecay lists by the decay that makes them (spontaneous fission)."""

HEADER = """# Daughters of the ICRP-107 nuclides and their branching fractions, most frequent first, stable daughters
# included. Fission products are left out: branches may add up to less than 1.
# Source: ICRP Publication 107 (2008) as distributed in radioactivedecay {version} (MIT, A. Malins and T. Lemoine,
# J. Open Source Softw. 7 (2022) 3318), data set {dataset}. Made by python -m physics_data.build.

[daughters]
"""


def daughters(name: str) -> list[tuple[str, float]]:
    """Daughters of a nuclide and their branching fractions.

    Parameters
    ----------
    name : str
        As in `physics_data.nuclides.nuclide_names`.
    """
    import radioactivedecay

    nuclide = radioactivedecay.Nuclide(name)
    pairs = zip(nuclide.progeny(), nuclide.branching_fractions())
    return sorted(
        ((child, float(f)) for child, f in pairs if child not in NOT_NUCLIDES), key=lambda pair: (-pair[1], pair[0])
    )


def write(path: str | Path) -> None:
    """Write the table of daughters.

    Parameters
    ----------
    path : path
        File to write.
    """
    import radioactivedecay

    version = importlib.metadata.version("radioactivedecay")
    lines = []
    for name in nuclide_names():
        row = ", ".join(f'["{child}", {fraction!r}]' for child, fraction in daughters(name))
        lines.append(f"{name} = [{row}]\n")
    header = HEADER.format(version=version, dataset=radioactivedecay.DEFAULTDATA.dataset_name)
    Path(path).write_text(header + "".join(lines), encoding="utf-8")
