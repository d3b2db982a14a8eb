"""Our deliveries in MAX's words: bodies of messages, keyboards, markup. Pure."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from maxapi.enums.attachment import AttachmentType
from maxapi.enums.intent import Intent
from maxapi.enums.message_link_type import MessageLinkType
from maxapi.enums.parse_mode import TextFormat
from maxapi.types.attachments.attachment import ButtonsPayload
from maxapi.types.attachments.buttons import CallbackButton, LinkButton
from maxapi.types.message import NewMessageLink

from bot.adapters.html_rendering import Tags, to_html
from bot.adapters.rich_text import MAX_STYLES, degrade, fit, part, tidy, utf16_length, with_heading
from bot.adapters.sanitize import clean_rich
from bot.button_tokens import token
from bot.errors import Refused
from bot.model import Button, Media, Outbound, RichText, Rows, Span, Style

TEXT = 4000  # UTF-16 units of one message, its markup included
ROOMY = 3800  # what is enqueued at most: a heading and the markup need space as well
LABEL = 64
ROW, LINK_ROW, ROWS, BUTTONS = 7, 3, 30, 210
NOTICE = 200
COMMANDS = 32

_INTENTS = {"": None, "primary": Intent.POSITIVE, "success": Intent.POSITIVE, "danger": Intent.NEGATIVE}
_TAGS = {
    Style.BOLD: ("<b>", "</b>"),
    Style.ITALIC: ("<i>", "</i>"),
    Style.UNDERLINE: ("<u>", "</u>"),
    Style.STRIKE: ("<s>", "</s>"),
    Style.CODE: ("<code>", "</code>"),
    Style.PRE: ("<pre>", "</pre>"),
    Style.QUOTE: ("<blockquote>", "</blockquote>"),
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CarriedAttachments:
    """What became of the attachments: MAX's form of those that travel, and words for the others.

    `reused` tells that some were not uploaded for this message, so that a refusal may be cured by uploading.
    """

    items: tuple[Json, ...] = ()
    notes: tuple[RichText, ...] = ()
    reused: bool = False
    captions: RichText = field(default_factory=RichText)


def address(chat: str) -> dict[str, int]:
    """The parameter that names a place: a person, or a group (below zero). Raises `Refused` for neither."""
    try:
        number = int(chat)
    except ValueError:
        raise Refused(f"not an address of MAX: {chat!r}") from None
    return {"chat_id": number} if number < 0 else {"user_id": number}


def words(outbound: Outbound, notes: Sequence[RichText] = ()) -> RichText:
    """Heading, text and notes as one text. A heading gives way where the words need the space."""
    text = outbound.text
    for note in notes:
        text = text + "\n" + note if text else note
    space = TEXT - utf16_length(text.text) - 1
    heading = part(outbound.heading, 0, len(fit(outbound.heading.text, space))) if space > 0 else RichText()
    return clean_rich(with_heading(heading, text))


def text_fields(rich: RichText, *, plain: bool = False) -> Json:
    """`text`, and `format` where it is styled. Of a text that is too long with its markup the markup goes.

    Raises `Refused` where even the words do not fit.
    """
    rich = _linked(rich)
    if not plain and any(s.style in MAX_STYLES for s in rich.spans):
        marked = to_html(rich, _tags)
        if utf16_length(marked) <= TEXT:
            return {"text": marked, "format": TextFormat.HTML.value}
    bare = degrade(rich, frozenset()).text
    if utf16_length(bare) > TEXT:
        bare = rich.text
    if utf16_length(bare) > TEXT:
        raise Refused(
            f"the text is longer than {TEXT}: it must be split before it is enqueued", code="too_long"
        )
    return {"text": bare}


def keyboard(rows: Rows, nonce: int) -> tuple[Json | None, tuple[RichText, ...]]:
    """The buttons below a message (None where there are none), and lines of text for those that cannot be
    one: other links than https, and more than MAX shows.

    A button keeps the token of the place it was offered at, wherever it is moved to.
    """
    places = [[(b, r, c) for c, b in enumerate(row)] for r, row in enumerate(rows)]
    lines = [RichText(f"{b.label}: {b.url}") for row in places for b, _, _ in row if b.url and not _opens(b)]
    shown = [line for row in places for line in _fitting([p for p in row if not p[0].url or _opens(p[0])])]
    lines += [RichText(f"• {b.label}") for row in shown[ROWS:] for b, _, _ in row]
    if not shown:
        return None, tuple(lines)
    buttons = [[_button(b, token(nonce, r, c)) for b, r, c in row] for row in shown[:ROWS]]
    packed = ButtonsPayload(buttons=buttons).model_dump(mode="json", exclude_none=True)
    return {"type": AttachmentType.INLINE_KEYBOARD.value, "payload": packed}, tuple(lines)


def reply(outbound: Outbound) -> Json | None:
    """What makes the message an answer to another one."""
    if not outbound.quotes.startswith("mid"):
        return None
    return NewMessageLink(type=MessageLinkType.REPLY, mid=outbound.quotes).model_dump(mode="json")


def notice(outbound: Outbound) -> str:
    """The words shown to whoever pressed a button."""
    text = clean_rich(outbound.text).text.strip()
    return text if utf16_length(text) <= NOTICE else fit(text, NOTICE - 1).rstrip() + "…"


def as_contact(data: Any) -> Json:
    """A person's card as MAX sends it."""
    name, phone, user = (str(data.get(k) or "") for k in ("name", "phone", "user"))
    payload: Json = {"name": name or None, "vcf_phone": phone or None}
    if user.isdigit():
        payload["contact_id"] = int(user)
    return {
        "type": AttachmentType.CONTACT.value,
        "payload": {k: v for k, v in payload.items() if v is not None},
    }


def as_location(data: Any) -> Json | None:
    try:
        place = {n: float(str(data[n])) for n in ("latitude", "longitude")}
    except (KeyError, ValueError):
        return None
    return {"type": AttachmentType.LOCATION.value, **place}


def upload_type(media: Media, mime: str) -> str:
    """As what a file is uploaded; anything that is no picture, video or sound is a file."""
    if media is Media.PHOTO or (media is Media.ANIMATION and mime == "image/gif"):
        return "image"
    if media in (Media.VIDEO, Media.VIDEO_NOTE, Media.ANIMATION):
        return "video"
    return "audio" if media in (Media.VOICE, Media.AUDIO) else "file"


def _fitting(row: list[tuple[Button, int, int]]) -> list[list[tuple[Button, int, int]]]:
    """One of our rows as rows that MAX takes: seven in one, three where a link is among them."""
    most = LINK_ROW if any(b.url for b, _, _ in row) else ROW
    return [row[i : i + most] for i in range(0, len(row), most)]


def _button(button: Button, pressed: str) -> CallbackButton | LinkButton:
    label = button.label.strip() or "…"
    label = label if utf16_length(label) <= LABEL else fit(label, LABEL - 1).rstrip() + "…"
    if button.url:
        return LinkButton(text=label, url=button.url)
    intent = _INTENTS[button.style]
    return CallbackButton(text=label, payload=pressed, **({"intent": intent} if intent else {}))


def _opens(button: Button) -> bool:
    return button.url.startswith(("https://", "http://"))


def _linked(rich: RichText) -> RichText:
    """Links that MAX does not open have their address behind them; a call of nobody is words."""
    tidied = tidy(rich)
    calls = [s for s in tidied.spans if s.style is not Style.MENTION or s.url.isdigit()]
    bad = [
        s for s in calls if s.style is Style.LINK and not s.url.lower().startswith(("http://", "https://"))
    ]
    made = RichText(tidied.text, tuple(s for s in calls if s not in bad))
    for span in sorted(bad, key=lambda s: s.offset, reverse=True):
        end = span.offset + span.length
        shown = span.url.removeprefix("mailto:").removeprefix("tel:")
        if shown not in made.text[span.offset : end]:
            made = part(made, 0, end) + f" ({shown})" + part(made, end, len(made.text))
    return made


def _tags(span: Span) -> Tags | None:
    if span.style is Style.LINK:
        return f'<a href="{html.escape(span.url)}">', "</a>"
    if span.style is Style.MENTION:
        return f'<a href="max://user/{span.url}">', "</a>"
    return _TAGS.get(span.style)
