"""What is sent, as a letter: in the thread that is answered, with a greeting, choices as numbers, files."""

from __future__ import annotations

from dataclasses import dataclass

from bot.adapters.base import File, Files
from bot.adapters.email.inbounds import address_of
from bot.adapters.email.letter import Letter
from bot.adapters.email.message_ids import MessageIds, numbers
from bot.adapters.email.reading import base_subject
from bot.adapters.email.records import MailRecords
from bot.adapters.email.settings import EmailSettings
from bot.adapters.rich_text import placeholder
from bot.errors import Refused
from bot.i18n.texts import Texts
from bot.model import Attachment, Customer, Inbound, Media, Outbound, Peer, RichText, Rows, Span, Style
from bot.text.person_names import call_name

FILE_BYTES = 18_000_000  # of all files of one letter: base64 makes a third more, and most take 25 MB
_IN_WORDS = frozenset({Media.STICKER, Media.LOCATION, Media.CONTACT, Media.OTHER})


@dataclass(frozen=True, slots=True)
class LetterThread:
    """The letter that is answered (none: a letter of ours begins the thread), and whom it is answered."""

    answered: Inbound | None = None
    customer: Customer | None = None

    def told(self, name: str) -> str:
        return str(self.answered.data.get(name) or "") if self.answered else ""

    @property
    def references(self) -> tuple[str, ...]:
        """The first letter of the thread and the newest ones, as RFC 5322 counts them."""
        given = self.answered.data.get("references") if self.answered else ()
        known = [str(r) for r in given] if isinstance(given, list | tuple) else []
        own = self.told("message_id")
        found = list(dict.fromkeys([*known, own] if own else known))
        return tuple(found if len(found) <= 20 else [found[0], *found[-19:]])


class LetterWriter:
    """Makes the letter of a delivery: the same delivery is the same letter."""

    def __init__(self, name: str, settings: EmailSettings, ids: MessageIds) -> None:
        self._name, self._settings, self._ids = name, settings, ids
        self.records: MailRecords | None = None
        self.texts = Texts.load(settings.language, facts={"business": settings.business})

    async def letter(self, outbound: Outbound, *, nonce: int, files: Files) -> Letter:
        """Raises `Refused` where an operator's file cannot go, and whatever *files* raise for now."""
        to = address_of(outbound.to.chat)
        thread = await self.thread(outbound)
        language = thread.customer.language if thread.customer else self._settings.language
        carried, notes = await self._files(outbound, files)
        text = self._greeted(outbound, thread, language)
        for note in notes:
            text = text + "\n" + note if text else note
        text = text + self._choices(outbound.buttons, language)
        if not text.text.strip() and not carried:
            raise Refused("there is nothing to say")
        answered = thread.told("message_id")
        references = thread.references
        return Letter(
            sender=self._settings.address,
            sender_name=self._sender_name(outbound),
            to=to,
            subject=self._subject(thread, language),
            text=text,
            signature=self._signature(outbound, language),
            files=carried,
            message_id=self._ids.of_row(nonce, outbound.buttons, to),
            in_reply_to=answered,
            references=references or (self._ids.root(to),),
            automatic=outbound.author != "operator",
        )

    async def thread(self, outbound: Outbound) -> LetterThread:
        """The letter that is named as answered, else the newest of its author."""
        if self.records is None:
            return LetterThread()
        peer = Peer(self._name, outbound.to.chat)
        conversation = await self.records.conversation(peer)
        customer = None
        if conversation is not None and conversation.customer is not None:
            customer = await self.records.customer(conversation.customer)
        found = await self.records.find_inbound(self._name, outbound.quotes) if outbound.quotes else None
        if (found is None or found.peer.chat != peer.chat) and conversation is not None:
            found = await self.records.newest_message(conversation.id)
        return LetterThread(found if found is not None and found.peer.chat == peer.chat else None, customer)

    def _sender_name(self, outbound: Outbound) -> str:
        own = self._settings.name or self._settings.business
        if outbound.author == "operator" and outbound.author_name:
            return f"{outbound.author_name} · {own}" if own else outbound.author_name
        return own

    def _subject(self, thread: LetterThread, language: str) -> str:
        if thread.answered is not None and (subject := base_subject(thread.told("subject"))):
            return f"Re: {subject}"
        return self.texts.text("letter.subject", lang=language)

    def _signature(self, outbound: Outbound, language: str) -> str:
        if self._settings.signature is not None:
            return self._settings.signature
        name = outbound.author_name if outbound.author == "operator" else ""
        return self.texts.text("letter.signature", lang=language, operator=name)

    def _greeted(self, outbound: Outbound, thread: LetterThread, language: str) -> RichText:
        words = outbound.heading + "\n" + outbound.text if outbound.heading else outbound.text
        if not words or self._greets(words.text, language):
            return words
        who = thread.customer or Customer(0, language=language)
        if (name := call_name(who)) and words.text.startswith(f"{name},"):
            who = Customer(0, language=language)  # the words call them by name themselves
        return self.texts.say("letter.greeting", lang=language, customer=who) + "\n\n" + words

    def _greets(self, text: str, language: str) -> bool:
        begin = text.lstrip("👋 ").casefold()
        return any(begin.startswith(word) for word in self.texts.options("letter.greets"))

    def _choices(self, rows: Rows, language: str) -> RichText:
        """The buttons as lines: what has a number is answered by it or by its words."""
        buttons = [b for row in rows for b in row]
        if not buttons:
            return RichText()
        shown = RichText()
        bare = [b.label for b, n in zip(buttons, numbers(rows), strict=True) if b.action and not n]
        for button, number in zip(buttons, numbers(rows), strict=True):
            if number:
                said = button.label.removeprefix(f"{number}. ")  # the label may have it already
                shown = shown + f"\n{number}. {said}"
            elif not button.action:
                line = f"{button.label}: {button.url}"
                at = len(button.label) + 2
                shown = shown + "\n" + RichText(line, (Span(Style.LINK, at, len(button.url), button.url),))
        if bare:
            shown = shown + "\n" + ", ".join(bare)
        asked = any(b.action for b in buttons)
        head = self.texts.text("letter.numbers" if bare else "letter.choose", lang=language) if asked else ""
        return RichText(f"\n\n{head}" if head else "\n") + shown

    async def _files(self, outbound: Outbound, files: Files) -> tuple[tuple[File, ...], tuple[RichText, ...]]:
        """The files that go with it, and words for what cannot."""
        carried, notes, size = list[File](), list[RichText](), 0
        for attachment in outbound.attachments:
            if attachment.media in _IN_WORDS:
                notes.append(placeholder(attachment))
                continue
            try:
                file = await files.read(attachment)
                size += len(file.content)
                if size > FILE_BYTES:
                    raise Refused("the files are too big for a letter", code="file_large")
            except Refused as error:
                if outbound.author == "operator":  # an operator must hear that their file did not pass
                    raise Refused(
                        f"{attachment.name or attachment.media}: {error}", code=error.code
                    ) from None
                notes.append(placeholder(attachment))
                continue
            carried.append(_named(file, attachment))
            if caption := str(attachment.data.get("caption") or "").strip():
                notes.append(RichText(caption))
        return tuple(carried), tuple(notes)


def _named(file: File, attachment: Attachment) -> File:
    return File(
        file.content, attachment.name or file.name or attachment.media.value, attachment.mime or file.mime
    )
