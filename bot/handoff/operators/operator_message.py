"""What an operator's message is: a command, a note, a whisper, something to ask about, or words for the
customer.

One place decides it, from everything that was sent and on every channel alike. It errs to the inside:
whatever may be meant for colleagues is kept, told or asked about; only what cannot be anything else goes to
the customer at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.handoff.desk_context import DeskContext
from bot.handoff.operators.message_names import SHOWS_CUSTOMER
from bot.model import Inbound, InboundKind, Mention, RepliedTo, Turn

_SLASH = "/\uff0f\u2215\u2044"  # and its look-alikes of other keyboards
_UNSEEN = " \t\r\n\xa0\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff"
_BLANK = re.compile(f"[{_UNSEEN}]*")
_NOTE = re.compile(
    rf"(?:[{_SLASH}]{{2}}|\.[{_SLASH}]|\.\.(?=[\s!]|$))[{_SLASH}]*(?P<loud>!?)"
)  # ".." is "//" typed in the Russian layout
_COMMAND = re.compile(rf"(?P<mark>[{_SLASH}.\\])(?P<name>\w+)(?P<bot>@\w+)?(?P<end>\s|$)?(?P<rest>.*)", re.S)
_PLAIN = re.compile(r"/(\w+)(?:\s+(.*))?$", re.S)
_CALL = re.compile(r"[^\w@]*@\w{2}")
_CALLED = re.compile(r"(?<![\w@./])@\w{2,}|(?<!\w)\*(?:id|club|public|event)\d+")
_MARK = re.compile(rf"(?<![\w:{_SLASH}])[{_SLASH}]{{2}}|(?<=\s)\.\.(?=[ \t]*\w)")
_INNER = re.compile(rf"(?<![\w:.@{_SLASH}])[{_SLASH}](\w+)(?![\w{_SLASH}])")
_LAYOUT = dict(
    zip(map(ord, re.findall(".", "йцукенгшщзфывапролдячсмить")), "qwertyuiopasdfghjklzxcvbnm", strict=True)
)
_TO_CUSTOMERS = frozenset({"start", "help"})  # commands that customers are told about, too


class MessageKind(StrEnum):
    COMMAND = "command"
    NOTE = "note"
    WHISPER = "whisper"
    MISTYPED = "mistyped"  # a command that is none: told, never sent
    FOREIGN = "foreign"  # a command for another bot
    DOUBTFUL = "doubtful"  # asked about before it is sent
    HELD_BACK = "held_back"  # the answer "no" to what was asked about
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class OperatorMessage:
    """*name* is the command, *text* what follows it, the words of a note, or what the doubt is about.

    A doubt without text is about the message as a whole.
    """

    kind: MessageKind
    name: str = ""
    text: str = ""

    @property
    def stays_inside(self) -> bool:
        return self.kind not in (MessageKind.WORDS, MessageKind.DOUBTFUL)


@dataclass(frozen=True, slots=True)
class MessageContext:
    """What must be known to tell one from the other: names of *colleagues* (neither the writer's nor the
    customer's), the *customer's* own public name, *rude* words, and whether it *answers* something that is
    not the customer's.
    """

    commands: Collection[str]
    colleagues: Collection[str] = ()
    customer: str = ""
    rude: Collection[str] = ()
    answers: bool = False


def read_message(desk: DeskContext, turn: Turn) -> OperatorMessage:
    """What the operator's message is, with all that is known around it."""
    inbound = turn.inbounds[0]
    if inbound.kind not in (InboundKind.MESSAGE, InboundKind.EDIT):
        return OperatorMessage(MessageKind.WORDS)
    own, public = (turn.customer.name, turn.customer.username) if turn.customer else ("", "")
    others = [m.name for m in desk.roster.members() if m.id != inbound.actor]
    names = dict.fromkeys(n for name in others for n in (name, *name.split()[:1]))
    colleagues = tuple(n for n in names if n.casefold() != own.casefold())
    replies = [q for i, q in zip(turn.inbounds, turn.quoted, strict=False) if i.quotes]
    answers = inbound.kind is InboundKind.MESSAGE and not all(map(_is_of_customer, replies))
    rude = desk.texts.options("desk.tone")
    message = understand(
        turn.inbounds, MessageContext(desk.commands.names, colleagues, public, rude, answers)
    )
    return OperatorMessage(MessageKind.HELD_BACK) if _is_no(desk, turn, message) else message


def _is_no(desk: DeskContext, turn: Turn, message: OperatorMessage) -> bool:
    """Whether the words answer the question whether they may be sent: no."""
    inbound, ticket = turn.inbounds[0], turn.ticket
    if inbound.kind is not InboundKind.MESSAGE or ticket is None or not ticket.state.held:
        return False
    no = desk.texts.options("desk.hold_back")
    return not message.stays_inside and inbound.text.strip(" .!").casefold() in no


def _is_of_customer(quoted: RepliedTo | None) -> bool:
    """Whether who replies to this writes to the customer: to their words, to an answer they have, to what
    shows their ticket.

    A word of the service and what colleagues say among themselves are not.
    """
    return quoted is not None and (bool(quoted.mirror_of) or quoted.name.startswith(SHOWS_CUSTOMER))


def understand(said: Sequence[Inbound], around: MessageContext) -> OperatorMessage:
    """What the parts of one message are together: what one of them keeps inside, all of them keep inside."""
    read = [_read(inbound, around) for inbound in said]
    inside = next((m for m in read if m.stays_inside), None)
    if inside is not None and inside.kind in (MessageKind.NOTE, MessageKind.WHISPER):
        texts = [m.text if m.stays_inside else i.text for m, i in zip(read, said, strict=True)]
        return OperatorMessage(inside.kind, text="\n".join(t for t in texts if t))
    if inside is not None:
        return inside
    if (doubtful := next((m for m in read if m.kind is MessageKind.DOUBTFUL), None)) is not None:
        return doubtful
    return OperatorMessage(MessageKind.DOUBTFUL if around.answers else MessageKind.WORDS)


def command_of(inbound: Inbound) -> tuple[str, str]:
    """The plain command of a message and what follows it; "" where it is none.

    What customers write is read so.
    """
    found = _PLAIN.match(inbound.text) if inbound.kind is InboundKind.MESSAGE else None
    return ("", "") if found is None else (found[1].lower(), (found[2] or "").strip())


def _read(inbound: Inbound, around: MessageContext) -> OperatorMessage:
    """One part of it."""
    blank = _BLANK.match(inbound.text)
    text = inbound.text[blank.end() if blank else 0 :]
    if (marked := _marked(text, around)) is not None:
        return marked
    if _begins_with_a_call(
        inbound.text, inbound.mentions
    ):  # law: whoever is called, known here or not, it is not for the customer
        return OperatorMessage(MessageKind.NOTE, text=inbound.text)
    if (found := _doubt(inbound, text, around)) is not None:
        return OperatorMessage(MessageKind.DOUBTFUL, text=found)
    return OperatorMessage(MessageKind.WORDS)


def _marked(text: str, around: MessageContext) -> OperatorMessage | None:
    """What begins with the mark of a note or a command, in either layout of the keyboard."""
    if (note := _NOTE.match(text)) is not None:
        return OperatorMessage(
            MessageKind.WHISPER if note["loud"] else MessageKind.NOTE, text=text[note.end() :].strip()
        )
    if (found := _COMMAND.match(text)) is None:
        return OperatorMessage(MessageKind.MISTYPED) if text[:1] and text[0] in _SLASH else None
    name = _known(found["name"], around.commands)
    whole = found["end"] is not None and found["bot"] is None
    if name and whole:
        return OperatorMessage(MessageKind.COMMAND, name, found["rest"].strip())
    if found["mark"] in _SLASH:
        if found["bot"]:
            return OperatorMessage(MessageKind.FOREIGN, name or found["name"])
        if name == "note":
            return OperatorMessage(MessageKind.NOTE, text=found["rest"].strip(" :-–—,.!"))
        return OperatorMessage(MessageKind.MISTYPED, name or found["name"].lower())
    if found["name"][0].isdigit():
        return None
    return OperatorMessage(MessageKind.DOUBTFUL, text=found["mark"] + found["name"])


def _known(name: str, commands: Collection[str]) -> str:
    """The command that is meant, also typed in the Russian layout; "" where there is none."""
    typed = name.lower()
    return next((n for n in (typed, typed.translate(_LAYOUT)) if n in commands), "")


def _begins_with_a_call(text: str, mentions: Sequence[Mention]) -> bool:
    first = next((n for n, c in enumerate(text) if c.isalnum() or c == "@"), len(text))
    return _CALL.match(text) is not None or any(m.offset <= first for m in mentions)


def _doubt(inbound: Inbound, text: str, around: MessageContext) -> str | None:
    """What in the words may be meant for somebody else than the customer; None = nothing."""
    own = f"@{around.customer}".casefold() if around.customer else ""
    called = [found[0] for found in _CALLED.finditer(inbound.text) if found[0].casefold() != own]
    named = [inbound.text[m.offset : m.offset + m.length] for m in inbound.mentions]
    if found := next((n for n in (*called, *named) if n.casefold() != own), None):
        return found
    if (mark := _MARK.search(inbound.text)) is not None:
        return mark[0]
    inner = (
        n
        for n in _INNER.finditer(text)
        if n[1].lower() in around.commands and n[1].lower() not in _TO_CUSTOMERS
    )
    if (command := next(inner, None)) is not None:
        return command[0]
    if text.startswith(("..", "\\")) and not text.startswith("..."):
        return text.split()[0]
    plain = inbound.text.casefold()
    return _colleague(text, around.colleagues) or next(
        (w for w in around.rude if w.casefold() in plain), None
    )


def _colleague(text: str, names: Collection[str]) -> str | None:
    """The colleague whose bare name the words begin with: so people without a public name are called."""
    words = _folded(text)
    return next((n for n in names if n and re.match(rf"\W*{re.escape(_folded(n))}(?!\w)", words)), None)


def _folded(text: str) -> str:
    return re.sub("ё", "е", text.casefold())
