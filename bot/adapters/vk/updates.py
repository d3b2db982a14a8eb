"""VK's events in our words: one event becomes one inbound, or nothing where it says nothing to us."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.adapters.rich_text import from_entities, part
from bot.adapters.sanitize import clean_json
from bot.adapters.vk.attachments import read_attachments
from bot.adapters.vk_context import read_context
from bot.model import Attachment, Inbound, InboundKind, Mention, Peer, RichText, Sender
from bot.observability import get_logger

if TYPE_CHECKING:
    from bot.adapters.vk.comments import CommentReader

CHATS_FROM = 2_000_000_000  # peer ids of group chats begin above
TOKEN_LENGTH = 64
SILENT_EVENTS = frozenset({"message_typing_state", "message_read", "confirmation"})
_LANGUAGES = {0: "ru", 1: "uk", 2: "be", 3: "en", 97: "kk"}
_MENTION = re.compile(r"\[(?P<whom>(?:id|club|public|event)\d+)\|(?P<name>[^\]\n]*)\]")

REACTIONS = {
    1: "❤",
    2: "🔥",
    3: "😂",
    4: "👍",
    5: "💩",
    6: "❓",
    7: "😭",
    8: "😡",
    9: "👎",
    10: "👌",
    11: "😃",
    12: "🤔",
    13: "🙏",
    14: "😘",
    15: "😍",
    16: "🎉",
}

Fields = Mapping[str, Any]


class VkReader:
    """Turns the events of one community into inbounds. Pure: asks nobody, keeps nothing."""

    def __init__(
        self,
        channel: str,
        group_id: int,
        clock: Callable[[], datetime],
        is_ours: Callable[[int], bool],
        comments: CommentReader | None = None,
    ) -> None:
        self._comments = comments
        self._channel, self._group, self._clock, self._is_ours = channel, group_id, clock, is_ours
        self._called = re.compile(rf"^\s*\[(?:club|public){group_id}\|[^\]\n]*\][\s,:]*")
        self._log = get_logger("vk")

    def read_all(self, events: Sequence[object]) -> tuple[Inbound, ...]:
        """Everything in *events* that says something to us; one that cannot be read never costs the
        others.
        """
        found = []
        for event in events:
            try:
                inbound = self.read(event) if isinstance(event, Mapping) else None
            except Exception as error:  # noqa: BLE001 - one odd event must not stop the intake of all
                self._log.error(
                    "event_unreadable",
                    channel=self._channel,
                    type=str(_get(event, "type"))[:40],
                    error=type(error).__name__,
                )
                inbound = self._bare(event)
            if inbound is not None:
                found.append(inbound)
        return tuple(found)

    def read(self, event: Fields) -> Inbound | None:
        event = _fields(clean_json(event))
        kind, what = str(event.get("type", "")), _fields(event.get("object"))
        key = str(event.get("event_id") or "")
        match kind:
            case "message_new":
                return self.message(
                    _fields(what.get("message", what)), client=_fields(what.get("client_info"))
                )
            case "message_edit":
                return self._edited(_fields(what.get("message", what)), key)
            case "message_reply":
                return self._stepped_in(_fields(what.get("message", what)), key)
            case "message_event":
                return self._pressed(what, key)
            case "message_allow" | "message_deny":
                change = InboundKind.UNBLOCKED if kind == "message_allow" else InboundKind.BLOCKED
                user = _number(what.get("user_id"))
                return (
                    self._inbound(key or f"{kind}:{user}:{self._now():%Y%m%d%H%M}", user, user, change)
                    if user
                    else None
                )
            case "message_reaction_event":
                return self._reacted(what, key)
            case _ if kind in SILENT_EVENTS:
                return None
        if self._comments is not None and self._comments.kind_of(kind) is not None:
            return self._comments.read(kind, what, key)
        self._log.info("event_passed_over", channel=self._channel, type=kind[:40])
        return None

    def message(self, m: Fields, *, client: Fields | None = None) -> Inbound | None:
        """A message as events and the history hold it; None for our own."""
        peer, author = _number(m.get("peer_id")) or _number(m.get("from_id")), _number(m.get("from_id"))
        if not peer or not author or author == -self._group or m.get("out") == 1:
            return None
        number = _number(m.get("conversation_message_id"))
        key = f"{peer}:{number}" if number else f"{peer}:m{_number(m.get('id'))}"
        base = self._inbound(
            key,
            peer,
            author,
            InboundKind.MESSAGE,
            at=_moment(m.get("date"), self._now()),
            message=self._id(m),
        )
        if action := _fields(m.get("action")):
            return self._acted(base, action)
        rich, mentions = self._words(m, private=base.private)
        said = replace(
            base,
            text=rich.text,
            spans=rich.spans,
            mentions=() if base.private else mentions,
            attachments=read_attachments(m, self._channel, words=not base.private),
            context=self._context(m) if base.private else (),
            quotes=self._quoted(m),
        )
        if client and (language := _LANGUAGES.get(_number(client.get("lang_id"), -1))):
            said = replace(said, sender=replace(said.sender, language=language))
        return _by_payload(said, m)

    def is_by_hand(self, m: Fields) -> bool:
        """Whether a person of the business wrote this past the bot."""
        return bool(_number(m.get("admin_author_id"))) and not self._is_ours(_number(m.get("random_id")))

    # --- the other events

    def _edited(self, m: Fields, key: str) -> Inbound | None:
        said = self.message(m)
        if said is None or said.kind is not InboundKind.MESSAGE:
            return None
        changed = _number(m.get("update_time")) or _number(m.get("date"))
        return replace(
            said,
            key=key or f"edit:{said.key}:{changed}",
            kind=InboundKind.EDIT,
            at=_moment(m.get("update_time"), self._now()),
        )

    def _stepped_in(self, m: Fields, key: str) -> Inbound | None:
        """Our own sends come back here too; a person of the business has an author and no random id of
        ours.
        """
        admin, peer = _number(m.get("admin_author_id")), _number(m.get("peer_id"))
        if not peer or not self.is_by_hand(m):
            return None
        key = key or f"reply:{peer}:{_number(m.get('conversation_message_id'))}"
        base = self._inbound(
            key,
            peer,
            admin,
            InboundKind.STEPPED_IN,
            at=_moment(m.get("date"), self._now()),
            message=self._id(m),
        )
        rich, _ = self._words(m, private=True)
        found = read_attachments(m, self._channel)
        return replace(base, text=rich.text, spans=rich.spans, attachments=found, context=self._context(m))

    def _pressed(self, what: Fields, key: str) -> Inbound | None:
        user, peer, event = (
            _number(what.get("user_id")),
            _number(what.get("peer_id")),
            str(what.get("event_id") or ""),
        )
        if not user or not peer:
            return None
        base = self._inbound(
            key or f"press:{event}",
            peer,
            user,
            InboundKind.PRESS,
            message=_text_number(what.get("conversation_message_id")),
        )
        pressed = _token(_payload(what.get("payload")))
        return replace(base, press=pressed, callback=f"{event}|{user}|{peer}" if event else "")

    def _reacted(self, what: Fields, key: str) -> Inbound | None:
        user, peer, number = (
            _number(what.get("reacted_id")),
            _number(what.get("peer_id")),
            _number(what.get("cmid")),
        )
        if not user or not peer or user == -self._group:
            return None
        base = self._inbound(
            key or f"reaction:{peer}:{number}:{user}:{self._now():%H%M%S}",
            peer,
            user,
            InboundKind.REACTION,
            message=str(number),
        )
        return replace(base, text=REACTIONS.get(_number(what.get("reaction_id")), ""))

    def _acted(self, base: Inbound, action: Fields) -> Inbound:
        """Something happened to the group chat itself."""
        what, member = str(action.get("type", "")), _number(action.get("member_id"))
        came = what in ("chat_invite_user", "chat_invite_user_by_link")
        if member == -self._group and (came or what == "chat_kick_user"):
            data = {"title": "", "forum": False, "status": "member"}
            return replace(
                base, kind=InboundKind.ADDED if came else InboundKind.REMOVED, data=data if came else {}
            )
        if came or what == "chat_kick_user":
            return replace(
                base,
                kind=InboundKind.MEMBER,
                data={"user": str(member or base.sender.id), "status": "member" if came else "none"},
            )
        return replace(base, kind=InboundKind.OTHER, data={"action": what})

    # --- parts

    def _words(self, m: Fields, *, private: bool) -> tuple[RichText, tuple[Mention, ...]]:
        """What people read, and who is called in it: a name stands where VK writes [id5|name], a call of ours
        is left out.
        """
        text, items = str(m.get("text") or ""), _fields(m.get("format_data")).get("items")
        rich = RichText(text)
        if isinstance(items, list) and items:
            rich = from_entities(
                text,
                [
                    {**i, "type": "text_link" if i.get("type") == "url" else i.get("type")}
                    for i in map(_fields, items)
                ],
            )
        called = None if private else self._called.match(text)
        at = called.end() if called else 0
        shown, mentions = RichText(), []
        for found in _MENTION.finditer(text, at):
            shown = shown + part(rich, at, found.start())
            mentions.append(Mention(len(shown.text), len(found["name"]), found["whom"].removeprefix("id")))
            shown = shown + part(rich, *found.span("name"))
            at = found.end()
        return (shown + part(rich, at, len(text)) if at else rich), tuple(mentions)

    def _context(self, m: Fields) -> tuple[Attachment, ...]:
        return read_context(m, self._channel, replied=self._replied(m), group=self._group)

    def _quoted(self, m: Fields) -> str:
        reply = self._replied(m)
        return self._id({"peer_id": m.get("peer_id"), **reply}) if reply else ""

    def _replied(self, m: Fields) -> Fields:
        reply = _fields(m.get("reply_message"))
        forwarded = m.get("fwd_messages")
        if (
            not reply
            and isinstance(forwarded, list)
            and len(forwarded) == 1
            and _fields(forwarded[0]).get("peer_id") == m.get("peer_id")
        ):
            reply = _fields(forwarded[0])
        return reply

    def _id(self, m: Fields) -> str:
        """The name of a message within its chat.

        Ours in private chats have the id that sending gave them (see `Sent`).
        """
        peer = _number(m.get("peer_id"))
        if _number(m.get("from_id")) == -self._group and peer < CHATS_FROM and _number(m.get("id")):
            return f"m{_number(m.get('id'))}"
        return _text_number(m.get("conversation_message_id"))

    def _inbound(
        self,
        key: str,
        peer: int,
        user: int,
        kind: InboundKind,
        *,
        at: datetime | None = None,
        message: str = "",
    ) -> Inbound:
        to = Peer(self._channel, str(peer))
        return Inbound(
            key, to, Sender(str(user)), at or self._now(), kind, message=message, private=peer < CHATS_FROM
        )

    def _bare(self, event: object) -> Inbound | None:
        """The least of a message that could not be read, so that somebody looks at it all the same."""
        what = _get(event, "object")
        m = _get(what, "message") or what
        peer, number = _number(_get(m, "peer_id")), _number(_get(m, "conversation_message_id"))
        if _get(event, "type") != "message_new" or not peer or not number:
            return None
        user = _number(_get(m, "from_id")) or peer
        text = _get(m, "text")
        base = self._inbound(f"{peer}:{number}", peer, user, InboundKind.MESSAGE, message=str(number))
        return replace(base, text=str(clean_json(text)) if isinstance(text, str) else "")

    def _now(self) -> datetime:
        return self._clock()


def _by_payload(said: Inbound, m: Fields) -> Inbound:
    """A text button is a press, the start button a start; a deep link stays with the words it came with."""
    payload, ref = _payload(m.get("payload")), str(m.get("ref") or "")[:255]
    if pressed := _token(payload):
        return replace(said, kind=InboundKind.PRESS, press=pressed)
    data = {"ref": ref, "ref_source": str(m.get("ref_source") or "")[:255]} if ref else {}
    if payload.get("command") == "start":
        return replace(said, kind=InboundKind.START, text=ref, spans=(), data=data)
    return replace(said, data=data)


def _payload(value: object) -> Fields:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def _token(payload: Fields) -> str:
    token = payload.get("t")
    return token if isinstance(token, str) and len(token) <= TOKEN_LENGTH else ""


def _fields(value: object) -> Fields:
    return value if isinstance(value, Mapping) else {}


def _get(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _number(value: object, default: int = 0) -> int:
    if isinstance(value, bool):
        return default
    if isinstance(value, int):
        return value
    try:
        return int(value) if isinstance(value, str) else default
    except ValueError:
        return default


def _text_number(value: object) -> str:
    number = _number(value)
    return str(number) if number else ""


def _moment(value: object, default: datetime) -> datetime:
    seconds = _number(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else default
    except (ValueError, OverflowError, OSError):
        return default
