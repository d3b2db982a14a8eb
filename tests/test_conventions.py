"""How tests are written here: through public names, with something that can fail, under names that say the
behaviour.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("tests", "benchmarks", "examples", "training")
OUTSIDE = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
TESTS = [path for path in OUTSIDE if path.name.startswith("test_")]
TESTS += sorted((ROOT / "bot/testing/contracts").glob("*.py"))
# what a test may end with in place of an assertion: each raises by itself where it does not hold
CHECKS = {"raises", "warns", "until", "wait_for_selector", "survives", "read_config"}


def is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and not name.startswith("__")


def reach_ins(tree: ast.AST) -> Iterator[str]:
    """Private names of others that a file uses; its own (`self._x`, a helper of the file) are no concern."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(attr=name) if is_private(name):
                yield f"{node.lineno}: {ast.unparse(node)}"
            case ast.ImportFrom(module=module, names=names):
                yield from (f"{node.lineno}: {module}.{n.name}" for n in names if is_private(n.name))
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr"), args=[_, ast.Constant(value=name), *_]
            ) if is_private(name):
                yield f"{node.lineno}: {ast.unparse(node)}"


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node


def can_fail(node: ast.AST, helpers: Mapping[str, ast.AST], seen: frozenset[str] = frozenset()) -> bool:
    """Whether an assertion, or what raises by itself, is in it or in a helper of the file that it uses."""
    for part in ast.walk(node):
        if isinstance(part, ast.Assert) and not isinstance(part.test, ast.Constant):
            return True
        if not isinstance(part, ast.Name | ast.Attribute):
            continue
        name = part.id if isinstance(part, ast.Name) else part.attr
        if name in CHECKS:
            return True
        if name in helpers and name not in seen and can_fail(helpers[name], helpers, seen | {name}):
            return True
    return False


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_private_is_reached_into(folder: str) -> None:
    """What a test needs is public or offered by `bot.testing`: else every inner change is one of tests."""
    found = [
        f"{path.relative_to(ROOT)}:{what}"
        for path in OUTSIDE
        if path.is_relative_to(ROOT / folder)
        for what in reach_ins(ast.parse(path.read_text("utf-8")))
    ]

    assert found == []


def test_no_helper_takes_the_place_of_the_standard_library() -> None:
    """pytest puts each folder that is no package on the path, where processes of the tests find it, too."""
    loose = [path for path in OUTSIDE if not (path.parent / "__init__.py").exists()]

    assert [p.relative_to(ROOT) for p in loose if p.stem in sys.stdlib_module_names] == []


def test_every_test_can_fail() -> None:
    """Each has an assertion that is no constant, in itself or in a helper beside it."""
    blind = []
    for path in TESTS:
        tree = ast.parse(path.read_text("utf-8"))
        helpers = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
        blind += [
            f"{path.relative_to(ROOT)}:{t.lineno} {t.name}"
            for t in functions_of(path)
            if not can_fail(t, helpers)
        ]

    assert blind == []


def test_names_say_the_behaviour() -> None:
    """At least three words, and neither there nor below a key of some list that is kept elsewhere."""
    keyed = [
        f"{path.relative_to(ROOT)}:{test.lineno} {test.name}"
        for path in TESTS
        for test in functions_of(path)
        if len(test.name.split("_")) < 4
        or re.search(r"_(row|case|issue|bug|fault)_?\d+$", test.name)
        or re.match(r"(Rows?|Case|Issue|Bug|Fault)\W?\d|[A-Z]\d", ast.get_docstring(test) or "")
    ]

    assert keyed == []
