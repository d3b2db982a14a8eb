"""What attachments are called where they cannot be shown: in a person's words, with the address that
opens.
"""

from __future__ import annotations

from dataclasses import replace

from bot.i18n.texts import Texts
from bot.model import Attachment, Media, Outbound


def named(outbound: Outbound, texts: Texts, lang: str) -> Outbound:
    """The same message with a label for each attachment that no channel, or only its own, can show.

    A label that is there already stays: whoever knows the reader's language may have named it before.
    """
    if not any(_needs_name(a) for a in outbound.attachments):
        return outbound
    return replace(outbound, attachments=tuple(_named(a, texts, lang) for a in outbound.attachments))


def kind(attachment: Attachment) -> str:
    """Our name for it: the platform's word where there are several kinds of one."""
    return str(attachment.data.get("type") or attachment.media.value)


def _needs_name(attachment: Attachment) -> bool:
    linked = attachment.media is Media.OTHER or bool(attachment.data.get("link"))
    return linked and not attachment.data.get("label")


def _named(attachment: Attachment, texts: Texts, lang: str) -> Attachment:
    if not _needs_name(attachment):
        return attachment
    key = f"attachment.{kind(attachment)}"
    name = texts.text(key if texts.has(key) else "attachment.unknown", lang=lang)
    given = attachment.data.get("about") or attachment.data.get("caption") or attachment.name
    about = str(given or "")
    length = f"({attachment.duration // 60}:{attachment.duration % 60:02})" if attachment.duration else ""
    link = str(attachment.data.get("link") or "")
    said = f"{name}:{about}" if about.startswith("\n") else f"{name}: {about}" if about else name
    line = " ".join(t for t in (said, length) if t)
    label = f"{line}\n{link}" if link and "\n" in about else f"{line} {link}".rstrip()
    return replace(attachment, data={**attachment.data, "label": label})
