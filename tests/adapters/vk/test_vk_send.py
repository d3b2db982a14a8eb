"""Our deliveries in VK's words, as VK hears them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.rich_text import utf16_length
from bot.adapters.vk.adapter import VkAdapter
from bot.adapters.vk.calls import RandomIds, to_keyboard, words
from bot.adapters.vk.client import VkClient
from bot.button_tokens import read_token, token
from bot.errors import PeerGone, Refused, RetryLater
from bot.i18n.texts import Texts
from bot.model import Attachment, Button, Media, OutboundKind, RichText, Span, Style
from bot.testing.fakes import FakeFiles
from tests.adapters.vk.conftest import make, say
from tests.fakes.vk_server import BAD_GATEWAY, CHAT, GROUP, TOKEN, FakeVk

YES_NO = ((Button("Да", "yes"), Button("Нет", "no", style="danger")),)


async def test_words_with_styles(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """format_data fits the text that VK keeps: white space at the ends is taken off before counting."""
    rich = RichText("\n 👍 жирно ", (Span(Style.BOLD, 4, 5), Span(Style.CODE, 0, 3)))
    sent = await adapter.send(say(rich), nonce=1, target="", files=files)
    (call,) = vk.calls

    assert call.version == "5.199" and call.params["message"] == "👍 жирно"
    assert call.params["format_data"]["items"] == [{"type": "bold", "offset": 3, "length": 5}]
    assert call.params["dont_parse_links"] == call.params["disable_mentions"] == 1
    assert sent.message == f"m{vk.sent[0].id}"


async def test_refused_styles_give_way_to_plain_words(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """Error 100 on format_data: the same message goes plain, links in brackets."""
    vk.fail("messages.send", 100)
    await adapter.send(
        say(RichText("сайт", (Span(Style.LINK, 0, 4, "https://a.ru"),))), nonce=1, target="", files=files
    )
    first, second = vk.called("messages.send")

    assert "format_data" in first and "format_data" not in second
    assert second["message"] == "сайт (https://a.ru)" and first["random_id"] == second["random_id"]


async def test_group_chats_tell_the_number_of_the_message(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """There the id is 0, so the number within the chat is asked for by peer_ids."""
    sent = await adapter.send(
        say("карточка", chat=CHAT, heading=RichText("№ 7"), quotes="3"), nonce=1, target="", files=files
    )
    (call,) = vk.called("messages.send")

    assert call["peer_ids"] == CHAT and "peer_id" not in call and call["message"] == "№ 7\nкарточка"
    assert call["forward"] == {"peer_id": CHAT, "conversation_message_ids": [3], "is_reply": 1}
    assert sent.message == str(vk.sent[0].number)


async def test_a_reply_to_our_own_message(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """What sending named m57 is quoted by its id."""
    await adapter.send(say("да", quotes="m57"), nonce=1, target="", files=files)

    assert vk.called("messages.send")[0]["forward"] == {"peer_id": 5, "message_ids": [57], "is_reply": 1}


async def test_a_lost_quote_does_not_hold_up_the_words(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """The quoted message was deleted: the words go without it."""
    vk.fail("messages.send", 921)
    await adapter.send(say("да", quotes="3"), nonce=1, target="", files=files)

    assert vk.sent[0].params["message"] == "да" and "forward" not in vk.sent[0].params


def test_random_ids_are_stable_different_and_small() -> None:
    """31 bits, never 0; the same delivery has the same, a fresh store has others."""
    here, there = RandomIds("vk:a"), RandomIds("vk:b")
    ids = [here.of(n) for n in range(1, 5000)]

    assert len(set(ids)) == len(ids) and all(0 < i < 2**31 for i in ids)
    assert here.of(1) == RandomIds("vk:a").of(1) != there.of(1)
    assert all(RandomIds("vk:a").holds(i) for i in ids) and not any(
        here.holds(i) for i in (0, here.of(2) - 5, here.of(1) + 10**7)
    )


async def test_inline_buttons_are_callbacks(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """A press leaves no echo; the token is that of the place where the button was offered."""
    rows = (*YES_NO, (Button("Сайт", url="https://a.ru"), Button("Позвонить", url="tel:+7")))
    await adapter.send(say("Помогло?", buttons=rows), nonce=0x41, target="", files=files)
    (call,) = vk.called("messages.send")
    keyboard = call["keyboard"]
    (yes, no), (site,) = keyboard["buttons"]

    assert keyboard["inline"] is True
    assert yes == {
        "action": {"type": "callback", "label": "Да", "payload": json.dumps({"t": token(0x41, 0, 0)})},
        "color": "secondary",
    }
    assert no["color"] == "negative" and site["action"]["link"] == "https://a.ru" and "color" not in site
    assert call["message"] == "Помогло?\nПозвонить: tel:+7"


async def test_a_one_time_keyboard_has_text_buttons(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """It goes away by itself, which VK does for text buttons only."""
    await adapter.send(say("Имя?", buttons=YES_NO, one_time=True), nonce=1, target="", files=files)
    keyboard = vk.called("messages.send")[0]["keyboard"]

    assert keyboard["one_time"] is True and "inline" not in keyboard
    assert {b["action"]["type"] for row in keyboard["buttons"] for b in row} == {"text"}


LABELS = st.text(min_size=0, max_size=80)
ROWS = st.lists(
    st.lists(
        st.builds(Button, LABELS, st.just("a"), url=st.sampled_from(["", "", "https://a.ru", "tg://x"])),
        max_size=9,
    ).map(tuple),
    max_size=16,
).map(tuple)


@given(ROWS, st.booleans())
def test_every_keyboard_fits(rows: tuple[tuple[Button, ...], ...], one_time: bool) -> None:
    """Whatever is enqueued, VK's limits are kept, tokens lead back, and no button vanishes."""
    keyboard, lines = to_keyboard(rows, 42, one_time=one_time)
    shown = [] if keyboard is None else [b for row in keyboard["buttons"] for b in row]

    assert len(shown) + len(lines) == sum(len(row) for row in rows)
    if keyboard is None:
        return
    inline = keyboard.get("inline", False)
    assert len(keyboard["buttons"]) <= (6 if inline else 10) and all(
        1 <= len(row) <= 5 for row in keyboard["buttons"]
    )
    assert len(shown) <= (10 if inline else 40)
    for button in shown:
        assert 1 <= utf16_length(button["action"]["label"]) <= 40 and len(button["action"]["payload"]) <= 255
        place = read_token(json.loads(button["action"]["payload"])["t"])
        assert place is not None and place[0] == 42
        offered = rows[place[1]][place[2]]
        assert offered.url == button["action"].get("link", "")


async def test_where_bots_have_no_keyboards_the_labels_are_words(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """Error 912: the question is asked all the same, and the owner is told what to switch on."""
    vk.fail("messages.send", 912)
    await adapter.send(say("Помогло?", buttons=YES_NO), nonce=1, target="", files=files)

    assert vk.sent[0].params["message"] == "Помогло?\n• Да\n• Нет"
    assert "Возможности ботов" in adapter.health.details["vk-912"]


async def test_an_edit_keeps_its_keyboard(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """By id in private chats, by number in group chats; the keyboard goes along or VK removes it."""
    private = await adapter.send(say("раз"), nonce=1, target="", files=files)
    grouped = await adapter.send(say("раз", chat=CHAT), nonce=2, target="", files=files)
    await adapter.send(
        say("два", kind=OutboundKind.EDIT, buttons=YES_NO), nonce=3, target=private.message, files=files
    )
    await adapter.send(
        say("два", chat=CHAT, kind=OutboundKind.EDIT), nonce=4, target=grouped.message, files=files
    )

    assert [m.edits[0]["message"] for m in vk.sent] == ["два", "два"]
    assert vk.sent[0].edits[0]["keyboard"]["inline"] and "random_id" not in vk.sent[0].edits[0]


async def test_a_press_is_acknowledged(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """With a short notice, or silently; a text button and a press of yesterday need nothing."""
    await adapter.send(
        say("Принято " * 20, kind=OutboundKind.ACKNOWLEDGE, quotes="e|5|5"), nonce=1, target="", files=files
    )
    await adapter.send(
        say("", kind=OutboundKind.ACKNOWLEDGE, quotes="e|5|5"), nonce=2, target="", files=files
    )
    await adapter.send(say("x", kind=OutboundKind.ACKNOWLEDGE, quotes=""), nonce=3, target="", files=files)
    vk.fail("messages.sendMessageEventAnswer", 100)
    await adapter.send(
        say("x", kind=OutboundKind.ACKNOWLEDGE, quotes="old|5|5"), nonce=4, target="", files=files
    )
    first, second, third = vk.called("messages.sendMessageEventAnswer")

    assert first["event_data"]["type"] == "show_snackbar" and len(first["event_data"]["text"]) <= 90
    assert "event_data" not in second and third["event_id"] == "old"


async def test_reactions_become_numbers_of_vk(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """Known emoji become VK's numbers, unknown ones and refusals are nobody's business."""
    await adapter.send(
        say("👍", chat=CHAT, kind=OutboundKind.REACT, quotes="3"), nonce=1, target="", files=files
    )
    await adapter.send(
        say("🦄", chat=CHAT, kind=OutboundKind.REACT, quotes="3"), nonce=2, target="", files=files
    )
    await adapter.send(
        say("", chat=CHAT, kind=OutboundKind.REACT, quotes="3"), nonce=3, target="", files=files
    )
    vk.fail("messages.sendReaction", 1009)
    await adapter.send(
        say("❤️", chat=CHAT, kind=OutboundKind.REACT, quotes="3"), nonce=4, target="", files=files
    )

    assert [c["reaction_id"] for c in vk.called("messages.sendReaction")] == [4, 1]
    assert vk.called("messages.deleteReaction") == [{"peer_id": CHAT, "cmid": 3}]


async def test_pin_and_delete(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """Both act on the message named by the target."""
    await adapter.send(say(chat=CHAT, kind=OutboundKind.PIN), nonce=1, target="3", files=files)
    await adapter.send(say(kind=OutboundKind.DELETE), nonce=2, target="m57", files=files)

    assert vk.called("messages.pin") == [{"peer_id": CHAT, "cmid": 3}]
    assert (
        vk.called("messages.delete")[0]["message_ids"] == 57
        and vk.called("messages.delete")[0]["delete_for_all"] == 1
    )


async def test_all_pieces_of_a_message_are_deleted_in_one_call(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """A long message went in several; taking it back takes them all."""
    await adapter.send(say(kind=OutboundKind.DELETE), nonce=2, target="m57 m58", files=files)

    assert [c["message_ids"] for c in vk.called("messages.delete")] == ["57,58"]


@pytest.mark.parametrize(
    "kind",
    [OutboundKind.OPEN_TOPIC, OutboundKind.RENAME_TOPIC, OutboundKind.CLOSE_TOPIC, OutboundKind.REOPEN_TOPIC],
)
async def test_there_are_no_topics(adapter: VkAdapter, files: FakeFiles, kind: OutboundKind) -> None:
    """A delivery about a topic is refused, never sent somewhere else."""
    assert not adapter.limits.topics
    with pytest.raises(Refused):
        await adapter.send(say("x", kind=kind), nonce=1, target="", files=files)


async def test_files_are_uploaded_once(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """Photo, document and voice each their way; the second time their names are known."""
    files.contents = {"p": b"picture", "d": b"paper", "v": b"voice"}
    parcel = (
        Attachment(Media.PHOTO, "p", "tg", mime="image/png"),
        Attachment(Media.DOCUMENT, "d", "tg", name="договор.pdf"),
        Attachment(Media.VOICE, "v", "tg"),
    )
    await adapter.send(say("вот", attachments=parcel), nonce=1, target="", files=files)
    await adapter.send(say("снова", attachments=parcel), nonce=2, target="", files=files)
    first, second = (m.params["attachment"].split(",") for m in vk.sent)

    assert [n.rstrip("0123456789").split("-")[0] for n in (a.rsplit("_", 2)[0] for a in first)] == [
        "photo",
        "doc",
        "audio_message",
    ]
    assert first == second and all(str(GROUP) in n for n in first)
    assert [(k, n) for k, n, _ in vk.uploads] == [
        ("photo", "photo.png"),
        ("doc", "договор.pdf"),
        ("audio_message", "voice.ogg"),
    ]


async def test_what_is_in_vk_already_travels_by_name(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """A customer's photo is attached by its name; where VK does not allow that, it is uploaded."""
    files.contents = {"photo5_1_k": b"picture"}
    photo = Attachment(Media.PHOTO, "photo5_1_k", "vk")
    await adapter.send(say("раз", attachments=(photo,)), nonce=1, target="", files=files)
    vk.fail("messages.send", 100)
    await adapter.send(say("два", attachments=(photo,)), nonce=2, target="", files=files)

    assert vk.sent[0].params["attachment"] == "photo5_1_k"
    assert vk.sent[1].params["attachment"].startswith(f"photo-{GROUP}_") and len(vk.uploads) == 1


async def test_a_picture_vk_cannot_read_goes_as_a_file(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """Better a document than nothing."""
    files.contents = {"p": b"no picture"}
    await adapter.send(
        say("", attachments=(Attachment(Media.PHOTO, "p", "tg"),)), nonce=1, target="", files=files
    )

    assert vk.sent[0].params["attachment"].startswith("doc")


@pytest.mark.parametrize("media", list(Media))
async def test_no_attachment_becomes_nothing(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles, media: Media
) -> None:
    """Whatever the kind, and even if its content is gone, something is seen."""
    lost = Attachment(
        media,
        "lost",
        "tg",
        name="f.bin",
        data={"label": "товар", "name": "Анна", "emoji": "🙂", "latitude": 1.5, "longitude": 2.5},
    )
    await adapter.send(say("", attachments=(lost,), author="bot"), nonce=1, target="", files=files)
    params = vk.sent[0].params

    assert params["message"] or (params["lat"], params["long"]) == (1.5, 2.5)


async def test_an_operator_hears_that_their_file_did_not_pass(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles
) -> None:
    """VK takes no programs: for the operator a refusal with the reason, for others a note."""
    files.contents = {"e": b"program"}
    program = Attachment(Media.DOCUMENT, "e", "tg", name="a.exe")
    with pytest.raises(Refused, match="NOT_ALLOWED") as refused:
        await adapter.send(
            say("вот", attachments=(program,), author="operator"), nonce=1, target="", files=files
        )
    assert refused.value.code == "file_unfit"
    await adapter.send(say("вот", attachments=(program,)), nonce=2, target="", files=files)

    assert vk.sent[0].params["message"] == "вот\n📎 a.exe"


async def test_an_upload_that_breaks_is_tried_again(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """Nothing was sent, so later it is sent once."""
    files.contents = {"p": b"picture"}
    outbound = say("вот", attachments=(Attachment(Media.PHOTO, "p", "tg"),))
    vk.fail("upload", BAD_GATEWAY)
    with pytest.raises(RetryLater):
        await adapter.send(outbound, nonce=1, target="", files=files)
    await adapter.send(outbound, nonce=1, target="", files=files)

    assert len(vk.sent) == 1


async def test_more_than_ten_files_are_named(vk: FakeVk, adapter: VkAdapter, files: FakeFiles) -> None:
    """VK takes ten attachments; the rest stand in the text."""
    parcel = tuple(Attachment(Media.DOCUMENT, f"doc5_{n}", "vk", name=f"{n}.pdf") for n in range(12))
    await adapter.send(say("вот", attachments=parcel), nonce=1, target="", files=files)

    assert vk.sent[0].params["attachment"].count(",") == 9
    assert vk.sent[0].params["message"] == "вот\n📎 10.pdf\n📎 11.pdf"


async def test_there_must_be_something_to_say(adapter: VkAdapter, files: FakeFiles) -> None:
    """Empty words, no message to edit and no address are refused before VK is asked."""
    for outbound in (
        say("  "),
        say("x", kind=OutboundKind.EDIT),
        say("x", kind=OutboundKind.PIN),
        say("x", kind=OutboundKind.DELETE),
        replace(say("x"), to=replace(say().to, chat="@anna")),
    ):
        with pytest.raises(Refused):
            await adapter.send(outbound, nonce=1, target="", files=files)


def test_somebody_elses_markup_stays_words() -> None:
    """VK would make links of [id1|Павел]; a customer's words are shown as they are."""
    shown = words(say(RichText("[id1|Павел] и [https://a.ru|сюда]", (Span(Style.BOLD, 0, 11),)))).text

    assert (
        "|" not in shown
        and shown.startswith("[id1")
        and len(shown) == len("[id1|Павел] и [https://a.ru|сюда]")
    )


def test_a_heading_gives_way_to_the_words() -> None:
    """The words were split to fit; a heading must not make them too long."""
    shown = words(replace(say("я" * 4090), heading=RichText("№ 1042, Анна"))).text

    assert utf16_length(shown) <= 4096 and shown.endswith("я" * 4090) and shown.startswith("№ 10")


async def test_typing_never_fails(vk: FakeVk, adapter: VkAdapter) -> None:
    """Cosmetics are nobody's business."""
    vk.fail("messages.setActivity", 901)
    await adapter.hint_typing("5")
    await adapter.hint_typing("nonsense")

    assert vk.called("messages.setActivity")[0]["type"] == "typing"


async def test_a_file_is_read_by_its_address(vk: FakeVk, adapter: VkAdapter) -> None:
    """Gone for good is Refused, too large as well; without an address there is nothing to read."""
    vk.files["a"] = b"picture"
    found = await adapter.read(
        Attachment(Media.PHOTO, "photo1", "vk", name="a.jpg", data={"url": f"{vk.base}/files/a"})
    )

    assert (found.content, found.name, found.mime) == (b"picture", "a.jpg", "image/jpeg")
    for data in ({"url": f"{vk.base}/files/b"}, {"url": "file:///etc/passwd"}, {}):
        with pytest.raises(Refused):
            await adapter.read(Attachment(Media.PHOTO, "photo1", "vk", data=data))
    client = VkClient(TOKEN, api_base=vk.base)
    with pytest.raises(Refused):
        await client.fetch(f"{vk.base}/files/a", largest=3)
    await client.close()


async def test_who_is_in_a_chat(vk: FakeVk, adapter: VkAdapter) -> None:
    """Administrator, member or none; a chat we are not in is gone."""
    vk.answers["messages.getConversationMembers"] = {
        "items": [{"member_id": 9, "is_admin": True}, {"member_id": 8}]
    }
    vk.answers["messages.getConversationsById"] = {
        "items": [{"peer": {"id": CHAT}, "chat_settings": {"title": "Поддержка"}}]
    }

    assert [await adapter.membership(str(CHAT), u) for u in ("9", "8", "7")] == [
        "administrator",
        "member",
        "none",
    ]
    assert await adapter.membership("5", "5") == "member"
    assert (await adapter.chat_info(str(CHAT))).title == "Поддержка"
    vk.fail("messages.getConversationMembers", 917)
    assert "администратором" in (await adapter.chat_info(str(CHAT))).problems[0].hint
    vk.answers["messages.getConversationsById"] = {
        "items": [{"peer": {"id": CHAT}, "chat_settings": {"title": "Поддержка", "state": "kicked"}}]
    }
    with pytest.raises(PeerGone):
        await adapter.chat_info(str(CHAT))
    vk.answers["messages.getConversationsById"] = {"items": []}
    with pytest.raises(PeerGone):
        await adapter.chat_info(str(CHAT))


async def test_what_an_account_lacks(vk: FakeVk, adapter: VkAdapter) -> None:
    """Doctor names the group, the rights, the switch, the version and the events, each with a way to mend
    it.
    """
    assert await adapter.check() == ()
    vk.answers["groups.getById"] = {"groups": [{"id": 78}]}
    vk.answers["groups.getTokenPermissions"] = {"settings": [{"name": "messages"}]}
    vk.answers["groups.getLongPollSettings"] = {
        "is_enabled": False,
        "api_version": "5.90",
        "events": {"message_new": 0},
    }
    problems = await adapter.check()

    assert {p.code for p in problems} == {
        "vk-group",
        "vk-scope",
        "vk-longpoll-off",
        "vk-longpoll-version",
        "vk-event-off",
    }
    assert all(p.hint for p in problems)


async def test_an_unreachable_vk_is_one_problem(files: FakeFiles) -> None:
    """No network is said in words, not in a traceback."""
    away = make(FakeVk(), api_base="http://127.0.0.1:9")
    problems: tuple[Any, ...] = await away.check()
    await away.close()

    assert [p.code for p in problems] == ["vk-network"]


@pytest.mark.parametrize("lang", ["ru", "en"])
async def test_each_mark_of_the_desk_is_seen(
    vk: FakeVk, adapter: VkAdapter, files: FakeFiles, lang: str
) -> None:
    """VK has sixteen reactions and no pencil: a note has a mark all the same, not that of a delivered
    answer.
    """
    words = Texts.load(lang)
    for n, name in enumerate(("delivered", "note"), 1):
        mark = words.text(f"desk.receipt.{name}", lang=lang)
        await adapter.send(
            say(mark, chat=CHAT, kind=OutboundKind.REACT, quotes="3"), nonce=n, target="", files=files
        )

    assert len({c["reaction_id"] for c in vk.called("messages.sendReaction")}) == 2


async def test_a_chat_of_many_is_told_by_its_number(adapter: VkAdapter) -> None:
    """Without a call: VK numbers chats above two thousand million, communities below zero."""
    assert adapter.is_group(str(CHAT)) and not adapter.is_group("5") and not adapter.is_group("-5")
