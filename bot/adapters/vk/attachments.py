"""What VK's messages carry besides text, in our words; what has no word of its own keeps a label that a
person can read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bot.adapters.sanitize import clean_file_name
from bot.adapters.vk import contents
from bot.adapters.vk.contents import address
from bot.model import Attachment, Media
from bot.text.transcripts import PLATFORM

MOST = 20  # of one message, forwarded ones included
DEEPEST = 3  # forwards within forwards
_GIF = 3  # VK's type of animated documents

Fields = Mapping[str, Any]


def read_attachments(message: Fields, channel: str, *, words: bool = False) -> tuple[Attachment, ...]:
    """The attachments of *message*, its place, and those of what it forwards; with *words* what that says,
    too.
    """
    return tuple(found for found, _ in zip(_walk(message, channel, 0, words), range(MOST), strict=False))


def _walk(message: Fields, channel: str, depth: int, words: bool) -> Iterator[Attachment]:
    for item in _several(message.get("attachments")) if depth <= DEEPEST else ():
        kind = str(item.get("type", ""))
        what = _fields(item.get(kind))
        yield _read(kind, what, channel)
        if kind in ("wall", "wall_reply"):  # a post's own pictures, and those of the post that it repeats
            yield from _walk({"attachments": what.get("attachments")}, channel, depth + 1, words)
            for post in _several(what.get("copy_history")):
                yield from _walk({"attachments": [{"type": "wall", "wall": post}]}, channel, depth + 1, words)
    if place := _place(_fields(message.get("geo")), channel):
        yield place
    for forwarded in _several(message.get("fwd_messages")):
        if words and (text := str(forwarded.get("text") or "")):
            yield Attachment(Media.OTHER, channel=channel, data={"label": f"» {text}", "type": "forwarded"})
        if depth < DEEPEST:
            yield from _walk(forwarded, channel, depth + 1, words)
            if inner := _fields(forwarded.get("reply_message")):
                yield from _walk(inner, channel, depth + 1, words)


def _read(kind: str, what: Fields, channel: str) -> Attachment:
    ref, size = _ref(kind, what), _whole(what.get("size"))
    match kind:
        case "photo":
            return Attachment(
                Media.PHOTO, ref, channel, mime="image/jpeg", data=_links(_largest(what.get("sizes")))
            )
        case "doc":
            name, media = _file_name(what), Media.ANIMATION if what.get("type") == _GIF else Media.DOCUMENT
            return Attachment(media, ref, channel, name=name, size=size, data=_links(what.get("url")))
        case "audio_message":
            url = what.get("link_ogg") or what.get("link_mp3")
            return Attachment(
                Media.VOICE,
                ref,
                channel,
                "voice.ogg",
                "audio/ogg",
                duration=_whole(what.get("duration")),
                data={**_links(url), **_transcript(what)},
            )
        case "graffiti":
            return Attachment(Media.PHOTO, ref, channel, mime="image/png", data=_links(what.get("url")))
        case "video":
            title = clean_file_name(str(what.get("title") or ""))
            link = {"link": address(kind, what)} if ref else {}
            return Attachment(
                Media.VIDEO, ref, channel, title, duration=_whole(what.get("duration")), data=link
            )
        case "video_message" if file := _links(what.get("link_mp4") or what.get("url")):
            return Attachment(
                Media.VIDEO_NOTE,
                ref,
                channel,
                "",
                "video/mp4",
                duration=_whole(what.get("duration")),
                data=file,
            )
        case "audio":
            name = " – ".join(str(what[k]) for k in ("artist", "title") if what.get(k))
            return Attachment(
                Media.AUDIO,
                ref,
                channel,
                clean_file_name(name),
                "audio/mpeg",
                duration=_whole(what.get("duration")),
                data=_links(what.get("url")) or ({"link": address(kind, what)} if ref else {}),
            )
        case "sticker" | "ugc_sticker":
            picture = _links(_largest(what.get("images")))
            shown = {
                "emoji": str(what.get("emoji") or "🙂"),
                **picture,
                **({"link": picture["url"]} if picture else {}),
            }
            return Attachment(Media.STICKER, ref, channel, mime="image/png", data=shown)
    return Attachment(Media.OTHER, ref, channel, data={"type": kind, **_told(kind, what)})


def _place(geo: Fields, channel: str) -> Attachment | None:
    where, place = geo.get("coordinates"), _fields(geo.get("place"))
    if isinstance(where, str):  # old versions: "59.9 30.3"
        latitude, _, longitude = where.replace(",", ".").partition(" ")
        where = {"latitude": latitude, "longitude": longitude}
    try:
        data: dict[str, object] = {n: float(_fields(where)[n]) for n in ("latitude", "longitude")}
    except (KeyError, TypeError, ValueError):
        return None
    if title := str(place.get("title") or ""):
        data["title"] = title
    return Attachment(Media.LOCATION, channel=channel, data=data)


def _told(kind: str, what: Fields) -> dict[str, object]:
    """What is said in it (`about`, in its author's words) and `link`, the address that opens, where there are
    any.
    """
    about, link = contents.about(kind, what), address(kind, what)
    return {**({"about": about} if about else {}), **({"link": link} if link else {})}


def _ref(kind: str, what: Fields) -> str:
    stem = _stem(kind, what)
    key = what.get("access_key")
    return f"{stem}_{key}" if stem and key else stem


def _stem(kind: str, what: Fields) -> str:
    owner = what.get("owner_id", what.get("to_id", what.get("from_id")))
    return f"{kind}{owner}_{what['id']}" if owner is not None and what.get("id") is not None else ""


def _file_name(what: Fields) -> str:
    name, suffix = clean_file_name(str(what.get("title") or "")), str(what.get("ext") or "").lower()
    return name if not suffix or name.lower().endswith(f".{suffix}") else f"{name or 'file'}.{suffix}"


def _largest(sizes: object) -> str:
    best = max(_several(sizes), key=lambda s: _whole(s.get("width")) * _whole(s.get("height")), default={})
    return str(best.get("url") or "")


def _links(url: object) -> dict[str, object]:
    return {"url": url} if isinstance(url, str) and url.startswith(("https://", "http://")) else {}


def _transcript(what: Fields) -> dict[str, object]:
    """What VK itself wrote down of a voice message, once it is done with that."""
    text = what.get("transcript")
    done = what.get("transcript_state", "done") == "done"
    return {PLATFORM: text.strip()} if done and isinstance(text, str) and text.strip() else {}


def _several(value: object) -> list[Fields]:
    return [v for v in value if isinstance(v, Mapping)] if isinstance(value, list) else []


def _fields(value: object) -> Fields:
    return value if isinstance(value, Mapping) else {}


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
