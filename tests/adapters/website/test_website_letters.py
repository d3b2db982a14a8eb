"""Who left an address and is away hears by letter that a person has answered: once, and with the words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.website.shop_site import Browser, Site, open_site, with_settings


async def answered(site: Site) -> Browser:
    """A visitor who left an address, and whom an operator has answered."""
    browser = site.browser()
    await browser.opens()
    await browser.does("email", {"address": "anna@example.org"})
    await browser.says("Позовите человека")
    await site.testbot.rest()
    await browser.polls()
    await browser.does("read", {"cursor": browser.cursor})
    await site.testbot.operator().says("Посылка нашлась", ticket=1)
    return browser


async def letters(site: Site, minutes: float) -> list[str]:
    """What letters say after so long, all of them."""
    site.testbot.clock.advance(minutes=minutes)
    await site.adapter.letters.look()
    await site.testbot.rest()
    return [s.outbound.text.text for s in site.mail.in_chat("anna@example.org")]


async def test_who_is_away_gets_one_letter_with_the_words(site: Site) -> None:
    await answered(site)
    assert await letters(site, 5) == []
    [letter] = await letters(site, 6)
    assert "Ольга: Посылка нашлась" in letter
    [sent] = site.mail.in_chat("anna@example.org")
    assert sent.outbound.buttons[0][0].url == "https://shop.example/#support-chat"
    await site.testbot.operator().says("Заберите её сегодня", ticket=1)
    assert await letters(site, 60) == [letter]


async def test_after_they_were_there_the_next_absence_has_its_letter(site: Site) -> None:
    browser = await answered(site)
    assert len(await letters(site, 11)) == 1
    await browser.opens()
    await browser.does("read", {"cursor": browser.cursor})
    await site.testbot.operator().says("Всё в порядке?", ticket=1)
    told = await letters(site, 11)
    assert len(told) == 2 and "Всё в порядке?" in told[1] and "нашлась" not in told[1]


async def test_who_reads_the_chat_gets_no_letter(site: Site) -> None:
    browser = await answered(site)
    await browser.does("read", {"cursor": str(int(browser.cursor) + 9)})
    assert await letters(site, 600) == []


async def test_the_bots_own_words_are_no_reason_for_a_letter(site: Site) -> None:
    browser = site.browser()
    await browser.opens()
    await browser.does("email", {"address": "anna@example.org"})
    await browser.says("Сколько стоит доставка?")
    await site.testbot.rest()
    assert await letters(site, 600) == []


async def test_the_address_is_the_customers_and_may_be_taken_away(site: Site) -> None:
    browser = await answered(site)
    [listener] = await site.testbot.store.listeners()
    assert listener.customer.fields["email"] == "anna@example.org"
    assert (await browser.opens())["settings"]["email"] is False
    await browser.does("email", {"address": ""})
    assert (await browser.opens())["settings"]["email"] is True
    assert await letters(site, 600) == []


@pytest.mark.parametrize("changes", [{"ask_email": False}, {"letters": ""}])
async def test_no_address_is_taken_to_which_nothing_is_sent(
    articles: Path, changes: dict[str, object]
) -> None:
    """“The answer will come to your e-mail” is said only where it will."""
    async with open_site(articles, with_settings(**changes)) as site:
        browser = site.browser()
        assert (await browser.opens())["settings"]["email"] is False
        answer = await browser.ask("POST", "email", json={"address": "anna@example.org"})
        assert answer.status == 404


async def test_the_desk_sees_that_a_visitor_types(site: Site) -> None:
    """In the ticket's topic, while a person has the ticket; not for every letter that is typed."""
    hints: list[tuple[str, str]] = []

    async def hint(outbound_chat: str, thread: str = "") -> None:
        hints.append((outbound_chat, thread))

    site.testbot.channels["telegram"].hint_typing = hint  # type: ignore[method-assign]
    browser = await answered(site)
    for _ in range(3):
        await browser.does("typing")
    thread = await site.testbot.operator().thread(1)
    assert hints == [(site.testbot.place.chat, thread)] and thread
