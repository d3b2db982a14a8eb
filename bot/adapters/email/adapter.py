"""The e-mail channel: letters of a mailbox in our words, our deliveries as letters."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from bot.adapters.base import Accept, ChatInfo, File, Files, Health, Limits
from bot.adapters.email.check import check_mailbox
from bot.adapters.email.imap import ImapConnection, ImapSilence
from bot.adapters.email.inbounds import LetterReader, address_of, file_address
from bot.adapters.email.intake import MailIntake
from bot.adapters.email.letter_writer import LetterWriter
from bot.adapters.email.message_ids import MessageIds
from bot.adapters.email.reading import part_of
from bot.adapters.email.records import MailRecords
from bot.adapters.email.settings import EmailSettings
from bot.adapters.email.smtp import SmtpSender
from bot.adapters.groupless_adapter import GrouplessAdapter
from bot.clock import Clock
from bot.config.email_channel import EmailChannel
from bot.errors import AccountError, PeerGone, Problem, Refused, RetryLater
from bot.i18n.texts import Texts
from bot.model import Attachment, Outbound, OutboundKind, Priority, Sent

LIMITS = Limits(
    text=60_000,
    caption=60_000,
    attachments=30,
    label=200,
    buttons=60,
    row=20,
    notice=1000,
    edits=False,
    joins=True,
    threaded=True,
    per_second=2.0,
    peer_per_second=0.5,
    peer_burst=5,
    group_per_minute=0.0,
)
_NOTHING = frozenset({OutboundKind.REACT, OutboundKind.PIN, OutboundKind.DELETE})
_READ_AGAIN = 20_000_000  # bytes of letters whose files were just read


class EmailAdapter(GrouplessAdapter):
    """One mailbox. A letter cannot be changed once it is sent: an edit is another letter."""

    kind = "email"
    platform_name = "E-mail"

    def __init__(self, name: str, settings: EmailSettings, *, clock: Clock | None = None) -> None:
        self.name, self.limits = name, LIMITS
        self.health = Health(polls=True)
        self._settings, self._clock = settings, clock or Clock()
        ids = MessageIds(f"{name}:{settings.salt}", settings.address.rpartition("@")[2])
        self._reader = LetterReader(name, settings, ids, self._clock)
        self._writer = LetterWriter(name, settings, ids)
        self._sender = SmtpSender(settings.smtp, timeout=min(30.0, settings.timeout))
        self._letters: OrderedDict[str, bytes] = OrderedDict()  # whose files were just read

    @classmethod
    def configured(cls, name: str, keys: Mapping[str, Any], clock: Clock) -> EmailAdapter:
        """See `ConfiguredAdapter`."""
        more = {key: keys[key] for key in ("business", "language", "salt") if key in keys}
        channel = EmailChannel(type="email", **{k: v for k, v in keys.items() if k not in more})
        settings = EmailSettings(
            address=channel.address,
            imap=channel.imap,
            smtp=channel.smtp,
            name=channel.name,
            folder=channel.folder,
            signature=channel.signature,
            trusted=channel.believed,
            mark_read=channel.mark_read,
            max_bytes=channel.max_mb * 1_000_000,
            per_hour=channel.per_hour,
            **more,
        )
        return cls(name, settings, clock=clock)

    def know(self, records: MailRecords, texts: Texts) -> None:
        """The store, and the words of this bot; without them each letter begins a thread."""
        self._reader.records = self._writer.records = records
        self._writer.texts = texts

    # --- taking in

    async def run(self, accept: Accept, *, cursor: str | None) -> None:
        intake = MailIntake(self._settings, self._reader, self.health, self._clock, name=self.name)
        try:
            await intake.run(accept, cursor)
        except AccountError as error:
            self.health.last_error = f"{error} → {error.hint}" if error.hint else str(error)
            raise
        finally:
            self.health.state = "stopped"

    # --- sending

    async def send(self, outbound: Outbound, *, nonce: int, target: str, files: Files) -> Sent:
        """See `Adapter.send`; the id of a message is the letter's Message-ID."""
        kind, cosmetic = outbound.kind, outbound.priority is Priority.COSMETIC
        if kind in _NOTHING or (kind is OutboundKind.EDIT and cosmetic):
            return Sent(target)
        if kind is OutboundKind.ACKNOWLEDGE and not outbound.text:
            return Sent()
        if kind not in (OutboundKind.SAY, OutboundKind.EDIT, OutboundKind.ACKNOWLEDGE):
            raise Refused("a mailbox has no topics")
        to = address_of(outbound.to.chat)
        letter = await self._writer.letter(outbound, nonce=nonce, files=files)
        try:
            message = letter.message(self._clock())
        except (ValueError, UnicodeError):
            raise PeerGone(f"no address: {type(to).__name__}") from None
        await self._sender.send(message, sender=self._settings.address, to=to)
        return Sent(letter.message_id)

    async def read(self, attachment: Attachment) -> File:
        """A file of a letter, from the mailbox."""
        if (place := file_address(attachment.ref)) is None:
            raise Refused("no such file", code="file_gone")
        key = f"{place.validity}.{place.uid}"
        raw = self._letters.get(key)
        if raw is None:
            raw = await self._fetched(place.validity, place.uid, place.message_id)
            self._letters[key] = raw
            while len(self._letters) > 1 and sum(map(len, self._letters.values())) > _READ_AGAIN:
                self._letters.popitem(last=False)
        try:
            content, name, mime = part_of(raw, place.part)
        except LookupError:
            raise Refused("the letter has no such file", code="file_gone") from None
        return File(content, attachment.name or name, attachment.mime or mime)

    async def _fetched(self, validity: int, uid: int, message_id: str) -> bytes:
        line = ImapConnection(self._settings.imap, timeout=self._settings.timeout)
        try:
            folder = await line.open(self._settings.folder)
            uids = [uid] if folder.validity == validity else []
            for each in uids or (await line.named(message_id) if message_id else []):
                fetched = await line.fetch(each, most=self._settings.max_bytes)
                if fetched is not None and fetched.whole:
                    return fetched.content
            raise Refused("the letter is not in the folder any more", code="file_gone")
        except (ImapSilence, AccountError) as error:
            raise RetryLater(str(error), after=5.0) from None
        finally:
            line.close()

    # --- the rest

    async def chat_info(self, chat: str) -> ChatInfo:
        return ChatInfo(chat, address_of(chat))

    async def check(self) -> tuple[Problem, ...]:
        return await check_mailbox(self._settings)

    async def close(self) -> None:
        self._letters.clear()
