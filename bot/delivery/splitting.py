"""One delivery is one call of the platform: what is too long or too much for one is split before it is
enqueued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from bot.adapters.base import Limits
from bot.adapters.rich_text import placeholder, split, utf16_length
from bot.model import Attachment, Media, Outbound, OutboundKind, RichText

_TOGETHER = {Media.PHOTO: "seen", Media.VIDEO: "seen", Media.DOCUMENT: "file", Media.AUDIO: "heard"}


def parts(outbound: Outbound, limits: Mapping[str, Limits]) -> tuple[Outbound, ...]:
    """The deliveries that carry *outbound* within the limits of its channel, in order.

    Buttons go with the last of them, the name and the quote with the first. An edit cannot be parted: it ends
    in "…".
    """
    own = limits.get(outbound.to.channel, Limits())
    space = own.text - utf16_length(outbound.heading.text) - 2
    if outbound.kind in (OutboundKind.SAY, OutboundKind.EDIT):
        outbound = _in_words(outbound)
    if outbound.kind is OutboundKind.EDIT:
        return (replace(outbound, text=_cut(outbound.text, own.caption if outbound.attachments else space)),)
    if outbound.kind is not OutboundKind.SAY:
        return (outbound,)
    pieces: list[tuple[RichText, tuple[Attachment, ...]]] = []
    if own.joins:  # a letter takes files of all kinds together with its words
        texts = split(outbound.text, space) if outbound.text else (RichText(),)
        pieces = [(text, () if n else outbound.attachments) for n, text in enumerate(texts)]
        return _parted(outbound, pieces)
    groups = [
        g
        for group in _groups(outbound.attachments, own.attachments)
        for g in _told_within(group, own.caption)
    ]
    caption = own.caption - utf16_length(outbound.heading.text) - 2 - sum(map(_told, outbound.attachments))
    caption_fits = utf16_length(outbound.text.text) <= caption
    one_call = (
        len(groups) == 1
        and caption_fits
        and not (len(groups[0]) > 1 and outbound.buttons)
        and _captioned(groups[0])
    )
    if one_call:
        pieces.append((outbound.text, groups[0]))
    else:
        pieces += [(RichText(), group) for group in groups]
        pieces += [(text, ()) for text in split(outbound.text, space)] if outbound.text else []
    return _parted(outbound, pieces)


def _parted(
    outbound: Outbound, pieces: Sequence[tuple[RichText, tuple[Attachment, ...]]]
) -> tuple[Outbound, ...]:
    """*outbound* in these pieces: its buttons with the last, its name and quote with the first."""
    if len(pieces) <= 1:
        return (replace(outbound, text=pieces[0][0], attachments=pieces[0][1]),) if pieces else (outbound,)
    last = len(pieces) - 1
    return tuple(
        replace(
            outbound,
            text=text,
            attachments=attachments,
            buttons=outbound.buttons if n == last else (),
            name=outbound.name if n == 0 else "",
            quotes=outbound.quotes if n == 0 else "",
            receipt=outbound.receipt if n == last else None,
        )
        for n, (text, attachments) in enumerate(pieces)
    )


def _groups(attachments: tuple[Attachment, ...], most: int) -> list[tuple[Attachment, ...]]:
    """What may travel in one call: photos with videos, files, music; everything else alone."""
    groups: list[tuple[Attachment, ...]] = []
    for kind, run in groupby(attachments, key=lambda a: _TOGETHER.get(a.media)):
        together = list(run)
        size = most if kind else 1
        groups += [tuple(together[i : i + size]) for i in range(0, len(together), size)]
    return groups


def _in_words(outbound: Outbound) -> Outbound:
    """What no channel carries is words from the start: they count when the text is parted."""
    text = outbound.text
    for attachment in outbound.attachments:
        if attachment.media is Media.OTHER:
            text = text + "\n" + placeholder(attachment) if text.text else placeholder(attachment)
    return replace(
        outbound, text=text, attachments=tuple(a for a in outbound.attachments if a.media is not Media.OTHER)
    )


def _told(attachment: Attachment) -> int:
    """How long the words are that stand for an attachment with an address in place of a file."""
    linked = attachment.data.get("link") and not attachment.data.get("url")
    return utf16_length(placeholder(attachment).text) + 1 if linked else 0


def _told_within(group: tuple[Attachment, ...], most: int) -> list[tuple[Attachment, ...]]:
    """The group in parts whose addresses all fit one caption."""
    parted: list[tuple[Attachment, ...]] = [()]
    for attachment in group:
        if parted[-1] and sum(map(_told, (*parted[-1], attachment))) > most:
            parted.append(())
        parted[-1] = (*parted[-1], attachment)
    return parted


def _captioned(group: tuple[Attachment, ...]) -> bool:
    return group[0].media not in (Media.STICKER, Media.LOCATION, Media.CONTACT, Media.VIDEO_NOTE, Media.OTHER)


def _cut(text: RichText, limit: int) -> RichText:
    first, *rest = split(text, limit - 1) if utf16_length(text.text) > limit else (text,)
    return first + "…" if rest else first
