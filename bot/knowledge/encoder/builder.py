"""Builds the rows of our own encoder in a process of its own, so that a bot which answers meanwhile is not
slowed: -m … FOLDER.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bot.knowledge.encoder.loader import EncoderUnavailable, build_here


def main() -> None:
    try:
        build_here(Path(sys.argv[1]))
    except EncoderUnavailable as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
