"""kill -9 while tickets change hands, are closed and wait for deadlines:  python .ci/sim/desk_crash.py
PATH/sim [SEED] [--kills 8] [--rounds 2]

Short deadlines, three kinds of desk, customers on both platforms. Each ticket plays one part (a race for it
with transfer and rating, a silent customer, a
silent operator, a broken deadline, snooze, promise) while the bot dies at random moments and is started
again. In the end every deadline must have fired once,
every ticket had one owner at a time, every word arrived in order, and nothing came twice for which no doubt
is on record.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sqlite3
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import world as world_module
from desk_checks import open_world
from stations import Customer, Station, Ticket
from world import World, until

SETTINGS = {
    "routing": {"remind": "1h", "silent_operator": "30s", "board": False},
    "sla": {
        "policies": [{"topic": "Гарантия", "first_reply": "12s", "next_reply": None}],
        "warn": 0.5,
        "quiet_warn": "10s",
        "quiet_close": "10s",
        "reopen": None,
    },
    "rating": {"ask": True, "delay_minutes": 0.03},
}
HANDS = (
    "ticket_taken",
    "ticket_assigned",
    "ticket_given_back",
    "ticket_closed",
    "ticket_moved",
    "ticket_snoozed",
)


@dataclass
class Part:
    """One ticket's play, and what must be true of it in the end: events that come once, words that the
    customer hears once.
    """

    name: str
    station: Station
    customer: Customer
    ticket: Ticket | None = None
    failure: str = ""
    once: list[str] = field(default_factory=list)
    hears: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # of operators, in order


def raced(part: Part) -> None:
    """Two take it at once, somebody hands it on, it is closed and rated."""
    s, ticket = part.station, _opened(part)
    both = [
        threading.Thread(target=_quietly, args=(lambda o=o: s.press(o, ticket, "Взять"),))
        for o in s.operators[:2]
    ]
    for each in both:
        each.start()
    for each in both:
        each.join()
    ticket.customer.hears("вами", since=0)
    _says(part, 0, "смотрю")
    s.write(s.operators[2], ticket, "// я здесь")
    s.write(s.operators[1], ticket, f"/transfer {s.names[2]} он знает")
    ticket.customer.hears("Ваш вопрос теперь у", since=0)
    _says(part, 2, "нашёл")
    s.write(s.operators[2], ticket, "/close")
    ticket.customer.hears("закрыто", since=0)
    ticket.customer.hears("Оцените", 60, since=0)
    part.once = ["ticket_closed", "rating_asked", "ticket_transferred", "first_reply"]
    part.hears = [f"№{ticket.number} закрыто", "Оцените", "Ваш вопрос теперь у"]


def silent_customer(part: Part) -> None:
    ticket = _opened(part)
    _says(part, 0, "готово")
    ticket.customer.hears("решён", 60, since=0)
    ticket.customer.hears("Закрыл обращение", 60, since=0)
    part.once, part.hears = ["quiet_asked", "ticket_closed"], ["решён", "Закрыл обращение"]


def silent_operator(part: Part) -> None:
    s, ticket = part.station, _opened(part)
    s.press(s.operators[0], ticket, "Взять")
    s.sees(f"№{ticket.number}.*долго не отвечает", None, 90, since=0)
    _says(part, 1, "я за него")
    _closed(part)
    part.once = ["ticket_given_back", "ticket_closed", "first_reply"]


def broken_deadline(part: Part) -> None:
    part.customer.say("какая гарантия")
    part.customer.hears("малахит")
    s, ticket = part.station, _opened(part)
    s.sees(f"№{ticket.number}.*срок «первый ответ» прошёл", None, 60, since=0)
    _says(part, 0, "простите")
    _closed(part)
    part.once = ["sla_breached", "first_reply", "ticket_closed"]


def snoozed(part: Part) -> None:
    s, ticket = part.station, _opened(part)
    _says(part, 0, "вернусь")
    s.write(s.operators[0], ticket, "/snooze 1m")
    s.sees(f"⏰ №{ticket.number}", None, 150, since=0)
    _says(part, 0, "вернулся")
    _closed(part)
    part.once = ["ticket_snoozed", "ticket_woken", "ticket_closed"]


def promised(part: Part) -> None:
    s, ticket = part.station, _opened(part)
    _says(part, 0, "узнаю")
    s.write(s.operators[0], ticket, "/promise 1m на складе")
    ticket.customer.hears("обещали вернуться", 150, since=0)
    part.once, part.hears = ["promised", "promise_due"], ["вернусь к вам с ответом", "обещали вернуться"]


PARTS: tuple[Callable[[Part], None], ...] = (
    raced,
    silent_customer,
    silent_operator,
    broken_deadline,
    snoozed,
    promised,
)


def _opened(part: Part) -> Ticket:
    part.ticket = part.customer.asks_for_a_person("позовите оператора")
    part.station.find_card(part.ticket, 120)
    return part.ticket


def _says(part: Part, operator: int, words: str) -> None:
    assert part.ticket
    part.words.append(f"{words} <{part.ticket.number}-{len(part.words)}>")
    part.station.write(part.station.operators[operator], part.ticket, part.words[-1])
    part.customer.hears(re.escape(part.words[-1]), 60, since=0)


def _closed(part: Part) -> None:
    assert part.ticket
    part.station.write(part.station.operators[0], part.ticket, "/close")
    part.customer.hears("закрыто", since=0)
    part.hears = [*part.hears, f"№{part.ticket.number} закрыто"]


def _quietly(act: Callable[[], object]) -> None:
    """The one who comes second may find no button any more."""
    try:
        act()
    except AssertionError:
        pass


def _played(play: Callable[[Part], None], part: Part) -> None:
    try:
        play(part)
    except Exception as error:  # noqa: BLE001 - told at the end
        part.failure = f"{type(error).__name__}: {error}"


def _wrong(world: World, parts: list[Part]) -> tuple[list[str], int]:
    """What the file and the chats say that must not be; how much came twice."""
    db = sqlite3.connect(f"file:{world.folder / 'bot.db'}?mode=ro", uri=True)
    found = [f"{p.name} №{p.ticket and p.ticket.number}: {p.failure}" for p in parts if p.failure]
    twice = 0
    for part in parts:
        if part.ticket is None or part.failure:
            continue
        number = part.ticket.number
        events = db.execute(
            "select kind, actor, data from events where ticket = ? order by id", (number,)
        ).fetchall()
        counts = Counter(kind for kind, _, _ in events)
        found += [
            f"{part.name} №{number}: {kind} {counts[kind]} times" for kind in part.once if counts[kind] != 1
        ]
        found += [f"{part.name} №{number}: {each}" for each in _hands(events)]
        for pattern in part.hears:
            times = sum(bool(re.search(pattern, p.text, re.I)) for p in part.customer.heard(since=0))
            found += [f"{part.name} №{number}: never heard {pattern}"] if times == 0 else []
            twice += max(0, times - 1)
        heard = [
            m[0]
            for p in part.customer.heard(since=0)
            for m in re.finditer(rf"\S+( за него)? <{number}-\d+>", p.text)
        ]
        twice += len(heard) - len(set(heard))
        if [w[-6:] for w in dict.fromkeys(heard)] != [w[-6:] for w in part.words]:
            found.append(f"{part.name} №{number}: words {heard} of {part.words}")
    overdue = f"fired is null and cancelled is null and due < {int((time.time() - 30) * 1000)}"
    for table, what in (
        ("outbox", "status in ('pending', 'sending')"),
        ("inbox", "result is null"),
        ("timers", overdue),
    ):
        left = db.execute(f"select count(*) from {table} where {what}").fetchone()[0]
        found += [f"{left} rows of {table} are left over"] if left else []
    doubts = db.execute("select coalesce(sum(doubts), 0) from outbox").fetchone()[0]
    if twice > doubts:
        found.append(f"{twice} came twice, only {doubts} doubts are on record")
    return found, twice


def _hands(events: list[tuple[str, str, str]]) -> list[str]:
    """Each time somebody takes a ticket it is nobody's, or it is said from whom."""
    owner, wrong = "", []
    for kind, actor, data in events:
        known = json.loads(data)
        if kind == "ticket_taken":
            if owner and known.get("from", "") != owner:
                wrong.append(f"{actor} took what {owner} had")
            owner = actor
        elif kind == "ticket_assigned":
            owner = actor
        elif kind in ("ticket_given_back", "ticket_moved"):
            owner = ""
    return wrong


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("sims", type=Path)
    options.add_argument("seed", type=int, nargs="?", default=1)
    options.add_argument("--kills", type=int, default=8)
    options.add_argument("--rounds", type=int, default=2, help="tickets of each part")
    given = options.parse_intermixed_args()
    dice, began = random.Random(given.seed), time.monotonic()
    world, stations = open_world(given.sims, "crash", SETTINGS, {"forum": 3, "plain": 2, "vk": 1})
    world_module.PATIENCE = max(4.0, world_module.PATIENCE)  # everybody waits while nobody is there
    try:
        parts = []
        for number in range(given.rounds * len(PARTS)):
            station = stations[(number + number // len(stations)) % len(stations)]
            parts.append(
                Part(
                    PARTS[number % len(PARTS)].__name__,
                    station,
                    station.customer(dice.choice(("telegram", "vk")), f"Клиент{number}"),
                )
            )
        threads = [
            threading.Thread(target=_played, args=(PARTS[n % len(PARTS)], part))
            for n, part in enumerate(parts)
        ]
        for thread in threads:
            thread.start()
        kills = 0
        while kills < given.kills and any(t.is_alive() for t in threads):
            time.sleep(dice.uniform(0.5, 6))
            world.kill()
            kills += 1
            time.sleep(dice.uniform(0, 2))
            world.start()
        for thread in threads:
            thread.join()
        time.sleep(3)
        until(lambda: not _left(world), "nothing is left to be said", 60)
        world.stop()
        found, twice = _wrong(world, parts)
        violations = world.violations()
        print(
            f"seed {given.seed}: {len(parts)} tickets, {kills} kills, {time.monotonic() - began:.0f} s: wrong"
            f" {len(found)}, came twice with a doubt on record {twice}"
        )
        print(
            f"violations {len(violations)}, busiest minute of a group"
            f" {max(world.busiest().values(), default=0)} of 20"
        )
        for each in (*found[:8], *violations[:5]):
            print("     ", each[:500])
        if found or violations:
            print(world.tail(), file=sys.stderr)
        return 1 if found or violations else 0
    finally:
        world.__exit__()


def _left(world: World) -> int:
    db = sqlite3.connect(f"file:{world.folder / 'bot.db'}?mode=ro", uri=True)
    return int(db.execute("select count(*) from outbox where status in ('pending', 'sending')").fetchone()[0])


if __name__ == "__main__":
    sys.exit(main())
