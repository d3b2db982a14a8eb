"""Our text in the words of the platforms: UTF-16 offsets, Telegram entities, VK format_data, pieces that fit
one message.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bot.model import Attachment, Media, Mention, RichText, Span, Style
from bot.text import graphemes

ALL_STYLES = frozenset(Style) - {Style.TABLE}  # a table is readable lines everywhere
MAX_STYLES = ALL_STYLES - {Style.SPOILER}
VK_STYLES = frozenset({Style.BOLD, Style.ITALIC, Style.UNDERLINE, Style.LINK, Style.MENTION})

_ENTITY_TYPES = {
    Style.BOLD: "bold",
    Style.ITALIC: "italic",
    Style.UNDERLINE: "underline",
    Style.STRIKE: "strikethrough",
    Style.CODE: "code",
    Style.PRE: "pre",
    Style.LINK: "text_link",
    Style.QUOTE: "blockquote",
    Style.SPOILER: "spoiler",
    Style.MENTION: "text_mention",
}
_STYLES_OF_ENTITIES = {
    **{name: style for style, name in _ENTITY_TYPES.items() if style is not Style.MENTION},
    "expandable_blockquote": Style.QUOTE,
}
_VK_TYPES = {Style.BOLD: "bold", Style.ITALIC: "italic", Style.UNDERLINE: "underline", Style.LINK: "url"}
_AIMED = (Style.LINK, Style.MENTION)  # they say nothing without their address
_LINKS = ("http://", "https://", "tg://", "mailto:", "tel:")
_ICONS = {
    Media.PHOTO: "🖼",
    Media.DOCUMENT: "📎",
    Media.VOICE: "🎤",
    Media.VIDEO: "🎬",
    Media.VIDEO_NOTE: "📹",
    Media.AUDIO: "🎵",
    Media.ANIMATION: "🎞",
    Media.STICKER: "🙂",
    Media.LOCATION: "📍",
    Media.CONTACT: "👤",
    Media.OTHER: "📎",
}


# --- UTF-16
# ------------------------------------------------------------------------------------------------------------


def utf16_length(text: str) -> int:
    """How long both platforms think *text* is.

    >>> utf16_length("да"), utf16_length("👍")
    (2, 2)
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(text: str, limit: int) -> str:
    """The longest beginning of *text* that is at most *limit* UTF-16 units and ends at a whole character as
    people see it.
    """
    end = _window(text, 0, limit)
    return text if end == len(text) else text[: graphemes.border(text, end)]


def _starts(text: str) -> list[int] | None:
    """The UTF-16 offset of each character and of the end; None where it is the Python offset."""
    if not text or text.isascii() or max(text) <= "\uffff":
        return None
    found, at = [0], 0
    for c in text:
        at += 2 if c > "\uffff" else 1
        found.append(at)
    return found


# --- splitting
# ---------------------------------------------------------------------------------------------------------


def split(rich: RichText, limit: int) -> tuple[RichText, ...]:
    """Pieces of at most *limit* UTF-16 units: cut between paragraphs, else lines, else sentences, else words,
    else characters.

    Never inside a surrogate pair; inside a character as people see it (a flag, a family) only if that alone
    is longer than
    *limit*. White space at a cut is dropped, spans are cut with the text. A text that fits comes back as it
    is, a longer one
    that shows nothing gives no pieces. *limit* is at least 2.
    """
    if limit < 2:
        raise ValueError("a piece must have space for one character: limit >= 2")
    text = rich.text
    if utf16_length(text) <= limit:
        return (rich,)
    pieces, start = [], 0
    while start < len(text):
        end = _window(text, start, limit)
        cut = end if end == len(text) else _best_cut(text, start, end)
        stop = cut
        while stop > start and text[stop - 1].isspace():
            stop -= 1
        if stop > start:
            pieces.append(part(rich, start, stop))
        start = _skip_space(text, cut) if cut < len(text) else cut
    return tuple(pieces)


def part(rich: RichText, start: int, stop: int) -> RichText:
    """The characters from *start* to *stop* with the styles they have."""
    spans = []
    for s in rich.spans:
        begin, end = max(s.offset, start), min(s.offset + s.length, stop)
        if begin < end:
            spans.append(Span(s.style, begin - start, end - begin, s.url))
    return RichText(rich.text[start:stop], tuple(spans))


def _window(text: str, start: int, limit: int) -> int:
    """Where the longest stretch from *start* of at most *limit* units ends."""
    chunk = text[start : start + limit]
    if (starts := _starts(chunk)) is None:
        return start + len(chunk)
    at = bisect_left(starts, limit + 1) - 1
    return start + min(at, len(chunk))


def _best_cut(text: str, start: int, end: int) -> int:
    """Where to cut the stretch: the best kind of border in its second half, the last one there."""
    half = start + (end - start) // 2
    for border in ("\n\n", "\n", ". ", "! ", "? ", "… "):
        # a border that begins right at the end leaves everything before it in this piece
        at = text.rfind(border, half, end + len(border))
        kept = len(border.rstrip())
        if at >= half and at + kept > start and at + kept <= end:
            return at + kept
    for at in range(end, start, -1):
        if text[at].isspace():
            return at
    return graphemes.border(text, end, start)


def _skip_space(text: str, at: int) -> int:
    """Past the white space of a cut; the indent of a line that begins there stays."""
    end = at
    while end < len(text) and text[end].isspace():
        end += 1
    line = text.rfind("\n", at, end)
    return end if line < 0 or end == len(text) else line + 1


# --- Telegram
# ----------------------------------------------------------------------------------------------------------


def tidy(rich: RichText) -> RichText:
    """The same look in the least words: spans inside the text, not empty, no link without an address, outer
    ones first.
    """
    size = len(rich.text)
    spans = []
    for s in rich.spans:
        begin, end = max(0, s.offset), min(size, s.offset + s.length)
        if begin < end and (s.style not in _AIMED or s.url):
            spans.append(Span(s.style, begin, end - begin, s.url if s.style in _AIMED else ""))
    unique = dict.fromkeys(sorted(spans, key=lambda s: (s.offset, -s.length)))
    return RichText(rich.text, tuple(unique))


def to_entities(rich: RichText) -> list[dict[str, object]]:
    """The spans as Telegram's entities: `type`, `offset` and `length` in UTF-16 units, `url` for links.

    What Telegram would refuse is left out: empty stretches, links it does not open, other styles inside code.
    """
    tidied = tidy(rich)
    starts = _starts(tidied.text)
    codes = [s for s in tidied.spans if s.style in (Style.CODE, Style.PRE)]
    entities: list[dict[str, object]] = []
    for s in tidied.spans:
        if s.style not in _ENTITY_TYPES:
            continue
        if s.style is Style.LINK and not s.url.lower().startswith(_LINKS):
            continue
        if s.style is Style.MENTION and (
            not s.url.isdigit() or tidied.text[s.offset] == "@"
        ):  # @name calls by itself
            continue
        if any(s is not c and _overlaps(s, c) for c in codes) and not _outermost(s, codes):
            continue
        begin, length = _units(starts, s)
        entity: dict[str, object] = {"type": _ENTITY_TYPES[s.style], "offset": begin, "length": length}
        if s.style is Style.LINK:
            entity["url"] = s.url
        if s.style is Style.MENTION:
            name = tidied.text[s.offset : s.offset + s.length]
            entity["user"] = {"id": int(s.url), "is_bot": False, "first_name": name}
        entities.append(entity)
    return entities


def _overlaps(a: Span, b: Span) -> bool:
    return a.offset < b.offset + b.length and b.offset < a.offset + a.length


def _outermost(s: Span, codes: Sequence[Span]) -> bool:
    """Whether a span that meets code may stay: the first of several codes, or a quote around it."""
    if s.style in (Style.CODE, Style.PRE):
        return all(c is s or not _overlaps(s, c) for c in codes[: codes.index(s)])
    return s.style is Style.QUOTE and all(
        not _overlaps(s, c) or (s.offset <= c.offset and c.offset + c.length <= s.offset + s.length)
        for c in codes
    )


def _units(starts: list[int] | None, span: Span) -> tuple[int, int]:
    if starts is None:
        return span.offset, span.length
    begin = starts[span.offset]
    return begin, starts[span.offset + span.length] - begin


def from_entities(text: str, entities: Iterable[Mapping[str, object]]) -> RichText:
    """Telegram's text and entities as ours. Unknown and found-by-itself kinds (mention, url …) are left out;
    an offset that points nowhere is moved to the nearest character.
    """
    starts = _starts(text)
    spans = []
    for e in entities:
        style = _STYLES_OF_ENTITIES.get(str(e.get("type")))
        offset, length, url = e.get("offset"), e.get("length"), e.get("url", "")
        if (
            style is None
            or not isinstance(offset, int)
            or not isinstance(length, int)
            or not isinstance(url, str)
        ):
            continue
        begin, end = offset, offset + length
        if starts is not None:
            begin, end = _character(starts, begin), _character(starts, end)
        spans.append(Span(style, begin, end - begin, url))
    return tidy(RichText(text, tuple(spans)))


def mentions_in(text: str, entities: Iterable[Mapping[str, object]]) -> tuple[Mention, ...]:
    """Who is called in Telegram's text, by a public name or by the link that people without one get."""
    starts = _starts(text)
    found = []
    for e in entities:
        offset, length, user = e.get("offset"), e.get("length"), e.get("user")
        if (
            e.get("type") not in ("mention", "text_mention")
            or not isinstance(offset, int)
            or not isinstance(length, int)
        ):
            continue
        begin, end = offset, offset + length
        if starts is not None:
            begin, end = _character(starts, begin), _character(starts, end)
        id = user.get("id") if isinstance(user, Mapping) else None
        found.append(Mention(max(0, begin), max(0, end - begin), "" if id is None else str(id)))
    return tuple(found)


def _character(starts: list[int], units: int) -> int:
    return min(bisect_left(starts, max(0, units)), len(starts) - 1)


# --- VK


def to_format_data(rich: RichText) -> dict[str, object]:
    """The spans as VK's format_data: bold, italic, underline and url, in UTF-16 units; `items` is empty where
    there are none.

    Give it what `degrade(rich, VK_STYLES)` returned, so that the text says what VK cannot show.
    """
    tidied = tidy(rich)
    starts = _starts(tidied.text)
    items: list[dict[str, str | int]] = []
    for s in tidied.spans:
        if (kind := _VK_TYPES.get(s.style)) is None:
            continue
        offset, length = _units(starts, s)
        item: dict[str, str | int] = {"type": kind, "offset": offset, "length": length}
        if s.style is Style.LINK:
            item["url"] = s.url
        items.append(item)
    return {"version": 1, "items": items}


# --- what a channel cannot show
# ----------------------------------------------------------------------------------------


def degrade(rich: RichText, keep: frozenset[Style]) -> RichText:
    """The text with only the styles in *keep*; where links are not among them their address follows in
    brackets.

    >>> degrade(RichText("наш сайт", (Span(Style.LINK, 4, 4, "https://a.ru"),)), frozenset()).text
    'наш сайт (https://a.ru)'
    """
    tidied = tidy(rich)
    kept = [s for s in tidied.spans if s.style in keep]
    if Style.LINK in keep:
        return RichText(tidied.text, tuple(kept))
    text = tidied.text
    links = sorted(
        (s for s in tidied.spans if s.style is Style.LINK), key=lambda s: s.offset + s.length, reverse=True
    )
    for link in links:
        end = link.offset + link.length
        address = link.url.removeprefix("mailto:").removeprefix("tel:")
        if address.rstrip("/") in text[link.offset : end]:
            continue
        tail = f" ({address})"
        text = text[:end] + tail + text[end:]
        kept = [_stretched(s, end, len(tail)) for s in kept]
    return RichText(text, tuple(kept))


def _stretched(span: Span, at: int, by: int) -> Span:
    """The span after *by* characters were put in at *at*."""
    if span.offset >= at:
        return replace(span, offset=span.offset + by)
    return replace(span, length=span.length + by) if span.offset + span.length > at else span


def plain(rich: RichText) -> str:
    """The words alone, with the addresses of links behind them."""
    return degrade(rich, frozenset()).text


def with_heading(heading: RichText, text: RichText) -> RichText:
    """The heading as a bold first line above the text; the text itself where there is no heading."""
    if not heading.text:
        return text
    others = tuple(s for s in heading.spans if s.style is not Style.BOLD)
    line = RichText(heading.text, (Span(Style.BOLD, 0, len(heading.text)), *others))
    return line + "\n" + text if text.text else line


def placeholder(attachment: Attachment) -> RichText:
    """What is shown where an attachment cannot travel: an icon and what is known of it, in no language.

    Never empty.
    """
    a, icon = attachment, _ICONS[attachment.media]
    if (label := _told(a, "label")) and (a.media is Media.OTHER or _told(a, "link")):
        return RichText(label)
    match a.media:
        case Media.STICKER:
            return RichText(_told(a, "emoji") or icon)
        case Media.LOCATION:
            latitude, longitude = _told(a, "latitude"), _told(a, "longitude")
            where = f"{latitude}, {longitude}"
            title = ", ".join(t for t in (_told(a, "title"), _told(a, "address")) if t)
            url = f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=17"
            place = RichText(f"{icon} ") + RichText(where, (Span(Style.LINK, 0, len(where), url),))
            return place + f" ({title})" if title else place
        case Media.CONTACT:
            return RichText(" ".join(t for t in (icon, _told(a, "name"), _told(a, "phone")) if t))
        case Media.OTHER if about := _told(a, "about"):
            return RichText(" ".join(t for t in (icon, about, _told(a, "link")) if t))
    notes = ", ".join(
        n for n in (_minutes(a.duration) if a.duration else "", _size(a.size) if a.size else "") if n
    )
    name = _told(a, "caption") or a.name
    return RichText(
        " ".join(t for t in (icon, name, f"({notes})" if notes and name else notes, _told(a, "link")) if t)
    )


def captions(attachments: Sequence[Attachment]) -> RichText:
    """What is said with the files of a message that has no words of its own."""
    return RichText("\n".join(said for a in attachments if (said := _told(a, "caption"))))


def _told(attachment: Attachment, key: str) -> str:
    value = attachment.data.get(key)
    return "" if value is None else str(value).strip()


def _minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{max(1, count // 1000)} kB"
