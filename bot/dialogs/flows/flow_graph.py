"""How the steps of a flow follow each other: what leads where, and what is never reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.dialogs.flows.flow_file import END, PERSON, FlowCase, FlowFile, FlowStep, spoken
from bot.text.problems import told

ENDS = frozenset({END, PERSON})
ASKING = frozenset({"ask", "code"})
LAST = frozenset({"article", "person", "end"})


@dataclass(frozen=True, slots=True)
class FlowWay:
    """From a step (its number) to a step, or past the last one (`to` = how many there are); `why` is the
    condition: next, go, option, case, not_found, failed, status; `about` tells which.
    """

    origin: int
    to: int
    why: str = "next"
    about: str = ""
    end: str = ""  # it leads out of the flow: end, person


def edges_of(flow: FlowFile, language: str = "ru") -> tuple[FlowWay, ...]:
    """All of them; what leads to an unknown step is left out (`strays` tells of it)."""
    found = [e for n, step in enumerate(flow.steps) for e in _edges(flow, n, step, language)]
    return tuple(dict.fromkeys(found))


def strays(flow: FlowFile) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each `go` that leads nowhere: its place in the file, and the name."""
    for n, step in enumerate(flow.steps):
        for place, name in _targets(step):
            if name not in ENDS and flow.place(name) is None:
                yield ("steps", str(n), *place), name


def unreached(flow: FlowFile) -> tuple[int, ...]:
    """The steps to which no way leads from the first."""
    ways = edges_of(flow)
    seen, todo = {0}, [0]
    while todo:
        here = todo.pop()
        for edge in ways:
            if edge.origin == here and not edge.end and edge.to < len(flow.steps) and edge.to not in seen:
                seen.add(edge.to)
                todo.append(edge.to)
    return tuple(n for n in range(len(flow.steps)) if n not in seen)


def endless(flow: FlowFile) -> tuple[int, ...]:
    """The steps that lead back to themselves without a question on the way."""
    ways: dict[int, set[int]] = {}
    for edge in edges_of(flow):
        if not edge.end and edge.to < len(flow.steps) and flow.steps[edge.origin].kind not in ASKING:
            ways.setdefault(edge.origin, set()).add(edge.to)
    return tuple(n for n in sorted(ways) if _leads(ways, n, n))


def _leads(ways: dict[int, set[int]], origin: int, to: int) -> bool:
    seen, todo = set[int](), [origin]
    while todo:
        for step in ways.get(todo.pop(), ()):
            if step == to:
                return True
            if step not in seen:
                seen.add(step)
                todo.append(step)
    return False


def _edges(flow: FlowFile, n: int, step: FlowStep, language: str) -> Iterator[FlowWay]:
    def to(name: str | None, why: str, about: str = "") -> Iterator[FlowWay]:
        if name is None:
            yield FlowWay(n, n + 1, "next" if why == "go" else why, about)
        elif name in ENDS:
            yield FlowWay(n, n, why, about, end=name)
        elif (place := flow.place(name)) is not None:
            yield FlowWay(n, place, why, about)

    if step.kind in LAST:
        return
    for option in step.options:
        yield from to(option.go or step.go, "option", spoken(option.text, language))
    for case in step.when or ():
        yield from to(case.go, "case", condition(case))
    if step.when is not None and any(not (c.answer or c.field) for c in step.when):
        return  # the last case takes all that is left
    if not step.options or step.optional:
        yield from to(step.go, "go")
    if step.http is not None:
        yield from to(step.not_found or PERSON, "not_found")
        for status, name in step.on.items():
            yield from to(name, "status", status)
    if step.http is not None or step.code is not None:
        yield from to(step.failed or PERSON, "failed")


def condition(case: FlowCase) -> str:
    """What a case asks, in a few words."""
    name = case.answer or case.field or ""
    if not name:
        return told("flows.diagram.otherwise")
    parts = [f"{name} = {', '.join(case.equals)}"] if case.equals else []
    for key, value in (("below", case.below), ("above", case.above)):
        if value is not None:
            parts.append(told(f"flows.diagram.{key}", name=name, value=f"{value:g}"))
    if case.known is not None:
        parts.append(told("flows.diagram.known" if case.known else "flows.diagram.unknown", name=name))
    return ", ".join(parts)


def _targets(step: FlowStep) -> Iterator[tuple[tuple[str, ...], str]]:
    for key in ("go", "not_found", "failed"):
        if name := getattr(step, key):
            yield (key,), name
    for i, option in enumerate(step.options):
        if option.go:
            yield ("options", str(i), "go"), option.go
    for i, case in enumerate(step.when or ()):
        yield ("when", str(i), "go"), case.go
    for status, name in step.on.items():
        yield ("on", status), name
