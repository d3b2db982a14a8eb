"""What a visitor is shown of a line: how it lies in the store, and how their browser reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.adapters.html_rendering import is_safe_address
from bot.adapters.website.page_rendering import page_html
from bot.button_tokens import token
from bot.model import Attachment, ChatLine, Outbound, RichText, Rows, Span, Style

PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")


def is_picture(content: bytes) -> bool:
    """What a browser shows as a picture; what a name claims does not count."""
    return content.startswith(PICTURES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP")


def mime_of(content: bytes) -> str:
    """The type of a picture; of anything else none that a browser would open."""
    for start, mime in zip(PICTURES, ("jpeg", "png", "gif", "gif"), strict=True):
        if content.startswith(start):
            return f"image/{mime}"
    return "image/webp" if is_picture(content) else "application/octet-stream"


def kept_outbound(outbound: Outbound, nonce: int, files: Sequence[Mapping[str, object]]) -> str:
    """The payload of a line that says *outbound*."""
    text = outbound.heading + "\n" + outbound.text if outbound.heading else outbound.text
    shown = {
        "from": "operator" if outbound.author == "operator" else "bot",
        "name": outbound.author_name,
        "chat": outbound.to.chat,
        "text": text.text,
        "spans": [[s.style.value, s.offset, s.length, s.url] for s in text.spans],
        "buttons": _buttons(outbound.buttons, nonce),
        "files": list(files),
    }
    return json.dumps({k: v for k, v in shown.items() if v}, ensure_ascii=False, separators=(",", ":"))


def kept_words(
    text: str, files: Sequence[Mapping[str, object]] = (), *, page: Mapping[str, str] | None = None
) -> dict[str, object]:
    """The payload of a line of the visitor's own; *page* is where they wrote it."""
    more = {"files": list(files), "page": dict(page or {})}
    return {"from": "visitor", "text": text, **{k: v for k, v in more.items() if v}}


def kept_file(attachment: Attachment, content: bytes, file: str) -> dict[str, object]:
    """A file of a line: *file* is its name in the store, "" where it could not be had."""
    return {
        "file": file,
        "name": attachment.name or "file",
        "size": len(content) or attachment.size,
        "mime": mime_of(content) if content else attachment.mime,
        "picture": is_picture(content),
    }


def read_payload(line: ChatLine) -> Mapping[str, Any]:
    """What lies in a line; nothing where its words have been taken away."""
    return json.loads(line.payload) if line.payload else {}


def rich_of(payload: Mapping[str, Any]) -> RichText:
    spans = tuple(Span(Style(s), o, n, url) for s, o, n, url in payload.get("spans", ()))
    return RichText(payload.get("text", ""), spans)


def public_id(source: str) -> str:
    """The message's id for browsers: that of a visitor's own is the key they made."""
    return source.rpartition(":")[2]


def message_json(line: ChatLine) -> dict[str, object]:
    """A message as a browser reads it. `html` is made from our own form of text alone."""
    payload = read_payload(line)
    rich = rich_of(payload)
    return {
        "id": public_id(line.message),
        "cursor": str(line.number),
        "from": payload.get("from", "bot"),
        "name": payload.get("name", ""),
        "text": rich.text,
        "html": page_html(rich),
        "buttons": [
            {k: v for k, v in b.items() if k in ("id", "label", "url")} for b in payload.get("buttons", ())
        ],
        "files": [
            {
                "id": f"{line.number}-{n}" if f.get("file") else "",
                "name": f.get("name", ""),
                "size": f.get("size", 0),
                "mime": f.get("mime", ""),
                "picture": bool(f.get("picture")),
            }
            for n, f in enumerate(payload.get("files", ()))
        ],
        "at": line.at.isoformat(timespec="milliseconds"),
        "edited": line.edited,
    }


def event_json(line: ChatLine) -> tuple[str, dict[str, object]]:
    """The kind and content of what a stream tells of a line."""
    if line.kind == "remove" or (line.kind in ("message", "edit") and not line.payload):
        return "remove", {"id": public_id(line.message)}
    if line.kind == "notice":
        return "notice", {"text": str(read_payload(line).get("text", ""))}
    return line.kind, message_json(line)


def _buttons(rows: Rows, nonce: int) -> list[dict[str, str]]:
    made = []
    for r, row in enumerate(rows):
        for c, button in enumerate(row):
            if not button.url:
                made.append({"id": token(nonce, r, c), "label": button.label})
            elif is_safe_address(button.url):
                made.append({"id": f"u{r}.{c}", "label": button.label, "url": button.url})
    return made
