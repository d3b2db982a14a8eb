"""Where templates run: editors write them, so they may read facts and shape words, and nothing more,
briefly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from jinja2 import StrictUndefined, Template, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.model import RichText
from bot.text.problems import advice, told

MAX_OUTPUT = 12_000  # characters of one text
MAX_VALUE = 12_000  # characters or items of one value on the way
MAX_STEPS = 2_000  # rounds of all loops of one text together

_BARE = re.compile(r"(?<![{\\$\w]){\s*([^\W\d]\w*(?:\.\w+|\s*\|\s*\w+)*)\s*}(?!})")

OPEN, CLOSE = "\ue000", "\ue001"
FILTERS = (  # noqa: SIM905
    "abs capitalize count default d first float int join last length list lower max min reject reverse round"
    " select sort string title trim truncate unique upper "
).split()
TESTS = (  # noqa: SIM905
    "boolean defined divisibleby eq even false float ge gt in integer iterable le lt mapping ne none number"
    " odd sequence string true undefined "
).split()
_REFUSED = (
    nodes.Macro,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.AssignBlock,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.Block,
    nodes.ScopedEvalContextModifier,
    nodes.With,
    nodes.ExprStmt,
)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 with a short list of filters, no calls, no multiplication of texts, and a budget of steps and
    characters.

    What an expression prints is kept aside as a fact (`Facts`), so no customer's character is ever read as
    Markdown.
    """

    intercepted_binops = frozenset({"*", "**", "+", "%", "//"})

    def __init__(self, filters: dict[str, Callable[..., object]] | None = None) -> None:
        super().__init__(
            autoescape=False,
            undefined=StrictUndefined,
            finalize=_keep_aside,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=0,
        )
        self.filters = {name: self.filters[name] for name in FILTERS} | (filters or {})
        self.tests = {name: self.tests[name] for name in TESTS}
        self.filters |= {"_steps": _steps, "_short": _short, "_whole": _whole, "join": _join}
        self.globals = {"range": _range}

    def is_safe_callable(self, obj: object) -> bool:
        return obj is _range

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if (operator in ("**", "%", "*") and not (_is_small(left) and _is_small(right))) or operator == "**":
            raise SecurityError(f"the operator {operator} is for small numbers only")
        return _short(super().call_binop(context, operator, left, right))

    def faults(self, tree: nodes.Template) -> Iterator[tuple[str, int, str]]:
        """What *tree* uses that is not offered: words, line, hint."""
        for node in tree.find_all(_REFUSED):
            yield told("texts.sandbox.statement"), node.lineno, advice("texts.sandbox.statement")
        for found in tree.find_all(nodes.Filter):
            if found.name not in self.filters or found.name.startswith("_"):
                known = ", ".join(sorted(n for n in self.filters if n[0] != "_"))
                yield _unknown("filter", found.name, known, found.lineno)
        for test in tree.find_all(nodes.Test):
            if test.name not in self.tests:
                yield _unknown("test", test.name, ", ".join(sorted(self.tests)), test.lineno)
        for call in tree.find_all(nodes.Call):
            if not isinstance(call.node, nodes.Name) or call.node.name != "range":
                yield told("texts.sandbox.call"), call.lineno, advice("texts.sandbox.call")
        for loop in tree.find_all(nodes.For):
            if loop.recursive:
                yield told("texts.sandbox.recursive"), loop.lineno, advice("texts.sandbox.recursive")

    def compiled(self, source: str, file: str = "", *, whole: bool = False) -> Template:
        """A template whose loops and joins count against the budget. Raises TemplateSyntaxError.

        *whole*: what it prints must have a value, and `lacking` tells what had none.
        """
        tree = self.parse(source)
        if whole:
            for output in tree.find_all(nodes.Output):
                output.nodes = [_needed(n) for n in output.nodes]
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "_steps", [], [], None, None, lineno=loop.lineno)
        for part in list(tree.find_all(nodes.Concat)):
            part.nodes = [nodes.Filter(n, "_short", [], [], None, None, lineno=n.lineno) for n in part.nodes]
        for assign in tree.find_all(nodes.Assign):
            assign.node = nodes.Filter(assign.node, "_short", [], [], None, None, lineno=assign.lineno)
        tree.set_environment(self)
        return Template.from_code(self, self.compile(tree, file or None, file or None), dict(self.globals))

    def run(self, template: Template, facts: dict[str, object]) -> tuple[str, Sequence[RichText]]:
        """The Markdown that *template* makes, and the facts to be filled in.

        Raises what jinja2 raises, SecurityError for excess.
        """
        kept: list[RichText] = []
        lacking = facts.get("_lacking", [])
        context = template.new_context({**facts, "_facts": kept, "_budget": [MAX_STEPS], "_lacking": lacking})
        done: list[str] = []
        length = 0
        try:
            for piece in template.root_render_func(context):
                length += len(piece)
                done.append(piece)
                if length + sum(len(fact.text) for fact in kept[-1:]) > MAX_OUTPUT:
                    raise SecurityError("the text is too long")
        except (
            NameError
        ) as error:  # jinja2 compiles a constant without end (1e999, "inf"|float) to the bare name `inf`
            raise TemplateRuntimeError(f"the number {error.name} is too large") from error
        if sum(len(fact.text) for fact in kept) > 2 * MAX_OUTPUT:
            raise SecurityError("the text is too long")
        return "".join(done), kept


def _unknown(kind: str, name: str, known: str, line: int) -> tuple[str, int, str]:
    key, facts = f"texts.sandbox.{kind}", {"name": name, "known": known}
    return told(key, **facts), line, advice(key, **facts)


class MissingFact(StrictUndefined):
    """A fact that is not known this time: a template may ask whether it is there, and cannot print it."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # jinja2 declares that it always raises
        return False


@pass_context
def _keep_aside(context: Context, value: object) -> object:
    if isinstance(value, StrictUndefined):
        str(value)  # raises
    if value is None or value == "" or value == RichText():
        return ""
    fact = value if isinstance(value, RichText) else RichText(clean(str(value)))
    if len(fact.text) > MAX_VALUE:
        raise SecurityError("the value is too long")
    kept: list[RichText] = context.parent["_facts"]
    kept.append(fact)
    return f"{OPEN}{len(kept) - 1}{CLOSE}"


def bare_variables(text: str) -> Iterator[tuple[str, int, str]]:
    """`{customer.name}` with one brace is no variable: how it stands there, its line, and how it is meant."""
    for found in _BARE.finditer(
        re.sub(r"{[{%#].*?[}%#]}", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL)
    ):
        yield found[0], text.count("\n", 0, found.start()) + 1, f"{{{{ {found[1]} }}}}"


def clean(text: str) -> str:
    """*text* without the two marks of this module, lone surrogates and control characters."""
    return "".join(
        c
        for c in text
        if c not in (OPEN, CLOSE) and not "\ud800" <= c <= "\udfff" and (c >= " " or c in "\n\t")
    )


def _needed(node: nodes.Expr) -> nodes.Expr:
    """*node* so that it notes the values it lacks.

    A condition or a default of its own is meant to leave something out.
    """
    if isinstance(node, nodes.Concat):
        node.nodes = [_needed(n) for n in node.nodes]
        return node
    if isinstance(node, nodes.CondExpr):
        node.expr1, node.expr2 = _needed(node.expr1), _needed(node.expr2) if node.expr2 else None
        return node
    if _has_default(node) or not (path := _path(node)):
        return node
    filters = [*([node] if isinstance(node, nodes.Filter) else []), *node.find_all(nodes.Filter)]
    for inner in filters:
        if isinstance(inner.node, nodes.Name | nodes.Getattr | nodes.Getitem):
            inner.node = _noting(inner.node, _path(inner.node))
    return _noting(node, path)


def _noting(node: nodes.Expr, path: str) -> nodes.Expr:
    name = nodes.Const(path, lineno=node.lineno)
    return nodes.Filter(node, "_whole", [name], [], None, None, lineno=node.lineno)


def _has_default(node: nodes.Expr | None) -> bool:
    while isinstance(node, nodes.Filter):
        if node.name in ("default", "d"):
            return True
        node = node.node
    return False


def _path(node: nodes.Expr | None) -> str:
    """How an editor wrote the value: customer.fields.size; "" = it is none."""
    while isinstance(node, nodes.Filter | nodes.Call):
        node = node.node
    if isinstance(node, nodes.Getattr):
        return f"{_path(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem):
        return (
            f"{_path(node.node)}.{node.arg.value}" if isinstance(node.arg, nodes.Const) else _path(node.node)
        )
    return node.name if isinstance(node, nodes.Name) else ""


@pass_context
def _whole(context: Context, value: object, path: str) -> object:
    """*value*, noted where there is none."""
    if (
        isinstance(value, Undefined)
        or value is None
        or (isinstance(value, str | RichText) and not str(value).strip())
    ):
        context.parent["_lacking"].append(path)
        return ""
    return value


@pass_context
def _steps(context: Context, items: Iterable[object]) -> Iterator[object]:
    budget: list[int] = context.parent["_budget"]
    for item in items:
        budget[0] -= 1
        if budget[0] < 0:
            raise SecurityError("the loops are too long")
        yield item


def _range(*args: int) -> range:
    numbers = range(*args)
    if len(numbers) > MAX_STEPS:
        raise SecurityError("the range is too long")
    return numbers


def _short(value: object) -> object:
    if isinstance(value, str | list | tuple | dict) and len(value) > MAX_VALUE:
        raise SecurityError("the value is too long")
    return value


def _join(items: Iterable[object], separator: str = "") -> str:
    words = [str(item) for item in items]
    if sum(map(len, words)) + len(separator) * len(words) > MAX_VALUE:
        raise SecurityError("the value is too long")
    return separator.join(words)


def _is_small(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < 1e12
