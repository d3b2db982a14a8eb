"""What must be nowhere: a forgotten customer's words in any file, a token in any line of the log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from aiohttp import web

from bot.adapters.base import Adapter, File, Files
from bot.adapters.max.adapter import MaxAdapter
from bot.adapters.max.settings import MaxSettings
from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.settings import TelegramSettings
from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.settings import VkSettings
from bot.clock import Clock
from bot.config.loader import Config
from bot.errors import BotError
from bot.model import Attachment, InboundKind, Media, Outbound, OutboundKind, Peer, RichText
from bot.observability import set_up_logging
from bot.testing import open_test_bot
from tests.fakes import telegram_server, vk_server

MARK = "Ягуарундова"  # in every word, name and address of the customer
SECRET = telegram_server.TOKEN.partition(":")[2]


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    """The log of a test ends with it."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:], logging.root.level = handlers, level


async def test_of_a_forgotten_customer_no_file_holds_a_word(
    articles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Database, WAL, cache and log are scanned as bytes; the desk's topic is deleted on the
    platform.
    """
    set_up_logging(level="debug")
    place = tmp_path / "data"
    place.mkdir()
    config = Config.model_validate({"knowledge": {"cache": str(place / "cache")}, "base": tmp_path})
    async with open_test_bot(articles, config=config, storage=str(place / "bot.db")) as testbot:
        anna, olga = testbot.customer(f"{MARK} Анна"), testbot.operator()
        await anna.says(f"где ваш {MARK} склад", message="m-q")
        await anna.says(f"где ваш склад, я {MARK}?", message="m-q", kind=InboundKind.EDIT)
        await anna.says(f"позовите оператора, меня зовут {MARK}")
        await anna.says(
            f"{MARK}",
            attachments=(Attachment(Media.DOCUMENT, f"ref-{MARK}", "telegram", name=f"{MARK}.pdf"),),
        )
        await olga.presses("Взять", ticket=1)
        await olga.says(f"Здравствуйте, {MARK}! Завтра до обеда", ticket=1)
        await olga.says(f"// {MARK} сердится", ticket=1)
        await olga.says("/close", ticket=1)
        await testbot.later(minutes=6)
        await anna.says(f"2, {MARK} недовольна")
        thread = await olga.thread(1)
        files = [f for f in place.rglob("*") if f.is_file()]
        assert any(MARK.encode() in f.read_bytes() for f in files)

        assert await testbot.service.store.forget_customer(1, testbot.clock())
        await testbot.rest()

        deleted = [
            s.outbound.to.thread
            for s in testbot.channels["telegram"].in_chat("-100500", kind=OutboundKind.DELETE_TOPIC)
        ]
        assert deleted == [thread]
        assert [f.name for f in place.rglob("*") if f.is_file() and MARK.encode() in f.read_bytes()] == []
    assert [f.name for f in place.rglob("*") if f.is_file() and MARK.encode() in f.read_bytes()] == []
    assert MARK not in capsys.readouterr().err


def opened(kind: str, base: str) -> Adapter:
    if kind == "telegram":
        return TelegramAdapter(
            "t", TelegramSettings(token=telegram_server.TOKEN, api_base=base), clock=Clock()
        )
    if kind == "max":
        return MaxAdapter("m", MaxSettings(token=SECRET, api_base=base), clock=Clock())
    return VkAdapter("v", VkSettings(token=SECRET, group_id=vk_server.GROUP, api_base=base), clock=Clock())


@pytest.mark.parametrize("fault", ["500", "nonsense", "redirect", "cut", "refused"])
@pytest.mark.parametrize("kind", ["telegram", "vk", "max"])
async def test_no_token_reaches_the_log_whatever_fails(
    kind: str, fault: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Calls fail in every way with the token in their address, at the chattiest level; errors are
    printed with their causes.
    """
    set_up_logging(level="debug")

    async def answer(request: web.Request) -> web.StreamResponse:
        match fault:
            case "500":
                return web.json_response(
                    {"ok": False, "error_code": 500, "description": f"failed at {request.url}"}, status=500
                )
            case "nonsense":
                return web.Response(text=f"<html>{request.url}</html>", content_type="text/html")
            case "redirect":
                raise web.HTTPFound(f"/elsewhere?access_token={SECRET}")
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    if fault == "refused":
        await runner.cleanup()
    adapter = opened(kind, base)

    async def keep(inbounds: object, *, cursor: str | None = None) -> None:
        """Nothing arrives here."""

    class NoFiles(Files):
        async def read(self, attachment: Attachment) -> File:
            raise AssertionError(attachment)

    log = structlog.get_logger("test")
    try:
        for work in (
            adapter.check(),
            adapter.chat_info("1"),
            adapter.send(
                Outbound(Peer(adapter.name, "5"), RichText("привет")), nonce=1, target="", files=NoFiles()
            ),
            adapter.run(keep, cursor=None),
        ):
            try:
                async with asyncio.timeout(1):
                    found = await work
                log.info("came_back", found=repr(found))
            except (BotError, TimeoutError) as error:
                log.warning("failed", error=str(error), exc_info=True)
    finally:
        await adapter.close()
        with contextlib.suppress(RuntimeError):
            await runner.cleanup()
    told = capsys.readouterr()
    assert "test" in told.err and SECRET not in told.err + told.out
    assert SECRET not in repr(adapter) + str(adapter.health)
