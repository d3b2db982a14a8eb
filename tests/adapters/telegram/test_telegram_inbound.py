"""Every kind of update becomes one value of ours, and no update stops the next one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.telegram.updates import TelegramReader
from bot.clock import HandClock
from bot.model import Inbound, InboundKind, Media, Peer, Sender, Span, Style
from tests.fakes.telegram_server import BOT_ID, USERNAME

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ANNA = {
    "id": 1001,
    "is_bot": False,
    "first_name": "Анна",
    "last_name": "К",
    "username": "anna",
    "language_code": "ru",
}
BOT = {"id": BOT_ID, "is_bot": True, "first_name": "Бот"}
PRIVATE = {"id": 1001, "type": "private", "first_name": "Анна"}
FORUM = {"id": -100500, "type": "supergroup", "title": "Поддержка", "is_forum": True}
CREATED = {"message_id": 77, "date": 1, "chat": FORUM, "from": BOT, "forum_topic_created": {"name": "x"}}


def read(kind: str, body: Any, number: int = 7) -> Inbound:
    reader = TelegramReader("telegram", HandClock(NOW), bot_id=BOT_ID, username=USERNAME)
    return reader.to_inbound({"update_id": number, kind: body})


def message(**fields: Any) -> dict[str, Any]:
    return {"message_id": 5, "date": 1_700_000_000, "chat": PRIVATE, "from": ANNA, **fields}


def topic(**fields: Any) -> dict[str, Any]:
    """A message in a topic, as Telegram sends it: with the topic's own creation as what it "replies" to."""
    return message(
        chat=FORUM, message_thread_id=77, is_topic_message=True, **{"reply_to_message": CREATED, **fields}
    )


def test_a_text_comes_with_its_author_and_its_styles() -> None:
    """Who, where, when, what and in which style."""
    inbound = read("message", message(text="👍 да", entities=[{"type": "bold", "offset": 3, "length": 2}]))

    assert inbound == Inbound(
        "7",
        Peer("telegram", "1001"),
        Sender("1001", "Анна", "К", "anna", "ru"),
        datetime.fromtimestamp(1_700_000_000, UTC),
        text="👍 да",
        spans=(Span(Style.BOLD, 2, 2),),
        message="5",
    )


PHOTOS = [
    {"file_id": "s", "width": 90, "height": 67, "file_size": 999_999},
    {"file_id": "l", "file_unique_id": "u", "width": 1280, "height": 960},
]
FILE = {
    "file_id": "F",
    "file_unique_id": "u",
    "file_size": 12,
    "duration": 3,
    "mime_type": "a/b",
    "file_name": "a/../чек\u202e.pdf",
}
CONTENTS = [
    ({"photo": PHOTOS}, Media.PHOTO, {"ref": "l", "mime": "image/jpeg"}),
    ({"document": FILE}, Media.DOCUMENT, {"ref": "F", "name": "чек.pdf", "mime": "a/b", "size": 12}),
    ({"voice": FILE}, Media.VOICE, {"ref": "F", "duration": 3}),
    ({"video": FILE}, Media.VIDEO, {"ref": "F", "duration": 3}),
    ({"video_note": {"file_id": "F"}}, Media.VIDEO_NOTE, {"ref": "F", "mime": "video/mp4"}),
    (
        {"audio": {"file_id": "F", "performer": "Кино", "title": "Звезда"}},
        Media.AUDIO,
        {"ref": "F", "name": "Кино – Звезда"},
    ),
    ({"document": FILE, "animation": FILE}, Media.ANIMATION, {"ref": "F"}),
    ({"sticker": {"file_id": "F", "emoji": "😀"}}, Media.STICKER, {"ref": "F", "data": {"emoji": "😀"}}),
    (
        {"location": {"latitude": 1.5, "longitude": 2}},
        Media.LOCATION,
        {"data": {"latitude": 1.5, "longitude": 2}},
    ),
    (
        {
            "venue": {"location": {}, "title": "Склад", "address": "ул. 1"},
            "location": {"latitude": 1.5, "longitude": 2},
        },
        Media.LOCATION,
        {"data": {"latitude": 1.5, "longitude": 2, "title": "Склад", "address": "ул. 1"}},
    ),
    (
        {"contact": {"phone_number": "+7", "first_name": "Анна", "user_id": 1001}},
        Media.CONTACT,
        {"data": {"phone": "+7", "name": "Анна", "user": "1001"}},
    ),
    ({"dice": {"emoji": "🎲", "value": 4}}, Media.OTHER, {"data": {"about": "🎲 4", "type": "dice"}}),
    (
        {"poll": {"question": "Как?", "options": [{"text": "а"}, {"text": "б"}]}},
        Media.OTHER,
        {"data": {"about": "Как?\n• а\n• б", "type": "poll"}},
    ),
    ({"something_of_2027": {"x": 1}}, Media.OTHER, {"data": {"type": "something_of_2027"}}),
    ({"story": {"id": 1}}, Media.OTHER, {"data": {"type": "story"}}),
]


@pytest.mark.parametrize(
    ("body", "media", "fields"), CONTENTS, ids=[f"{m}-{i}" for i, (_, m, _) in enumerate(CONTENTS)]
)
def test_what_a_message_holds(body: dict[str, Any], media: Media, fields: dict[str, Any]) -> None:
    """Each kind of content is one attachment of ours; what we do not know yet is named."""
    inbound = read(
        "message",
        message(**body, caption="вот", caption_entities=[{"type": "italic", "offset": 0, "length": 3}]),
    )

    (attachment,) = inbound.attachments
    assert inbound.kind is InboundKind.MESSAGE
    assert (inbound.text, inbound.spans) == ("вот", (Span(Style.ITALIC, 0, 3),))
    assert (attachment.media, attachment.channel) == (media, "telegram")
    told = {k: getattr(attachment, k) for k in fields}
    assert {**told, "data": {k: v for k, v in attachment.data.items() if k != "unique"}} == {
        "data": dict(told.get("data", {})),
        **fields,
    }


def test_parts_of_an_album_know_each_other() -> None:
    """Parts carry the album's id."""
    assert read("message", message(photo=PHOTOS, media_group_id="13")).album == "13"


def test_an_edit_names_the_message() -> None:
    """A changed text is an EDIT of the same message; a live location that moves is not."""
    edited = read("edited_message", message(text="да", edit_date=1_700_000_100))
    moved = read("edited_message", message(location={"latitude": 1, "longitude": 2}, edit_date=1_700_000_100))

    assert (edited.kind, edited.message, edited.text) == (InboundKind.EDIT, "5", "да")
    assert edited.at == datetime.fromtimestamp(1_700_000_100, UTC)
    assert moved.kind is InboundKind.OTHER


def test_a_pressed_button() -> None:
    """The token, the query to answer, the message, and the peer with its topic."""
    query = {"id": "q1", "from": ANNA, "data": "2a.00", "message": topic(text="карточка")}

    inbound = read("callback_query", query)

    assert (inbound.kind, inbound.press, inbound.callback, inbound.message) == (
        InboundKind.PRESS,
        "2a.00",
        "q1",
        "5",
    )
    assert inbound.peer == Peer("telegram", "-100500", "77") and not inbound.private and inbound.at == NOW


def test_a_button_of_a_message_too_old_to_be_shown() -> None:
    """An inaccessible message still tells its chat."""
    query = {"id": "q1", "from": ANNA, "data": "x", "message": {"chat": PRIVATE, "message_id": 3, "date": 0}}

    assert read("callback_query", query).peer == Peer("telegram", "1001")


@pytest.mark.parametrize(
    ("text", "payload"), [("/start", ""), ("/start ref_7", "ref_7"), (f"/start@{USERNAME} a", "a")]
)
def test_start_and_its_payload(text: str, payload: str) -> None:
    """The first contact carries the deep link's payload."""
    inbound = read(
        "message", message(text=text, entities=[{"type": "bot_command", "offset": 0, "length": 6}])
    )

    assert (inbound.kind, inbound.text, inbound.message) == (InboundKind.START, payload, "5")


def test_starting_is_not_start() -> None:
    """A word that begins like the command is a word."""
    assert read("message", message(text="/starting up")).kind is InboundKind.MESSAGE


def test_commands_lose_our_name_and_ignore_others() -> None:
    """/take@our_bot is /take; a command for another bot is not for us."""
    group = {"chat": FORUM}
    ours = read(
        "message",
        message(**group, text="/take@Shop_Bot 7", entities=[{"type": "bold", "offset": 15, "length": 1}]),
    )
    other = read("message", message(**group, text="/take@other_bot 7"))
    mail = read("message", message(**group, text="a /take@other_bot"))

    assert (ours.text, ours.spans, ours.kind) == ("/take 7", (Span(Style.BOLD, 6, 1),), InboundKind.MESSAGE)
    assert other.kind is InboundKind.OTHER and mail.kind is InboundKind.MESSAGE


def test_blocked_and_unblocked() -> None:
    """A change of our membership in a private chat is the customer's yes or no."""
    change = {
        "chat": PRIVATE,
        "from": ANNA,
        "date": 1,
        "old_chat_member": {"status": "member"},
        "new_chat_member": {"status": "kicked"},
    }
    back = {**change, "old_chat_member": {"status": "kicked"}, "new_chat_member": {"status": "member"}}

    assert read("my_chat_member", change).kind is InboundKind.BLOCKED
    assert read("my_chat_member", back).kind is InboundKind.UNBLOCKED


def test_added_to_a_group_with_rights_and_put_out() -> None:
    """The desk learns the group's title, kind and the bot's rights there."""
    change = {
        "chat": FORUM,
        "from": ANNA,
        "date": 1,
        "old_chat_member": {"status": "left"},
        "new_chat_member": {"status": "administrator", "can_manage_topics": True, "can_pin_messages": False},
    }
    added, removed = (
        read("my_chat_member", change),
        read("my_chat_member", {**change, "new_chat_member": {"status": "kicked"}}),
    )

    assert added.kind is InboundKind.ADDED and added.sender.id == "1001" and not added.private
    assert added.data == {
        "title": "Поддержка",
        "forum": True,
        "status": "administrator",
        "before": "left",
        "type": "supergroup",
        "rights": ("can_manage_topics",),
    }
    assert removed.kind is InboundKind.REMOVED


@pytest.mark.parametrize(
    ("member", "status"),
    [
        ({"status": "creator"}, "administrator"),
        ({"status": "administrator"}, "administrator"),
        ({"status": "member"}, "member"),
        ({"status": "restricted", "is_member": True}, "member"),
        ({"status": "restricted", "is_member": False}, "none"),
        ({"status": "left"}, "none"),
        ({"status": "kicked"}, "none"),
    ],
)
def test_somebody_elses_membership(member: dict[str, Any], status: str) -> None:
    """Each status of Telegram is one of our three."""
    oleg = {"id": 1002, "first_name": "Олег", "last_name": "Ли", "username": "oleg"}
    change = {
        "chat": FORUM,
        "from": ANNA,
        "date": 1,
        "old_chat_member": {},
        "new_chat_member": {**member, "user": oleg},
    }

    inbound = read("chat_member", change)

    assert (inbound.kind, dict(inbound.data)) == (
        InboundKind.MEMBER,
        {"user": "1002", "status": status, "name": "Олег", "last_name": "Ли", "username": "oleg"},
    )


def test_topics_closed_by_people_and_by_the_bot() -> None:
    """Only a person's hand on a topic is news."""
    closed = topic(forum_topic_closed={})

    assert read("message", closed).kind is InboundKind.TOPIC_CLOSED
    assert read("message", closed).peer.thread == "77"
    assert read("message", topic(forum_topic_reopened={})).kind is InboundKind.TOPIC_REOPENED
    assert read("message", {**closed, "from": BOT}).kind is InboundKind.OTHER


@pytest.mark.parametrize(
    "service",
    [
        {"pinned_message": {}},
        {"new_chat_title": "x"},
        {"forum_topic_created": {}},
        {"video_chat_started": {}},
    ],
)
def test_service_messages_are_nobodys_words(service: dict[str, Any]) -> None:
    """What Telegram itself writes is never carried to a customer."""
    assert read("message", topic(**service)).kind is InboundKind.OTHER


def test_the_bots_own_and_other_bots_messages_are_ignored() -> None:
    """A bot is never a customer or an operator."""
    other = {"id": 55, "is_bot": True, "first_name": "Antispam"}

    assert read("message", topic(text="да") | {"from": BOT}).kind is InboundKind.OTHER
    assert read("message", topic(text="да") | {"from": other}).kind is InboundKind.OTHER


def test_a_group_that_moved() -> None:
    """The old chat tells its new id."""
    inbound = read("message", message(chat={"id": -5, "type": "group"}, migrate_to_chat_id=-1005))

    assert (inbound.kind, inbound.peer.chat, dict(inbound.data)) == (
        InboundKind.MOVED,
        "-5",
        {"chat": "-1005"},
    )


def test_a_reaction_names_who_put_it_on_which_message() -> None:
    """Who put what on which message; taking it away is an empty one."""
    change = {
        "chat": PRIVATE,
        "user": ANNA,
        "date": 1,
        "message_id": 9,
        "old_reaction": [],
        "new_reaction": [{"type": "emoji", "emoji": "👍"}],
    }

    inbound = read("message_reaction", change)

    assert (inbound.kind, inbound.text, inbound.message, inbound.sender.id) == (
        InboundKind.REACTION,
        "👍",
        "9",
        "1001",
    )
    assert read("message_reaction", {**change, "new_reaction": []}).text == ""


def test_replies_and_what_only_looks_like_one() -> None:
    """In a topic everything "replies" to the topic's creation; that is no reply."""
    assert read("message", topic(text="да")).quotes == ""
    assert read("message", topic(text="да", reply_to_message={"message_id": 80, "text": "х"})).quotes == "80"
    assert read("message", topic(text="да", reply_to_message={"message_id": 77})).quotes == ""
    assert read("message", message(text="да", reply_to_message={"message_id": 4})).quotes == "4"
    assert (
        read("message", message(text="да", message_thread_id=4, reply_to_message={"message_id": 4})).quotes
        == "4"
    )  # a plain supergroup's reply thread
    assert read("message", message(text="да", reply_to_message=CREATED)).quotes == ""


def test_threads_that_are_no_topics() -> None:
    """Replies in General carry a thread id that must not be used."""
    inbound = read(
        "message", message(chat=FORUM, text="да", message_thread_id=12, reply_to_message={"message_id": 12})
    )

    assert inbound.peer == Peer("telegram", "-100500")


@pytest.mark.parametrize(
    "sender",
    [
        {"from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}, "sender_chat": FORUM},
        {
            "from": {"id": 136817688, "is_bot": True, "first_name": "Channel"},
            "sender_chat": {"id": -9, "title": "Канал"},
        },
        {
            "from": {"id": 777000, "is_bot": False, "first_name": "Telegram"},
            "sender_chat": {"id": -9, "title": "Канал"},
        },
        {"from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}},
    ],
)
def test_people_without_a_name(sender: dict[str, Any]) -> None:
    """Anonymous administrators and channels are marked: they can be nobody's identity."""
    inbound = read("message", topic(text="/take") | sender)

    assert inbound.sender.anonymous and inbound.kind is InboundKind.MESSAGE


def test_poison_is_cleaned_at_the_border() -> None:
    """NUL and lone surrogates in any field never reach the store, and styles stay in place."""
    body = message(
        text="a\x00\ud83d б",
        entities=[{"type": "bold", "offset": 4, "length": 1}],
        document={"file_id": "F", "file_name": "\x00.pdf"},
    )
    body["from"] = {**ANNA, "first_name": "\udc00"}

    inbound = read("message", body)

    assert inbound.text == "a\ufffd\ufffd б" and inbound.spans == (Span(Style.BOLD, 4, 1),)
    assert "\x00" not in repr(inbound) and "\\ud" not in repr(inbound)


@pytest.mark.parametrize(
    "update",
    [
        {"update_id": 7, "message": 5},
        {"update_id": 7, "message": {}},
        {"update_id": 7},
        {"update_id": 7, "new_thing": {}},
        5,
        None,
        [],
    ],
)
def test_updates_nobody_can_read(update: object) -> None:
    """They are named and passed on as OTHER."""
    inbound = TelegramReader("telegram", HandClock(NOW)).to_inbound(update)

    assert inbound.kind is InboundKind.OTHER and inbound.at == NOW


def test_absurd_depth_is_survived() -> None:
    """A million brackets are one unreadable update."""
    deep: Any = []
    for _ in range(5000):
        deep = [deep]

    assert read("message", message(text="да", reply_markup=deep)).kind is InboundKind.OTHER


FIELDS = st.sampled_from(["chat", "from", "id", "type", "text", "date", "photo", "message_id", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=300)
@given(
    st.sampled_from(
        ["message", "edited_message", "callback_query", "my_chat_member", "chat_member", "message_reaction"]
    ),
    JSON,
)
def test_no_update_raises(kind: str, body: Any) -> None:
    """Whatever is in an update, reading it gives a value with its key."""
    assert read(kind, body).key == "7"


def test_who_is_called_in_a_group_is_told_beside_the_words() -> None:
    """People with a public name and without one, in characters of ours; a command loses the bot's name and
    they keep their places.
    """
    text = "/note@shop_bot 👍 Пётр и @pavel"
    entities = [
        {
            "type": "text_mention",
            "offset": 18,
            "length": 4,
            "user": {"id": 9002, "is_bot": False, "first_name": "Пётр"},
        },
        {"type": "mention", "offset": 25, "length": 6},
    ]
    found = read("message", topic(text=text, entities=entities))

    assert found.text == "/note 👍 Пётр и @pavel"
    assert [(m.user, found.text[m.offset : m.offset + m.length]) for m in found.mentions] == [
        ("9002", "Пётр"),
        ("", "@pavel"),
    ]
    assert read("message", message(text="Пётр", entities=[{**entities[0], "offset": 0}])).mentions == (), (
        "customers call nobody"
    )
