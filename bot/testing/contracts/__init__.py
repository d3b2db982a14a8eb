"""Suites that prove an adapter or a store of one's own: subclass, give it a stage or a store, run pytest."""

from __future__ import annotations

from bot.testing.contracts.adapter import AdapterContract, ContractPlatform, Fault
from bot.testing.contracts.store import StoreContract

__all__ = ["AdapterContract", "ContractPlatform", "Fault", "StoreContract"]
