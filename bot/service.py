"""The service at work: every channel, the workers and the rounds in the background, started together and
stopped in order.

Where several processes share a database each does what its roles say, and what only one may do at a time
while it has the lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from functools import partial

from bot import background_work
from bot.adapters.base import Adapter
from bot.adapters.clock import ClockAdapter
from bot.adapters.page_channel import PageChannel
from bot.app import Service
from bot.command_menus import offer_commands
from bot.command_spool import hear_orders, spool_folder
from bot.config.roles import ProcessRole
from bot.errors import AccountError, StorageError
from bot.knowledge.base import ReloadResult
from bot.leases import PERIODIC, channel_lease, while_held
from bot.memory import give_back
from bot.model import Inbound
from bot.observability import get_logger
from bot.process_end import EMBEDDING_THREAD

WORKERS = 8  # turns decided at once
Work = Callable[[], Awaitable[None]]


async def run(
    service: Service,
    stop: asyncio.Event,
    *,
    beside: Sequence[Coroutine[object, object, None]] = (),
    periodic: Sequence[Work] = (),
) -> None:
    """Run every channel until *stop* is set; then end in order: intake, decisions, sends under way, leases.

    *beside* are things that run as long (the page, the watch over the articles) and are cancelled first;
    *periodic* are those that one process at a time does for all. Raises `ConfigError` where another process
    goes by this one's name.
    """
    log, roles = get_logger("app"), service.roles
    heartbeat = asyncio.create_task(service.leases.run())
    _listen(service)
    intake = [asyncio.create_task(work, name=name) for name, work in _intake(service)]
    rings = asyncio.create_task(_ring(service))
    helpers = [rings, *(asyncio.create_task(work) for work in (*_helping(service, periodic), *beside))]
    workers = [
        asyncio.create_task(service.engine.work())
        for _ in range(WORKERS if ProcessRole.DECIDE in roles else 0)
    ]
    sending = [asyncio.create_task(service.outbox.run())] if ProcessRole.SEND in roles else []
    try:
        waiting = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait(
            {waiting, heartbeat, rings, *sending, *workers}, return_when=asyncio.FIRST_COMPLETED
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
            await asyncio.gather(*sending)
        await _end([heartbeat])
        await service.leases.give_up()
        for adapter in service.adapters.values():
            with contextlib.suppress(Exception):
                await asyncio.wait_for(adapter.close(), 2)
        await service.close()
        log.info("stopped")


def _listen(service: Service) -> None:
    """Hints of other processes, and calls of platforms whose channel another process polls and sends to."""
    if not service.leases.shared:
        return
    service.store.listen(partial(heard, service))
    for adapter in service.adapters.values():
        adapter.health.state = "standby"
        if ProcessRole.WEB in service.roles:
            adapter.take_calls(partial(service.inbox.accept, adapter.name))


def heard(service: Service, what: str) -> None:
    """A hint of another process."""
    kind, _, place = what.partition(" ")
    if kind == "turns":
        service.engine.wake()
    elif kind == "chat":
        channel, _, chat = place.partition(" ")
        if isinstance(adapter := service.adapters.get(channel), PageChannel):
            adapter.hear(chat)
    else:
        service.outbox.wake()


def _intake(service: Service) -> Iterator[tuple[str, Coroutine[object, object, None]]]:
    """Each channel, run while its lease is held."""
    for name, adapter in service.adapters.items() if ProcessRole.SEND in service.roles else ():
        running = partial(_keep_running, service, adapter)
        yield name, while_held(service.leases, channel_lease(name), running)


async def _ring(service: Service) -> None:
    if ProcessRole.DECIDE not in service.roles:
        await asyncio.Event().wait()
    rings = ClockAdapter(
        service.clock, service.store.fire_timers, service.wake, went_back=service.store.clamp_delays
    )
    await rings.run()


def _helping(service: Service, periodic: Sequence[Work]) -> Iterator[Coroutine[object, object, None]]:
    """What else the roles of this process bring with them."""
    roles, shared = service.roles, service.leases.shared
    if roles & {ProcessRole.WEB, ProcessRole.DECIDE}:
        # a daemon thread: making the first vectors takes half a minute, and stopping must not wait for that
        loading = partial(background_work.load_embeddings, service.knowledge)
        threading.Thread(target=loading, name=EMBEDDING_THREAD, daemon=True).start()
        yield background_work.hear_clicks(service)
    if ProcessRole.SEND in roles:
        yield background_work.hint_typing(service)
    if ProcessRole.DECIDE in roles:
        for work in (*_periodic(service), *periodic):
            yield while_held(service.leases, PERIODIC, work)
    if shared:
        yield background_work.catch_up(service)
    if shared and ProcessRole.SEND in roles:
        yield background_work.take_back(service)
    folder = spool_folder(str(service.store.file)) if service.store.file is not None else None
    if folder is not None:
        yield hear_orders(folder, service.inbox.accept, service.clock)


def _periodic(service: Service) -> tuple[Work, ...]:
    """What one process at a time does for all."""
    return (
        partial(background_work.check_desk, service),
        partial(background_work.blank_the_old, service),
        partial(background_work.go_round, service),
        partial(offer_commands, service),
        service.announcer.run,
    )


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
    if service.leases.shared:
        adapter.health.state = "starting"

    async def accept(inbounds: Sequence[Inbound], *, cursor: str | None = None) -> None:
        await service.inbox.accept(adapter.name, inbounds, cursor=cursor)

    try:
        while True:
            pause = 5.0
            try:
                log.info("channel_starting", channel=adapter.name, kind=adapter.kind)
                await adapter.run(accept, cursor=await service.store.cursor(adapter.name))
            except AccountError as error:
                adapter.health.state, adapter.health.last_error = "failing", str(error)
                log.error("channel_refused", channel=adapter.name, error=str(error), hint=error.hint)
                pause = 60.0
            except StorageError as error:
                adapter.health.state, adapter.health.last_error = "failing", str(error)
                log.error("storage_failed", channel=adapter.name, error=str(error))
            except Exception as error:
                adapter.health.state, adapter.health.last_error = "failing", type(error).__name__
                log.exception("channel_failed", channel=adapter.name)
            await asyncio.sleep(pause)
    finally:
        if service.leases.shared:
            adapter.health.state = "standby"
