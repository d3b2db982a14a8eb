"""What the customer does with the words, read once per turn; an article's own question is a question,
whatever it looks like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.everyday import EverydayPhrases
from bot.dialogs.protocols import IntentDetector, IntentReading, KnowledgeSource
from bot.dialogs.short_answers import by_title, fold, language_of
from bot.model import Intent, Json, Turn

OWN = 85  # how alike (0..100) words and an article's own question are to be that question
CLEAR = 0.75  # so sure (0..1) of an act that is not a question, that the articles need not be asked
COVERED = 0.85  # so well (0..1) the articles cover words that may as well be a question
SURE = 0.9  # so upset (0..1) nobody asks a question by the way


@dataclass(frozen=True, slots=True)
class Question:
    """A question, said calmly; or what it is read as where the words are everyday ones."""

    act: Intent = Intent.QUESTION
    upset: float = 0.0
    why: Json = field(default_factory=dict)


_SETTLED = (
    Intent.YES_HELPED,
    Intent.THANKS,
    Intent.BYE,
)  # "solved, thanks": says more than that nothing is needed any more


class IntentReader:
    """Reads the act; where it is not plainly a question or a call for a person, the articles are asked
    whether it is theirs.

    Shared by the dialogs of a bot: the reading of the newest turns is kept.
    """

    def __init__(
        self,
        read_act: IntentDetector,
        knowledge: KnowledgeSource | None = None,
        everyday: EverydayPhrases | None = None,
    ) -> None:
        self._read_act, self._knowledge, self._everyday = read_act, knowledge, everyday
        self._read: dict[tuple[int, str, bool], IntentReading] = {}

    async def __call__(self, turn: Turn, memory: DialogState) -> IntentReading:
        key = (turn.id, turn.text, memory.answered)
        if key not in self._read:
            while len(self._read) >= 64:
                self._read.pop(next(iter(self._read)))
            self._read[key] = await self._reading(turn, memory)
        return self._read[key]

    async def _reading(self, turn: Turn, memory: DialogState) -> IntentReading:
        reading = self._read_act(turn.text, answered=memory.answered)
        topic = self._everyday.topic(turn.text) if self._everyday else ""
        if topic == "person":
            return Question(Intent.HUMAN)
        if topic == "not_needed" and memory.answered and reading.act in _SETTLED:
            return reading
        if topic:
            return Question(why={"everyday": topic})
        calm = reading.act is Intent.QUESTION and reading.upset < 0.5
        if self._knowledge is None or calm or reading.act is Intent.HUMAN:
            return reading
        language = language_of(turn)
        titles = [a.title for i in memory.options if (a := self._knowledge.article(i, language))]
        if titles and by_title(turn.text, titles) is not None:
            return Question()
        doubtful = _chance(reading) < CLEAR and (reading.upset < 0.6 or len(turn.text.split()) == 1)
        if not doubtful and reading.upset >= SURE:
            return reading
        return Question() if await self._is_known(turn, self._knowledge, language, doubtful) else reading

    async def _is_known(self, turn: Turn, knowledge: KnowledgeSource, language: str, doubtful: bool) -> bool:
        segment = turn.customer.fields if turn.customer else {}
        channel = turn.conversation.peer.channel
        answer = await knowledge.ask(turn.text, language=language, channel=channel, segment=segment)
        if doubtful and answer.scope >= COVERED:
            return True
        found = [knowledge.article(c.article, language) for c in answer.candidates[:2]]
        return any(is_own_question(turn.text, article.questions) for article in found if article is not None)


def _chance(reading: IntentReading) -> float:
    """How sure the reading is of its act, 0..1."""
    chances = reading.why.get("chances")
    chance = chances.get(reading.act.value, 0.0) if isinstance(chances, Mapping) else 1.0
    return chance if isinstance(chance, int | float) else 1.0


def is_own_question(text: str, questions: Sequence[str]) -> bool:
    """Whether *text* is one of an article's *questions*, give or take an ending or an order of words."""
    said = fold(text)
    return any(fuzz.token_sort_ratio(said, fold(q)) >= OWN for q in questions)
