"""The public names are those of docs/en/public-names.md, guides import no others, each says what it is."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import bot
import bot.testing
import bot.testing.contracts

ROOT = Path(__file__).parents[2]
GUIDES = sorted([*ROOT.glob("README*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
PUBLIC = {
    module: tuple(import_module(module).__all__) for module in ("bot", "bot.testing", "bot.testing.contracts")
}
SHAPELESS = {"Fault"}  # an alias has no docstring; the page tells what it is
EVERY = [(module, name) for module, names in PUBLIC.items() for name in names]


def code_of(guide: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", guide.read_text("utf-8"), re.S)


def test_the_page_of_public_names_tells_all_of_them_and_no_other() -> None:
    """A name that is not documented does not exist, and the other way round."""
    page = (ROOT / "docs/en/public-names.md").read_text("utf-8").split("## Entry points")[0]
    told = [
        name for row in re.findall(r"^\| (`.*?) *\|$", page, re.M) for name in re.findall(r"`(\w+)`", row)
    ]

    assert sorted(set(told)) == sorted({name for _, name in EVERY})


@pytest.mark.parametrize("guide", [g for g in GUIDES if code_of(g)], ids=lambda g: g.stem)
def test_what_a_guide_imports_is_public(guide: Path) -> None:
    """Nobody is told to import what may change tomorrow; each block is Python."""
    for block in code_of(guide):
        for node in ast.walk(ast.parse(block, str(guide))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bot":
                assert node.module in PUBLIC, f"{guide.name}: {node.module}"
                assert {a.name for a in node.names} <= set(PUBLIC[node.module]), guide.name


def test_what_an_example_imports_is_public() -> None:
    """The examples live by what they show."""
    for example in ROOT.glob("examples/**/*.py"):
        for node in ast.walk(ast.parse(example.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bot":
                assert {a.name for a in node.names} <= set(PUBLIC.get(node.module or "", ())), example


@pytest.mark.parametrize(("module", "name"), [e for e in EVERY if e[1] not in SHAPELESS], ids=lambda x: x)
def test_each_public_name_says_what_it_is_for(module: str, name: str) -> None:
    """In a docstring of its own, not one that a decorator made of the fields."""
    thing = getattr(import_module(module), name)
    said = thing.__doc__ or ""

    assert said.strip() and not said.startswith(f"{name}("), f"{module}.{name}"
    assert inspect.isclass(thing) or callable(thing)


def test_type_checkers_and_python_are_told_the_same() -> None:
    """What is imported for type checkers only is what comes at run time, from the same module."""
    tree = ast.parse(Path(str(bot.__file__)).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    told = {
        a.asname or a.name: (node.module, a.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for a in node.names
    }

    assert sorted(told) == sorted(bot.__all__)
    for name, (module, there) in told.items():
        assert getattr(bot, name) is getattr(import_module(str(module)), there)


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    """A slip of the pen is no riddle."""
    with pytest.raises(AttributeError, match=r"no public name 'repyl'.*reply"):
        bot.repyl  # noqa: B018


def test_the_package_alone_imports_nothing_heavy() -> None:
    """`bot --help` and an extension's import are quick: no platform, no numbers, no page."""
    heavy = ("aiogram", "vk_api", "numpy", "pydantic", "aiohttp")
    code = f"import sys, bot; print(*(m for m in {heavy} if m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == ""
