"""«Мои идеи»: what a customer suggests is recognised, kept and thanked for; similar ones are counted
together, and everybody can see what became of theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.reply import ReplyContext, human_button, said
from bot.dialogs.short_answers import fold, language_of
from bot.dialogs.surveys.survey import stated
from bot.handoff.outreach.surveys import moment
from bot.i18n.texts import Texts
from bot.model import Button, Event, Idea, IdeaSupport, NewIdea, Outcome, Turn
from bot.text.graphemes import shorten
from bot.text.pii import mask

NAME = "ideas"
WAITED = timedelta(hours=2)  # for so long the next message is the idea that was asked for
LEAST, LONGEST = 2, 600  # words after the beginning, characters that are kept
LISTED, SHOWN, LABEL = 8, 3, 60
FINISHED = frozenset({"done", "declined"})
LOOKED_AT = frozenset({"considered", "planned"})  # what a supervisor has read: other customers may see it
ReadIdeas = Callable[[], Awaitable[Sequence[Idea]]]
FindAlike = Callable[[str, Sequence[str]], int | None]  # the place of the text that means the same


class Ideas:
    """Stands before the ordinary dialogs and hears only what is about ideas."""

    def __init__(self, texts: Texts, ideas: ReadIdeas, alike: FindAlike) -> None:
        self._texts, self._ideas, self._alike = texts, ideas, alike
        self._speaker = ReplyContext(texts, NAME)
        self._begin = tuple(
            sorted((fold_lightly(b) for b in texts.options("ideas.begin")), key=len, reverse=True)
        )
        self._list = frozenset(map(fold, texts.options("ideas.list")))

    async def __call__(self, turn: Turn) -> Outcome | None:
        if turn.press is not None:
            return await self._pressed(turn)
        text = turn.text.strip()
        if not text or DialogState.of(turn).form:
            return None
        if fold(text) in self._list:
            return await self._listed(turn)
        begun = self._after_beginning(text)
        if begun is None:
            waits = self._waits(turn) and not text.startswith("/") and "?" not in text
            return await self._kept(turn, text) if waits else None
        if text.startswith("/") and not begun:
            return self._asked(turn)
        if len(begun.split()) >= LEAST:
            return await self._kept(turn, begun) if "?" not in begun else None
        return self._asked(turn) if not begun else None

    # --- what is said

    def _asked(self, turn: Turn) -> Outcome:
        outcome = said(turn, self._speaker, "ideas.ask", buttons=[human_button(turn, self._texts)])
        return replace(outcome, reason="idea_asked", state=stated(turn, NAME, {"at": turn.now.isoformat()}))

    async def _kept(self, turn: Turn, text: str) -> Outcome:
        """Kept at once, whatever is asked afterwards: nothing that a customer suggests is lost."""
        words = " ".join(text.split())[:LONGEST]
        known = [i for i in await self._ideas() if not i.joined and i.text]
        visible = [i for i in known if i.status in LOOKED_AT and i.conversation != turn.conversation.id]
        place = await asyncio.to_thread(self._alike, words, [i.text for i in visible]) if visible else None
        language = language_of(turn, self._texts.lang)
        if place is None:
            outcome = said(turn, self._speaker, "ideas.kept", buttons=[human_button(turn, self._texts)])
        else:
            idea = visible[place]
            buttons = [
                Button(self._texts.text(f"ideas.button.{key}", lang=language), f"idea_{key}", str(idea.id))
                for key in ("same", "other")
            ]
            facts = {"text": _shown(idea.text), "count": await self._supporters(idea)}
            outcome = said(turn, self._speaker, "ideas.kept", "ideas.alike", buttons=buttons, facts=facts)
        return replace(
            outcome,
            reason="idea_kept",
            state=stated(turn, NAME, None),
            ideas=(NewIdea(words),),
            events=(Event("idea_given", data={"channel": turn.conversation.peer.channel}),),
        )

    async def _listed(self, turn: Turn) -> Outcome:
        """Theirs with what became of them, and those of others that are being considered."""
        everything = await self._ideas()
        heads = {i.id: i for i in everything if not i.joined}
        customer = turn.customer.id if turn.customer else None
        mine = [i for i in everything if i.conversation == turn.conversation.id or i.customer == customer]
        own = list(dict.fromkeys(i.joined or i.id for i in mine))
        language = language_of(turn, self._texts.lang)
        texts = {(i.joined or i.id): i.text for i in mine if i.text}
        rows = [
            {
                "text": _shown(texts.get(n) or heads[n].text),
                "status": self._texts.text(f"ideas.said.{heads[n].status}", lang=language),
                "reason": heads[n].reason,
            }
            for n in own
            if n in heads and (texts.get(n) or heads[n].text)
        ][-LISTED:]
        others = [i for i in heads.values() if i.status in LOOKED_AT and i.id not in own and i.text][-SHOWN:]
        buttons = [Button(f"👍 {_label(i.text)}", "idea_support", str(i.id)) for i in others]
        new = Button(self._texts.text("ideas.button.new", lang=language), "idea_new")
        keys = ["ideas.mine" if rows else "ideas.none", *(["ideas.support"] if others else [])]
        outcome = said(turn, self._speaker, *keys, buttons=[*buttons, new], facts={"ideas": rows})
        return replace(outcome, reason="ideas_listed")

    async def _pressed(self, turn: Turn) -> Outcome | None:
        press = turn.press
        if press is None or press.action not in ("idea_new", "idea_same", "idea_other", "idea_support"):
            return None
        if press.action == "idea_new":
            return self._asked(turn)
        if press.action == "idea_other":
            return replace(said(turn, self._speaker, "ideas.apart"), reason="idea_apart")
        outcome = replace(said(turn, self._speaker, "ideas.joined"), reason="idea_supported")
        event = Event("idea_supported", data={"channel": turn.conversation.peer.channel})
        support = IdeaSupport(int(press.value), own=press.action == "idea_same")
        return replace(outcome, ideas=(support,), events=(event,))

    # --- what was meant

    def _after_beginning(self, text: str) -> str | None:
        """What follows the words with which ideas begin; None where none of them does."""
        folded = fold_lightly(text)
        for begin in self._begin:
            rest = folded[len(begin) :]
            if folded.startswith(begin) and (not rest or not rest[0].isalnum()):
                return text[len(begin) :].strip(" \t\n:,.—–-!")
        return None

    def _waits(self, turn: Turn) -> bool:
        kept = DialogState.of(turn).rest.get(NAME)
        asked = moment(kept.get("at")) if isinstance(kept, Mapping) else None
        return asked is not None and turn.now - asked <= WAITED

    async def _supporters(self, idea: Idea) -> int:
        return len({i.conversation for i in await self._ideas() if idea.id in (i.id, i.joined)})


def fold_lightly(text: str) -> str:
    """Small letters and е for ё, each character in its place."""
    return text.strip().lower().replace("ё", "е")


def _shown(text: str) -> str:
    return shorten(mask(text), 200)


def _label(text: str) -> str:
    return shorten(mask(text), LABEL)
