"""What MAX's messages carry besides text, in our words; what has no word of its own keeps a label that a
person can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.adapters.sanitize import clean_file_name
from bot.model import Attachment, Media
from bot.text.transcripts import PLATFORM

MOST = 20  # of one message
_KEYBOARDS = ("inline_keyboard", "reply_keyboard")
_VOICE = "audio/ogg"

Fields = Mapping[str, Any]


def read_attachments(body: Fields, channel: str) -> tuple[Attachment, ...]:
    """The attachments of a message's *body*; its keyboard is none, nor the preview of an address in its
    words.
    """
    return tuple(found for found, _ in zip(_walk(body, channel), range(MOST), strict=False))


def _walk(body: Fields, channel: str) -> Iterator[Attachment]:
    items = body.get("attachments")
    for item in items if isinstance(items, list) else ():
        kind, payload = str(fields(item).get("type") or ""), fields(fields(item).get("payload"))
        previews = kind == "share" and str(payload.get("url") or "?") in str(body.get("text") or "")
        if isinstance(item, Mapping) and kind not in _KEYBOARDS and not previews:
            yield _read(kind, item, payload, channel)


def _read(kind: str, item: Fields, payload: Fields, channel: str) -> Attachment:
    ref, name = str(payload.get("token") or ""), clean_file_name(str(item.get("filename") or ""))
    url = _link(payload.get("url"))
    match kind:
        case "image":
            return Attachment(Media.PHOTO, ref, channel, mime="image/jpeg", data=_data(url))
        case "video":
            seconds = _whole(item.get("duration"))
            return Attachment(
                Media.VIDEO, ref, channel, name, "video/mp4", duration=seconds, data=_data(url, video=ref)
            )
        case "audio":  # what people say into the microphone comes so
            said = str(item.get("transcription") or "").strip()
            told = {PLATFORM: said} if said else {}
            return Attachment(Media.VOICE, ref, channel, name, _VOICE, data={**_data(url), **told})
        case "file":
            return Attachment(
                Media.DOCUMENT, ref, channel, name, size=_whole(item.get("size")), data=_data(url)
            )
        case "sticker":
            code = str(payload.get("code") or "")
            return Attachment(
                Media.STICKER, code, channel, mime="image/png", data=_data(url, emoji="🙂", link=url)
            )
        case "contact":
            return Attachment(Media.CONTACT, channel=channel, data=_contact(payload))
        case "location" if (place := _place(item)) is not None:
            return Attachment(Media.LOCATION, channel=channel, data=place)
        case "share":
            about = " ".join(str(item[k]) for k in ("title", "description") if item.get(k))
            return Attachment(
                Media.OTHER, channel=channel, data=_data("", type="link", about=about, link=url)
            )
    return Attachment(Media.OTHER, channel=channel, data=_data("", type=kind, link=url))


def _contact(payload: Fields) -> dict[str, object]:
    """Name and telephone from the card, and who it is in MAX."""
    card, known = str(payload.get("vcf_info") or ""), fields(payload.get("max_info"))
    name = _line(card, "FN") or " ".join(str(known[k]) for k in ("first_name", "last_name") if known.get(k))
    user = known.get("user_id")
    return {"phone": _line(card, "TEL"), "name": name, "user": "" if user is None else str(user)}


def _line(card: str, field: str) -> str:
    found = re.search(rf"^{field}(?:;[^:\r\n]*)?:(.*)$", card, re.MULTILINE | re.IGNORECASE)
    return found[1].strip().removeprefix("tel:") if found else ""


def _place(item: Fields) -> dict[str, object] | None:
    try:
        return {n: float(item[n]) for n in ("latitude", "longitude")}
    except (KeyError, TypeError, ValueError):
        return None


def _data(url: str, **more: str) -> dict[str, object]:
    return {k: v for k, v in {"url": url, **more}.items() if v}


def _link(value: object) -> str:
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else ""


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def fields(value: object) -> Fields:
    """The value where it has fields; none otherwise."""
    return value if isinstance(value, Mapping) else {}
