"""The channel of `bot chat`: customer and operators in one terminal, through the same stages as all."""

from __future__ import annotations

import asyncio
import secrets
import sys
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Literal, Protocol, TextIO
from zoneinfo import ZoneInfo

from rich.text import Text

from bot.adapters.base import Accept, Adapter, ChatInfo, File, Files, Health, Limits
from bot.adapters.sanitize import clean_text
from bot.button_tokens import token
from bot.clock import Clock
from bot.errors import BotError, Problem, Refused
from bot.knowledge.decision.explanation import sentence_of
from bot.model import (
    Attachment,
    Button,
    Conversation,
    Inbound,
    InboundKind,
    Json,
    Outbound,
    OutboundKind,
    Peer,
    RichText,
    Sender,
    Sent,
    Style,
)
from bot.text.terminal_text import can_style, coded, terminal_text
from bot.text.yaml_source import read_own

DESK_CHAT = "desk"
REST_LIMIT = 15.0  # seconds a script on standard input waits for the bot to come to rest
SOON = timedelta(seconds=5)  # what is due later than this is not waited for
_DESK_COMMANDS = ("/take", "/close", "/return")
_WORDS = Path(__file__).with_name("terminal.yaml")


class TerminalRow(Protocol):
    """A turn as the history keeps it."""

    @property
    def why(self) -> Mapping[str, object]: ...

    @property
    def id(self) -> int: ...


class TerminalRecords(Protocol):
    """What `/why` and a script on standard input need of the store."""

    async def conversation(self, peer: Peer) -> Conversation | None: ...

    async def turns(
        self, *, conversation: int | None = None, after: int = 0, limit: int = 50
    ) -> Sequence[TerminalRow]: ...

    async def counts(self) -> Mapping[str, int]: ...

    async def next_delivery(self, now: datetime) -> datetime | None: ...


class TerminalAdapter(Adapter):
    """One terminal. `enter` gives it the records, `on_quit` is called when the person leaves or the input
    ends.

    Where the input is not a terminal (a pipe, a file) each line waits until the bot has said everything.
    """

    kind = "terminal"

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        language: str = "ru",
        zone: str = "Europe/Moscow",
        lines: TextIO | None = None,
        out: TextIO | None = None,
    ) -> None:
        self.name = name
        self.limits = Limits(
            topics=True,
            reactions=True,
            per_second=500.0,
            peer_per_second=100.0,
            peer_burst=100,
            group_per_minute=0.0,
        )
        self.health = Health()
        self.desk = Peer(name, DESK_CHAT)
        self.on_quit: Callable[[], object] = lambda: None
        self._clock, self._zone, self._language = clock, ZoneInfo(zone), language
        self._words: Mapping[str, str] = read_own(_WORDS)[language]
        self._lines, self._out = lines or sys.stdin, out or sys.stdout
        self._colours = can_style(self._out)
        self._records: TerminalRecords | None = None
        self._accept: Accept | None = None
        self._customer = self._person(self._words["customer"])
        self._operator = Sender("operator", self._words["operator"], language=language)
        self._buttons: list[tuple[str, str]] = []  # message and token of the numbered buttons now on screen
        self._topics: dict[str, str] = {}
        self._thread = ""

    def enter(self, records: TerminalRecords) -> None:
        """The store, once it is open."""
        self._records = records

    # --- the protocol of adapters

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        """Reads lines until the end of input or /quit, then waits to be cancelled."""
        self._accept = accept
        self.health.state = "working"
        self._print(self._words["hello"])
        incoming: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(
            target=self._read_lines, args=(asyncio.get_running_loop(), incoming), daemon=True
        ).start()
        while (line := await incoming.get()) is not None and line.strip() != "/quit":
            try:
                await self._obey(line.strip())
            except BotError:
                self._print(self._words["not_kept"])
            if not self._lines.isatty():
                await self._rest()
        self.on_quit()
        await asyncio.Event().wait()

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """Prints the delivery; the id of the message comes from *nonce*."""
        chat, thread = outbound.to.chat, outbound.to.thread
        match outbound.kind:
            case OutboundKind.OPEN_TOPIC:
                self._thread = f"t{outbound.ticket or nonce}"
                self._topics[self._thread] = outbound.text.text
                return Sent(self._thread)
            case OutboundKind.RENAME_TOPIC:
                self._topics[thread] = outbound.text.text
            case OutboundKind.CLOSE_TOPIC:
                self._say(chat, thread, RichText(self._words["closed"]))
            case OutboundKind.SAY:
                text = outbound.heading + "\n" + outbound.text if outbound.heading else outbound.text
                self._say(chat, thread, text, outbound.attachments, who=outbound.author_name)
                self._offer(chat, f"n{nonce}", nonce, outbound.buttons)
                return Sent(f"n{nonce}")
            case OutboundKind.EDIT:
                first = outbound.text.text.split("\n", 1)[0]  # the rest was printed before
                self._say(
                    chat,
                    thread,
                    RichText(f"({self._words['edited']}) {first}") if chat == DESK_CHAT else outbound.text,
                )
                self._offer(chat, target, nonce, outbound.buttons)
            case OutboundKind.ACKNOWLEDGE | OutboundKind.REACT:
                if outbound.text:
                    self._print(f"      {outbound.text.text}")
            case _:
                pass
        return Sent(target or thread)

    async def read(self, attachment: Attachment) -> File:
        """Nothing can be attached here. Raises `Refused`."""
        raise Refused("the terminal has no files")

    async def chat_info(self, chat: str) -> ChatInfo:
        return ChatInfo(chat, self._words["desk"], "forum") if chat == DESK_CHAT else ChatInfo(chat)

    async def membership(self, chat: str, user: str) -> Literal["administrator", "member", "none"]:
        return "administrator" if chat == DESK_CHAT and user == self._operator.id else "none"

    async def profile(self, user: str) -> Sender | None:
        return next((p for p in (self._customer, self._operator) if p.id == user), None)

    def is_group(self, chat: str) -> bool:
        return chat == DESK_CHAT

    async def hint_typing(self, outbound_chat: str, thread: str = "") -> None:
        return None

    async def check(self) -> tuple[Problem, ...]:
        return ()

    async def close(self) -> None:
        self.health.state = "stopped"

    # --- what is typed

    async def _obey(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        rest = rest.strip()
        if not line:
            return
        if command == "/help":
            self._print(self._words["help"].rstrip())
        elif command == "/why":
            await self._explain()
        elif command in ("/as", "/reset"):
            self._customer = self._person(rest or self._customer.name)
            self._buttons = []
            self._print(self._words["new"].format(name=self._customer.name))
        elif command == "/time":
            self._move_clock(rest)
        elif command in _DESK_COMMANDS or (command == "/operator" and rest):
            await self._speak_as_operator(line if command in _DESK_COMMANDS else rest)
        elif line.isdigit() and self._buttons:
            await self._press(int(line))
        else:
            kind = InboundKind.START if command == "/start" else InboundKind.MESSAGE
            await self._hand_in(
                Peer(self.name, self._customer.id),
                self._customer,
                rest if kind is InboundKind.START else line,
                kind=kind,
            )

    async def _speak_as_operator(self, text: str) -> None:
        if not self._thread:
            self._print(self._words["no_ticket"])
            return
        await self._hand_in(Peer(self.name, DESK_CHAT, self._thread), self._operator, text)

    async def _press(self, number: int) -> None:
        if not 0 < number <= len(self._buttons):
            self._print(self._words["no_button"].format(number=number))
            return
        message, button = self._buttons[number - 1]
        await self._hand_in(
            Peer(self.name, self._customer.id),
            self._customer,
            "",
            kind=InboundKind.PRESS,
            press=button,
            message=message,
        )

    async def _hand_in(
        self,
        peer: Peer,
        sender: Sender,
        text: str,
        *,
        kind: InboundKind = InboundKind.MESSAGE,
        press: str = "",
        message: str = "",
    ) -> None:
        assert self._accept is not None
        key = str(uuid.uuid4())
        inbound = Inbound(
            key,
            peer,
            sender,
            self._clock().astimezone(UTC),
            kind,
            clean_text(text),
            message=message or key,
            press=press,
            callback=key if press else "",
            private=peer.chat != DESK_CHAT,
        )
        await self._accept([inbound])

    def _move_clock(self, to: str) -> None:
        try:
            hours, minutes = (int(part) for part in to.split(":")) if to else (0, 0)
            now = self._clock().astimezone(self._zone)
            moment = datetime.combine(now.date(), time(hours, minutes), self._zone)
        except ValueError:
            self._print(self._words["no_time"])
            return
        ahead = moment - now if moment >= now else moment + timedelta(days=1) - now
        self._clock.shift = self._clock.shift + ahead if to else timedelta()
        self._print(self._words["now"].format(time=f"{self._clock().astimezone(self._zone):%H:%M}"))

    async def _explain(self) -> None:
        """The newest turn of this customer in which articles were weighed."""
        conversation = (
            await self._records.conversation(Peer(self.name, self._customer.id)) if self._records else None
        )
        rows = (
            await self._records.turns(conversation=conversation.id, limit=200)
            if self._records and conversation
            else ()
        )
        told = [row for row in rows if row.why]
        if not told:
            self._print(self._words["no_turn"])
            return
        for row in self._reasons(max(told, key=lambda r: r.id).why):
            self._print(f"      {row}")

    def _reasons(self, why: Json) -> list[str]:
        rows = []
        if why.get("understood"):
            rows.append(f"{self._words['understood']}: {why['understood']}")
        candidates = why.get("candidates")
        for candidate in candidates[:5] if isinstance(candidates, (list, tuple)) else ():
            rows.append(
                f"{float(candidate.get('score', 0)):.2f} "
                f" {candidate.get('title') or candidate.get('article')}"
            )
        for figure in ("confidence", "scope"):
            if isinstance(why.get(figure), float):
                rows.append(f"{self._words[figure]} {why[figure]:.2f}")
        return [*rows, f"{self._words['decision']}: {sentence_of(why, self._language)}"]

    async def _rest(self) -> None:
        """Wait until nothing is due soon."""
        loop = asyncio.get_running_loop()
        end = loop.time() + REST_LIMIT
        while self._records is not None and loop.time() < end:
            now = self._clock()
            counts = await self._records.counts()
            due = await self._records.next_delivery(now)
            if (
                not counts["inbounds_waiting"]
                and not counts["deliveries_sending"]
                and (due is None or due > now + SOON)
            ):
                return
            await asyncio.sleep(0.05)

    def _read_lines(self, loop: asyncio.AbstractEventLoop, incoming: asyncio.Queue[str | None]) -> None:
        for line in self._lines:
            loop.call_soon_threadsafe(incoming.put_nowait, line.rstrip("\n"))
        loop.call_soon_threadsafe(incoming.put_nowait, None)

    # --- what is printed

    def _say(
        self, chat: str, thread: str, text: RichText, attachments: Sequence[Attachment] = (), *, who: str = ""
    ) -> None:
        name = (
            f"{self._words['desk']} · {self._topics.get(thread, '')}".rstrip(" ·")
            if chat == DESK_CHAT
            else who or self._words["bot"]
        )
        files = "".join(f" [{a.media.value}: {_file_words(a)}]" for a in attachments)
        body = (self._styled(text) + files).strip().replace("\n", "\n      ")
        self._print(f"{self._bold(name)}:\n      {body}")

    def _offer(self, chat: str, message: str, nonce: int, rows: tuple[tuple[Button, ...], ...]) -> None:
        """Number the customer's buttons; those of the desk have commands instead."""
        if chat == DESK_CHAT or not rows:
            return
        self._buttons = []
        for r, row in enumerate(rows):
            for c, button in enumerate(row):
                if button.url:
                    self._print(f"      {button.label}: {button.url}")
                    continue
                self._buttons.append((message, token(nonce, r, c)))
                self._print(f"      [{len(self._buttons)}] {button.label}")

    def _styled(self, text: RichText) -> str:
        """Styles where the terminal can, addresses of links always."""
        shown = terminal_text(text)
        for span in sorted(text.spans, key=lambda s: s.offset + s.length, reverse=True):
            end = span.offset + span.length
            if span.style is Style.LINK and not span.url.endswith(text.text[span.offset : end]):
                shown = shown[:end] + Text(f" ({span.url})") + shown[end:]
        return coded(shown, styled=self._colours)

    def _bold(self, text: str) -> str:
        return coded(Text(text, style="bold"), styled=self._colours)

    def _print(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()

    def _person(self, name: str) -> Sender:
        first, _, last = name.partition(" ")
        return Sender(
            str(100_000_000 + secrets.randbelow(800_000_000)), first, last.strip(), language=self._language
        )


def _file_words(attachment: Attachment) -> str:
    """Its caption and its name; of a file of the articles where it lies."""
    name = attachment.ref if not attachment.channel and attachment.ref else attachment.name
    return " — ".join(t for t in (str(attachment.data.get("caption") or ""), name or attachment.ref) if t)
