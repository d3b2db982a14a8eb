"""The page in a real browser, in front of the real `bot play`: every scene plays, quietly, and nothing leaves
this machine.
"""

from __future__ import annotations

import asyncio
import queue
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.clock import Clock
from bot.storage.sqlite.store import SqliteStore
from bot.web.playground.scene_player import read_scenes
from bot.web.server import build_app
from bot.web.services import WebServices
from tests.web.browser import Watched, faults


@pytest.mark.parametrize("scene", list(read_scenes()))
def test_every_scene_plays_to_its_end(watched: Watched, scene: str) -> None:
    """With one click, in front of the service as it runs in production."""
    watched.open()

    assert watched.play(scene) == "done", watched.text("#toasts")
    assert watched.page.locator(".phone .msg").count() >= 2


def test_an_operator_answers_and_the_answer_is_explained(watched: Watched) -> None:
    """A customer asks for a person, the topic opens by itself, the operator's words arrive, a reload changes
    nothing.
    """
    watched.open()
    watched.page.click('[data-channel="play-telegram"] .menu summary')
    watched.page.fill('[data-channel="play-telegram"] [data-new] input', "Вера Ким")
    watched.page.click('[data-channel="play-telegram"] [data-new] button')
    watched.page.wait_for_selector(
        '[data-channel="play-telegram"] option:checked >> text=Вера Ким', state="attached"
    )
    watched.say("позовите оператора")
    watched.page.wait_for_selector(".topics [aria-current] >> text=Вера")
    watched.page.click('.desk .keys button >> text="Взять"')
    watched.page.wait_for_selector('[data-channel="play-telegram"] .msg >> text=Ольга')
    watched.say("Добрый день, слушаю вас", "play-desk")
    watched.page.wait_for_selector('[data-channel="play-telegram"] .msg >> text=Добрый день, слушаю вас')
    watched.page.wait_for_selector(".desk .reaction")
    watched.page.wait_for_selector("#why >> text=передано человеку")

    watched.page.reload()
    watched.page.select_option('[data-channel="play-telegram"] [name=chat]', label="Вера Ким")
    watched.page.wait_for_selector('[data-channel="play-telegram"] .msg >> text=Добрый день, слушаю вас')
    watched.page.wait_for_selector("#why .verdict")


def test_a_ticket_is_answered_with_the_keyboard_while_its_customer_writes(
    watched: Watched, browser: Any, url: str
) -> None:
    """A slash offers ready answers, even one typed before the script came; arrows and Enter put one in,
    Ctrl+Enter sends it; what customers write meanwhile appears without disturbing it, on a phone, too.
    """
    context = browser.new_context(viewport={"width": 390, "height": 844})
    desk = Watched(context.new_page(), url)
    watched.open()
    watched.page.click('[data-channel="play-vk"] .menu summary')
    watched.page.fill('[data-channel="play-vk"] [data-new] input', "Зоя Лис")
    watched.page.click('[data-channel="play-vk"] [data-new] button')
    watched.page.wait_for_selector(
        '[data-channel="play-vk"] option:checked >> text=Зоя Лис', state="attached"
    )
    watched.say("позовите оператора", "play-vk")
    watched.page.wait_for_selector(".topics [aria-current] >> text=Зоя")
    desk.open("queue")
    held: list[Any] = []
    desk.page.route("**/talk.js*", lambda route: held.append(route), times=1)
    desk.page.click("tr:has-text('Зоя') a")
    field = "#order textarea"
    desk.page.focus(field)
    desk.page.keyboard.type("/подробнее")
    while not held:
        desk.page.wait_for_timeout(20)
    held.pop().continue_()
    desk.page.wait_for_selector("#ready li:only-child button >> text=Спросить подробности")
    for key in ("ArrowDown", "Enter"):
        desk.page.keyboard.press(key)
    assert "Расскажите, пожалуйста, подробнее" in desk.page.input_value(field)
    watched.say("а вы работаете в выходные дни?", "play-vk")
    desk.page.wait_for_selector(".line.customer >> text=в выходные дни")
    assert "Расскажите, пожалуйста, подробнее" in desk.page.input_value(field)
    desk.page.keyboard.press("Control+Enter")
    desk.page.wait_for_selector("#desk [role=status] >> text=Ответ ушёл клиенту")
    watched.page.wait_for_selector('[data-channel="play-vk"] .msg >> text=Расскажите, пожалуйста, подробнее')
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 390
    desk.page.wait_for_load_state()
    desk.page.press(field, "/")
    desk.page.wait_for_selector("#ready li button >> text=Спросить подробности")
    context.close()
    assert desk.complaints == []


def test_the_reason_of_an_answer_shows_candidates_and_numbers(watched: Watched) -> None:
    """What was understood, a table with bars, thresholds, one sentence."""
    watched.open()
    watched.say("сколько стоит доставка")
    watched.page.wait_for_selector("#why .said >> text=сколько стоит доставка")
    watched.page.wait_for_selector("#why table tbody tr")

    assert watched.page.locator("#why meter").count() >= 3
    assert "%" in watched.text("#why .verdict")


def test_script_in_messages_stays_text(watched: Watched) -> None:
    """No dialog opens, no picture is asked for; the words stand there as they were written, in both skins."""
    script = '<script>alert(1)</script><img src="http://evil.example/x" onerror="alert(2)"><b>жирно</b>'
    watched.open()
    for pane in ("play-telegram", "play-vk"):
        watched.say(script, pane)
        watched.page.wait_for_selector(f'[data-channel="{pane}"] .mine .text >> text=onerror')
        assert script in watched.text(f'[data-channel="{pane}"] .log')

    assert watched.page.locator(".log img[src*=evil], .log script").count() == 0


SIZES = ((1440, 900), (1024, 768), (390, 844))
PATHS = (
    "?speed=6",
    "queue",
    "queue?all",
    "conversations",
    "conversations?q=заказ",
    "conversation/1?data=own",
    "customer/1",
    "customer/1/forget",
    "customer/1/merge?with=2",
    "chat/play-site/demo",
    "kb",
    "kb/dostavka/sroki",
    "flows",
    "flows/fitting",
    "articles/edit?file=dostavka/sroki.md",
    "gate",
    "gaps",
    "examples",
    "threshold",
    "report",
    "quality",
    "setup",
    "setup/business",
    "ideas",
    "forecast",
    "themes",
    "coaching",
    "report/list?of=nst",
    "report/list?of=containment",
    "nothing",
)


LINKED = """() => [...document.links].filter((a) => a.origin === location.origin)
  .map((a) => a.pathname.split("/")[1])"""


@pytest.fixture(scope="module")
def busy(browser: Any, url: str) -> None:
    """Scenes of both channels were played, so that every page has something to show."""
    page = Watched(browser.new_page(viewport={"width": 1440, "height": 900}), url)
    page.open()
    assert [page.play(scene) for scene in ("order", "upset", "refund")] == ["done"] * 3
    page.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.usefixtures("busy")
def test_every_page_fits_and_can_be_read(
    browser: Any, url: str, width: int, height: int, scheme: str
) -> None:
    """At each width, by day and by night: nothing scrolls sideways or is cut, words stand out, and one can
    write on the first screen.
    """
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    found, linked = {}, set[str]()
    for path in PATHS:
        page.goto(url + path)
        if path == PATHS[0]:
            page.wait_for_selector("#clock:not([hidden])")
            fields = [b for b in (f.bounding_box() for f in page.locator(".composer textarea").all()) if b]
            assert fields and all(b["y"] + b["height"] <= height for b in fields), (path, fields)
            assert page.evaluate("document.documentElement.scrollHeight") <= height
            page.wait_for_timeout(0)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        cut = page.evaluate(
            "[...document.querySelectorAll('.scroll, .tabs, .presets')].filter((e) => e.scrollWidth >"
            " e.clientWidth + 1).map((e) => e.className)"
        )
        assert cut == [], path
        linked |= set(page.evaluate(LINKED))
        if told := faults(page):
            found[path] = told
        dark = page.evaluate(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).every((v) => v < 60)"
        )
        assert dark == (scheme == "dark"), path
    context.close()
    assert found == {}
    assert linked <= {path.partition("?")[0].split("/")[0] for path in PATHS}, "each page is looked at"


@pytest.mark.usefixtures("busy")
def test_a_row_of_the_queue_opens_its_conversation(watched: Watched) -> None:
    """A press anywhere on the row, not only on its number."""
    watched.open("queue?all")
    box = watched.page.locator(".linked tbody tr").first.locator("td").nth(2).bounding_box()
    watched.page.mouse.click(box["x"] + 5, box["y"] + 5)
    watched.page.wait_for_selector(".lines .line")
    assert "/conversation/" in watched.page.url


@pytest.mark.usefixtures("busy")
def test_a_customer_is_found_described_and_forgotten(watched: Watched) -> None:
    """By their words, then their card: a field is kept, everything is downloaded, and after their number was
    typed nothing is found any more.
    """
    watched.open()
    watched.page.click('[data-channel="play-telegram"] .menu summary')
    watched.page.fill('[data-channel="play-telegram"] [data-new] input', "Зоя Ежова")
    watched.page.click('[data-channel="play-telegram"] [data-new] button')
    watched.page.wait_for_selector(
        '[data-channel="play-telegram"] option:checked >> text=Зоя Ежова', state="attached"
    )
    watched.say("есть ли домик для ёжика")
    watched.page.wait_for_selector('[data-channel="play-telegram"] .msg:not(.mine)')

    watched.open("conversations")
    watched.page.fill("[name=q]", "домиком для ежика")
    watched.page.click(".search .go")
    watched.page.click(".linked tbody tr >> text=Зоя")
    watched.page.wait_for_selector(".lines .line >> text=есть ли домик для ёжика")
    watched.page.click("text=Карточка клиента")
    watched.page.fill("fieldset [name=name]", "питомец")
    watched.page.fill("fieldset [name=value]", "ёж")
    watched.page.click(".fields .go")
    watched.page.wait_for_selector('[name="field.питомец"]')
    assert watched.page.input_value('[name="field.питомец"]') == "ёж"
    with watched.page.expect_download() as download:
        watched.page.click("text=Скачать всё")
    assert "домик для ёжика" in Path(download.value.path()).read_text("utf-8")

    watched.page.click("text=Забыть клиента")
    number = re.search(r"\d+", watched.text(".fields label"))
    assert number is not None
    watched.page.fill("[name=number]", number[0])
    watched.page.click("text=Забыть навсегда")
    watched.page.wait_for_selector(".alert >> text=забыт")
    watched.open("conversations?q=ежика")
    assert watched.page.locator(".linked tbody tr").count() == 0


@pytest.mark.usefixtures("busy")
def test_an_idea_is_decided_on_where_it_stands(watched: Watched) -> None:
    """Said in a chat, it stands on a card; its status is chosen there and stays."""
    watched.open()
    watched.say("предлагаю поставить кофейный автомат в пункте выдачи")
    watched.page.wait_for_selector('[data-channel="play-telegram"] .msg >> text=Записали вашу идею')
    watched.open("ideas?data=own")
    card = watched.page.locator(".panel", has_text="кофейный автомат")
    card.locator("select").select_option("considered")
    card.locator(".go").click()
    watched.page.wait_for_load_state()

    assert "обдумываем" in watched.page.locator(".panel", has_text="кофейный автомат").inner_text()


@pytest.mark.usefixtures("busy")
def test_a_ticket_is_worked_on_from_its_page(watched: Watched) -> None:
    """From a row of the queue: taken, answered, closed; the customer and the group see it, and what the
    customer writes meanwhile shows by itself.
    """
    watched.open()
    watched.page.click('[data-channel="play-telegram"] .menu summary')
    watched.page.fill('[data-channel="play-telegram"] [data-new] input', "Лида Рой")
    watched.page.click('[data-channel="play-telegram"] [data-new] button')
    watched.page.wait_for_selector(
        '[data-channel="play-telegram"] option:checked >> text=Лида Рой', state="attached"
    )
    watched.say("позовите оператора")
    watched.page.wait_for_selector(".topics [aria-current] >> text=Лида")

    desk = Watched(watched.page.context.new_page(), watched.url)
    desk.open("queue")
    desk.page.locator(".linked tbody tr", has_text="Лида").locator("th a").click()
    desk.page.click('#desk [value="take"]')
    desk.page.wait_for_selector("#desk .alert >> text=Обращение ваше")
    desk.page.fill("#desk textarea", "Здравствуйте, вижу вас")
    desk.page.click('#desk [value="answer"]')
    desk.page.wait_for_selector(".lines .line.operator >> text=Здравствуйте, вижу вас")
    watched.page.wait_for_selector('[data-channel="play-telegram"] .msg >> text=Здравствуйте, вижу вас')
    watched.page.wait_for_selector(".desk .msg >> text=Здравствуйте, вижу вас")
    watched.say("спасибо, это всё")
    desk.page.wait_for_selector(".lines .line.customer >> text=спасибо, это всё")
    desk.page.click('#desk [value="close"]')
    desk.page.wait_for_selector('#desk [value="reopen"]')
    assert desk.complaints == []
    desk.page.close()


def test_what_is_announced_lies_over_no_button(watched: Watched) -> None:
    """A toast covers nothing, at each width."""
    for width, height in SIZES:
        watched.page.set_viewport_size({"width": width, "height": height})
        watched.open()
        watched.page.evaluate("import('/static/chat.js').then((m) => m.toast('Сценарий проигран', true))")
        toast = watched.page.wait_for_selector("#toasts div")
        over = watched.page.evaluate(
            """(toast) => {
              const box = toast.getBoundingClientRect(), found = [];
              for (let x = box.left + 2; x < box.right; x += 6) for (let y = box.top + 2; y < box.bottom; y
              += 4)
                found.push(document.elementFromPoint(x, y)?.closest("button, a, input, select, textarea"));
                // a press goes through it
              return found.filter(Boolean).map((e) => e.outerHTML);
            }""",
            toast,
        )
        assert over == [], width


@pytest.mark.usefixtures("busy")
def test_the_page_opens_where_somebody_was_talked_with(watched: Watched) -> None:
    """After a reload both chats show the last customer's words, and namesakes of other scenes are told
    apart.
    """
    watched.open()
    for pane in ("play-telegram", "play-vk"):
        assert watched.page.locator(f'[data-channel="{pane}"] .msg').count() >= 2
        names = watched.page.eval_on_selector_all(
            f'[data-channel="{pane}"] [name=chat] option', "(all) => all.map((o) => o.text)"
        )
        assert len(set(names)) == len(names) >= 2


@pytest.mark.usefixtures("busy")
def test_words_are_not_cut_in_the_reasons(watched: Watched) -> None:
    """A title of a candidate breaks between words only: no word of it is wider than its place."""
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    watched.open()
    watched.say("сколько стоит доставка")
    watched.page.wait_for_selector("#why .title")
    heights = watched.page.evaluate(
        """[...document.querySelectorAll("#why .title")].map((cell) => { const was = cell.clientHeight;
        cell.style.overflowWrap = "normal";
        const is = cell.clientHeight; const wide = cell.scrollWidth > cell.clientWidth;
        cell.style.overflowWrap = ""; return was === is && !wide; })"""
    )
    assert heights and all(heights)


@pytest.fixture
def locked() -> Iterator[str]:
    """The pages with a password, served by a thread of their own."""
    loop, address = asyncio.new_event_loop(), queue.Queue[str]()

    async def serve() -> None:
        store = SqliteStore.open(":memory:")
        runner = web.AppRunner(
            build_app(WebServices(store, {}, Clock(), password="верный пароль")), shutdown_timeout=1
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address.put(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        await stop.wait()
        await runner.cleanup()
        await store.close()

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    yield address.get(timeout=10)
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


def test_a_person_logs_in_and_out(browser: Any, locked: str) -> None:
    """With the form as a browser sends it: a wrong password is told, the right one opens, leaving closes."""
    context = browser.new_context()
    context.set_default_timeout(10_000)
    page = context.new_page()
    for password, told in (("мимо", "[role=alert]"), ("верный пароль", ".headline")):
        page.goto(locked)
        assert page.locator("header.bar").bounding_box()["height"] < 80, "the header is a header"
        page.fill("[name=password]", password)
        page.click("form.entry button")
        page.wait_for_selector(told)

    assert page.url == locked + "queue"
    page.click(".logout button")
    page.wait_for_selector("[name=password]")
    page.goto(locked + "queue")
    assert page.url == locked + "login"
    context.close()


def test_the_owner_gives_somebody_access(browser: Any, locked: str) -> None:
    """By day and by night, wide and narrow: a user is made, signs in and sees no users."""
    for width, scheme in ((1440, "light"), (390, "dark")):
        context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
        context.set_default_timeout(10_000)
        page, id = context.new_page(), f"vera{width}"
        page.goto(locked)
        page.fill("[name=password]", "верный пароль")
        page.click("form.entry button.go")
        page.goto(locked + "users")
        made = page.locator(".panel").last
        made.locator("[name=id]").fill(id)
        made.locator("[name=name]").fill("Вера")
        made.locator("[name=role]").select_option("observer")
        made.locator("[name=password]").fill("длинный пароль")
        made.locator("button.go").click()
        page.wait_for_selector(f".panel h2 >> text={id}")
        asked = page.locator(".panel", has_text=id).first.locator(".sure")
        assert not asked.locator("button").is_visible(), "access is not taken away by one tap"
        asked.locator("summary").click()
        assert asked.locator("button").is_visible() and "Вера больше не войдёт" in asked.inner_text()
        assert faults(page) == []
        for path in ("users", "audit"):
            page.goto(locked + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert faults(page) == [], path
        page.click(".logout button")
        page.locator("[name=id]").first.fill(id)
        page.fill("[name=password]", "длинный пароль")
        page.click("form.entry button.go")
        page.wait_for_selector(".headline")
        assert page.locator('.tabs [href="/users"]').count() == 0
        context.close()


def test_a_narrow_screen_never_scrolls_sideways(watched: Watched) -> None:
    """At 390 px every part is reached by its button, and every page fits."""
    watched.page.set_viewport_size({"width": 390, "height": 800})
    for path in ("", "kb", "queue", "?lang=en&speed=6"):
        watched.open(path)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390, path
    assert watched.play("upset") == "done", watched.text("#toasts")
    for view in ("play-telegram", "play-vk", "play-desk", "why"):
        watched.page.click(f'[data-show="{view}"]')
        assert watched.page.locator(f'[data-channel="{view}"]').is_visible()
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390, view
    watched.open("?lang=ru")


def test_the_page_can_be_worked_by_keyboard(watched: Watched) -> None:
    """Tab reaches the scenes and the composer, Enter plays and sends, focus is seen."""
    watched.open()
    watched.page.focus('[data-scene="order"]')
    watched.page.keyboard.press("Enter")
    watched.page.wait_for_selector("body[data-played^='order:']", timeout=60_000)
    watched.page.focus('[data-channel="play-vk"] textarea')
    watched.page.keyboard.type("спасибо")
    watched.page.keyboard.press("Enter")
    watched.page.wait_for_selector('[data-channel="play-vk"] .mine >> text=спасибо')
    watched.page.keyboard.press("Tab")

    assert watched.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_a_changed_article_is_announced_and_asked(watched: Watched, folder: Path) -> None:
    """The editor saves, the page says so, the knowledge page knows it."""
    watched.open()
    article = (
        "---\ntitle: Полёты на дирижабле\naliases: [прокатиться на дирижабле]\n---\nДирижабль летает по"
        " субботам.\n"
    )
    (folder / "kb_articles" / "dirizhabl.md").write_text(article, "utf-8")
    watched.page.wait_for_selector("#toasts >> text=База обновлена")

    watched.open("kb")
    watched.page.fill("#ask input", "хочу прокатиться на дирижабле")
    watched.page.click("#ask button")
    watched.page.wait_for_selector("#why table >> text=Полёты на дирижабле")


def test_what_happened_downloads_as_a_test(watched: Watched) -> None:
    """One click gives the YAML of the customer's story."""
    watched.open()
    assert watched.play("order") == "done"
    with watched.page.expect_download() as waiting:
        watched.page.click("#story")

    text = Path(waiting.value.path()).read_text("utf-8")
    assert "says: где мой заказ?" in text and "hears: " in text


def _drop(page: Any, name: str) -> None:
    """Drop a picture on the text of the article, as from a folder of the editor's machine."""
    page.evaluate(
        """async (name) => {
          const canvas = Object.assign(document.createElement("canvas"), {width: 20, height: 10});
          const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
          const files = new DataTransfer();
          files.items.add(new File([blob], name, {type: "image/png"}));
          const field = document.querySelector("[name=body]");
          field.setSelectionRange(field.value.length, field.value.length);
          field.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
        }""",
        name,
    )


def test_what_is_typed_before_the_script_came_stays(watched: Watched) -> None:
    """On a slow line: the fields are there first, and nobody's words are emptied by what comes later."""
    page, held = watched.page, list[Any]()
    page.route("**/static/articles.js*", lambda route: held.append(route))
    page.goto(watched.url + "articles/new", wait_until="commit")
    page.fill("[name=title]", "Воздушный змей")
    page.fill("[name=body]", "Змей стоит 900 ₽.")
    held[0].continue_()
    page.wait_for_selector("#remarks li")
    assert page.input_value("[name=title]") == "Воздушный змей"
    assert page.input_value("[name=body]") == "Змей стоит 900 ₽."


def test_an_editor_writes_an_article_and_the_bot_answers_with_it(watched: Watched, folder: Path) -> None:
    """Written with a remark and a preview in both skins, tried, published; a change on the disk is shown."""
    page, place = watched.page, folder / "kb_articles" / "tovary" / "vozdushnyj-zmej.md"
    watched.open("kb")
    page.click("text=Новая статья")
    page.fill("[name=title]", "Воздушный змей")
    page.fill("[name=questions]", "продаёте ли вы воздушных змеев\nхочу купить воздушного змея")
    page.fill("[name=section]", "tovary")
    page.fill("[name=body]", "Уважаемый клиент! Змей стоит **900 ₽**.")
    page.wait_for_selector("#remarks >> text=Уважаемый клиент")
    page.fill("[name=body]", "Змей стоит **900 ₽**.")
    page.wait_for_selector("#remarks >> text=Замечаний нет")
    for skin in ("vk", "max", "telegram"):
        page.click(f"[data-skin={skin}]")
        page.wait_for_selector(f"#phone.{'vk' if skin == 'vk' else 'tg'} .msg >> text=Змей стоит 900 ₽.")
    _drop(page, "змей.png")
    page.wait_for_selector("#said >> text=images/zmej.png")
    page.wait_for_selector("#phone img[src*='zmej.png']")
    page.fill("#try input", "есть воздушный змей?")
    page.click("#try button")
    page.wait_for_selector("#tried >> text=Ответит этой статьёй")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#said >> text=Черновик сохранён")
    page.keyboard.press("Control+Enter")
    page.click("#plan .confirm")
    page.wait_for_selector("#said >> text=Опубликовано")

    place.write_text(place.read_text("utf-8").replace("900", "950"), "utf-8")
    page.fill("[name=body]", "Змей стоит **1000 ₽**.")
    page.click("#conflict >> text=Показать оба текста")
    page.wait_for_selector("#conflict .theirs >> text=950")
    page.click("text=Оставить мой")
    page.click("#publish")
    page.click("#plan .confirm")
    page.wait_for_selector("#said >> text=Опубликовано")
    page.click("#said .undo")
    page.wait_for_selector("#said >> text=Отменено")
    assert "950" in place.read_text("utf-8")

    watched.open()
    watched.say("хочу купить воздушного змея")
    page.wait_for_selector('[data-channel="play-telegram"] .msg >> text=Змей стоит 950 ₽')
