"""`bot run` with a mailbox as its only channel, killed (-9) at chosen and at unchosen moments while customers
write and both servers refuse, cut the connection, or take a letter and cut then:

    python -m tests.chaos.killed_email --kills 10 --customers 40 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import yaml

from bot.adapters.email.reading import Mailbox, read_letter
from tests.adapters.email.mail_platform import letter
from tests.fakes.imap_server import CUT, PASSWORD, USER, FakeImap
from tests.fakes.smtp_server import TAKEN_AND_CUT, FakeSmtp, words
from tests.knowledge.shop import write_shop

ROOT = Path(__file__).parents[2]
QUESTION, ANSWER = "Когда привезут заказ?", "курьер привозит"
PATIENCE = 120.0  # seconds until everything must have come to rest
BREAKS = frozenset({"LOGIN", "SELECT", "UID SEARCH", "UID FETCH", "UID STORE", "IDLE"})

Row = Mapping[str, Any]
Moment = Callable[[str], None]


class StormyImap(FakeImap):
    """A mailbox in bad weather. *at_moment* is called when a letter is fetched or marked: it may kill."""

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


class StormySmtp(FakeSmtp):
    """The other server, in the same weather."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice, self.rough = dice, 0.0
        self.at_moment: Moment = lambda what: None

    def meets(self, command: str) -> str:
        self.at_moment(command)
        if self.dice.random() >= self.rough:
            return ""
        return self.dice.choice((CUT, TAKEN_AND_CUT)) if command == "DATA" else CUT


@dataclass(slots=True)
class Outcome:
    """What one run brought: each broken law is a sentence."""

    broken: list[str] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)
    log: str = ""


class KilledMailbox:
    """One run in *folder*."""

    def __init__(self, folder: Path, *, kills: int, customers: int, seed: int) -> None:
        self._folder, self._kills, self._customers = folder, kills, customers
        self._dice = random.Random(seed)
        self._imap, self._smtp = StormyImap(random.Random(seed + 1)), StormySmtp(random.Random(seed + 2))
        self._process: asyncio.subprocess.Process | None = None
        self._deaths = 0
        self._said: dict[str, str] = {}  # address: key of the letter
        self._broken: list[str] = []

    async def run(self) -> Outcome:
        write_shop(self._folder / "kb")
        async with self._imap, self._smtp:
            self._write_config()
            try:
                await self._live()
                rested = await self._rest()
            finally:
                await self._stop()
        log = (self._folder / "log").read_text("utf-8", errors="replace")[-6000:]
        broken = [*self._broken, *([] if rested else ["it did not come to rest"]), *self._laws()]
        return Outcome(broken, self._figures(), log)

    # --- what happens

    async def _live(self) -> None:
        await self._start()
        self._imap.rough = self._smtp.rough = 0.15
        share = max(1, self._customers // (self._kills + 1))
        for number in range(self._customers):
            self._writes(number)
            await asyncio.sleep(self._dice.uniform(0.0, 0.05))
            if number % share == share - 1 and self._deaths < self._kills:
                await self._dies()
                if self._deaths == 2:
                    self._imap.made_anew()
                await self._start()
        self._imap.rough = self._smtp.rough = 0.0

    def _writes(self, number: int) -> None:
        address = f"customer{number}@example.org"
        now = format_datetime(datetime.now(UTC))
        made = letter(QUESTION, number=number, subject="Вопрос", From=f"Клиент <{address}>", Date=now)
        self._said[address] = read_letter(made.as_bytes(), Mailbox(USER)).key
        self._imap.arrives(made.as_bytes(), datetime.now(UTC))

    async def _dies(self) -> None:
        """Once a letter was just asked for, marked or handed over, or at a moment of no meaning."""
        moment, died = self._dice.choice(("UID FETCH", "UID STORE", "DATA", "")), asyncio.Event()

        def kill(what: str) -> None:
            if what == moment and not died.is_set():
                self._kill()
                died.set()

        self._imap.at_moment = self._smtp.at_moment = kill
        try:
            async with asyncio.timeout(self._dice.uniform(0.2, 1.5) if not moment else 4):
                await died.wait()
        except TimeoutError:
            self._kill()
        self._imap.at_moment = self._smtp.at_moment = lambda what: None
        assert self._process is not None
        await self._process.wait()
        self._deaths += 1
        kept = {row["key"] for row in self._rows("select key from inbox")}
        for there in self._imap.letters:
            if there.flags and read_letter(there.content, Mailbox(USER)).key not in kept:
                self._broken.append(f"letter {there.uid} is marked and was not kept")

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _start(self) -> None:
        before = self._imap.commands.count("LOGIN")
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "bot", "run", "--config", str(self._folder / "config.yaml"), "--no-web"),
                cwd=self._folder,
                env={**os.environ, "EMAIL_PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(60):
            while self._imap.commands[-1:] != ["IDLE"] or self._imap.commands.count("LOGIN") == before:
                await asyncio.sleep(0.02)
                if self._imap.rough and self._imap.commands.count("LOGIN") > before:
                    return

    async def _rest(self) -> bool:
        """Whether everything is decided on and delivered in time."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self._waiting():
                    await asyncio.sleep(0.1)
        except TimeoutError:
            return False
        return True

    async def _stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), 20)
            except TimeoutError:
                self._broken.append("it did not end when it was told to")
                self._process.kill()
                await self._process.wait()

    def _write_config(self) -> None:
        servers = {
            "imap_host": "127.0.0.1",
            "imap_port": self._imap.port,
            "imap_security": "none",
            "smtp_host": "127.0.0.1",
            "smtp_port": self._smtp.port,
            "smtp_security": "none",
        }
        mail = {"type": "email", "address": USER, "password": "${EMAIL_PASSWORD}", **servers}
        made = {
            "storage": {"url": "sqlite:///bot.db"},
            "knowledge": {"folder": "kb", "embeddings": {"model": "off"}, "watch": False},
            "channels": {"mail": mail},
            "dialogs": {"settle": 0.1, "settle_limit": 0.5},
        }
        (self._folder / "config.yaml").write_text(yaml.safe_dump(made, allow_unicode=True), "utf-8")

    # --- what must hold

    def _rows(self, query: str) -> Sequence[Row]:
        db = sqlite3.connect(f"{(self._folder / 'bot.db').as_uri()}?mode=ro", uri=True)
        db.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in db.execute(query)]
        finally:
            db.close()

    def _waiting(self) -> bool:
        done = {row["key"] for row in self._rows("select key from inbox where done_at is not null")}
        if not set(self._said.values()) <= done:
            return True
        return bool(self._rows("select 1 from outbox where status in ('pending', 'sending') limit 1"))

    def _laws(self) -> list[str]:
        """Each letter has one recorded outcome; each answer is with its customer once, or its row has a
        doubt.
        """
        inbox = self._rows("select key, result from inbox")
        kept = Counter(row["key"] for row in inbox)
        found = [
            f"the letter of {a} is kept {kept[key]} times" for a, key in self._said.items() if kept[key] != 1
        ]
        found += [f"{row['key']} has no result" for row in inbox if row["result"] is None]
        came = defaultdict[str, Counter[str]](Counter)
        for each in self._smtp.letters:
            came[each["To"].addresses[0].addr_spec][str(each["Message-ID"])] += 1
        rows = {row["message"]: row for row in self._rows("select * from outbox where verb = 'say'")}
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

    def _figures(self) -> dict[str, int]:
        ids = Counter(str(each["Message-ID"]) for each in self._smtp.letters)
        return {
            "kills": self._deaths,
            "letters": len(self._said),
            "answers": len(ids),
            "twice": sum(count - 1 for count in ids.values()),
            "doubts": sum(r["doubts"] for r in self._rows("select doubts from outbox where verb = 'say'")),
            "logins": self._imap.commands.count("LOGIN"),
        }


def main() -> None:
    """The long run; says what broke and ends with 1 where something did."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("kills", 10), ("customers", 40), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="otklik-mail-") as folder:
        run = KilledMailbox(Path(folder), kills=given.kills, customers=given.customers, seed=given.seed)
        told = asyncio.run(run.run())
    print(json.dumps(told.figures, ensure_ascii=False))
    print("\n".join(told.broken) or "nothing is broken")
    if told.broken:
        print(told.log)
        sys.exit(1)


if __name__ == "__main__":
    main()
