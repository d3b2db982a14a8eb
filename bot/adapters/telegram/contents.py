"""What stands in the parts of a Telegram message that no other platform has: the words in them and an address
that opens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Dict = Mapping[str, Any]
_FILES = ("photo", "video", "animation", "audio", "document", "voice_note")  # of rich messages and paid media
_WHOLE = frozenset({"XTR", "JPY", "KRW", "VND", "CLP", "ISK", "UGX"})  # currencies without hundredths


def told(name: str, content: object) -> dict[str, object]:
    """`type`, what is said in it (`about`, in nobody's language but the author's) and `link`, where there are
    any.
    """
    c = content if isinstance(content, Mapping) else {}
    about, link = _READERS[name](c) if name in _READERS else (_texts(c, "title", "description", "text"), "")
    return {"type": name, **({"about": about} if about else {}), **({"link": link} if link else {})}


def rich_words(message: Dict) -> str:
    """The words of a message in blocks, a block a line, without its styles."""
    return "\n".join(line for line in _lines(message.get("blocks")) if line.strip())


def files(content: object) -> Iterator[tuple[str, Any]]:
    """The files inside a rich message or paid media, each with the name that Telegram's messages have for
    it.
    """
    if isinstance(content, list):
        for each in content:
            yield from files(each)
    if not isinstance(content, Mapping):
        return
    for name in _FILES:
        if found := content.get(name):
            yield name.removesuffix("_note"), found
    if isinstance(live := content.get("live_photo"), Mapping):
        yield ("photo", live["photo"]) if live.get("photo") else ("video", live)
    for name in ("rich_message", "blocks", "items", "paid_media"):
        yield from files(content.get(name))


def _dice(c: Dict) -> tuple[str, str]:
    return f"{c.get('emoji', '🎲')} {c.get('value', '')}".strip(), ""


def _poll(c: Dict) -> tuple[str, str]:
    options = "".join(f"\n• {_text(o.get('text'))}" for o in c.get("options") or ())
    return _texts(c, "question") + options, ""


def _checklist(c: Dict) -> tuple[str, str]:
    tasks = [
        f"\n{'☑' if t.get('completion_date') else '☐'} {_text(t.get('text'))}" for t in c.get("tasks") or ()
    ]
    return _texts(c, "title") + "".join(tasks), ""


def _invoice(c: Dict) -> tuple[str, str]:
    amount, currency = c.get("total_amount"), str(c.get("currency") or "")
    price = ""
    if isinstance(amount, int):
        price = (
            f"{amount if currency in _WHOLE else f'{amount / 100:.2f}'}"
            f" {'⭐' if currency == 'XTR' else currency}".strip()
        )
    return ", ".join(t for t in (_texts(c, "title", "description"), price) if t), ""


def _story(c: Dict) -> tuple[str, str]:
    chat: Dict = c.get("chat") or {}
    return _who(chat), _page(chat, f"s/{c.get('id')}")


def _giveaway(c: Dict) -> tuple[str, str]:
    chats: list[Dict] = list(c.get("chats") or ())
    names = ", ".join(t for t in (_texts(c, "prize_description"), *map(_who, chats)) if t)
    return names, next((page for chat in chats if (page := _page(chat, ""))), "")


def _winners(c: Dict) -> tuple[str, str]:
    chat: Dict = c.get("chat") or {}
    names = (_texts(c, "prize_description"), _who(chat), *map(_who, c.get("winners") or ()))
    return ", ".join(t for t in names if t), _page(chat, str(c.get("giveaway_message_id") or ""))


def _paid(c: Dict) -> tuple[str, str]:
    return f"{c['star_count']} ⭐" if c.get("star_count") else "", ""


_READERS: dict[str, Callable[[Dict], tuple[str, str]]] = {
    "dice": _dice,
    "poll": _poll,
    "checklist": _checklist,
    "invoice": _invoice,
    "story": _story,
    "giveaway": _giveaway,
    "giveaway_winners": _winners,
    "paid_media": _paid,
}


def _who(chat: Dict) -> str:
    return str(
        chat.get("title") or " ".join(str(chat[n]) for n in ("first_name", "last_name") if chat.get(n))
    )


def _page(chat: Dict, rest: str) -> str:
    """Only chats with a public name have an address that everybody may open."""
    name = str(chat.get("username") or "")
    return f"https://t.me/{name}/{rest}".rstrip("/") if name else ""


def _texts(c: Dict, *names: str) -> str:
    return " – ".join(t for n in names if (t := _text(c.get(n))))


def _text(value: object) -> str:
    """Telegram's rich text: a string, a styled piece with a text of its own, or a list of these."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_text, value))
    if not isinstance(value, Mapping):
        return ""
    known = next((value[n] for n in ("text", "expression", "alternative_text", "emoji") if value.get(n)), "")
    address = str(value.get("url") or "")
    words = _text(known)
    return f"{words} ({address})" if address and address not in words else words


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _lines(each)
    if not isinstance(value, Mapping):
        return
    if words := _text({**value, "emoji": ""}):
        yield words
    if isinstance(place := value.get("location"), Mapping):
        yield f"{place.get('latitude')}, {place.get('longitude')}"
    yield from (_text(value[n]) for n in ("summary", "credit") if value.get(n))
    for row in value.get("cells") or ():
        yield " | ".join(_text(cell.get("text")) for cell in row if isinstance(cell, Mapping))
    label = str(value.get("label") or "") if "blocks" in value else ""
    inner = list(_lines([value.get("blocks"), value.get("items")]))
    yield from [f"{label} {inner[0]}".strip(), *inner[1:]] if inner else ()
    yield from _lines(value.get("caption"))
    yield from (
        _text(b) for row in value.get("buttons") or () for b in (row if isinstance(row, list) else [row])
    )
