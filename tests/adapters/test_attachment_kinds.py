"""Whatever a customer attaches reaches the operator as itself or by a human name with an address, never as a
word of an API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiogram.types import Message

from bot.adapters.rich_text import utf16_length
from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.media import ENVELOPE, SERVICE
from bot.adapters.telegram.settings import TelegramSettings
from bot.adapters.telegram.updates import TelegramReader
from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.settings import VkSettings
from bot.adapters.vk.updates import VkReader
from bot.clock import HandClock
from bot.delivery.splitting import parts
from bot.i18n.texts import LANGUAGES, Texts
from bot.model import Attachment, Inbound, Media, Outbound, Peer, RichText
from bot.testing import OperatorsGroup, TestBot, open_test_bot
from bot.testing.fakes import FakeFiles
from bot.testing.harness import PLACE as FORUM
from tests.adapters.attachment_samples import TELEGRAM, VK
from tests.fakes.telegram_server import BOT_ID, TOKEN, FakeTelegram
from tests.fakes.vk_server import GROUP, FakeVk
from tests.fakes.vk_server import TOKEN as VK_TOKEN
from tests.fakes.vk_server import message as vk_message

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DESKS = {"telegram": FORUM, "vk": Peer("vk", "2000000005")}
KINDS = {"telegram": TELEGRAM, "vk": VK}


def from_telegram(kind: str, content: Any, number: int) -> Inbound:
    reader = TelegramReader("telegram", HandClock(NOW), bot_id=BOT_ID, username="bot")
    user = {"id": 1001, "is_bot": False, "first_name": "Анна", "language_code": "ru"}
    body = {
        "message_id": number,
        "date": 1_700_000_000,
        "chat": {"id": 1001, "type": "private"},
        "from": user,
        kind: content,
    }
    return reader.to_inbound({"update_id": number, "message": body})


def from_vk(kind: str, content: Any, number: int) -> Inbound:
    body = vk_message(attachments=[{"type": kind, kind: content}], conversation_message_id=number)
    found = VkReader("vk", GROUP, lambda: NOW, lambda _: False).read(
        {"type": "message_new", "object": {"message": body}}
    )
    assert found is not None
    return found


READ = {"telegram": from_telegram, "vk": from_vk}


async def carried(testbot: TestBot, inbound: Inbound, desk: Peer) -> list[Outbound]:
    said = testbot.channels[desk.channel].said
    before = len(said)
    await testbot.arrive(inbound)
    return [s.outbound for s in said[before:] if s.outbound.to.chat == desk.chat and s.outbound.mirror_of]


def by_parameters(calls: Sequence[Mapping[str, Any]]) -> str:
    names = (
        "text",
        "caption",
        "message",
        "latitude",
        "longitude",
        "lat",
        "long",
        "title",
        "address",
        "phone_number",
        "attachment",
    )
    return "\n".join(str(c[n]) for c in calls for n in names if c.get(n) is not None)


@pytest.mark.parametrize("desk", DESKS)
@pytest.mark.parametrize("platform", KINDS)
async def test_each_kind_arrives_with_a_human_name(articles: Path, platform: str, desk: str) -> None:
    """From the JSON of the platform through the service to the call of the desk's platform; files themselves
    are gone.
    """
    wrong: dict[str, str] = {}
    place = DESKS[desk]
    async with (
        open_test_bot(articles, desk=OperatorsGroup(forum=desk == "telegram", place=place)) as testbot,
        FakeTelegram() as server,
        FakeVk() as vk,
    ):
        telegram = TelegramAdapter(
            "telegram", TelegramSettings(token=TOKEN, api_base=server.base, poll_seconds=1, timeout=0.5)
        )
        speaker = VkAdapter(
            "vk", VkSettings(token=VK_TOKEN, group_id=GROUP, api_base=vk.base, wait=1, mark_read=False)
        )
        chat = "1001" if platform == "telegram" else "5"
        await testbot.customer(channel=platform, chat=chat).says("позовите оператора")
        for number, (kind, (content, expected)) in enumerate(KINDS[platform].items(), start=100):
            outbounds = await carried(testbot, READ[platform](kind, content, number), place)
            server.calls.clear()
            vk.calls.clear()
            for nonce, outbound in enumerate(outbounds, start=number * 10):
                await (telegram if desk == "telegram" else speaker).send(
                    outbound, nonce=nonce, target="", files=FakeFiles()
                )
            calls = [c.params for c in (server.calls if desk == "telegram" else vk.calls)]
            shown = by_parameters(calls)
            itself = [
                c
                for c in calls
                if any(
                    n in c for n in ("photo", "video", "voice", "document", "audio", "sticker", "animation")
                )
            ]
            itself += [c for c in calls if "video_note" in c]
            if platform == desk == "vk" and any(
                c.get("attachment") for c in calls
            ):  # a video that VK shows itself
                expected = tuple(
                    e.removeprefix("https://vk.com/") for e in expected if e.startswith("https://vk.com/")
                )
            missing = [e for e in expected if e not in shown]
            if missing or kind in shown.replace("https://", "").split() or not (shown or itself):
                wrong[kind] = f"missing {missing} in {shown!r} of {outbounds}"
        await telegram.close()
        await speaker.close()
    assert not wrong, "\n".join(f"{k}: {v}" for k, v in wrong.items())


def test_the_table_knows_every_kind_of_the_installed_aiogram() -> None:
    """A new version that brings a kind of content must get a row in the table and a name in both
    languages.
    """
    fields = {f.alias or name for name, f in Message.model_fields.items()}

    assert fields - ENVELOPE - SERVICE == TELEGRAM.keys()


@pytest.mark.parametrize("kind", sorted({*TELEGRAM, *VK} - {"something_of_2030"} | {"unknown"}))
@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_kind_has_a_name(kind: str, lang: str) -> None:
    """In each language its own words, not the other's and not the API's."""
    words = Texts.load(lang)
    named = words.text(f"attachment.{kind}", lang=lang)

    assert kind not in named.split() and any(c.isalpha() for c in named)
    assert any("а" <= c <= "я" for c in named.lower()) == (lang == "ru") or kind == "donut_link"


@pytest.mark.parametrize(("language", "name"), [("ru", "Опрос: Цвет?"), ("en", "Poll: Цвет?")])
async def test_the_customer_reads_names_in_their_language(testbot: TestBot, language: str, name: str) -> None:
    """What an operator sends and no channel carries is named for its reader, not for the desk."""
    anna, olga = testbot.customer(language=language), testbot.operator()
    await anna.says("позовите оператора" if language == "ru" else "call an operator please")
    await olga.presses("Взять")
    (poll,) = from_telegram("poll", {"question": "Цвет?", "options": [{"text": "алый"}]}, 7).attachments
    await olga.says("", ticket=1, attachments=(poll,))

    assert testbot.channels["telegram"].in_chat("1001")[-1].outbound.text.text == f"📊 {name}\n• алый"


LINKED = Attachment(
    Media.VIDEO,
    "v",
    "vk",
    data={"link": "https://vk.com/video-2_1", "label": "🎬 Видео: Кот https://vk.com/video-2_1"},
)
LONG = Attachment(Media.OTHER, data={"label": "📋 " + "задача " * 800 + "конец"})


@pytest.mark.parametrize("length", [0, 1000, 1024, 4000, 4096])
@pytest.mark.parametrize(
    "attachments",
    [(LONG,), (LINKED,), (Attachment(Media.PHOTO, "p", "telegram"), LINKED), (LINKED,) * 10, (LINKED, LONG)],
)
async def test_a_label_on_a_long_text_loses_nothing(length: int, attachments: tuple[Attachment, ...]) -> None:
    """Labels count when a text is parted: each part is one call, and together they hold every word and
    address.
    """
    text = "я" * length
    async with FakeTelegram() as server:
        telegram = TelegramAdapter(
            "telegram", TelegramSettings(token=TOKEN, api_base=server.base, poll_seconds=1, timeout=0.5)
        )
        outbound = Outbound(Peer("telegram", "1001"), RichText(text), attachments=attachments)
        for nonce, part in enumerate(parts(outbound, {"telegram": telegram.limits}), start=1):
            await telegram.send(part, nonce=nonce, target="", files=FakeFiles())
        await telegram.close()
    shown = [str(c.params.get("text") or c.params.get("caption") or "") for c in server.calls]

    assert all(utf16_length(s) <= 4096 for s in shown)
    assert "".join(shown).count("я") == length
    assert "".join(shown).count("https://vk.com/video-2_1") == attachments.count(LINKED)
    assert "".join(shown).count("задача") == 800 * attachments.count(LONG)
