"""The service at work: every channel, the workers and the rounds in the background, started together and
stopped in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta

from bot.adapters.base import Adapter, CommandMenu
from bot.adapters.clock import ClockAdapter
from bot.app import Service
from bot.command_spool import hear_orders, spool_folder
from bot.errors import AccountError, StorageError
from bot.feedback_loader import clicks
from bot.handoff.operators.command_words import entry
from bot.knowledge.base import ReloadResult
from bot.knowledge.search import Knowledge
from bot.memory import give_back
from bot.model import Inbound, Status
from bot.observability import get_logger

EMBEDDING_THREAD = "embeddings"
ROUND = 20.0  # seconds between two rounds of the desk
WORKERS = 8  # turns decided at once


async def run(
    service: Service, stop: asyncio.Event, *, beside: Sequence[Coroutine[object, object, None]] = ()
) -> None:
    """Run every channel until *stop* is set; then end in order: intake, decisions, sends under way.

    *beside* are things that run as long (the page, the watch over the articles) and are cancelled first.
    """
    log = get_logger("app")
    intake = [
        asyncio.create_task(_keep_running(service, adapter), name=name)
        for name, adapter in service.adapters.items()
    ]
    # a daemon thread: making the first vectors takes half a minute, and stopping must not wait for that
    threading.Thread(
        target=_load_embeddings, args=(service.knowledge,), name=EMBEDDING_THREAD, daemon=True
    ).start()
    rings = ClockAdapter(
        service.clock, service.store.fire_timers, service.wake, went_back=service.store.clamp_delays
    )
    helpers = [
        asyncio.create_task(rings.run()),
        asyncio.create_task(_hint_typing(service)),
        asyncio.create_task(_check_desk(service)),
        asyncio.create_task(_blank_the_old(service)),
        asyncio.create_task(_hear_clicks(service)),
        asyncio.create_task(_go_round(service)),
        asyncio.create_task(_offer_commands(service)),
        *_letters(service),
        asyncio.create_task(service.announcer.run()),
        *(asyncio.create_task(b) for b in beside),
    ]
    workers = [asyncio.create_task(service.engine.work()) for _ in range(WORKERS)]
    sending = asyncio.create_task(service.outbox.run())
    try:
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait(
            {waiting, sending, *workers, helpers[0]}, return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        for task in done - {waiting}:
            task.result()  # a part that ended by itself is a bug: let it be seen
    finally:
        log.info("stopping")
        await _end([*intake, *helpers])
        await _end(workers)
        service.outbox.stop()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
        for adapter in service.adapters.values():
            with contextlib.suppress(Exception):
                await asyncio.wait_for(adapter.close(), 2)
        await service.close()
        log.info("stopped")


async def watch_articles(service: Service, told: Callable[[ReloadResult], object]) -> None:
    """Read changed articles until cancelled, and tell of it."""

    async def reloaded(change: ReloadResult) -> None:
        await asyncio.to_thread(give_back)
        get_logger("knowledge").info(
            "articles_reloaded",
            changed=len(change.changed),
            added=len(change.added),
            removed=len(change.removed),
            problems=len(change.problems),
        )
        result = told(change)
        if asyncio.iscoroutine(result):
            await result

    await service.knowledge.watch(reloaded)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_running(service: Service, adapter: Adapter) -> None:
    """A channel that fails must not take the others with it; it is started again, slowly."""
    log = get_logger("app")

    async def accept(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        await service.inbox.accept(adapter.name, inbounds, cursor=cursor)

    while True:
        pause = 5.0
        try:
            log.info("channel_starting", channel=adapter.name, kind=adapter.kind)
            await adapter.run(accept, cursor=await service.store.cursor(adapter.name))
        except AccountError as error:
            adapter.health.state, adapter.health.last_error = "failing", str(error)
            log.error("channel_refused", channel=adapter.name, error=str(error), hint=error.hint)
            pause = 60.0
        except Exception as error:
            adapter.health.state, adapter.health.last_error = "failing", type(error).__name__
            log.exception("channel_failed", channel=adapter.name)
        await asyncio.sleep(pause)


def _load_embeddings(knowledge: Knowledge) -> None:
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


async def _hint_typing(service: Service) -> None:
    """Customers see that something is being done while the bot waits for the rest of a burst."""
    while True:
        await asyncio.sleep(0.2)
        for peer in dict.fromkeys(service.typing):
            conversation = await service.store.conversation(peer)
            if conversation is None or conversation.status is Status.BOT:
                await service.outbox.hint_typing(peer)
        service.typing.clear()


async def _go_round(service: Service) -> None:
    """The rounds of the desk: what fails once is looked at again next time."""
    while True:
        await asyncio.sleep(ROUND)
        try:
            await service.rounds.go(service.clock())
        except Exception:  # noqa: BLE001 - the watchdog must outlive whatever it stumbles over
            get_logger("desk").exception("round_failed")


async def _check_desk(service: Service) -> None:
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


def _letters(service: Service) -> list[asyncio.Task[None]]:
    """Orders from the command line."""
    folder = spool_folder(str(service.store.file)) if service.store.file is not None else None
    return (
        [asyncio.create_task(hear_orders(folder, service.inbox.accept, service.clock))]
        if folder is not None
        else []
    )


async def _offer_commands(service: Service) -> None:
    """What channels show behind "/": customers see theirs, operators theirs and only in the desk,
    supervisors theirs in private.
    """
    for adapter in service.adapters.values():
        place = service.desk.context.places.binding.place
        menus = []
        for lang in ("", "en"):  # "" is what everybody sees who speaks no other
            spoken = lang or service.config.business.language
            menus.append(
                CommandMenu(
                    "private",
                    _described(
                        service,
                        "customer",
                        ("start", "operator", "status", "link", "stop", "news", "help"),
                        spoken,
                    ),
                    language=lang,
                )
            )
            if place is not None and place.channel == adapter.name:
                menus.append(
                    CommandMenu(
                        "chat",
                        _of_operators(service, spoken),
                        chat=place.chat,
                        language=lang,
                    )
                )
        with contextlib.suppress(Exception):  # a convenience: without the menu the commands work all the same
            await adapter.publish_commands(menus)
        for channel, _, user in (id.partition(":") for id in service.config.routing.supervisors):
            if channel == adapter.name:
                own = CommandMenu(
                    "chat", _of_operators(service, service.config.business.language, afar=True), chat=user
                )
                with contextlib.suppress(Exception):  # who has not written to the bot yet has no chat with it
                    await adapter.publish_commands([own])


def _of_operators(service: Service, lang: str, *, afar: bool = False) -> tuple[tuple[str, str], ...]:
    return tuple(entry(c, service.texts, lang) for c in service.desk.context.commands.menu(afar=afar))


def _described(
    service: Service, whose: str, commands: Sequence[str], lang: str
) -> tuple[tuple[str, str], ...]:
    known = [c for c in commands if service.texts.has(f"commands.{whose}.{c}")]
    return tuple((c, service.texts.text(f"commands.{whose}.{c}", lang=lang)) for c in known)


async def _hear_clicks(service: Service) -> None:
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


async def _blank_the_old(service: Service) -> None:
    """Once a day: words that were kept long enough."""
    while True:
        await asyncio.sleep(60)  # not among the first things of a start
        with contextlib.suppress(StorageError):
            if blanked := await service.store.purge(
                service.clock() - timedelta(days=service.config.privacy.keep_days)
            ):
                get_logger("app").info("words_blanked", rows=blanked)
        await asyncio.sleep(24 * 3600)
