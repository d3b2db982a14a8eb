"""`bot run` with a mailbox as its only channel, killed (-9) at chosen and at unchosen moments while customers
write and both servers refuse, cut the connection, or take a letter and cut then:

    python -m tests.chaos.killed_email --kills 10 --customers 40 --seed 1
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from bot.adapters.email.reading import Mailbox, read_letter
from tests.adapters.email.mail_platform import letter
from tests.chaos.killed_bot import ANSWER, QUESTION, KilledBot, main
from tests.fakes.imap_server import CUT, PASSWORD, USER, FakeImap
from tests.fakes.smtp_server import TAKEN_AND_CUT, FakeSmtp, words

BREAKS = frozenset({"LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE", "IDLE"})

Moment = Callable[[str], None]


class UnreliableImap(FakeImap):
    """A mailbox that fails now and then. *at_moment* is called when a letter is fetched or marked."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice, self.rough = dice, 0.0
        self.at_moment: Moment = lambda what: None

    def meets(self, command: str) -> str:
        if command in ("UID FETCH", "UID STORE"):
            self.at_moment(command)
        if command not in BREAKS or self.dice.random() >= self.rough:
            return ""
        return self.dice.choice((CUT, "NO [UNAVAILABLE] later"))


class UnreliableSmtp(FakeSmtp):
    """The other server, which fails as often."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice, self.rough = dice, 0.0
        self.at_moment: Moment = lambda what: None

    def meets(self, command: str) -> str:
        self.at_moment(command)
        if self.dice.random() >= self.rough:
            return ""
        return self.dice.choice((CUT, TAKEN_AND_CUT)) if command == "DATA" else CUT


class KilledMailbox(KilledBot):
    """One run in *folder*."""

    options = ("--no-web",)
    environment: Mapping[str, str] = {"EMAIL_PASSWORD": PASSWORD}

    def __init__(self, folder: Path, *, kills: int, customers: int, seed: int) -> None:
        super().__init__(folder, kills=kills, seed=seed)
        self._customers = customers
        self._imap = UnreliableImap(random.Random(seed + 1))
        self._smtp = UnreliableSmtp(random.Random(seed + 2))
        self._said: dict[str, str] = {}  # address: key of the letter

    @asynccontextmanager
    async def platform(self) -> AsyncIterator[None]:
        async with self._imap, self._smtp:
            yield

    def config(self) -> dict[str, Any]:
        channel = {
            "type": "email",
            "address": USER,
            "password": "${EMAIL_PASSWORD}",
            "imap_host": "127.0.0.1",
            "imap_port": self._imap.port,
            "imap_security": "none",
            "smtp_host": "127.0.0.1",
            "smtp_port": self._smtp.port,
            "smtp_security": "none",
        }
        return {"channels": {"mail": channel}}

    # --- what happens

    async def live(self) -> None:
        await self.start()
        self._imap.rough = self._smtp.rough = 0.15
        share = max(1, self._customers // (self.kills + 1))
        for number in range(self._customers):
            self._writes(number)
            await asyncio.sleep(self.dice.uniform(0.0, 0.05))
            if number % share == share - 1 and self.deaths < self.kills:
                await self._dies()
                if self.deaths == 2:
                    self._imap.made_anew()
                await self.start()
        self._imap.rough = self._smtp.rough = 0.0
        await self.rest()

    def _writes(self, number: int) -> None:
        address = f"customer{number}@example.org"
        now = format_datetime(datetime.now(UTC))
        made = letter(QUESTION, number=number, subject="Вопрос", From=f"Клиент <{address}>", Date=now)
        self._said[address] = read_letter(made.as_bytes(), Mailbox(USER)).key
        self._imap.arrives(made.as_bytes(), datetime.now(UTC))

    async def _dies(self) -> None:
        """A letter that is marked was kept before."""
        moments = ("UID FETCH", "UID STORE", "DATA", "")
        await self.die_at(moments, [self._imap, self._smtp], wait=4)
        kept = {row["key"] for row in self.rows("select key from inbox")}
        for there in self._imap.letters:
            if there.flags and read_letter(there.content, Mailbox(USER)).key not in kept:
                self.broken.append(f"letter {there.uid} is marked and was not kept")

    async def start(self) -> None:
        before = self._imap.commands.count("LOGIN")
        await super().start()
        async with asyncio.timeout(60):
            while self._imap.commands[-1:] != ["IDLE"] or self._imap.commands.count("LOGIN") == before:
                await asyncio.sleep(0.02)
                if self._imap.rough and self._imap.commands.count("LOGIN") > before:
                    return

    # --- what must hold

    def is_waiting(self) -> bool:
        return self.is_undecided(set(self._said.values())) or self.is_unsent()

    def laws(self) -> list[str]:
        """Each letter has one recorded outcome; each answer is with its customer once, or its row has a
        doubt.
        """
        inbox = self.rows("select key, result from inbox where kind = 'message'")
        kept = Counter(row["key"] for row in inbox)
        found = [
            f"the letter of {a} is kept {kept[key]} times" for a, key in self._said.items() if kept[key] != 1
        ]
        found += [f"{row['key']} has no result" for row in inbox if row["result"] is None]
        came = defaultdict[str, Counter[str]](Counter)
        for each in self._smtp.letters:
            came[each["To"].addresses[0].addr_spec][str(each["Message-ID"])] += 1
        rows = {row["message"]: row for row in self.rows("select * from outbox where verb = 'say'")}
        for row in rows.values():
            if row["status"] != "sent" or not came[row["chat"]][row["message"]]:
                found.append(f"row {row['id']} to {row['chat']} is {row['status']}: {row['error']}")
        for address, ids in came.items():
            found += [
                f"{address} has {id} {count} times, {rows[id]['doubts'] if id in rows else 'no'} doubts"
                for id, count in ids.items()
                if count > 1 + (rows[id]["doubts"] if id in rows else 0)
            ]
        answered = {e["To"].addresses[0].addr_spec for e in self._smtp.letters if ANSWER in words(e)}
        return [*found, *(f"{a} has no answer" for a in self._said if a not in answered)]

    def figures(self) -> dict[str, int]:
        ids = Counter(str(each["Message-ID"]) for each in self._smtp.letters)
        return {
            "letters": len(self._said),
            "answers": len(ids),
            "twice": sum(count - 1 for count in ids.values()),
            "doubts": sum(r["doubts"] for r in self.rows("select doubts from outbox where verb = 'say'")),
            "logins": self._imap.commands.count("LOGIN"),
        }


if __name__ == "__main__":
    main(__doc__, KilledMailbox, kills=10, customers=40, seed=1)
