"""Those who asked in vain are told that there is an answer now: who can be, and what is enqueued for each,
once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from bot.delivery.splitting import parts
from bot.i18n.texts import Texts
from bot.knowledge.articles.schema import Article
from bot.knowledge.quality.gaps import Gap, MissedQuestion
from bot.knowledge.search import Knowledge
from bot.model import Answer, Button, Customer, Decision, Event, Outbound, Peer, Priority, Status
from bot.storage.base import Store
from bot.text.pii import HIDDEN
from bot.web.services import WebServices

TOLD = "told_of_answer"
QUOTED = 160  # characters of a question that are said again


@dataclass(frozen=True, slots=True)
class UnansweredCustomer:
    """One customer who asked in vain and can be told now."""

    conversation: int
    peer: Peer
    customer: Customer | None
    question: str
    article: Article


@dataclass(slots=True)
class Audience:
    """Who asked a gap's questions: who can be told, and how many cannot or need not be."""

    waiting: list[UnansweredCustomer] = field(default_factory=list)
    told: int = 0
    helped: int = 0  # a person answered them
    unreachable: int = 0
    busy: int = 0  # in talks with a person right now


@dataclass(frozen=True, slots=True)
class GapFacts:
    """What is known of a gap's questions: whose they are, how they are answered now, when an article was
    `changed`, and what happened.
    """

    peers: Mapping[int, Peer]
    answers: Mapping[str, Answer]
    changed: Callable[[str], datetime | None]
    events: Sequence[Event]


async def audience(
    services: WebServices, knowledge: Knowledge, gap: Gap, facts: GapFacts, *, everyone: bool = False
) -> Audience:
    """Sort those who asked.

    Only whose own question is answered now counts; *everyone* takes in those whom a person answered.
    """
    found = Audience()
    told = [e for e in facts.events if e.kind == TOLD]
    for number, asked in groupby(
        sorted(gap.missed, key=lambda m: (m.conversation, m.at)), key=lambda m: m.conversation
    ):
        questions = [
            (m, a)
            for m in asked
            if (a := _answered(knowledge, m, facts.answers[m.question], facts.changed)) is not None
        ]
        if not questions:
            continue
        missed, article = questions[-1]
        peer = facts.peers.get(number)
        conversation = await services.store.conversation(peer) if peer else None
        if any(_was_told(e, gap, missed, article) for e in told):
            found.told += 1
        elif missed.replies and not everyone:
            found.helped += 1
        elif (
            peer is None
            or conversation is None
            or not conversation.reachable
            or peer.channel not in services.channels
        ):
            found.unreachable += 1
        elif conversation.status is not Status.BOT:
            found.busy += 1
        else:
            customer = await services.store.customer(conversation.customer) if conversation.customer else None
            shown = _shown(knowledge, article, peer, customer)
            if shown is None:  # it is not for them
                found.unreachable += 1
            else:
                found.waiting.append(UnansweredCustomer(number, peer, customer, missed.question, shown))
    return found


def _answered(
    knowledge: Knowledge, missed: MissedQuestion, answer: Answer, changed: Callable[[str], datetime | None]
) -> Article | None:
    """The article that answers the question now; not the one that did not help, unless it was changed
    since.
    """
    article = (
        knowledge.article(answer.article) if answer.decision is Decision.ANSWER and answer.article else None
    )
    if article is None:
        return None
    if missed.kind == "not_helped" and article.id == missed.article:
        at = changed(article.id)
        return article if at is not None and at > missed.at else None
    return article


def _was_told(event: Event, gap: Gap, missed: MissedQuestion, article: Article) -> bool:
    known = event.data.get("gap") == gap.id or event.data.get("article") in (
        article.id,
        article.twin_of or article.id,
    )
    return (
        event.conversation == missed.conversation and known and event.at is not None and event.at >= missed.at
    )


def _shown(knowledge: Knowledge, article: Article, peer: Peer, customer: Customer | None) -> Article | None:
    """The article as this customer may be shown it, in their language where there is a twin."""
    return knowledge.article_for(
        article.id,
        language=customer.language if customer else "",
        channel=peer.channel,
        segment=customer.fields if customer else {},
    )


async def tell(
    store: Store,
    services: WebServices,
    texts: Texts,
    gap: Gap,
    waiting: Sequence[UnansweredCustomer],
    now: datetime,
) -> int:
    """Enqueue a short message to each and remember it with it, all in one transaction. Returns how many."""
    limits = {name: channel.limits for name, channel in services.channels.items()}
    say = [part for one in waiting for part in parts(_message(texts, services.language, one), limits)]
    events = [
        Event(
            TOLD,
            now,
            one.conversation,
            actor="editor",
            data={
                "gap": gap.id,
                "article": one.article.twin_of or one.article.id,
                "channel": one.peer.channel,
            },
        )
        for one in waiting
    ]
    if say:
        await store.enqueue(say, now, events=events)
        services.enqueued()
    return len(waiting)


def _message(texts: Texts, language: str, one: UnansweredCustomer) -> Outbound:
    lang = one.customer.language if one.customer else language
    question = " ".join(one.question.split())
    if HIDDEN in question or len(question) > QUOTED:
        question = ""
    text = texts.say(
        "told.answer",
        lang=lang,
        customer=one.customer,
        question=question.rstrip(" .…"),
        title=one.article.title,
    )
    button = Button(texts.text("told.show", lang=lang), "article", one.article.id)
    return Outbound(one.peer, text, ((button,),), priority=Priority.BULK, on_uncertain="hold", author="bot")
