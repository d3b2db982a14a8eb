"""One person on two channels: a code from the one, typed in the other, makes both one customer; and it can be
undone.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.reply import ReplyContext, said
from bot.dialogs.short_answers import language_of
from bot.handoff.customer_linking import CODE, COMMAND, PAYLOAD, STATE, is_waiting
from bot.i18n.texts import Texts
from bot.model import (
    Button,
    Customer,
    CustomerMerge,
    Event,
    InboundKind,
    Json,
    Outbound,
    Outcome,
    Peer,
    Result,
    Timer,
    Turn,
)
from bot.model.internal import LinkCodeExpired

LIFE = timedelta(minutes=10)  # of a code
TRIES, PAUSE = 5, timedelta(hours=1)  # wrong codes of one customer, and how long they count
ALL_TRIES = 300  # wrong codes of all customers in one hour: somebody guesses with many accounts
OVER = "link.over"  # why a code was taken away


class Linking:
    """/link gives a code, /link CODE tries one, /unlink undoes. *setting*, *joined* and *refused* (the
    events of codes that were not taken since a moment) look things up, *titles* names the channels.

    The one who typed the code is asked before anything happens: a code sent by a stranger must not open a
    conversation to them.
    """

    def __init__(
        self,
        texts: Texts,
        setting: Callable[[str], Awaitable[str | None]],
        joined: Callable[[int], Awaitable[tuple[int, ...]]],
        refused: Callable[[datetime], Awaitable[Sequence[Event]]],
        titles: Mapping[str, str],
    ) -> None:
        self._speaker = ReplyContext(texts, "linking")
        self._texts, self._setting, self._joined, self._titles = texts, setting, joined, titles
        self._refused = refused

    async def __call__(self, turn: Turn) -> Outcome | None:
        first = turn.inbounds[0]
        if first.kind is InboundKind.INTERNAL:
            return (
                Outcome("linking", Result.IGNORED, OVER, settings={first.payload.name: None})
                if isinstance(first.payload, LinkCodeExpired)
                else None
            )
        if (customer := turn.customer) is None:
            return None
        if turn.press is not None:
            return await self._pressed(turn, customer, turn.press.action, turn.press.value)
        if first.kind is InboundKind.START and first.text.startswith(PAYLOAD):
            return await self._tried(turn, customer, first.text.removeprefix(PAYLOAD))
        text = turn.text.strip()
        command = COMMAND.fullmatch(text)
        if command is not None and command[1].lower() == "unlink":
            return await self._undone(turn, customer)
        if command is not None and command[2]:
            return await self._tried(turn, customer, command[2])
        if command is not None or self._means(text):
            return self._given(turn, customer)
        if is_waiting(turn) and CODE.fullmatch(text):
            return await self._tried(turn, customer, text)
        return None

    # --- the code

    def _given(self, turn: Turn, customer: Customer) -> Outcome:
        """A new code; the one before it no longer holds."""
        code = f"{secrets.randbelow(10**8):08d}"
        name, until, peer = _name_of(code), turn.now + LIFE, turn.conversation.peer
        memory = DialogState.of(turn)
        record = {
            "customer": customer.id,
            "name": customer.name,
            "channel": peer.channel,
            "chat": peer.chat,
            "thread": peer.thread,
            "until": until.isoformat(),
            "article": memory.article,
            "passage": memory.passage,
            "ticket": turn.ticket.number if turn.ticket and turn.ticket.status != "closed" else 0,
        }
        before = str(_state(turn).get("given", ""))
        outcome = self._said(
            turn,
            "link.code",
            "link_given",
            {"given": name, "waiting": until.isoformat()},
            code=f"{code[:4]} {code[4:]}",
            minutes=round(LIFE.total_seconds() / 60),
        )
        later = (Timer(f"link:{turn.conversation.id}", LinkCodeExpired(name), until),)
        return replace(
            outcome,
            timers=later,
            settings={**({before: None} if before else {}), name: json.dumps(record)},
            events=(Event("link_code"),),
        )

    async def _tried(self, turn: Turn, customer: Customer, code: str) -> Outcome:
        wrong = [at for at in _moments(_state(turn).get("wrong")) if turn.now - at < PAUSE]
        guessed = await self._guessed(turn)
        if len(wrong) >= TRIES or guessed >= ALL_TRIES:
            return self._said(
                turn,
                "link.too_many",
                "link_too_many",
                {},
                events=(Event("link_refused", data={"reason": "too_many"}),),
            )
        digits = re.sub(r"\D", "", code)
        record = await self._record(turn, _name_of(digits))
        if record is None:
            wrong.append(turn.now)
            outcome = self._said(
                turn,
                "link.wrong",
                "link_wrong",
                {"wrong": [at.isoformat() for at in wrong]},
                left=TRIES - len(wrong),
            )
            return replace(
                outcome,
                events=(Event("link_refused", data={"reason": "wrong"}),),
            )
        if record["customer"] == customer.id:
            return self._said(turn, "link.same", "link_same", {})
        language = language_of(turn, self._texts.lang)
        buttons = [
            Button(self._texts.text(f"link.button.{what}", lang=language), f"link_{what}", _name_of(digits))
            for what in ("sure", "not")
        ]
        return self._said(
            turn,
            "link.sure",
            "link_asked",
            {"asked": _name_of(digits)},
            buttons,
            other=str(record["name"]),
            channel=self._title(str(record["channel"])),
        )

    # --- joining and parting

    async def _pressed(self, turn: Turn, customer: Customer, action: str, name: str) -> Outcome | None:
        if action not in ("link_sure", "link_not"):
            return None
        if action == "link_not":
            return self._said(turn, "link.left", "link_left", {})
        record = await self._record(turn, name) if _state(turn).get("asked") == name else None
        if record is None or record["customer"] == customer.id:
            return self._said(turn, "link.over", "link_over", {})
        into, ticket = int(str(record["customer"])), record.get("ticket")
        event = Event("customers_joined", actor="customer", data={"into": into, "other": customer.id})
        done = self._said(
            turn,
            "link.done",
            "linked",
            {},
            events=(event,),
            channel=self._title(str(record["channel"])),
            number=ticket or 0,
        )
        there = Peer(str(record["channel"]), str(record["chat"]), str(record.get("thread", "")))
        told = self._texts.say(
            "link.done_there",
            lang=language_of(turn, self._texts.lang),
            channel=self._title(turn.conversation.peer.channel),
        )
        say = (*done.messages, Outbound(there, told))
        return replace(
            done,
            messages=say,
            customer_merge=CustomerMerge(into, customer.id),
            settings={name: None},
            state={**(done.state or {}), **_shown(record)},
        )

    async def _undone(self, turn: Turn, customer: Customer) -> Outcome:
        others = await self._joined(customer.id)
        if not others:
            return self._said(turn, "link.nothing", "link_nothing", {})
        event = Event("customers_parted", actor="customer", data={"into": customer.id, "other": others[0]})
        outcome = self._said(turn, "link.undone", "unlinked", {}, events=(event,))
        return replace(outcome, customer_merge=CustomerMerge(customer.id, others[0], undone=True))

    # --- what is kept

    async def _record(self, turn: Turn, name: str) -> Json | None:
        """What was kept with a code that still lives."""
        kept = await self._setting(name)
        record: dict[str, object] = json.loads(kept) if kept else {}
        return record if record and datetime.fromisoformat(str(record["until"])) > turn.now else None

    async def _guessed(self, turn: Turn) -> int:
        """Wrong codes of everybody in the last hour."""
        refused = await self._refused(turn.now - PAUSE)
        return sum(e.data.get("reason") != "too_many" for e in refused)

    def _said(
        self,
        turn: Turn,
        key: str,
        reason: str,
        kept: Json,
        buttons: list[Button] | None = None,
        *,
        events: tuple[Event, ...] = (),
        **facts: object,
    ) -> Outcome:
        """The words, with what is remembered about linking: *kept* and the wrong tries so far."""
        before = {k: v for k, v in DialogState.of(turn).now(turn).items() if k != STATE}
        wrong = _state(turn).get("wrong")
        link = {**({"wrong": wrong} if wrong else {}), **kept}
        state = {**before, STATE: link} if link else before
        return replace(
            said(turn, self._speaker, key, buttons=buttons or (), facts=facts),
            reason=reason,
            events=events,
            state=state,
        )

    def _means(self, text: str) -> bool:
        return text.lower().rstrip(".!") in self._texts.options("link.hears")

    def _title(self, channel: str) -> str:
        return self._titles.get(channel, channel)


def _shown(record: Json) -> Json:
    """The article that was last in mind on the other channel."""
    return (
        {"last_article": record["article"], "passage": record.get("passage", 0)}
        if record.get("article")
        else {}
    )


def _state(turn: Turn) -> Json:
    found = turn.conversation.state.get(STATE)
    return found if isinstance(found, Mapping) else {}


def _moments(value: object) -> list[datetime]:
    return [datetime.fromisoformat(str(v)) for v in value] if isinstance(value, list | tuple) else []


def _name_of(code: str) -> str:
    """The setting that a code is kept under: not readable from it at a glance."""
    return "link:" + hashlib.blake2b(code.encode(), digest_size=12).hexdigest()
