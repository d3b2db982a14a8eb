"""How an article would look in a chat: the very messages that the dialogs enqueue, split by the limits of
each kind of channel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bot.adapters.base import Limits
from bot.adapters.playground.adapter import MAX, TELEGRAM, VK
from bot.adapters.rich_text import ALL_STYLES, MAX_STYLES, VK_STYLES, split
from bot.delivery.splitting import parts
from bot.dialogs.article_rendering import portion
from bot.dialogs.faq import Faq
from bot.dialogs.intent import IntentReader
from bot.dialogs.personal_articles import personal
from bot.dialogs.protocols import ArticleText, KnowledgeSource
from bot.i18n.texts import Texts
from bot.knowledge.base import QuestionContext
from bot.knowledge.query.intents import read_act
from bot.model import Answer, Conversation, Customer, HistoryEntry, Outbound, Peer, Turn

SKINS: Mapping[str, Limits] = {"telegram": TELEGRAM, "vk": VK, "max": MAX}
STYLES = {"telegram": ALL_STYLES, "vk": VK_STYLES, "max": MAX_STYLES}  # what each shows
TEXT = 4096  # UTF-16 units of one message, the same on both


@dataclass(frozen=True, slots=True)
class ArticlePreview:
    """What comes at once, and what «Подробнее» brings; each a message with its buttons."""

    answer: tuple[Outbound, ...]
    more: tuple[Outbound, ...] = ()


class WithDraft:
    """The articles with one that is not written yet, for those who show it."""

    def __init__(self, knowledge: KnowledgeSource, draft: ArticleText, family: str) -> None:
        self._knowledge, self._draft, self._family = knowledge, draft, family
        self.folder = knowledge.folder

    @property
    def sections(self) -> Mapping[str, Mapping[str, str]]:
        return self._knowledge.sections

    def shown_to(
        self, *, language: str = "", channel: str = "", segment: Mapping[str, object] = MappingProxyType({})
    ) -> Sequence[ArticleText]:
        return self._knowledge.shown_to(language=language, channel=channel, segment=segment)

    async def ask(
        self,
        question: str,
        *,
        language: str = "",
        channel: str = "",
        segment: Mapping[str, object] = MappingProxyType({}),
        context: QuestionContext | None = None,
    ) -> Answer:
        return await self._knowledge.ask(
            question, language=language, channel=channel, segment=segment, context=context
        )

    def article(self, id: str, language: str = "") -> ArticleText | None:
        """The draft in place of its file; its twin where that is in the language."""
        mine = id in (self._draft.id, self._family)
        if mine and language in ("", self._draft.lang):
            return self._draft
        found = self._knowledge.article(id if not mine else self._family, language)
        return self._draft if mine and (found is None or found.lang != language) else found

    def article_for(
        self,
        id: str,
        *,
        language: str = "",
        channel: str = "",
        segment: Mapping[str, object] = MappingProxyType({}),
    ) -> ArticleText | None:
        """Whoever looks at an article before it is published may see every one."""
        return self.article(id, language)


def preview(
    texts: Texts, knowledge: KnowledgeSource, article: str, *, skin: str, now: datetime, language: str = ""
) -> ArticlePreview | None:
    """The messages of *article* (a draft too) in one of `SKINS`; None where there is no such article."""
    found = knowledge.article(article)
    if found is None:
        return None
    source = knowledge if isinstance(knowledge, WithDraft) else WithDraft(knowledge, found, found.id)
    faq = Faq(texts, IntentReader(read_act, source), source)
    lang = language or str(getattr(found, "lang", "ru"))
    turn = Turn(
        id=1,
        conversation=Conversation(1, Peer(skin, "1"), customer=1),
        inbounds=(),
        now=now,
        customer=Customer(1, language=lang),
        history=(HistoryEntry(now, "bot", ""),),
    )
    shown = faq.show(turn, article)
    limits = {skin: SKINS[skin]}
    answer = tuple(part for outbound in (shown.messages if shown else ()) for part in parts(outbound, limits))
    part, peer = portion(personal(found, texts, turn.customer, now)), Peer(skin, "1")
    files = tuple(file.attachment(knowledge.folder) for _, file in part.left_files)
    left = (*([Outbound(peer, attachments=files)] if files else []), Outbound(peer, part.rest))
    more = [piece for outbound in left for piece in parts(outbound, limits)] if part.rest else []
    return ArticlePreview(answer, tuple(more))


def messages(article: ArticleText) -> Sequence[Sequence[str]]:
    """The texts of an article as they would be sent: what is said at once, then the rest, each parted where
    it is too long.
    """
    told = portion(article)
    return [[piece.text for piece in split(text, TEXT)] for text in (told.text, told.rest) if text]
