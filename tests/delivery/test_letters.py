"""What is said at once on a channel of letters is one letter that answers the one it belongs to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bot.adapters.base import Limits
from bot.delivery.letters import as_letters
from bot.delivery.splitting import parts
from bot.model import (
    Attachment,
    Button,
    Conversation,
    Inbound,
    Media,
    Outbound,
    OutboundKind,
    Peer,
    Receipt,
    RichText,
    Sender,
    Turn,
)

ANNA, CHAT = Peer("mail", "anna@example.org"), Peer("telegram", "1")
LIMITS = {"mail": Limits(joins=True, threaded=True, text=1000, caption=1000), "telegram": Limits()}
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
TURN = Turn(
    1,
    Conversation(1, ANNA),
    (Inbound("k", ANNA, Sender("a"), NOON, text="?", message="letter-1"),),
    now=NOON,
)
YES = ((Button("Да", "yes"),),)


def say(text: str, to: Peer = ANNA, **more: object) -> Outbound:
    return Outbound(to, RichText(text), **more)  # type: ignore[arg-type]


def test_words_said_at_once_are_one_letter_in_the_thread_that_is_answered() -> None:
    photo = Attachment(Media.PHOTO, "a")
    [letter] = as_letters(
        [say("раз", name="n"), say("", attachments=(photo,)), say("два", buttons=YES)], TURN, LIMITS
    )

    assert (letter.text.text, letter.buttons, letter.name) == ("раз\n\nдва", YES, "n")
    assert letter.attachments == (photo,) and letter.quotes == "letter-1"


def test_what_only_one_message_can_have_parts_letters() -> None:
    """Buttons in between, other names, another author, another thread, a receipt each, an edit."""
    receipt = Receipt(CHAT, "7")
    for first, second in (
        (say("раз", buttons=YES), say("два")),
        (say("раз", name="a"), say("два", name="b")),
        (say("раз"), say("два", author="operator")),
        (say("раз", quotes="letter-0"), say("два")),
        (say("раз", receipt=receipt), say("два", receipt=receipt)),
        (say("раз"), say("два", kind=OutboundKind.EDIT, edits="x")),
    ):
        assert len(as_letters([first, second], TURN, LIMITS)) == 2


def test_other_channels_stay_as_they_are() -> None:
    said = (say("раз", CHAT), say("два", CHAT))
    assert as_letters(said, TURN, LIMITS) == said


def test_a_letter_takes_files_of_all_kinds_together() -> None:
    files = (Attachment(Media.PHOTO, "a"), Attachment(Media.DOCUMENT, "b"), Attachment(Media.VOICE, "c"))
    letter = say("Вот", attachments=files, buttons=YES)
    assert parts(letter, LIMITS) == (letter,)
    first, last = parts(replace(letter, text=RichText("ж" * 1500)), LIMITS)
    assert first.attachments == files and not first.buttons and last.buttons == YES
    assert len(parts(replace(letter, to=CHAT), LIMITS)) > 1
