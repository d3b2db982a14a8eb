"""A Word file as its reader sees it: what the author hid is left out, steps know their numbers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from bot.knowledge.word_numbers import mark_numbers, numbers_of

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OFF = ("0", "false", "off")
_DOCUMENT, _STYLES, _NUMBERING = "word/document.xml", "word/styles.xml", "word/numbering.xml"


def as_shown(path: Path) -> io.BytesIO:
    """The file without what is hidden, directly or by style; a bookmark at each step says its number.

    To be called for checked archives only (no entities).
    """
    done = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(done, "w", zipfile.ZIP_DEFLATED) as clean:
        names = archive.namelist()
        styles = ET.fromstring(archive.read(_STYLES)) if _STYLES in names else None
        numbers = numbers_of(ET.fromstring(archive.read(_NUMBERING)), styles) if _NUMBERING in names else None
        hidden = _hidden_styles(styles) if styles is not None else frozenset()
        for name in dict.fromkeys(names):
            content = archive.read(name)
            if name.startswith("word/") and name.endswith(".xml") and b"<w:r" in content:
                root = ET.fromstring(content)
                numbered = numbers if name == _DOCUMENT else None
                counted = numbered is not None and mark_numbers(root, numbered, styles, hidden)
                if _without_hidden(root, hidden) or counted:
                    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
            clean.writestr(name, content)
    done.seek(0)
    return done


def _hidden_styles(styles: ET.Element) -> frozenset[str]:
    return frozenset(
        s.get(f"{_W}styleId", "") for s in styles.iter(f"{_W}style") if _is_on(s.find(f"{_W}rPr/{_W}vanish"))
    )


def _without_hidden(root: ET.Element, styles: frozenset[str]) -> bool:
    hidden = list(_hidden(root, styles))
    for above, run in hidden:
        above.remove(run)
    return bool(hidden)


def _hidden(root: ET.Element, styles: frozenset[str]) -> Iterator[tuple[ET.Element, ET.Element]]:
    for above in root.iter():
        paragraph = above.find(f"{_W}pPr/{_W}pStyle")
        for run in above.findall(f"{_W}r"):
            own, style = run.find(f"{_W}rPr/{_W}vanish"), run.find(f"{_W}rPr/{_W}rStyle")
            named = {s.get(f"{_W}val", "") for s in (paragraph, style) if s is not None}
            if _is_on(own) if own is not None else bool(named & styles):
                yield above, run


def _is_on(mark: ET.Element | None) -> bool:
    return mark is not None and mark.get(f"{_W}val", "1") not in _OFF
