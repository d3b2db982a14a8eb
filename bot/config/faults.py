"""What the checks of the config find, in words: what stands there, what is wanted, and an example."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.config.handoff import DAY_TIME, DURATION, FIELD_NAME, LANGUAGE, NAME, SPAN, TEAM_NAME
from bot.config.website_channel import COLOUR
from bot.errors import Problem
from bot.text.nearest import nearest
from bot.text.problems import TranslatableText, problem, told
from bot.text.yaml_source import YamlNode

SECRETS = ("token", "secret", "password", "confirmation", "api_key", "admin_key")
_VOICE_KEY = ("voice", "key")  # elsewhere it may be a name of the owner's
VARIABLE = re.compile(r"\$\{(\w+)\}")
_LONGEST = 60  # characters of a value that are shown
_LOOKS = {  # what a value must look like, and an example
    DURATION: ("duration", "30m"),
    DAY_TIME: ("day_time", '"12:00"'),
    SPAN: ("span", '"9:00-21:00"'),
    NAME: ("name", "crm"),
    TEAM_NAME: ("team_name", "sales"),
    FIELD_NAME: ("field_name", "order"),
    LANGUAGE: ("language", "ru"),
    COLOUR: ("colour", '"#0b57d0"'),
}
_KINDS = (  # how the checks name what is wrong, what is wanted, and an example
    (("int_", "greater_than", "less_than"), "whole", "10"),
    (("float_", "finite_number"), "number", "0.5"),
    (("bool_",), "flag", "true"),
    (("date_", "datetime_"), "day", "2026-12-31"),
    (("dict_", "mapping_", "model_"), "section", ""),
    (("tuple_", "list_", "iterable_"), "list", ""),
    (("string_type", "string_sub_type"), "text", ""),
)


def is_secret(place: tuple[str, ...]) -> bool:
    """Whether the value at *place* belongs into the environment, and is shown to nobody."""
    return place[-1] in SECRETS or place == _VOICE_KEY


@dataclass(frozen=True, slots=True)
class ConfigFaults:
    """The words for the faults of one file; *called* is how people call a place in it."""

    model: type[BaseModel]
    file: Path
    root: YamlNode | None
    called: Callable[[Sequence[str]], str] = ".".join

    def problems(self, errors: Iterable[Mapping[str, Any]]) -> list[Problem]:
        """A problem for each place that is wrong.

        What the branches of one choice say of it is told once; a list that is short only because of what is
        wrong inside it is not told.
        """
        errors = [*errors]
        found: dict[tuple[tuple[str, ...], str], Problem] = {}
        for error in errors:
            place = self._place(error)
            if error["type"] == "too_short" and any(_is_below(e["loc"], error["loc"]) for e in errors):
                continue
            kind = error["type"] if error["type"] in ("extra_forbidden", "missing", "value_error") else ""
            found.setdefault((place, kind), self._problem(place, error))
        return list(found.values())

    def problem(self, key: str, /, *place: str, hint: str | None = None, **facts: Any) -> Problem:
        """The problem of *key* at *place*."""
        line = self.root.find(*place)[1] if self.root else 1
        return problem(f"config.{key}", str(self.file), line, hint=hint, **facts)

    def _problem(self, place: tuple[str, ...], error: Mapping[str, Any]) -> Problem:
        name, said = self.called(place) if place else "", str(error["type"])
        if said == "extra_forbidden":
            near = nearest(place[-1], self._keys(place[:-1]))
            hint = told("config.did_you_mean", near=near[0]) if near else None
            return self.problem("unknown", *place, hint=hint, name=name)
        if said == "missing":
            return self.problem("missing", *place, name=name, example=self._example(place, ""))
        if said == "value_error":
            words = error["ctx"]["error"].args[0]
            return self.problem("own", *place, name=name, words=words) if name else _bare(self.file, words)
        expected, example = self._expected(place, error)
        if error["loc"][-1] == "[key]":
            above = place[-2] if len(place) > 1 else place[-1]
            facts = {
                "name": self.called(place[:-1]),
                "expected": expected,
                "example": f"{above}: {{{example}: …}}",
            }
            return self.problem("wrong", *place, value=told("config.value", text=place[-1]), **facts)
        short = error["type"] in ("too_short", "too_long")
        return self._wrong(place, expected, self._example(place, example), short=short)

    def _wrong(self, place: tuple[str, ...], expected: str, example: str, *, short: bool) -> Problem:
        facts = {"name": self.called(place), "expected": expected, "example": example}
        node = self._node(place)
        if short:
            return self.problem("hidden", *place, **facts)
        if node is None or node.kind != "text":
            shown = told("config.a_list" if node and node.kind == "list" else "config.a_section")
            return self.problem("wrong", *place, value=shown, **facts)
        if variable := VARIABLE.search(node.text):
            return self.problem("variable", *place, variable=variable[1], **facts)
        if node.value is None:
            return self.problem("empty", *place, **facts)
        if is_secret(place) or "@" in node.text:
            return self.problem("hidden", *place, **facts)
        return self.problem("wrong", *place, value=told("config.value", text=node.text[:_LONGEST]), **facts)

    def _expected(self, place: tuple[str, ...], error: Mapping[str, Any]) -> tuple[TranslatableText, str]:
        """What is wanted at *place*, and an example of it."""
        said, facts = str(error["type"]), error.get("ctx") or {}
        if said == "string_pattern_mismatch" and facts["pattern"] in _LOOKS:
            kind, example = _LOOKS[facts["pattern"]]
            return told(f"config.expected.{kind}"), example
        if said in ("literal_error", "enum"):
            options = re.findall(r"'([^']*)'", str(facts["expected"]))
            return told("config.expected.one_of", options=", ".join(options)), options[0]
        if said in ("too_short", "too_long"):
            few = said == "too_long"
            count = facts["max_length" if few else "min_length"]
            return told(f"config.expected.{'few' if few else 'many'}", count=count), told(
                "config.example.list"
            )
        kind, example = next(
            ((kind, example) for starts, kind, example in _KINDS if said.startswith(starts)), ("other", "")
        )
        if kind in ("whole", "number"):
            return self._number(place, kind), example
        return told(f"config.expected.{kind}"), example

    def _number(self, place: tuple[str, ...], kind: str) -> TranslatableText:
        """A number and its limits, all of them at once."""
        field = self._field(place)
        limits = {
            name: f"{getattr(limit, name):g}"
            for limit in (field.metadata if field else ())
            for name in ("ge", "gt", "le", "lt")
            if getattr(limit, name, None) is not None
        }
        if field and float in _leaves(field.annotation):
            kind = "number"
        words, least = told(f"config.expected.{kind}"), limits.get("ge") or limits.get("gt")
        most = limits.get("le") or limits.get("lt")
        if least is None:
            return words
        how = "above" if "gt" in limits else "from"
        if most is not None:
            how = "between" if how == "from" else "above_to" if "le" in limits else "above_below"
        return told(f"config.expected.{how}", kind=words, least=least, most=most)

    def _example(self, place: tuple[str, ...], given: str) -> str:
        """`key: value` as it may stand at *place*: our own value where there is one."""
        field = self._field(place)
        default = field.default if field else None
        if isinstance(default, bool):
            given = str(default).lower()
        elif isinstance(default, (str, int, float)) and default != "":
            given = f'"{default}"' if set(":#") & set(str(default)) else str(default)
        elif place and is_secret(place):
            given = f'"${{{"_".join(place[-2:]).upper()}}}"'
        elif not given and (inner := self._keys(place)):
            given = f"{{{inner[0]}: …}}"
        elif not given:
            given = _sample(field.annotation if field else str)
        return (
            told("config.example.pair", key=place[-1], value=given)
            if place and not place[-1].isdigit()
            else given
        )

    def _place(self, error: Mapping[str, Any]) -> tuple[str, ...]:
        """Where in the file it is, without what the checks add of their own: branches of a choice, [key]."""
        place: list[str] = []
        node: YamlNode | None = self.root
        parts = [str(part) for part in error["loc"]]
        for n, part in enumerate(parts):
            last = n == len(parts) - 1
            inner = None
            if node is not None and node.kind == "map":
                inner = node.get(part)
            elif node is not None and node.kind == "list" and part.isdigit() and int(part) < len(node.items):
                inner = node.items[int(part)]
            if inner is not None:
                place.append(part)
                node = inner
            elif last and error["type"] in ("missing", "extra_forbidden"):
                place.append(part)
        return tuple(place)

    def _node(self, place: tuple[str, ...]) -> YamlNode | None:
        return self.root.find(*place)[0] if self.root else None

    def _field(self, place: tuple[str, ...]) -> FieldInfo | None:
        if not place:
            return None
        above = self._node(place[:-1])
        kind = above.get("type") if above and above.kind == "map" else None
        fields = [
            m.model_fields for m in self._at(place[:-1]) if _is_section(m) and place[-1] in m.model_fields
        ]
        named = [f for f in fields if kind and "type" in f and kind.text in get_args(f["type"].annotation)]
        return next((f[place[-1]] for f in (*named, *fields)), None)

    def _keys(self, place: tuple[str, ...]) -> list[str]:
        """The keys that may stand in the section at *place*."""
        models = [m for m in self._at(place) if _is_section(m)]
        return [*dict.fromkeys(k for m in models for k, f in m.model_fields.items() if not f.exclude)]

    def _at(self, place: tuple[str, ...]) -> list[Any]:
        """What may stand at *place*."""
        kinds: list[Any] = [self.model]
        for step in place:
            kinds = [inner for kind in kinds for inner in _inside(kind, step)]
        return kinds


def _inside(kind: Any, step: str) -> list[Any]:
    if _is_section(kind):
        field = kind.model_fields.get(step)
        return _leaves(field.annotation) if field else []
    inner = get_args(kind)
    return _leaves(inner[1] if len(inner) > 1 and inner[1] is not ... else inner[0]) if inner else []


def _leaves(kind: Any) -> list[Any]:
    """The kinds of a choice, without their marks."""
    if get_origin(kind) is Annotated:
        return _leaves(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return [leaf for one in get_args(kind) for leaf in _leaves(one)]
    return [kind]


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _sample(kind: Any) -> str:
    """A value of *kind* as an example."""
    for leaf in _leaves(kind):
        if options := [o for o in get_args(leaf) if isinstance(o, str)]:
            return options[0]
        if leaf in (int, float):
            return "10"
        if get_origin(leaf) is tuple:
            section = next((i for i in _inside(leaf, "0") if _is_section(i)), None)
            return f"[{{{next(iter(section.model_fields))}: …}}]" if section else told("config.example.list")
    return told("config.example.text")


def _is_below(place: tuple[object, ...], above: tuple[object, ...]) -> bool:
    return len(place) > len(above) and place[: len(above)] == above


def _bare(file: Path, words: str) -> Problem:
    return Problem(words, str(file), 1)
