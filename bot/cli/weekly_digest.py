"""The week's figures in the operators' group on Monday morning, once, also over a restart."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.app import Service
from bot.model import Outbound, Peer, Priority
from bot.observability import get_logger
from bot.reports.digest import digest, next_digest
from bot.reports.periods import week_before
from bot.reports.report import make_report, read_facts
from bot.reports.texts import ReportTexts

SETTING = "digest"
EVERY = 60.0  # seconds between looks at the clock


async def send_digests(service: Service) -> None:
    """Look at the clock until cancelled. A digest that could not be made is tried again at the next look."""
    while service.config.report.weekly_digest:
        try:
            await send_due(service)
        except Exception:  # noqa: BLE001 - the digest is a courtesy: it must not end the bot
            get_logger("digest").exception("digest_failed")
        await asyncio.sleep(EVERY)


async def send_due(service: Service) -> bool:
    """Enqueue the digest whose Monday has come and that was not sent yet; True when it was sent now.

    A bot that starts for the first time waits for the coming Monday.
    """
    now, zone = service.clock(), service.hours.zone
    coming = next_digest(now, zone)
    newest = (coming - timedelta(days=7)).date().isoformat()
    kept = await service.store.setting(SETTING)
    if kept == newest:
        return False
    place = service.desk.context.places.binding.place
    name = f"{SETTING}:{newest}"
    if kept is None or place is None or await service.store.deliveries(peer=place, name=name, limit=1):
        await service.store.keep_setting(SETTING, newest)
        return False
    await service.store.enqueue((await _digest(service, place, name),), now)
    # law: marked afterwards: a digest that failed is tried again, and its name keeps it from being enqueued
    # twice
    await service.store.keep_setting(SETTING, newest)
    service.outbox.wake()
    return True


async def _digest(service: Service, place: Peer, name: str) -> Outbound:
    """The week before, in a few lines."""
    now, zone = service.clock(), service.hours.zone
    period = week_before(now, zone)
    facts = await read_facts(
        service.store, service.hours, period, now, answer_within=service.config.report.answer_within
    )
    report = await asyncio.to_thread(make_report, facts, period, service.knowledge.articles())
    text = digest(report, ReportTexts(service.config.business.language))
    return Outbound(
        place, text, name=name, author="", priority=Priority.NOTICE, silent=True, on_uncertain="hold"
    )
