"""The chat on a shop's page in a real browser: from another origin, under a strict policy, over a network
that fails. What a visitor writes reaches the service once, whatever happens; nobody reads another's words.

With WIDGET_PICTURES=FOLDER it is kept there as pictures (`make pictures`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.testing.harness import NOON
from tests.web.browser import browser, faults
from tests.web.website_chat import FILE_LIMIT, WebsiteChat, opened_chat

__all__ = ["browser"]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
QUESTION = "Как вернуть кольцо?"
DROPPED = """(size) => {
  const held = new DataTransfer(), facts = {dataTransfer: held, bubbles: true, cancelable: true};
  held.items.add(new File([new Uint8Array(size)], 'big.bin'));
  const panel = document.querySelector('support-chat').shadowRoot.querySelector('.panel');
  panel.dispatchEvent(new DragEvent('drop', facts));
}"""
ADDED = """() => {
  window.added = [];
  const log = document.querySelector('support-chat').shadowRoot.querySelector('.log');
  const told = (changes) => changes.flatMap((c) => c.target === log ? [...c.addedNodes] : []).map((n) =>
    n.className.split(' ')[1]);
  new MutationObserver((changes) => window.added.push(...told(changes))).observe(log, {childList: true});
}"""
LOG = "document.querySelector('support-chat').shadowRoot.querySelector('.log')"
IN_FOCUS = "document.querySelector('support-chat').shadowRoot.activeElement"


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebsiteChat]:
    with opened_chat(tmp_path_factory.mktemp("site")) as chat:
        yield chat


@pytest.fixture(autouse=True)
def whole_network(chat: WebsiteChat) -> Iterator[None]:
    chat.network.mend()
    yield
    chat.network.mend()


class Visitor:
    """Somebody on the shop's page; at the end nothing may have broken it."""

    def __init__(self, browser: Any, chat: WebsiteChat, **facts: Any) -> None:
        self.chat = chat
        self.context = browser.new_context(**{"viewport": DESK, "locale": "ru-RU", **facts})
        self.context.set_default_timeout(8_000)
        self.complaints: list[str] = []
        self.page = self.tab()

    def tab(self) -> Any:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", self._told)
        return page

    def _told(self, message: Any) -> None:
        # a failed request is told by the browser itself, which no script can prevent
        expected = "net::" in message.text or "status of" in message.text
        expected = expected or "CORS policy" in message.text  # what stood in between answered
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(f"{message.type}: {message.text}")

    def opens(self, query: str = "", page: Any = None) -> None:
        page = page or self.page
        page.goto(f"{self.chat.shop}/{query}")
        page.wait_for_selector("support-chat .launch")

    def starts(self, query: str = "") -> Visitor:
        """Open the page, and the chat on it."""
        self.opens(query)
        self.page.click(".launch")
        self.page.wait_for_selector("#field:focus")
        self.page.wait_for_function("() => Object.keys(localStorage).some((key) => key.endsWith(' visitor'))")
        return self

    def writes(self, text: str, page: Any = None) -> None:
        page = page or self.page
        page.fill("#field", text)
        page.press("#field", "Enter")

    def reads(self, text: str, page: Any = None, who: str = "bot") -> None:
        (page or self.page).wait_for_selector(f".row.{who} >> text={text}")

    def own(self, page: Any = None) -> list[str]:
        """What they see of their own words, with what stands below what is on its way."""
        return list((page or self.page).locator(".row.visitor .words").all_inner_texts())

    def arrived(self, *texts: str, page: Any = None) -> None:
        """Wait until the service has all of them, and nothing is on its way any more."""
        page = page or self.page
        page.wait_for_function(
            "() => !Object.keys(localStorage).some((key) => key.includes(' out '))", timeout=15_000
        )
        page.wait_for_function(
            "(n) => document.querySelector('support-chat').shadowRoot"
            ".querySelectorAll('.visitor .words').length === n",
            arg=len(texts),
        )
        assert self.own(page) == list(texts)

    def leaves(self) -> None:
        self.context.close()
        assert self.complaints == []


@pytest.fixture
def visitor(browser: Any, chat: WebsiteChat) -> Iterator[Visitor]:
    visitor = Visitor(browser, chat)
    yield visitor
    visitor.leaves()


def pictured(page: Any, name: str) -> None:
    if folder := os.environ.get("WIDGET_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


@pytest.mark.parametrize(("size", "kept"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_a_conversation_is_readable_wide_and_narrow_by_day_and_by_night(
    browser: Any, chat: WebsiteChat, size: dict[str, int], kept: str
) -> None:
    """The button, the bot's answer, a colleague's: nothing serious for axe, nothing of the page's styles in
    it, on a phone the whole screen.
    """
    visitor = Visitor(browser, chat, viewport=size).starts()
    visitor.writes(QUESTION)
    visitor.arrived(QUESTION)
    chat.rest()
    visitor.reads("14 дней")
    visitor.writes("Позовите человека")
    visitor.arrived(QUESTION, "Позовите человека")
    chat.rest()
    chat.operator_says(visitor.page, "Здравствуйте! Смотрю ваш заказ.")
    visitor.reads("Смотрю ваш заказ", who="operator")

    assert visitor.page.inner_text(".operator .who b") == "Ольга"
    box = visitor.page.locator(".panel").bounding_box()
    assert (box["width"], box["height"]) == (388, 640) if size is DESK else (390, 844)
    assert visitor.page.locator(".bubble").first.evaluate("(e) => getComputedStyle(e).fontSize") == "15px"
    for scheme in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=scheme)
        assert faults(visitor.page) == []
        if scheme == kept:
            pictured(visitor.page, f"chat-{size['width']}-{scheme}")
    visitor.page.click(".shut")
    assert faults(visitor.page) == []
    visitor.leaves()


def test_nothing_is_lost_or_doubled_over_a_network_that_fails(visitor: Visitor, chat: WebsiteChat) -> None:
    """The way there breaks, the way back breaks, something between answers in the server's place, all
    connections are cut at once.
    """
    faults: dict[str, dict[int, Any]] = {
        "session": {1: "refuse", 2: "lose the answer"},
        "messages": {1: "lose the answer", 2: "error", 3: "refuse", 6: "lose the answer"},
        "events": {1: "refuse", 3: "error"},
    }
    chat.network.fault = lambda path, number: faults.get(path, {}).get(number, "")
    visitor.page.clock.install()
    visitor.opens()
    visitor.page.click(".launch")
    words = ["раз", "два", "три", "четыре", "пять"]
    for text in words:
        visitor.writes(text)
    while chat.network.asked["messages"] < 8:
        visitor.page.clock.run_for(4_000)
        chat.cut()
    visitor.page.clock.run_for(20_000)
    visitor.arrived(*words)

    assert chat.kept(visitor.page) == words
    # a session that fails often enough is told to whoever builds the page
    visitor.complaints = [told for told in visitor.complaints if "no answer from" not in told]


def test_what_is_on_its_way_survives_a_reload(visitor: Visitor, chat: WebsiteChat) -> None:
    """Written without a connection, sent by the next page: in order, each once, though the first one had
    arrived already.
    """
    visitor.starts()
    chat.network.fault = lambda path, number: "lose the answer" if path == "messages" else "refuse"
    chat.cut()
    visitor.writes("первое")
    chat.until(lambda: chat.network.asked["messages"] >= 1)
    chat.network.fault = lambda path, number: "refuse"
    visitor.writes("второе")
    visitor.page.wait_for_selector(".visitor .meta >> text=Отправляется")
    visitor.page.reload()
    visitor.page.wait_for_selector(".visitor >> text=второе")
    chat.network.mend()
    visitor.page.reload()
    visitor.arrived("первое", "второе")

    assert chat.kept(visitor.page) == ["первое", "второе"]


def test_a_restarted_server_has_everything(visitor: Visitor, chat: WebsiteChat) -> None:
    visitor.starts()
    visitor.writes("до перезапуска")
    visitor.arrived("до перезапуска")
    chat.stop()
    visitor.writes("во время перезапуска")
    visitor.page.wait_for_selector(".notice >> text=Нет связи")
    chat.start()
    visitor.arrived("до перезапуска", "во время перезапуска")

    assert chat.kept(visitor.page) == ["до перезапуска", "во время перезапуска"]


def test_a_tab_sends_what_a_closed_one_could_not(visitor: Visitor, chat: WebsiteChat) -> None:
    second = visitor.starts().tab()
    second.clock.install()
    visitor.opens(page=second)
    second.click(".launch")
    chat.network.fault = lambda path, number: "refuse" if path == "messages" else ""
    visitor.writes("написано в закрытой")
    second.wait_for_selector(".visitor >> text=написано в закрытой")
    visitor.page.close()
    chat.network.mend()
    second.clock.run_for(6_000)
    visitor.arrived("написано в закрытой", page=second)

    assert chat.kept(second) == ["написано в закрытой"]


def test_tabs_in_two_languages_leave_each_other_in_peace(visitor: Visitor, chat: WebsiteChat) -> None:
    """One visitor, however often a language, or a name, is told anew: neither page begins again."""
    visitor.starts(f"?login={chat.login('wera')}")
    visitor.writes("по-русски")
    visitor.arrived("по-русски")
    visitor.page.fill("#field", "черновик")
    second = visitor.tab()
    visitor.opens(f"?lang=en&login={chat.login('wera')}", page=second)
    second.click(".launch")
    visitor.writes("in English", second)
    for page in (visitor.page, second):
        visitor.arrived("по-русски", "in English", page=page)

    assert visitor.page.input_value("#field") == "черновик"
    assert chat.network.asked["session"] == 2


def test_a_login_in_another_tab_is_left_alone(visitor: Visitor, chat: WebsiteChat) -> None:
    """The page of before shows nothing of it and takes nothing from it until it is loaded anew."""
    visitor.starts()
    visitor.writes("ещё гость")
    visitor.arrived("ещё гость")
    second = visitor.tab()
    visitor.opens(f"?open&login={chat.login('galja')}", page=second)
    visitor.arrived("ещё гость", page=second)
    visitor.page.wait_for_selector(".launch", state="hidden")
    second.fill("#field", "уже Галя")
    second.press("#field", "Enter")
    visitor.arrived("ещё гость", "уже Галя", page=second)

    assert chat.network.asked["session"] == 2
    assert visitor.own() == []
    second.evaluate("supportChat.logout()")
    second.wait_for_selector(".hello")
    assert visitor.own(second) == []


def test_two_tabs_show_one_conversation(visitor: Visitor, chat: WebsiteChat) -> None:
    """What is written in either stands in both, once; what is read in one is read in the other."""
    visitor.starts()
    visitor.writes("из первой")
    visitor.arrived("из первой")
    second = visitor.tab()
    visitor.opens(page=second)
    second.click(".launch")
    visitor.writes("из второй", second)
    for page in (visitor.page, second):
        visitor.arrived("из первой", "из второй", page=page)
    second.keyboard.press("Escape")
    chat.rest()
    visitor.reads("", page=visitor.page)
    second.wait_for_function(
        "() => document.querySelector('support-chat').shadowRoot.querySelector('.count').hidden"
    )

    assert chat.kept(visitor.page) == ["из первой", "из второй"]


def test_the_keyboard_alone_is_enough(visitor: Visitor, chat: WebsiteChat) -> None:
    """Tab leads to the button, Enter opens, writes and sends; Tab stays inside, Escape goes back; the page's
    own shortcuts hear none of it.
    """
    page = visitor.page
    visitor.opens()
    page.evaluate("document.addEventListener('keydown', (e) => { document.title += e.key; })")
    page.focus("#link")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#field:focus")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    visitor.arrived(QUESTION)
    chat.rest()
    visitor.reads("14 дней")
    stops = []
    for _ in range(20):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(f"{IN_FOCUS} && ({IN_FOCUS}.id || {IN_FOCUS}.className)"))

    assert None not in stops
    assert {"shut", "log", "clip", "field", "key"} <= set(stops)
    page.keyboard.press("Escape")
    assert page.evaluate(f"{IN_FOCUS}.className") == "launch"
    assert not page.locator(".panel").is_visible()
    assert page.title() == "ЛютикTab"  # what was pressed outside


def test_unread_answers_are_counted_and_told(visitor: Visitor, chat: WebsiteChat) -> None:
    """The number stands at the button and in its name, over a reload, and is gone once read."""
    visitor.starts()
    visitor.writes("Позовите человека")
    visitor.arrived("Позовите человека")
    chat.rest()
    visitor.reads("")
    visitor.page.click(".shut")
    chat.operator_says(visitor.page, "Ваш заказ в пути.")
    visitor.page.wait_for_selector(".count >> text=1")
    chat.operator_says(visitor.page, "Приедет завтра.")
    visitor.page.wait_for_selector(".count >> text=2")

    assert visitor.page.get_attribute(".launch", "aria-label") == "Открыть чат. Непрочитанных: 2"
    assert "Приедет завтра." in visitor.page.inner_text(".all > .unseen")
    visitor.page.reload()
    visitor.page.wait_for_selector(".count >> text=2")
    assert visitor.page.locator(".panel").count() == 1
    visitor.page.click(".launch")
    visitor.reads("Приедет завтра.", who="operator")
    visitor.page.wait_for_function("() => Object.keys(localStorage).some((key) => key.endsWith(' read'))")
    visitor.page.reload()
    visitor.reads("Приедет завтра.", who="operator")
    assert not visitor.page.locator(".count").is_visible()


def test_files_go_both_ways(visitor: Visitor, chat: WebsiteChat) -> None:
    """By the button, with the answer lost: once. A picture is shown and opens large, too large a file is
    refused in words.
    """
    chat.network.fault = lambda path, number: "lose the answer" if (path, number) == ("files", 1) else ""
    visitor.starts()
    page = visitor.page
    drawn = BytesIO()
    Image.radial_gradient("L").save(drawn, "PNG")
    picture = {"name": "кольцо.png", "mimeType": "image/png", "buffer": drawn.getvalue()}
    page.set_input_files("input[type=file]", files=[picture])
    page.wait_for_selector(".visitor .picture canvas")
    page.wait_for_function(
        "() => !document.querySelector('support-chat').shadowRoot.querySelector('progress')"
    )

    assert len(chat.kept(visitor.page)) == 1
    page.click(".picture")
    assert page.get_attribute(".viewer canvas", "aria-label") == "кольцо.png"
    page.keyboard.press("Escape")
    assert page.evaluate(f"{IN_FOCUS}.className") == "picture"
    with page.expect_download() as saved:
        page.click(".picture")
        page.click(".viewer .shut >> nth=0")
    assert saved.value.suggested_filename == "кольцо.png"
    page.keyboard.press("Escape")
    page.evaluate(DROPPED, FILE_LIMIT + 1)
    page.wait_for_selector(".notice >> text=big.bin: файл больше")


def test_files_wait_as_long_as_it_takes(visitor: Visitor, chat: WebsiteChat) -> None:
    """For a server that is away, and for their turn where there are many; only an empty one is not taken."""
    page = visitor.page
    page.clock.install()
    visitor.starts()
    chat.network.fault = lambda path, number: "error"
    chat.cut()
    page.wait_for_selector(".notice >> text=Нет связи")
    files = [{"name": f"{n}.txt", "mimeType": "text/plain", "buffer": b"%d" % n} for n in range(11)]
    page.set_input_files("input[type=file]", files=[{**files[0], "buffer": b""}])
    page.wait_for_selector(".notice >> text=0.txt: файл пустой")
    page.set_input_files("input[type=file]", files=files)
    for tries in range(1, 9):
        chat.until(lambda tries=tries: chat.network.asked["files"] >= tries)  # type: ignore[misc]
        page.clock.fast_forward(31_000)
    assert page.locator(".why").count() == 0

    chat.network.mend()
    page.clock.fast_forward(31_000)
    chat.until(lambda: chat.network.asked["files"] >= 11)
    chat.until(lambda: len(chat.kept(page)) == 10)
    chat.do(moved(chat, 301))
    for _ in range(10):
        page.clock.fast_forward(30_100)
    page.wait_for_function(
        "() => !document.querySelector('support-chat').shadowRoot.querySelector('progress, .why')"
    )
    assert len(chat.kept(page)) == 11 and chat.network.asked["files"] == 12


async def moved(chat: WebsiteChat, seconds: float) -> None:
    chat.site.testbot.clock.advance(seconds=seconds)


def test_what_was_said_long_ago_is_read_by_scrolling_up(visitor: Visitor, chat: WebsiteChat) -> None:
    """In order, each once, and what was in view stays in view."""
    visitor.starts()
    visitor.writes("самое первое")
    visitor.arrived("самое первое")
    chat.bot_says(visitor.page, [f"ответ номер {n}" for n in range(55)])
    visitor.page.reload()
    visitor.reads("ответ номер 54")
    assert visitor.page.locator(".row").count() == 50
    visitor.page.evaluate(f"{LOG}.scrollTop = 0")
    visitor.page.wait_for_selector(".visitor >> text=самое первое")

    assert visitor.page.evaluate(f"{LOG}.scrollTop") > 200
    shown = visitor.page.locator(".bot .words").all_inner_texts()
    assert [text for text in shown if "номер" in text] == [f"ответ номер {n}" for n in range(55)]


def test_a_button_of_a_message_is_pressed_once(visitor: Visitor, chat: WebsiteChat) -> None:
    """It stands there as their words, stays chosen over a reload; an address opens a page of its own."""
    visitor.starts()
    visitor.writes(QUESTION)
    visitor.arrived(QUESTION)
    chat.rest()
    visitor.reads("14 дней")
    link = visitor.page.locator(".key >> text=Правила")
    visitor.page.click(".key >> text=Сроки")
    visitor.arrived(QUESTION, "Сроки")
    chat.rest()
    visitor.reads("за 10 дней")
    visitor.page.reload()
    visitor.reads("за 10 дней")

    assert visitor.page.get_attribute(".key >> text=Сроки", "aria-pressed") == "true"
    assert visitor.page.is_disabled(".key >> text=Сроки")
    assert [link.get_attribute(name) for name in ("href", "target", "rel")] == [
        "https://shop.example/rules",
        "_blank",
        "noopener noreferrer nofollow",
    ]
    assert chat.kept(visitor.page)[0] == QUESTION


def test_typing_is_seen_on_both_sides(visitor: Visitor, chat: WebsiteChat) -> None:
    visitor.starts()
    visitor.writes(QUESTION)
    visitor.arrived(QUESTION)
    visitor.page.keyboard.type("ещё")
    chat.until(lambda: chat.network.asked["typing"] >= 1)
    visitor.page.keyboard.type(" вопрос")
    chat.hints_typing(visitor.page)
    visitor.page.wait_for_selector(".typing")
    assert visitor.page.inner_text(".sub") == "Бот печатает…"
    chat.rest()
    visitor.reads("14 дней")

    assert not visitor.page.locator(".typing").is_visible()
    assert chat.network.asked["typing"] == 1  # once in a while, not for each letter


def test_what_an_operator_corrects_is_corrected_on_the_page(visitor: Visitor, chat: WebsiteChat) -> None:
    visitor.starts()
    visitor.writes("Позовите человека")
    visitor.arrived("Позовите человека")
    chat.rest()
    chat.operator_says(visitor.page, "Привезём в пятницу", message="o77")
    visitor.reads("в пятницу", who="operator")
    chat.operator_corrects(visitor.page, "Привезём в субботу", message="o77")
    visitor.reads("в субботу", who="operator")

    assert visitor.page.locator(".operator >> text=пятницу").count() == 0
    assert "изменено" in visitor.page.inner_text(".operator .meta")
    chat.operator_says(visitor.page, "/undo")
    visitor.page.wait_for_selector(".operator", state="detached")


def test_an_address_is_left_for_an_answer_that_comes_later(visitor: Visitor, chat: WebsiteChat) -> None:
    """Offered once something was written; what is no address is told where it stands."""
    visitor.starts()
    assert not visitor.page.locator(".email").is_visible()
    visitor.writes(QUESTION)
    visitor.arrived(QUESTION)
    visitor.page.click(".email .link")
    visitor.page.fill("#email", "anna@")
    visitor.page.press("#email", "Enter")
    visitor.page.wait_for_selector(".wrong >> text=опечатка")
    assert faults(visitor.page) == []
    visitor.page.fill("#email", "anna@example.com")
    visitor.page.press("#email", "Enter")
    visitor.page.wait_for_selector(".notice >> text=anna@example.com")
    visitor.page.reload()
    visitor.page.wait_for_selector(".visitor .words")

    assert not visitor.page.locator(".email").is_visible()
    assert chat.email(visitor.page) == "anna@example.com"


def test_who_logs_in_sees_nothing_of_who_was_there_before(visitor: Visitor, chat: WebsiteChat) -> None:
    """A guest's words go along with them; another customer's are gone at once, a draft, too; what the one
    before had not yet sent is sent as theirs. A logout leaves nothing.
    """
    page = visitor.starts().page
    visitor.writes("от гостя")
    visitor.arrived("от гостя")
    page.evaluate("(token) => supportChat.login(token)", chat.login("anna"))
    visitor.writes("от Анны")
    visitor.arrived("от гостя", "от Анны")
    chat.network.fault = lambda path, number: "refuse" if path == "messages" else ""
    visitor.writes("Анна без связи")
    page.wait_for_selector(".visitor >> text=Анна без связи")
    page.fill("#field", "черновик Анны")
    page.evaluate("(token) => supportChat.login(token)", chat.login("boris"))
    page.wait_for_selector(".hello")
    assert visitor.own() == [] and page.input_value("#field") == ""
    chat.network.mend()
    visitor.writes("от Бориса")
    visitor.arrived("от Бориса")
    assert chat.kept(page) == ["от Бориса"]
    page.goto(f"{chat.shop}/?login={chat.login('anna')}")
    visitor.arrived("от гостя", "от Анны", "Анна без связи")
    page.evaluate("supportChat.logout()")
    page.wait_for_selector(".hello")

    assert visitor.own() == []
    page.wait_for_selector(".sub >> text=Отвечает бот")
    names = page.evaluate("Object.keys(localStorage).map((key) => key.split(' ').slice(2).join(' '))")
    assert set(names) <= {"visitor", "person", "leave"}


def test_a_message_is_told_to_a_screen_reader_once(visitor: Visitor, chat: WebsiteChat) -> None:
    """On its way, sent, kept: the same piece of the page, of which only the small print changes."""
    visitor.page.clock.install(time=NOON)
    visitor.starts()
    visitor.writes("первое")
    visitor.arrived("первое")
    visitor.page.evaluate(ADDED)
    visitor.writes("второе")
    visitor.arrived("первое", "второе")
    visitor.page.wait_for_selector(".last.visitor time")
    chat.rest()
    visitor.reads("")

    answers = visitor.page.locator(".row.bot").count()
    assert visitor.page.evaluate("window.added") == ["visitor", *["bot"] * answers]


def test_what_stands_in_an_answer_is_never_markup_of_its_own(visitor: Visitor, chat: WebsiteChat) -> None:
    """Even if a server were to send it: styles and links are built anew, all else is words or nothing."""
    html = (
        "<b onclick='x()'>жирно</b> &lt;i&gt; <img src=x onerror=x()><script>x()</script><iframe src=//a.b>"
        "</iframe><a href='javascript:x()'>сюда</a> <a href='https://shop.example/?a=1&amp;b=2'>туда</a><"
    )
    message = {"id": "m1", "cursor": "1", "from": "bot", "name": "", "text": "", "html": html, "buttons": []}
    told = {"visitor": "a.b.c", "person": "a", "language": "ru", "settings": {}, "cursor": "1", "unread": 0}
    told["messages"] = [{**message, "files": [], "at": "2026-11-20T09:00:00Z", "edited": False}]
    origin = {"Access-Control-Allow-Origin": chat.shop, "Access-Control-Allow-Credentials": "true"}
    visitor.page.route("**/session", lambda route: route.fulfill(json=told, headers=origin))
    visitor.opens("?open")
    visitor.reads("жирно")

    assert visitor.page.inner_html(".bot .words") == (
        '<b>жирно</b> &lt;i&gt; <a>сюда</a> <a href="https://shop.example/?a=1&amp;b=2" target="_blank"'
        ' rel="noopener noreferrer nofollow">туда</a>&lt;'
    )


def test_the_keyboard_of_a_phone_covers_nothing(browser: Any, chat: WebsiteChat) -> None:
    """What is left of the screen is the chat's: its field stands above the keyboard, wherever the page is
    scrolled.
    """
    visitor = Visitor(browser, chat, viewport=PHONE)
    visitor.page.add_init_script(
        "window.seen = Object.assign(new EventTarget(), {height: 844, offsetTop: 0, scale: 1});"
        "Object.defineProperty(window, 'visualViewport', {value: seen});"
    )
    visitor.starts()
    visitor.page.evaluate("seen.height = 420; seen.offsetTop = 60; seen.dispatchEvent(new Event('resize'))")
    panel = visitor.page.locator(".panel").bounding_box()
    field = visitor.page.locator("#field").bounding_box()

    assert (panel["y"], panel["height"], panel["width"]) == (60, 420, 390)
    assert field["y"] + field["height"] < 480
    visitor.leaves()


def test_a_stream_that_is_held_up_gives_way_to_asking(visitor: Visitor, chat: WebsiteChat) -> None:
    """Something in between keeps streams to itself: after a while without a sign the page asks instead."""
    chat.network.fault = lambda path, number: "hold back" if path == "events" else ""
    visitor.page.clock.install()
    visitor.starts()
    visitor.writes(QUESTION)
    chat.until(lambda: visitor.page.clock.run_for(5_000) or chat.network.asked["poll"] > 0)
    visitor.arrived(QUESTION)
    chat.rest()
    visitor.reads("14 дней")

    assert chat.network.asked["events"] == 1  # and never again in this tab


def test_a_browser_that_keeps_nothing_is_no_hindrance(browser: Any, chat: WebsiteChat) -> None:
    visitor = Visitor(browser, chat)
    for name in ("localStorage", "sessionStorage"):
        visitor.page.add_init_script(
            f"Object.defineProperty(window, '{name}', {{get() {{ throw new Error('denied'); }}}});"
        )
    visitor.opens()
    visitor.page.click(".launch")
    visitor.writes(QUESTION)
    visitor.page.wait_for_selector(".visitor time")
    chat.rest()
    visitor.reads("14 дней")

    assert visitor.own() == [QUESTION]
    visitor.leaves()


def test_the_script_twice_or_called_early_is_one_chat(browser: Any, chat: WebsiteChat) -> None:
    """And a clock that is years off changes neither the order nor what time an answer shows."""
    visitor = Visitor(browser, chat)
    visitor.page.clock.install(time="2001-01-01T00:00:00")
    visitor.opens("?page=twice&lang=en")
    assert visitor.page.locator("support-chat").count() == 1
    assert visitor.page.get_attribute(".launch", "aria-label") == "Open chat"
    visitor.opens("?page=early")
    visitor.page.wait_for_selector(".panel")
    for text in ("раз", "два"):
        visitor.writes(text)
    visitor.arrived("раз", "два")

    assert "ноября" in visitor.page.inner_text(".day")  # the service's
    visitor.leaves()


def test_a_site_that_is_not_listed_is_told_so_in_the_console(browser: Any, chat: WebsiteChat) -> None:
    """Whoever builds the page sees what to do; the page itself stays whole."""
    visitor = Visitor(browser, chat)
    visitor.page.clock.install()
    visitor.page.goto(chat.shop.replace("127.0.0.1", "localhost"))
    visitor.page.click(".launch")
    visitor.writes("Есть кто?")
    chat.until(lambda: visitor.page.clock.run_for(5_000) or bool(visitor.complaints))

    assert "is http://localhost" in visitor.complaints[0] and "`origins`" in visitor.complaints[0]
    assert visitor.page.inner_text("h1") == "Украшения ручной работы"
    visitor.context.close()


def test_a_page_that_forbids_the_script_stays_whole(browser: Any, chat: WebsiteChat) -> None:
    visitor = Visitor(browser, chat)
    visitor.page.goto(f"{chat.shop}/?page=blocked")

    assert visitor.page.inner_text("h1") == "Украшения ручной работы"
    assert visitor.page.locator("support-chat").count() == 0
    visitor.context.close()
    assert [c for c in visitor.complaints if "violates the following" not in c] == []


def test_consent_comes_before_the_first_message(browser: Any, tmp_path: Path) -> None:
    """There is no field until the yes; a no says why, and leaves the way open."""
    with opened_chat(tmp_path, consent=True) as chat:
        visitor = Visitor(browser, chat)
        visitor.opens()
        page = visitor.page
        page.click(".launch")
        page.wait_for_selector(".consent button:focus")
        assert not page.locator("#field").is_visible()
        assert page.get_attribute(".consent a", "href") == "https://shop.example/privacy"
        assert faults(page) == []
        page.click(".consent button >> text=Не сейчас")
        page.wait_for_selector(".consent >> text=нужно ваше согласие")
        page.click(".consent .main")
        page.wait_for_selector("#field:focus")
        visitor.writes(QUESTION)
        visitor.arrived(QUESTION)
        page.wait_for_selector(".email")  # offered once there is a yes
        page.reload()
        page.wait_for_selector("#field")

        assert chat.kept(page) == [QUESTION]
        assert not page.locator(".consent").is_visible()
        visitor.leaves()


def test_the_address_of_a_letter_opens_the_chat(visitor: Visitor, chat: WebsiteChat) -> None:
    """By itself, when the page has loaded."""
    visitor.opens("#support-chat")
    visitor.page.wait_for_function("document.querySelector('support-chat').hasAttribute('data-open')")
