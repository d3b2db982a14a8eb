"""For people who write dialogs and adapters: a whole service in memory, talked to as a customer and as an
operator would.
"""

from __future__ import annotations

from bot.testing.fakes import FakeAdapter, FakeFiles
from bot.testing.harness import OperatorsGroup, PlayedCustomer, PlayedOperator, TestBot, open_test_bot

__all__ = [
    "FakeAdapter",
    "FakeFiles",
    "OperatorsGroup",
    "PlayedCustomer",
    "PlayedOperator",
    "TestBot",
    "open_test_bot",
]
