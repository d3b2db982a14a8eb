"""Where is my order: a dialog that asks the shop's own service.

What fails here ends with a person, never in silence.
"""

from __future__ import annotations

import os
import re

import aiohttp

from bot import Outcome, Turn, reply


async def order_status(turn: Turn) -> Outcome | None:
    found = re.search(r"(?:заказ|order)\w*\D{0,20}(\d{5})(?!\d)", turn.text, re.IGNORECASE)
    if found is None:
        return None
    async with (
        aiohttp.ClientSession(os.environ["SHOP_URL"], timeout=aiohttp.ClientTimeout(total=5)) as shop,
        shop.get(f"/orders/{found[1]}") as answer,
    ):
        if answer.status == 404:
            return reply(turn, "order.unknown", number=found[1])
        answer.raise_for_status()
        return reply(turn, "order.known", number=found[1], **await answer.json())
