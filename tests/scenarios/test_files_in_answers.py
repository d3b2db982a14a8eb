"""Pictures, PDF and video of an article: from the editor's folder to Telegram's and VK's servers, uploaded
once, and never in the way of the words.
"""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from itertools import count
from pathlib import Path

import pytest

from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.settings import TelegramSettings
from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.settings import VkSettings
from bot.app import Overrides, build_service
from bot.article_preview import preview
from bot.clock import HandClock
from bot.config.loader import Config
from bot.i18n.texts import Texts
from bot.knowledge.articles import attached
from bot.knowledge.base import KnowledgeSettings
from bot.knowledge.quality.lint.checks import lint
from bot.knowledge.search import Knowledge
from bot.model import InboundKind
from bot.testing import open_test_bot
from bot.testing.harness import NOON, PLACE, TestBot
from bot.web.playground.samples import photo
from tests.fakes.telegram_server import TOKEN, FakeTelegram
from tests.fakes.vk_server import GROUP, FakeVk
from tests.fakes.vk_server import TOKEN as VK_TOKEN

PNG = photo()
PRICE = """---
title: Сколько стоит чистка ковра
aliases: [цена чистки ковра, прайс на ковры]
lang: ru
---
Чистка ковра — от 500 ₽ за метр.

![Прайс на 2026 год](files/price.png)

Весь список — в [прайс-листе](<files/прайс лист.pdf>).
"""
VIDEO = """---
title: Как собрать стол
aliases: [сборка стола, как собрать стол]
lang: ru
files: [files/shema.pdf]
---
Стол собирают вдвоём за полчаса.

![Сборка](files/sborka.mp4 "https://vk.com/video-1_2")
"""


def base(folder: Path) -> Path:
    (folder / "files").mkdir(parents=True)
    (folder / "price.md").write_text(PRICE, encoding="utf-8")
    (folder / "stol.md").write_text(VIDEO, encoding="utf-8")
    (folder / "files/price.png").write_bytes(PNG)
    (folder / "files/прайс лист.pdf").write_bytes(b"%PDF-1.4 price")
    (folder / "files/shema.pdf").write_bytes(b"%PDF-1.4 scheme")
    (folder / "files/sborka.mp4").write_bytes(b"....ftypmp42")
    return folder


_starts = count(1)


class Platforms:
    """A service whose channels are the platforms' fake servers; what customers write arrives in its inbox."""

    def __init__(self, testbot: TestBot, telegram: FakeTelegram, vk: FakeVk) -> None:
        self.testbot, self.telegram, self.vk = testbot, telegram, vk
        self._ids = count(1)

    async def asks(self, text: str, channel: str = "telegram", chat: str = "") -> None:
        customer = self.testbot.customer(
            channel=channel, chat=chat or ("1001" if channel == "telegram" else "5")
        )
        said = customer.inbound(
            customer.peer, InboundKind.MESSAGE, text, private=True, message=str(next(self._ids))
        )
        await self.testbot.arrive(said)

    def told(self) -> list[tuple[str, str, int]]:
        """What Telegram was asked to send: method, words, how many files were uploaded with it."""
        calls = [c for c in self.telegram.calls if c.method.startswith("send")]
        return [
            (c.method, str(c.params.get("caption") or c.params.get("text") or ""), len(c.files))
            for c in calls
        ]


@asynccontextmanager
async def platforms(articles: Path, storage: str = ":memory:") -> AsyncIterator[Platforms]:
    async with FakeTelegram() as telegram, FakeVk() as vk:
        clock = HandClock(NOON)
        adapters = {
            "telegram": TelegramAdapter(
                "telegram", TelegramSettings(token=TOKEN, api_base=telegram.base, timeout=0.5), clock=clock
            ),
            "vk": VkAdapter(
                "vk",
                VkSettings(token=VK_TOKEN, group_id=GROUP, api_base=vk.base, mark_read=False),
                clock=clock,
            ),
        }
        config = Config().model_dump(exclude={"base", "channels", "desk"})
        config["knowledge"] |= {"folder": str(articles), "embeddings": {"model": "off"}}
        service = await build_service(
            Config(**config),
            Overrides(adapters=adapters, clock=clock, desk=PLACE, storage=storage, log_events=False),
        )
        try:
            yield Platforms(TestBot(service, clock, {}, PLACE, keys=f"{next(_starts)}k"), telegram, vk)
        finally:
            await service.close()
            for adapter in adapters.values():
                await adapter.close()


async def test_telegram_gets_them_once_and_knows_them_by_their_ids(tmp_path: Path) -> None:
    folder = base(tmp_path / "kb")
    async with platforms(folder, str(tmp_path / "bot.db")) as shop:
        await shop.asks("цена чистки ковра")
        photo, document, words = shop.told()
        assert photo == ("sendPhoto", "Прайс на 2026 год", 1) and document == ("sendDocument", "", 1)
        assert words[0] == "sendMessage" and "от 500 ₽ за метр" in words[1] and "прайс-листе" in words[1]

        shop.telegram.calls.clear()
        shop.testbot.clock.advance(days=2)
        await shop.asks("прайс на ковры")
        assert [c[2] for c in shop.told()[:2]] == [0, 0]
        sent = [c.params for c in shop.telegram.calls if c.method in ("sendPhoto", "sendDocument")]
        assert (sent[0]["photo"], sent[1]["document"]) == ("kept-sendPhoto", "kept-sendDocument")
    (folder / "files/price.png").write_bytes(PNG + b"new")
    async with platforms(folder, str(tmp_path / "bot.db")) as shop:  # a new start knows what it uploaded
        await shop.asks("цена чистки ковра", chat="1002")
        assert [(c[0], c[2]) for c in shop.told()[:2]] == [("sendPhoto", 1), ("sendDocument", 0)]


async def test_an_id_that_telegram_forgot_is_cured_by_an_upload(tmp_path: Path) -> None:
    async with platforms(base(tmp_path / "kb")) as shop:
        await shop.asks("цена чистки ковра")
        shop.telegram.calls.clear()
        shop.telegram.refuse("sendPhoto", 400, "Bad Request: wrong file identifier/HTTP URL specified")
        shop.testbot.clock.advance(days=2)
        await shop.asks("прайс на ковры")
        assert [(c[0], c[2]) for c in shop.told() if c[0] == "sendPhoto"] == [
            ("sendPhoto", 0),
            ("sendPhoto", 1),
        ]
        assert [c[0] for c in shop.told()].count("sendMessage") == 1


async def test_a_refused_file_leaves_its_caption_and_the_words(tmp_path: Path) -> None:
    async with platforms(base(tmp_path / "kb")) as shop:
        for method in ("sendVideo", "sendDocument"):
            shop.telegram.refuse(method, 400, "Bad Request: VIDEO_CONTENT_TYPE_INVALID", times=9)
        await shop.asks("сборка стола")
        said = [c[1] for c in shop.told() if c[0] == "sendMessage"]
        assert "Сборка" in said[1] and "https://vk.com/video-1_2" in said[1]
        assert "вдвоём за полчаса" in said[2] and "shema.pdf" in said[0]


async def test_an_upload_that_breaks_repeats_one_row_and_nothing_else(tmp_path: Path) -> None:
    """Between the upload and the message VK falls silent: the second try has the same number and no second
    upload.
    """
    async with platforms(base(tmp_path / "kb")) as shop:
        shop.vk.fail("messages.send", 10)
        await shop.asks("цена чистки ковра", "vk")
        for _ in range(4):
            await shop.testbot.later(seconds=10)
        tries = shop.vk.called("messages.send")
        assert len({t["random_id"] for t in tries}) == len(tries) - 1 == 3
        assert [name for _, name, _ in shop.vk.uploads] == ["price.png", "прайс лист.pdf"]
        assert tries[0]["message"] == "Прайс на 2026 год" and tries[0]["attachment"] == tries[1]["attachment"]
        assert "от 500 ₽ за метр" in tries[-1]["message"]

        shop.testbot.clock.advance(days=2)
        await shop.asks("прайс на ковры", "vk")
        assert len(shop.vk.uploads) == 2 and len(shop.vk.called("messages.send")) == 7


async def test_files_come_with_the_part_they_stand_in(tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    folder.mkdir()
    long = "Подробно о сборке и креплениях каждой детали по порядку. " * 14
    (folder / "shkaf.md").write_text(
        f"---\ntitle: Как собрать шкаф\naliases: [сборка шкафа]\nlang: ru\n---\nНачните с пола.\n\n"
        f"![Пол](1.png)\n\n## Стенки\n\n{long}\n\n## Двери\n\n{long}\n\n![Двери](2.png)\n",
        encoding="utf-8",
    )
    for name in ("1.png", "2.png"):
        (folder / name).write_bytes(PNG)
    async with open_test_bot(folder, threads=False) as testbot:
        anna = testbot.customer()
        await anna.says("сборка шкафа")
        assert [a.name for s in anna.sees() for a in s.outbound.attachments] == ["1.png"]
        await anna.presses("Подробнее")
        assert [a.name for s in anna.sees() for a in s.outbound.attachments] == ["2.png"]


async def test_an_operator_sends_an_article_with_its_files(tmp_path: Path) -> None:
    async with open_test_bot(base(tmp_path / "kb"), threads=False) as testbot:
        anna, olga = testbot.customer(), testbot.operator()
        await anna.says("позовите человека")
        await olga.presses("Взять", ticket=1)
        await anna.says("а какая цена чистки ковра?")
        await olga.presses("Сколько стоит чистка ковра", ticket=1)
        assert "📎 Прайс на 2026 год\n📎 прайс лист.pdf" in (await olga.sees(1))[-1].text.text
        anna.listens()
        await olga.presses("Отправить", ticket=1)
        names = [a.name for s in anna.sees() for a in s.outbound.attachments]
        assert names == ["price.png", "прайс лист.pdf"] and "от 500 ₽" in anna.hears()[-1]


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        ("![Нет](files/net.png)", "KB026", 6),
        ("Смотрите [прайс](files/net.pdf)", "KB028", 6),
        ("![Чужое](../secret.png)", "KB044", 6),
        ("Смотрите [настройки](files/notes.ini)", "KB045", 6),
        ("![Пусто](files/empty.png)", "KB046", 6),
        ("Видео: [сборка](files/big.mp4)", "KB047", 6),
        ("![Большая](files/big.png)", "KB048", 6),
        ("![Широкая](files/wide.png)", "KB049", 6),
    ],
)
def test_what_cannot_be_sent_is_an_error_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, code: str, line: int
) -> None:
    folder = tmp_path / "kb"
    (folder / "files").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(PNG)
    (folder / "files/notes.ini").write_bytes(b"x")
    (folder / "files/empty.png").write_bytes(b"")
    (folder / "files/wide.png").write_bytes(PNG[:16] + struct.pack(">II", 9000, 2000) + PNG[24:])
    with (folder / "files/big.mp4").open("wb") as big:
        big.truncate(attached.MAX_FILE + 1)
    with (folder / "files/big.png").open("wb") as big:
        big.truncate(attached.MAX_PICTURE + 1)
    (folder / "a.md").write_text(
        f"---\ntitle: Стол\naliases: [стол]\nlang: ru\n---\n{body}\n", encoding="utf-8"
    )
    knowledge = Knowledge.open(folder, settings=KnowledgeSettings(model="off"))

    found = lint(knowledge, today=date(2026, 11, 20), problems=knowledge.problems)

    told = [p for p in found if p.code == code]
    assert [(p.line, p.severity) for p in told] == [
        (line, "warning" if code in ("KB048", "KB049") else "error")
    ]
    assert (told[0].hint and "files/" in told[0].text) or "secret" in told[0].text
    sent = [] if knowledge.article("a") is None else [f.path for f in knowledge.articles()[0].attached]
    assert "secret.png" not in "".join(sent) and "notes.ini" not in "".join(sent)


def test_the_editors_preview_shows_them(tmp_path: Path) -> None:
    knowledge = Knowledge.open(base(tmp_path / "kb"), settings=KnowledgeSettings(model="off"))
    shown = preview(Texts.load(), knowledge, "price", skin="vk", now=NOON)
    assert shown is not None
    assert [a.name for o in shown.answer for a in o.attachments] == ["price.png", "прайс лист.pdf"]


def test_a_file_that_comes_later_is_sent_from_then_on(tmp_path: Path) -> None:
    folder = base(tmp_path / "kb")
    (folder / "files/price.png").unlink()
    knowledge = Knowledge.open(folder, settings=KnowledgeSettings(model="off"))
    before = knowledge.article("price")
    (folder / "files/price.png").write_bytes(PNG)
    knowledge.reload()
    after = knowledge.article("price")
    assert before is not None and after is not None
    assert [len(a.attached) for a in (before, after)] == [1, 2]
