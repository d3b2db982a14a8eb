"""The week's figures in the operators' group on Monday morning, once, also over a restart."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.app import House
from bot.model import Lane, Outbound, Peer
from bot.observability import get_logger
from bot.reports.digest import digest, next_digest
from bot.reports.periods import week_before
from bot.reports.report import make_report, read_facts
from bot.reports.texts import Saying

SETTING = "digest"
EVERY = 60.0  # seconds between looks at the clock


async def send_digests(house: House) -> None:
    """Look at the clock until cancelled. A digest that could not be made is tried again at the next look."""
    while house.config.report.weekly_digest:
        try:
            await send_due(house)
        except Exception:  # noqa: BLE001 - the digest is a courtesy: it must not end the bot
            get_logger("digest").exception("digest_failed")
        await asyncio.sleep(EVERY)


async def send_due(house: House) -> bool:
    """Promise the digest whose Monday has come and that was not sent yet; True when it was sent now.

    A bot that starts for the first time waits for the coming Monday.
    """
    now, zone = house.clock(), house.hours.zone
    coming = next_digest(now, zone)
    newest = (coming - timedelta(days=7)).date().isoformat()
    kept = await house.store.setting(SETTING)
    if kept == newest:
        return False
    place = house.desk.binding.place
    name = f"{SETTING}:{newest}"
    if kept is None or place is None or await house.store.deliveries(peer=place, name=name, limit=1):
        await house.store.keep_setting(SETTING, newest)
        return False
    await house.store.promise((await _digest(house, place, name),), now)
    # law: marked afterwards: a digest that failed is tried again, and its name keeps it from being promised twice
    await house.store.keep_setting(SETTING, newest)
    house.outbox.wake()
    return True


async def _digest(house: House, place: Peer, name: str) -> Outbound:
    """The week before, in a few lines."""
    now, zone = house.clock(), house.hours.zone
    period = week_before(now, zone)
    facts = await read_facts(house.store, house.hours, period, now, answer_within=house.config.report.answer_within)
    report = await asyncio.to_thread(make_report, facts, period, house.knowledge.articles())
    text = digest(report, Saying(house.config.business.language))
    return Outbound(place, text, name=name, author="", lane=Lane.NOTICE, silent=True, on_doubt="hold")
