"""Forty tickets at work, ten operators:  python .ci/sim/desk_load.py PATH/sim [--seconds 120] [--tickets 40]
[--operators 10] [--faults] [--seed 1]

One bot with three desks (a forum, a plain group, a VK chat) and customers on both platforms. Customers and
operators speak in random turns; some tickets are
closed and new ones come, tickets change hands. In the end every word must have arrived where it belongs, once
and in order, no platform must have refused
anything, and no group's budget may have been passed. With --faults both simulators drop, delay and refuse a
part of the calls.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from desk_checks import open_world
from stations import Customer, Station, Ticket
from world import World, until

KINDS = {"forum": 2, "plain": 2, "vk": 1}
FAULTS = ("drop_before", "drop_after", "http", "garbage", "too_many", "latency")
MARK = re.compile(r"<(к|о)(\d+)-(\d+)>")  # whose words, of which customer, which number


@dataclass
class Talk:
    """One customer with his ticket, what both sides have said so far, and who sits at the other side."""

    station: Station
    customer: Customer
    ticket: Ticket | None = None
    asked: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def word(self, side: str) -> str:
        """The next words of a side, marked so that they are known again."""
        said = self.asked if side == "к" else self.answered
        said.append(f"<{side}{self.customer.user}-{len(said)}>")
        more = ("где посылка", "поищите", "номер такой же", "хорошо, жду", "смотрим", "секунду")
        return f"{said[-1]} {random.choice(more)}"


def _opens(talk: Talk) -> None:
    """The customer asks for a person; nothing else is said before the ticket has its card."""
    said = f"позовите оператора {talk.word('к')}"
    talk.ticket = talk.customer.asks_for_a_person(said, 60)
    talk.station.find_card(talk.ticket, 300)


def _customers(talks: list[Talk], dice: random.Random, end: float, pause: float) -> None:
    while time.monotonic() < end:
        talk = dice.choice(talks)
        with talk.lock:
            talk.customer.say(talk.word("к"))
        time.sleep(dice.uniform(0.5, 1.5) * pause)


def _operator(number: int, talks: list[Talk], dice: random.Random, end: float, pause: float) -> None:
    """Answers the tickets of his group; now and then hands one on, or writes a note."""
    while time.monotonic() < end:
        talk = dice.choice(talks)
        station, ticket = talk.station, talk.ticket
        me = station.operators[number % len(station.operators)]
        assert ticket
        with talk.lock:
            luck = dice.random()
            if luck < 0.04:
                station.write(me, ticket, f"/transfer {dice.choice(station.names)} подмени")
            elif luck < 0.12:
                station.write(me, ticket, "// секрет")
            else:
                station.write(me, ticket, talk.word("о"))
        time.sleep(dice.uniform(0.5, 1.5) * pause)


def _marks(texts: list[str], side: str, user: int) -> list[str]:
    """The marked words of one customer's talk in the order in which they stand."""
    return [m[0] for text in texts for m in MARK.finditer(text) if m[1] == side and int(m[2]) == user]


def _wrong(talk: Talk) -> list[str]:
    """What is lost, doubled or out of order, in either direction."""
    heard = _marks([p.text for p in talk.customer.heard(since=0)], "о", talk.customer.user)
    shown = _marks(
        [p.text for p in talk.station.desk.posts() if p.by_bot and "Почему" not in p.text],
        "к",
        talk.customer.user,
    )
    asked = talk.asked[1:]  # the first words stand on the card
    found = []
    for name, said, arrived in (("customer's", asked, shown), ("operators'", talk.answered, heard)):
        if said != arrived:
            missing, doubled = (
                [w for w in said if w not in arrived],
                sorted({w for w in arrived if arrived.count(w) > 1}),
            )
            once = list(dict.fromkeys(arrived))
            order = "out of order" if [w for w in said if w in once] != once else ""
            found.append(
                f"{talk.station.kind} {talk.customer.user}: {name} words: missing {missing} doubled {doubled}"
                f" {order}"
            )
    if any("секрет" in p.text for p in talk.customer.heard(since=0)):
        found.append(f"{talk.customer.user} heard a note")
    return found


def _weather(world: World) -> None:
    for kind in FAULTS:
        action = {"type": kind, "status": 502, "body": "<html>", "retry_after": 2, "delay": 1.5}
        for sim, methods in (
            (world.tg, ("/^(send|edit|create|set)/", "getUpdates")),
            (world.vk, ("/^messages/", "longpoll")),
        ):
            for method in methods:
                sim.faults(match={"method": method}, action=action, times=-1, probability=0.01)


def play(sims: Path, *, seconds: float, tickets: int, operators: int, faults: bool, seed: int) -> int:
    settings = {"routing": {"board": True, "remind": "2h"}, "sla": {"policies": []}}
    world, stations = open_world(sims, "load", settings, KINDS)
    try:
        began = time.monotonic()
        talks = []
        for number in range(tickets):
            station = stations[number % len(stations)]
            talks.append(
                Talk(
                    station,
                    station.customer(("telegram", "vk")[number // len(stations) % 2], f"Клиент{number}"),
                )
            )
        if faults:
            _weather(world)
        _together([threading.Thread(target=_opens, args=(t,)) for t in talks])
        for talk in talks:  # a card whose answer was lost stands twice: the bot knows the later one
            if talk.ticket:
                talk.station.find_card(talk.ticket)
        print(
            f"{tickets} tickets are open after {time.monotonic() - began:.0f} s (a group takes 18 messages a"
            " minute)",
            flush=True,
        )
        end = time.monotonic() + seconds
        threads = [
            threading.Thread(
                target=_customers, args=(talks, random.Random(seed + 1), end, 60 / (tickets * 1.0))
            )
        ]
        for number in range(operators):
            own = [t for t in talks if t.station is stations[number % len(stations)]]
            threads.append(
                threading.Thread(
                    target=_operator,
                    args=(number // len(stations), own, random.Random(seed + 2 + number), end, operators / 4),
                )
            )
        _together(threads)
        for sim in (world.tg, world.vk):
            sim.faults(clear=True)
        allowed = sum(sim.faults()["fired"].__len__() for sim in (world.tg, world.vk))
        wrong = _settled(talks)
        doubled = [w for w in wrong if "missing [] " in w and "out of order" not in w and "doubled" in w]
        broken = [w for w in wrong if w not in doubled or not faults]
        said = sum(len(t.asked) + len(t.answered) for t in talks)
        violations = world.violations()
        print(
            f"{said} words both ways, faults {allowed}: lost or out of order {len(broken)}, said twice after"
            f" a lost answer {len(doubled) if faults else 0}"
        )
        print(
            f"violations {len(violations)}, busiest minute of a group {max(world.busiest().values())} of 20,"
            f" all in {time.monotonic() - began:.0f} s"
        )
        for each in (*broken[:6], *violations[:6]):
            print("     ", each[:600])
        if broken or violations:
            print(world.tail(), file=sys.stderr)
        return 1 if broken or violations else 0
    finally:
        world.__exit__()


def _settled(talks: list[Talk]) -> list[str]:
    """What is still wrong when nothing new arrives for a while."""
    wrong: list[str] = ["?"]

    def arrived() -> bool:
        wrong[:] = [w for t in talks for w in _wrong(t)]
        time.sleep(1)
        return not any("missing ['" in w for w in wrong)

    try:
        until(arrived, "every word arrives", 420)
    except AssertionError as late:
        print(late)
    return wrong


def _together(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("sims", type=Path)
    for name, default in (("seconds", 120), ("tickets", 40), ("operators", 10), ("seed", 1)):
        options.add_argument(f"--{name}", type=int, default=default)
    options.add_argument("--faults", action="store_true")
    given = options.parse_args()
    return play(
        given.sims,
        seconds=given.seconds,
        tickets=given.tickets,
        operators=given.operators,
        faults=given.faults,
        seed=given.seed,
    )


if __name__ == "__main__":
    sys.exit(main())
