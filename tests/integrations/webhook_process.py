"""A process that is killed: what tells a webhook of events, which it records one after the other."""

from __future__ import annotations

import asyncio
import sys

from bot.adapters.base import File
from bot.adapters.webhook import WebhookAdapter
from bot.clock import Clock
from bot.config.handoff import Webhook
from bot.delivery.attachment_reader import AttachmentReader
from bot.delivery.webhook_events import PREFIX, Announcer
from bot.model import Event, Outbound, Peer
from bot.outbox import Outbox
from bot.storage.base import Delivery
from bot.storage.sqlite.store import SqliteStore

SECRET = "signing-secret-0123456789-0123456789"


class NoDesk:
    """Nobody looks on."""

    async def topic_name(self, ticket: int) -> str:
        return str(ticket)

    async def repost(self, ticket: int, to: Peer) -> tuple[Outbound, ...]:
        return ()

    async def undelivered(self, delivery: Delivery, code: str) -> tuple[Outbound, ...]:
        return ()

    async def doubtful(self, delivery: Delivery) -> tuple[Outbound, ...]:
        return ()

    def delivered(self, delivery: Delivery) -> tuple[Outbound, ...]:
        return ()

    async def lost(self, to: Peer) -> tuple[Event, ...]:
        return ()


def no_file(ref: str) -> File:
    raise AssertionError(ref)


async def main(file: str, url: str, most: int) -> None:
    clock, store = Clock(), SqliteStore.open(file)
    hook = Webhook.model_validate({"url": url, "secret": SECRET, "private": True, "events": ["rated"]})
    adapters = {
        f"{PREFIX}crm": WebhookAdapter(f"{PREFIX}crm", clock=clock, url=url, secret=SECRET, private=True)
    }
    outbox = Outbox(store, adapters, clock, views=NoDesk(), files=AttachmentReader(adapters, no_file))
    announcer = Announcer(store, {"crm": hook}, clock, salt="test", enqueued=outbox.wake)
    await announcer.go()
    working = [asyncio.create_task(announcer.run()), asyncio.create_task(outbox.run())]
    for number in range(len(await store.events(kinds=["rated"])), most):
        await store.enqueue([], clock(), events=[Event("rated", data={"score": number})])
        announcer.seen(Event("rated"))
    await asyncio.gather(*working)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
