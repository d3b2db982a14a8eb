"""Mends what was typed wrong: keyboard layout, transliteration, mixed scripts, spelling.

Numbers, addresses and codes are never touched.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.knowledge.query.spelling import SpellingIndex
from bot.knowledge.query.words import fold, is_known, words_of

MOST_REMEMBERED = 10_000  # misspelt words whose meaning is kept
_DATA = Path(__file__).parents[1] / "data"
COMMON_ENGLISH = 1_000  # rarer words are oftener slips of what the base says: «matters» of a mattress shop
_EN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_RU = "йцукенгшщзхъфывапролджэячсмитьбюё"
_TO_RU = str.maketrans(_EN, _RU.replace("ё", "е"))
_TO_EN = str.maketrans(_RU, _EN)
_SHIFTED = str.maketrans('{}:"<>~', "[];',.`")
_LOOKALIKES = str.maketrans("aceopxykmthb", "асеорхукмтнв")
_ROMAN = {
    "а": "a",
    "б": "b",
    "в": "v",
    "г": "g",
    "д": "d",
    "е": "e",
    "ж": "zh",
    "з": "z",
    "и": "i",
    "й": "y",
    "к": "k",
    "л": "l",
    "м": "m",
    "н": "n",
    "о": "o",
    "п": "p",
    "р": "r",
    "с": "s",
    "т": "t",
    "у": "u",
    "ф": "f",
    "х": "kh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "sch",
    "ъ": "",
    "ы": "y",
    "ь": "",
    "э": "e",
    "ю": "yu",
    "я": "ya",
}
_KEY_STEPS = (
    ("shch", "1"),
    ("sch", "1"),
    ("sh", "1"),
    ("w", "v"),
    ("zh", "2"),
    ("kh", "h"),
    ("tz", "c"),
    ("ts", "c"),
    ("ch", "3"),
    ("ph", "f"),
    ("x", "h"),
    ("'", ""),
    ("`", ""),
    ("yo", "e"),
    ("jo", "e"),
    ("yu", "4"),
    ("ju", "4"),
    ("iu", "4"),
    ("ya", "5"),
    ("ja", "5"),
    ("ia", "5"),
    ("ye", "e"),
    ("je", "e"),
    ("ie", "e"),
    ("y", "i"),
    ("j", "i"),
    ("q", "k"),
    ("ii", "i"),
)
_BACK = {
    "shch": "щ",
    "sch": "щ",
    "sh": "ш",
    "zh": "ж",
    "kh": "х",
    "ts": "ц",
    "ch": "ч",
    "yo": "е",
    "yu": "ю",
    "ya": "я",
    "ju": "ю",
    "ja": "я",
    "ye": "е",
    "a": "а",
    "b": "б",
    "c": "ц",
    "d": "д",
    "e": "е",
    "f": "ф",
    "g": "г",
    "h": "х",
    "i": "и",
    "j": "й",
    "k": "к",
    "l": "л",
    "m": "м",
    "n": "н",
    "o": "о",
    "p": "п",
    "q": "к",
    "r": "р",
    "s": "с",
    "t": "т",
    "u": "у",
    "v": "в",
    "w": "в",
    "x": "х",
    "y": "ы",
    "z": "з",
    "'": "ь",
    "`": "ь",
}
_PROTECTED = re.compile(
    r"(?:https?://|www\.)\S+|\S+@\S+|\S*\d\S*|\S+\.(?:ru|com|net|org|рф|example)(?:/\S*)?|@\w+|#\w+",
    re.IGNORECASE,
)
_CODE_BEFORE = re.compile(
    r"(?:промокод\w*|купон\w*|код\w*|артикул\w*|трек\w*|номер\w*|promo\w*|code|coupon|voucher)$"
)
_LATIN = re.compile(r"[a-z]")
_CYRILLIC = re.compile(r"[а-я]")
_REPEAT = re.compile(r"([^\W\d_])\1{2,}")


@dataclass(frozen=True, slots=True)
class Correction:
    """One mend: what stood there, what is read instead, and why: layout, translit, script, spelling, split,
    repeat, slang.
    """

    raw: str
    fixed: str
    kind: str


@dataclass(frozen=True, slots=True)
class CorrectedQuestion:
    """A question after repair; `text` is the raw one where nothing was mended."""

    text: str
    repairs: tuple[Correction, ...] = ()


@functools.cache
def common_forms() -> tuple[str, ...]:
    """Word forms that customers write, commonest first."""
    return tuple((_DATA / "forms_ru.txt").read_text("utf-8").split())


@functools.cache
def _common_set() -> frozenset[str]:
    return frozenset(common_forms())


@functools.cache
def _common_latin() -> frozenset[str]:
    rows = (_DATA / "frequency_en.txt").read_text("utf-8").splitlines()
    return frozenset(w for row in rows if (w := row.partition("\t")[0]).isalpha())


@functools.cache
def _english_words() -> frozenset[str]:
    """English words that are no slips: the commonest of those that our encoder has rows for."""
    with np.load(_DATA / "encoder_en.npz") as data:
        return frozenset(data["words"].tobytes().decode().split("\n")[:COMMON_ENGLISH])


@functools.lru_cache(maxsize=65_536)
def romanised_key(word: str) -> str:
    """What all usual romanisations of one Russian word have in common."""
    word = "".join(_ROMAN.get(c, c) for c in word)
    for old, new in _KEY_STEPS:
        word = word.replace(old, new)
    return word


class Lexicon:
    """The word forms of a knowledge base, next to those that customers use anywhere."""

    def __init__(self, words: Iterable[str], slang: Iterable[str] = ()) -> None:
        self.own = frozenset(w for w in words if len(w) > 1 and w.isalpha())
        self.slang = frozenset(slang)
        self.russian = any(_CYRILLIC.search(w) for w in self.own)
        self.latin = frozenset(w for w in self.own if w.isascii())
        self._nearest: dict[str, str] = {}

    @functools.cached_property
    def _spellings(self) -> SpellingIndex:
        return SpellingIndex(sorted(self.own))

    @functools.cached_property
    def _keys(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for word in sorted(self.own):
            if not word.isascii():
                found.setdefault(romanised_key(word), word)
        return found

    def warm(self) -> None:
        """Makes what the first misspelt or romanised word would otherwise wait for."""
        assert (
            self._keys is not None
            and self._spellings is not None
            and _common_keys() is not None
            and _common_spellings() is not None
        )

    def knows(self, word: str) -> bool:
        """Whether a folded word is a word at all: of the base, of customers, of the dictionary."""
        if word in self.own or word in self.slang or word in _common_set():
            return True
        return is_known(word) if _CYRILLIC.search(word) else word in _common_latin()

    def weight(self, word: str) -> float:
        """How much a word speaks for a reading: of the base more than of the dictionary, longer more than
        shorter.
        """
        size = min(len(word), 8)
        return size * (
            1.0
            if word in self.own or word in self.slang
            else 0.8
            if word in _common_set()
            else 0.6
            if self.knows(word)
            else 0.0
        )

    def from_roman(self, word: str) -> str:
        """The Russian word that a romanised one means; letter by letter where none is known."""
        key = romanised_key(word)
        if found := self._keys.get(key) or _common_keys().get(key):
            return found
        readings = _back_readings(word)
        return next((r for r in readings if is_known(r)), readings[0])

    def nearest(self, word: str) -> str:
        """The word that a misspelt one means, or "" where none is near enough: 1 slip up to 7 letters, 2 from
        8.
        """
        if (known := self._nearest.get(word)) is None:
            if len(self._nearest) >= MOST_REMEMBERED:
                self._nearest.clear()
            known = self._nearest[word] = self._search(word)
        return known

    def _search(self, word: str) -> str:
        limit = 1 if len(word) < 8 else 2
        pools = [self._spellings] if word.isascii() else [self._spellings, _common_spellings()]
        found = [
            (slips * 2 + order, int(near[0] != word[0]), longer, near)
            for order, pool in enumerate(pools)
            for near, slips, longer in pool.near(word, limit)
        ]
        return min(found)[3] if found else ""


@functools.cache
def _common_keys() -> dict[str, str]:
    found: dict[str, str] = {}
    for word in common_forms():
        found.setdefault(romanised_key(word), word)
    return found


@functools.cache
def _common_spellings() -> SpellingIndex:
    return SpellingIndex(common_forms())


def _back_readings(word: str) -> list[str]:
    """Cyrillic readings of a romanised word, the likeliest first, at most 64."""
    parts: list[tuple[str, ...]] = []
    i = 0
    while i < len(word):
        for n in (4, 3, 2, 1):
            piece = word[i : i + n]
            if len(piece) == n and piece in _BACK:
                letter = _BACK[piece]
                vowel_before = i > 0 and word[i - 1] in "aeiouy"
                if piece == "y":
                    parts.append(("й", "ы") if vowel_before else ("ы", "й", "и"))
                elif piece == "e":
                    parts.append(("е", "э"))
                elif piece in "ltnrdszvm" and (i + n == len(word) or word[i + n] not in "aeiouyh'"):
                    parts.append((letter, letter + "ь"))
                else:
                    parts.append((letter,))
                i += n
                break
        else:
            parts.append((word[i],))
            i += 1
    return ["".join(p) for p in itertools.islice(itertools.product(*parts), 64)]


def repair(text: str, lexicon: Lexicon) -> CorrectedQuestion:
    """The question as it was meant.

    Anything with a digit, addresses, links, promo codes and words of the base stay as they are.
    """
    chunks = fold(text[:3000]).split()
    free = _unprotected(text[:3000].split(), chunks)
    repairs: list[Correction] = []
    for i in free:
        mended = _one_script(
            _REPEAT.sub(r"\1", chunks[i])
            if _REPEAT.search(chunks[i]) and not lexicon.knows(chunks[i])
            else chunks[i]
        )
        if mended != chunks[i]:
            repairs.append(
                Correction(
                    chunks[i], mended, "script" if _REPEAT.sub(r"\1", chunks[i]) != mended else "repeat"
                )
            )
            chunks[i] = mended
    _mend_keyboard(chunks, free, lexicon, repairs)
    for i in free:
        _mend_spelling(chunks, i, lexicon, repairs)
    return CorrectedQuestion(" ".join(chunks) if repairs else text, tuple(repairs))


def _unprotected(raw: Sequence[str], chunks: Sequence[str]) -> list[int]:
    """Places that may be mended.

    Latin capitals among Russian words are a code or a name; so is what follows «промокод».
    """
    russian = any(_CYRILLIC.search(c) for c in chunks)
    free = []
    for i, chunk in enumerate(chunks):
        shape = raw[i] if i < len(raw) else chunk
        bare = shape.strip(".,!?:;()\"'«»")
        if _PROTECTED.search(chunk):
            continue
        foreign = russian and bool(_LATIN.search(chunk)) and not _CYRILLIC.search(chunk)
        if foreign and (
            (bare.isupper() and len(bare) > 1) or (i and _CODE_BEFORE.search(chunks[i - 1].strip(':-—«"')))
        ):
            continue
        free.append(i)
    return free


def _one_script(chunk: str) -> str:
    """A word with Latin letters that look Cyrillic among Cyrillic ones."""
    if not (_LATIN.search(chunk) and _CYRILLIC.search(chunk)):
        return chunk
    plain = chunk.translate(_LOOKALIKES)
    return plain if not _LATIN.search(plain) else chunk


def _mend_keyboard(
    chunks: list[str], free: Sequence[int], lexicon: Lexicon, repairs: list[Correction]
) -> None:
    """Wrong layout or Latin letters for Russian words (and the other way round): the reading with more known
    words wins.
    """
    latin = [i for i in free if _LATIN.search(chunks[i]) and not _CYRILLIC.search(chunks[i])]
    if latin and lexicon.russian:
        _choose(chunks, latin, lexicon, repairs, (("layout", _from_layout), ("translit", _from_roman)))
    cyrillic = [i for i in free if _CYRILLIC.search(chunks[i])]
    if cyrillic and lexicon.latin:
        wrong = [i for i in cyrillic if not any(lexicon.knows(w) for w in words_of(chunks[i]))]
        if len(wrong) * 2 > len(cyrillic):
            _choose(chunks, wrong, lexicon, repairs, (("layout", _to_latin_layout),))


Reading = Callable[[str, Lexicon], str]


def _choose(
    chunks: list[str],
    places: Sequence[int],
    lexicon: Lexicon,
    repairs: list[Correction],
    readings: Sequence[tuple[str, Reading]],
) -> None:
    mixed = len(places) < sum(1 for c in chunks if _LATIN.search(c) or _CYRILLIC.search(c))
    worth = sum(_worth(chunks[i], lexicon) for i in places)
    best: tuple[float, str, list[str]] = (worth * 1.15 + 0.5, "", [])
    for kind, read in readings:
        read_chunks = [read(chunks[i], lexicon) for i in places]
        if (found := sum(_worth(c, lexicon) for c in read_chunks)) > best[0]:
            best = (found, kind, read_chunks)
    if not best[1]:
        return
    for i, chunk in zip(places, best[2], strict=True):
        if mixed and _worth(chunk, lexicon) <= _worth(chunks[i], lexicon):
            continue
        if chunk != chunks[i]:
            repairs.append(Correction(chunks[i], chunk, best[1]))
            chunks[i] = chunk


def _worth(chunk: str, lexicon: Lexicon) -> float:
    return sum(lexicon.weight(w) for w in words_of(chunk))


def _from_layout(chunk: str, lexicon: Lexicon) -> str:
    """Keys pressed in the wrong layout; punctuation at the ends is a letter only where that makes a word."""
    readings = []
    body = chunk.translate(_SHIFTED)
    end = len(body.rstrip(".,;'[]`"))
    for stop in {end, len(body), *range(end, len(body))}:
        tail = body[stop:]
        readings.append((body[:stop].translate(_TO_RU), tail))
    known = [(_worth(word, lexicon), len(tail) == 0, word + tail) for word, tail in readings]
    best = max(known)
    return best[2] if best[0] > 0 else body[:end].translate(_TO_RU) + body[end:]


def other_layout(text: str) -> str:
    """The same keys pressed in the other layout, Russian for Latin letters and the other way round.

    >>> other_layout("lf"), other_layout("нуз")
    ('да', 'yep')
    """
    folded = text.lower().replace("ё", "е")
    is_latin = any("a" <= c <= "z" for c in folded)
    return folded.translate(_SHIFTED).translate(_TO_RU) if is_latin else folded.translate(_TO_EN)


def _to_latin_layout(chunk: str, lexicon: Lexicon) -> str:
    return chunk.translate(_TO_EN)


def _from_roman(chunk: str, lexicon: Lexicon) -> str:
    return re.sub(
        r"[a-z'`]+",
        lambda m: lexicon.from_roman(m.group().strip("'`")) if m.group().strip("'`") else m.group(),
        chunk,
    )


def _mend_spelling(chunks: list[str], place: int, lexicon: Lexicon, repairs: list[Correction]) -> None:
    chunk = chunks[place]
    for word in words_of(chunk):
        if len(word) < 4 or not word.isalpha() or lexicon.knows(word) or word in _english_words():
            continue
        if word.startswith("не") and len(word) > 5 and lexicon.knows(word[2:]):  # law: a «не» is never lost
            repairs.append(Correction(word, f"не {word[2:]}", "split"))
            chunk = chunk.replace(word, f"не {word[2:]}", 1)
        elif found := lexicon.nearest(word):
            repairs.append(Correction(word, found, "spelling"))
            chunk = chunk.replace(word, found, 1)
        elif found := _split(word, lexicon):
            repairs.append(Correction(word, found, "split"))
            chunk = chunk.replace(word, found, 1)
    chunks[place] = chunk


def _split(word: str, lexicon: Lexicon) -> str:
    """Two words written as one, where both are known: «недошел», «гдезаказ»."""
    for i in range(2, len(word) - 2):
        left, right = word[:i], word[i:]
        if (left in ("не", "на", "по", "за", "до", "из", "от") or (i > 2 and left in _common_set())) and (
            right in lexicon.own or right in _common_set()
        ):
            return f"{left} {right}"
    return ""
