"""Words of a text: folded, split, brought to their dictionary form.

Everything that compares texts starts here.
"""

from __future__ import annotations

import functools
import re
import threading
import unicodedata
from pathlib import Path
from typing import Any

MAX_TEXT = 3000  # characters of a question that are read
_WORD = re.compile(r"[^\W_]+")
_CYRILLIC = re.compile(r"[а-я]")
_INVISIBLE = re.compile(
    r"[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff]"
)
# form, its lemma; made of forms_ru.txt by `lemma`
_USUAL = Path(__file__).parents[1] / "data" / "lemmas_ru.txt"
_lock = threading.Lock()


def fold(text: str) -> str:
    """NFKC, lower case, ё as е, no accents on Cyrillic vowels, no invisible characters."""
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).lower().replace("ё", "е")
    return text.replace("\u0301", "")


def words_of(text: str) -> list[str]:
    """Letters and digits only, folded."""
    return _WORD.findall(fold(text))


@functools.cache
def morphology() -> Any:
    """The dictionary of Russian, loaded once, on the first Russian word."""
    import pymorphy3

    return pymorphy3.MorphAnalyzer()


@functools.cache
def _usual() -> dict[str, str]:
    """What the dictionary says of the forms that customers use most: asking it takes as long as a whole
    search.
    """
    return dict(row.split("\t") for row in _USUAL.read_text("utf-8").splitlines())


@functools.lru_cache(maxsize=200_000)
def lemma(word: str) -> str:
    """The dictionary form of a folded word: pymorphy3 for Cyrillic, a light stem for Latin, anything else as
    it is.
    """
    if (usual := _usual().get(word)) is not None:
        return usual
    if _CYRILLIC.search(word):
        with _lock:
            return str(morphology().parse(word)[0].normal_form).replace("ё", "е")
    return stem(word) if word.isalpha() and word.isascii() else word


@functools.lru_cache(maxsize=100_000)
def is_known(word: str) -> bool:
    """Whether the Russian dictionary has the folded word (with е or ё)."""
    with _lock:
        return bool(morphology().word_is_known(word))


_IRREGULAR = {
    "did": "do",
    "does": "do",
    "done": "do",
    "doing": "do",
    "went": "go",
    "gone": "go",
    "got": "get",
    "paid": "pay",
    "sent": "send",
    "bought": "buy",
    "lost": "lose",
    "made": "make",
    "took": "take",
    "taken": "take",
    "gave": "give",
    "given": "give",
    "came": "come",
    "was": "be",
    "were": "be",
    "is": "be",
    "are": "be",
    "am": "be",
    "been": "be",
    "has": "have",
    "had": "have",
    "said": "say",
    "told": "tell",
    "found": "find",
    "kept": "keep",
    "broke": "break",
    "broken": "break",
    "stole": "steal",
    "stolen": "steal",
    "chose": "choose",
    "chosen": "choose",
    "wrote": "write",
    "written": "write",
    "children": "child",
    "people": "person",
    "men": "man",
    "women": "woman",
    "spent": "spend",
    "left": "leave",
    "froze": "freeze",
    "frozen": "freeze",
}
_VOWEL = re.compile(r"[aeiouy]")


@functools.lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """A light stem of an English word: plural, -ed, -ing, -ly and the commonest irregular forms."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3:
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "shes", "ches", "xes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for end in ("ing", "ed"):
        base = word[: -len(end)]
        if word.endswith(end) and len(base) >= 3 and _VOWEL.search(base):
            if base[-1] == base[-2] and base[-1] not in "lsz":
                return base[:-1]
            return base[:-1] if base.endswith("e") else base
    if word.endswith("ly") and len(word) > 5:
        word = word[:-2]
    if word.endswith(("ation", "ition")) and len(word) > 7:
        word = word[:-5]
    elif word.endswith(("ment", "ness")) and len(word) > 7:
        word = word[:-4]
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    return word


@functools.lru_cache(maxsize=200_000)
def grams(word: str) -> tuple[str, ...]:
    """Character 2- to 4-grams of a word with its borders, repeats kept."""
    edged = f" {word} "
    return tuple(edged[i : i + n] for n in (2, 3, 4) for i in range(len(edged) - n + 1))
