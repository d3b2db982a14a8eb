"""Letters to visitors who left an address and are away: one for each absence, with what a person answered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.adapters.website.shown_line import read_payload, rich_of
from bot.adapters.website.site_chat import SiteChat
from bot.errors import StorageError
from bot.model import ChatLine, Peer
from bot.observability import get_logger

LOOK = 30.0  # seconds
BY_A_PERSON = '"from":"operator"'  # as it lies in a line
MOST = 20  # messages of one letter
OPENS = "#support-chat"  # ends the address of a page on which the chat opens by itself
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class VisitorLetters:
    """Looks for them while this process is the one that sends for the channel."""

    def __init__(self, chat: SiteChat) -> None:
        self._chat = chat
        found = re.fullmatch(r"(\d+)([smhd])", chat.settings.letters_after)
        assert found is not None
        self._after = timedelta(**{_UNITS[found[2]]: int(found[1])})

    async def run(self) -> None:
        """Until cancelled; without a channel for letters there is nothing to look for."""
        while self._chat.settings.letters and self._chat.parts is not None:
            await asyncio.sleep(LOOK)
            try:
                await self.look()
            except StorageError as error:
                log = get_logger("website").bind(channel=self._chat.name)
                log.error("storage_failed", error=str(error))
        await asyncio.Event().wait()

    async def look(self) -> int:
        """Enqueue the letters that are due; returns how many."""
        parts, now = self._chat.ready, self._chat.clock()
        since, sent = now - self._after, 0
        away = await parts.store.away_visitors(self._chat.name, since, holding=BY_A_PERSON)
        make = parts.letter
        if make is None:
            return 0
        for visitor in away:
            customer = await parts.store.customer(visitor.customer)
            lines = await parts.store.chat_lines(self._chat.name, visitor.chat, after=visitor.read)
            # law: nobody hears by letter what they read a moment ago on another page
            if self._chat.streams.is_watched(visitor.chat) or customer is None:
                continue
            address = f"{self._chat.settings.origins[0]}/{OPENS}"
            letter = make(customer.language, _words(lines), address)
            letter = replace(letter, to=Peer(self._chat.settings.letters, visitor.email))
            sent += await parts.store.send_letter(visitor, letter, now)
        return sent


def _words(lines: Sequence[ChatLine]) -> str:
    """What people wrote, each with their name."""
    said = []
    for line in lines:
        payload = read_payload(line)
        if line.kind == "message" and payload.get("from") == "operator":
            name, text = payload.get("name", ""), rich_of(payload).text
            files = ", ".join(f.get("name", "") for f in payload.get("files", ()))
            words = "\n".join(w for w in (text, files) if w)
            said.append(f"{name}: {words}" if name else words)
    return "\n\n".join(said[-MOST:])
