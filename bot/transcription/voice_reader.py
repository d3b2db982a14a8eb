"""Lets a conversation rest while somebody listens to its voice messages, and keeps what was heard with them
before anything is decided.

Nothing of it is in a transaction, in a worker of the engine or in a process's memory alone: the turn is given
back and rests until the deadline; whoever dies meanwhile leaves a turn that is taken again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.adapters.base import File, Files
from bot.circuit import Circuit
from bot.clock import Clock
from bot.errors import DeliveryError, StorageError
from bot.handoff.blocklist import Block
from bot.model import Attachment, Inbound, InboundKind, Turn
from bot.observability import get_logger
from bot.storage.base import Store
from bot.text.transcripts import KEPT, PLATFORM, SPOKEN, Transcript, transcript_of, tries_of, with_transcript
from bot.transcription import HeardSpeech, Transcriber, TranscriptionFailed
from bot.transcription.judgement import clean_words, is_sure

TRIES = 2  # the second one after a process that died while it listened
MARGIN = timedelta(
    seconds=5
)  # a turn rests longer than anybody listens, so that what was heard is kept first
HOUR = timedelta(hours=1)
CIRCUIT = "voice:circuit"  # the setting that keeps it


@dataclass(frozen=True, slots=True)
class VoiceLimits:
    """What is listened to: *seconds* and *size* (bytes) of a message at most, so many of one customer
    *an_hour*, *at_once* by this process. A turn waits *deadline* seconds at most. Words count from the
    confidence *least* on, in *languages* only.
    """

    seconds: int = 180
    size: int = 20 * 1024 * 1024
    an_hour: int = 30
    at_once: int = 2
    deadline: float = 25.0
    least: float = 0.5
    languages: frozenset[str] = frozenset({"ru", "en"})


class VoiceReader:
    """*transcriber* None: only what platforms wrote down themselves is used."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        files: Files,
        transcriber: Transcriber | None,
        *,
        limits: VoiceLimits | None = None,
    ) -> None:
        self._store, self._clock, self._files, self._transcriber = store, clock, files, transcriber
        self._limits = limits or VoiceLimits()
        self.heard: Callable[[], None] = lambda: None  # called when a conversation may be decided on
        self._circuit = Circuit(store, CIRCUIT)
        self._is_closing = False
        self._slots = asyncio.Semaphore(self._limits.at_once)
        self._tasks: set[asyncio.Task[None]] = set()
        self._log = get_logger("voice")

    async def take(self, turn: Turn) -> bool:
        """Whether the turn was given back because somebody has to listen first. Raises `StorageError`."""
        wanted = await self._wanted(turn)
        if not wanted:
            return False
        begun = tuple(_placed(i, {_place(a): _begun(a) for a in wanted}) for i in turn.inbounds)
        until = self._clock() + timedelta(seconds=self._limits.deadline) + MARGIN
        await self._store.rest_turn(turn, begun, until)
        task = asyncio.create_task(self._listen(turn.conversation.id, begun))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def settle(self) -> bool:
        """Wait for everybody who listens now; false where nobody does. For tests and the terminal."""
        tasks = tuple(self._tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
        return bool(tasks)

    async def close(self) -> None:
        """Whoever listens stops; their turns are taken again at once, by whoever is there then."""
        self._is_closing = True
        for task in (tasks := tuple(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._transcriber is not None:
            await self._transcriber.close()

    async def _wanted(self, turn: Turn) -> tuple[Attachment, ...]:
        """What nobody has listened to, and somebody should."""
        block = Block.of(turn.customer)
        if turn.pace.flooded or (block is not None and block.lasts(turn.now)):
            return ()
        heard = sum(
            KEPT in a.data
            for line in turn.history
            if line.author == "customer" and turn.now - line.at < HOUR
            for a in line.attachments
        )
        messages = [i for i in turn.inbounds if i.private and i.kind is InboundKind.MESSAGE]
        found = [a for i in messages for a in i.attachments if self._may(a)]
        if any(not _is_written_down(a) for a in found) and (await self._circuit.state()).is_resting(turn.now):
            found = [a for a in found if _is_written_down(a)]
        return tuple(found[: max(0, self._limits.an_hour - heard)])

    def _may(self, attachment: Attachment) -> bool:
        if attachment.media not in SPOKEN or _is_kept(attachment) or tries_of(attachment) >= TRIES:
            return False
        if _is_written_down(attachment):
            return True
        if self._transcriber is None or not attachment.ref:
            return False
        return attachment.duration <= self._limits.seconds and attachment.size <= self._limits.size

    async def _listen(self, conversation: int, inbounds: Sequence[Inbound]) -> None:
        waiting = [a for i in inbounds for a in i.attachments if _is_begun(a)]
        found = {_place(a): with_transcript(a, None, tries=TRIES) for a in waiting}  # nobody understood it
        try:
            async with asyncio.timeout(self._limits.deadline):
                for attachment in waiting:
                    heard = await self._heard(attachment)
                    found[_place(attachment)] = with_transcript(attachment, heard, tries=TRIES)
        except TimeoutError:
            self._log.warning("voice_too_slow")
        except StorageError as error:
            self._log.error("voice_not_heard", error=str(error))
        except asyncio.CancelledError:
            begun = {_place(a): with_transcript(a, None, tries=tries_of(a) - 1) for a in waiting}
            heard_so_far = {place: a for place, a in found.items() if transcript_of(a) is not None}
            await asyncio.shield(self._keep(conversation, inbounds, {**begun, **heard_so_far}))
            raise
        await self._keep(conversation, inbounds, found)

    async def _keep(
        self,
        conversation: int,
        inbounds: Sequence[Inbound],
        found: Mapping[AttachmentPlace, Attachment],
    ) -> None:
        kept = [_placed(i, found) for i in inbounds]
        try:
            await self._store.keep_heard(conversation, kept, self._clock())
        except StorageError as error:  # the turn is taken again once it has rested
            self._log.error("transcript_not_kept", error=str(error))
        self.heard()

    async def _heard(self, attachment: Attachment) -> Transcript | None:
        """None: nobody understood it, and it goes the ordinary way. Raises `StorageError`."""
        if _is_written_down(attachment):
            return self._judged(HeardSpeech(str(attachment.data[PLATFORM])), attachment.channel)
        if self._transcriber is None:
            return None
        async with self._slots:
            try:
                audio = await self._read(attachment)
            except DeliveryError as error:
                self._log.warning("voice_not_read", error=type(error).__name__)
                return None
            before = await self._circuit.admit(now := self._clock(), self._limits.deadline)
            if before.is_resting(now):
                return None
            try:
                heard = await self._transcriber.transcribe(audio, timeout=self._limits.deadline)
            except TranscriptionFailed as error:
                await self._failed(str(error))
                return None
            except asyncio.CancelledError:
                if not self._is_closing:
                    await self._failed("no answer in time")
                raise
            except Exception as error:  # noqa: BLE001 - law: an engine that breaks loses no message
                await self._failed(type(error).__name__)
                return None
        await self._circuit.worked(before)
        return self._judged(heard, self._transcriber.name)

    async def _read(self, attachment: Attachment) -> File:
        """Raises `DeliveryError`."""
        file = await self._files.read(attachment)
        if not file.content or len(file.content) > self._limits.size:
            raise DeliveryError("the file is empty or too large")
        return replace(file, name=file.name or attachment.name, mime=file.mime or attachment.mime)

    def _judged(self, heard: HeardSpeech, by: str) -> Transcript:
        heard = replace(heard, text=clean_words(heard.text))
        sure = is_sure(heard, languages=self._limits.languages, least=self._limits.least)
        return Transcript(heard.text, sure, by)

    async def _failed(self, why: str) -> None:
        self._log.warning("transcription_failed", why=why)
        if await self._circuit.failed(self._clock(), why):
            self._log.error("transcription_given_up", hint="voice messages go the ordinary way for a minute")


AttachmentPlace = tuple[str, str, str]  # by what an attachment of a turn is told from the others


def _place(attachment: Attachment) -> AttachmentPlace:
    return attachment.channel, attachment.ref, attachment.media.value


def _is_written_down(attachment: Attachment) -> bool:
    """By the platform itself."""
    return bool(attachment.data.get(PLATFORM))


def _is_kept(attachment: Attachment) -> bool:
    kept = attachment.data.get(KEPT)
    return isinstance(kept, Mapping) and "text" in kept


def _is_begun(attachment: Attachment) -> bool:
    kept = attachment.data.get(KEPT)
    return isinstance(kept, Mapping) and kept.get("begun") is True


def _begun(attachment: Attachment) -> Attachment:
    tries = tries_of(attachment) + 1
    return replace(attachment, data={**attachment.data, KEPT: {"tries": tries, "begun": True}})


def _placed(inbound: Inbound, changes: Mapping[AttachmentPlace, Attachment]) -> Inbound:
    return replace(inbound, attachments=tuple(changes.get(_place(a), a) for a in inbound.attachments))
