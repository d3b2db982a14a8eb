"""What a service does beside the path of a message: rounds, old words, clicks, the search's slow part."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

from bot.app import Service
from bot.errors import StorageError
from bot.feedback_loader import clicks
from bot.handoff.sla.debts import LATE
from bot.knowledge.search import Knowledge
from bot.memory import give_back
from bot.model import Status
from bot.observability import get_logger

ROUND = 20.0  # seconds between two rounds of the desk


def load_embeddings(knowledge: Knowledge) -> None:
    """The slow part of the search, in the background: until it is there the bot answers by words."""
    log = get_logger("knowledge")
    try:
        knowledge.load_embeddings(lambda text: log.info("embeddings_preparing", progress=text))
    except Exception:  # search by words goes on; doctor and /readyz tell
        log.exception("embeddings_failed")
    else:
        log.info("embeddings", model=knowledge.status.embeddings or "none", reason=knowledge.status.reason)
    finally:
        give_back()


async def hint_typing(service: Service) -> None:
    """Customers see that something is being done while the bot waits for the rest of a burst."""
    while True:
        await asyncio.sleep(0.2)
        peers = tuple(dict.fromkeys(service.typing))
        service.typing.clear()
        with contextlib.suppress(StorageError):
            for peer in peers:
                conversation = await service.store.conversation(peer)
                if conversation is None or conversation.status is Status.BOT:
                    await service.outbox.hint_typing(peer)


async def go_round(service: Service) -> None:
    """The rounds of the desk: what fails once is looked at again next time."""
    if service.leases.shared:  # what was said and shown last, another process may have changed since
        service.rounds = service.open_rounds()
    while True:
        await asyncio.sleep(ROUND)
        try:
            await service.rounds.go(service.clock())
        except Exception:  # noqa: BLE001 - the watchdog must outlive whatever it stumbles over
            get_logger("desk").exception("round_failed")


async def check_desk(service: Service) -> None:
    """Say at start what the bot lacks in the desk's group."""
    place = service.desk.context.places.binding.place
    if place is None or (adapter := service.adapters.get(place.channel)) is None:
        get_logger("desk").warning(
            "no_desk",
            hint="add the bot to the operators' group and press the button, or set desk in the config",
        )
        return
    for pause in (0, 5, 30, 120):
        await asyncio.sleep(pause)
        with contextlib.suppress(Exception):
            for problem in (await adapter.chat_info(place.chat)).problems:
                get_logger("desk").warning("desk_problem", problem=str(problem))
            return


async def hear_clicks(service: Service) -> None:
    """Once an hour: what people's clicks said of the answers, for search to be as sure as it deserves."""
    while True:
        await asyncio.sleep(90)  # after the embeddings
        with contextlib.suppress(StorageError):
            now = service.clock()
            found = await clicks(service.store, now - timedelta(days=service.config.privacy.keep_days), now)
            learnt = await asyncio.to_thread(service.knowledge.learn, found)
            if learnt.labels:
                get_logger("knowledge").info(
                    "clicks_heard",
                    labels=learnt.labels,
                    offset=round(learnt.offset, 2),
                    slope=round(learnt.slope, 2),
                )
        await asyncio.sleep(3600)


async def blank_the_old(service: Service) -> None:
    """Once a day: words that were kept long enough."""
    while True:
        await asyncio.sleep(60)  # not among the first things of a start
        with contextlib.suppress(StorageError):
            if blanked := await service.store.purge(
                service.clock() - timedelta(days=service.config.privacy.keep_days)
            ):
                get_logger("app").info("words_blanked", rows=blanked)
        await asyncio.sleep(24 * 3600)


async def catch_up(service: Service) -> None:
    """What other processes decided about operators, groups and incidents is known here, too, for the page."""
    while True:
        await asyncio.sleep(ROUND)
        with contextlib.suppress(StorageError):
            await service.desk.context.shared.catch_up()


async def take_back(service: Service) -> None:
    """What this process lost sight of in the channels that are its own."""
    while True:
        await asyncio.sleep(ROUND)
        with contextlib.suppress(StorageError):
            await service.outbox.take_back(LATE)
