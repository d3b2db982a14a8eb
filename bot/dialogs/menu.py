"""The sections of the base as buttons: a section shows its articles, an article is answered, and back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.dialogs.dialog_state import DialogState, is_first_contact
from bot.dialogs.everyday import EverydayPhrases
from bot.dialogs.faq import Faq
from bot.dialogs.options import labels_of, names_of
from bot.dialogs.protocols import ArticleText, KnowledgeSource
from bot.dialogs.reply import ReplyContext, human_button, said
from bot.dialogs.short_answers import language_of
from bot.i18n.texts import Texts
from bot.model import Button, Event, Outcome, RichText, Rows, Turn
from bot.text.markdown import join

OPEN, READ = "menu", "menu_article"  # the actions of its buttons
# of one page: with the row below them they fit under a message of any channel (ten buttons, six rows); where
# nothing is to be turned over, one section more
SECTIONS, ARTICLES = 8, 5
FLOWS = 4  # buttons of flows above the sections
BETWEEN = "\n"  # in the value of a button: page, section, article
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MenuPlace:
    """Where in the menu: the path of the section ("" = all of them), its page from 0, the article to be read
    ("" = none).
    """

    section: str = ""
    page: int = 0
    article: str = ""

    @classmethod
    def read(cls, value: str) -> MenuPlace:
        page, section, article = (*value.split(BETWEEN, 2), "", "")[:3]
        return cls(section, int(page) if page.isdecimal() else 0, article)

    @property
    def value(self) -> str:
        return BETWEEN.join((str(self.page), self.section, self.article))


@dataclass(frozen=True, slots=True)
class MenuPage:
    """The sections and the articles of a page, the path of the section they are in, and how many pages it
    has.
    """

    place: MenuPlace
    pages: int
    sections: tuple[str, ...] = ()
    articles: tuple[ArticleText, ...] = ()


MenuButtons = Callable[[Turn], Sequence[Button]]  # what else a menu shows: the flows of the owner


class SectionMenu:
    """Hears `/menu`, a word for it, and its own buttons.

    Words that an article answers surely are answered with it: a restaurant's menu is an article.
    """

    def __init__(
        self,
        texts: Texts,
        everyday: EverydayPhrases,
        faq: Faq,
        knowledge: KnowledgeSource,
        more: MenuButtons = lambda _: (),
    ) -> None:
        self._more = more
        self._texts, self._everyday, self._faq, self._knowledge = texts, everyday, faq, knowledge
        self._speaker = ReplyContext(texts, "menu")

    async def __call__(self, turn: Turn) -> Outcome | None:
        text = turn.text.strip()
        if turn.press is not None and not text:
            if turn.press.action not in (OPEN, READ):
                return None
            place = MenuPlace.read(turn.press.value)
            return self._read(turn, place) if turn.press.action == READ else self._show(turn, place)
        if not text or self._everyday.topic(text) != "menu":
            return None
        if not text.startswith("/") and await self._faq.is_sure(turn, text):
            return await self._faq(turn)
        return self._show(turn, MenuPlace())

    def button(self, turn: Turn) -> Button | None:
        """«Разделы», where there are at least two to choose from."""
        sections = children(self._articles(turn), "", tuple(self._knowledge.sections))
        if len(sections) + len(self._more(turn)) < 2:
            return None
        label = self._texts.text("menu.button", lang=language_of(turn, self._texts.lang))
        return Button(label, OPEN, MenuPlace().value)

    def _articles(self, turn: Turn) -> Sequence[ArticleText]:
        """What this customer may be shown, in their language where anything is written in it."""
        language = language_of(turn, self._texts.lang)
        shown = self._knowledge.shown_to(
            language=language,
            channel=turn.conversation.peer.channel,
            segment=turn.customer.fields if turn.customer else {},
        )
        return [a for a in shown if a.lang == language] or shown

    def _read(self, turn: Turn, place: MenuPlace) -> Outcome | None:
        """An article, with the way back to its section."""
        shown = self._faq.show(turn, place.article)
        if shown is None:  # it is there no more: what is there now
            return self._show(turn, replace(place, article=""))
        language = language_of(turn, self._texts.lang)
        back = self._back(turn, replace(place, article=""), language)
        *before, last = shown.messages
        *rows, bottom = last.buttons or ((),)
        return replace(shown, messages=(*before, replace(last, buttons=(*rows, (back, *bottom)))))

    def _show(self, turn: Turn, place: MenuPlace) -> Outcome:
        articles = self._articles(turn)
        page = page_of(articles, place, tuple(self._knowledge.sections))
        language = language_of(turn, self._texts.lang)
        memory = DialogState.of(turn)
        greeting = ["hello.short"] if not memory.greeted and is_first_contact(turn) else []
        flows = self._more(turn)[:FLOWS] if not page.place.section and not page.place.page else ()
        if not page.sections and not page.articles and not flows:
            empty = said(
                turn, self._speaker, *greeting, "menu.empty", buttons=[human_button(turn, self._texts)]
            )
            return replace(empty, reason="menu_empty")
        titles = names_of(page.articles)
        named = [a for a in page.articles if a.id in titles]
        lines = join(
            (
                self._texts.say("faq.option", lang=language, number=n, title=titles[a.id])
                for n, a in enumerate(named, 1)
            ),
            "\n",
        )
        facts = {"page": page.place.page + 1, "pages": page.pages}
        key = "menu.section" if page.place.section else "menu.sections"
        title = self._name(page.place.section, language) if page.place.section else ""
        told: list[str | RichText] = [*greeting, key, *([lines] if lines else [])]
        rows = [tuple(flows[i : i + 2]) for i in range(0, len(flows), 2)]
        buttons = (*rows, *self._buttons(turn, page, [titles[a.id] for a in named], named))
        return replace(
            said(turn, self._speaker, *told, buttons=buttons, facts={**facts, "title": title}),
            reason="menu",
            state=memory.now(turn, earlier=tuple(a.id for a in named)),
            events=(Event("menu_opened", data={"section": page.place.section, "page": page.place.page}),),
        )

    def _buttons(
        self, turn: Turn, page: MenuPage, titles: Sequence[str], articles: Sequence[ArticleText]
    ) -> Rows:
        language, place = language_of(turn, self._texts.lang), page.place
        sections = [Button(self._name(s, language), OPEN, MenuPlace(s).value) for s in page.sections]
        width = 2 if not articles else 1
        rows = [tuple(sections[i : i + width]) for i in range(0, len(sections), width)]
        labels = labels_of(titles)
        rows += [
            (Button(f"{n}. {label}", READ, replace(place, article=a.id).value),)
            for n, (label, a) in enumerate(zip(labels, articles, strict=True), 1)
        ]
        below = []
        if place.page > 0:
            below.append(self._turning("earlier", replace(place, page=place.page - 1), language))
        if place.section:
            below.append(self._back(turn, MenuPlace(place.section.rpartition("/")[0]), language))
        if place.page + 1 < page.pages:
            below.append(self._turning("next", replace(place, page=place.page + 1), language))
        return (*rows, tuple(below) if below else (human_button(turn, self._texts),))

    def _turning(self, key: str, place: MenuPlace, language: str) -> Button:
        return Button(self._texts.text(f"menu.{key}", lang=language), OPEN, place.value)

    def _back(self, turn: Turn, place: MenuPlace, language: str) -> Button:
        name = (
            self._name(place.section, language)
            if place.section
            else self._texts.text("menu.all", lang=language)
        )
        return Button(self._texts.text("menu.back", lang=language, title=name), OPEN, place.value)

    def _name(self, section: str, language: str) -> str:
        """What the section is called: as `_sections.yaml` says, else by the topic of its articles, else by
        its folder.
        """
        given = self._knowledge.sections.get(section, {})
        if name := given.get(language) or given.get(""):
            return name
        inside = [a for a in self._knowledge.shown_to() if a.section == section and a.topic]
        spoken = [a.topic for a in inside if bool(_CYRILLIC.search(a.topic)) is (language == "ru")]
        found = Counter(spoken).most_common(1)
        folder = section.rpartition("/")[2].replace("-", " ").replace("_", " ").strip()
        name = found[0][0] if found else next(iter(given.values()), folder)
        return name[:1].upper() + name[1:]


def children(articles: Sequence[ArticleText], section: str, order: Sequence[str]) -> tuple[str, ...]:
    """The sections right below *section* that hold articles: those of *order* first, the others by path."""
    above = f"{section}/" if section else ""
    found = {
        above + a.section[len(above) :].split("/")[0]
        for a in articles
        if a.section.startswith(above) and a.section[len(above) :]
    }
    known = {name: n for n, name in enumerate(order)}
    return tuple(sorted(found, key=lambda s: (known.get(s, len(known)), s)))


def page_of(articles: Sequence[ArticleText], place: MenuPlace, order: Sequence[str]) -> MenuPage:
    """The page at *place*; of a section that is there no more the first page of all, of a page beyond the end
    the last.
    """
    sections = children(articles, place.section, order)
    here = [a for a in articles if a.section == place.section]
    if place.section and not sections and not here:
        return page_of(articles, MenuPlace(), order)
    items: list[str | ArticleText] = [*sections, *here]
    size = ARTICLES if here else SECTIONS + 1 if len(items) == SECTIONS + 1 else SECTIONS
    pages = max(1, -(-len(items) // size))
    page = min(place.page, pages - 1)
    shown = items[page * size : (page + 1) * size]
    return MenuPage(
        MenuPlace(place.section, page),
        pages,
        tuple(i for i in shown if isinstance(i, str)),
        tuple(i for i in shown if not isinstance(i, str)),
    )
