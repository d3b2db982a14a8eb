"""A visitor of a shop's page talks with the bot and with a person: kept, shown once, after whatever broke."""

from __future__ import annotations

from pathlib import Path

from tests.adapters.website.site import Site, open_site

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
