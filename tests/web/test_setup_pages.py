"""The set-up pages without a browser: whose they are, what they refuse, and what they leave as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.app import check_files
from bot.clock import Clock
from bot.setup.owner_folder import FolderFacts, OwnerFolder
from bot.storage.sqlite.store import SqliteStore
from bot.web.server import build_app
from bot.web.services import WebServices
from bot.web.setup_services import SetupServices
from bot.web.users import PageRole, may

HTML = {"Accept": "text/html"}
FILLED = {"name": "Лютик", "timezone": "Омск", "hours": "пн-пт 9:00-18:00", "language": "ru", "trade": "shop"}


class Browser:
    """An owner's browser in front of the set-up of one folder."""

    def __init__(self, client: TestClient[Any, Any], restarts: list[bool]) -> None:
        self.client, self.restarts = client, restarts

    async def get(self, path: str) -> tuple[int, str]:
        answer = await self.client.get(path, headers=HTML, allow_redirects=False)
        return answer.status, await answer.text()

    async def send(self, path: str, **fields: str) -> tuple[int, str]:
        token = (await self.get(path))[1].partition('name="csrf" content="')[2].partition('"')[0]
        data = {"csrf": token, **fields}
        answer = await self.client.post(path, data=data, headers=HTML, allow_redirects=False)
        return answer.status, answer.headers.get("Location", "") or await answer.text()


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    restarts: list[bool] = []

    def restart() -> None:
        check_files(setup.config(), None)
        restarts.append(True)

    setup = SetupServices.of_folder(tmp_path / "shop", restart=restart)
    store = SqliteStore.open(":memory:")
    client: TestClient[Any, Any] = TestClient(
        TestServer(build_app(WebServices(store, {}, Clock(), setup=setup)))
    )
    await client.start_server()
    yield Browser(client, restarts)
    await client.close()
    await store.close()


@pytest.fixture
def made(tmp_path: Path) -> Path:
    facts = FolderFacts("Лютик", "shop", "ru", "Europe/Moscow", {"mon": "10:00-20:00"})
    OwnerFolder(tmp_path / "shop").write(facts)
    return tmp_path / "shop"


@pytest.mark.parametrize("role", [r for r in PageRole if r is not PageRole.OWNER])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_set_up_is_the_owners_alone(role: PageRole, method: str) -> None:
    for path in ("/setup", "/setup/telegram", "/setup/group/place"):
        assert not may(role, method, path) and may(PageRole.OWNER, method, path)


async def test_an_empty_folder_has_one_step(browser: Browser, tmp_path: Path) -> None:
    """Everything else leads there; what was typed wrong comes back with the rest that was typed."""
    for path in ("/", "/setup", "/setup/telegram", "/setup/access"):
        status, _ = await browser.get(path)
        assert status in (302, 303), path
    for wrong in (
        {"name": " "},
        {"timezone": "Нигдеград"},
        {"hours": "утром"},
        {"email": "нет"},
        {"site": "наш сайт"},
    ):
        status, html = await browser.send("/setup/business", **{**FILLED, **wrong, "phone": "+7 900"})
        assert status == 422 and "+7 900" in html and 'role="alert"' in html
    assert not (tmp_path / "shop").exists() and browser.restarts == []
    status, to = await browser.send("/setup/business", **FILLED)
    assert (status, to, browser.restarts) == (303, "/setup/business?done", [True])
    config = (tmp_path / "shop" / "config.yaml").read_text("utf-8")
    assert "Asia/Omsk" in config and "Лютик" in config
    assert (tmp_path / "shop" / "kb_articles" / "dostavka.md").is_file()


async def test_who_comes_while_the_service_ends_comes_to_the_next(browser: Browser) -> None:
    """No page of the service that ends shows what was true before; platforms are answered until the end."""
    await browser.send("/setup/business", **FILLED)
    answer = await browser.client.get("/setup/business?done", headers=HTML, allow_redirects=False)
    assert answer.status == 307 and answer.headers["Location"] == "/setup/business?done"
    assert answer.headers["Connection"] == "close"
    assert (await browser.client.post("/hooks/telegram", allow_redirects=False)).status == 404


async def test_a_change_leaves_the_rest_of_the_settings(browser: Browser, made: Path) -> None:
    """One word of the file is other, and its remarks are there."""
    before = (made / "config.yaml").read_text("utf-8")
    filled = {**FILLED, "timezone": "Europe/Moscow", "hours": "пн 10:00-20:00", "name": "Лютик и Ко"}
    status, _ = await browser.send("/setup/business", **filled)
    assert status == 303
    after = (made / "config.yaml").read_text("utf-8")
    assert after == before.replace('"Лютик"', '"Лютик и Ко"')


async def test_a_fault_of_the_file_is_told_with_its_line(browser: Browser, made: Path) -> None:
    """Somebody edits it by hand meanwhile: the page says where, and breaks nothing."""
    file = made / "config.yaml"
    file.write_text(file.read_text("utf-8").replace("language: ru", "language: de"), "utf-8")
    for path in ("/setup", "/setup/telegram", "/setup/business"):
        status, html = await browser.get(path)
        assert status == 422 and "config.yaml:5" in html, path


async def test_a_fault_of_another_file_leaves_the_bot_at_work(browser: Browser, made: Path) -> None:
    """What was changed is kept; the page names the file and its line, and the bot works on as before."""
    (made / "flows").mkdir()
    flow = made / "flows" / "razmer.yaml"
    flow.write_text(
        "title: Размер\nstart: {words: [размер]}\nsteps:\n  - {ask: Какой?, typ: phone}\n", "utf-8"
    )
    status, html = await browser.send("/setup/business", **{**FILLED, "name": "Лютик и Ко"})
    assert status == 422 and "razmer.yaml:4" in html and "Записано" in html
    assert 'href="/setup/business"' in html and browser.restarts == []
    assert "Лютик и Ко" in (made / "config.yaml").read_text("utf-8")
    flow.unlink()
    status, to = await browser.send("/setup/business", **{**FILLED, "name": "Лютик и Ко"})
    assert (status, to, browser.restarts) == (303, "/setup/business?done", [True])


async def test_a_folder_that_cannot_be_written_is_told(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("a file stands here", "utf-8")
    status, html = await browser.send("/setup/business", **FILLED)
    assert status == 422 and "Записать не получилось" in html


async def test_nothing_is_kept_without_a_token(browser: Browser, made: Path) -> None:
    """An empty field is told, and no file changes."""
    before = (made / ".env").read_bytes()
    status, html = await browser.send("/setup/vk", token=" ")
    assert status == 422 and "вставьте токен" in html
    assert (made / ".env").read_bytes() == before and browser.restarts == []
    status, _ = await browser.send("/setup/start", mode="live")
    assert status == 400  # this process starts nothing
