"""A letter in our words: a message of its author, a number that chooses a button, or nobody's words."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.adapters.context import context_of
from bot.adapters.email.imap import FetchedLetter
from bot.adapters.email.message_ids import MessageIds, OwnMessageId
from bot.adapters.email.reading import (
    ORIGINAL,
    Mailbox,
    ReadLetter,
    base_subject,
    read_letter,
)
from bot.adapters.email.records import MailRecords
from bot.adapters.email.settings import EmailSettings
from bot.clock import Clock
from bot.model import Attachment, Inbound, InboundKind, Media, Peer, Sender, Status
from bot.observability import get_logger

IN_DOUBT = "?"  # before the address of somebody of whom the mailbox's server says that they did not write it
HOUR = timedelta(hours=1)
_NUMBER = re.compile(r"\W*(?:вариант|пункт|номер|ответ|option|number|answer)?\W*(\d{1,4})\W*", re.IGNORECASE)
_LABEL = 64  # characters of words that may name a button


@dataclass(frozen=True, slots=True)
class FileAddress:
    """Where a file of a letter lies: the folder's validity, the letter, the part, and the letter's own name
    for when the folder was made anew.
    """

    validity: int
    uid: int
    part: str
    message_id: str = ""

    def __str__(self) -> str:
        return f"{self.validity}.{self.uid}.{self.part} {self.message_id}".strip()


def file_address(ref: str) -> FileAddress | None:
    """What `str` of it gave; None where it is none."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\w+)(?: (<\S+>))?", ref)
    return FileAddress(int(found[1]), int(found[2]), found[3], found[4] or "") if found else None


def chat_of(author: str, *, doubtful: bool) -> str:
    """The chat of an address. A sender in doubt is somebody else: nothing that is known of the owner of the
    address is told to them.
    """
    return f"{IN_DOUBT}{author}" if doubtful else author


def address_of(chat: str) -> str:
    """Where letters to a chat go."""
    return chat.removeprefix(IN_DOUBT)


class LetterReader:
    """Makes inbounds of letters. Nothing that a letter holds makes it raise; it asks *records* where there
    are some.
    """

    def __init__(self, name: str, settings: EmailSettings, ids: MessageIds, clock: Clock) -> None:
        self._name, self._settings, self._ids, self._clock = name, settings, ids, clock
        self._box = Mailbox(settings.address, settings.trusted)
        self.records: MailRecords | None = None
        self._log = get_logger("email").bind(channel=name)

    async def inbounds(
        self, fetched: FetchedLetter, validity: int, *, old: bool = False
    ) -> Sequence[Inbound]:
        """What the letter is to us. Raises `StorageError`."""
        read = await asyncio.to_thread(read_letter, fetched.content, self._box, whole=fetched.whole)
        base = self._base(read, fetched)
        if read.automatic or old:
            return [self._back(read, base) or _nobody(base, read.automatic or "old")]
        if await self._is_too_much(base):
            self._log.warning("too_many_letters")
            return [_nobody(base, "too_many")]
        own = self._ids.read(read.answers, read.author)
        if own is not None and (chosen := await self._chosen(own, read)):
            return [replace(base, kind=InboundKind.PRESS, text="", press=chosen, callback=base.key)]
        files = self._files(read, fetched, validity)
        before = await self._newest(base) if read.subject else None
        base = replace(base, attachments=files, context=self._context(read, before))
        return [self._in_thread(read, base, before)]

    def _base(self, read: ReadLetter, fetched: FetchedLetter) -> Inbound:
        now = self._clock()
        at = fetched.at if datetime(2000, 1, 1, tzinfo=UTC) < fetched.at < now else now
        first, _, last = read.name.partition(" ")
        return Inbound(
            read.key or hashlib.sha256(fetched.content).hexdigest()[:32],
            Peer(self._name, chat_of(read.author or "nobody@invalid", doubtful=read.doubtful)),
            Sender(read.author or "nobody@invalid", first, last, username=read.author),
            at,
            text=read.text,
            message=read.key,
            data={
                "message_id": read.message_id,
                "references": list(read.references),
                "subject": read.subject,
            },
        )

    async def _is_too_much(self, base: Inbound) -> bool:
        """The last guard against a machine that answers us; words to a person who has the ticket are none."""
        if self.records is None:
            return False
        name = hashlib.sha256(f"{base.peer.channel}:{base.peer.chat}".encode()).hexdigest()[:24]
        if await self.records.hit(f"letters:{name}", self._clock(), HOUR) <= self._settings.per_hour:
            return False
        conversation = await self.records.conversation(base.peer)
        return conversation is None or conversation.status is Status.BOT

    async def _chosen(self, own: OwnMessageId, read: ReadLetter) -> str:
        """The token of the button that the words choose below our letter; "" where they are words."""
        if not own.choices or read.files or len(read.text) > _LABEL:
            return ""
        if (number := _NUMBER.fullmatch(read.text)) is not None:
            return own.token(int(number[1]))
        if self.records is None or not read.text:
            return ""
        rows = await self.records.deliveries(after=own.row - 1, limit=1)
        if not rows or rows[0].id != own.row:
            return ""
        labels = [b.label for row in rows[0].outbound.buttons for b in row if b.action]
        said = _bare(read.text)
        places = [n for n, label in enumerate(labels) if _bare(label) == said]
        return own.choices[places[0]][1] if len(places) == 1 and len(labels) == len(own.choices) else ""

    def _files(self, read: ReadLetter, fetched: FetchedLetter, validity: int) -> tuple[Attachment, ...]:
        """The letter's files; the letter itself where nothing else of it can be shown."""

        def lies(part: str) -> str:
            return str(FileAddress(validity, fetched.uid, part, read.message_id))

        files = tuple(replace(f, ref=lies(f.ref), channel=self._name) for f in read.files)
        shown = bool(read.text or files or read.forwarded)
        if read.problem != "unreadable" and (shown or not fetched.whole):
            return files
        whole = Attachment(
            Media.DOCUMENT,
            lies(ORIGINAL),
            self._name,
            name="letter.eml",
            mime="message/rfc822",
            size=len(fetched.content),
        )
        return (*files, whole)

    def _context(self, read: ReadLetter, before: Inbound | None) -> tuple[Attachment, ...]:
        """What operators see above the words: doubts, somebody else's words, and another subject."""
        found = []
        if read.doubtful:
            found.append(context_of("unverified", self._name, who=read.author))
        if read.problem:
            found.append(context_of(read.problem, self._name))
        if read.forwarded:
            found.append(context_of("forward", self._name, who=read.forwarded_by, text=read.forwarded))
        known = self.records is not None and not read.begins and bool(read.subject)
        if known and not _is_about(before, read.subject):
            found.append(context_of("letter", self._name, text=base_subject(read.subject)))
        return tuple(found)

    async def _newest(self, base: Inbound) -> Inbound | None:
        """The letter of the same author that was decided on last."""
        if self.records is None or (talk := await self.records.conversation(base.peer)) is None:
            return None
        return await self.records.newest_message(talk.id)

    def _in_thread(self, read: ReadLetter, base: Inbound, before: Inbound | None) -> Inbound:
        """A letter that names none, as some programs answer, goes on with the one of the same subject."""
        if read.references or before is None or read.begins or not _is_about(before, read.subject):
            return base
        known = before.data.get("references")
        references = [*(known if isinstance(known, list | tuple) else ()), before.data.get("message_id")]
        return replace(base, data={**base.data, "references": [str(r) for r in references if r]})

    def _back(self, read: ReadLetter, base: Inbound) -> Inbound | None:
        """A letter of ours that did not arrive, as its addressee's: only where it names one of ours."""
        if read.bounce is None or not read.bounce.final:
            return None
        for recipient in read.bounce.recipients:
            if (own := self._ids.read(read.bounce.letters, recipient)) is not None:
                data = {"bounced": read.bounce.reason or "550", "delivery": own.row}
                peer = Peer(self._name, recipient)
                return replace(
                    base, peer=peer, sender=Sender(recipient), kind=InboundKind.BLOCKED, text="", data=data
                )
        return None


def _nobody(base: Inbound, why: str) -> Inbound:
    return replace(base, kind=InboundKind.OTHER, text=base.text[:500], data={**base.data, "automatic": why})


def _is_about(letter: Inbound | None, subject: str) -> bool:
    """Whether *letter* has the same subject."""
    return letter is not None and base_subject(str(letter.data.get("subject", ""))) == base_subject(subject)


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold().replace("ё", "е")).split())
