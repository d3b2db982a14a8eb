"""Suites that prove an adapter or a store of one's own: subclass, give it what it asks for, run pytest."""

from __future__ import annotations

from bot.testing.contracts.adapter import AdapterContract, Fault, PlayedPlatform
from bot.testing.contracts.store import StoreContract

__all__ = ["AdapterContract", "Fault", "PlayedPlatform", "StoreContract"]
