"""MAX's updates in our words.

Plain dicts in, values out; an update that cannot be read is named so and stops nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.adapters.max.attachments import fields, read_attachments
from bot.adapters.max_context import name_of, read_context
from bot.adapters.rich_text import from_entities, part
from bot.adapters.sanitize import clean_json
from bot.clock import Clock
from bot.model import Attachment, Inbound, InboundKind, Media, Mention, Peer, RichText, Sender
from bot.observability import get_logger

UPDATE_TYPES = (
    "message_created",
    "message_callback",
    "message_edited",
    "message_removed",
    "bot_started",
    "bot_stopped",
    "bot_added",
    "bot_removed",
    "user_added",
    "user_removed",
    "chat_title_changed",
    "dialog_removed",
)
TOKEN_LENGTH = 64
_START = re.compile(r"/start(?:\s+(?P<payload>\S.*))?", re.DOTALL)
_STYLES = {
    "strong": "bold",
    "heading": "bold",
    "emphasized": "italic",
    "underline": "underline",
    "strikethrough": "strikethrough",
    "monospaced": "code",
    "link": "text_link",
    "quote": "blockquote",
    "blockquote": "blockquote",
}

Fields = Mapping[str, Any]


def chat_of(recipient: Fields, user: object) -> str:
    """How a place is called here: a dialog by its person, so that whoever is known can be written to in
    private; a group by its own number, which is below zero.
    """
    if recipient.get("chat_type", "dialog") == "dialog":
        return str(user)
    return str(recipient.get("chat_id"))


def to_sender(user: Fields, language: str = "") -> Sender:
    """A person as MAX tells it."""
    return Sender(
        str(user.get("user_id", "")),
        name=str(user.get("first_name") or user.get("name") or ""),
        last_name=str(user.get("last_name") or ""),
        username=str(user.get("username") or ""),
        language=language.partition("-")[0].partition("_")[0],
    )


class MaxReader:
    """Reads the updates of one bot. `bot_id` and `username` tell it which words are the bot's own.

    `dialogs` is called with a person and the number of their dialog, which the sign of typing needs.
    """

    def __init__(
        self, channel: str, clock: Clock, *, dialogs: Callable[[str, int], None] = lambda user, chat: None
    ) -> None:
        self.channel, self.bot_id, self.username = channel, 0, ""
        self._clock, self._dialogs = clock, dialogs
        self._log = get_logger("max").bind(channel=channel)
        self._kinds: dict[str, Callable[[Fields], Inbound | None]] = {
            "message_created": self._created,
            "message_edited": self._edited,
            "message_callback": self._press,
            "message_removed": self._removed,
            "bot_started": self._started,
            "bot_stopped": self._stopped,
            "dialog_removed": self._stopped,
            "bot_added": self._own_membership,
            "bot_removed": self._own_membership,
            "user_added": self._membership,
            "user_removed": self._membership,
            "chat_title_changed": self._titled,
        }

    def read_all(self, updates: Sequence[object]) -> tuple[Inbound, ...]:
        """Everything in *updates* that says something to us; one that cannot be read never costs the
        others.
        """
        return tuple(found for update in updates if (found := self.read(update)) is not None)

    def read(self, update: object) -> Inbound | None:
        """The update in our words; None for what we do not know. Never raises."""
        kind = str(update.get("update_type", "")) if isinstance(update, Mapping) else ""
        try:
            cleaned = fields(clean_json(update))
            if (reader := self._kinds.get(kind)) is not None:
                return reader(cleaned)
            self._log.info("update_passed_over", type=kind[:40])
        except Exception as error:  # noqa: BLE001 - whatever one update holds, the next one must be read
            self._log.warning("update_unreadable", type=kind[:40], error=type(error).__name__)
            return self._least(update)
        return None

    # --- messages

    def _created(self, update: Fields) -> Inbound | None:
        inbound = self._message(update)
        if inbound is None or inbound.kind is InboundKind.OTHER:
            return inbound
        if inbound.private and (start := _START.fullmatch(inbound.text)):
            payload = (start["payload"] or "").strip()
            return replace(inbound, kind=InboundKind.START, text=payload, spans=())
        return inbound

    def _edited(self, update: Fields) -> Inbound | None:
        inbound = self._message(update)
        if inbound is None or inbound.kind is InboundKind.OTHER:
            return None
        at = _moment(update.get("timestamp"), self._clock())
        key = f"edit:{inbound.message}:{update.get('timestamp')}"
        return replace(inbound, key=key, kind=InboundKind.EDIT, at=at)

    def _message(self, update: Fields) -> Inbound | None:
        """A message as updates hold it. Its key is its own id, so that it is one whichever way it came."""
        m = fields(update.get("message"))
        body, sender, recipient = (fields(m.get(n)) for n in ("body", "sender", "recipient"))
        if not body.get("mid") or not sender.get("user_id"):
            self._log.warning("message_without_content", type=str(update.get("update_type"))[:40])
            return None
        person = to_sender(sender, str(update.get("user_locale") or ""))
        inbound = Inbound(
            f"message:{body['mid']}",
            self._peer(recipient, sender["user_id"]),
            person,
            _moment(m.get("timestamp") or update.get("timestamp"), self._clock()),
            message=str(body["mid"]),
            private=recipient.get("chat_type", "dialog") == "dialog",
        )
        if sender.get("is_bot") or recipient.get("chat_type") == "channel":
            return replace(inbound, kind=InboundKind.OTHER, data={"why": "bot"})
        return self._with_content(inbound, body, fields(m.get("link")))

    def _with_content(self, inbound: Inbound, body: Fields, link: Fields) -> Inbound:
        rich, mentions = _words(body)
        if not inbound.private:
            rich, mentions = self._uncalled(rich, mentions)
        attachments = read_attachments(body, self.channel)
        linked, kind = fields(link.get("message")), link.get("type")
        context: tuple[Attachment, ...] = ()
        if inbound.private:
            context = read_context(link, self.channel, bot_id=self.bot_id)
        if kind == "forward":
            attachments = (*attachments, *read_attachments(linked, self.channel))
            if not inbound.private and (text := str(linked.get("text") or "")):
                who = name_of(fields(link.get("sender")))
                label = f"» {who}: {text}" if who else f"» {text}"
                shown = Attachment(
                    Media.OTHER, channel=self.channel, data={"label": label, "type": "forwarded"}
                )
                attachments = (shown, *attachments)
        quotes = str(linked.get("mid") or "") if kind == "reply" else ""
        author = fields(link.get("sender")).get("user_id")
        ours = bool(quotes and self.bot_id and author == self.bot_id)
        return replace(
            inbound,
            text=rich.text,
            spans=rich.spans,
            mentions=() if inbound.private else mentions,
            attachments=attachments,
            context=context,
            quotes=quotes,
            data={"quotes_us": True} if ours else {},
        )

    def _uncalled(
        self, rich: RichText, mentions: tuple[Mention, ...]
    ) -> tuple[RichText, tuple[Mention, ...]]:
        """Without a call of ours before the words ("@our_bot 7") or behind a command ("/take@our_bot 7")."""
        if not self.username:
            return rich, mentions
        name = re.escape(self.username)
        start = re.match(rf"\s*@{name}(?!\w)[\s,:]*", rich.text, re.IGNORECASE)
        if start is None and self.bot_id and mentions and mentions[0].user == str(self.bot_id):
            called = mentions[0]
            start = re.match(rf"\s*.{{{called.length}}}[\s,:]*", rich.text) if called.offset == 0 else None
        gone = start.span() if start else (0, 0)
        if command := re.match(rf"\s*/\w+(?P<us>@{name})(?!\w)", rich.text, re.IGNORECASE):
            gone = command.span("us")
        cut = gone[1] - gone[0]
        if not cut:
            return rich, mentions
        kept = part(rich, 0, gone[0]) + part(rich, gone[1], len(rich.text))
        after = [m for m in mentions if m.offset >= gone[1]]
        return kept, tuple(replace(m, offset=m.offset - cut) for m in after)

    # --- the rest

    def _press(self, update: Fields) -> Inbound | None:
        """A pressed button, at the peer of the message that carries it.

        A keyboard keeps its `callback_id` over several presses: the moment tells them apart.
        """
        press, m = fields(update.get("callback")), fields(update.get("message"))
        user, body = fields(press.get("user")), fields(m.get("body"))
        if not user.get("user_id"):
            return None
        callback, pressed = str(press.get("callback_id") or ""), press.get("payload")
        recipient = fields(m.get("recipient")) or {"chat_type": "dialog"}
        moment = press.get("timestamp") or update.get("timestamp")
        return Inbound(
            f"press:{callback}:{user['user_id']}:{moment}",
            self._peer(recipient, user["user_id"]),
            to_sender(user, str(update.get("user_locale") or "")),
            _moment(moment, self._clock()),
            kind=InboundKind.PRESS,
            message=str(body.get("mid") or ""),
            press=pressed if isinstance(pressed, str) and len(pressed) <= TOKEN_LENGTH else "",
            callback=callback,
            private=recipient.get("chat_type", "dialog") == "dialog",
        )

    def _removed(self, update: Fields) -> Inbound:
        """Words that were taken back: they stay where they were carried to."""
        return self._about(
            update, InboundKind.OTHER, {"why": "removed", "message": str(update.get("message_id"))}
        )

    def _started(self, update: Fields) -> Inbound:
        inbound = self._about(update, InboundKind.START)
        return replace(inbound, text=str(update.get("payload") or ""))

    def _stopped(self, update: Fields) -> Inbound:
        """The person stopped the bot or deleted the dialog: nothing can be sent until they write again."""
        return self._about(update, InboundKind.BLOCKED)

    def _own_membership(self, update: Fields) -> Inbound:
        if update.get("is_channel"):
            return self._about(update, InboundKind.OTHER, {"why": "channel"})
        if update["update_type"] == "bot_removed":
            return self._about(update, InboundKind.REMOVED)
        return self._about(update, InboundKind.ADDED, {"title": "", "forum": False, "status": "member"})

    def _membership(self, update: Fields) -> Inbound:
        who = to_sender(fields(update.get("user")))
        came = update["update_type"] == "user_added"
        bot = bool(fields(update.get("user")).get("is_bot"))
        data: dict[str, object] = {
            "user": who.id,
            "status": "member" if came else "none",
            "name": "" if bot else who.name,
            "last_name": who.last_name,
            "username": who.username,
        }
        return self._about(update, InboundKind.MEMBER, data)

    def _titled(self, update: Fields) -> Inbound:
        return self._about(
            update, InboundKind.OTHER, {"why": "title", "title": str(update.get("title") or "")}
        )

    def _about(self, update: Fields, kind: InboundKind, data: Mapping[str, object] | None = None) -> Inbound:
        """Something that is no message, named by what, where, who and when."""
        person, chat = fields(update.get("user")), update["chat_id"]
        user = person.get("user_id", update.get("user_id", ""))
        private = isinstance(chat, int) and chat > 0
        recipient = {"chat_type": "dialog" if private else "chat", "chat_id": chat}
        what = update["update_type"]
        return Inbound(
            f"{what}:{chat}:{user}:{update.get('timestamp')}:{update.get('message_id', '')}",
            self._peer(recipient, user),
            to_sender(person or {"user_id": user}, str(update.get("user_locale") or "")),
            _moment(update.get("timestamp"), self._clock()),
            kind=kind,
            private=private,
            data=data or {},
        )

    def _peer(self, recipient: Fields, user: object) -> Peer:
        if recipient.get("chat_type", "dialog") == "dialog" and isinstance(recipient.get("chat_id"), int):
            self._dialogs(str(user), recipient["chat_id"])
        return Peer(self.channel, chat_of(recipient, user))

    def _least(self, update: object) -> Inbound | None:
        """The least of a message that could not be read, so that somebody looks at it all the same."""
        m = fields(fields(update).get("message"))
        body, sender, recipient = (fields(m.get(n)) for n in ("body", "sender", "recipient"))
        if fields(update).get("update_type") != "message_created" or not (
            body.get("mid") and sender.get("user_id")
        ):
            return None
        text = body.get("text")
        return Inbound(
            f"message:{body['mid']}",
            Peer(self.channel, chat_of(recipient, sender["user_id"])),
            Sender(str(sender["user_id"])),
            self._clock(),
            text=str(clean_json(text)) if isinstance(text, str) else "",
            message=str(body["mid"]),
            private=recipient.get("chat_type", "dialog") == "dialog",
        )


def _words(body: Fields) -> tuple[RichText, tuple[Mention, ...]]:
    """The text with its styles, and who is called in it."""
    text = str(body.get("text") or "")
    marks = [m for m in body.get("markup") or () if isinstance(m, Mapping)]
    if not marks:
        return RichText(text), ()
    styled = [
        {"type": kind, "offset": m.get("from"), "length": m.get("length"), "url": str(m.get("url") or "")}
        for m in marks
        if (kind := _STYLES.get(str(m.get("type"))))
    ]
    called = [
        # read as links, so that their places become those of characters
        {"type": "text_link", "offset": m.get("from"), "length": m.get("length"), "url": f"user:{whom}"}
        for m in marks
        if m.get("type") == "user_mention" and (whom := m.get("user_id") or m.get("user_link") or "?")
    ]
    mentions = tuple(
        Mention(s.offset, s.length, s.url.removeprefix("user:") if s.url[5:].isdigit() else "")
        for s in from_entities(text, called).spans
    )
    return from_entities(text, styled), mentions


def _moment(value: object, default: datetime) -> datetime:
    """MAX counts milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return default
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return default
