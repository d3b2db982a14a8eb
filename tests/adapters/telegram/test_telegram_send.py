"""A delivery becomes one call of the Bot API, and what Telegram cannot carry is still shown."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.base import File, Files
from bot.adapters.telegram.adapter import TelegramAdapter
from bot.adapters.telegram.business import account_peer, message_name
from bot.button_tokens import read_token
from bot.errors import AccountError, PeerGone, Refused, RetryLater, TopicGone, Uncertain
from bot.model import Attachment, Button, Media, Outbound, OutboundKind, Peer, RichText, Sent, Span, Style
from bot.testing.fakes import FakeFiles
from tests.fakes.telegram_server import FakeTelegram

CUSTOMER = Peer("telegram", "1001")
GROUP = Peer("telegram", "-100500")
TOPIC = Peer("telegram", "-100500", "77")


def photo(ref: str = "p", channel: str = "telegram", **more: Any) -> Attachment:
    return Attachment(Media.PHOTO, ref, channel, **more)


async def test_words_go_with_entities_and_without_preview(server: FakeTelegram, say: Any) -> None:
    """Styles are entities in UTF-16 units, never a parse mode; links show no preview; markup of a customer
    stays text.
    """
    text = RichText("👍 <b>да</b> сайт", (Span(Style.BOLD, 2, 3), Span(Style.LINK, 12, 4, "https://a.ru")))

    sent = await say(Outbound(CUSTOMER, text))

    call = server.of("sendMessage")[0].params
    assert sent == Sent("501")
    assert call["text"] == text.text and call["chat_id"] == 1001
    assert call["entities"] == [
        {"type": "bold", "offset": 3, "length": 3},
        {"type": "text_link", "offset": 13, "length": 4, "url": "https://a.ru"},
    ]
    assert call["link_preview_options"] == {"is_disabled": True}
    assert (
        not {"parse_mode", "message_thread_id", "reply_parameters", "disable_notification", "reply_markup"}
        & call.keys()
    )


async def test_thread_reply_and_silence(server: FakeTelegram, say: Any) -> None:
    """A topic, a quoted message and silence are told; a quoted message that is gone does not stop the
    words.
    """
    await say(Outbound(TOPIC, RichText("да"), quotes="9", silent=True))

    call = server.of("sendMessage")[0].params
    assert call["message_thread_id"] == 77 and call["disable_notification"] is True
    assert call["reply_parameters"] == {"message_id": 9, "allow_sending_without_reply": True}


async def test_the_heading_is_for_peers_without_a_thread(server: FakeTelegram, say: Any) -> None:
    """In a plain group the heading stands above the words in bold, in a topic it is not needed."""
    await say(Outbound(GROUP, RichText("слова"), heading=RichText("№ 7 · Анна")))
    await say(Outbound(TOPIC, RichText("слова"), heading=RichText("№ 7 · Анна")))

    first, second = (c.params for c in server.of("sendMessage"))
    assert first["text"] == "№ 7 · Анна\nслова" and first["entities"] == [
        {"type": "bold", "offset": 0, "length": 10}
    ]
    assert second["text"] == "слова"


async def test_buttons_carry_tokens_that_name_the_delivery(server: FakeTelegram, say: Any) -> None:
    """Each button has its own short token, an address opens itself, a style is passed on."""
    rows = (
        (Button("Да", "yes", style="success"), Button("Нет", "no")),
        (Button("Сайт", url="https://a.ru"),),
        (),
    )

    await say(Outbound(CUSTOMER, RichText("Помогло?"), buttons=rows), nonce=2**40)

    keyboard = server.of("sendMessage")[0].params["reply_markup"]["inline_keyboard"]
    tokens = [b["callback_data"] for b in keyboard[0]]
    assert [read_token(t) for t in tokens] == [(2**40, 0, 0), (2**40, 0, 1)]
    assert all(len(t.encode()) <= 64 for t in tokens)
    assert keyboard[0][0]["style"] == "success" and keyboard[1] == [{"text": "Сайт", "url": "https://a.ru"}]
    assert len(keyboard) == 2


@pytest.mark.parametrize(
    ("media", "method", "field"),
    [
        (Media.PHOTO, "sendPhoto", "photo"),
        (Media.DOCUMENT, "sendDocument", "document"),
        (Media.VOICE, "sendVoice", "voice"),
        (Media.VIDEO, "sendVideo", "video"),
        (Media.AUDIO, "sendAudio", "audio"),
        (Media.ANIMATION, "sendAnimation", "animation"),
    ],
)
async def test_own_files_go_by_their_id_with_the_words_below(
    server: FakeTelegram, say: Any, media: Media, method: str, field: str
) -> None:
    """What Telegram has already is not uploaded again; the words are the caption, the buttons stay."""
    await say(
        Outbound(
            CUSTOMER,
            RichText("вот"),
            attachments=(Attachment(media, "ID", "telegram"),),
            buttons=((Button("Да", "a"),),),
        )
    )

    call = server.calls[0]
    assert (call.method, call.params[field], call.params["caption"], call.files) == (method, "ID", "вот", {})
    assert call.params["reply_markup"]["inline_keyboard"]


@pytest.mark.parametrize(
    ("media", "method"), [(Media.STICKER, "sendSticker"), (Media.VIDEO_NOTE, "sendVideoNote")]
)
async def test_what_takes_no_words_goes_alone(
    server: FakeTelegram, say: Any, media: Media, method: str
) -> None:
    """A sticker and a round video without words are themselves."""
    await say(Outbound(CUSTOMER, attachments=(Attachment(media, "ID", "telegram"),)))

    assert [c.method for c in server.calls] == [method]


async def test_a_round_video_with_words_is_a_video(server: FakeTelegram, say: Any, files: FakeFiles) -> None:
    """Words would be lost below a round video, so it travels as a plain one."""
    files.contents["ID"] = b"video"

    await say(
        Outbound(CUSTOMER, RichText("вот"), attachments=(Attachment(Media.VIDEO_NOTE, "ID", "telegram"),))
    )

    assert [(c.method, c.params["caption"], len(c.files)) for c in server.calls] == [("sendVideo", "вот", 1)]


async def test_foreign_files_are_uploaded(server: FakeTelegram, say: Any, files: FakeFiles) -> None:
    """A photo of another channel and a file from the disk arrive with their content and a clean name."""
    files.contents |= {"vk1": b"jpeg", "/a/b.pdf": b"pdf"}

    await say(Outbound(CUSTOMER, attachments=(photo("vk1", "vk"),)))
    await say(
        Outbound(
            CUSTOMER, attachments=(Attachment(Media.DOCUMENT, "/a/b.pdf", "", name='чек "1".pdf\r\nX: y'),)
        )
    )

    (first,), (second,) = (c.files.values() for c in server.calls)
    assert first == ("file.jpg", b"jpeg")
    assert second == ("чек _1_.pdf_X_ y", b"pdf")


async def test_places_and_contacts_are_themselves(server: FakeTelegram, say: Any) -> None:
    """Without words a place and a contact are shown as Telegram shows them."""
    await say(
        Outbound(
            CUSTOMER, attachments=(Attachment(Media.LOCATION, data={"latitude": 55.75, "longitude": 37.61}),)
        )
    )
    await say(
        Outbound(
            CUSTOMER, attachments=(Attachment(Media.CONTACT, data={"phone": "+70000000000", "name": "Анна"}),)
        )
    )

    assert [c.method for c in server.calls] == ["sendLocation", "sendContact"]
    assert server.calls[0].params["latitude"] == 55.75 and server.calls[1].params["first_name"] == "Анна"


@pytest.mark.parametrize(
    ("attachment", "shown"),
    [
        (Attachment(Media.LOCATION, data={"latitude": 55.75, "longitude": 37.61}), "📍 55.75, 37.61"),
        (Attachment(Media.CONTACT, data={"phone": "+7", "name": "Анна"}), "👤 Анна +7"),
        (Attachment(Media.STICKER, "vk5", "vk", data={"emoji": "😀"}), "😀"),
        (Attachment(Media.OTHER, data={"label": "📊 Опрос"}), "📊 Опрос"),
        (Attachment(Media.VIDEO, "gone", "vk", name="кот.mp4", duration=61), "🎬 кот.mp4 (1:01)"),
        (
            Attachment(Media.DOCUMENT, "big", "vk", name="архив.zip", size=60 * 1024 * 1024),
            "📎 архив.zip (62.9 MB)",
        ),
        (Attachment(Media.VOICE, "empty", "vk", duration=5), "🎤 0:05"),
    ],
)
async def test_what_cannot_travel_is_shown_in_words(
    server: FakeTelegram, say: Any, files: FakeFiles, attachment: Attachment, shown: str
) -> None:
    """Never nothing: the words stay and a placeholder stands below them."""
    files.contents["empty"] = b""

    await say(Outbound(CUSTOMER, RichText("смотрите"), attachments=(attachment,)))

    assert [(c.method, c.params["text"]) for c in server.calls] == [("sendMessage", f"смотрите\n{shown}")]
    assert "big" not in files.asked


@pytest.mark.parametrize("media", list(Media))
@pytest.mark.parametrize("words", ["", "слова"])
async def test_every_kind_of_every_channel_shows_something(
    server: FakeTelegram, say: Any, files: FakeFiles, media: Media, words: str
) -> None:
    """The table of all kinds: own, readable, gone and nameless attachments each make exactly one visible
    message.
    """
    files.contents["there"] = b"content"
    kinds = [
        Attachment(media, "ID", "telegram"),
        Attachment(media, "there", "vk"),
        Attachment(media, "gone", "vk"),
        Attachment(media),
    ]

    for attachment in kinds:
        await say(Outbound(CUSTOMER, RichText(words), attachments=(attachment,)))

    assert len(server.calls) == 4
    for call in server.calls:
        assert call.method != "sendMessage" or call.params["text"] not in ("", words)
        assert not words or words in (call.params.get("text", "") + call.params.get("caption", ""))


async def test_a_photo_that_is_too_big_is_a_document(
    server: FakeTelegram, say: Any, files: FakeFiles
) -> None:
    """Above 10 MB Telegram takes no photos, but it takes files."""
    files.contents["big"] = b"x" * (10 * 1024 * 1024 + 1)

    await say(Outbound(CUSTOMER, attachments=(photo("big", "vk"),)))

    assert [c.method for c in server.calls] == ["sendDocument"]


@pytest.mark.parametrize(
    "description",
    [
        "Bad Request: PHOTO_INVALID_DIMENSIONS",
        "Bad Request: IMAGE_PROCESS_FAILED",
        "Bad Request: wrong file identifier",
    ],
)
async def test_a_refused_photo_is_tried_as_a_document(
    server: FakeTelegram, say: Any, files: FakeFiles, description: str
) -> None:
    """Nothing was sent, so the same picture goes as a file."""
    files.contents["p"] = b"picture"
    server.refuse("sendPhoto", 400, description)

    sent = await say(Outbound(CUSTOMER, RichText("вот"), attachments=(photo("p", "vk"),)))

    assert [c.method for c in server.calls] == ["sendPhoto", "sendDocument"] and sent.message


async def test_a_file_refused_in_every_form_is_told_in_words(
    server: FakeTelegram, say: Any, files: FakeFiles
) -> None:
    """The last form is words, so the message arrives whatever the file is."""
    files.contents["v"] = b"voice"
    server.refuse("sendVoice", 400, "Bad Request: VOICE_MESSAGES_FORBIDDEN")
    server.refuse("sendDocument", 413, "Request Entity Too Large")

    await say(Outbound(CUSTOMER, attachments=(Attachment(Media.VOICE, "v", "telegram", duration=4),)))

    assert [c.method for c in server.calls] == ["sendVoice", "sendDocument", "sendMessage"]
    assert server.calls[-1].params["text"] == "🎤 0:04"


async def test_an_album_is_one_call(server: FakeTelegram, say: Any, files: FakeFiles) -> None:
    """Photos and videos together are one album with the words below the first; its id is the first message's,
    the others are told.
    """
    files.contents["vk1"] = b"jpeg"
    parts = (photo("a"), photo("vk1", "vk"), Attachment(Media.VIDEO, "v", "telegram"))

    sent = await say(Outbound(TOPIC, RichText("три", (Span(Style.BOLD, 0, 3),)), attachments=parts))

    (call,) = server.calls
    media = call.params["media"]
    assert call.method == "sendMediaGroup" and call.params["message_thread_id"] == 77
    assert [m["type"] for m in media] == ["photo", "photo", "video"]
    assert media[0]["caption"] == "три" and media[0]["caption_entities"] and "caption" not in media[1]
    assert media[0]["media"] == "a" and media[1]["media"].startswith("attach://") and len(call.files) == 1
    assert sent == Sent("501", ("502", "503"))


async def test_kinds_that_do_not_mix_go_as_documents(
    server: FakeTelegram, say: Any, files: FakeFiles
) -> None:
    """A photo beside a document travels as a file, in the same one call."""
    files.contents["a"] = b"jpeg"

    await say(Outbound(CUSTOMER, attachments=(photo("a"), Attachment(Media.DOCUMENT, "d", "telegram"))))

    (call,) = server.calls
    assert [m["type"] for m in call.params["media"]] == ["document", "document"]
    assert call.params["media"][1]["media"] == "d" and files.asked == ["a"]


async def test_what_is_missing_in_an_album_is_told_below_it(server: FakeTelegram, say: Any) -> None:
    """Two of three arrive and the third is named in the caption; where one is left it goes alone."""
    await say(
        Outbound(
            CUSTOMER, RichText("да"), attachments=(photo("a"), photo("b"), photo("gone", "vk", name="x.jpg"))
        )
    )
    await say(Outbound(CUSTOMER, RichText("да"), attachments=(photo("a"), photo("gone", "vk", name="x.jpg"))))

    album, single = server.calls
    assert (album.method, album.params["media"][0]["caption"]) == ("sendMediaGroup", "да\n🖼 x.jpg")
    assert (single.method, single.params["caption"]) == ("sendPhoto", "да\n🖼 x.jpg")


@pytest.mark.parametrize(
    "outbound",
    [
        Outbound(CUSTOMER, RichText("а" * 4097)),
        Outbound(CUSTOMER, RichText("👍" * 2049)),
        Outbound(CUSTOMER, RichText("а" * 1025), attachments=(photo(),)),
        Outbound(CUSTOMER, attachments=(photo(),) * 11),
        Outbound(CUSTOMER, attachments=(photo(),) * 2, buttons=((Button("Да", "a"),),)),
        Outbound(CUSTOMER),
        Outbound(CUSTOMER, RichText(" \n ")),
        Outbound(Peer("telegram", "-1", "ticket:7"), RichText("да")),
        Outbound(CUSTOMER, RichText("да"), kind=OutboundKind.EDIT),
        Outbound(CUSTOMER, RichText("👍"), kind=OutboundKind.REACT),
    ],
)
async def test_what_should_never_have_been_enqueued_is_refused(
    server: FakeTelegram, say: Any, outbound: Outbound
) -> None:
    """Too long, too many, empty, without a target: refused with the reason, and nothing goes out."""
    with pytest.raises(Refused):
        await say(outbound)

    assert server.calls == []


async def test_chats_of_an_account_are_spoken_to_by_its_connection(
    server: FakeTelegram, say: Any, files: FakeFiles
) -> None:
    """Words, albums, replies, pins and deletions name the connection and Telegram's own numbers; there is no
    reaction in somebody's name.
    """
    server.connect("con-1", can_reply=True, can_delete_sent_messages=True)
    server.lately.add(1001)
    peer = account_peer("telegram", 1001, "con-1")
    first = await say(Outbound(peer, RichText("раз"), quotes=message_name("con-1", 7)))
    two = await say(Outbound(peer, attachments=(photo("a"), photo("b"))))
    await say(Outbound(peer, kind=OutboundKind.PIN, edits="x"), target=first.message)
    await say(Outbound(peer, kind=OutboundKind.DELETE, edits="x"), target=f"{two.message} {two.also[0]}")
    with pytest.raises(Refused):
        await say(Outbound(peer, RichText("👌"), kind=OutboundKind.REACT, quotes=first.message))

    assert {c.params["business_connection_id"] for c in server.calls} == {"con-1"}
    assert server.of("sendMessage")[0].params["reply_parameters"]["message_id"] == 7
    assert server.of("deleteBusinessMessages")[0].params["message_ids"] == [502, 503]
    assert first.message != "501" and first.message.endswith("-501")


async def test_an_edit_replaces_words_and_buttons(server: FakeTelegram, say: Any) -> None:
    """The text of a text, the caption of what has one, the buttons alone where no words are given."""
    server.refuse("editMessageText", 400, "Bad Request: there is no text in the message to edit", times=1)

    by_refusal = await say(Outbound(CUSTOMER, RichText("новое"), kind=OutboundKind.EDIT), target="17")
    await say(Outbound(CUSTOMER, RichText("новое"), kind=OutboundKind.EDIT), target="17")
    await say(
        Outbound(CUSTOMER, RichText("новое"), kind=OutboundKind.EDIT, attachments=(photo(),)), target="17"
    )
    await say(Outbound(CUSTOMER, kind=OutboundKind.EDIT), target="17")

    assert by_refusal == Sent("17")
    assert [c.method for c in server.calls] == [
        "editMessageText",
        "editMessageCaption",
        "editMessageText",
        "editMessageCaption",
        "editMessageReplyMarkup",
    ]
    assert all(c.params["message_id"] == 17 for c in server.calls)


@pytest.mark.parametrize(
    ("outbound", "target", "method", "params"),
    [
        (
            Outbound(CUSTOMER, RichText("ок"), kind=OutboundKind.ACKNOWLEDGE, quotes="q1"),
            "",
            "answerCallbackQuery",
            {"callback_query_id": "q1", "text": "ок"},
        ),
        (
            Outbound(CUSTOMER, kind=OutboundKind.ACKNOWLEDGE, quotes="q1"),
            "",
            "answerCallbackQuery",
            {"callback_query_id": "q1"},
        ),
        (
            Outbound(TOPIC, RichText("❤️"), kind=OutboundKind.REACT, quotes="5"),
            "",
            "setMessageReaction",
            {"chat_id": -100500, "message_id": 5, "reaction": [{"type": "emoji", "emoji": "❤"}]},
        ),
        (
            Outbound(TOPIC, kind=OutboundKind.REACT, quotes="5"),
            "",
            "setMessageReaction",
            {"chat_id": -100500, "message_id": 5, "reaction": []},
        ),
        (
            Outbound(GROUP, RichText("№ 7\nАнна"), kind=OutboundKind.OPEN_TOPIC),
            "",
            "createForumTopic",
            {"chat_id": -100500, "name": "№ 7 Анна"},
        ),
        (
            Outbound(TOPIC, RichText("№ 7"), kind=OutboundKind.RENAME_TOPIC),
            "",
            "editForumTopic",
            {"chat_id": -100500, "message_thread_id": 77, "name": "№ 7"},
        ),
        (
            Outbound(TOPIC, kind=OutboundKind.CLOSE_TOPIC),
            "",
            "closeForumTopic",
            {"chat_id": -100500, "message_thread_id": 77},
        ),
        (
            Outbound(TOPIC, kind=OutboundKind.REOPEN_TOPIC),
            "",
            "reopenForumTopic",
            {"chat_id": -100500, "message_thread_id": 77},
        ),
        (
            Outbound(TOPIC, kind=OutboundKind.PIN),
            "17",
            "pinChatMessage",
            {"chat_id": -100500, "message_id": 17, "disable_notification": True},
        ),
        (
            Outbound(TOPIC, kind=OutboundKind.DELETE_TOPIC),
            "",
            "deleteForumTopic",
            {"chat_id": -100500, "message_thread_id": 77},
        ),
        (
            Outbound(TOPIC, kind=OutboundKind.DELETE),
            "17",
            "deleteMessage",
            {"chat_id": -100500, "message_id": 17},
        ),
        (
            Outbound(TOPIC, kind=OutboundKind.DELETE),
            "17 18",
            "deleteMessages",
            {"chat_id": -100500, "message_ids": [17, 18]},
        ),
    ],
)
async def test_every_other_verb_is_one_call(
    server: FakeTelegram, say: Any, outbound: Outbound, target: str, method: str, params: dict[str, Any]
) -> None:
    """Each verb has its method and parameters."""
    await say(outbound, target=target)

    assert [(c.method, c.params) for c in server.calls] == [(method, params)]


async def test_an_opened_topic_is_told(say: Any) -> None:
    """The id of the new topic is what later words are sent to."""
    assert await say(Outbound(GROUP, RichText("№ 7"), kind=OutboundKind.OPEN_TOPIC)) == Sent("77")


async def test_a_topic_name_is_cut_at_128(server: FakeTelegram, say: Any) -> None:
    """Long names fit, counted as Telegram counts."""
    await say(Outbound(GROUP, RichText("👍" * 100), kind=OutboundKind.OPEN_TOPIC))

    assert server.calls[0].params["name"] == "👍" * 64


async def test_a_lost_topic_is_not_mistaken_for_a_lost_file(server: FakeTelegram, say: Any) -> None:
    """A photo for a deleted topic raises TopicGone at once, without trying other forms."""
    server.refuse("sendPhoto", 400, "Bad Request: message thread not found")

    with pytest.raises(TopicGone):
        await say(Outbound(TOPIC, attachments=(photo(),)))

    assert len(server.calls) == 1


@pytest.mark.parametrize(
    "trouble", [AccountError("wrong token of the other channel"), PeerGone("x"), FileNotFoundError("x")]
)
async def test_another_channels_trouble_does_not_hold_the_words(
    server: FakeTelegram, adapter: TelegramAdapter, trouble: Exception
) -> None:
    """A file that its own channel cannot give is told in words; only a passing outage is waited for."""

    class Broken(Files):
        async def read(self, attachment: Attachment) -> File:
            raise trouble

    class Away(Broken):
        async def read(self, attachment: Attachment) -> File:
            raise Uncertain("reset")

    outbound = Outbound(CUSTOMER, RichText("вот"), attachments=(photo("p", "vk", name="x.jpg"),))
    await adapter.send(outbound, nonce=1, target="", files=Broken())
    with pytest.raises(RetryLater):
        await adapter.send(outbound, nonce=1, target="", files=Away())

    assert [c.params["text"] for c in server.calls] == ["вот\n🖼 x.jpg"]


async def test_poison_in_what_we_say_is_cleaned(server: FakeTelegram, say: Any) -> None:
    """A lone surrogate or NUL in a kept text does not make a message that can never be sent."""
    await say(Outbound(CUSTOMER, RichText("a\ud800b\x00")))

    assert server.calls[0].params["text"] == "a\ufffdb\ufffd"
