"""Who the people are: names and genders that VK's events do not carry, asked once and remembered."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

from bot.adapters.sanitize import clean_text
from bot.adapters.vk.client import VkClient
from bot.adapters.vk.errors import VkRefusal, VkSilence
from bot.model import Sender

REMEMBERED = 10_000
AT_ONCE = 200  # people in one question
PATIENCE = 3.0  # seconds the intake waits for names; an outage costs the name, never the message
REST, LONG_REST = 5.0, 30.0  # seconds nobody is asked after VK refused, or kept us waiting

_GENDERS: dict[object, Literal["", "male", "female"]] = {1: "female", 2: "male"}


class SenderCache:
    """A memory of senders. What VK does not tell now is asked again with the next message."""

    def __init__(self, client: VkClient) -> None:
        self._client = client
        self._known: OrderedDict[str, Sender] = OrderedDict()
        self._rests_until = 0.0

    async def learn(self, users: Iterable[str]) -> None:
        """Ask for those not known yet, for a moment. Never fails."""
        missing = [u for u in dict.fromkeys(users) if u not in self._known and u.isdigit()]
        if time.monotonic() < self._rests_until:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                for start in range(0, len(missing), AT_ONCE):
                    await self.ask(missing[start : start + AT_ONCE])
        except (VkRefusal, VkSilence):
            self._rests_until = time.monotonic() + REST
        except TimeoutError:
            self._rests_until = time.monotonic() + LONG_REST

    async def ask(self, users: list[str]) -> None:
        """Ask VK about *users*. Raises `VkRefusal`, `VkSilence`."""
        asked = {"user_ids": users, "fields": "sex,screen_name"}
        try:
            answer = await self._client.call_aside("users.get", **asked)
        except (VkRefusal, VkSilence):
            answer = await self._client.call_aside("users.get", **asked)  # a name is worth a second question
        for told in answer if isinstance(answer, list) else []:
            if isinstance(told, Mapping) and told.get("id"):
                self._remember(_to_sender(told))

    def name(self, sender: Sender) -> Sender:
        """The sender with what is known of them."""
        known = self._known.get(sender.id)
        if known is None:
            return sender
        self._known.move_to_end(sender.id)
        return replace(known, language=sender.language)

    def known(self, user: str) -> Sender | None:
        return self._known.get(user)

    def _remember(self, sender: Sender) -> None:
        self._known[sender.id] = sender
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def _to_sender(told: Mapping[str, Any]) -> Sender:
    user = str(told["id"])
    screen = clean_text(str(told.get("screen_name") or ""))
    return Sender(
        user,
        name=clean_text(str(told.get("first_name") or "")),
        last_name=clean_text(str(told.get("last_name") or "")),
        username="" if screen == f"id{user}" else screen,
        gender=_GENDERS.get(told.get("sex"), ""),
    )
