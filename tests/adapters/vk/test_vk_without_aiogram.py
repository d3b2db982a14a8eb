"""VK runs where Telegram's library is not installed."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
sys.modules["aiogram"] = None  # importing it fails
import bot.adapters.vk.adapter
loaded = (name for name, module in sys.modules.items() if module is not None)
print(sorted(name for name in loaded if name.split(".")[0] in ("aiogram", "torch", "scipy")))
"""


def test_vk_needs_neither_telegram_nor_models() -> None:
    """The module is imported with aiogram out of reach, and drags in nothing heavy."""
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60
    )

    assert (run.stdout.strip(), run.returncode) == ("[]", 0), run.stderr
