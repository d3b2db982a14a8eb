"""The composition root: the only place that knows implementations; it joins the parts of a service.

`build_service` makes the whole; what commands need of it alone is opened by the functions beside it.
"""

from __future__ import annotations

from bot.app.assistant import open_assistant, open_chat
from bot.app.channels import hooks_of, open_adapters, open_webhooks, read_local
from bot.app.config_check import check_files
from bot.app.config_parts import (
    cache_folder,
    open_canned,
    open_facts,
    open_hours,
    open_judge,
    open_knowledge,
    open_playbooks,
    open_scenarios,
    open_texts,
    open_tone,
    release_limits,
    sequence_faults,
)
from bot.app.dialogs import open_dialogs
from bot.app.flows import open_flows
from bot.app.service import Service, build_service
from bot.app.service_parts import Overrides
from bot.app.stores import open_store, salt_of

__all__ = [
    "Overrides",
    "Service",
    "build_service",
    "cache_folder",
    "check_files",
    "hooks_of",
    "open_adapters",
    "open_assistant",
    "open_canned",
    "open_chat",
    "open_dialogs",
    "open_facts",
    "open_flows",
    "open_hours",
    "open_judge",
    "open_knowledge",
    "open_playbooks",
    "open_scenarios",
    "open_store",
    "open_texts",
    "open_tone",
    "open_webhooks",
    "read_local",
    "release_limits",
    "salt_of",
    "sequence_faults",
]
