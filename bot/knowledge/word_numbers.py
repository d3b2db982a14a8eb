"""The numbers that Word shows before the steps of its lists, counted over the whole document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHOICE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Choice"
_UNNUMBERED = ("bullet", "none")
MARK = "number:"  # begins the name of a bookmark; no name that Word lets an author give has a colon


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    restart: int = -1  # restarts after a step of a level above this one; -1: of any level above its own
    ordered: bool = True


@dataclass(slots=True)
class WordNumbers:
    """Counts steps in the order of reading. Lists that share a definition share their counters."""

    levels: dict[tuple[str, int], _Level] = field(default_factory=dict)  # of a definition
    of_style: dict[str, int] = field(default_factory=dict)  # paragraph style -> level
    definitions: dict[str, str] = field(default_factory=dict)  # list -> definition
    starts: dict[tuple[str, int], int] = field(default_factory=dict)  # of a list, where it begins anew
    _counts: dict[str, dict[int, int]] = field(default_factory=dict)
    _begun: set[tuple[str, int]] = field(default_factory=set)

    def next(self, name: str, level: int) -> int | None:
        """The number of the next step of this list; None where Word shows none."""
        definition = self.definitions.get(name)
        if definition is None:
            return None
        counts = self._counts.setdefault(definition, {})
        known = self.levels.get((definition, level), _Level())
        anew = (name, level) in self.starts and (name, level) not in self._begun
        self._begun.add((name, level))
        first = self.starts.get((name, level), known.start)
        counts[level] = first if anew or level not in counts else counts[level] + 1
        for deeper in [n for n in counts if n > level]:
            restart = self.levels.get((definition, deeper), _Level()).restart
            if restart < 0 or level < restart:
                del counts[deeper]
        return counts[level] if known.ordered else None


def numbers_of(numbering: ET.Element, styles: ET.Element | None) -> WordNumbers:
    """The lists that a document defines."""
    found, links = WordNumbers(), dict[str, str]()
    for definition in numbering.findall(f"{_W}abstractNum"):
        name = definition.get(f"{_W}abstractNumId", "")
        links[name] = _value(definition, "numStyleLink")
        for level in definition.findall(f"{_W}lvl"):
            depth = _int(level.get(f"{_W}ilvl", ""), 0)
            ordered = _value(level, "numFmt") not in _UNNUMBERED
            known = _Level(_int(_value(level, "start"), 1), _int(_value(level, "lvlRestart"), -1), ordered)
            found.levels[name, depth] = known
            if style := _value(level, "pStyle"):
                found.of_style[style] = depth
    for num in numbering.findall(f"{_W}num"):
        name = num.get(f"{_W}numId", "")
        found.definitions[name] = _value(num, "abstractNumId")
        for over in num.findall(f"{_W}lvlOverride"):
            start = _value(over, "startOverride") or _value(over, "lvl", "start")
            if start.isdecimal():
                found.starts[name, _int(over.get(f"{_W}ilvl", ""), 0)] = int(start)
    _follow(found, links, styles)
    return found


def _follow(found: WordNumbers, links: dict[str, str], styles: ET.Element | None) -> None:
    """A definition may only name a style whose list holds the real one."""
    lists = {s.get(f"{_W}styleId", ""): _value(s, "pPr", "numPr", "numId") for s in _styles(styles)}
    direct = dict(found.definitions)
    for name, definition in direct.items():
        if link := links.get(definition):
            found.definitions[name] = direct.get(lists.get(link, ""), definition)


def mark_numbers(
    document: ET.Element, numbers: WordNumbers, styles: ET.Element | None, hidden: frozenset[str]
) -> bool:
    """Bookmark each numbered paragraph with its number. True if there was one."""
    known = {s.get(f"{_W}styleId", ""): s for s in _styles(styles)}
    marked = False
    for paragraph in _paragraphs(document):
        if _unseen(paragraph, hidden):
            continue
        name, level = _place(paragraph, numbers, known)
        number = numbers.next(name, level)
        if number is not None:
            place = 1 if paragraph.find(f"{_W}pPr") is not None else 0
            paragraph.insert(place, ET.Element(f"{_W}bookmarkStart", {f"{_W}name": f"{MARK}{number}"}))
            marked = True
    return marked


def _paragraphs(above: ET.Element) -> Iterator[ET.Element]:
    """In the order of reading; of what is said twice for old and new programs only what is converted."""
    for child in above:
        if child.tag == f"{_W}p":
            yield child
        if child.tag != _CHOICE:
            yield from _paragraphs(child)


def _unseen(paragraph: ET.Element, hidden: frozenset[str]) -> bool:
    """Whether the end of the paragraph is hidden or deleted: Word does not count it then."""
    mark = paragraph.find(f"{_W}pPr/{_W}rPr")
    if mark is not None:
        if any(mark.find(f"{_W}{name}") is not None for name in ("del", "moveFrom")):
            return True
        if (own := mark.find(f"{_W}vanish")) is not None:
            return own.get(f"{_W}val", "1") not in ("0", "false", "off")
    return _value(paragraph, "pPr", "pStyle") in hidden


def _place(paragraph: ET.Element, numbers: WordNumbers, styles: dict[str, ET.Element]) -> tuple[str, int]:
    """The list of a paragraph and its level in it: its own words first, then those of its style."""
    style = _value(paragraph, "pPr", "pStyle")
    chain = [paragraph, *_based(style, styles)]
    name = next((v for p in chain if (v := _value(p, "pPr", "numPr", "numId"))), "")
    level = next((v for p in chain if (v := _value(p, "pPr", "numPr", "ilvl"))), "")
    return name, _int(level, numbers.of_style.get(style, 0))


def _based(style: str, styles: dict[str, ET.Element]) -> Iterator[ET.Element]:
    seen = set[str]()
    while style in styles and style not in seen:
        seen.add(style)
        yield styles[style]
        style = _value(styles[style], "basedOn")


def _styles(styles: ET.Element | None) -> Iterable[ET.Element]:
    return styles.findall(f"{_W}style") if styles is not None else ()


def _value(above: ET.Element, *path: str) -> str:
    found = above.find("/".join(f"{_W}{name}" for name in path))
    return found.get(f"{_W}val", "") if found is not None else ""


def _int(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else default
