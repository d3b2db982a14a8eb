"""One replica: `bot run` as it is, or with a bug planted on purpose:  python -m tests.chaos.cluster.replica
CONFIG [BUG]
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from bot.cli import main
from tests.chaos.cluster.planted import plant


def end_with_parent() -> None:
    """A run that was broken off leaves no replicas behind."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    config, bug = sys.argv[1], "".join(sys.argv[2:])
    plant(bug)
    sys.argv = ["bot", "run", "--config", config, "--no-web"]
    main()
