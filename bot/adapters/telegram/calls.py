"""Our deliveries in Telegram's words: which single call carries one out, and in which other forms it may
pass.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiogram.methods import (
    AnswerCallbackQuery,
    CloseForumTopic,
    CreateForumTopic,
    DeleteBusinessMessages,
    DeleteForumTopic,
    DeleteMessage,
    DeleteMessages,
    EditForumTopic,
    EditMessageCaption,
    EditMessageReplyMarkup,
    EditMessageText,
    PinChatMessage,
    ReopenForumTopic,
    SendAnimation,
    SendAudio,
    SendContact,
    SendDocument,
    SendLocation,
    SendMediaGroup,
    SendMessage,
    SendPhoto,
    SendRichMessage,
    SendSticker,
    SendVenue,
    SendVideo,
    SendVideoNote,
    SendVoice,
    SetMessageReaction,
    TelegramMethod,
)
from aiogram.types import (
    BufferedInputFile,
    EphemeralMessageParameters,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    ReactionTypeEmoji,
    ReactionTypeUnion,
    ReplyParameters,
)

from bot.adapters.base import File, Files, Limits, UploadedFiles
from bot.adapters.rich_text import fit, part, placeholder, to_entities, utf16_length, with_heading
from bot.adapters.sanitize import clean_file_name, clean_rich
from bot.adapters.telegram.business import connection_in, number_in
from bot.button_tokens import token
from bot.errors import AccountError, DeliveryError, Refused, RetryLater, Uncertain
from bot.model import Attachment, Media, Outbound, OutboundKind, Peer, RichText, Rows

Method = TelegramMethod[Any]

TOPIC_NAME = 128
MAX_UPLOAD = 50 * 1024 * 1024
MAX_PHOTO = 10 * 1024 * 1024
MAX_LABEL = 64

_SENDERS: dict[Media, tuple[type[Method], str]] = {
    Media.PHOTO: (SendPhoto, "photo"),
    Media.DOCUMENT: (SendDocument, "document"),
    Media.VOICE: (SendVoice, "voice"),
    Media.VIDEO: (SendVideo, "video"),
    Media.VIDEO_NOTE: (SendVideoNote, "video_note"),
    Media.AUDIO: (SendAudio, "audio"),
    Media.ANIMATION: (SendAnimation, "animation"),
    Media.STICKER: (SendSticker, "sticker"),
}
_ALBUM: dict[Media, type[Any]] = {
    Media.PHOTO: InputMediaPhoto,
    Media.VIDEO: InputMediaVideo,
    Media.DOCUMENT: InputMediaDocument,
    Media.AUDIO: InputMediaAudio,
}
_MIXES = (frozenset({Media.PHOTO, Media.VIDEO}), frozenset({Media.DOCUMENT}), frozenset({Media.AUDIO}))
_TIMED = frozenset({Media.VOICE, Media.VIDEO, Media.VIDEO_NOTE, Media.AUDIO, Media.ANIMATION})
_SUFFIXES = {
    Media.PHOTO: ".jpg",
    Media.VOICE: ".ogg",
    Media.VIDEO: ".mp4",
    Media.VIDEO_NOTE: ".mp4",
    Media.AUDIO: ".mp3",
    Media.ANIMATION: ".mp4",
}
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """An attachment that travels: as what, and its content or Telegram's own id of it; `reused` is an id that
    an earlier upload gave, `read` what was read to be uploaded now.
    """

    media: Media
    file: BufferedInputFile | str
    duration: int = 0
    caption: str = ""
    reused: bool = False
    read: File | None = None

    @property
    def is_photo_too_big(self) -> bool:
        return (
            self.media is Media.PHOTO
            and isinstance(self.file, BufferedInputFile)
            and len(self.file.data) > MAX_PHOTO
        )


@dataclass(frozen=True, slots=True)
class MessageForm:
    """One way to say a message: the call, and the files that it carries, in order. `choice`: nicer than need
    be, so that whatever is refused of it is said the ordinary way.
    """

    call: Method
    carried: tuple[CarriedFile, ...] = ()
    choice: bool = False

    @property
    def reuses(self) -> bool:
        return any(c.reused for c in self.carried)


# --- words and buttons
# -------------------------------------------------------------------------------------------------


def shown_text(outbound: Outbound) -> RichText:
    """The words of a delivery: below its heading where the peer has no thread of its own."""
    text = outbound.text if outbound.to.thread else with_heading(outbound.heading, outbound.text)
    return clean_rich(text)


def keyboard(rows: Rows, nonce: int) -> InlineKeyboardMarkup | None:
    """The buttons below a message; None where there are none (an edited message loses its old ones)."""
    lines = []
    for y, row in enumerate(rows):
        line = []
        for x, button in enumerate(row):
            label = fit(button.label, MAX_LABEL)
            aim: dict[str, Any] = {"url": button.url} if button.url else {"callback_data": token(nonce, y, x)}
            line.append(InlineKeyboardButton(text=label, style=button.style or None, **aim))
        if line:
            lines.append(line)
    return InlineKeyboardMarkup(inline_keyboard=lines) if lines else None


def chat_id(peer: Peer) -> int | str:
    return int(peer.chat) if peer.chat.removeprefix("-").isdigit() else peer.chat


def message_id(name: str, what: str) -> int:
    text = number_in(name)
    if not text.isdigit():
        raise Refused(f"no message to {what}")
    return int(text)


def _thread_id(peer: Peer) -> int | None:
    if not peer.thread or connection_in(peer):
        return None
    if not peer.thread.isdigit():
        raise Refused(f"{peer.thread} is no thread of Telegram")
    return int(peer.thread)


def _words(rich: RichText, limit: int, what: str) -> dict[str, Any]:
    """`text` or `caption` with its entities, as arguments."""
    if utf16_length(rich.text) > limit:
        raise Refused(
            f"the {what} is longer than {limit}: it must be split before it is enqueued", code="too_long"
        )
    prefix = "caption_" if what == "caption" else ""
    return {what: rich.text, f"{prefix}entities": to_entities(rich) or None} if rich.text else {}


def _address(outbound: Outbound) -> dict[str, Any]:
    """What every sending call carries."""
    address: dict[str, Any] = {"chat_id": chat_id(outbound.to), "message_thread_id": _thread_id(outbound.to)}
    if connection := connection_in(outbound.to):
        address["business_connection_id"] = connection
    if outbound.silent:
        address["disable_notification"] = True
    if (quoted := number_in(outbound.quotes)).isdigit():
        address["reply_parameters"] = ReplyParameters(
            message_id=int(quoted), allow_sending_without_reply=True
        )
    return address


# --- everything but SAY
# ------------------------------------------------------------------------------------------------


def to_call(outbound: Outbound, *, nonce: int, target: str) -> Method:
    """The call of any delivery but SAY. Raises `Refused` where something it needs is missing."""
    chat = chat_id(outbound.to)
    match outbound.kind:
        case OutboundKind.EDIT:
            return _edit(outbound, nonce, target, caption=bool(outbound.attachments))
        case OutboundKind.ACKNOWLEDGE:
            notice = fit(clean_rich(outbound.text).text, Limits().notice)
            return AnswerCallbackQuery(callback_query_id=outbound.quotes, text=notice or None)
        case OutboundKind.REACT if connection_in(outbound.to):
            raise Refused("a bot does not react in the name of an account")
        case OutboundKind.REACT:
            emoji = outbound.text.text.strip().replace("\ufe0f", "")
            reaction: list[ReactionTypeUnion] = [ReactionTypeEmoji(emoji=emoji)] if emoji else []
            return SetMessageReaction(
                chat_id=chat, message_id=message_id(outbound.quotes, "react to"), reaction=reaction
            )
        case OutboundKind.OPEN_TOPIC:
            return CreateForumTopic(chat_id=chat, name=_topic_name(outbound.text))
        case OutboundKind.RENAME_TOPIC:
            return EditForumTopic(
                chat_id=chat, message_thread_id=_topic(outbound.to), name=_topic_name(outbound.text)
            )
        case OutboundKind.CLOSE_TOPIC:
            return CloseForumTopic(chat_id=chat, message_thread_id=_topic(outbound.to))
        case OutboundKind.REOPEN_TOPIC:
            return ReopenForumTopic(chat_id=chat, message_thread_id=_topic(outbound.to))
        case OutboundKind.DELETE_TOPIC:
            return DeleteForumTopic(chat_id=chat, message_thread_id=_topic(outbound.to))
        case OutboundKind.PIN:
            return PinChatMessage(
                chat_id=chat,
                message_id=message_id(target, "pin"),
                disable_notification=True,
                business_connection_id=connection_in(outbound.to) or None,
            )
        case OutboundKind.DELETE:
            first, *others = [message_id(each, "delete") for each in target.split() or [""]]
            if connection := connection_in(outbound.to):
                return DeleteBusinessMessages(business_connection_id=connection, message_ids=[first, *others])
            if others:
                return DeleteMessages(chat_id=chat, message_ids=[first, *others])
            return DeleteMessage(chat_id=chat, message_id=first)
    raise Refused(f"Telegram has no call for {outbound.kind}")


def to_caption_call(outbound: Outbound, *, nonce: int, target: str) -> Method:
    """The same edit for a message that turned out to have a caption and no text."""
    return _edit(outbound, nonce, target, caption=True)


def _edit(outbound: Outbound, nonce: int, target: str, *, caption: bool) -> Method:
    text, markup = shown_text(outbound), keyboard(outbound.buttons, nonce)
    where: dict[str, Any] = {
        "chat_id": chat_id(outbound.to),
        "message_id": message_id(target, "edit"),
        "reply_markup": markup,
        "business_connection_id": connection_in(outbound.to) or None,
    }
    if not text.text:
        return EditMessageReplyMarkup(**where)
    if caption:
        return EditMessageCaption(**where, **_words(text, Limits().caption, "caption"))
    return EditMessageText(**where, **_words(text, Limits().text, "text"), link_preview_options=_NO_PREVIEW)


def _topic(peer: Peer) -> int:
    if (thread := _thread_id(peer)) is None:
        raise Refused("no topic is named")
    return thread


def _with_tables(text: RichText) -> Any | None:
    from bot.adapters.telegram.rich_tables import rich_message  # only where they are wanted

    return rich_message(text)


def _topic_name(text: RichText) -> str:
    return fit(" ".join(clean_rich(text).text.split()), TOPIC_NAME)


# --- SAY
# ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DisplayOptions:
    """What only newer clients show, where the owner wants it: tables as tables, words for one member of a
    group alone.
    """

    tables: bool = False
    private_hints: bool = False


async def to_forms(
    outbound: Outbound, *, nonce: int, channel: str, files: Files, extras: DisplayOptions = DisplayOptions()
) -> AsyncGenerator[MessageForm]:
    """The message in the form we like best, then those to try where Telegram does not take the files:
    uploaded anew, as documents, as words.

    Each next form is asked for only when the one before was certainly not sent. Never nothing: what cannot
    travel at all is shown as a placeholder.
    """
    text, parts = shown_text(outbound), outbound.attachments
    if len(parts) > Limits().attachments:
        raise Refused(
            f"more than {Limits().attachments} attachments: they must be split before they are enqueued"
        )
    if not parts:
        if extras.tables and (rich := _with_tables(text)) is not None:
            markup = keyboard(outbound.buttons, nonce)
            call = SendRichMessage(**_address(outbound), rich_message=rich, reply_markup=markup)
            yield MessageForm(call, choice=True)
        if extras.private_hints and (reader := _reader(outbound)) is not None:
            yield MessageForm(_say_words(outbound, text, nonce, reader), choice=True)
        yield MessageForm(_say_words(outbound, text, nonce))
        return
    if len(parts) == 1 and not text.text and (native := _say_natively(outbound, parts[0], nonce)) is not None:
        yield MessageForm(native)
    if any(p.media in _SENDERS for p in parts):
        fresh = _FileSource(channel, files, reuse=False)
        form = await _say_files(outbound, text, nonce, _FileSource(channel, files), as_documents=False)
        if form is not None:
            yield form
            if form.reuses and (form := await _say_files(outbound, text, nonce, fresh, as_documents=False)):
                yield form
            if form := await _say_files(outbound, text, nonce, fresh, as_documents=True):
                yield form
    yield MessageForm(_say_words(outbound, _with_placeholders(text, parts), nonce))


def _reader(outbound: Outbound) -> EphemeralMessageParameters | None:
    """The one member of a group whom the words are for; None where they are for all."""
    user = outbound.only_for
    in_group = outbound.to.chat.startswith("-")
    return EphemeralMessageParameters(receiver_user_id=int(user)) if in_group and user.isdigit() else None


def _say_words(
    outbound: Outbound, text: RichText, nonce: int, reader: EphemeralMessageParameters | None = None
) -> Method:
    if not text.text.strip():
        raise Refused("there is nothing to say")
    markup = keyboard(outbound.buttons, nonce)
    return SendMessage(
        **_address(outbound),
        **_words(text, Limits().text, "text"),
        reply_markup=markup,
        link_preview_options=_NO_PREVIEW,
        ephemeral_message_parameters=reader,
    )


def _say_natively(outbound: Outbound, attachment: Attachment, nonce: int) -> Method | None:
    """A place or a contact as Telegram shows them; they take no words along, so only where there are none."""
    data, common = attachment.data, {**_address(outbound), "reply_markup": keyboard(outbound.buttons, nonce)}
    if attachment.media is Media.LOCATION:
        latitude, longitude = data.get("latitude"), data.get("longitude")
        if (
            isinstance(latitude, int | float)
            and isinstance(longitude, int | float)
            and abs(latitude) <= 90
            and abs(longitude) <= 180
        ):
            if title := str(data.get("title") or ""):
                address = str(data.get("address") or title)
                return SendVenue(
                    **common, title=title, address=address, latitude=latitude, longitude=longitude
                )
            return SendLocation(**common, latitude=latitude, longitude=longitude)
    if attachment.media is Media.CONTACT and data.get("phone"):
        return SendContact(
            **common, phone_number=str(data["phone"]), first_name=str(data.get("name") or data["phone"])
        )
    return None


@dataclass(frozen=True, slots=True)
class _FileSource:
    """Where the files come from: of which channel's own, who reads the others, and whether what was uploaded
    before is used again.
    """

    channel: str
    files: Files
    reuse: bool = True


async def _say_files(
    outbound: Outbound, text: RichText, nonce: int, source: _FileSource, *, as_documents: bool
) -> MessageForm | None:
    """The files in one call, None where none of them can travel."""
    parts = outbound.attachments
    wordy = bool(text.text) or len(parts) > 1
    kinds = {_kind(p, wordy, as_documents) for p in parts} - {None}
    if sum(_kind(p, wordy, as_documents) is not None for p in parts) > 1 and not any(
        kinds <= mix for mix in _MIXES
    ):
        as_documents = True
    carried: list[CarriedFile] = []
    told: list[Attachment] = []
    for attachment in parts:
        media = _kind(attachment, wordy, as_documents)
        one = await _carry(attachment, media, source) if media else None
        if one is None:
            told.append(attachment)
        else:
            carried.append(one)
    if not carried:
        return None
    if any(c.is_photo_too_big for c in carried):
        carried = [replace(c, media=Media.DOCUMENT) if c.is_photo_too_big else c for c in carried]
        if len(carried) > 1 and not any({c.media for c in carried} <= mix for mix in _MIXES):
            return await _say_files(outbound, text, nonce, source, as_documents=True)
    shown, most = _with_placeholders(text, told), Limits().caption
    if (
        utf16_length(shown.text) > most >= utf16_length(text.text)
    ):  # of a file that unexpectedly cannot travel the name is cut
        shown = part(shown, 0, len(fit(shown.text, most)))
    if not shown.text and len(carried) == 1:
        shown = RichText(fit(carried[0].caption, most))
    words = _words(shown, most, "caption")
    call = (
        _send_one(outbound, carried[0], words, nonce)
        if len(carried) == 1
        else _send_album(outbound, carried, words)
    )
    return MessageForm(call, tuple(carried))


def _kind(attachment: Attachment, wordy: bool, as_documents: bool) -> Media | None:
    """What the attachment travels as: what takes no words goes as something that does, None if as words
    only.
    """
    media = attachment.media
    if media not in _SENDERS or not attachment.ref:
        return None
    if media is Media.STICKER:
        return None if wordy or as_documents else media
    if as_documents:
        return Media.DOCUMENT
    if media is Media.VIDEO_NOTE and wordy:
        return Media.VIDEO
    return Media.DOCUMENT if media is Media.PHOTO and attachment.size > MAX_PHOTO else media


async def _carry(attachment: Attachment, media: Media, source: _FileSource) -> CarriedFile | None:
    """Telegram's own id where the file is ours already, else its content; None where it is too big or
    gone.
    """
    caption = clean_rich(RichText(str(attachment.data.get("caption") or ""))).text
    if attachment.channel == source.channel and media is attachment.media:
        return CarriedFile(media, attachment.ref, caption=caption)
    files = source.files
    memory = files if source.reuse and isinstance(files, UploadedFiles) else None
    if memory and (known := await memory.known(attachment, source.channel, media.value)):
        return CarriedFile(media, known, attachment.duration, caption, reused=True)
    if attachment.media is Media.STICKER or attachment.size > MAX_UPLOAD:
        return None
    try:
        file = await files.read(attachment)
    except RetryLater:
        raise
    except Uncertain as error:
        raise RetryLater(str(error), after=2.0) from None
    except (
        DeliveryError,
        AccountError,
        OSError,
    ):  # gone for good, or its channel cannot be asked: the words must not wait
        return None
    if not file.content or len(file.content) > MAX_UPLOAD:
        return None
    name = clean_file_name(file.name or attachment.name) or f"file{_SUFFIXES.get(attachment.media, '')}"
    content = BufferedInputFile(file.content, name)
    return CarriedFile(media, content, attachment.duration, caption, read=file)


def _send_one(outbound: Outbound, carried: CarriedFile, words: dict[str, Any], nonce: int) -> Method:
    method, field = _SENDERS[carried.media]
    arguments = {
        **_address(outbound),
        **words,
        field: carried.file,
        "reply_markup": keyboard(outbound.buttons, nonce),
    }
    if carried.media in _TIMED and carried.duration:
        arguments["duration"] = carried.duration
    return method(**arguments)


def _send_album(outbound: Outbound, carried: Sequence[CarriedFile], words: dict[str, Any]) -> Method:
    if outbound.buttons:
        raise Refused("an album has no buttons: they must be enqueued with words of their own")
    own = [_words(RichText(fit(c.caption, Limits().caption)), Limits().caption, "caption") for c in carried]
    said = [words or own[0], *own[1:]]
    media = [_ALBUM[c.media](media=c.file, **caption) for c, caption in zip(carried, said, strict=True)]
    return SendMediaGroup(**_address(outbound), media=media)


def _with_placeholders(text: RichText, attachments: Sequence[Attachment]) -> RichText:
    for attachment in attachments:
        shown = clean_rich(placeholder(attachment))
        text = text + "\n" + shown if text.text else shown
    return text
