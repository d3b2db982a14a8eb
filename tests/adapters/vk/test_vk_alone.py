"""VK runs where Telegram's library is not installed."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
sys.modules["aiogram"] = None  # importing it fails
import bot.adapters.vk.adapter
print(sorted(n for n in sys.modules if n.split(".")[0] in ("aiogram", "torch", "scipy") and sys.modules[n] is not None))
"""


def test_vk_needs_neither_telegram_nor_models() -> None:
    """The module is imported with aiogram out of reach, and drags in nothing heavy."""
    run = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60)

    assert (run.stdout.strip(), run.returncode) == ("[]", 0), run.stderr
