"""What is not a question gets a short, sensible word: thanks, goodbye, a lone question mark, a sticker, a
voice message.
"""

from __future__ import annotations

from dataclasses import replace

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.intent import IntentReader
from bot.dialogs.question_stage import interrupted, is_clarifying
from bot.dialogs.reply import ReplyContext, human_button, said
from bot.dialogs.short_answers import ShortAnswers, is_signs, is_wordless
from bot.handoff.context import brings_words
from bot.i18n.texts import Texts
from bot.model import Event, Intent, Media, Outcome, Turn
from bot.text.transcripts import tries_of

_SEEN = {
    Media.VOICE: "voice",
    Media.AUDIO: "voice",
    Media.VIDEO: "video",
    Media.VIDEO_NOTE: "video",
    Media.PHOTO: "photo",
    Media.DOCUMENT: "document",
    Media.ANIMATION: "sticker",
    Media.STICKER: "sticker",
    Media.LOCATION: "location",
    Media.CONTACT: "contact",
    Media.OTHER: "other",
}
_PERSON_HELPS = frozenset({"voice", "video", "photo", "document", "other"})


class SmallTalk:
    """Stands before the questions; leaves everything that may be one alone."""

    def __init__(self, texts: Texts, intent: IntentReader) -> None:
        self._speaker = ReplyContext(texts, "smalltalk")
        self._texts, self._intent, self._hearing = texts, intent, ShortAnswers(texts)

    async def __call__(self, turn: Turn) -> Outcome | None:
        if turn.press is not None:
            return None
        text = turn.text.strip()
        if not text:
            if brings_words(turn.context):  # somebody else's words: no question of their own to answer
                return self._say(turn, "forwarded", offered=True)
            return self._attachment(turn) if turn.attachments else None
        memory = DialogState.of(turn)
        if self._hearing.means("liked", text):
            return self._helped(turn, memory) if memory.answered else self._say(turn, "emoji")
        if self._hearing.answers(text, memory):
            return None  # the questions know what to do next
        if self._hearing.means("disliked", text):
            return self._say(turn, "sorry", offered=True)
        if is_wordless(text):
            return self._wordless(turn, text, memory)
        if self._hearing.means("no", text):
            return self._say(turn, "fine" if memory.greeted else "first")
        if self._hearing.means("yes", text):
            return (
                self._helped(turn, memory)
                if memory.answered
                else self._say(turn, "fine" if memory.greeted else "first")
            )
        reading = await self._intent(turn, memory)
        if reading.why.get("everyday") == "not_needed":
            return self._say(turn, "fine")
        act = reading.act
        if act is Intent.YES_HELPED:
            return self._helped(turn, memory)
        if act is Intent.THANKS:
            return self._say(turn, "thanks")
        return self._say(turn, "bye") if act is Intent.BYE else None

    def _attachment(self, turn: Turn) -> Outcome:
        kind = _SEEN.get(turn.attachments[0].media, "other")
        if turn.attachments[0].mime == "message/rfc822":  # a whole letter: nobody sent a file
            kind = "other"
        if tries_of(turn.attachments[0]):
            return self._say(turn, "voice_unclear", offered=True)
        if kind in _PERSON_HELPS:
            return self._say(turn, kind, offered=True)
        return self._say(turn, kind)

    def _wordless(self, turn: Turn, text: str, memory: DialogState) -> Outcome:
        if "?" in text:
            return self._say(
                turn,
                "wondering" if memory.answered or is_clarifying(memory.stage) else "unclear",
                offered=True,
            )
        return self._say(turn, "unclear", offered=True) if is_signs(text) else self._say(turn, "emoji")

    def _helped(self, turn: Turn, memory: DialogState) -> Outcome:
        events = (
            (Event("feedback", data={"article": memory.article, "helped": True}),)
            if memory.article and memory.answered
            else ()
        )
        key = "faq.helped" if memory.article and memory.answered else "small.fine"
        return replace(said(turn, self._speaker, key), reason="helped", events=events)

    def _say(self, turn: Turn, key: str, *, offered: bool = False) -> Outcome:
        memory = DialogState.of(turn)
        if offered or key in ("emoji", "sticker", "location"):
            stage = interrupted(memory.stage, person_offered=offered)
            state = memory.now(turn, stage=stage, spare=memory.spare, earlier=memory.earlier)
        else:
            state = memory.now(turn, earlier=memory.listed)
        buttons = [human_button(turn, self._texts)] if offered else []
        return replace(said(turn, self._speaker, f"small.{key}", buttons=buttons), reason=key, state=state)
