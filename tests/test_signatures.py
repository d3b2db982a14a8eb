"""A signature says what a function needs at a glance: what is more belongs together in a value."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import bot

MOST = 6
ROOT = Path(bot.__file__).parent
OPTIONS = "command"  # Typer makes an option of each parameter of a command: its signature is the command line


def functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function and method of the package by file and line, without the commands of the command line."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _is_command(node):
                yield f"{path.relative_to(ROOT.parent)}:{node.lineno} {node.name}", node


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    made = (d.func for d in node.decorator_list if isinstance(d, ast.Call))
    return any(isinstance(f, ast.Attribute) and f.attr == OPTIONS for f in made)


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """By name, without `self` and `cls`; `*texts` and `**facts` are lists of the caller's own length."""
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def test_a_function_takes_at_most_six_parameters() -> None:
    """Constructors and private functions, too. Take a frozen dataclass instead, named by a noun."""
    found = dict(functions())
    long = {name: parameters(node) for name, node in found.items() if len(parameters(node)) > MOST}

    assert len(found) > 3000  # the whole package was read
    assert long == {}
