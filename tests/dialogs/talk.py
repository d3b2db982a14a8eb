"""A conversation with the dialogs alone: what is said goes through the flow, what it decides is remembered
for the next turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from bot.dialogs.base import Dialog
from bot.dialogs.builtin_dialogs import our_dialogs
from bot.dialogs.flow import Flow
from bot.dialogs.forms.form import Forms, FormShape
from bot.dialogs.greeting import Greeting
from bot.i18n.texts import Texts
from bot.knowledge.articles.attached import AttachedFile
from bot.knowledge.articles.schema import Article, lead_of, split_passages
from bot.knowledge.base import QuestionContext
from bot.knowledge.query.intents import read_act
from bot.model import (
    Answer,
    Attachment,
    Button,
    Candidate,
    Conversation,
    Customer,
    Decision,
    HistoryEntry,
    Inbound,
    InboundKind,
    Media,
    Outbound,
    Outcome,
    Peer,
    Press,
    Result,
    RichText,
    Sender,
    Status,
    Turn,
)  # fmt: skip

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WORDS = Texts.load()
PEER = Peer("telegram", "77")


def article(
    id: str,
    title: str,
    body: str,
    buttons: Sequence[Button] = (),
    images: Sequence[str] = (),
    lang: str = "ru",
) -> Article:
    return Article(
        id,
        title,
        lang=lang,
        body=body,
        passages=split_passages(body),
        lead=lead_of(body),
        buttons=tuple(buttons),
        attached=tuple(AttachedFile(path) for path in images),
    )


class Shelf:
    """A knowledge base of a few articles; `answers` says what is found for which words, everything else is
    out of scope.
    """

    def __init__(self, articles: Sequence[Article], answers: Mapping[str, Answer]) -> None:
        self.folder = Path("kb")
        self._articles = {a.id: a for a in articles}
        self._answers = dict(answers)
        self.heard: list[tuple[str, str, QuestionContext | None]] = []

    @property
    def sections(self) -> Mapping[str, Mapping[str, str]]:
        return {}

    def shown_to(
        self, *, language: str = "", channel: str = "", segment: Mapping[str, object] | None = None
    ) -> Sequence[Article]:
        return tuple(self._articles.values())

    async def ask(
        self,
        question: str,
        *,
        language: str = "",
        channel: str = "",
        segment: Mapping[str, object] = {},
        context: QuestionContext | None = None,
        today: date | None = None,
    ) -> Answer:
        self.heard.append((question, language, context))
        return self._answers.get(question, Answer(Decision.HANDOFF))

    def article(self, id: str, language: str = "") -> Article | None:
        return self._articles.get(id)

    def article_for(
        self, id: str, *, language: str = "", channel: str = "", segment: Mapping[str, object] = {}
    ) -> Article | None:
        return self._articles.get(id)


def found(*ids: str, passage: int = 0, sure: bool = True, lead: bool = False) -> Answer:
    """An answer of the catalog: sure of the first, or in doubt among them."""
    candidates = tuple(
        Candidate(i, TITLES[i], (0.6 - 0.3 * bool(n)) if lead else 0.9 - n / 10, passage)
        for n, i in enumerate(ids)
    )
    why = {"sentence": "because"}
    return Answer(
        Decision.ANSWER if sure else Decision.CLARIFY,
        candidates,
        article=ids[0] if sure else None,
        lead=lead,
        why=why,
        scope=0.95,
    )


LONG = (
    "Курьером — от 290 ₽.\n\n- В магазине бесплатно.\n\n## Цены по городам\n\n"
    + "| Город | Цена |\n|---|---|\n| Казань | 390 ₽ |\n\n"
    + "Ещё о ценах. " * 30
    + "\n\n## Крупные вещи\n\n"
    + "За большую коробку доплата. " * 20
)
ARTICLES = (
    article(
        "cost",
        "Стоимость доставки",
        LONG,
        [Button("Сроки", "article", "time"), Button("Сайт", url="https://a.example")],
    ),
    article("time", "Сроки доставки", "Два дня."),
    article("return", "Как вернуть товар", "За 14 дней.", images=["images/x.png", "images/y.svg"]),
    article("sizes", "Размеры", "Таблица."),
    article("bonus", "Бонусы и баллы", "Баллы копятся."),
)
TITLES = {a.id: a.title for a in ARTICLES}
ANSWERS = {
    "сколько стоит доставка": found("cost", "time", "return"),
    "а в Казань?": found("cost", passage=1),
    "почём доставка": found("cost", "time"),
    "доставка": found("cost", "time", "return", "sizes", "bonus", sure=False),
    "сроки": found("time", "cost"),
    "баллы": found("bonus", "sizes", "return", sure=False, lead=True),
    "хочу баллы": found("bonus", "sizes", "return", sure=False, lead=True),
    "как вернуть": found("return"),
    "how do I return it": found("return"),
    "что-то про доставку и баллы": found("cost", "bonus", sure=False),
    "привет, как вернуть": found("return"),
    "сломалось": found("return", sure=False),
}


@dataclass
class Talk:
    """One customer and the dialogs, in the order the app has them."""

    forms: Sequence[FormShape] = ()
    before: Sequence[tuple[str, Dialog]] = ()
    customer: Customer = Customer(1, "Анна")  # noqa: RUF009 - frozen
    timeout: float = 5.0
    words: Texts = WORDS
    now: datetime = NOW
    catalog: Shelf = field(default_factory=lambda: Shelf(ARTICLES, ANSWERS))
    state: Mapping[str, object] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    history: list[HistoryEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        forms = Forms(self.words, self.forms, self._desk)
        ours = our_dialogs(self.words, read_act, self.catalog, forms.escalate)
        greeting = Greeting(self.words, ours.intent, self.catalog, faq=ours.faq)
        human, *others = {**ours.dialogs, "greeting": greeting}.items()
        dialogs = (human, ("form", forms), *self.before, *others)
        self.flow = Flow(dialogs, timeout=self.timeout, escalate=forms.escalate, texts=self.words)

    def _desk(
        self, turn: Turn, *, reason: str, apology: bool = False, answer: Answer | None = None
    ) -> Outcome:
        text = RichText(f"ticket: {reason}{' sorry' if apology else ''}")
        why = dict(answer.why) if answer else {}
        return Outcome(
            "desk",
            Result.HANDED_OFF,
            reason,
            (Outbound(PEER, text),),
            state={},
            status=Status.WAITING,
            explanation=why,
        )

    async def says(self, *texts: str) -> str:
        return await self.does(*(self._inbound(text=text) for text in texts))

    async def sends(self, media: Media, text: str = "", **data: object) -> str:
        return await self.does(self._inbound(text=text, attachments=(Attachment(media, "ref", data=data),)))

    async def starts(self, payload: str = "") -> str:
        return await self.does(self._inbound(InboundKind.START, text=payload))

    async def presses(self, label: str) -> str:
        button = next(b for b in self.buttons if b.label == label)
        return await self.press(Press(button.action, button.value, label=label))

    async def press(self, press: Press | None) -> str:
        return await self.does(
            self._inbound(InboundKind.PRESS, press="1.0"), presses=(press,) if press else ()
        )

    async def waits(self, length: timedelta) -> str:
        """Time passes; the timers set by the last turn come due."""
        self.now += length
        due = [later for later in self.outcomes[-1].timers if later.due <= self.now]
        return (
            await self.does(*(self._inbound(InboundKind.INTERNAL, payload=later.payload) for later in due))
            if due
            else ""
        )

    async def does(self, *said: Inbound, presses: tuple[Press, ...] = ()) -> str:
        turn = Turn(
            len(self.outcomes) + 1,
            Conversation(1, PEER, 1, state=self.state),
            said,
            self.now,
            self.customer,
            history=tuple(self.history),
            presses=presses,
        )
        outcome = await self.flow(turn)
        self.outcomes.append(outcome)
        if outcome.state is not None:
            self.state = outcome.state
        if outcome.customer is not None:
            self.customer = outcome.customer
        self.history += [HistoryEntry(self.now, "customer", i.text) for i in said] + [
            HistoryEntry(self.now, "bot", o.text.text) for o in outcome.messages
        ]
        self.now += timedelta(seconds=30)
        return self.heard

    def _inbound(self, kind: InboundKind = InboundKind.MESSAGE, **more: object) -> Inbound:
        base = Inbound(str(len(self.outcomes)), PEER, Sender("77"), self.now, kind)
        return replace(base, **more)  # type: ignore[arg-type]

    @property
    def last(self) -> Outcome:
        return self.outcomes[-1]

    @property
    def heard(self) -> str:
        return "\n".join(o.text.text for o in self.last.messages)

    @property
    def buttons(self) -> tuple[Button, ...]:
        return tuple(b for o in self.last.messages for row in o.buttons for b in row)

    @property
    def labels(self) -> list[str]:
        return [b.label for b in self.buttons]
