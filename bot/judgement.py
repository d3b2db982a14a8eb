"""Act and knowledge together: what the bot would do with a question by itself, without a conversation around it."""

from __future__ import annotations

from dataclasses import replace

from bot.knowledge.acts import read_act
from bot.knowledge.search import Knowledge
from bot.model import Act, Answer, Decision

_TO_A_PERSON = {Act.HUMAN, Act.UPSET}


def judge(knowledge: Knowledge, text: str, *, answered: bool = False, language: str = "") -> Answer:
    """The answer the bot would give to *text*; *answered* tells that an answer was shown just before.

    A person asked for or needed is a handoff whatever the articles say; small talk is answered without an article.
    """
    reading = read_act(text, answered=answered)
    if reading.act in _TO_A_PERSON and knowledge.owns(text):
        reading = replace(reading, act=Act.QUESTION)
    found = knowledge.answer(text, language=language)
    why = {**found.why, "act": str(reading.act), "upset": round(reading.upset, 3)}
    if reading.act in _TO_A_PERSON:
        return replace(found, act=reading.act, decision=Decision.HANDOFF, article=None, why=why)
    if reading.act is not Act.QUESTION:
        return replace(found, act=reading.act, decision=Decision.ANSWER, article=None, why=why)
    return replace(found, why=why)
