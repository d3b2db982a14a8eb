"""A mailbox as our inbox hears it: letter after letter, each kept before the next one is looked at."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.adapters.base import Accept, Health
from bot.adapters.email.imap import FetchedLetter, ImapConnection, ImapSilence
from bot.adapters.email.inbounds import LetterReader
from bot.adapters.email.reading import written_at
from bot.adapters.email.settings import EmailSettings
from bot.clock import Clock
from bot.errors import StorageError
from bot.model import Inbound
from bot.observability import get_logger

IDLE = 90.0  # seconds that the server may be silent before it is asked anew
PAUSES = (0.5, 60.0)  # seconds between two tries to connect: the first, the longest
TRIES = 3  # to fetch a letter whole, before its head alone is taken
BEFORE = timedelta(
    days=2
)  # a folder that was made anew is looked through from so long before the last letter
_CURSOR = re.compile(r"(\d+):(\d+):(\d+):(\d+)")


@dataclass(frozen=True, slots=True)
class MailCursor:
    """How far a folder was read: *validity* and *uid* of the last letter, when the server took it, and when
    the mailbox was first looked into.
    """

    validity: int
    uid: int
    at: datetime
    begun: datetime

    def __str__(self) -> str:
        return f"{self.validity}:{self.uid}:{int(self.at.timestamp())}:{int(self.begun.timestamp())}"


def read_cursor(text: str | None) -> MailCursor | None:
    """What `accept` was last given; None where it was given nothing."""
    found = _CURSOR.fullmatch(text or "")
    if found is None:
        return None
    at, begun = (datetime.fromtimestamp(int(found[n]), UTC) for n in (3, 4))
    return MailCursor(int(found[1]), int(found[2]), at, begun)


class MailIntake:
    """Reads one folder. Letters that were there before the first start are nobody's questions any more."""

    def __init__(
        self, settings: EmailSettings, reader: LetterReader, health: Health, clock: Clock, *, name: str
    ) -> None:
        self._settings, self._reader, self._health, self._clock = settings, reader, health, clock
        self._at: MailCursor | None = None  # what the inbox was last given
        self._failures = 0
        self._tries: dict[tuple[int, int], int] = {}  # of this process: a new one simply tries again
        self._log = get_logger("email").bind(channel=name)

    async def run(self, accept: Accept, cursor: str | None) -> None:
        """Until cancelled, through every outage. Raises `AccountError` where the login is refused."""
        self._at = read_cursor(cursor)
        while True:
            line = ImapConnection(self._settings.imap, timeout=self._settings.timeout)
            try:
                at = await self._resumed(line, accept)
                await self._hear(line, accept, at)
            except (ImapSilence, StorageError) as error:
                self._failures += 1
                self._health.state, self._health.last_error = "failing", str(error)
                self._log.warning("mailbox_failed", error=str(error), failures=self._failures)
            finally:
                line.close()
            pause = min(PAUSES[1], PAUSES[0] * 2 ** min(self._failures - 1, 10))
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))

    async def _resumed(self, line: ImapConnection, accept: Accept) -> MailCursor:
        """The folder opened, and where to read on in it."""
        folder, at = await line.open(self._settings.folder), self._at
        now = self._clock()
        if at is None:
            at = MailCursor(folder.validity, max(0, folder.next_uid - 1), now, now)
            await self._moved(accept, (), at)
        elif at.validity != folder.validity:
            self._log.warning("folder_made_anew", validity=folder.validity)
            at = await self._read_again(line, accept, at, folder.validity)
        return at

    async def _read_again(
        self, line: ImapConnection, accept: Accept, at: MailCursor, validity: int
    ) -> MailCursor:
        """Another folder of the same name: what came lately is looked through. The inbox knows by their keys
        the letters that it has; those from before the first start stay what they were.
        """
        since = max(at.begun, at.at - BEFORE)
        found = replace(at, validity=validity, uid=0)
        last = max(await line.newer(0), default=0)  # before the look: what comes during it is heard as usual
        for uid in await line.since(since - timedelta(days=1)):
            fetched = await self._fetched(line, validity, uid)
            if fetched is None or fetched.at < since:
                continue
            written = written_at(fetched.content)
            old = written is not None and written < since - BEFORE  # copied there with a time of today
            found = await self._keep(line, accept, found, fetched, old=old)
        found = replace(found, uid=max(found.uid, last))
        await self._moved(accept, (), found)
        return found

    async def _hear(self, line: ImapConnection, accept: Accept, at: MailCursor) -> None:
        """Letter after letter, until the line breaks."""
        waits = await line.can_idle()
        while True:
            while uids := await line.newer(at.uid):
                for uid in uids:
                    fetched = await self._fetched(line, at.validity, uid)
                    if fetched is None:  # moved or deleted meanwhile: nothing to be kept
                        at = replace(at, uid=uid)
                    else:
                        at = await self._keep(line, accept, at, fetched)
            self._failures = 0
            self._health.state, self._health.last_error = "working", ""
            self._health.last_poll = self._clock()
            if waits:
                await line.wait(IDLE)
            else:
                await asyncio.sleep(self._settings.poll_seconds)

    async def _fetched(self, line: ImapConnection, validity: int, uid: int) -> FetchedLetter | None:
        """The letter; after some failures its head alone, so that one letter never keeps the others back."""
        tried = self._tries.get((validity, uid), 0)
        self._tries[validity, uid] = tried + 1
        if tried >= 2 * TRIES:
            self._log.error("letter_not_given", uid=uid)
            return FetchedLetter(uid, f"uid {validity}.{uid}".encode(), self._clock(), False)
        fetched = await line.fetch(uid, most=self._settings.max_bytes, head=tried >= TRIES)
        self._tries.pop((validity, uid), None)
        return fetched

    async def _keep(
        self,
        line: ImapConnection,
        accept: Accept,
        at: MailCursor,
        fetched: FetchedLetter,
        *,
        old: bool = False,
    ) -> MailCursor:
        """The letter in the inbox, the cursor behind it in the same transaction; only then is it marked.

        An *old* one is recorded, and nobody waits for an answer to it any more.
        """
        moved = replace(at, uid=max(at.uid, fetched.uid), at=max(at.at, fetched.at))
        inbounds: Sequence[Inbound] = await self._reader.inbounds(fetched, at.validity, old=old)
        await self._moved(accept, inbounds, moved)
        if self._settings.mark_read:
            await line.mark_read(fetched.uid)
        return moved

    async def _moved(self, accept: Accept, inbounds: Sequence[Inbound], at: MailCursor) -> None:
        await accept(inbounds, cursor=str(at))
        self._at = at
