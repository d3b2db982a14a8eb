"""The shop's own customers: one chat on every device, theirs alone; what was said before goes on in it."""

from __future__ import annotations

from tests.adapters.website.shop_site import Site

QUESTION = "Сколько стоит доставка?"


async def test_a_customer_is_the_same_on_every_device(site: Site) -> None:
    """With the name and the address that the shop knows, on the card of one customer."""
    laptop, phone = site.browser(), site.browser()
    login = site.login(name="Анна Кузнецова", email="anna@example.org")
    await laptop.opens(login=login)
    await laptop.says(QUESTION)
    await site.testbot.rest()
    told = await phone.opens(login=site.login())
    assert told["messages"][0]["text"] == QUESTION and len(told["messages"]) == 2

    await phone.says("Спасибо")
    await site.testbot.rest()
    await laptop.polls()
    assert "visitor: Спасибо" in laptop.texts
    [listener] = await site.testbot.store.listeners()
    assert listener.customer.name == "Анна Кузнецова"
    assert listener.customer.fields["login"] == "4711"
    assert listener.customer.fields["email"] == "anna@example.org"


async def test_what_was_said_before_goes_on_after_the_login(site: Site) -> None:
    """The bot knows where the talk was: the chat is the same one, with its buttons."""
    browser = site.browser()
    await browser.opens()
    await browser.says(QUESTION)
    await site.testbot.rest()
    anonymous = browser.token
    told = await browser.opens(login=site.login())
    assert told["messages"][0]["text"] == QUESTION

    await browser.presses("Да")
    await site.testbot.rest()
    await browser.polls()
    assert len(await site.testbot.store.listeners()) == 1 and len(browser.shown) > 2
    # the value of before opens nothing any more
    old = site.browser(token=anonymous)
    assert (await old.ask("GET", "messages?after=0")).status == 401
    assert (await old.opens())["messages"] == []


async def test_two_chats_of_one_customer_become_one(site: Site) -> None:
    """What was said anonymously on a second device stands in the chat of the first; a button that was
    offered there still means what it said, and an answer to it comes there.
    """
    laptop, phone = site.browser(), site.browser()
    await laptop.opens(login=site.login())
    await laptop.says("Здравствуйте")
    await site.testbot.rest()
    await phone.opens()
    await phone.says(QUESTION)
    await site.testbot.rest()
    await phone.opens(login=site.login())

    assert f"visitor: {QUESTION}" in phone.texts and phone.texts[0] == "visitor: Здравствуйте"
    before = len(phone.shown)
    await phone.presses("Да")
    await site.testbot.rest()
    await phone.polls()
    assert len(phone.shown) > before + 1
    await laptop.polls()
    assert laptop.texts == phone.texts
    assert len({r.customer.id for r in await site.testbot.store.listeners()}) == 1


async def test_another_login_sees_nothing_of_the_one_before(site: Site) -> None:
    """On one browser: neither by the old value, nor without a login, nor with another one."""
    browser = site.browser()
    await browser.opens(login=site.login("anna"))
    await browser.says("тайна Анны")
    await site.testbot.rest()
    assert (await browser.opens(login=site.login("boris")))["messages"] == []
    await browser.says("слова Бориса")
    assert (await browser.opens())["messages"] == []  # nobody is logged in
    await browser.opens(login=site.login("anna"))
    assert browser.texts[0] == "visitor: тайна Анны" and "visitor: слова Бориса" not in browser.texts


async def test_who_logs_out_is_nobody(site: Site) -> None:
    browser = site.browser()
    await browser.opens(login=site.login())
    await browser.says("тайна")
    await browser.does("logout")
    browser.token = ""
    assert (await browser.opens())["messages"] == []


async def test_a_login_leaves_nothing_behind_until_somebody_writes(site: Site) -> None:
    browser = site.browser()
    await browser.opens(login=site.login(name="Анна"))
    await browser.opens()
    assert await site.testbot.store.listeners() == ()


async def test_a_login_holds_for_half_a_day(site: Site) -> None:
    """A browser that is left open by itself does not stay somebody's for months."""
    browser = site.browser()
    await browser.opens(login=site.login())
    await browser.says("тайна")
    site.testbot.clock.advance(hours=13)
    assert (await browser.ask("GET", "messages?after=0")).status == 401


async def test_a_cookie_knows_the_visitor_whose_browser_forgot(site: Site) -> None:
    """Over https alone, and for this chat's addresses; a login needs its proof again."""
    browser = site.browser()
    secure = {"X-Forwarded-Proto": "https"}
    answer = await browser.ask("POST", "session", json={}, headers=secure)
    cookie = answer.headers["Set-Cookie"]
    for part in ("Path=/chat/site/", "Secure", "HttpOnly", "SameSite=None", "Partitioned"):
        assert part in cookie
    browser.token = (await answer.json())["visitor"]
    await browser.says("помните меня?")
    forgetful = site.browser()
    kept = {**secure, "Cookie": cookie.partition(";")[0]}
    told = await (await forgetful.ask("POST", "session", json={}, headers=kept)).json()
    assert [m["text"] for m in told["messages"]] == ["помните меня?"]

    login = {"login": site.login()}
    answer = await forgetful.ask("POST", "session", json=login, headers=kept)
    named = {**secure, "Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    told = await (await forgetful.ask("POST", "session", json={}, headers=named)).json()
    assert told["messages"] == []
    answer = await forgetful.ask("POST", "logout", json={}, headers=named)
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert "Set-Cookie" not in (await browser.ask("POST", "session", json={})).headers


async def test_a_clock_that_was_set_back_makes_nobody_unknown(site: Site) -> None:
    """Their chat goes on, whatever the machine does with its time."""
    browser = site.browser()
    await browser.opens()
    await browser.says("я тут")
    site.testbot.clock.advance(seconds=-3)
    told = await browser.opens()

    assert [m["text"] for m in told["messages"]] == ["я тут"]
