"""The folder for what is kept between starts: the owner's own, and what lies there is only believed where
nobody else could have put it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)
_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def make_private(folder: Path) -> None:
    """Creates *folder*, where nobody else may look; one that is there stays as it is. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def is_private(path: Path) -> bool:
    """Whether nobody but this user and root could have written *path* or put it into its folder.

    Where it is not there, it is not.
    """
    try:
        found = (path.stat(), path.parent.stat())
    except OSError:
        return False
    if not hasattr(os, "geteuid"):  # Windows: a user's cache folder is closed to others by itself
        return True
    if all(s.st_uid in (os.geteuid(), 0) and not s.st_mode & _OTHERS for s in found):
        return True
    log.warning(
        "cache.not_private",
        file=path.name,
        folder=str(path.parent),
        hint="chown it to the bot's user, chmod 700",
    )
    return False
