"""Playbooks in files: YAML with several in one file, or Markdown with one, as an editor likes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bot.errors import ConfigError, Problem
from bot.handoff.playbooks.playbook import Playbook, Playbooks, steps_of
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, YamlNode, read_yaml, read_yaml_file

_KEYS = frozenset({"title", "topics", "tags", "reasons", "words", "steps"})
_STEP_KEYS = frozenset({"text", "required", "amount"})
_LISTS = ("topics", "tags", "reasons", "words")
_FRONT = re.compile(r"\A---[ \t]*\n(?P<head>.*?\n)---[ \t]*\n(?P<body>.*)\Z", re.DOTALL)
_LINE = re.compile(r"^[ \t]*[-*][ \t]+(?:\[[ xX]?\][ \t]*)?(?P<text>\S.*?)[ \t]*$", re.MULTILINE)
_BOLD = re.compile(r"\*\*(.+)\*\*")
_AMOUNT = re.compile(r"\((\d[\d\s.,]*)\s*[^\w\s)]?[^\d)]{0,6}\)\s*$")


def builtin_playbooks(language: str) -> Path:
    """The folder of the playbooks that come with the bot, in the language of the business."""
    folder = Path(__file__).parent / "builtin" / language
    return folder if folder.is_dir() else folder.with_name("en")


def read_playbooks(folders: Sequence[Path]) -> Playbooks:
    """The playbooks of all folders; one of a later folder stands in place of an earlier one of its name.

    Own ones are tried first. Raises `ConfigError` with every fault of their files.
    """
    found: dict[str, Playbook] = {}
    problems: list[Problem] = []
    for folder in folders:
        if not folder.is_dir():
            problems.append(problem("playbooks.no_folder", folder.as_posix()))
            continue
        own: dict[str, Playbook] = {}
        for path in sorted(p for p in folder.iterdir() if p.suffix in (".yaml", ".yml", ".md")):
            if path.suffix == ".md" and path.stem.lower() == "readme":
                continue
            read = _markdown if path.suffix == ".md" else _yaml
            for playbook, line in read(path, problems):
                if playbook.name in own:
                    problems.append(problem("playbooks.twice", str(path), line, name=playbook.name))
                own[playbook.name] = playbook
        found = {**own, **{name: p for name, p in found.items() if name not in own}}
    if problems:
        raise ConfigError(problems)
    return Playbooks(found)


def _yaml(path: Path, problems: list[Problem]) -> Iterator[tuple[Playbook, int]]:
    try:
        root = read_yaml_file(path)
    except YamlError as error:
        problems.append(error.problem(str(path)))
        return
    if root is None or root.value is None:
        return
    if root.kind != "map":
        problems.append(problem("playbooks.shape", str(path), root.line, name=path.name))
        return
    for name, (place, node) in root.pairs.items():
        steps = node.get("steps")
        read = [_step(s) for s in steps.items] if steps is not None and steps.kind == "list" else []
        told = [s for s in read if s is not None]
        if set(node.pairs) - _KEYS or not told or len(told) != len(read):
            problems.append(problem("playbooks.shape", str(path), place.line, name=name))
            continue
        yield _made(name, node, told), place.line


def _markdown(path: Path, problems: list[Problem]) -> Iterator[tuple[Playbook, int]]:
    """Front matter as in an article, and a list: **bold** steps are required, a sum in brackets at the end
    is a compensation.
    """
    try:
        found = _FRONT.match(path.read_text("utf-8-sig").replace("\r\n", "\n"))
        node = read_yaml(found["head"]) if found else None
    except YamlError as error:
        problems.append(error.problem(str(path)))
        return
    except (UnicodeDecodeError, OSError):
        problems.append(problem("texts.not_utf8", str(path)))
        return
    steps = [_line(m["text"]) for m in _LINE.finditer(found["body"])] if found else []
    if node is None or node.kind != "map" or set(node.pairs) - (_KEYS - {"steps"}) or not steps:
        problems.append(problem("playbooks.markdown", str(path), name=path.stem))
        return
    yield _made(path.stem, node, steps), 1


def _made(name: str, node: YamlNode, steps: Sequence[tuple[str, bool, float | None]]) -> Playbook:
    title = node.get("title")
    lists: Mapping[str, tuple[str, ...]] = {key: _texts(node.get(key)) for key in _LISTS}
    return Playbook(name, title.text if title else name, steps_of(steps), **lists)


def _step(node: YamlNode) -> tuple[str, bool, float | None] | None:
    """A step of YAML: its text, or a mapping; None where it is neither."""
    if node.kind == "text":
        return (node.text.strip(), False, None) if node.value else None
    text = node.get("text")
    if node.kind != "map" or set(node.pairs) - _STEP_KEYS or text is None or not text.text.strip():
        return None
    amount, required = node.get("amount"), node.get("required")
    try:
        sum_ = float(amount.text.replace(" ", "").replace(",", ".")) if amount is not None else None
    except ValueError:
        return None
    return text.text.strip(), required is not None and required.text.lower() in ("true", "yes"), sum_


def _line(text: str) -> tuple[str, bool, float | None]:
    """A step of Markdown."""
    bold = _BOLD.fullmatch(text)
    plain = bold[1] if bold else text
    amount = _AMOUNT.search(plain)
    value = float(re.sub(r"\s", "", amount[1]).replace(",", ".").rstrip(".")) if amount else None
    return plain, bold is not None, value


def _texts(node: YamlNode | None) -> tuple[str, ...]:
    if node is None:
        return ()
    return tuple(n.text for n in (node.items if node.kind == "list" else [node]) if n.value)
