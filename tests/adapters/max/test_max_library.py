"""MAX's library is loaded by a configured channel alone; without it somebody is told what to install."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import bot.app, bot.service, bot.cli.root, bot.web.server
from bot.app.channels import open_adapters
from bot.clock import Clock
from bot.config.loader import Config
from bot.errors import ConfigError
print(open_adapters(Config(), Clock()), "maxapi" in sys.modules, "bot.adapters.max" in sys.modules)
sys.modules["maxapi"] = None  # importing it fails
try:
    open_adapters(Config.model_validate({"channels": {"max": {"type": "max", "token": "t"}}}), Clock())
except ConfigError as error:
    print(error.problems[0].hint)
"""


def test_it_is_loaded_and_needed_only_where_the_channel_is_configured() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == ["{} False False", "установите её: pip install 'otklik[max]'"]
