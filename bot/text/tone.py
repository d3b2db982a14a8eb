"""How a text for customers sounds: words of mass mailings and of offices, and refusals that leave the reader
standing, each with what to say instead.

It only looks: nothing is changed, delayed or refused because of it, and it would rather miss a fault than
name one that is none. The words lie beside this file, `tone.LANG.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal, cast

from bot.text.yaml_source import read_own

Kind = Literal["address", "official", "refusal", "own"]
Pattern = re.Pattern[str]

MOST = 20  # refusals of one kind that are looked at in one text
NEAR = 2  # paragraphs around a refusal in which a way out counts
BARE = 4  # words beside a rule that say nothing more: a greeting, an excuse
_HERE = Path(__file__).parent
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_LATIN = re.compile("[a-z]", re.IGNORECASE)
_ASIDE = re.compile(  # what is not said in these words: templates, code, quotations
    r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|`[^`\n]*`|^[ \t]*>[^\n]*"
    r"|«[^«»\n]{1,60}»|“[^“”\n]{1,60}”|\"[^\"\n]{1,60}\"",
    re.DOTALL | re.MULTILINE,
)
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_LINK = re.compile(
    r"(?<!!)\[[^\]\n]+\]\(|(?<!!)\[\[|https?://|[\w.-]@\w|(?<!\w)@\w{3}|\+?\d(?:[\s()-]*\d){8,}"
)
_SENTENCE = re.compile(r"[.!?\n]")
_CLAUSE = re.compile(r"[.!?\n,;:—]")
_WORD = re.compile(r"\w+")
_PARAGRAPH = re.compile(r"\n[ \t]*\n")


@dataclass(frozen=True, slots=True)
class ToneFault:
    """A remark on a text: where it stands (in characters), the words, and what to say instead.

    A refusal has no words instead: what is missing there is a way out.
    """

    kind: Kind
    start: int
    found: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class ToneRefusal:
    """A refusal: its words, and whether the reader is led on to something they can do."""

    start: int
    found: str
    leads_on: bool


@dataclass(frozen=True, slots=True)
class _Words:
    said: Sequence[tuple[Kind, Pattern, str]]
    refusals: Sequence[tuple[Pattern, bool]]  # and whether it is a rule
    conditions: Pattern
    denied: Pattern
    ways_out: Pattern


class ToneCheck:
    """Looks at texts. *own* are the business's words, with what to say instead: a star ends a word of which
    only the beginning is known («заявк* принята»).
    """

    def __init__(self, own: Iterable[tuple[str, str]] = ()) -> None:
        self._own = tuple((_phrase(words), instead) for words, instead in own)

    def faults(self, text: str, language: str = "", *, has_way_out: bool = False) -> tuple[ToneFault, ...]:
        """What is worth saying otherwise, in the order of the text.

        *language* is "ru" or "en"; without it the letters tell. *has_way_out* says that something to do
        stands beside the text, as buttons do.
        """
        words = _read("en" if (language or _language(text)) == "en" else "ru")
        plain = _ASIDE.sub(_blank, text)
        found = [*_said(plain, words.said), *_said(plain, [("own", *own) for own in self._own])]
        if not has_way_out:
            bare = (r for r in _refusals(plain, text, words) if not r.leads_on)
            found += [ToneFault("refusal", r.start, r.found) for r in bare]
        kept: list[ToneFault] = []
        for fault in sorted(found, key=lambda f: (f.start, -len(f.found))):
            if not kept or fault.start >= kept[-1].start + len(kept[-1].found):
                kept.append(fault)
        return tuple(kept)

    def refusals(self, text: str, language: str = "") -> tuple[ToneRefusal, ...]:
        """Every refusal of the text, those that lead on, too."""
        words = _read("en" if (language or _language(text)) == "en" else "ru")
        return tuple(_refusals(_ASIDE.sub(_blank, text), text, words))


def _said(text: str, patterns: Iterable[tuple[Kind, Pattern, str]]) -> Iterator[ToneFault]:
    for kind, pattern, instead in patterns:
        for found in pattern.finditer(text):
            yield ToneFault(kind, found.start(), found[0], instead)


def _refusals(plain: str, text: str, words: _Words) -> Iterator[ToneRefusal]:
    for pattern, is_rule in words.refusals:
        for found in islice(pattern.finditer(plain), MOST):
            first, last = _around(plain, found.start())
            before, after = plain[first : found.start()], plain[found.end() : last]
            if words.conditions.search(_SENTENCE.split(before)[-1]) or (
                is_rule and _says_more(before, after)
            ):
                continue
            what = "what" if found.groupdict().get("what") else 0
            leads_on = _leads_on(before, after, text[first:last], words)
            yield ToneRefusal(found.start(what), found[what], leads_on)


def _says_more(before: str, after: str) -> bool:
    """Whether something is said beside the clause that holds the rule."""
    others = [*_CLAUSE.split(before)[:-1], *_CLAUSE.split(after)[1:]]
    return sum(len(_WORD.findall(clause)) for clause in others) > BARE


def _leads_on(before: str, after: str, written: str, words: _Words) -> bool:
    """Whether there is something to do: an offer, a question, a link or a number."""
    allowed = words.denied.sub(" ", f"{before} {after}")
    return bool(
        words.ways_out.search(allowed) or "?" in after or _LINK.search(written) or _TEMPLATE.search(written)
    )


def _around(text: str, place: int) -> tuple[int, int]:
    """Where the paragraphs near a place begin and end."""
    breaks = [0, *(m.end() for m in _PARAGRAPH.finditer(text)), len(text) + 1]
    own = max(n for n, start in enumerate(breaks) if start <= place)
    return breaks[max(0, own - NEAR)], breaks[min(len(breaks) - 1, own + NEAR + 1)]


def _language(text: str) -> str:
    return "en" if len(_LATIN.findall(text)) > len(_CYRILLIC.findall(text)) else "ru"


def _blank(found: re.Match[str]) -> str:
    """As long as what stood there, so that places stay: an end of the line remains one."""
    return re.sub(r"[^\n]", "·", found[0])


@cache
def _read(language: str) -> _Words:
    words = cast(Mapping[str, object], read_own(_HERE / f"tone.{language}.yaml"))
    kinds: Sequence[Kind] = ("address", "official")
    said = [
        (kind, _pattern(pattern), instead)
        for kind in kinds
        for pattern, instead in cast(Mapping[str, str], words[kind]).items()
    ]
    refusals = [
        (_pattern(p), key == "rules")
        for key in ("refusals", "rules")
        for p in cast(Sequence[str], words[key])
    ]
    conditions, denials, ways_out = (
        "|".join(cast(Sequence[str], words[key])) for key in ("conditions", "denials", "ways_out")
    )
    denied = _pattern(rf"(?:{denials})\s+\w+")
    return _Words(said, refusals, _pattern(conditions), denied, _pattern(ways_out))


def _pattern(expression: str) -> Pattern:
    """A pattern of whole words; a blank in it is any white space, typographic apostrophes are plain ones."""
    spaced = expression.replace(" ", r"\s+").replace("'", "['’]")
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)", re.IGNORECASE)


def _phrase(words: str) -> Pattern:
    parts = (re.escape(w.removesuffix("*")) + (r"\w*" if w.endswith("*") else "") for w in words.split())
    joined = r"\s+".join(parts)
    return re.compile(rf"(?<!\w){joined}(?!\w)", re.IGNORECASE)
