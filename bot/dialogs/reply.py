"""How a dialog says something: the words of a key, in the customer's language, as an outcome."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.open_question import without_question
from bot.dialogs.protocols import Escalation
from bot.dialogs.short_answers import language_of
from bot.i18n.texts import Texts
from bot.model import Attachment, Button, Json, Outbound, Outcome, Result, RichText, Rows, Turn
from bot.text.markdown import join


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """Who speaks: the bot's texts, the name of the dialog that signs, and how it hands over (None: nobody to
    hand over to).
    """

    texts: Texts
    dialog: str
    escalate: Escalation | None = None


_speaking: ContextVar[ReplyContext | None] = ContextVar("speaking", default=None)


@contextmanager
def speaking(texts: Texts, dialog: str, escalate: Escalation | None = None) -> Iterator[None]:
    """While it lasts `reply` uses *texts* and signs as *dialog*; `Flow` does this around each dialog."""
    token = _speaking.set(ReplyContext(texts, dialog, escalate))
    try:
        yield
    finally:
        _speaking.reset(token)


def speaker() -> ReplyContext:
    """The dialog that is being asked; outside of one: the bot's own texts, and nobody to hand over to."""
    return _speaking.get() or ReplyContext(_default_words(), "reply")


def reply(
    turn: Turn, key: str | RichText, *, buttons: Rows | Sequence[Button] = (), **facts: object
) -> Outcome:
    """Answer with the words of *key* (or a ready text): the whole of a simple dialog.

    The words get `customer`, `now` and *facts*. *buttons* is one column of buttons, or rows of them. What was
    asked before (a clarification, an offer to call a person, this dialog's own `ask`) is settled by it.
    Raises ConfigError when there is no such key.
    """
    who = speaker()
    outcome = said(turn, who, key, buttons=buttons, facts=facts)
    return replace(outcome, state=without_question(outcome.state or {}, who.dialog))


def require_words(key: str) -> None:
    """Raises ConfigError where the speaking bot has no words for *key*."""
    words = speaker().texts
    if not words.has(key):
        words.say(key)


def said(
    turn: Turn,
    speaker: ReplyContext,
    *texts: str | RichText,
    buttons: Rows | Sequence[Button] = (),
    attachments: tuple[Attachment, ...] = (),
    facts: Json | None = None,
) -> Outcome:
    """An outcome that says *texts* as paragraphs, *attachments* before them; the templates get *facts*.

    It counts as an answer, and what was asked before is settled by it; whatever else an outcome can hold the
    dialog puts in by `replace`.
    """
    words, language = speaker.texts, language_of(turn, speaker.texts.lang)
    text = _text(turn, words, language, texts, facts or {}, turn.id)
    if text and any(line.author == "bot" and line.text == text.text for line in turn.history[-4:]):
        text = _text(
            turn, words, language, texts, facts or {}, turn.id + 1
        )  # never the same words twice where there are others
    to = turn.conversation.peer
    say = (Outbound(to, attachments=attachments),) if attachments else ()
    if text:
        say = (*say, Outbound(to, text, buttons=rows(buttons)))
    return Outcome(speaker.dialog, Result.ANSWERED, "answered", say, state=DialogState.of(turn).now(turn))


def _text(
    turn: Turn, words: Texts, language: str, texts: Sequence[str | RichText], facts: Json, seed: int
) -> RichText:
    given = {"customer": turn.customer, "now": turn.now, "seed": seed, **facts}
    parts = [words.say(text, lang=language, **given) if isinstance(text, str) else text for text in texts]
    return join((part for part in parts if part), "\n\n")


def rows(buttons: Rows | Sequence[Button]) -> Rows:
    """A column where only buttons are given; empty rows left out."""
    return tuple(row for row in ((b,) if isinstance(b, Button) else tuple(b) for b in buttons) if row)


def human_button(turn: Turn, texts: Texts) -> Button:
    """«Позвать оператора»."""
    return Button(texts.text("buttons.human", lang=language_of(turn, texts.lang)), "human")


@cache
def _default_words() -> Texts:
    return Texts.load()
