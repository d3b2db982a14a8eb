"""What is too long or too much for one call is parted before it is kept for delivery; nothing gets lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.adapters.base import Limits
from bot.adapters.rich_text import utf16_length
from bot.delivery.splitting import parts
from bot.model import Attachment, Button, Media, Outbound, OutboundKind, Peer, RichText

ANNA = Peer("post", "1")
SMALL = {"post": Limits(text=40, caption=20, attachments=3)}
YES = ((Button("Да", "yes"),),)
WORDS = "раз два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать"


def pictures(count: int) -> tuple[Attachment, ...]:
    return tuple(Attachment(Media.PHOTO, f"p{n}", "post") for n in range(count))


def test_what_fits_is_one_call() -> None:
    """Nothing is touched."""
    outbound = Outbound(ANNA, RichText("Коротко"), YES, name="x", quotes="7")

    assert parts(outbound, SMALL) == (outbound,)


def test_a_long_text_is_parted_at_words() -> None:
    """Buttons hang on the last piece, the name and the quote on the first; every word comes once."""
    said = parts(Outbound(ANNA, RichText(WORDS), YES, name="x", quotes="7"), SMALL)

    assert len(said) > 2
    assert " ".join(o.text.text for o in said).split() == WORDS.split()
    assert all(utf16_length(o.text.text) <= 40 for o in said)
    assert [o.buttons for o in said] == [()] * (len(said) - 1) + [YES]
    assert [(o.name, o.quotes) for o in said] == [("x", "7")] + [("", "")] * (len(said) - 1)


def test_the_heading_counts() -> None:
    """It is shown above each piece where the chat has no threads."""
    said = parts(Outbound(ANNA, RichText(WORDS), heading=RichText("№ 1042 · Анна")), SMALL)

    assert all(utf16_length(o.heading.text) + 2 + utf16_length(o.text.text) <= 40 for o in said)


def test_a_short_text_goes_with_the_picture_and_a_long_one_after_it() -> None:
    """A caption holds less than a message."""
    together = parts(Outbound(ANNA, RichText("Вот"), attachments=pictures(1)), SMALL)
    apart = parts(Outbound(ANNA, RichText("Длиннее, чем подпись держит"), attachments=pictures(1)), SMALL)

    assert [(o.text.text, len(o.attachments)) for o in together] == [("Вот", 1)]
    assert [(o.text.text, len(o.attachments)) for o in apart] == [("", 1), ("Длиннее, чем подпись держит", 0)]


def test_an_album_cannot_carry_buttons() -> None:
    """They come with the words, in a message of their own."""
    said = parts(Outbound(ANNA, RichText("Вот"), YES, pictures(2)), SMALL)

    assert [(len(o.attachments), o.text.text, o.buttons) for o in said] == [(2, "", ()), (0, "Вот", YES)]


def test_more_pictures_than_an_album_holds_are_several() -> None:
    """In their order."""
    said = parts(Outbound(ANNA, attachments=pictures(7)), SMALL)

    assert [len(o.attachments) for o in said] == [3, 3, 1]
    assert tuple(a for o in said for a in o.attachments) == pictures(7)


@pytest.mark.parametrize(
    ("media", "calls"),
    [
        ((Media.PHOTO, Media.VIDEO), 1),
        ((Media.PHOTO, Media.DOCUMENT), 2),
        ((Media.AUDIO, Media.AUDIO), 1),
        ((Media.VOICE, Media.VOICE), 2),
        ((Media.STICKER, Media.STICKER), 2),
    ],
)
def test_only_what_belongs_together_is_an_album(media: tuple[Media, ...], calls: int) -> None:
    """Photos with videos, files with files, music with music; everything else alone."""
    attachments = tuple(Attachment(m, f"a{n}", "post") for n, m in enumerate(media))

    assert len(parts(Outbound(ANNA, attachments=attachments), SMALL)) == calls


def test_a_sticker_has_no_caption() -> None:
    """The words follow it."""
    said = parts(
        Outbound(ANNA, RichText("Вот"), attachments=(Attachment(Media.STICKER, "s", "post"),)), SMALL
    )

    assert [(len(o.attachments), o.text.text) for o in said] == [(1, ""), (0, "Вот")]


def test_an_edit_is_cut_since_it_cannot_be_parted() -> None:
    """One message stays one message, and shows that it goes on."""
    edit = Outbound(ANNA, RichText(WORDS), kind=OutboundKind.EDIT, edits="x")
    (cut,) = parts(edit, SMALL)

    assert utf16_length(cut.text.text) <= 40 and cut.text.text.endswith("…")
    assert WORDS.startswith(cut.text.text.removesuffix("…"))
    (captioned,) = parts(replace(edit, attachments=pictures(1)), SMALL)
    assert utf16_length(captioned.text.text) <= 20


def test_what_no_channel_carries_becomes_words() -> None:
    """A placeholder under the text, which counts when the text is parted."""
    poll = Attachment(Media.OTHER, data={"type": "poll", "about": "Какой цвет?"})
    said = parts(Outbound(ANNA, RichText("Вот"), attachments=(poll,)), SMALL)

    assert all(not o.attachments for o in said)
    assert "Вот" in said[0].text.text and "Какой цвет?" in "".join(o.text.text for o in said)


def test_other_calls_pass_as_they_are() -> None:
    """A reaction has no text to part."""
    reaction = Outbound(ANNA, RichText("👍"), kind=OutboundKind.REACT, quotes="7")

    assert parts(reaction, SMALL) == (reaction,)
