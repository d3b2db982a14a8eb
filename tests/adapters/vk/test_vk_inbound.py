"""VK's events in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.vk.calls import RandomIds
from bot.adapters.vk.updates import VkReader
from bot.button_tokens import token
from bot.model import Inbound, InboundKind, Media, Style
from tests.fakes.vk_server import CHAT, GROUP, message

NOW = datetime(2026, 11, 21, tzinfo=UTC)
READER = VkReader("vk", GROUP, lambda: NOW, RandomIds("vk").holds)


def new(**more: Any) -> Inbound:
    found = READER.read(
        {
            "type": "message_new",
            "event_id": "e1",
            "object": {"message": message(**more), "client_info": {"lang_id": 3}},
        }
    )
    assert found is not None
    return found


def event(kind: str, **what: Any) -> Inbound | None:
    return READER.read({"type": kind, "event_id": "e1", "object": what})


def test_a_message_is_named_by_its_place_in_the_chat() -> None:
    """The key is the same by long poll, callback and history: peer and number, not the event's id."""
    found = new(text="привет")

    assert (found.key, found.message, found.peer.chat, found.private) == ("5:3", "3", "5", True)
    assert found.kind is InboundKind.MESSAGE and found.text == "привет"
    assert found.at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert found.sender.id == "5" and found.sender.language == "en"


def test_old_event_versions_hold_the_message_itself() -> None:
    """Below 5.103 there is no wrapper around the message."""
    found = READER.read({"type": "message_new", "object": dict(message(text="да"))})

    assert found is not None and found.text == "да" and found.key == "5:3"


@pytest.mark.parametrize("payload", [{"t": token(66, 0, 1)}, json.dumps({"t": token(66, 0, 1)})])
def test_a_text_button_is_a_press(payload: object) -> None:
    """Its token comes back, and there is nothing to acknowledge."""
    found = new(text="Да", payload=payload)

    assert (found.kind, found.press, found.callback) == (InboundKind.PRESS, token(66, 0, 1), "")


def test_a_callback_button_can_be_acknowledged() -> None:
    """The callback holds all that the answer needs."""
    found = event(
        "message_event",
        user_id=5,
        peer_id=5,
        event_id="abc",
        payload={"t": "42.00"},
        conversation_message_id=9,
    )

    assert found is not None
    assert (found.kind, found.press, found.callback, found.message) == (
        InboundKind.PRESS,
        "42.00",
        "abc|5|5",
        "9",
    )


@pytest.mark.parametrize("payload", ["", "{", "[1]", {"t": 5}, {"t": "x" * 65}, 7, None, '{"t": {"a": 1}}'])
def test_a_made_up_payload_is_no_press(payload: object) -> None:
    """Whatever stands in the payload, a message stays a message."""
    assert new(text="x", payload=payload).kind is InboundKind.MESSAGE


def test_the_start_button_is_a_start() -> None:
    """The deep link's word is the text of the start."""
    found = new(text="Начать", payload='{"command": "start"}', ref="promo", ref_source="ad")

    assert (found.kind, found.text, found.data) == (
        InboundKind.START,
        "promo",
        {"ref": "promo", "ref_source": "ad"},
    )


def test_words_that_come_by_a_deep_link_stay_words() -> None:
    """A customer who writes at once is not answered with a greeting instead."""
    found = new(text="где заказ?", ref="promo")

    assert (found.kind, found.text, found.data["ref"]) == (InboundKind.MESSAGE, "где заказ?", "promo")


def test_an_edit_names_the_message() -> None:
    """Two edits of one message are two things, about the same message."""
    first, second = (
        READER.read({"type": "message_edit", "event_id": e, "object": message(text=e)}) for e in ("a", "b")
    )

    assert first is not None and second is not None
    assert (first.kind, first.message, first.key, second.key) == (InboundKind.EDIT, "3", "a", "b")


def test_a_person_of_the_business_steps_in() -> None:
    """message_reply counts only with an author: our own sends come back the same way."""
    by_hand = event(
        "message_reply", **message(from_id=-GROUP, admin_author_id=9, text="Здравствуйте", random_id=0)
    )

    assert by_hand is not None
    assert (by_hand.kind, by_hand.sender.id, by_hand.peer.chat, by_hand.text) == (
        InboundKind.STEPPED_IN,
        "9",
        "5",
        "Здравствуйте",
    )
    assert event("message_reply", **message(from_id=-GROUP, random_id=123, text="бот")) is None
    assert (
        event(
            "message_reply",
            **message(from_id=-GROUP, admin_author_id=9, random_id=RandomIds("vk").of(7), text="бот"),
        )
        is None
    )


def test_consent_and_its_end() -> None:
    """message_deny makes the customer unreachable, message_allow reachable again."""
    denied, allowed = event("message_deny", user_id=5), event("message_allow", user_id=5, key="")

    assert denied is not None and denied.kind is InboundKind.BLOCKED and denied.peer.chat == "5"
    assert allowed is not None and allowed.kind is InboundKind.UNBLOCKED


@pytest.mark.parametrize(
    "kind", ["message_typing_state", "message_read", "market_order_new", "", "wall_post_new"]
)
def test_what_says_nothing_is_passed_over(kind: str) -> None:
    """Other events are no inbounds, and no errors."""
    assert event(kind, from_id=5, user_id=5) is None


def test_a_reaction_tells_its_emoji() -> None:
    """Known reactions arrive as emoji on a message."""
    found = event("message_reaction_event", reacted_id=5, peer_id=5, cmid=9, reaction_id=4)

    assert found is not None and (found.kind, found.text, found.message) == (InboundKind.REACTION, "👍", "9")


def test_group_chats_are_not_private() -> None:
    """Being called by name is not part of the words."""
    found = new(peer_id=CHAT, text=f"[club{GROUP}|@shop], /take 5")

    assert (found.private, found.text, found.peer.chat) == (False, "/take 5", str(CHAT))


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ({"type": "chat_invite_user", "member_id": -GROUP}, InboundKind.ADDED),
        ({"type": "chat_kick_user", "member_id": -GROUP}, InboundKind.REMOVED),
        ({"type": "chat_kick_user", "member_id": 9}, InboundKind.MEMBER),
        ({"type": "chat_title_update"}, InboundKind.OTHER),
    ],
)
def test_what_happens_to_a_chat(action: dict[str, object], kind: InboundKind) -> None:
    """Being added and put out, and the comings and goings of others."""
    assert new(peer_id=CHAT, action=action).kind is kind


def test_a_reply_names_what_it_answers() -> None:
    """Ours in private chats by the id that sending gave, everything else by its number."""
    assert new(reply_message={"id": 57, "conversation_message_id": 2, "from_id": -GROUP}).quotes == "m57"
    assert new(reply_message={"id": 58, "conversation_message_id": 2, "from_id": 5}).quotes == "2"
    assert (
        new(peer_id=CHAT, reply_message={"id": 0, "conversation_message_id": 7, "from_id": -GROUP}).quotes
        == "7"
    )
    assert (
        new(fwd_messages=[{"peer_id": 5, "from_id": 5, "conversation_message_id": 2, "id": 9}]).quotes == "2"
    )


ATTACHMENTS = [
    (
        {
            "type": "photo",
            "photo": {
                "id": 1,
                "owner_id": 5,
                "access_key": "k",
                "sizes": [
                    {"url": "https://a/s", "width": 1, "height": 1},
                    {"url": "https://a/z", "width": 9, "height": 9},
                ],
            },
        },
        Media.PHOTO,
        "photo5_1_k",
    ),
    (
        {
            "type": "doc",
            "doc": {"id": 1, "owner_id": 5, "title": "../чек", "ext": "pdf", "size": 9, "url": "https://a/d"},
        },
        Media.DOCUMENT,
        "doc5_1",
    ),
    (
        {"type": "doc", "doc": {"id": 1, "owner_id": 5, "title": "a.gif", "ext": "gif", "type": 3}},
        Media.ANIMATION,
        "doc5_1",
    ),
    (
        {
            "type": "audio_message",
            "audio_message": {"id": 1, "owner_id": 5, "duration": 7, "link_ogg": "https://a/v"},
        },
        Media.VOICE,
        "audio_message5_1",
    ),
    ({"type": "video", "video": {"id": 1, "owner_id": 5, "title": "Кот"}}, Media.VIDEO, "video5_1"),
    (
        {"type": "audio", "audio": {"id": 1, "owner_id": 5, "artist": "А", "title": "Б"}},
        Media.AUDIO,
        "audio5_1",
    ),
    ({"type": "sticker", "sticker": {"sticker_id": 1}}, Media.STICKER, ""),
    (
        {"type": "graffiti", "graffiti": {"id": 1, "owner_id": 5, "url": "https://a/g"}},
        Media.PHOTO,
        "graffiti5_1",
    ),
    ({"type": "wall", "wall": {"id": 1, "to_id": -2, "text": "Новинка"}}, Media.OTHER, "wall-2_1"),
    ({"type": "link", "link": {"url": "https://a.ru", "title": "А"}}, Media.OTHER, ""),
    ({"type": "market", "market": {"id": 1, "owner_id": -2, "title": "Букет"}}, Media.OTHER, "market-2_1"),
    ({"type": "gift"}, Media.OTHER, ""),
    ({"type": "something_new", "something_new": 5}, Media.OTHER, ""),
    ({}, Media.OTHER, ""),
]


@pytest.mark.parametrize(("given", "media", "ref"), ATTACHMENTS)
def test_every_kind_of_attachment_is_something(given: dict[str, object], media: Media, ref: str) -> None:
    """None is lost: what has no kind of its own keeps its type, by which it is named."""
    (found,) = new(attachments=[given]).attachments

    assert (found.media, found.ref, found.channel) == (media, ref, "vk")
    assert media is not Media.OTHER or found.data["type"] == given.get("type", "")


def test_details_of_attachments() -> None:
    """The largest picture, a clean file name with its suffix, the length of a voice message."""
    photo, document, _, voice, *_ = new(attachments=[a for a, _, _ in ATTACHMENTS]).attachments

    assert photo.data["url"] == "https://a/z"
    assert (document.name, document.size, document.data["url"]) == ("чек.pdf", 9, "https://a/d")
    assert (voice.duration, voice.mime, voice.data["url"]) == (7, "audio/ogg", "https://a/v")


def test_a_place_is_an_attachment_and_forwarded_words_are_context() -> None:
    """Where they are, and what others wrote to them, reach the operator too, the latter with its author."""
    inner = {"from_id": 8, "text": "скажи им", "attachments": [{"type": "gift"}]}
    found = new(
        geo={"coordinates": {"latitude": 55.7, "longitude": 37.6}, "place": {"title": "Москва"}},
        fwd_messages=[inner],
    )
    place, gift = found.attachments

    assert place.media is Media.LOCATION and place.data == {
        "latitude": 55.7,
        "longitude": 37.6,
        "title": "Москва",
    }
    assert gift.media is Media.OTHER
    assert [(c.data["text"], c.data["link"]) for c in found.context] == [("скажи им", "https://vk.com/id8")]


def test_styles_come_as_spans() -> None:
    """format_data counts UTF-16 units, we count characters."""
    found = new(
        text="👍 жирно",
        format_data={
            "version": 1,
            "items": [
                {"type": "bold", "offset": 3, "length": 5},
                {"type": "url", "offset": 0, "length": 2, "url": "https://a"},
            ],
        },
    )

    assert {(s.style, s.offset, s.length, s.url) for s in found.spans} == {
        (Style.BOLD, 2, 5, ""),
        (Style.LINK, 0, 1, "https://a"),
    }


def test_poison_is_cleaned_everywhere() -> None:
    """NUL and lone surrogates are gone from text, names and data."""
    found = new(
        text="a\x00b\ud800",
        ref="\udfff",
        attachments=[{"type": "doc", "doc": {"id": 1, "owner_id": 5, "title": "x\x00.pdf"}}],
    )

    assert found.text == "a\ufffdb\ufffd" and found.data["ref"] == "\ufffd"
    assert "\x00" not in found.attachments[0].name


def test_a_message_that_cannot_be_read_still_arrives() -> None:
    """An odd message costs its finery, never itself nor the ones after it."""
    odd = {
        "type": "message_new",
        "object": {
            "message": dict(
                message(
                    text="помогите",
                    attachments=[{"type": "photo", "photo": {"id": []}}, {"type": []}],
                    date="вчера",
                )
            )
        },
    }
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    odder = {
        "type": "message_new",
        "object": {"message": dict(message(conversation_message_id=4, text="и мне", extra=nested))},
    }
    found = READER.read_all(
        [
            odd,
            None,
            "x",
            odder,
            {
                "type": "message_new",
                "object": {"message": dict(message(conversation_message_id=5, text="и мне тоже"))},
            },
        ]
    )

    assert [(i.key, i.text) for i in found] == [("5:3", "помогите"), ("5:4", "и мне"), ("5:5", "и мне тоже")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "text",
                    "attachments",
                    "type",
                    "geo",
                    "payload",
                    "fwd_messages",
                    "action",
                    "reply_message",
                    "photo",
                    "id",
                    "from_id",
                    "peer_id",
                    "object",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    JSON,
    st.sampled_from(
        [
            "message_new",
            "message_edit",
            "message_event",
            "message_reply",
            "message_reaction_event",
            "message_allow",
        ]
    ),
)
def test_no_event_stops_the_intake(what: object, kind: str) -> None:
    """Whatever VK sends, the events after it are read."""
    good = {"type": "message_new", "object": {"message": dict(message(text="дальше"))}}

    assert READER.read_all([{"type": kind, "object": what}, good])[-1].text == "дальше"


@pytest.mark.parametrize("styled", [False, True])
def test_who_is_called_in_a_group_is_told_beside_the_words(styled: bool) -> None:
    """The name stands in the text, the markup does not; styles keep their characters, and a call of ours is
    left out.
    """
    text = f"[club{GROUP}|@shop], 👍 [id5|Пётр] глянь [club9|Агентство]"
    items = [{"type": "bold", "offset": text.index("глянь") + 1, "length": 5}] if styled else []
    found = new(text=text, peer_id=CHAT, format_data={"version": 1, "items": items})

    assert found.text == "👍 Пётр глянь Агентство"
    assert [(m.user, found.text[m.offset : m.offset + m.length]) for m in found.mentions] == [
        ("5", "Пётр"),
        ("club9", "Агентство"),
    ]
    assert [found.text[s.offset : s.offset + s.length] for s in found.spans] == (["глянь"] if styled else [])
