"""What customers call the sections of the base: `_sections.yaml` of the folder of articles.

dostavka: {ru: Доставка, en: Delivery}
vozvrat: Возврат
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.errors import Problem
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, YamlNode, read_yaml_file

SECTIONS_FILE = "_sections.yaml"
SectionNames = Mapping[str, Mapping[str, str]]  # by path of the section, then by language ("" = any)


def read_sections(folder: Path) -> tuple[SectionNames, tuple[Problem, ...]]:
    """The names in their order, which is the order of the menu, and every fault; nothing where there is no
    file. Never raises.
    """
    path = folder / SECTIONS_FILE
    if not path.is_file():
        return {}, ()
    file = path.as_posix()
    try:
        root = read_yaml_file(path)
    except YamlError as error:
        return {}, (error.problem(file),)
    except OSError:
        return {}, (problem("articles.unreadable", file, code="KB001"),)
    if root is None or root.value is None:
        return {}, ()
    if root.kind != "map":
        return {}, (problem("articles.section_names", file, root.line, 1, "KB007"),)
    names: dict[str, Mapping[str, str]] = {}
    problems: list[Problem] = []
    for section, (place, value) in root.pairs.items():
        if (named := _names(value)) is None:
            problems.append(problem("articles.section_names", file, place.line, 1, "KB007"))
        else:
            names[section.strip("/")] = named
    return names, tuple(problems)


def _names(value: YamlNode) -> Mapping[str, str] | None:
    """By language; None where it is no name."""
    if value.kind == "text" and value.text.strip():
        return {"": value.text.strip()}
    if value.kind != "map" or not value.pairs:
        return None
    given = {language: node for language, (_, node) in value.pairs.items()}
    if not all(node.kind == "text" and node.text.strip() for node in given.values()):
        return None
    return {language.lower(): node.text.strip() for language, node in given.items()}
