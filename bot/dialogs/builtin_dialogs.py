"""The dialogs that come with the bot, made in one place: the live bot, `bot ask` and the pages can only say
the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.dialogs.about import AboutBusiness, BusinessFacts
from bot.dialogs.base import Dialog
from bot.dialogs.everyday import everyday_of
from bot.dialogs.faq import Composing, Faq
from bot.dialogs.greeting import Greeting
from bot.dialogs.human import HumanRequest
from bot.dialogs.intent import IntentReader
from bot.dialogs.menu import MenuButtons, SectionMenu
from bot.dialogs.protocols import Escalation, IntentDetector, KnowledgeSource
from bot.dialogs.smalltalk import SmallTalk
from bot.i18n.texts import Texts


@dataclass(frozen=True, slots=True)
class BuiltinDialogs:
    """`dialogs` by the name that `dialogs.order` uses; `intent` reads for them all."""

    intent: IntentReader
    faq: Faq
    dialogs: dict[str, Dialog]


@dataclass(frozen=True, slots=True)
class DialogParts:
    """What they are made with besides: *facts* of the business; the greeting offers the menu of sections,
    which shows the buttons of *menu*, too (None: it does not); *compose* picks answers out of articles.
    """

    facts: BusinessFacts = field(default_factory=BusinessFacts)
    menu: MenuButtons | None = lambda _: ()
    compose: Composing | None = None


def our_dialogs(
    texts: Texts,
    read_act: IntentDetector,
    knowledge: KnowledgeSource,
    escalate: Escalation | None,
    parts: DialogParts = DialogParts(),
) -> BuiltinDialogs:
    """Without *escalate* what needs a person is left to whoever asked (None)."""
    menu = parts.menu
    everyday = everyday_of(texts)
    intent = IntentReader(read_act, knowledge, everyday)
    faq = Faq(texts, intent, knowledge, escalate=escalate, compose=parts.compose)
    sections = SectionMenu(texts, everyday, faq, knowledge, menu or (lambda _: ()))
    dialogs: dict[str, Dialog] = {
        "menu": sections,
        "greeting": Greeting(texts, intent, knowledge, faq=faq, menu=sections if menu is not None else None),
        "about": AboutBusiness(texts, everyday, faq, parts.facts),
        "smalltalk": SmallTalk(texts, intent),
        "faq": faq,
    }
    if escalate is not None:
        dialogs = {"human": HumanRequest(texts, intent, escalate), **dialogs}
    return BuiltinDialogs(intent, faq, dialogs)
