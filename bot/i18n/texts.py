"""The words: a key and some facts become a text in the customer's language.

All words live in files, none in Python.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Template, TemplateError

from bot.errors import ConfigError, Problem
from bot.i18n.catalogue import (
    Catalogue,
    CatalogueEntry,
    fact_problems,
    mismatches,
    read_folder,
    twin_problems,
)
from bot.i18n.filters import Phrases
from bot.i18n.personal import PersonalTexts, facts_of
from bot.i18n.sandbox import Sandbox
from bot.model import Customer, RichText
from bot.text.markdown import fill, to_rich
from bot.text.problems import problem

LANGUAGES = ("ru", "en")
LOCALES = Path(__file__).parent / "locales"

log = logging.getLogger(__name__)


class Texts:
    """The catalogue of one bot: our own words with the owner's laid over them, key by key.

    `problems` are warnings found in the owner's words (a missing twin, a key that looks mistyped).
    """

    def __init__(
        self,
        own: Catalogue,
        *,
        lang: str,
        zone: tzinfo,
        facts: Mapping[str, object],
        problems: tuple[Problem, ...],
    ) -> None:
        self.lang, self.problems = lang, problems
        self._builtin, self._own = _sound(), own
        self._facts = {"business": "", **facts}
        self._sandbox = Sandbox(Phrases(self.text, zone).filters())
        self._personal = PersonalTexts(Phrases(self.text, zone).filters())
        self._compiled: dict[str, Template] = {}
        self._labels: dict[tuple[str, str], RichText] = {}

    @classmethod
    def load(
        cls,
        lang: str = "ru",
        overrides: Path | None = None,
        *,
        zone: tzinfo | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> Texts:
        """The built-in words with the files of *overrides* over them. *facts* are known to every template
        (`business`: its name).

        Raises ConfigError with every fault of the owner's files at once.
        """
        own: dict[tuple[str, str], CatalogueEntry] = {}
        problems: tuple[Problem, ...] = ()
        if overrides is not None:
            ours, problems = builtin()
            own, found = read_folder(overrides, _grammar())
            problems = (
                *problems,
                *found,
                *fact_problems(own, ours),
                *twin_problems({**ours, **own}, LANGUAGES, strict=False),
            )
        if any(p.severity == "error" for p in problems):
            raise ConfigError(problems)
        return cls(
            own,
            lang=lang,
            zone=zone or ZoneInfo("Europe/Moscow"),
            facts=facts or {},
            problems=tuple(problems),
        )

    def say(self, key: str, *, lang: str | None = None, **facts: object) -> RichText:
        """The text of *key*. Facts are shown as they are, whatever they hold; `seed` chooses among variants.

        Raises ConfigError when there is no such key, or a fact that the template needs is not given. Where
        the owner's words fail, ours are said instead and the fault is logged.
        """
        if not facts and (known := self._labels.get((key, lang or self.lang))) is not None:
            return known
        for entry in self._entries(key, lang or self.lang):
            try:
                rendered = self._render(entry, facts)
                if not facts:  # labels of buttons and the like never change: rendered once
                    self._labels[key, lang or self.lang] = rendered
                return rendered
            except (
                TemplateError,
                TypeError,
                ValueError,
                ArithmeticError,
                AttributeError,
                LookupError,
            ) as error:
                # other errors may quote a fact
                reason = error if isinstance(error, TemplateError) else type(error).__name__
                fault = problem("texts.failed", entry.file, entry.line, key=key, reason=reason)
                log.warning("wording failed: %s", fault)
        raise ConfigError([fault])

    def text(self, key: str, *, lang: str | None = None, **facts: object) -> str:
        """The plain characters of `say`: labels, names, notices."""
        return self.say(key, lang=lang, **facts).text

    def personal(
        self,
        markdown: str,
        customer: Customer | None,
        *,
        lang: str | None = None,
        now: datetime | None = None,
    ) -> str:
        """The Markdown of an article with what is known of this customer, without braces. Never raises."""
        facts = facts_of(customer, base_language(lang or self.lang), **self._facts)
        return self._personal.fill(markdown, facts if now is None else {**facts, "now": now})

    def filled(self, markdown: str, *, lang: str | None = None, **facts: object) -> RichText:
        """Words that stand in another file of the owner, with *facts*: shown as they are, never as Markdown.

        Raises what jinja2 raises.
        """
        language = base_language(lang or self.lang)
        return self._filled(markdown, "", {**self._facts, "customer": None, **facts, "lang": language})

    def has(self, key: str) -> bool:
        """Whether there are words for *key* in some language."""
        return any(
            (key, lang) in words for words in (self._own, self._builtin) for lang in {self.lang, *LANGUAGES}
        )

    def options(self, key: str) -> tuple[str, ...]:
        """The bare variants of *key* in all languages, the owner's in place of ours: words to listen for
        rather than to say.
        """
        languages = dict.fromkeys((self.lang, *LANGUAGES))
        found = (self._own.get((key, lang)) or self._builtin.get((key, lang)) for lang in languages)
        return tuple(dict.fromkeys(variant for entry in found if entry for variant in entry.variants))

    @property
    def own(self) -> Catalogue:
        """The owner's words alone."""
        return self._own

    def keys(self) -> tuple[str, ...]:
        """Every key, sorted."""
        return tuple(sorted({key for key, _ in (*self._builtin, *self._own)}))

    def _entries(self, key: str, lang: str) -> tuple[CatalogueEntry, ...]:
        """What may be said, best first: the asked language before the default one, the owner's words before
        ours.
        """
        languages = dict.fromkeys((base_language(lang), self.lang, *LANGUAGES))
        found = tuple(
            words[key, la] for la in languages for words in (self._own, self._builtin) if (key, la) in words
        )
        if not found:
            raise ConfigError([problem("texts.no_key", key=key)])
        return found

    def _render(self, entry: CatalogueEntry, facts: Mapping[str, object]) -> RichText:
        seed = facts.get("seed", 0)
        source = entry.variants[seed % len(entry.variants) if isinstance(seed, int) else 0]
        known = {**self._facts, "customer": None, **facts, "lang": entry.lang}
        return self._filled(source, entry.file, known)

    def _filled(self, source: str, file: str, facts: dict[str, object]) -> RichText:
        template = self._compiled.get(source)
        if template is None:
            template = self._compiled[source] = self._sandbox.compiled(source, file)
        markdown, kept = self._sandbox.run(template, facts)
        return fill(to_rich(markdown), kept)


def base_language(lang: str) -> str:
    """ "en-US" and "EN" are "en"."""
    return lang.replace("_", "-").split("-")[0].lower()


@cache
def _sound() -> Catalogue:
    """Our own words as they are said.

    They are checked by a test (`builtin`), not at each start: that takes a third of a second.
    """
    return read_folder(LOCALES, None)[0]


@cache
def builtin() -> tuple[Catalogue, tuple[Problem, ...]]:
    """Our own words and what is wrong with them (a test keeps that empty)."""
    entries, problems = read_folder(LOCALES, _grammar())
    return entries, (
        *problems,
        *twin_problems(entries, LANGUAGES, strict=True),
        *mismatches(entries, LANGUAGES),
    )


@cache
def article_grammar() -> PersonalTexts:
    """Enough to check the facts of articles."""
    return PersonalTexts(Phrases(str, ZoneInfo("UTC")).filters())


@cache
def _grammar() -> Sandbox:
    """Enough to check templates: the names of all filters."""
    return Sandbox(Phrases(str, ZoneInfo("UTC")).filters())
