"""How deliveries reach people in MAX, and what each refusal means."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.max.adapter import MaxAdapter
from bot.adapters.max.calls import ROOMY, TEXT
from bot.errors import AccountError, DeliveryError, PeerGone, Refused, RetryLater, Uncertain
from bot.model import Attachment, Button, Media, OutboundKind, RichText, Span, Style
from bot.testing.fakes import FakeFiles
from tests.adapters.max.conftest import ANNA, GROUP, make, say
from tests.fakes.max_server import FakeMax, Shown

PHOTO = Attachment(Media.PHOTO, "p", "telegram", "чек.jpg", "image/jpeg")
VOICE = Attachment(Media.VOICE, "v", "telegram", mime="audio/ogg")
PDF = Attachment(Media.DOCUMENT, "d", "telegram", "счёт.pdf", "application/pdf")


async def sent(adapter: MaxAdapter, server: FakeMax, outbound: Any, files: FakeFiles | None = None) -> Shown:
    told = await adapter.send(outbound, nonce=7, target="", files=files or FakeFiles())
    return server.messages[told.message]


async def test_styles_are_shown_and_words_stay_words(adapter: MaxAdapter, server: FakeMax) -> None:
    text = "👍 <важно> и сайт, Ольга"
    spans = (
        Span(Style.BOLD, 2, 7),
        Span(Style.ITALIC, 7, 4),
        Span(Style.LINK, 12, 4, 'https://a.ru/?q="1"&b'),
        Span(Style.MENTION, 18, 5, "9"),
        Span(Style.SPOILER, 0, 3),
    )
    shown = await sent(adapter, server, say(RichText(text, spans)))

    assert shown.text == text and shown.body["format"] == "html"
    assert shown.body["text"] == (
        "👍 <b>&lt;важн<i>о&gt;</i></b><i> и</i> "
        '<a href="https://a.ru/?q=&quot;1&quot;&amp;b">сайт</a>, <a href="max://user/9">Ольга</a>'
    )


@pytest.mark.parametrize("style", Style)
async def test_every_style_reaches_people_as_words(
    style: Style, adapter: MaxAdapter, server: FakeMax
) -> None:
    """Whatever styles are added later: the strict server takes the markup, and no word is lost."""
    shown = await sent(adapter, server, say(RichText("одно два три", (Span(style, 5, 3, "https://a.ru"),))))

    assert shown.text == "одно два три"


async def test_a_link_that_max_does_not_open_has_its_address(adapter: MaxAdapter, server: FakeMax) -> None:
    shown = await sent(
        adapter, server, say(RichText("пишите нам", (Span(Style.LINK, 7, 3, "mailto:a@b.ru"),)))
    )

    assert shown.text == "пишите нам (a@b.ru)" and "format" not in shown.body


async def test_a_text_too_long_with_its_markup_goes_plain(adapter: MaxAdapter, server: FakeMax) -> None:
    text = "ж" * ROOMY
    spans = tuple(Span(Style.BOLD, n * 2, 1) for n in range(300))
    assert (await sent(adapter, server, say(RichText(text, spans)))).text == text
    with pytest.raises(Refused) as refused:
        await sent(adapter, server, say("ж" * (TEXT + 1)))
    assert refused.value.code == "too_long"


async def test_a_plain_group_shows_the_heading(adapter: MaxAdapter, server: FakeMax) -> None:
    shown = await sent(adapter, server, say("Где заказ?", chat=GROUP, heading=RichText("№ 7 · Анна")))

    assert shown.chat == GROUP and shown.text == "№ 7 · Анна\nГде заказ?"


async def test_buttons_take_the_shape_that_max_takes(adapter: MaxAdapter, server: FakeMax) -> None:
    """Seven in a row, three where a link is among them; a press still says where it was offered."""
    many = tuple(Button(str(n), "a") for n in range(9))
    links = (Button("Сайт", url="https://a.ru"), *many[:3], Button("tg", url="tg://x"))
    long = (Button("д" * 99, "a", style="danger"),)
    shown = await sent(adapter, server, say("?", buttons=(many, links, long)))

    assert [len(row) for row in shown.buttons] == [7, 2, 3, 1, 1]
    assert shown.buttons[1][1]["payload"] == "7.08" and shown.buttons[3][0]["payload"] == "7.13"
    assert shown.buttons[4][0]["intent"] == "negative" and len(shown.buttons[4][0]["text"]) == 64
    assert shown.text == "?\ntg: tg://x"


async def test_files_travel_as_what_they_are(adapter: MaxAdapter, server: FakeMax) -> None:
    files = FakeFiles({"p": b"jpg", "v": b"ogg", "d": b"pdf"})
    shown = await sent(adapter, server, say("Вот", attachments=(PHOTO, VOICE, PDF)), files)

    assert [a["type"] for a in shown.attachments] == ["image", "audio", "file"]
    assert [(k, n) for k, n, _ in server.uploaded.values()] == [
        ("image", "чек.jpg"),
        ("audio", "voice.ogg"),
        ("file", "счёт.pdf"),
    ]
    await sent(adapter, server, say("И ещё раз", attachments=(PHOTO,)), files)
    assert len(server.uploaded) == 3  # known by its content


async def test_a_file_that_is_worked_through_is_waited_for(adapter: MaxAdapter, server: FakeMax) -> None:
    """Nothing is sent until then, and once it is ready it is sent once."""
    server.unready = 2
    shown = await sent(adapter, server, say("Вот", attachments=(VOICE,)), FakeFiles({"v": b"ogg"}))
    assert [shown] == server.said

    server.unready = 9
    with pytest.raises(RetryLater):
        await sent(adapter, server, say("Вот", attachments=(VOICE,)), FakeFiles({"v": b"ogg"}))
    assert len(server.said) == 1 and len(server.uploaded) == 1


async def test_a_file_that_max_does_not_take_travels_plainer(adapter: MaxAdapter, server: FakeMax) -> None:
    files = FakeFiles({"v": b"ogg"})
    server.refused_kinds = {"audio"}
    shown = await sent(adapter, server, say("Вот", attachments=(VOICE,)), files)
    assert [a["type"] for a in shown.attachments] == ["file"]

    server.refused_kinds = {"audio", "file"}
    shown = await sent(adapter, server, say("Вот", attachments=(VOICE,)), files)
    assert shown.attachments == [] and "🎤" in shown.text
    with pytest.raises(Refused):
        await sent(adapter, server, say("Вот", attachments=(VOICE,), author="operator"), files)


async def test_a_file_that_max_has_forgotten_is_uploaded_anew(adapter: MaxAdapter, server: FakeMax) -> None:
    """As what it is, not as a plain file."""
    files = FakeFiles({"p": b"jpg"})
    await sent(adapter, server, say("Вот", attachments=(PHOTO,)), files)
    server.uploaded.clear()
    shown = await sent(adapter, server, say("Вот", attachments=(PHOTO,)), files)

    assert [a["type"] for a in shown.attachments] == ["image"] and len(server.uploaded) == 1


async def test_places_and_contacts_need_no_file(adapter: MaxAdapter, server: FakeMax) -> None:
    place = Attachment(Media.LOCATION, data={"latitude": 55.7, "longitude": 37.6, "title": "Склад"})
    card = Attachment(Media.CONTACT, data={"name": "Анна", "phone": "+79123456789"})
    sticker = Attachment(Media.STICKER, "x", "telegram", data={"emoji": "🙂"})
    shown = await sent(adapter, server, say("", attachments=(place, card, sticker)))

    assert [a["type"] for a in shown.attachments] == ["location", "contact"]
    assert shown.text == "📍 Склад\n🙂"


async def test_a_reply_whose_message_is_gone_is_no_reply(adapter: MaxAdapter, server: FakeMax) -> None:
    mid = server.writes(ANNA, "Где заказ?")["message"]["body"]["mid"]
    shown = await sent(adapter, server, say("В пути", quotes=mid))
    assert shown.body["link"] == {"type": "reply", "mid": mid}

    assert "link" not in (await sent(adapter, server, say("В пути", quotes="mid.gone"))).body


@pytest.mark.parametrize("code", ["message.not.found", "proto.payload"])
async def test_what_max_did_not_take_never_counts_as_sent(
    code: str, adapter: MaxAdapter, server: FakeMax
) -> None:
    """An answer that would be a success of an edit is none of a new message: it is said without the reply,
    or refused.
    """
    mid = server.writes(ANNA, "Где заказ?")["message"]["body"]["mid"]
    server.refuse("POST", "/messages", 404, code, "link: Message not found")
    assert (await sent(adapter, server, say("В пути", quotes=mid))).text == "В пути"

    server.refuse("POST", "/messages", 404, "message.not.found", "Message not found")
    with pytest.raises(Refused):
        await sent(adapter, server, say("В пути"))
    assert len(server.said) == 1


async def test_an_edit_keeps_what_it_names(adapter: MaxAdapter, server: FakeMax) -> None:
    """The keyboard that is not given again goes; a message that is gone cannot be changed."""
    shown = await sent(adapter, server, say("?", buttons=((Button("Да", "y"),),)))
    edit = say("Хорошо", kind=OutboundKind.EDIT)
    await adapter.send(edit, nonce=8, target=shown.mid, files=FakeFiles())
    assert (shown.text, shown.buttons) == ("Хорошо", [])

    shown.deleted = True
    with pytest.raises(Refused) as refused:
        await adapter.send(edit, nonce=8, target=shown.mid, files=FakeFiles())
    assert refused.value.code == "not_editable"
    gone = say(kind=OutboundKind.DELETE)
    assert await adapter.send(gone, nonce=9, target=shown.mid, files=FakeFiles())


async def test_a_press_is_answered_and_late_answers_are_nobodys_business(
    adapter: MaxAdapter, server: FakeMax
) -> None:
    answer = say("Принято", kind=OutboundKind.ACKNOWLEDGE, quotes="kb")
    await adapter.send(answer, nonce=1, target="", files=FakeFiles())
    assert server.answers == [{"callback_id": "kb", "notification": "Принято"}]

    server.refuse("POST", "/answers", 400, "callback.expired", "callback is too old")
    await adapter.send(answer, nonce=1, target="", files=FakeFiles())


async def test_a_card_is_pinned_in_a_group(adapter: MaxAdapter, server: FakeMax) -> None:
    shown = await sent(adapter, server, say("Карточка", chat=GROUP))
    pin = say(chat=GROUP, kind=OutboundKind.PIN)
    await adapter.send(pin, nonce=8, target=shown.mid, files=FakeFiles())

    assert server.pinned == {GROUP: shown.mid}


async def test_typing_is_shown_where_the_dialog_is_known(adapter: MaxAdapter, server: FakeMax) -> None:
    await adapter.hint_typing(str(ANNA))
    await sent(adapter, server, say("раз"))
    await adapter.hint_typing(str(ANNA))
    await adapter.hint_typing(str(GROUP))

    actions = [c.path for c in server.calls if c.path.endswith("/actions")]
    assert actions == [f"/chats/{1_000_000 + ANNA}/actions", f"/chats/{GROUP}/actions"]


@pytest.mark.parametrize(
    ("status", "code", "message", "error"),
    [
        (401, "verify.token", "Invalid access_token", AccountError),
        (403, "chat.denied", "error.dialog.suspended", PeerGone),
        (404, "dialog.not.found", "", PeerGone),
        (404, "chat.not.found", "Chat -7 not found", PeerGone),
        (403, "access.denied", "You are not allowed", Refused),
        (429, "too.many.requests", "", RetryLater),
        (400, "proto.payload", "something else", Refused),
        (413, "", "", Refused),
        (500, "internal.error", "", Uncertain),
        (503, "service.unavailable", "", Uncertain),
    ],
)
async def test_each_refusal_has_its_meaning(
    status: int, code: str, message: str, error: type[Exception], adapter: MaxAdapter, server: FakeMax
) -> None:
    server.refuse("POST", "/messages", status, code, message)
    with pytest.raises(error):
        await sent(adapter, server, say("раз"))


async def test_max_is_asked_again_only_after_the_time_it_names(adapter: MaxAdapter, server: FakeMax) -> None:
    """429 rests the whole account: the limit is of the account."""
    server.refuse("POST", "/messages", 429, "too.many.requests", Retry_After="7")
    with pytest.raises(RetryLater) as refused:
        await sent(adapter, server, say("раз"))

    assert (refused.value.after, refused.value.scope, refused.value.counts) == (7.0, "account", False)


@pytest.mark.parametrize("done", [False, True])
async def test_a_cut_connection_is_a_doubt_and_no_second_message(
    done: bool, adapter: MaxAdapter, server: FakeMax
) -> None:
    """MAX has no key for repeats, and the client library must not send again by itself."""
    server.cut("POST", "/messages", done=done)
    with pytest.raises(Uncertain):
        await sent(adapter, server, say("раз"))

    assert len(server.of("POST", "/messages")) == 1 and len(server.said) == int(done)
    server.cut("GET", "/me", times=2)  # a reused connection is tried anew once
    with pytest.raises(RetryLater):  # the line is tried with something harmless first
        await sent(adapter, server, say("два"))
    assert len(server.of("POST", "/messages")) == 1
    assert (await sent(adapter, server, say("два"))).text == "два"


@pytest.mark.parametrize("kind", [OutboundKind.EDIT, OutboundKind.DELETE, OutboundKind.ACKNOWLEDGE])
async def test_what_may_be_repeated_is_never_in_doubt(
    kind: OutboundKind, adapter: MaxAdapter, server: FakeMax
) -> None:
    shown = await sent(adapter, server, say("было"))
    server.answer(
        *{
            OutboundKind.EDIT: ("PUT", "/messages"),
            OutboundKind.DELETE: ("DELETE", "/messages"),
            OutboundKind.ACKNOWLEDGE: ("POST", "/answers"),
        }[kind],
        502,
        "<html>",
    )
    with pytest.raises(RetryLater):
        await adapter.send(say("стало", kind=kind, quotes="kb"), nonce=8, target=shown.mid, files=FakeFiles())


async def test_without_a_connection_nothing_was_sent(server: FakeMax) -> None:
    adapter = make(server, api_base="http://127.0.0.1:9")
    with pytest.raises(RetryLater) as error:
        await adapter.send(say("раз"), nonce=1, target="", files=FakeFiles())
    await adapter.close()

    assert error.value.scope == "account" and not error.value.counts


async def test_the_token_is_in_no_word_of_a_failure(server: FakeMax) -> None:
    secret = "s3cret-of-another-bot"
    adapter = make(server, token=secret)
    server.refuse("POST", "/messages", 400, "proto.payload", f"access_token {secret} may not")
    with pytest.raises(DeliveryError) as error:
        await adapter.send(say("раз"), nonce=1, target="", files=FakeFiles())
    await adapter.close()

    assert secret not in str(error.value) and secret not in repr(adapter.__dict__["_line"])


async def test_a_file_of_a_customer_is_read(adapter: MaxAdapter, server: FakeMax) -> None:
    server.uploaded["t"] = ("video", "v.mp4", b"film")
    url = f"{server.base}/file/t"
    photo = Attachment(Media.PHOTO, "t", "max", data={"url": url})
    video = Attachment(Media.VIDEO, "t", "max")

    assert (await adapter.read(photo)).content == (await adapter.read(video)).content == b"film"
    with pytest.raises(Refused):
        await adapter.read(Attachment(Media.PHOTO, "x", "max", data={"url": f"{server.base}/file/x"}))
    with pytest.raises(Refused):
        await adapter.read(Attachment(Media.PHOTO, "x", "max", data={"url": "http://127.0.0.1:1/x"}))
