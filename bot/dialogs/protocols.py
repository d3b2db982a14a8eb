"""What dialogs need from other packages, as the smallest shapes that do: who knows, who reads intentions, who
hands over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from bot.knowledge.articles.attached import AttachedFile
from bot.knowledge.base import QuestionContext
from bot.model import Answer, Button, Intent, Outcome, Turn


class PassageText(Protocol):
    """A part of an article: Markdown under a heading."""

    @property
    def heading(self) -> str: ...

    @property
    def text(self) -> str: ...


class ArticleText(Protocol):
    """What an answer is made of."""

    @property
    def id(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def section(self) -> str: ...

    @property
    def topic(self) -> str: ...

    @property
    def lang(self) -> str: ...

    @property
    def questions(self) -> Sequence[str]: ...

    @property
    def lead(self) -> str: ...

    @property
    def passages(self) -> Sequence[PassageText]: ...

    @property
    def buttons(self) -> Sequence[Button]: ...

    @property
    def attached(self) -> Sequence[AttachedFile]: ...


class KnowledgeSource(Protocol):
    """Who knows: asked with the words just said, and for articles by id."""

    folder: Path

    @property
    def sections(self) -> Mapping[str, Mapping[str, str]]:
        """What customers call the sections, by path and language, in the order of the menu."""
        ...

    def shown_to(
        self, *, language: str = "", channel: str = "", segment: Mapping[str, object] = ...
    ) -> Sequence[ArticleText]:
        """The articles that this customer may be shown."""
        ...

    async def ask(
        self,
        question: str,
        *,
        language: str = "",
        channel: str = "",
        segment: Mapping[str, object] = ...,
        context: QuestionContext | None = None,
    ) -> Answer: ...

    def article(self, id: str, language: str = "") -> ArticleText | None: ...

    def article_for(
        self, id: str, *, language: str = "", channel: str = "", segment: Mapping[str, object] = ...
    ) -> ArticleText | None:
        """The article, where this customer may be shown it."""
        ...


class IntentReading(Protocol):
    """What the customer does with the words, how angry they are, 0..1, and why: `chances` of each act where
    they are known.
    """

    @property
    def act(self) -> Intent: ...

    @property
    def upset(self) -> float: ...

    @property
    def why(self) -> Mapping[str, object]: ...


class IntentDetector(Protocol):
    """Reads the intention; `answered` tells that the bot's last word was an answer."""

    def __call__(self, text: str, *, answered: bool = False) -> IntentReading: ...


class Escalation(Protocol):
    """Hands over to a person (`Desk.escalate`)."""

    def __call__(
        self, turn: Turn, *, reason: str, apology: bool = False, answer: Answer | None = None
    ) -> Outcome: ...
