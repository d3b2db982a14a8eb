"""An owner puts the chat on their site: faults of the config, the check, the page to try it."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.adapters.website.adapter import WebsiteAdapter
from bot.adapters.website.settings import WebsiteSettings
from bot.config.loader import read_config
from bot.config.website_channel import WebsiteChannel
from bot.errors import ConfigError
from tests.adapters.website.shop_site import FOREIGN, SHOP, open_site, with_settings

CONFIG = "channels:\n  site:\n    type: website\n    origins: [{origin}]\n{more}"


def written(folder: Path, origin: str = SHOP, more: str = "") -> Path:
    file = folder / "config.yaml"
    lines = "".join(f"    {line}\n" for line in more.splitlines())
    file.write_text(CONFIG.format(origin=origin, more=lines), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        ("https://shop.example/", "https://shop.example"),
        ("https://Shop.Example:443", "https://shop.example"),
        ("https://магазин.рф", "https://xn--80aairftm.xn--p1ai"),
        ("https://магазин.рф:8443", "https://xn--80aairftm.xn--p1ai:8443"),
        ("http://localhost:8000", "http://localhost:8000"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(tmp_path: Path, origin: str, kept: str) -> None:
    channel = read_config(written(tmp_path, origin), environment={}).channels["site"]
    assert isinstance(channel, WebsiteChannel) and channel.origins == (kept,) and channel.enabled


@pytest.mark.parametrize(
    ("origin", "more", "words"),
    [
        ("http://shop.example", "", "https://shop.example"),
        ("https://shop.example/shop", "", "https://shop.example/shop"),
        ("'*'", "", "*"),
        ("https://*.shop.example", "", "https://*.shop.example"),
        ("https://shop.example:port", "", "https://shop.example:port"),
        ("https://shop example", "", "https://shop example"),
        ("'https://[::1'", "", "https://shop.example"),
        (SHOP, 'secret: "${SHORT}"', "32"),
        (SHOP, "letters: mail", "mail"),
        (SHOP, "consent: true", "consent.policy"),
        (SHOP, "proxies: [proxy.example]", "10.0.0.0/8"),
        (SHOP, "colour: blue", 'colour: "#0b57d0"'),
    ],
)
def test_a_fault_is_told_with_its_line(tmp_path: Path, origin: str, more: str, words: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_config(written(tmp_path, origin, more), environment={"SHORT": "geheim"})
    [fault] = told.value.problems
    assert words in f"{fault.text} {fault.hint}" and fault.line and "geheim" not in str(fault)


async def test_the_check_finds_the_chat_where_browsers_look_for_it() -> None:
    """Doctor's question; nothing is sent for it."""
    app = web.Application()
    asked = []

    async def script(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=200 if len(asked) < 2 else 502)

    app.router.add_get("/chat/site/widget.js", script)
    async with TestServer(app) as server:
        address = str(server.make_url("")).rstrip("/")
        adapter = WebsiteAdapter("site", WebsiteSettings(origins=(SHOP,), address=address))
        assert await adapter.check() == ()
        [fault] = await adapter.check()
        assert fault.severity == "warning" and "502" in fault.text and address in fault.text
    assert "https://" in str((await WebsiteAdapter("site", WebsiteSettings(origins=(SHOP,))).check())[0])


async def test_the_page_to_try_it_is_there_only_when_asked_for(articles: Path) -> None:
    """Its chat works there, and opens nothing to other pages."""
    async with open_site(articles) as site:
        assert (await site.browser(origin=None).ask("GET", "demo")).status == 405
    async with open_site(articles, with_settings(demo=True, title="<b>Чат")) as site:
        answer = await site.browser(origin=None).ask("GET", "demo")
        page = await answer.text()
        assert answer.status == 200 and "<h1>&lt;b&gt;Чат</h1>" in page and "widget.js" in page
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        own = str(site.server.make_url("")).rstrip("/")
        await site.browser(origin=own).opens()
        assert (await site.browser(origin=FOREIGN).ask("POST", "session", json={})).status == 403
