"""Write all shipped data files: ``python -m physics_data.build [folder]`` (by default into the package itself)."""

import sys
from pathlib import Path

from physics_data.build import daughters, electrons, photons


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    folder.mkdir(parents=True, exist_ok=True)
    for name, writer in (("photons.h5", photons), ("electrons.h5", electrons), ("daughters.toml", daughters)):
        print(f"writing {folder / name}", flush=True)
        writer.write(folder / name)


if __name__ == "__main__":
    main()
