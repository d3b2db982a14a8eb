"""A draft article that the assistant makes of operators' words, for an editor: what they did not say is a
blank to be filled, and nothing of it is published by itself.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.adapters.sanitize import clean_text
from bot.assistant.task import Assistant, Task
from bot.delivery.operator_assistant import said
from bot.delivery.sentence_support import SentenceSupport
from bot.knowledge.articles.blanks import blanks
from bot.knowledge.quality.gaps import Gap
from bot.knowledge.search import Knowledge
from bot.text.markdown import to_rich
from bot.text.pii import mask

REPLIES, QUESTIONS, NEAR = 12, 8, 2  # that are shown to the assistant, with articles like it
LONGEST = 1500  # characters of an article that shows how the base speaks
TITLE = 80
_BREAKS = re.compile(r"[\[\]\n\r]+")


@dataclass(frozen=True, slots=True)
class MadeDraft:
    """Title and body of a draft; its *sources* are the operators' words it is made of. *doubtful* sentences
    became blanks.
    """

    title: str
    body: str
    sources: tuple[str, ...]
    doubtful: int


class ArticleDrafts:
    """Asks *assistant* for them."""

    def __init__(self, assistant: Assistant, knowledge: Knowledge, supports: SentenceSupport) -> None:
        self._assistant, self._knowledge, self._supports = assistant, knowledge, supports

    async def write(self, gap: Gap, language: str, by: str, blank: str) -> MadeDraft | None:
        """A draft about *gap*; None where nothing of the reply could be used. *blank* is what an editor has
        to fill in, with `{what}` in it. Raises `AssistantError`.
        """
        replies = {f"r{n}": mask(reply) for n, reply in enumerate(gap.replies[:REPLIES], 1)}
        if not replies:
            return None
        data = {
            "questions": [mask(q) for q in gap.questions[:QUESTIONS]],
            "replies": [{"id": id, "text": text} for id, text in replies.items()],
            "articles": await asyncio.to_thread(self._near, gap),
        }
        task = Task(
            name="article_draft",
            audience="editors",
            data=data,
            language=language,
            shape="json",
            by=by,
            longest=2000,
        )
        reply = await self._assistant.complete(task)
        return self._made(reply.data, replies, blank)

    def _made(self, found: Mapping[str, object], replies: Mapping[str, str], blank: str) -> MadeDraft | None:
        """law: what no operator said is a blank, which keeps the draft from being published."""
        lines, used, doubtful = list[str](), dict[str, str](), 0
        for text, source in said(found):
            plain = mask(text)
            if source in replies and not blanks(plain) and self._supports(plain, replies[source]):
                used[source] = replies[source]
                lines.append(plain)
            elif (own := blanks(plain)) and plain in own:
                lines.append(plain)
            else:
                doubtful += 1
                lines.append(blank.replace("{what}", _BREAKS.sub(" ", plain)[:200]))
        if not used:
            return None
        title = found.get("title")
        named = _BREAKS.sub(" ", clean_text(mask(title))).strip(" #»«\"'") if isinstance(title, str) else ""
        return MadeDraft(named[:TITLE], "\n\n".join(_paragraphs(lines)), tuple(used.values()), doubtful)

    def _near(self, gap: Gap) -> list[dict[str, str]]:
        """How the base speaks: public articles that are like it."""
        answer = self._knowledge.answer(gap.question)
        found = (self._knowledge.article(c.article) for c in answer.candidates[:NEAR])
        return [{"title": a.title, "text": to_rich(a.lead).text[:LONGEST]} for a in found if a is not None]


def _paragraphs(lines: Sequence[str]) -> list[str]:
    """Sentences as paragraphs of the article: the answer first, blanks by themselves."""
    paragraphs: list[list[str]] = []
    for line in lines:
        alone = bool(blanks(line))
        if alone or not paragraphs or blanks(paragraphs[-1][-1]) or len(paragraphs[-1]) >= 3:
            paragraphs.append([line])
        else:
            paragraphs[-1].append(line)
    return [" ".join(p) for p in paragraphs]
