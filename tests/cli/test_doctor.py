"""`bot doctor`: what would keep the bot from working is told with what to do about it, and decides the exit
code.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clock import HandClock
from bot.storage.sqlite.store import SqliteStore
from tests.cli.conftest import Run
from tests.packaging.conftest import Install, install

__all__ = ["install"]  # a fixture

CHANNEL = """
from bot import AccountError, Adapter, ChatInfo, Problem
from bot.testing import FakeAdapter


class Pigeon(FakeAdapter):
    def __init__(self, name, *, clock, token):
        super().__init__(name)
        self.token = token

    async def check(self):
        if self.token == "refused":
            raise AccountError("the pigeon is not ours", "feed it")
        return () if self.token == "fine" else (Problem("one wing", hint="mend it", severity="warning"),)

    async def chat_info(self, chat):
        return ChatInfo(chat, problems=(Problem("may not land", hint="open the window"),))
"""
NOON = datetime(2026, 11, 20, 9, tzinfo=UTC)  # a Friday, 12:00 in Moscow


def told(run: Run, code: int) -> dict[str, list[tuple[str, str, str]]]:
    """What the doctor found, by what was looked at: how it is, what is wrong, what to do."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for line in run("doctor", "--json", code=code).stdout.splitlines():
        said = json.loads(line)
        found.setdefault(said["what"], []).append((said["state"], said["text"], said["hint"]))
    return found


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """The command's clock."""
    clock = HandClock(NOON)
    monkeypatch.setattr("bot.cli.doctor.command_clock", lambda: clock)
    return clock


def extend(shop: Path, text: str) -> None:
    with (shop / "config.yaml").open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_shop_without_tokens_is_told_what_is_missing_and_is_no_error(shop: Path, run: Run) -> None:
    """It may be tried out as it is: warnings only."""
    found = told(run, 0)

    assert [state for state, *_ in found["настройки"]] == ["ok"]
    assert found["хранилище"][-1][0] == "ok" and found["хранилище"][-1][1].startswith("SQLite")
    assert found["база знаний"][-1][0] == "ok"
    assert found["группа операторов"][0][0] == "warning"
    assert "business.name" in found["бизнес"][0][2]


def test_people_read_the_same_with_a_sign_before_each_line(shop: Path, run: Run) -> None:
    """What to do stands under what is wrong."""
    said = run("doctor").stdout

    assert "✅ настройки" in said and "⚠️" in said
    assert "     → впишите business.name" in said


def test_no_articles_are_an_error(shop: Path, run: Run) -> None:
    """The exit code says it to scripts, the hint names the folder."""
    for file in (shop / "kb_articles").rglob("*.md"):
        file.unlink()

    assert ("error", "нет ни одной статьи", "положите файлы .md в kb_articles") in told(run, 1)["база знаний"]


def test_a_broken_article_is_named_with_its_line(shop: Path, run: Run) -> None:
    """As the linter names it."""
    (shop / "kb_articles" / "broken.md").write_text("---\ntitle: [\n---\nТекст\n", encoding="utf-8")

    found = [text for state, text, _ in told(run, 1)["база знаний"] if state == "error"]
    assert any(text.startswith("kb_articles/broken.md:3: ") for text in found), "as its owner knows the file"
    assert not any(str(shop) in text for text in found)


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ('fri: "10:00-20:00"', "сейчас открыто (пн–чт выходной; пт 10:00-20:00; сб–вс выходной)"),
        ('sat: "10:00-20:00"', "откроется 21.11 10:00"),
    ],
)
def test_the_hours_are_told_as_people_read_them(shop: Path, run: Run, hours: str, words: str) -> None:
    """Days of the same hours together, and whether it is open now."""
    extend(shop, f"hours: {{country: null, week: {{{hours}}}}}\n")
    ((state, text, _),) = told(run, 0)["часы работы"]

    assert state == "ok" and words in text


def test_in_december_the_next_year_s_holidays_are_looked_for(shop: Path, run: Run, noon: HandClock) -> None:
    """A country whose calendar ends with this year surprises nobody on the first of January."""
    extend(shop, "hours: {country: RU}\n")
    noon.at = datetime(2199, 12, 3, 9, tzinfo=UTC)

    assert any("2200" in text for _, text, _ in told(run, 0)["часы работы"])


@pytest.mark.parametrize(
    ("token", "finding"),
    [
        ("fine", ("ok", "в порядке", "")),
        ("lame", ("warning", "one wing", "mend it")),
        ("refused", ("error", "the pigeon is not ours", "feed it")),
    ],
)
def test_each_channel_is_asked_and_so_is_the_desk(
    shop: Path,
    run: Run,
    install: Install,
    monkeypatch: pytest.MonkeyPatch,
    token: str,
    finding: tuple[str, str, str],
) -> None:
    """What the platform says of the account, and which rights the bot lacks in the operators' group."""
    install({"pigeons.py": CHANNEL}, "[bot.adapters]\npigeon = pigeons:Pigeon\n")
    monkeypatch.setenv("PIGEON", token)
    extend(shop, 'channels: {post: {type: pigeon, token: "${PIGEON}"}}\ndesk: {channel: post, chat: roof}\n')
    found = told(run, 1)

    assert found["канал post"][0][0] == finding[0]
    assert finding[0] == "ok" or found["канал post"] == [finding]
    assert found["группа операторов"] == [("error", "may not land", "open the window")]


def test_a_kind_of_channel_that_nobody_brings_is_named_though_its_token_is_missing(
    shop: Path, run: Run
) -> None:
    """`type: mail` for `type: email`: the token of such a channel is not what is missing."""
    extend(shop, 'channels: {post: {type: mail, password: "${NOWHERE}"}}\n')

    assert any(state == "error" and "«mail»" in text for state, text, _ in told(run, 1)["настройки"])
    assert "«mail»" in run("run", "--no-web", code=1).output


def test_a_running_bot_owns_its_file_and_that_is_fine(shop: Path, run: Run) -> None:
    """The rest is looked at all the same."""
    extend(shop, 'storage: {url: "sqlite:///kept.db"}\n')
    store = SqliteStore.open(str(shop / "kept.db"))
    try:
        found = told(run, 0)
    finally:
        asyncio.run(store.close())

    assert [state for state, *_ in found["хранилище"]] == ["ok"]
    assert [state for state, *_ in found["группа операторов"]] == ["ok"]  # a code may have chosen it
    assert "работающим ботом" in found["хранилище"][0][1]


def test_a_webhook_without_its_secret_is_told(shop: Path, run: Run) -> None:
    """Nothing is sent there until it is set."""
    extend(shop, 'webhooks: {crm: {url: "${CRM_URL}", secret: "${CRM_SECRET}"}}\n')

    assert told(run, 0)["webhook crm"][0][0] == "warning"


@pytest.mark.parametrize(
    ("voice", "state", "words"),
    [
        ("{engine: platform}", "ok", "platform"),
        ('{engine: openai, address: "http://127.0.0.1:9/v1"}', "warning", "не отвечает"),
        ("{engine: local, model: nowhere}", "error", "model.bin"),
    ],
)
def test_whoever_listens_to_voice_messages_is_asked(
    shop: Path, run: Run, voice: str, state: str, words: str
) -> None:
    extend(shop, f"voice: {voice}\n")
    [(found, text, hint)] = told(run, 1 if state == "error" else 0)["голосовые"]

    assert (found, words in text) == (state, True) and (hint or state == "ok")
