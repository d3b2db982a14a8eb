"""What a text may be: as it is written, typed in the other keyboard layout, or transliterated."""

from __future__ import annotations

import re

CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
_LAYOUT = str.maketrans(
    "qwertyuiop[]asdfghjkl;'zxcvbnm,.`QWERTYUIOP{}ASDFGHJKL:\"ZXCVBNM<>~",
    "йцукенгшщзхъфывапролджэячсмитьбюёйцукенгшщзхъфывапролджэячсмитьбюё",
)
_BACK = str.maketrans({v: chr(k) for k, v in _LAYOUT.items()})  # Russian letters where English was meant
_SOUNDS = (
    ("shch", "щ"),
    ("sch", "щ"),
    ("yo", "ё"),
    ("jo", "ё"),
    ("zh", "ж"),
    ("kh", "х"),
    ("ts", "ц"),
    ("ch", "ч"),
    ("sh", "ш"),
    ("yu", "ю"),
    ("ju", "ю"),
    ("ya", "я"),
    ("ja", "я"),
    ("ye", "е"),
    ("ij", "ий"),
    ("yy", "ый"),
    ("iy", "ий"),
    ("a", "а"),
    ("b", "б"),
    ("v", "в"),
    ("g", "г"),
    ("d", "д"),
    ("e", "е"),
    ("z", "з"),
    ("i", "и"),
    ("y", "й"),
    ("j", "й"),
    ("k", "к"),
    ("l", "л"),
    ("m", "м"),
    ("n", "н"),
    ("o", "о"),
    ("p", "п"),
    ("r", "р"),
    ("s", "с"),
    ("t", "т"),
    ("u", "у"),
    ("f", "ф"),
    ("h", "х"),
    ("c", "ц"),
    ("w", "в"),
    ("x", "кс"),
    ("q", "к"),
    ("4", "ч"),
    ("6", "ш"),
    ("'", "ь"),
)


def readings_of(text: str) -> tuple[str, ...]:
    """*text* as it is written, then what it may be in the other keyboard layout and out of a
    transliteration.
    """
    if not any(c.isalpha() for c in text):
        return (text,)
    if CYRILLIC.search(text):
        return (text, text.translate(_BACK))
    latin = _from_translit(text)
    return (text, text.translate(_LAYOUT), latin, latin.replace("й", "ы"))


def _from_translit(text: str) -> str:
    lower = text.lower()
    for latin, cyrillic in _SOUNDS:
        lower = lower.replace(latin, cyrillic)
    return lower
