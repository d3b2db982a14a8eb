"""Personal facts in articles, such as `{{ customer.fields.points }}`, filled in for each customer.

law: no customer reads braces. A paragraph whose fact is not known, or that cannot be made, is left out;
`default('…')` says something in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from jinja2 import Template, TemplateError, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context

from bot.i18n.sandbox import CLOSE, OPEN, MissingFact, Sandbox
from bot.model import Customer, RichText
from bot.text.customer_fields import is_own

KNOWN = frozenset({"customer", "now", "business"})
OF_CUSTOMER = frozenset({"name", "last_name", "username", "language", "fields"})
LACKING = "\ue002"
_FAILURES = (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError)
_BRACES = re.compile(r"\{\{|\{%|%\}|\}\}")
_CODE = re.compile(r"(^ *(```|~~~).*?^ *\2|`+[^`\n]*`+)", re.MULTILINE | re.DOTALL)
_BEGINS = re.compile(r"\s*(?:[-*+>|]|\d+[.)]|#{1,6}\s)")
_VALUE = re.compile(f"{OPEN}(\\d+){CLOSE}")
_SIGNS = re.compile(r"([\\`*_{}\[\]<>#|~=^%])")


class _ArticleSandbox(Sandbox):
    """The same sandbox; a value that is not there leaves a mark, and `default` speaks for empty ones, too."""

    def __init__(self, filters: dict[str, Callable[..., object]]) -> None:
        super().__init__(filters)
        self.comment_start_string, self.comment_end_string = "\ue003", "\ue004"  # `## Title {#id}` is none
        self.undefined = MissingFact  # `{% if customer.fields.vip %}` is a fair question
        self.trim_blocks = self.lstrip_blocks = False  # a blank row more or less parts paragraphs
        self.filters |= {"_whole": _marked, "default": _default, "d": _default}


@pass_context
def _marked(_context: Context, value: object, _path: str) -> object:
    return LACKING if _is_nothing(value) else value


def _default(value: object, other: object = "", _boolean: bool = True) -> object:
    return other if _is_nothing(value) else value


def _is_nothing(value: object) -> bool:
    if isinstance(value, str) and not value.strip():
        return True
    return isinstance(value, Undefined) or value is None or value == LACKING


class PersonalTexts:
    """Fills articles; the filters are those of the bot's texts."""

    def __init__(self, filters: dict[str, Callable[..., object]]) -> None:
        self._sandbox = _ArticleSandbox(filters)
        self._compiled: dict[str, Template | None] = {}

    def fill(self, markdown: str, facts: Mapping[str, object]) -> str:
        """The Markdown for whoever *facts* are about; without templates it is the same. Never raises."""
        if not _BRACES.search(markdown):
            return markdown
        template = self._template(markdown)
        if template is None:
            return without(markdown, _BRACES)
        try:
            made, kept = self._sandbox.run(template, dict(facts))
        except _FAILURES:
            return without(markdown, _BRACES)
        return without(_VALUE.sub(lambda found: _words(kept[int(found[1])]), made), re.compile(LACKING))

    def _template(self, markdown: str) -> Template | None:
        if markdown not in self._compiled:
            if len(self._compiled) > 2000:  # of articles that changed since
                self._compiled.clear()
            try:
                self._compiled[markdown] = self._sandbox.compiled(_with_raw_code(markdown), whole=True)
            except _FAILURES:
                self._compiled[markdown] = None
        return self._compiled[markdown]

    def is_sound(self, expression: str) -> bool:
        """Whether one `{{ … }}` names only facts that there are."""
        try:
            tree = self._sandbox.parse(expression)
        except TemplateSyntaxError:
            return False
        if any(True for _ in self._sandbox.faults(tree)) or find_undeclared_variables(tree) - KNOWN:
            return False
        of_customer = (g for g in tree.find_all(nodes.Getattr) if _is_named(g.node, "customer"))
        return all(g.attr in OF_CUSTOMER for g in of_customer)

    def syntax_fault(self, markdown: str) -> int:
        """The line (from 1) at which the templates of *markdown* cannot be read; 0 where they can."""
        try:
            tree = self._sandbox.parse(_with_raw_code(markdown))
        except TemplateSyntaxError as error:
            return error.lineno
        return next((line for _, line, _ in self._sandbox.faults(tree)), 0)

    def unsure(self, markdown: str) -> Iterator[int]:
        """The lines that are left out where a customer's fact is not known: neither a default nor an if."""
        try:
            tree = self._sandbox.parse(_with_raw_code(markdown))
        except TemplateSyntaxError:
            return
        for output in (n for n in tree.body if isinstance(n, nodes.Output)):
            for node in output.nodes:
                named = any(_is_named(n, "customer") for n in (node, *node.find_all(nodes.Name)))
                filters = [*([node] if isinstance(node, nodes.Filter) else []), *node.find_all(nodes.Filter)]
                spoken = any(f.name in ("default", "d") for f in filters)
                if named and not spoken and not isinstance(node, nodes.CondExpr):
                    yield node.lineno


def facts_of(customer: Customer | None, lang: str, **more: object) -> dict[str, object]:
    """What an article may know of this customer: none of the bot's own marks."""
    known = customer or Customer(0, language=lang)
    fields = {k: v for k, v in known.fields.items() if not is_own(k)}
    return {"customer": replace(known, fields=fields), "business": "", "lang": lang, **more}


def without(markdown: str, mark: re.Pattern[str]) -> str:
    """The Markdown without the paragraphs and list items in which *mark* stands outside code."""
    kept: list[str] = []
    for item in _items(markdown):
        if not mark.search(_CODE.sub("", "\n".join(item))):
            kept += item
    return "\n".join(kept)


def _items(markdown: str) -> Iterator[list[str]]:
    """Rows that belong together: a paragraph, an item of a list, a fence of code, a blank row."""
    rows = markdown.split("\n")
    fenced = {
        markdown.count("\n", 0, found.start()) + n
        for found in _CODE.finditer(markdown)
        for n in range(1, found[0].count("\n") + 1)
    }
    starts = [
        n
        for n, row in enumerate(rows)
        if n == 0 or (n not in fenced and (not row.strip() or not rows[n - 1].strip() or _BEGINS.match(row)))
    ]
    for begin, end in pairwise([*starts, len(rows)]):
        yield rows[begin:end]


def _with_raw_code(markdown: str) -> str:
    """Code is shown as it is written."""

    def kept(found: re.Match[str]) -> str:
        return "{% raw %}" + found[0] + "{% endraw %}" if _BRACES.search(found[0]) else found[0]

    return _CODE.sub(kept, markdown)


def _words(fact: RichText) -> str:
    """A fact as Markdown that reads as nothing but its words."""
    return _SIGNS.sub(r"\\\1", " ".join(fact.text.split()))


def _is_named(node: nodes.Node, name: str) -> bool:
    return isinstance(node, nodes.Name) and node.name == name
