"""A shop's page with the chat on it in front of the real service, which a test plays step by step: its clock
is moved by hand, its servers run on a thread of their own, beside the browser.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.adapters.website.settings import WebsiteSettings
from bot.adapters.website.site_chat import SiteChat
from bot.config.loader import Config
from bot.model import ChatLine, InboundKind, Visitor
from bot.testing.harness import NOON
from tests.adapters.website.shop_site import SECRET, Site, open_site
from tests.web.shop_site import Network, shop_app

T = TypeVar("T")
FILE_LIMIT = 1024 * 1024
ARTICLE = """---
title: Возврат
aliases: [как вернуть кольцо, вернуть покупку]
buttons:
  - Сроки: srok
  - Правила: https://shop.example/rules
---

Вернуть украшение можно **за 14 дней**, если сохранились бирка и чек.
"""
SECOND = """---
title: Сроки
---

Деньги придут за 10 дней.
"""
CONSENT = {"version": "1", "policy": "https://shop.example/privacy"}


@dataclass
class WebsiteChat:
    """The shop's page, the chat on it, and whoever plays the service's side."""

    folder: Path
    loop: asyncio.AbstractEventLoop
    config: Config
    settings: WebsiteSettings
    network: Network = field(default_factory=Network)
    shop: str = ""
    passed: float = 0  # seconds of the service's clock before the present start
    _site: Site | None = None
    _service: AsyncExitStack = field(default_factory=AsyncExitStack)

    def do(self, doing: Coroutine[Any, Any, T]) -> T:
        """On the servers' thread."""
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(30)

    def until(self, true: Callable[[], bool], seconds: float = 15) -> None:
        """Wait for what the browser does by itself. Raises AssertionError."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "it never came true"
            time.sleep(0.02)

    @property
    def site(self) -> Site:
        assert self._site is not None
        return self._site

    def start(self) -> None:
        """The service, on the database of before if there was one."""

        async def opened() -> None:
            site = open_site(
                self.folder, self.settings, config=self.config, storage=str(self.folder.parent / "bot.db")
            )
            self._site = await self._service.enter_async_context(site)
            self._site.testbot.clock.advance(seconds=self.passed)
            self.network.upstream = str(self._site.server.make_url("")).rstrip("/")

        self.do(opened())

    def stop(self) -> None:
        self.passed = (self.site.testbot.clock() - NOON).total_seconds()
        self.cut()
        self.network.upstream = ""
        self.do(self._service.aclose())
        self._service, self._site = AsyncExitStack(), None

    def cut(self) -> None:
        """Every connection to the chat breaks."""
        self.loop.call_soon_threadsafe(self.network.cut)

    def rest(self) -> None:
        """The service decides and sends what there is."""
        self.do(self.site.testbot.rest())

    def login(self, sub: str) -> str:
        """What the shop signs for its customer."""
        return self.site.login(sub, seconds=12 * 3600, name=sub)

    def operator_says(self, page: Any, text: str, *, message: str = "") -> None:
        """Olga answers in the ticket of the visitor whose page this is."""
        bot, number = self.site.testbot, self._ticket(page)
        self.do(bot.operator().says(text, ticket=number, message=message))

    def operator_corrects(self, page: Any, text: str, *, message: str) -> None:
        """Olga edits what she wrote."""
        bot, number = self.site.testbot, self._ticket(page)
        self.do(bot.operator().does(InboundKind.EDIT, text, ticket=number, message=message))

    def bot_says(self, page: Any, texts: Sequence[str]) -> None:
        """All of this stands in the chat of the visitor whose page this is."""
        chat, bot = self._visitor(page).chat, self.site.testbot

        async def stands() -> None:
            for n, text in enumerate(texts):
                payload = json.dumps({"from": "bot", "text": text})
                line = ChatLine(f"said {chat} {n}", "message", bot.clock(), payload)
                await bot.store.add_chat_line("site", chat, line)

        self.do(stands())

    def hints_typing(self, page: Any) -> None:
        """The service prepares an answer."""
        self.do(self.site.adapter.hint_typing(self._visitor(page).chat))

    def kept(self, page: Any) -> list[str]:
        """The words of the visitor whose page this is, as the service has them."""
        self.rest()
        history = self.do(self.site.testbot.store.history(self._conversation(page), limit=200))
        return [line.text for line in history if line.author == "customer"]

    def _ticket(self, page: Any) -> int:
        return self.do(self.site.testbot.store.tickets_in(self._conversation(page)))[-1].number

    def email(self, page: Any) -> str:
        """Where the visitor whose page this is wants to hear of an answer."""
        return self._visitor(page).email

    def _conversation(self, page: Any) -> int:
        return self._visitor(page).conversation

    def _visitor(self, page: Any) -> Visitor:
        token = page.evaluate(
            "JSON.parse(localStorage[Object.keys(localStorage).find((k) => k.endsWith(' visitor'))])"
        )
        chat: SiteChat = self.site.adapter.chat
        who = self.do(chat.tokens()).read(token)
        assert who is not None
        visitor = self.do(chat.visitor(who))
        assert visitor is not None
        return visitor


@contextmanager
def opened_chat(folder: Path, *, consent: bool = False) -> Iterator[WebsiteChat]:
    """The shop on one port, the network before the chat on another: two origins."""
    (folder / "kb").mkdir()
    (folder / "kb" / "vozvrat.md").write_text(ARTICLE, "utf-8")
    (folder / "kb" / "srok.md").write_text(SECOND, "utf-8")
    loop, servers = asyncio.new_event_loop(), AsyncExitStack()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    port, network = unused_port(), Network()
    shop = f"http://127.0.0.1:{port}"
    settings = WebsiteSettings(
        origins=(shop,),
        secret=SECRET,
        title="Лютик",
        ask_email=True,
        letters="mail",
        consent=consent,
        max_mb=1,
        colour="#6b3fa0",
    )
    config = Config.model_validate({"consent": CONSENT} if consent else {})
    chat = WebsiteChat(folder / "kb", loop, config, settings, network, shop)

    async def serve() -> None:
        between = web.Application(client_max_size=0)
        between.router.add_route("*", "/{path:.*}", network.handle)
        before = TestServer(between)
        await before.start_server()
        servers.push_async_callback(before.close)
        shown = TestServer(shop_app(str(before.make_url("/chat/site"))), port=port)
        await shown.start_server()
        servers.push_async_callback(shown.close)

    try:
        chat.do(serve())
        chat.start()
        yield chat
    finally:
        chat.stop()
        chat.do(servers.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
