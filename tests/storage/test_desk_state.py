"""A database of a released version knows the same operators, groups and incidents after its migration as that
version computed from all its events at each start.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.model import DeskState, Event, GroupStatus, Incident, Member, Peer
from bot.storage.codec import moment
from bot.storage.database import Database, SqliteDatabase
from bot.storage.migrations import bring_up
from bot.storage.queries import desk_state

RELEASED = Path(__file__).with_name("released")
BEFORE = ("001_first", "002_teams_waiting")  # the releases that knew this from events alone
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
PEOPLE = ("telegram:9001", "telegram:9002", "vk:5")
CHATS = ("-100500", "-100600")


class Folded:
    """What the released versions computed, event after event."""

    def __init__(self) -> None:
        self.members: dict[str, Member] = {}
        self.lost: set[Peer] = set()
        self.checked: dict[Peer, GroupStatus] = {}
        self.incidents: dict[int, Incident] = {}
        self.over: set[int] = set()
        self.met: dict[int, set[int]] = {}

    def seen(self, event: Event) -> None:
        data, place = event.data, Peer(str(event.data.get("channel", "")), str(event.data.get("chat", "")))
        match event.kind:
            case "desk_lost":
                self.lost.add(place)
            case "desk_found":
                self.lost.discard(place)
            case "desk_checked":
                lacks: Any = data["lacks"]
                self.checked[place] = GroupStatus(str(data["kind"]), tuple(lacks), data["gone"] is True)
            case "incident_on":
                words: Any = data["words"]
                self.incidents[_number(data)] = Incident(
                    _number(data), str(data["text"]), tuple(words), (), str(data["by"]), event.at
                )
            case "incident_off":
                self.over.add(_number(data))
            case "incident_met":
                assert event.conversation is not None
                self.met.setdefault(_number(data), set()).add(event.conversation)
            case _:
                self._of_operator(event)

    def _of_operator(self, event: Event) -> None:
        known = self.members.get(event.actor, Member(event.actor))
        if event.kind in ("operator_met", "operator_joined"):
            silent = event.kind == "operator_joined" and not known.name
            chat = event.data.get("chat")
            known = replace(
                known,
                **{n: str(event.data.get(n, "")) for n in ("name", "last_name", "username")},  # type: ignore[arg-type]
                chats=known.chats | ({str(chat)} if chat else set()),
                left=False,
                silent=silent,
            )
        elif event.kind == "ticket_assigned":
            known = replace(known, assigned=event.at)
        else:
            known = replace(known, away=event.kind == "operator_away", left=event.kind == "operator_left")
        self.members[event.actor] = known

    def state(self) -> DeskState:
        going = tuple(i for n, i in sorted(self.incidents.items()) if n not in self.over)
        return DeskState(
            operators=tuple(self.members[id] for id in sorted(self.members)),
            lost=frozenset(self.lost),
            checked=self.checked,
            incidents=going,
            next_incident=max(self.incidents, default=0) + 1,
            met={i.number: len(self.met[i.number]) for i in going if i.number in self.met},
        )


def _number(data: Mapping[str, object]) -> int:
    number = data["number"]
    assert isinstance(number, int)
    return number


KINDS = frozenset({
    "operator_met", "operator_joined", "operator_away", "operator_back", "operator_left", "ticket_assigned",
    "desk_lost", "desk_found", "desk_checked", "incident_on", "incident_met", "incident_off",
})  # fmt: skip


def lived(seed: int, count: int = 400) -> list[Event]:
    """A life of the desk, the same for the same seed; moments repeat, as they do in one turn. No incident is
    over before it has begun.
    """
    dice = Random(seed)
    begun: set[object] = set()
    found = []
    for n in range(count):
        event = _one(dice, moment(1795300000000 + n // 2 * 1000))
        if event.kind == "incident_on":
            begun.add(event.data["number"])
        if event.kind != "incident_off" or event.data["number"] in begun:
            found.append(event)
    return found


def _one(dice: Random, at: datetime) -> Event:
    place = {"channel": "telegram", "chat": dice.choice(CHATS)}
    number = dice.randint(1, 6)
    named = {"name": dice.choice(("Ольга", "Оля", "")), "username": dice.choice(("olga", ""))}
    lacks = ["pin"][: dice.randint(0, 1)]
    made: dict[str, Mapping[str, object]] = {
        "operator_met": {**named, **({"chat": dice.choice(CHATS)} if dice.random() < 0.8 else {})},
        "operator_joined": {**named, "last_name": "Вольная", "chat": dice.choice(CHATS)},
        "operator_away": {},
        "operator_back": {},
        "operator_left": {},
        "ticket_assigned": {"from": ""},
        "desk_lost": place,
        "desk_found": place,
        "desk_checked": {
            **place,
            "kind": "forum",
            "lacks": lacks,
            "gone": number == 1,
        },
        "incident_on": {"number": number, "text": f"Сбой {number}", "words": ["казань"], "by": "Ольга"},
        "incident_off": {"number": number},
        "incident_met": {"number": number},
    }
    kind = dice.choice(sorted(KINDS))
    actor = dice.choice(PEOPLE) if kind.startswith(("operator", "ticket")) else ""
    return Event(kind, at, dice.choice((1, 3)), None, actor, made[kind])


def events_of(db: Database) -> list[Event]:
    """Those that tell of operators, groups and incidents, in the order in which a start read them."""
    rows = db.execute("select kind, at, conversation, ticket, actor, data from events order by at, id")
    found = (Event(r[0], moment(r[1]), r[2], r[3], r[4], json.loads(r[5])) for r in rows.fetchall())
    return [e for e in found if e.kind in KINDS]


def keep(db: Database, events: list[Event]) -> None:
    """As a released version kept them: in the one table of events."""
    for e in events:
        assert e.at is not None
        db.execute(
            "insert into events(kind, at, conversation, actor, data) values(?, ?, ?, ?, ?)",
            (e.kind, int(e.at.timestamp() * 1000), e.conversation, e.actor, json.dumps(e.data)),
        )


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("release", BEFORE)
def test_a_released_database_knows_what_it_knew(release: str, seed: int) -> None:
    """Filled once from its own events, the tables say what the old start would have said."""
    db = sqlite3.connect(":memory:", isolation_level=None, factory=SqliteDatabase)
    db.row_factory = sqlite3.Row
    db.executescript((RELEASED / f"{release}.sql").read_text("utf-8"))
    keep(db, lived(seed))
    folded = Folded()
    for event in events_of(db):
        folded.seen(event)
    bring_up(db, None, NOON)
    found = desk_state.read(db)

    assert found == folded.state()
    assert len(found.operators) == len(PEOPLE) and found.next_incident == 7
    db.close()


@pytest.mark.parametrize("seed", range(8))
def test_what_happens_now_means_what_it_meant(seed: int) -> None:
    """The same life, committed event by event to the tables, comes to the same."""
    db = sqlite3.connect(":memory:", isolation_level=None, factory=SqliteDatabase)
    db.row_factory = sqlite3.Row
    db.executescript((RELEASED / "003_desk_state.sql").read_text("utf-8"))
    folded = Folded()
    for event in (*events_of(db), *lived(seed)):
        folded.seen(event)
    for event in lived(seed):
        desk_state.follow(db, [event])

    assert replace(desk_state.read(db), version=0) == folded.state()
    db.close()
