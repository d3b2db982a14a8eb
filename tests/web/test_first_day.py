"""The first day of an owner who does not program: an empty folder, `bot setup`, and from there the browser
alone, in front of servers that stand for Telegram, VK and MAX.

With FIRST_DAY_PICTURES=FOLDER the steps are kept there as pictures (`make pictures`).
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.fakes.max_server import TOKEN as MAX_TOKEN
from tests.fakes.max_server import FakeMax
from tests.fakes.telegram_server import BOT_ID, TOKEN, FakeTelegram
from tests.fakes.vk_server import GROUP, FakeVk
from tests.fakes.vk_server import TOKEN as VK_KEY
from tests.web.browser import ROOT, browser, faults, printed_url

__all__ = ["browser"]

GROUP_CHAT = -1001234
SHOWN, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


@dataclass
class Platforms:
    """Telegram, VK and MAX, on a thread of their own."""

    telegram: FakeTelegram
    vk: FakeVk
    max: FakeMax
    loop: asyncio.AbstractEventLoop

    def in_group(self, text: str) -> None:
        """Somebody writes in the operators' group."""
        told = {
            "message_id": 5,
            "date": 1764450000,
            "chat": {"id": GROUP_CHAT, "type": "supergroup", "title": "Лютик: операторы", "is_forum": True},
            "from": {"id": 900, "is_bot": False, "first_name": "Ольга"},
            "text": text,
            "entities": [{"type": "bot_command", "offset": 0, "length": text.partition(" ")[0].__len__()}],
        }
        self.loop.call_soon_threadsafe(self.telegram.push, "message", told)


@pytest.fixture(scope="module")
def platforms() -> Iterator[Platforms]:
    ready, found = threading.Event(), list[Platforms]()
    stop = asyncio.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            telegram = await stack.enter_async_context(FakeTelegram())
            vk = await stack.enter_async_context(FakeVk())
            max_messenger = await stack.enter_async_context(FakeMax())
            telegram.results["getChat"] = {
                "id": GROUP_CHAT,
                "type": "supergroup",
                "title": "Лютик: операторы",
                "is_forum": True,
            }
            telegram.results["getChatMember"] = {
                "status": "administrator",
                "user": {"id": BOT_ID, "is_bot": True, "first_name": "Бот"},
                "can_manage_topics": True,
                "can_pin_messages": True,
                "can_delete_messages": True,
            }
            telegram.results["getWebhookInfo"] = {"url": "", "pending_update_count": 0}
            vk.events_off = {"message_event"}
            found.append(Platforms(telegram, vk, max_messenger, asyncio.get_running_loop()))
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(20)
    yield found[0]
    found[0].loop.call_soon_threadsafe(stop.set)
    thread.join(20)


class Owner:
    """An owner in front of the browser. Every page they see is legible, and shows none of their secrets."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self._address = page, address
        self.base = address.partition("/setup")[0]
        self._pictures = os.environ.get("FIRST_DAY_PICTURES", "")

    def opens(self, path: str = "") -> None:
        self.page.goto(self.base + path if path else self._address)

    def fills(self, **values: str) -> None:
        for name, value in values.items():
            self.page.fill(f'[name="{name}"]', value)

    def sends(self, action: str) -> None:
        self.page.click(f'form[action="{action}"] button')

    def sees(self, text: str) -> None:
        self.page.get_by_text(text).first.wait_for()

    def looks(self, picture: str = "", *, closely: bool = False) -> None:
        """The page as it is: nothing secret on it, and (*closely*, also on a phone in the dark) nothing that
        cannot be read.
        """
        html = self.page.content()
        assert not any(secret in html for secret in (TOKEN, VK_KEY, MAX_TOKEN, "scrypt"))
        if closely:
            assert faults(self.page) == []
            self.page.emulate_media(color_scheme="dark")
            self.page.set_viewport_size(PHONE)
            assert faults(self.page) == []
            assert self.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            self.page.emulate_media(color_scheme="light")
            self.page.set_viewport_size(SHOWN)
        if picture and self._pictures:
            file = Path(self._pictures) / f"{picture}.png"
            self.page.screenshot(path=file)
            Image.open(file).convert("RGB").quantize(96).save(file, optimize=True)

    def asks(self, pane: str, text: str, answer: str) -> None:
        self.page.fill(f'[data-channel="{pane}"] textarea', text)
        self.page.press(f'[data-channel="{pane}"] textarea', "Enter")
        self.page.locator(f'[data-channel="{pane}"] .log').get_by_text(answer).first.wait_for()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lyutik")


@pytest.fixture(scope="module")
def address(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`bot setup` as a person starts it; it must also end in time, and say nothing secret."""
    log = tmp_path_factory.mktemp("log") / "log.txt"
    command = [sys.executable, "-c", "from bot.cli import main; main()", "setup", "--no-open", "--port", "0"]
    ours = ("TELEGRAM_BOT_TOKEN", "VK_GROUP_TOKEN", "MAX_BOT_TOKEN", "WEB_PASSWORD", "BOT_LANG")
    env = {k: v for k, v in os.environ.items() if k not in ours}
    env |= {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with (
        log.open("wb") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=env, cwd=empty) as process,
    ):
        try:
            yield printed_url(process, log, r"http://127\.0\.0\.1:\d+/setup\?key=\S+")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
    said = log.read_text("utf-8")
    assert "Traceback" not in said and TOKEN not in said and VK_KEY not in said and MAX_TOKEN not in said


@pytest.fixture(scope="module")
def owner(browser: Any, address: str) -> Iterator[Owner]:
    context = browser.new_context(viewport=SHOWN, locale="ru-RU")
    context.set_default_timeout(30_000)
    yield Owner(context.new_page(), address)
    context.close()


def test_nobody_gets_in_without_the_key(browser: Any, address: str) -> None:
    """Another user of the machine who finds the port sees no step, and is told what is needed."""
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(address.partition("?")[0])
    assert answer.status == 401 and "терминал" in page.inner_text("main")
    context.close()


def test_from_nothing_to_an_own_bot(owner: Owner, empty: Path) -> None:
    """The business is named, and its bot answers a question of its own in both skins."""
    owner.opens()
    owner.looks("setup-business")
    owner.fills(name="Лютик", timezone="Казань", hours="с утра")
    owner.sends("/setup/business")
    owner.sees("часы напишите так")
    assert list(empty.iterdir()) == []
    owner.fills(hours="пн-пт 10:00-19:00, сб 11:00-16:00", phone="+7 843 200-00-00")
    owner.sends("/setup/business")
    owner.sees("Сохранено.")
    owner.looks()
    config = (empty / "config.yaml").read_text("utf-8")
    assert 'name: "Лютик"' in config and "timezone: Europe/Moscow" in config and "843" in config
    assert '"sat": "11:00-16:00"' in config or 'sat: "11:00-16:00"' in config

    owner.opens("/setup/articles")
    owner.sees("dostavka.md")
    owner.looks("setup-articles")
    owner.page.click('a[href="/articles/new"]')
    owner.page.wait_for_selector("#states >> text=новая")  # its script fills the form first
    owner.fills(title="Букет на заказ", questions="соберёте букет на заказ\nхочу заказать букет")
    owner.fills(body="Соберём букет за **два часа**: напишите, какие цветы любите.")
    owner.page.wait_for_selector("#phone .msg >> text=Соберём букет")
    owner.sees("Замечаний нет")
    owner.looks("setup-article")
    owner.page.click("#publish")
    owner.page.click("#plan .confirm")
    owner.sees("Опубликовано")
    assert any("Соберём букет" in f.read_text("utf-8") for f in (empty / "kb_articles").rglob("*.md"))

    owner.opens("/")
    owner.page.wait_for_selector("#clock:not([hidden])")
    for pane in ("play-telegram", "play-vk"):
        owner.asks(pane, "а букет на заказ соберёте?", "Соберём букет за два часа")
    owner.looks("setup-own-answer")


def test_a_token_is_checked_kept_and_never_shown(owner: Owner, empty: Path, platforms: Platforms) -> None:
    """A wrong one is not kept; the right one lies in `.env`, which its owner alone may read, and nowhere
    else.
    """
    owner.opens("/setup/telegram")
    owner.page.click("summary")
    owner.fills(token="123456789:WRONG", api_base=platforms.telegram.base)
    owner.sends("/setup/telegram")
    owner.sees("Telegram не принимает токен")
    assert "WRONG" not in owner.page.content() and "WRONG" not in (empty / ".env").read_text("utf-8")
    owner.page.click("summary")
    owner.fills(token=TOKEN, api_base=platforms.telegram.base)
    owner.sends("/setup/telegram")
    owner.sees("Telegram узнал бота")
    owner.sees("включена приватность")
    owner.looks("setup-telegram")

    assert f"TELEGRAM_BOT_TOKEN='{TOKEN}'" in (empty / ".env").read_text("utf-8").splitlines()
    assert stat.S_IMODE((empty / ".env").stat().st_mode) == 0o600
    assert TOKEN not in (empty / "config.yaml").read_text("utf-8")


def test_the_key_of_vk_tells_the_community(owner: Owner, empty: Path, platforms: Platforms) -> None:
    """Its number is found by itself; an event that is off is named, and VK is asked to switch it on."""
    owner.opens("/setup/vk")
    owner.page.click("summary")
    owner.fills(token=VK_KEY, api_base=platforms.vk.base)
    owner.sends("/setup/vk")
    owner.sees("ВКонтакте узнал сообщество")
    owner.sees("событие message_event выключено")
    owner.looks("setup-vk", closely=True)
    owner.sends("/setup/vk/longpoll")
    owner.sees("Всё в порядке")

    assert f'"group_id": {GROUP}' in (empty / "config.yaml").read_text("utf-8")
    assert platforms.vk.events_off == set()


def test_a_token_of_max_tells_the_bot(owner: Owner, empty: Path, platforms: Platforms) -> None:
    """Whose it is; a wrong one is not kept."""
    owner.opens("/setup/max")
    owner.page.click("summary")
    owner.fills(token="wrong", api_base=platforms.max.base)
    owner.sends("/setup/max")
    owner.sees("MAX не принимает токен")
    owner.page.click("summary")
    owner.fills(token=MAX_TOKEN, api_base=platforms.max.base)
    owner.sends("/setup/max")
    owner.sees("MAX узнал бота")
    owner.looks("setup-max", closely=True)

    assert f"MAX_BOT_TOKEN='{MAX_TOKEN}'" in (empty / ".env").read_text("utf-8").splitlines()
    assert "type: max" in (empty / "config.yaml").read_text("utf-8").replace('"', "")


def test_the_bot_starts_and_the_group_is_chosen_by_a_code(owner: Owner, platforms: Platforms) -> None:
    """From the page alone; a code that is wrong chooses nothing."""
    owner.opens("/setup/start")
    owner.sends("/setup/start")
    owner.page.wait_for_url("**/setup/group?done")
    owner.page.click('form[action="/setup/group"] button')
    code = owner.page.inner_text(".code")
    assert re.fullmatch(r"/bind [2-9a-z]{8}", code)
    owner.looks("setup-group")
    platforms.in_group("/bind abcdefgh")
    platforms.in_group(code)
    owner.sees("Группа операторов:")
    assert "Лютик: операторы" in owner.page.inner_text("main")
    sent = [str(call.params.get("text")) for call in platforms.telegram.of("sendMessage")]
    assert sum("Код не подошёл" in text for text in sent) == 1
    assert sum("обращения будут приходить сюда" in text for text in sent) == 1


def test_the_owner_sets_a_password_and_stays_in(owner: Owner, empty: Path, address: str) -> None:
    """From then on the pages ask for it, and the others can be let in."""
    owner.opens("/setup/access")
    owner.fills(password="short")
    owner.page.eval_on_selector("[name=password]", "field => field.removeAttribute('minlength')")
    owner.sends("/setup/access")
    owner.sees("Пароль короче 10 знаков")
    owner.fills(password="correct horse battery")
    owner.sends("/setup/access")
    owner.sees("Пароль задан")
    owner.looks()
    assert "WEB_PASSWORD='scrypt$" in (empty / ".env").read_text("utf-8")
    owner.page.click('a[href="/users"]')
    owner.sees("Новый человек")
    owner.opens("/setup")
    owner.sees("Бот запущен и отвечает клиентам")
    owner.looks("setup-done")
