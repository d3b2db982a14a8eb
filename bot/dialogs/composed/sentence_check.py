"""Whether a sentence says what its source says, and no more.

What would make it say something else must be in both alike: numbers with their units, negations, modal words,
conditions, limits, promises. Every other word that carries something must be in the source, in one of its
forms, roughly in its order, and at least half of the source's must be there. Links are the source's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.dialogs.composed.sentence_words import guards, pattern_of, units, words_for
from bot.knowledge.query.words import fold, lemma, morphology

TOLD = 0.5  # of the source's words must be there
ORDERED = 0.5  # of the words must come in the source's order, which Russian leaves free
SCOPED = frozenset({"not", "only", "without", "except", "before", "after", "from"})
_LINK = re.compile(
    r"(?:https?://|www\.|(?<![\w.+-])[\w.+-]{1,64}@)[\w.-]+[^\s<>\"'»)\],;]*"
    r"|(?<![\w-])[a-z0-9][\w-]{0,62}(?:\.[a-z0-9][\w-]{0,62}){0,5}\.[a-z]{2,8}\b(?:/[^\s»)\],;]*)?",
    re.IGNORECASE | re.ASCII,
)
_THOUSANDS = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")
_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:[-’'][^\W\d_]+)*|[%₽$€№]")
_CANNOT = re.compile(r"(?i)\bcan['’]t\b|\bcan not\b")
_NOT = re.compile(r"(?i)\b(\w+)n['’]t\b")
_CLAUSE = re.compile(r"[,;:()]|\s[—–-]\s")


@dataclass(frozen=True, slots=True)
class _Word:
    text: str  # folded
    lemma: str
    clause: int


@dataclass(frozen=True, slots=True)
class _Facts:
    """A sentence, taken apart."""

    words: tuple[_Word, ...]  # those that carry something
    guards: Counter[tuple[str, str]]  # each with what it stands before, where that is what it is about
    numbers: tuple[tuple[str, str, int], ...]  # number, unit, clause
    links: frozenset[str]
    orders: frozenset[str]  # verbs that tell somebody to do something


def is_supported(text: str, source: str, urls: Sequence[str] = ()) -> bool:
    """Whether *text* says what *source* (with the links *urls*) says."""
    if not text.isprintable() or len(text) > 2 * len(source) + 40:
        return False
    said, told = _facts(text), _facts(source)
    if not said.words or said.guards != told.guards or not said.orders <= told.orders:
        return False
    if not said.links <= told.links | {u.casefold() for u in urls}:
        return False
    if not _same_numbers(said, told):
        return False
    return _same_words(said, told)


def _same_numbers(said: _Facts, told: _Facts) -> bool:
    """Each number with its unit, in a clause about the same things."""
    left = Counter((n, unit) for n, unit, _ in told.numbers)
    for number, unit, clause in said.numbers:
        if not left[number, unit]:
            return False
        left[number, unit] -= 1
        about = {w.lemma for w in said.words if w.clause == clause}
        shares = {
            place: len(about & {w.lemma for w in told.words if w.clause == place})
            for place in {w.clause for w in told.words}
        }
        places = [place for n, u, place in told.numbers if (n, u) == (number, unit)]
        if about and max((shares.get(p, 0) for p in places), default=0) < max(shares.values(), default=0):
            return False
    return True


def _same_words(said: _Facts, told: _Facts) -> bool:
    theirs = Counter(w.lemma for w in told.words)
    if Counter(w.lemma for w in said.words) - theirs or len(said.words) < TOLD * len(told.words):
        return False
    common = _in_order([w.lemma for w in said.words], [w.lemma for w in told.words])
    return common >= ORDERED * len(said.words)


def _in_order(one: Sequence[str], other: Sequence[str]) -> int:
    """How long the longest common row is."""
    row = [0] * (len(other) + 1)
    for a in one:
        before = row[:]
        for n, b in enumerate(other, 1):
            row[n] = before[n - 1] + 1 if a == b else max(before[n], row[n - 1])
    return row[-1]


@lru_cache(maxsize=4096)
def _facts(text: str) -> _Facts:
    links = frozenset(m[0].casefold().rstrip(".") for m in _LINK.finditer(text))
    plain = _NOT.sub(r"\1 not", _CANNOT.sub("cannot", _THOUSANDS.sub("", _LINK.sub(" ", text))))
    free, found_guards, waiting = words_for("free"), Counter[tuple[str, str]](), list[str]()
    words, numbers, orders = list[_Word](), list[tuple[str, str, int]](), set[str]()
    for clause, start, end in _clauses(plain):
        pending = ""
        for found in _TOKEN.finditer(plain, start, end):
            written = found[0]
            if written[0].isdigit():
                if pending:
                    numbers.append((pending, "", clause))
                pending = written.replace(",", ".")
                found_guards.update((guard, pending) for guard in waiting)
                waiting.clear()
                continue
            folded = fold(written)
            form = units().get(folded) or lemma(folded)
            if pending:
                numbers.append((pending, form, clause))
                pending = ""
            if guard := guards().get(form) or guards().get(folded):
                if guard in SCOPED:
                    waiting.append(guard)
                else:
                    found_guards[guard, ""] += 1
            elif folded not in free and form not in free:
                words.append(_Word(folded, form, clause))
                found_guards.update((guard, form) for guard in waiting)
                waiting.clear()
                if _is_order(folded):
                    orders.add(form)
        if pending:
            numbers.append((pending, "", clause))
    found_guards.update((guard, "") for guard in waiting)
    return _Facts(tuple(words), found_guards, tuple(numbers), links, frozenset(orders))


def _clauses(text: str) -> list[tuple[int, int, int]]:
    """Number, start and end of each."""
    marks = {m.start() for m in _CLAUSE.finditer(text) if not _is_in_number(text, m.start())}
    marks |= {m.start() for m in pattern_of("joining").finditer(text.lower())}
    ends = [*sorted(marks), len(text)]
    return [(n, start, end) for n, (start, end) in enumerate(zip([0, *ends], ends, strict=False))]


def _is_in_number(text: str, place: int) -> bool:
    return text[place] in ",:" and text[place - 1 : place].isdigit() and text[place + 1 : place + 2].isdigit()


@lru_cache(maxsize=20_000)
def _is_order(word: str) -> bool:
    """Whether a Russian word tells somebody to do something."""
    if not re.search("[а-я]", word):
        return False
    tag = str(morphology().parse(word)[0].tag)
    return "VERB" in tag and "impr" in tag
