"""What the customer does with the words, read once per turn; an article's own question is a question, whatever it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from bot.dialogs.hearing import fold, language_of
from bot.dialogs.memory import Memory
from bot.dialogs.sources import Knowledge, ReadAct, Reading
from bot.model import Act, Turn

OWN = 85  # how alike (0..100) words and an article's own question are to be that question
SURE = 0.9  # so upset (0..1) nobody asks a question by the way


@dataclass(frozen=True, slots=True)
class Question:
    """A question, said calmly."""

    act: Act = Act.QUESTION
    upset: float = 0.0


class Intent:
    """Reads the act; where it is not plainly a question or a call for a person, the articles are asked whether it is theirs.

    Shared by the dialogs of a bot: the reading of the newest turns is kept.
    """

    def __init__(self, read_act: ReadAct, knowledge: Knowledge | None = None) -> None:
        self._read_act, self._knowledge = read_act, knowledge
        self._read: dict[tuple[int, str, bool], Reading] = {}

    async def __call__(self, turn: Turn, memory: Memory) -> Reading:
        key = (turn.id, turn.text, memory.answered)
        if key not in self._read:
            while len(self._read) >= 64:
                self._read.pop(next(iter(self._read)))
            self._read[key] = await self._reading(turn, memory)
        return self._read[key]

    async def _reading(self, turn: Turn, memory: Memory) -> Reading:
        reading = self._read_act(turn.text, answered=memory.answered)
        calm = reading.act is Act.QUESTION and reading.upset < 0.5
        if self._knowledge is None or calm or reading.act is Act.HUMAN or reading.upset >= SURE:
            return reading
        return Question() if await self._is_own(turn, self._knowledge) else reading

    async def _is_own(self, turn: Turn, knowledge: Knowledge) -> bool:
        language = language_of(turn)
        segment = turn.customer.fields if turn.customer else {}
        answer = await knowledge.ask(turn.text, language=language, channel=turn.conversation.peer.channel, segment=segment, today=turn.now.date())
        found = [knowledge.article(c.article, language) for c in answer.candidates[:2]]
        return any(is_own_question(turn.text, article.questions) for article in found if article is not None)


def is_own_question(text: str, questions: Sequence[str]) -> bool:
    """Whether *text* is one of an article's *questions*, give or take an ending or an order of words."""
    said = fold(text)
    return any(fuzz.token_sort_ratio(said, fold(q)) >= OWN for q in questions)
