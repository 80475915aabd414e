"""``python -m mcdose``: the same as the command ``mcdose``."""

import sys

from mcdose.cli import main

if __name__ == "__main__":
    sys.exit(main())
