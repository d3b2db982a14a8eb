"""Telegram's updates in our words.

Plain dicts in, values out; an update that cannot be read is named so and stops nobody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from bot.adapters.rich_text import from_entities, mentions_in, part
from bot.adapters.sanitize import clean_json
from bot.adapters.telegram.business import AccountConnection, account_peer, connection_of, message_name
from bot.adapters.telegram.contents import rich_words
from bot.adapters.telegram.media import SERVICE, read_attachments
from bot.adapters.telegram_context import is_foreign, read_context, read_external, read_quote
from bot.clock import Clock
from bot.handoff.outreach.order_replies import OFFICE
from bot.model import Inbound, InboundKind, Peer, RichText, Sender
from bot.model.internal import AccountConnected
from bot.observability import get_logger

ALLOWED_UPDATES = [
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "message_reaction",
]
ANONYMOUS_ADMIN = 1087968824
_NAMELESS = frozenset(
    {ANONYMOUS_ADMIN, 136817688}
)  # the second is how Telegram shows those who write as a channel
_COMMAND_FOR = re.compile(r"/(\w+)@(\w{3,32})(?=\s|$)", re.ASCII)
_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<payload>\S.*))?", re.ASCII | re.DOTALL)

Dict = Mapping[str, Any]
Membership = Literal["administrator", "member", "none"]


def to_membership(member: Dict) -> Membership:
    """Whether a ChatMember belongs to the chat now."""
    match member.get("status"):
        case "creator" | "administrator":
            return "administrator"
        case "member":
            return "member"
        case "restricted" if member.get("is_member"):
            return "member"
    return "none"


def to_sender(user: Dict, sender_chat: Dict | None = None) -> Sender:
    """A person as Telegram tells it; who writes in the name of a chat is anonymous and carries that chat's
    title.
    """
    number = user.get("id", 0)
    if sender_chat or number in _NAMELESS:
        return Sender(
            str(number or (sender_chat or {}).get("id", "")),
            name=str((sender_chat or {}).get("title", "")),
            anonymous=True,
        )
    return Sender(
        str(number),
        name=str(user.get("first_name", "")),
        last_name=str(user.get("last_name", "")),
        username=str(user.get("username", "")),
        language=str(user.get("language_code", "")),
    )


class AccountDirectory(Protocol):
    """What is known of the accounts in whose chats the bot may answer (business.py)."""

    def of(self, id: str) -> AccountConnection: ...

    def note(self, connection: AccountConnection) -> None: ...


class TelegramReader:
    """Reads the updates of one bot. `bot_id` and `username` tell it which words are the bot's own,
    `accounts` in which chats of other people's accounts it may answer (None: in none).
    """

    accounts: AccountDirectory | None = None

    def __init__(self, channel: str, clock: Clock, *, bot_id: int = 0, username: str = "") -> None:
        self.channel, self.bot_id, self.username = channel, bot_id, username
        self._clock = clock
        self._log = get_logger("telegram")
        self._kinds: dict[str, Callable[[str, Dict], Inbound]] = {
            "message": self._message,
            "edited_message": self._edited,
            "callback_query": self._press,
            "my_chat_member": self._own_membership,
            "chat_member": self._membership,
            "message_reaction": self._reaction,
            "business_connection": self._connection,
            "business_message": self._business,
            "edited_business_message": self._business_edited,
            "deleted_business_messages": lambda key, _: self._other(key, "deleted"),
        }

    def to_inbound(self, update: object) -> Inbound:
        """The update in our words; kind OTHER for what we do not know or cannot read. Never raises."""
        key = str(update.get("update_id", "")) if isinstance(update, dict) else ""
        try:
            cleaned: Any = clean_json(update)
            for name, read in self._kinds.items():
                if (body := cleaned.get(name)) is not None:
                    return read(key, body)
            return self._other(key, "unknown_kind")
        except Exception as error:  # noqa: BLE001 - whatever one update holds, the next one must be read
            self._log.warning("update_unreadable", update=key, error=type(error).__name__)
            return self._other(key, "unreadable")

    # --- messages

    def _message(self, key: str, m: Dict) -> Inbound:
        inbound = self._envelope(key, m, datetime.fromtimestamp(m["date"], UTC))
        sender = m.get("from") or {}
        if "migrate_to_chat_id" in m:
            return replace(inbound, kind=InboundKind.MOVED, data={"chat": str(m["migrate_to_chat_id"])})
        if sender.get("id") == self.bot_id or (sender.get("is_bot") and not inbound.sender.anonymous):
            return replace(inbound, kind=InboundKind.OTHER, data={"why": "bot"})
        if "forum_topic_closed" in m or "forum_topic_reopened" in m:
            kind = InboundKind.TOPIC_CLOSED if "forum_topic_closed" in m else InboundKind.TOPIC_REOPENED
            return replace(inbound, kind=kind)
        if not SERVICE.isdisjoint(m):
            people = [
                *m.get("new_chat_members", ()),
                *([m["left_chat_member"]] if "left_chat_member" in m else []),
            ]
            return replace(
                inbound,
                kind=InboundKind.OTHER,
                data={"why": "service", "members": tuple(str(p["id"]) for p in people)},
            )
        inbound = self._with_content(inbound, m)
        if inbound.private and (start := _START.fullmatch(inbound.text)):
            return replace(inbound, kind=InboundKind.START, text=(start["payload"] or "").strip(), spans=())
        return self._addressed(inbound)

    def _edited(self, key: str, m: Dict) -> Inbound:
        """A changed message. A live location changes all the time: that is a movement, not an edit."""
        inbound = self._envelope(key, m, datetime.fromtimestamp(m.get("edit_date") or m["date"], UTC))
        if (m.get("from") or {}).get("id") == self.bot_id or "location" in m or not SERVICE.isdisjoint(m):
            return replace(inbound, kind=InboundKind.OTHER, data={"why": "edit"})
        return replace(self._addressed(self._with_content(inbound, m)), kind=InboundKind.EDIT)

    def _envelope(self, key: str, m: Dict, at: datetime) -> Inbound:
        chat = m["chat"]
        return Inbound(
            key,
            self._peer(m),
            to_sender(m.get("from") or {}, m.get("sender_chat")),
            at,
            message=self._named(m, m["message_id"]),
            quotes=self._named(m, _quoted(m)),
            album=str(m.get("media_group_id", "")),
            private=chat["type"] == "private",
            data=(
                {"quotes_us": True}
                if _quoted(m) and (m["reply_to_message"].get("from") or {}).get("id") == self.bot_id
                else {}
            ),
        )

    def _named(self, m: Dict, number: object) -> str:
        return message_name(self._account(m), number) if number else ""

    def _account(self, m: Dict) -> str:
        """The connection of a message in the chat of somebody's account."""
        return str(m.get("business_connection_id") or "")

    def _peer(self, m: Dict) -> Peer:
        if account := self._account(m):
            return account_peer(self.channel, m["chat"]["id"], account)
        # in General and in plain groups replies carry a thread id too, which is refused when used for sending
        thread = m.get("message_thread_id") if m.get("is_topic_message") else None
        return Peer(self.channel, str(m["chat"]["id"]), str(thread) if thread else "")

    def _with_content(self, inbound: Inbound, m: Dict) -> Inbound:
        text = m.get("text") or m.get("caption") or rich_words(m.get("rich_message") or {})
        entities = m.get("entities") if m.get("text") else m.get("caption_entities")
        rich = from_entities(text, entities) if entities else RichText(text)
        mentions = mentions_in(text, entities) if entities and not inbound.private else ()
        attachments = read_attachments(m, self.channel)
        if not inbound.private:
            context = read_quote(m, self.channel)
        else:
            replied = m.get("reply_to_message") if inbound.quotes else None
            context = read_context(m, self.channel, text=rich.text, replied=replied, bot_id=self.bot_id)
            attachments = (*attachments, *read_external(m, self.channel))
            if is_foreign(m):  # law: a stranger's words are not the customer's
                rich = RichText()
        return replace(
            inbound,
            text=rich.text,
            spans=rich.spans,
            mentions=mentions,
            attachments=attachments,
            context=context,
        )

    def _addressed(self, inbound: Inbound) -> Inbound:
        """A command without our name behind it ("/take@our_bot 7"); one for another bot is none of our
        business.
        """
        named = _COMMAND_FOR.match(inbound.text) if inbound.text.startswith("/") else None
        if named is None:
            return inbound
        if self.username and named[2].lower() != self.username.lower():
            if inbound.album:  # left to whoever sees all parts of it
                return inbound
            return replace(inbound, kind=InboundKind.OTHER, data={"why": "command for another bot"})
        rich = part(inbound.rich, 0, named.end(1)) + part(inbound.rich, named.end(), len(inbound.text))
        after = [m for m in inbound.mentions if m.offset >= named.end()]
        mentions = tuple(replace(m, offset=m.offset - len(named[2]) - 1) for m in after)
        return replace(inbound, text=rich.text, spans=rich.spans, mentions=mentions)

    # --- chats of somebody's own account

    def _business(self, key: str, m: Dict) -> Inbound:
        """A customer's message to the owner of an account, or one that the owner wrote by hand: then the bot
        steps back. Law: the owner is never answered, and nobody where the bot may not.
        """
        if why := self._not_ours(m):
            return self._other(key, why)
        inbound = self._message(key, m)
        if inbound.sender.id != self._owner(m):
            return inbound
        if inbound.kind is not InboundKind.MESSAGE and inbound.kind is not InboundKind.START:
            return self._other(key, "owner")
        said = self._with_content(inbound, m)  # also where it begins with "/start"
        return replace(said, kind=InboundKind.STEPPED_IN, data={})

    def _business_edited(self, key: str, m: Dict) -> Inbound:
        if why := self._not_ours(m):
            return self._other(key, why)
        inbound = self._edited(key, m)
        return self._other(key, "owner") if inbound.sender.id == self._owner(m) else inbound

    def _not_ours(self, m: Dict) -> str:
        """Why nothing is to be done about it, in a word."""
        connection = self.accounts.of(self._account(m)) if self.accounts else None
        if connection is None or not connection.may_answer:
            return "account_off"
        if m.get("sender_business_bot"):
            return "bot"
        if m.get("is_from_offline"):
            return "automatic"  # an away or greeting message of the account, or one sent later by itself
        chat = m["chat"]
        return "own_chat" if chat["type"] != "private" or str(chat["id"]) == connection.owner else ""

    def _owner(self, m: Dict) -> str:
        return self.accounts.of(self._account(m)).owner if self.accounts else ""

    def _connection(self, key: str, body: Dict) -> Inbound:
        """Somebody connected the bot to their account, changed what it may do there, or took it away."""
        connection = connection_of(body)
        if self.accounts is None:
            return self._other(key, "account_off")
        self.accounts.note(connection)
        payload = AccountConnected(self.channel, connection.name, connection.state)
        return Inbound(
            key, OFFICE, Sender(""), self._clock(), InboundKind.INTERNAL, private=False, payload=payload
        )

    # --- the rest

    def _press(self, key: str, query: Dict) -> Inbound:
        """A pressed button, at the peer of the message that carries it.

        The message may be too old to be shown whole.
        """
        m = query.get("message")
        if not m:
            return self._other(key, "inline message")
        return Inbound(
            key,
            self._peer(m),
            to_sender(query["from"]),
            self._clock(),
            kind=InboundKind.PRESS,
            message=self._named(m, m["message_id"]),
            press=str(query.get("data", "")),
            callback=str(query["id"]),
            private=m["chat"]["type"] == "private",
        )

    def _own_membership(self, key: str, change: Dict) -> Inbound:
        """The bot was blocked, unblocked, added, removed, or its rights changed."""
        chat, old, new = change["chat"], change["old_chat_member"], change["new_chat_member"]
        is_in = to_membership(new) != "none"
        inbound = self._about_member(key, change)
        if chat["type"] == "private":
            return replace(inbound, kind=InboundKind.UNBLOCKED if is_in else InboundKind.BLOCKED)
        data = {
            "title": chat.get("title", ""),
            "forum": bool(chat.get("is_forum")),
            "status": new.get("status", ""),
            "before": old.get("status", ""),
            "type": chat["type"],
            "rights": tuple(sorted(k for k, v in new.items() if k.startswith("can_") and v is True)),
        }
        return replace(inbound, kind=InboundKind.ADDED if is_in else InboundKind.REMOVED, data=data)

    def _membership(self, key: str, change: Dict) -> Inbound:
        new = change["new_chat_member"]
        who = to_sender(new["user"])
        data = {
            "user": who.id,
            "status": to_membership(new),
            "name": who.name,
            "last_name": who.last_name,
            "username": who.username,
        }
        if new["user"].get("is_bot"):
            data["name"] = ""  # no colleague
        return replace(self._about_member(key, change), kind=InboundKind.MEMBER, data=data)

    def _about_member(self, key: str, change: Dict) -> Inbound:
        chat, at = change["chat"], datetime.fromtimestamp(change["date"], UTC)
        return Inbound(
            key,
            Peer(self.channel, str(chat["id"])),
            to_sender(change["from"]),
            at,
            private=chat["type"] == "private",
        )

    def _reaction(self, key: str, change: Dict) -> Inbound:
        chat, emoji = change["chat"], [r.get("emoji", "") for r in change.get("new_reaction", ())]
        return Inbound(
            key,
            Peer(self.channel, str(chat["id"])),
            to_sender(change.get("user") or {}, change.get("actor_chat")),
            datetime.fromtimestamp(change["date"], UTC),
            kind=InboundKind.REACTION,
            text="".join(emoji),
            message=str(change["message_id"]),
            private=chat["type"] == "private",
        )

    def _other(self, key: str, why: str) -> Inbound:
        return Inbound(
            key,
            Peer(self.channel, ""),
            Sender(""),
            self._clock(),
            kind=InboundKind.OTHER,
            private=False,
            data={"why": why},
        )


def _quoted(m: Dict) -> str:
    """The message this one replies to. In a topic every message "replies" to the topic's own creation: that
    is no reply.

    In a plain supergroup a reply to a first message carries that message's number as its thread: that is one.
    """
    replied = m.get("reply_to_message")
    if (
        not replied
        or "forum_topic_created" in replied
        or (m.get("is_topic_message") and replied.get("message_id") == m.get("message_thread_id"))
    ):
        return ""
    return str(replied["message_id"])
