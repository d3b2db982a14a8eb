"""What MAX's updates become, whichever way they come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.adapters.max.updates import MaxReader
from bot.clock import HandClock
from bot.model import Inbound, InboundKind, Media, Mention, Peer, Style
from bot.text.transcripts import PLATFORM
from tests.adapters.max.conftest import ANNA, GROUP
from tests.fakes.max_server import BOT_ID, DIALOGS, USERNAME, FakeMax

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def max_server() -> FakeMax:
    server = FakeMax()
    server.person(ANNA, "Анна", last_name="Ким", username="anna")
    server.group(GROUP, members={9: "Ольга"})
    return server


def reader() -> MaxReader:
    made = MaxReader("max", HandClock(NOW))
    made.bot_id, made.username = BOT_ID, USERNAME
    return made


def read(update: Any) -> Inbound:
    found = reader().read(update)
    assert found is not None
    return found


def test_a_dialog_is_called_by_its_person(max_server: FakeMax) -> None:
    """So that an operator who is known by their number can be written to in private."""
    said = read(max_server.writes(ANNA, "Где заказ?"))

    assert said.peer == Peer("max", str(ANNA)) and said.private and said.text == "Где заказ?"
    assert (said.sender.name, said.sender.last_name, said.sender.username) == ("Анна", "Ким", "anna")
    assert said.message.startswith("mid.") and said.key == f"message:{said.message}"


def test_a_group_is_called_by_its_number(max_server: FakeMax) -> None:
    said = read(max_server.writes(9, f"@{USERNAME}, /take 7", chat=GROUP))

    assert (said.peer.chat, said.private, said.text) == (str(GROUP), False, "/take 7")
    assert read(max_server.writes(9, f"/take@{USERNAME} 7", chat=GROUP)).text == "/take 7"


def test_styles_and_mentions_are_read_in_utf16(max_server: FakeMax) -> None:
    markup = [
        {"type": "strong", "from": 3, "length": 6},
        {"type": "link", "from": 10, "length": 4, "url": "https://a.ru"},
        {"type": "user_mention", "from": 15, "length": 5, "user_id": 9},
        {"type": "alien", "from": 0, "length": 1},
    ]
    update = max_server.message(9, "👍 важное сайт Ольга", chat=GROUP)
    update["body"]["markup"] = markup
    said = read({"update_type": "message_created", "timestamp": 1, "message": update})

    assert [(s.style, said.text[s.offset : s.offset + s.length]) for s in said.spans] == [
        (Style.BOLD, "важное"),
        (Style.LINK, "сайт"),
    ]
    assert said.mentions == (Mention(14, 5, "9"),)


@pytest.mark.parametrize(
    ("item", "media", "told"),
    [
        (
            {"type": "image", "payload": {"photo_id": 1, "token": "t", "url": "https://i.ru/1"}},
            "photo",
            "url",
        ),
        (
            {"type": "video", "payload": {"url": "https://i.ru/v", "token": "t"}, "duration": 9},
            "video",
            "url",
        ),
        ({"type": "audio", "payload": {"url": "https://i.ru/a", "token": "t"}}, "voice", "url"),
        (
            {"type": "file", "payload": {"url": "https://i.ru/f", "token": "t"}, "filename": "чек.pdf"},
            "document",
            "url",
        ),
        ({"type": "sticker", "payload": {"url": "https://i.ru/s", "code": "c"}}, "sticker", "emoji"),
        ({"type": "location", "latitude": 55.7, "longitude": 37.6}, "location", "latitude"),
        ({"type": "share", "payload": {"url": "https://shop.ru/1"}, "title": "Щётка"}, "other", "about"),
        ({"type": "alien", "payload": {}}, "other", "type"),
    ],
)
def test_what_comes_with_words(item: dict[str, Any], media: str, told: str, max_server: FakeMax) -> None:
    message = max_server.message(ANNA, "", body={"attachments": [item]})
    said = read({"update_type": "message_created", "timestamp": 1, "message": message})

    [found] = said.attachments
    assert found.media == media and found.channel == "max" and told in found.data
    if media == "document":
        assert found.name == "чек.pdf" and found.ref == "t"


def test_what_max_wrote_down_of_a_voice_message_is_kept(max_server: FakeMax) -> None:
    item = {"type": "audio", "payload": {"url": "https://i.ru/a", "token": "t"}, "transcription": "где заказ"}
    [found] = read(max_server.writes(ANNA, attachments=[item])).attachments

    assert found.data[PLATFORM] == "где заказ"


def test_a_contact_brings_its_telephone(max_server: FakeMax) -> None:
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Анна Ким\r\nTEL;TYPE=cell:79123456789\r\nEND:VCARD\r\n"
    item = {"type": "contact", "payload": {"vcf_info": card}}
    said = read(max_server.writes(ANNA, attachments=[item]))

    [found] = said.attachments
    assert found.media is Media.CONTACT
    assert (found.data["phone"], found.data["name"]) == ("79123456789", "Анна Ким")


def test_words_of_a_stranger_are_not_the_customers(max_server: FakeMax) -> None:
    """A forward is context; what a reply answers is named, and whether it was ours."""
    foreign = {"mid": "mid.f", "seq": 1, "text": "Верните деньги"}
    who = {"user_id": 8, "first_name": "Пётр", "is_bot": False}
    forwarded = read(max_server.writes(ANNA, "", link={"type": "forward", "sender": who, "message": foreign}))
    ours = {"mid": "mid.o", "seq": 2, "text": "Чем помочь?"}
    replied = read(
        max_server.writes(ANNA, "вот", link={"type": "reply", "sender": max_server.me(), "message": ours})
    )

    assert forwarded.text == "" and forwarded.context[0].data["text"] == "Верните деньги"
    assert forwarded.context[0].data["who"] == "Пётр"
    assert (replied.quotes, replied.data) == ("mid.o", {"quotes_us": True})
    assert replied.context[0].data["ours"] is True


def test_two_presses_of_one_keyboard_are_two(max_server: FakeMax) -> None:
    """MAX names the keyboard and not the press: the moment tells them apart, and a repeat is one."""
    press = {
        "timestamp": 1_764_000_000_000,
        "callback_id": "kb",
        "payload": "2a.00",
        "user": max_server.person(ANNA),
    }
    message = max_server.message(ANNA, "?")
    first = max_server.happens("message_callback", message=message, callback=press)
    later = {**press, "timestamp": 1_764_000_005_000}
    second = max_server.happens("message_callback", message=message, callback=later)

    pressed = read(first)
    assert (pressed.kind, pressed.press, pressed.callback) == (InboundKind.PRESS, "2a.00", "kb")
    assert pressed.message == message["body"]["mid"] and pressed.peer == Peer("max", str(ANNA))
    assert read(first).key == pressed.key != read(second).key


def test_what_happens_to_a_dialog(max_server: FakeMax) -> None:
    user, chat = max_server.person(ANNA), DIALOGS + ANNA
    started = read(
        max_server.happens("bot_started", chat_id=chat, user=user, payload="dostavka", user_locale="ru-RU")
    )
    stopped = read(max_server.happens("bot_stopped", chat_id=chat, user=user))

    assert (started.kind, started.text) == (InboundKind.START, "dostavka")
    assert started.sender.language == "ru" and started.peer == stopped.peer == Peer("max", str(ANNA))
    assert stopped.kind is InboundKind.BLOCKED
    assert read(max_server.writes(ANNA, "/start vozvrat")).kind is InboundKind.START


def test_what_happens_to_a_group(max_server: FakeMax) -> None:
    olga = max_server.person(9)
    added = read(max_server.happens("bot_added", chat_id=GROUP, user=olga, is_channel=False))
    came = read(max_server.happens("user_added", chat_id=GROUP, user=olga, inviter_id=1, is_channel=False))
    left = read(max_server.happens("user_removed", chat_id=GROUP, user=olga, is_channel=False))
    gone = read(max_server.happens("bot_removed", chat_id=GROUP, user=olga, is_channel=False))

    assert added.kind is InboundKind.ADDED and gone.kind is InboundKind.REMOVED
    assert (came.kind, came.data["user"], came.data["status"]) == (InboundKind.MEMBER, "9", "member")
    assert left.data["status"] == "none" and not added.private
    channel = read(max_server.happens("bot_added", chat_id=-9, user=olga, is_channel=True))
    assert channel.kind is InboundKind.OTHER


def test_changed_and_removed_words(max_server: FakeMax) -> None:
    message = max_server.message(ANNA, "исправлено")
    edited = read(max_server.happens("message_edited", message=message))
    removed = read(
        max_server.happens("message_removed", message_id="mid.x", chat_id=DIALOGS + ANNA, user_id=ANNA)
    )

    assert (edited.kind, edited.text) == (InboundKind.EDIT, "исправлено")
    assert edited.message == message["body"]["mid"]
    assert removed.kind is InboundKind.OTHER and removed.peer.chat == str(ANNA)


@pytest.mark.parametrize(
    "update",
    [
        {"update_type": "alien", "timestamp": 1},
        {"update_type": "dialog_muted", "timestamp": 1, "chat_id": 1, "user": {}},
        {"update_type": "message_created", "timestamp": 1},
        {"update_type": "user_added"},
        {},
        None,
        [],
    ],
)
def test_what_is_not_known_is_nothing(update: Any) -> None:
    assert reader().read(update) is None


def test_a_message_that_cannot_be_read_is_still_seen(max_server: FakeMax) -> None:
    message = max_server.message(ANNA, "живые слова", body={"markup": 7})

    said = read({"update_type": "message_created", "timestamp": 1, "message": message})
    assert said.text == "живые слова" and said.key == f"message:{message['body']['mid']}"


def test_other_bots_and_channels_are_nobody(max_server: FakeMax) -> None:
    message = max_server.message(ANNA, "я бот")
    message["sender"] = {**message["sender"], "is_bot": True}

    update = {"update_type": "message_created", "timestamp": 1, "message": message}
    assert read(update).kind is InboundKind.OTHER
