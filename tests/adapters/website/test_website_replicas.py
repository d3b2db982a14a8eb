"""Two processes serve one site: a visitor's browser may come to either, and hears of what the other did."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from bot.adapters.website.reading import LOOK
from bot.clock import HandClock
from bot.service import heard
from bot.storage.postgres.store import PostgresStore
from bot.testing.harness import NOON
from tests.adapters.website.shop_site import Site, open_site

QUESTION = "Сколько стоит доставка?"


async def open_replica(stack: AsyncExitStack, name: str, database: str, articles: Path) -> Site:
    clock = HandClock(NOON)
    store = PostgresStore.open(database, now=clock, holder=name, own_time=True)
    site = await stack.enter_async_context(open_site(articles, storage=store, clock=clock))
    store.listen(partial(heard, site.testbot.service))
    await asyncio.to_thread(store.listening.wait, 10)
    return site


async def test_a_stream_hears_of_what_another_process_wrote(database: str, articles: Path) -> None:
    """At once, by a hint; the words that came to one are in the chat that the other shows, each once."""
    async with AsyncExitStack() as stack:
        sender = await open_replica(stack, "bot-1", database, articles)
        pages = await open_replica(stack, "bot-2", database, articles)
        browser = pages.browser()
        await browser.opens()
        kept = await browser.says(QUESTION)
        await browser.polls()
        async with asyncio.timeout(LOOK - 1):
            hearing = asyncio.create_task(browser.streams(1))
            [listener] = await sender.testbot.store.listeners()
            while not pages.adapter.chat.streams.is_watched(listener.peer.chat):
                await asyncio.sleep(0.01)
            await sender.testbot.rest()
            await hearing

        elsewhere = sender.browser(token=browser.token)
        told = await elsewhere.opens()
        assert [m["id"] for m in told["messages"]] == [m["id"] for m in browser.shown]
        assert told["messages"][0]["id"] == kept["id"] and len(told["messages"]) == 2
        again = await elsewhere.does("messages", {"key": kept["id"], "text": QUESTION})
        assert again == kept
