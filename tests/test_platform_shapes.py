"""Neutral code asks the adapter what a chat is and where its messages are; it never reads it off an id."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import bot

HOME = Path(bot.__file__).parent
NEUTRAL = [
    *("engine.py", "inbox.py", "outbox.py", "service.py", "delivery", "dialogs", "events"),
    *("handoff", "knowledge", "model", "reports", "storage", "text"),
]
PLATFORM = re.compile(r"(?i)telegram|vk|tg|vkontakte|max")
ADDRESS = re.compile(r"(?i)\b(t\.me|telegram\.(org|me)|vk\.(com|me|ru)|max\.ru)/")
GROUP_IDS = ("-", "-100", "20000", "2000000")
VK_CHATS = range(2_000_000_000, 2_100_000_000)


def shapes(code: str) -> Iterator[tuple[int, str]]:
    """The line and the words of each place in *code* that knows a platform."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            parts = [part for side in (node.left, *node.comparators) for part in ast.walk(side)]
            names = [p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)]
            if any(PLATFORM.fullmatch(name) for name in names):
                yield node.lineno, ast.unparse(node)
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and ADDRESS.search(node.value) and "\n" not in node.value:
                yield node.lineno, repr(node.value)
            if isinstance(node.value, int) and node.value in VK_CHATS:
                yield node.lineno, repr(node.value)
        if isinstance(node, ast.Call):
            yield from _of_call(node)


def _of_call(call: ast.Call) -> Iterator[tuple[int, str]]:
    words = ast.unparse(call)
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("startswith", "removeprefix"):
        start = call.args[0] if call.args else None
        if isinstance(start, ast.Constant) and start.value in GROUP_IDS and "chat" in ast.unparse(call.func):
            yield call.lineno, words
    asked = call.func.id if isinstance(call.func, ast.Name) else ""
    if asked in ("getattr", "hasattr") and "adapter" in ast.unparse(call.args[0]).lower():
        yield call.lineno, words
    if asked == "isinstance" and "Adapter" in words:
        yield call.lineno, words


@pytest.mark.parametrize("place", NEUTRAL)
def test_neutral_code_knows_no_platform(place: str) -> None:
    path = HOME / place
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    found = [
        f"{file.relative_to(HOME)}:{line}: {words}"
        for file in files
        for line, words in shapes(file.read_text("utf-8"))
    ]

    assert files and found == []


@pytest.mark.parametrize(
    "code",
    [
        'if adapter.kind == "telegram": pass',
        'if adapter.kind in ("telegram", "vk"): pass',
        'if "vk" != channel: pass',
        'if kind == "max": pass',
        'to.chat.startswith("-100")',
        'chat.removeprefix("-100")',
        'url = f"https://t.me/c/{chat}"',
        'url = f"https://max.ru/c/{chat}"',
        "if int(chat) > 2_000_000_000: pass",
        'getattr(adapter, "routes", list)()',
        "isinstance(adapter, TelegramAdapter)",
    ],
)
def test_a_shape_is_found(code: str) -> None:
    assert list(shapes(code))
