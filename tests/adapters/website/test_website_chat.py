"""A visitor of a shop's page talks with the bot and with a person: kept, shown once, after whatever broke."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from bot.config.forms import ConsentSettings
from bot.config.loader import Config
from bot.model import Attachment, InboundKind, Media
from bot.text.customer_fields import consent_of
from tests.adapters.website.shop_site import Site, open_site, with_settings

QUESTION = "Сколько стоит доставка?"


async def test_a_question_is_answered_on_the_page(site: Site) -> None:
    """The words stand there once they are kept, the answer comes by the stream, and a reload shows both."""
    browser = site.browser()
    told = await browser.opens()
    assert told["messages"] == [] and told["settings"]["title"] == "Чат"

    kept = await browser.says(QUESTION)
    await site.testbot.rest()
    found = await browser.streams(2)

    assert [kind for kind, _ in found] == ["message", "message"]
    assert found[0][1]["id"] == kept["id"] and found[0][1]["from"] == "visitor"
    assert found[1][1]["from"] == "bot" and found[1][1]["text"]
    again = await browser.opens()
    assert [m["id"] for m in again["messages"]] == [data["id"] for _, data in found]
    assert again["unread"] == 1


async def test_the_same_key_is_the_same_message(site: Site) -> None:
    browser = site.browser()
    await browser.opens()
    first = await browser.says(QUESTION, key="once-and-only")
    assert await browser.says("другие слова", key="once-and-only") == first
    await site.testbot.rest()
    assert await browser.says(QUESTION, key="once-and-only") == first
    await site.testbot.rest()

    await browser.polls()
    assert browser.texts[0] == f"visitor: {QUESTION}" and len(browser.texts) == 2


async def test_a_person_answers_and_the_page_names_them(site: Site) -> None:
    browser = site.browser()
    await browser.opens()
    await browser.says("Позовите человека")
    await site.testbot.rest()
    await browser.polls()
    olga = site.testbot.operator()
    await olga.says("Здравствуйте, помогу", ticket=1)
    await browser.polls()

    last = browser.shown[-1]
    assert (last["from"], last["name"], last["text"]) == ("operator", "Ольга", "Здравствуйте, помогу")


async def test_a_restart_loses_and_doubles_nothing(articles: Path, tmp_path: Path) -> None:
    """The token of before is known, the cursor goes on."""
    file = str(tmp_path / "bot.db")
    async with open_site(articles, storage=file) as site:
        before = site.browser()
        await before.opens()
        await before.says(QUESTION)
        await site.testbot.rest()
        await before.polls()
    async with open_site(articles, storage=file) as site:
        after = site.browser(token=before.token, cursor=before.cursor, shown=before.shown)
        assert await after.polls() == []
        await after.says("Спасибо", key="after-the-start")
        await site.testbot.rest()
        await after.polls()
        assert [m["id"] for m in (await after.opens())["messages"]] == [m["id"] for m in after.shown]
        assert after.texts[:1] == [f"visitor: {QUESTION}"] and "visitor: Спасибо" in after.texts


async def test_files_go_both_ways(site: Site) -> None:
    """A picture of the visitor reaches the desk, a file of the operator the page; each once."""
    browser = site.browser()
    await browser.opens()
    await browser.says("Позовите человека")
    await site.testbot.rest()
    content = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400
    for _ in range(2):
        assert (await browser.sends("чек.png", content, key="the-receipt", text="Вот чек")).status == 200
    await site.testbot.rest()
    posts = [p for p in await site.testbot.operator().sees(1) if p.attachments]
    assert [p.attachments[0].name for p in posts] == ["чек.png"]
    read = await site.testbot.service.outbox.files.read(posts[0].attachments[0])
    assert read.content == content

    sent = Attachment(Media.DOCUMENT, "f1", "telegram", "счёт.pdf", "application/pdf", 17)
    await site.testbot.operator().says("Ваш счёт", ticket=1, attachments=(sent,))
    await browser.polls()
    own = next(m for m in browser.shown if m["from"] == "visitor" and m["files"])
    theirs = next(m for m in browser.shown if m["from"] == "operator" and m["files"])
    assert (own["text"], own["files"][0]["picture"], own["files"][0]["size"]) == (
        "Вот чек",
        True,
        len(content),
    )
    answer = await browser.ask("GET", f"files/{own['files'][0]['id']}")
    assert answer.content_type == "image/png" and await answer.read() == content
    assert theirs["files"][0]["name"] in ("счёт.pdf", "file")
    answer = await browser.ask("GET", f"files/{theirs['files'][0]['id']}")
    assert (answer.status, await answer.read()) == (200, b"content of f1")


async def test_what_is_no_file_is_said_in_words_and_a_lost_file_is_told_to_the_operator(site: Site) -> None:
    """A place on the map is one to open; a file that cannot be had is no empty shape on the page."""
    browser = site.browser()
    await browser.opens()
    await browser.says("Позовите человека")
    await site.testbot.rest()
    operator = site.testbot.operator()
    place = Attachment(Media.LOCATION, channel="telegram", data={"latitude": 55.75, "longitude": 37.61})
    await operator.says("", ticket=1, attachments=(place,))
    await browser.polls()
    assert browser.shown[-1]["text"] == "📍 55.75, 37.61" and not browser.shown[-1]["files"]
    assert "https://www.openstreetmap.org/?mlat=55.75" in browser.shown[-1]["html"]

    lost = Attachment(Media.DOCUMENT, "f2", "closed-channel", "схема.pdf", "application/pdf", 17)
    await operator.says("Вот схема", ticket=1, attachments=(lost,))
    await browser.polls()
    assert browser.shown[-1]["text"] == "📍 55.75, 37.61"
    assert "Клиент не получил «Вот схема»" in (await operator.sees(1))[-1].text.text


async def test_an_operators_edit_is_shown_in_its_place(site: Site) -> None:
    """Also to who reads later; the time and the name stay those of the message."""
    browser = site.browser()
    await browser.opens()
    await browser.says("Позовите человека")
    await site.testbot.rest()
    olga = site.testbot.operator()
    await olga.says("Заказ придёт в среду", ticket=1, message="o77")
    await browser.polls()
    before = browser.shown[-1]
    site.testbot.clock.advance(minutes=3)
    await olga.does(InboundKind.EDIT, "Заказ придёт в четверг", ticket=1, message="o77")
    [event] = await browser.polls()

    after = browser.shown[-1]
    assert event["event"] == "edit" and (after["id"], after["at"]) == (before["id"], before["at"])
    assert (after["text"], after["name"], after["from"]) == ("Заказ придёт в четверг", "Ольга", "operator")
    assert after["edited"] and not before["edited"]
    assert (await browser.opens())["messages"][-1]["text"] == "Заказ придёт в четверг"


async def test_what_was_read_is_read_on_every_page(site: Site) -> None:
    browser = site.browser()
    await browser.opens()
    await browser.says(QUESTION)
    await site.testbot.rest()
    second = site.browser(token=browser.token)
    assert (await second.opens())["unread"] == 1
    await browser.polls()
    await browser.does("read", {"cursor": browser.cursor})
    assert (await second.opens())["unread"] == 0


async def test_a_poll_waits_for_news(site: Site) -> None:
    """And answers at once when there is some."""
    browser = site.browser()
    await browser.opens()
    await browser.says(QUESTION)
    await browser.polls()
    waiting = asyncio.create_task(browser.ask("GET", f"messages?after={browser.cursor}&wait=25"))
    while not site.adapter.chat.streams.is_watched((await site.testbot.store.listeners())[0].peer.chat):
        await asyncio.sleep(0.01)
    await site.testbot.rest()
    told = await (await waiting).json()
    assert [e["event"] for e in told["events"]] == ["message"] and told["messages"][0]["from"] == "bot"


async def test_older_words_are_read_page_by_page(site: Site) -> None:
    browser = site.browser()
    await browser.opens()
    for n in range(60):
        await browser.says(f"слово {n}")
        site.testbot.clock.advance(seconds=10)
    told = await browser.opens()
    assert [m["text"] for m in told["messages"]][::49] == ["слово 10", "слово 59"]
    answer = await browser.ask("GET", f"messages?before={told['messages'][0]['cursor']}")
    assert [m["text"] for m in (await answer.json())["messages"]] == [f"слово {n}" for n in range(10)]


async def test_consent_comes_before_the_first_word(articles: Path) -> None:
    """Where the owner wants it so: nothing is kept before the yes, and the yes is on record as elsewhere."""
    config = Config(consent=ConsentSettings(policy="https://shop.example/policy", version="3"))
    async with open_site(articles, with_settings(consent=True), config=config) as site:
        browser = site.browser()
        told = await browser.opens()
        assert told["settings"]["consent"]["url"] == "https://shop.example/policy"
        asked = told["settings"]["consent"]["text"]  # for the chat itself: nobody wants their contacts yet
        assert "ответить вам в этом чате" in asked and told["settings"]["email"] is False
        for path, body in (("messages", {"text": QUESTION}), ("start", {})):
            answer = await browser.ask("POST", path, json={"key": "too-early-1", **body})
            assert (answer.status, (await answer.json())["error"]) == (403, "consent")
        await browser.does("consent", {"agreed": False})
        assert await site.testbot.store.listeners() == ()
        for _ in range(2):
            await browser.does("consent", {"agreed": True})
        await browser.says(QUESTION)

        [listener] = await site.testbot.store.listeners()
        version, _, channel = consent_of(listener.customer.fields) or ("", "", "")
        assert (version, channel) == ("3", "site")
        [event] = await site.testbot.store.events(kinds=["consent_given"])
        assert event.data["version"] == "3" and event.data["channel"] == "site"
        words = hashlib.sha256(f"{asked}\nhttps://shop.example/policy".encode()).hexdigest()
        assert event.data["text"] == words[:12]
        assert "consent" not in (await browser.opens())["settings"]
        await browser.does("consent", {"agreed": False})
        answer = await browser.ask("POST", "messages", json={"key": "after-no-1", "text": "слово"})
        assert answer.status == 403


async def test_an_opened_chat_may_greet(site: Site) -> None:
    """Once; who has written is not greeted again."""
    browser = site.browser()
    await browser.opens()
    for key in ("start-0001", "start-0002"):
        await browser.does("start", {"key": key})
        await site.testbot.rest()
    await browser.polls()
    assert [m["from"] for m in browser.shown] == ["bot"]


async def test_a_forgotten_visitor_is_a_stranger(site: Site) -> None:
    """Their words are gone for their browser, too, and what is sent to them is not kept."""
    browser = site.browser()
    await browser.opens()
    await browser.says(QUESTION)
    await site.testbot.rest()
    [listener] = await site.testbot.store.listeners()
    exported = await site.testbot.store.export_customer(listener.customer.id)
    assert QUESTION in str(exported["chat_lines"]) and exported["visitors"]
    await browser.polls()
    await site.testbot.store.forget_customer(listener.customer.id, site.testbot.clock())
    for path in (f"messages?after={browser.cursor}", f"events?after={browser.cursor}"):
        # the page that stayed open begins anew: the lines of its chat count from one again
        assert (await browser.ask("GET", path)).status == 401
    assert (await browser.opens())["messages"] == []
    await browser.says("снова я")
    await site.testbot.rest()
    await browser.polls()
    assert browser.texts[0] == "visitor: снова я"


async def test_the_stream_goes_on_where_it_was_cut(site: Site) -> None:
    """Everything once, in order, whatever the network does in between."""
    browser = site.browser()
    await browser.opens()
    for n in range(6):
        await browser.says(f"слово {n}")
        await browser.streams(1)
    assert browser.texts == [f"visitor: слово {n}" for n in range(6)]
    await site.testbot.rest()
    reader = site.browser(token=browser.token)
    await reader.streams(len((await browser.opens())["messages"]))
    assert reader.texts == browser.texts


async def test_operators_see_from_which_page_a_visitor_writes(site: Site) -> None:
    """Once for each page, without what stands behind its path; a page of another site is nobody's."""
    browser = site.browser()
    await browser.opens()
    pages = (("/tea?token=geheim#x", "Чай"), ("/tea?b", "Чай"), ("/cups", "Чашки"))
    for n, (path, title) in enumerate(pages):
        page = {"url": f"https://shop.example{path}", "title": title}
        words = {"key": f"page-{n:05}", "text": f"Позовите человека {n}"}
        await browser.does("messages", {**words, "page": page})
        await site.testbot.rest()
    evil = {"url": "https://evil.example/login", "title": "Войдите"}
    await browser.does("messages", {"key": "page-evil", "text": "Ещё вопрос", "page": evil})
    await site.testbot.rest()

    desk = "\n".join(o.text.text for o in await site.testbot.operator().sees())
    assert desk.count("https://shop.example/tea") == 1 and "«Чай»" in desk
    assert desk.count("https://shop.example/cups") == 1
    assert "geheim" not in desk and "evil.example" not in desk and "Войдите" not in desk


async def test_a_visitor_is_answered_in_the_language_of_their_page(site: Site) -> None:
    browser = site.browser()
    await browser.opens(language="en-GB")
    await browser.does("start", {"key": "start-0001"})
    await site.testbot.rest()
    await browser.polls()
    [listener] = await site.testbot.store.listeners()
    assert listener.customer.language == "en" and browser.texts[0].startswith("bot: H")
