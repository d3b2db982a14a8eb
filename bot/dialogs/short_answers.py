"""How short answers are understood: yes and no, numbers, parts of titles, and the language somebody writes
in.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from bot.dialogs.dialog_state import DialogState
from bot.dialogs.question_stage import is_person_offered
from bot.i18n.texts import Texts
from bot.knowledge.query.correction import other_layout
from bot.model import Turn

_ENGLISH = frozenset(
    (  # noqa: SIM905
        "a about am an and are at be by can cancel could delivery did do does for from get give had has have"
        " hello help hi how i if in is it know long make me much my need no not of on or order pay please"
        " return sell send should speak talk thank thanks that the there they this to wait want was we what"
        " when where which who why will with work would yes you your "
    ).split()
)
TITLE = 84  # how alike (0..100) typed words and a title must be
MARGIN = 6


def language_of(turn: Turn, default: str = "ru") -> str:
    """ru or en: the script and the words just written; where they do not tell, the customer's language."""
    told = (turn.customer.language if turn.customer else "").lower()[:2]
    before = told if told in ("ru", "en") else default
    return _language(
        "" if turn.text.startswith("/") else turn.text[:2000], before
    )  # a command tells nothing about the language


@lru_cache(maxsize=64)  # each dialog of a turn asks again
def _language(text: str, before: str) -> str:
    cyrillic, latin = (
        len(re.findall(r"[а-яё]", text, re.IGNORECASE)),
        len(re.findall(r"[a-z]", text, re.IGNORECASE)),
    )
    if not cyrillic and not latin:
        return before
    if cyrillic:
        return "ru" if cyrillic >= latin or cyrillic > 3 else before
    words = re.findall(r"[a-z']+", text.lower())
    english = sum(word in _ENGLISH for word in words)
    return "en" if english >= max(1, len(words) / 4) else before


def in_spoken_language(turn: Turn) -> Turn:
    """The turn whose customer has the language they write in; the same turn where that is known already."""
    if turn.customer is None or (language := language_of(turn)) == turn.customer.language:
        return turn
    if language == "ru" and turn.customer.language not in ("en", ""):
        return turn  # a language without words of ours is kept: ours fall back by themselves
    return replace(turn, customer=replace(turn.customer, language=language))


@lru_cache(maxsize=512)  # the same words and titles are compared with many
def fold(text: str) -> str:
    """Lower case, ё as е, signs and keycaps off, single spaces: so "1️⃣", "№1." and "1)" are all "1"."""
    bare = "".join(
        c
        for c in unicodedata.normalize("NFKC", text.lower().replace("№", " "))
        if unicodedata.category(c) not in ("Mn", "Me", "Cf")
    )
    return " ".join(re.sub(r"[^\w+\-/]", " ", bare.replace("ё", "е")).replace("_", " ").split())


def hash_of(text: str) -> str:
    """A question without its words: equal for equal questions, tells nothing."""
    return hashlib.blake2b(" ".join(sorted(fold(text).split())).encode(), digest_size=8).hexdigest()


def is_wordless(text: str) -> bool:
    """Whether there is no letter and no digit in *text*."""
    return not any(c.isalnum() for c in text)


def is_signs(text: str) -> bool:
    """Whether *text* is only punctuation: no letter, no digit, no emoji."""
    return is_wordless(text) and not any(ord(c) > 0x2190 for c in text)


class ShortAnswers:
    """The short answers listed under `hears` in the words."""

    def __init__(self, texts: Texts) -> None:
        self._known = {
            kind: frozenset(map(_sound, texts.options(f"hears.{kind}")))
            for kind in _KINDS
            if texts.has(f"hears.{kind}")
        }
        for kind, label in _LABELS:
            self._known[kind] = self._known.get(kind, frozenset()) | frozenset(
                map(_sound, texts.options(f"buttons.{label}"))
            )

    def means(self, kind: str, text: str) -> bool:
        """Whether *text* is one of the ways to say *kind*."""
        return len(text) < 60 and _sound(text) in self._known.get(kind, frozenset())

    def agreement(self, text: str) -> Literal["yes", "no", ""]:
        """Whether *text* says yes or no to what was just asked: in several words («нет, другое»), drawn out,
        mistyped by a letter or in the wrong layout; "" for everything else.
        """
        if len(text) >= 60:
            return ""
        yes, no = self._known["yes"], self._known["no"] | self._known.get("none_of_these", frozenset())
        readings = [
            _sound(text),
            _sound(other_layout(text.strip(" /.,?!"))),
            _sound(other_layout(_sound(text))),
        ]
        for said in readings:
            words = said.split()
            if said in yes or _made_of(words, yes):
                return "yes"
            after_yes = words[1:] if words and words[0] in yes else []
            if said in no or _made_of(words, no) or _made_of(after_yes, no):
                return "no"
        return next((meant for said in readings if (meant := _nearly(said, yes, no))), "")

    def answers(self, text: str, memory: DialogState) -> bool:
        """Whether *text* answers what the bot has just asked or offered, so that it is not read as anything
        else.
        """
        if memory.earlier and self._ordinal(_sound(text), len(memory.earlier)) in range(len(memory.earlier)):
            return True
        if memory.options and (self._ordinal(_sound(text), 9) is not None or self.agreement(text)):
            return True
        if (
            memory.answered
            and not is_person_offered(memory.stage)
            and any(self.means(k, text) for k in ("no", "disliked"))
        ):
            return True
        return bool(memory.article) and any(self.means(k, text) for k in ("more", "again"))

    def is_number(self, text: str) -> bool:
        """Whether *text* names a place in a list, even one that the list does not have."""
        return self._ordinal(_sound(text), 9) is not None

    def choice(self, text: str, titles: Sequence[str]) -> int | None:
        """Which of *titles* was chosen by number, ordinal or a part of the title; None when that is not
        clear.
        """
        said = _sound(text)
        if not said or not titles:
            return None
        if (place := self._ordinal(said, len(titles))) is not None:
            return place if place < len(titles) else None
        return by_title(said, titles)

    def _ordinal(self, said: str, count: int) -> int | None:
        """The place that a number or an ordinal names, from 0, maybe beyond *count*."""
        if number := re.fullmatch(r"(?:\w{1,8} )?([1-9])(?:[ -]?\w{1,3})?", said):
            return int(number[1]) - 1
        for place, kind in enumerate(("first", "second", "third")):
            if said in self._known.get(kind, frozenset()):
                return place
        return count - 1 if said in self._known.get("last", frozenset()) else None


_LABELS = (
    ("human", "human"),
    ("more", "more"),
    ("more", "further"),
    ("skip", "skip"),
    ("cancel", "cancel"),
    ("yes", "helped"),
    ("no", "not_helped"),
    ("again", "again"),
    ("yes", "this"),
    ("no", "not_this"),
    ("none_of_these", "none_of_these"),
)
_KINDS = (
    "yes",
    "no",
    "skip",
    "cancel",
    "more",
    "first",
    "second",
    "third",
    "last",
    "none_of_these",
    "human",
    "help",
    "liked",
    "disliked",
)


LONGEST = 6  # words of a yes or no
_Meaning = Literal["yes", "no", ""]


def _made_of(words: Sequence[str], known: frozenset[str]) -> bool:
    """Whether *words* are nothing but phrases of *known* one after another."""
    if not words or len(words) > LONGEST:
        return False
    reached = {0}
    for start in range(len(words)):
        if start in reached:
            reached |= {
                end for end in range(start + 1, len(words) + 1) if " ".join(words[start:end]) in known
            }
    return len(words) in reached


def _nearly(said: str, yes: frozenset[str], no: frozenset[str]) -> _Meaning:
    """What a single word means whose letters are drawn out, or one of which is mistyped."""
    if " " in said or not said.isalpha():
        return ""
    short = re.sub(r"(.)\1+", r"\1", said)
    if short in yes or short in no:
        return "yes" if short in yes else "no"
    near = [any(_is_slip(said, word) for word in known) for known in (yes, no)]
    return "" if near[0] == near[1] else "yes" if near[0] else "no"


def _is_slip(said: str, word: str) -> bool:
    """One letter wrong, missing, too many or two in the wrong order; of a word of three letters only two in
    the wrong order or one too many, for half the language is a letter away from it.
    """
    if min(len(said), len(word)) < 3 or not word.isalpha():
        return False
    if len(word) == 3 and len(said) == 3:
        return sorted(said) == sorted(word) and OSA.distance(said, word) == 1
    if len(word) == 3:
        return len(said) == 4 and said[0] == word[0] and OSA.distance(said, word) == 1
    return said[0] == word[0] and OSA.distance(said, word, score_cutoff=1) == 1


@lru_cache(maxsize=64)
def _sound(text: str) -> str:
    """`fold`, but signs that are words of their own (+, 👍) stay."""
    return fold(text) or "".join(
        c for c in text if not c.isspace() and unicodedata.category(c) not in ("Mn", "Me", "Cf", "Sk")
    )


def by_title(text: str, titles: Sequence[str]) -> int | None:
    """The place of the title that *text* is a part of, give or take a letter; None where that is none or
    several.
    """
    said, titles = fold(text), [fold(title) for title in titles]
    if not titles:
        return None
    scores = [
        max(fuzz.token_set_ratio(said, t), fuzz.partial_ratio(said, t) if len(said) >= 5 else 0)
        for t in titles
    ]
    ranked = sorted(range(len(titles)), key=lambda i: -scores[i])
    if len(said) < 4 or len(said) > len(titles[ranked[0]]) + 12 or scores[ranked[0]] < TITLE:
        return None
    if len(ranked) > 1 and scores[ranked[0]] - scores[ranked[1]] < MARGIN:
        exact = [i for i, title in enumerate(titles) if title == said]
        return exact[0] if exact else None
    return ranked[0]
