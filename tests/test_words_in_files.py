"""Words that people read stand in files, in both languages alike; Python holds only what reads Russian."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest
import yaml

from bot.text.problems import LOCALES

ROOT = Path(__file__).parents[1] / "bot"
CYRILLIC = re.compile("[А-Яа-яЁё]")
LETTERS = re.compile("[а-яА-Я]-[а-яА-Я]|[ёЁе]")  # classes of letters in patterns, and ё made е: no words
READS = {  # modules that may hold Russian, and why; a folder stands for all in it
    "adapters/email": "how mail programs mark quotes, answers, signatures and letters of machines",
    "assistant/masking.py": "patterns that find addresses and documents among people's words",
    "demo": "the played customers and operators of a Russian shop speak Russian",
    "testing/contracts": "the contracts that stores and adapters are tested by talk in Russian",
    "testing/harness.py": "the names of the played people of a test",
    "testing/stories.py": "the name of a story's customer who has none",
    "handoff/contacts.py": "a pattern that finds numbers of orders",
    "handoff/operators/operator_message.py": "letters of the keyboard: commands in the other layout",
    "handoff/sla/time_parsing.py": "the grammar of moments and lengths of time",
    "knowledge/articles/blanks.py": "the mark of a place that an owner has yet to fill",
    "knowledge/articles/drafts.py": "letters and how they are written in Latin ones",
    "knowledge/quality/gaps.py": "how questions begin",
    "knowledge/query/correction.py": "letters, layouts and endings, for mending what was typed",
    "knowledge/query/follow_ups.py": "how a question goes on with the last topic",
    "knowledge/query/text_readings.py": "letters of the keyboard and how they sound in Latin ones",
    "storage/postgres/problems.py": "how a Russian server says what is wrong",
    "text/customer_words.py": "patterns that find names, numbers and greetings among a customer's words",
    "text/short_names.py": "the case endings of short names",
    "text/person_names.py": "what is no name, and the endings of pet names",
}


def literals(path: Path) -> list[tuple[int, str]]:
    """The texts of a module that are no docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    prose = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    return [
        (n.lineno, n.value)
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in prose
    ]


def reason(path: Path) -> str:
    name = path.relative_to(ROOT).as_posix()
    return next((why for where, why in READS.items() if name == where or name.startswith(f"{where}/")), "")


def test_no_russian_words_in_python() -> None:
    """Whatever is said to a customer, an operator or the owner lies in a locale file; each exception has its
    reason, and none is left that needs none.
    """
    spoken = {
        path: [(line, text) for line, text in literals(path) if CYRILLIC.search(LETTERS.sub("", text))]
        for path in sorted(ROOT.rglob("*.py"))
    }
    found = [
        f"{path}:{line}: {text}" for path, texts in spoken.items() if not reason(path) for line, text in texts
    ]
    assert not found, "\n".join(found)
    needed = {reason(path) for path, texts in spoken.items() if texts}
    assert {where for where, why in READS.items() if why not in needed} == set()


def leaves(node: object, place: str = "") -> dict[str, list[str]]:
    """The texts of a file by their keys: the words, then what to do."""
    if isinstance(node, dict):
        return {k: v for name, inner in node.items() for k, v in leaves(inner, f"{place}.{name}").items()}
    return {place: node if isinstance(node, list) else [str(node)]}


@pytest.mark.parametrize("area", sorted({p.name.split(".")[0] for p in LOCALES.glob("*.yaml")}))
def test_each_problem_has_its_words_in_both_languages(area: str) -> None:
    """The same keys, the same facts, advice where the other language advises; no Russian in the English."""
    russian, english = (
        leaves(yaml.safe_load((LOCALES / f"{area}.{language}.yaml").read_text("utf-8")))
        for language in ("ru", "en")
    )
    assert list(russian) == list(english)

    def facts(texts: list[str]) -> set[str]:
        return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}

    for key, texts in russian.items():
        assert len(texts) == len(english[key]) <= 2, key
        assert facts(texts) == facts(english[key]), key
        assert all(texts) and all(english[key]), key
        assert not CYRILLIC.search(" ".join(english[key])), key


def test_every_key_that_python_names_has_words() -> None:
    """A constant key of `told`, `advice`, `problem` or `warning` stands in its file."""
    known = {
        f"{path.name.split('.')[0]}{key}"
        for path in LOCALES.glob("*.ru.yaml")
        for key in leaves(yaml.safe_load(path.read_text("utf-8")))
    }
    named = {
        (str(path), node.lineno, node.args[0].value)
        for path in ROOT.rglob("*.py")
        if "from bot.text.problems import" in (text := path.read_text("utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("told", "advice", "problem", "warning", "problem_of")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert len(named) > 100
    assert {(file, line, key) for file, line, key in named if key not in known} == set()
