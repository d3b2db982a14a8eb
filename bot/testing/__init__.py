"""For people who write dialogs and adapters: a whole house in memory, talked to as a customer and as an operator would."""

from __future__ import annotations

from bot.testing.fakes import FakeAdapter
from bot.testing.harness import Customer, Operator, Theatre, open_theatre

__all__ = ["Customer", "FakeAdapter", "Operator", "Theatre", "open_theatre"]
