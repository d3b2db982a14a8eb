"""How a process ends where a thread still computes in native code, under which an interpreter cannot end."""

from __future__ import annotations

import os
import sys
import threading
from typing import NoReturn

EMBEDDING_THREAD = "embeddings"


def end_process(code: int) -> NoReturn:
    """End with *code*; at once where vectors are still being computed: everything is kept and closed by then.

    Law: only the entry point of a program calls it, never a command, since a program that runs commands of
    ours would end with it.
    """
    if any(t.name == EMBEDDING_THREAD and t.is_alive() for t in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
