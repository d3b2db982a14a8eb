"""Who is not this visitor, or not on a page of this shop, gets nothing and changes nothing."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import jwt
import pytest

from bot.adapters.website.streams import PER_ADDRESS
from tests.adapters.website.shop_site import FOREIGN, SECRET, SHOP, Site, open_site, with_settings

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
QUESTION = "Сколько стоит доставка?"


async def error(answer: Any, status: int) -> str:
    assert answer.status == status, (answer.status, await answer.text())
    return str((await answer.json())["error"])


async def kept(site: Site) -> int:
    return len(await site.testbot.store.listeners())


async def test_a_foreign_page_is_refused_in_every_form(site: Site) -> None:
    """No header lets it read the answer, and a preflight stops it before it asks."""
    guest = site.browser()
    await guest.opens()
    foreign = site.browser(origin=FOREIGN, token=guest.token)
    for path in ("session", "messages", "presses", "files", "read", "logout"):
        answer = await foreign.ask("POST", path, json={"key": "foreign-1", "text": QUESTION})
        assert await error(answer, 403) == "origin"
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    for origin in (FOREIGN, "null", SHOP + ".evil.example", "http://shop.example", SHOP + ":8443", "*"):
        answer = await foreign.ask(
            "OPTIONS", "messages", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
        )
        assert (answer.status, "Access-Control-Allow-Origin" in answer.headers) == (403, False)
        assert "Origin" in answer.headers["Vary"]
    assert await kept(site) == 0


async def test_the_shops_page_is_allowed_exactly(site: Site) -> None:
    browser = site.browser()
    answer = await browser.ask("OPTIONS", "messages", headers={"Access-Control-Request-Method": "POST"})
    assert answer.status == 204 and answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    answer = await browser.ask("POST", "session", json={})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, SHOP)
    assert answer.headers["Vary"] == "Origin" and answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_script_is_for_every_page_and_kept_by_browsers(site: Site) -> None:
    answer = await site.browser(origin=None).ask("GET", "widget.js")
    assert answer.status == 200 and answer.content_type == "text/javascript"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    again = await site.browser(origin=FOREIGN).ask(
        "GET", "widget.js", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status, await again.read()) == (304, b"")


async def test_a_forged_token_is_nobody(site: Site) -> None:
    """Also one that says whom it means, and a good one that was changed by a letter."""
    browser = site.browser()
    await browser.opens()
    payload = base64.urlsafe_b64encode(json.dumps({"l": "4711"}).encode()).decode().rstrip("=")
    changed = browser.token[:-9] + ("A" if browser.token[-9] != "A" else "B") + browser.token[-8:]
    for token in (changed, "nonsense", f"{payload}.{browser.token.partition('.')[2]}", "é", "x" * 5000):
        for path in ("messages", "presses", "consent", "email", "read", "typing", "start"):
            answer = await site.browser(token=token).ask("POST", path, json={"key": "key-00001", "text": "а"})
            assert await error(answer, 401) == "visitor"
        for path in ("messages?after=0", "events?after=0", "files/1-0"):
            assert await error(await site.browser(token=token).ask("GET", path), 401) == "visitor"
    assert await kept(site) == 0


async def test_a_token_of_long_ago_is_nobody(site: Site) -> None:
    """What somebody said then is shown to nobody who finds it; a session begins anew."""
    browser = site.browser()
    await browser.opens()
    await browser.says(QUESTION)
    site.testbot.clock.advance(days=200)
    answer = await browser.ask("GET", "messages?after=0")
    assert await error(answer, 401) == "visitor"
    assert (await browser.opens())["messages"] == []


async def test_another_visitors_words_files_and_buttons_are_out_of_reach(site: Site) -> None:
    anna, boris = site.browser(), site.browser()
    for browser in (anna, boris):
        await browser.opens()
        await browser.says(QUESTION)
    assert (await anna.sends("чек.png", PNG)).status == 200
    await site.testbot.rest()
    await anna.polls()
    picture = next(m for m in anna.shown if m["files"])
    buttons = next(m for m in anna.shown if m["buttons"])
    assert (await anna.ask("GET", f"files/{picture['files'][0]['id']}")).status == 200

    for id in (picture["files"][0]["id"], "1-0", "9999-0", "0-0", "1-99"):
        assert await error(await boris.ask("GET", f"files/{id}"), 404) == "file"
    press = {"key": "press-001", "message": buttons["id"], "button": buttons["buttons"][0]["id"]}
    assert await error(await boris.ask("POST", "presses", json=press), 404) == "button"
    await boris.polls()
    assert boris.shown and not any(m["files"] for m in boris.shown)
    stranger = site.browser(token="")
    assert await error(await stranger.ask("GET", f"files/{picture['files'][0]['id']}"), 401) == "visitor"


async def test_what_is_no_login_of_the_shop_is_refused(site: Site) -> None:
    """No signature, another algorithm or secret, no end, an end that is past or far, nobody named."""
    now = int(site.testbot.clock().timestamp())
    good = {"sub": "4711", "exp": now + 300}
    unsigned = jwt.encode(good, "", algorithm="none")
    wrong = {
        "none": unsigned,
        "hs512": jwt.encode(good, SECRET * 2, algorithm="HS512"),
        "other secret": site.login(secret="x" * 32),
        "no exp": jwt.encode({"sub": "4711"}, SECRET, algorithm="HS256"),
        "past": site.login(seconds=-120),
        "far": site.login(seconds=40 * 24 * 3600),
        "exp of words": jwt.encode({**good, "exp": "soon"}, SECRET, algorithm="HS256"),
        "exp true": jwt.encode({**good, "exp": True}, SECRET, algorithm="HS256"),
        "no sub": jwt.encode({"exp": now + 300}, SECRET, algorithm="HS256"),
        "empty sub": site.login(" "),
        "number": jwt.encode({**good, "sub": 4711}, SECRET, algorithm="HS256"),
        "long": site.login("x" * 500),
        "list": [site.login()],
        "words": "a.b.c",
    }
    for name, login in wrong.items():
        answer = await site.browser().ask("POST", "session", json={"login": login})
        assert await error(answer, 401) == "login", name
    assert (await site.browser().opens(login=site.login()))["visitor"]


async def test_what_is_too_long_or_malformed_is_refused_and_changes_nothing(site: Site) -> None:
    browser = site.browser()
    await browser.opens()
    wrong: list[tuple[str, Any, int, str]] = [
        ("messages", {"key": "key-00001", "text": "ж" * 4001}, 422, "long"),
        ("messages", {"key": "key-00001", "text": " \n "}, 422, "empty"),
        ("messages", {"key": "key-00001", "text": {"a": 1}}, 422, "empty"),
        ("messages", {"key": "../../etc", "text": "а"}, 422, "key"),
        ("messages", {"key": "k:123456789", "text": "а"}, 422, "key"),
        ("messages", {"key": 17, "text": "а"}, 422, "key"),
        ("messages", [1, 2], 400, "json"),
        ("messages", {"key": "key-00001", "text": "а" * 90_000}, 413, "large"),
        ("read", {"cursor": "-1"}, 400, "cursor"),
        ("read", {"cursor": "1e9"}, 400, "cursor"),
        ("email", {"address": "нет"}, 422, "email"),
        ("email", {"address": "a@b.example\r\nBcc: x@y.example"}, 422, "email"),
        ("files", {"key": "key-00001"}, 415, "multipart"),
    ]
    for path, body, status, code in wrong:
        assert await error(await browser.ask("POST", path, json=body), status) == code, (path, body)
    for body in (b"{", b"\xff\xfe", b"[" * 20_000):
        answer = await browser.ask(
            "POST", "messages", data=body, headers={"Content-Type": "application/json"}
        )
        assert await error(answer, 400) == "json"
    answer = await browser.ask("POST", "messages", data=b"{}", headers={"Content-Type": "text/plain"})
    assert await error(answer, 415) == "json"
    for path in ("messages?after=x", "events?after=-5", "messages?before=a"):
        assert await error(await browser.ask("GET", path), 400) == "cursor"
    assert await kept(site) == 0


async def test_a_body_that_is_not_what_its_headers_say_is_refused(site: Site) -> None:
    """As the sender's fault, not as ours."""
    browser = site.browser()
    await browser.opens()
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = await browser.ask("POST", "messages", data=b"{}", headers=packed)
    assert await error(answer, 400) == "body"


async def test_a_file_is_what_it_is(site: Site) -> None:
    """A page in a picture's clothes is only saved; programs, pages and what is too large are not taken."""
    browser = site.browser()
    await browser.opens()
    assert await error(await browser.sends("вирус.exe", b"MZ"), 422) == "kind"
    assert await error(await browser.sends("page.html", b"<script>"), 422) == "kind"
    assert await error(await browser.sends("нет.png", b""), 422) == "empty"
    assert (await browser.sends("../../x\u202egnp.png", b"<script>alert(1)</script>")).status == 200
    await browser.polls()
    [file] = browser.shown[-1]["files"]
    assert (file["name"], file["picture"]) == ("xgnp.png", False)
    answer = await browser.ask("GET", f"files/{file['id']}")
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_a_large_file_is_cut_off(articles: Path) -> None:
    async with open_site(articles, with_settings(max_mb=1)) as site:
        browser = site.browser()
        await browser.opens()
        assert await error(await browser.sends("a.pdf", b"%PDF" + b"0" * (1 << 20)), 413) == "large"
        assert await kept(site) == 0


async def test_a_flood_is_slowed_down_and_loses_nothing(site: Site) -> None:
    """The twenty-first message of a minute waits; kept under its key, it is taken later."""
    browser = site.browser()
    await browser.opens()
    for n in range(20):
        await browser.says(f"слово {n}", key=f"flood-{n:04}")
    late = {"key": "flood-late", "text": "ещё"}
    answer = await browser.ask("POST", "messages", json=late)
    assert await error(answer, 429) == "often" and int(answer.headers["Retry-After"]) > 0
    site.testbot.clock.advance(minutes=2)
    await browser.does("messages", late)
    await browser.polls()
    assert browser.texts[-1] == "visitor: ещё" and len(browser.shown) == 21


@pytest.mark.parametrize(("proxies", "taken"), [(("127.0.0.1",), 32), ((), 30)])
async def test_one_address_makes_no_crowd(articles: Path, proxies: tuple[str, ...], taken: int) -> None:
    """New visitors of one address are limited. What a client says of its address is believed of our own
    proxies alone.
    """
    async with open_site(articles, with_settings(proxies=proxies)) as site:
        statuses = []
        for n in range(32):
            browser = site.browser()
            await browser.opens()
            answer = await browser.ask(
                "POST",
                "messages",
                json={"key": f"crowd-{n:04}", "text": "я"},
                headers={"X-Forwarded-For": f"10.1.2.3, 198.51.100.{n}"},
            )
            statuses.append(answer.status)
        assert statuses.count(200) == taken and set(statuses[taken:]) <= {429}


async def test_streams_of_one_visitor_are_limited(site: Site) -> None:
    browser = site.browser()
    await browser.opens()
    held = [await browser.ask("GET", "events?after=0") for _ in range(12)]
    assert all(answer.status == 200 for answer in held)
    assert await error(await browser.ask("GET", "events?after=0"), 429) == "streams"
    for answer in held:
        answer.close()


async def test_one_address_takes_not_all_streams(site: Site) -> None:
    """Of many visitors that one caller makes up; somebody at another address hears their news."""
    browser = site.browser()
    await browser.opens()
    with ExitStack() as held:
        for n in range(PER_ADDRESS):
            held.enter_context(site.adapter.chat.streams.listening(f"v{n}", "127.0.0.1"))
        for path in ("events?after=0", "messages?after=0&wait=1"):
            assert await error(await browser.ask("GET", path), 429) == "streams"
        other = await browser.ask("GET", "events?after=0", headers={"X-Forwarded-For": "203.0.113.7"})
        assert other.status == 200
        other.close()
    freed = await browser.ask("GET", "messages?after=0")
    assert freed.status == 200


async def test_no_words_are_markup(site: Site) -> None:
    """What the visitor, and an operator, writes stands in the page's HTML as characters."""
    browser = site.browser()
    await browser.opens()
    await browser.says("<img src=x onerror=alert(1)> человека позовите")
    await site.testbot.rest()
    await site.testbot.operator("<b>Ольга</b>").says(
        '<script>alert(1)</script> javascript:alert(1) https://shop.example/?a=1&b="2', ticket=1
    )
    await browser.polls()
    html = "".join(m["html"] for m in browser.shown)
    assert "<script" not in html and "<img" not in html and 'href="javascript' not in html
    assert '<a href="https://shop.example/?a=1&amp;b=' in html


async def test_nothing_secret_stands_in_the_log(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    browser = site.browser()
    await browser.opens(login=site.login())
    await browser.says("тайные слова")
    await site.browser(token="forged").ask("POST", "messages", json={})
    assert browser.token not in caplog.text and SECRET not in caplog.text and "тайные" not in caplog.text
