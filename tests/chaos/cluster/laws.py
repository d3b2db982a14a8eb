"""What must hold after the storm: each broken law is one sentence, told from the tables and from what the
platforms saw.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from bot.model import Outbound
from bot.storage.codec import decode
from tests.chaos.cluster.people import Said
from tests.chaos.cluster.platform_servers import Arrival
from tests.chaos.cluster.replicas import Disturbance
from tests.chaos.invariants import MARK
from tests.chaos.platforms import DESK_CHAT

TABLES = ("inbox", "turns", "outbox", "conversations", "tickets")
OPEN = ("pending", "sending")
SOON = 0.3  # seconds by which the driver's note of a disturbance may be late
FLIGHT = 10.0  # seconds from the arrival of a send until its result is on record

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]


def read_tables(url: str) -> Tables:
    """The rows that the laws are about, in the order of their ids."""
    if url.startswith("sqlite"):
        db = sqlite3.connect(Path(url.removeprefix("sqlite:///")))
        db.row_factory = sqlite3.Row
        made = {t: [dict(row) for row in db.execute(f"select * from {t}")] for t in TABLES}
        db.close()
    else:
        with psycopg.connect(url, row_factory=dict_row) as connection:
            made = {t: connection.execute(f"select * from {t}").fetchall() for t in TABLES}
    return {
        name: sorted(rows, key=lambda r: int(r.get("id") or r.get("number") or 0))
        for name, rows in made.items()
    }


def waiting(tables: Tables) -> str:
    """What is not decided on or not sent yet; "" when nothing is."""
    undecided = sum(row["done_at"] is None for row in tables["inbox"])
    unsent = Counter(f"{row['verb']} to {row['chat']}" for row in tables["outbox"] if row["status"] in OPEN)
    told = [f"{n} × {what}" for what, n in unsent.most_common(5)]
    return ", ".join([f"{undecided} undecided", *told]) if undecided or told else ""


def broken(
    tables: Tables, said: Sequence[Said], arrivals: Sequence[Arrival], disturbed: Sequence[Disturbance]
) -> list[str]:
    """Every law that does not hold."""
    sends = Sends(tables["outbox"], arrivals)
    return [
        *one_result(tables, said),
        *in_order(tables, said),
        *sent_in_order(sends),
        *sends.strangers(),
        *sends.doubled(),
        *sends.without_cause(disturbed),
        *sends.settled(),
        *answered(tables),
        *carried(tables, said, sends),
    ]


def one_result(tables: Tables, said: Sequence[Said]) -> Iterator[str]:
    """Every message of a person is kept once and decided on by one turn, which knows its words."""
    kept: dict[str, list[Row]] = defaultdict(list)
    for row in tables["inbox"]:
        for mark in MARK.findall(row["payload"]):
            kept[mark].append(row)
    turns = {row["id"]: row for row in tables["turns"]}
    decided = Counter(mark for row in tables["turns"] for mark in MARK.findall(row["text"]))
    for message in said:
        rows = kept[message.mark]
        if len(rows) != 1:
            yield f"{message.mark} of {message.platform} is kept {len(rows)} times"
        elif rows[0]["result"] is None or rows[0]["turn"] not in turns:
            yield f"{message.mark} of {message.platform} has no result"
        elif message.mark not in turns[rows[0]["turn"]]["text"]:
            yield f"{message.mark} was closed by a turn that did not read it"
        if decided[message.mark] > 1:
            yield f"{message.mark} was decided on {decided[message.mark]} times"
    closing = {row["turn"] for row in tables["inbox"]}
    for id in turns.keys() - closing:
        yield f"turn {id} decided on something that another turn has: {turns[id]['text']!r}"


def in_order(tables: Tables, said: Sequence[Said]) -> Iterator[str]:
    """What was written first in a conversation is kept first and decided on first."""
    place = {message.mark: n for n, message in enumerate(said)}
    last: dict[int, tuple[int, int]] = {}
    for row in tables["inbox"]:
        marks = MARK.findall(row["payload"]) if row["kind"] == "message" else []
        for mark in marks:
            written, turn = last.get(row["conversation"], (-1, 0))
            if place.get(mark, written) < written:
                yield f"{mark} was kept after what was written later in conversation {row['conversation']}"
            if (row["turn"] or turn) < turn:
                yield f"{mark} was decided on by turn {row['turn']}, after turn {turn}"
            last[row["conversation"]] = (place.get(mark, written), row["turn"] or turn)


class Sends:
    """Which message on a platform is which row of the outbox: by its id, or (where nobody was told it) by its
    words.
    """

    def __init__(self, outbox: Sequence[Row], arrivals: Sequence[Arrival]) -> None:
        self.rows = {row["id"]: row for row in outbox}
        self.of: dict[int, list[Arrival]] = defaultdict(list)
        self._strangers: list[Arrival] = []
        self._untold: list[Arrival] = []
        said = [row for row in outbox if row["verb"] == "say"]
        self._texts = {row["id"]: decode(Outbound, row["payload"]).text.text for row in said}
        by_id = {(row["channel"], row["chat"], row["message"]): row["id"] for row in said if row["message"]}
        for arrival in arrivals:
            row = by_id.get((arrival.platform, arrival.chat, arrival.message))
            if row is not None:
                self.of[row].append(arrival)
            else:
                self._untold.append(arrival)
        for arrival in self._untold:
            self._place(arrival, self._candidates(arrival))

    def _candidates(self, arrival: Arrival) -> list[int]:
        return [n for n, text in self._texts.items() if _shows(arrival, self.rows[n], text)]

    def _place(self, arrival: Arrival, candidates: Sequence[int]) -> None:
        """Where there are several, the one that has had the fewest of what its doubts explain."""
        if not candidates:
            self._strangers.append(arrival)
            return
        row = max(candidates, key=lambda n: (1 + self.rows[n]["doubts"] - len(self.of[n]), n))
        self.of[row].append(arrival)

    def strangers(self) -> Iterator[str]:
        for arrival in self._strangers:
            yield f"{arrival.platform} {arrival.chat} got what is not in the outbox: {arrival.text!r}"

    def doubled(self) -> Iterator[str]:
        """No more arrivals than doubts allow."""
        for row, arrived in self.of.items():
            if len(arrived) > 1 + self.rows[row]["doubts"]:
                yield (
                    f"delivery {row} arrived {len(arrived)} times with {self.rows[row]['doubts']} doubts on"
                    f" record: {arrived[0].text!r}"
                )

    def without_cause(self, disturbed: Sequence[Disturbance]) -> Iterator[str]:
        """Only where a send was cut, or its process (or the database) was disturbed under it, may the outbox
        take it for doubtful: to doubt a living sender is a fault, on record or not. Of what arrived twice one
        message is on record, the earlier or the later.
        """
        for arrival in self._untold:
            candidates = self._candidates(arrival)
            earlier = [a for n in candidates for a in self.of[n] if a.begun < arrival.begun]
            if not any(a.cut or _disturbed(a, disturbed) for a in (arrival, *earlier)):
                rows = [
                    f"{n} ({self.rows[n]['tries']} tries, {self.rows[n]['doubts']} doubts)"
                    for n in candidates
                ]
                yield (
                    f"{arrival.platform} {arrival.chat} got delivery {', '.join(rows)} from replica"
                    f" {arrival.replica}, which lived, and that it arrived is not known: {arrival.text!r}"
                )

    def settled(self) -> Iterator[str]:
        """What is called sent arrived; nothing stays on its way."""
        for id, row in self.rows.items():
            if row["status"] in OPEN:
                yield f"delivery {id} ({row['verb']}) is still {row['status']}: {row['error']}"
            elif row["verb"] == "say" and row["status"] == "sent" and not self.of[id]:
                yield f"delivery {id} to {row['chat']} is called sent and never arrived"
            elif row["status"] in ("failed", "cancelled") and self.of[id] and not row["doubts"]:
                yield f"delivery {id} arrived and is called {row['status']}: {row['error']}"


def sent_in_order(sends: Sends) -> Iterator[str]:
    """In one chat, thread and priority what was enqueued first arrives first."""
    last: dict[tuple[object, ...], tuple[float, int]] = {}
    for id, row in sends.rows.items():
        if not sends.of[id] or row["place"] < 0 or row["doubts"]:
            continue
        line = (row["channel"], row["chat"], row["thread"], row["lane"])
        begun = min(a.begun for a in sends.of[id])
        before, earlier = last.get(line, (0.0, 0))
        if begun < before:
            yield f"delivery {id} came before delivery {earlier} of the same line {line}"
        last[line] = max((before, earlier), (begun, id))


def answered(tables: Tables) -> Iterator[str]:
    """Who asked has an answer on its way: each turn of a customer's words said something to somebody."""
    private = {row["id"] for row in tables["conversations"] if row["customer"] is not None}
    spoke = {row["turn"] for row in tables["outbox"]}
    for turn in tables["turns"]:
        if turn["conversation"] in private and turn["result"] == "answered" and turn["id"] not in spoke:
            yield f"turn {turn['id']} is called answered and said nothing: {turn['text']!r}"


def carried(tables: Tables, said: Iterable[Said], sends: Sends) -> Iterator[str]:
    """What a customer of an open ticket says reaches the operators, and their words the customer, or it is on
    record that not.
    """
    shown: dict[bool, set[str]] = {True: set(), False: set()}  # whether to the operators
    for id, row in sends.rows.items():
        if sends.of[id] or row["status"] in ("unknown", "failed"):
            text = json.loads(row["payload"]) if isinstance(row["payload"], str) else row["payload"]
            shown[row["chat"] == DESK_CHAT] |= set(MARK.findall(json.dumps(text, ensure_ascii=False)))
    results = {mark: row["result"] for row in tables["turns"] for mark in MARK.findall(row["text"])}
    for message in said:
        inside = message.chat == DESK_CHAT
        wanted = ("carried",) if inside else ("carried", "handed_off")
        if results.get(message.mark) in wanted and message.mark not in shown[not inside]:
            to = "a customer" if inside else "the desk"
            yield f"{message.mark} ({results[message.mark]}) never came to {to}"


def _shows(arrival: Arrival, row: Row, text: str) -> bool:
    """Whether a message may be this delivery; in a group its heading stands above the words."""
    here = (row["channel"], row["chat"]) == (arrival.platform, arrival.chat)
    return here and bool(text) and arrival.text.strip().endswith(text.strip())


def _disturbed(arrival: Arrival, disturbed: Sequence[Disturbance]) -> bool:
    return any(
        d.replica in (arrival.replica, -1)
        and d.since <= arrival.begun + FLIGHT
        and d.until >= arrival.begun - SOON
        for d in disturbed
    )
