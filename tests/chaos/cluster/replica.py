"""One replica: `bot run` as it is, or with a bug planted on purpose:  python -m tests.chaos.cluster.replica
CONFIG [BUG]
"""

from __future__ import annotations

import sys

from bot.cli import main
from tests.chaos.cluster.planted import plant

if __name__ == "__main__":
    config, bug = sys.argv[1], "".join(sys.argv[2:])
    plant(bug)
    sys.argv = ["bot", "run", "--config", config, "--no-web"]
    main()
