"""A flow in words, step by step: for the page, the command line and whoever cannot see the diagram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.dialogs.flows.flow_file import FlowFile, FlowStep, spoken
from bot.dialogs.flows.flow_graph import FlowWay, edges_of
from bot.text.markdown import plain
from bot.text.problems import told


@dataclass(frozen=True, slots=True)
class OutlinedWay:
    """A way from a step: when, and where to (`to` = the number of a step from 0, -1 = out of the flow)."""

    why: str
    where: str
    to: int


@dataclass(frozen=True, slots=True)
class OutlinedStep:
    """A step: its name, what it does, its words, and the ways from it."""

    number: int
    name: str
    kind: str
    title: str
    text: str
    ways: tuple[OutlinedWay, ...]


def outline(flow: FlowFile, language: str) -> tuple[OutlinedStep, ...]:
    """Every step in the order of the file, in the reader's language (`bot.text.problems.reading`)."""
    edges = edges_of(flow, language)
    return tuple(
        OutlinedStep(
            n,
            flow.named(n),
            step.kind,
            told(f"flows.diagram.{step.kind}"),
            _text(step, language),
            tuple(_way(flow, e) for e in edges if e.origin == n),
        )
        for n, step in enumerate(flow.steps)
    )


def beginnings(flow: FlowFile, language: str) -> tuple[str, ...]:
    """What begins it, in words."""
    start = flow.start
    found = []
    if start.words or start.examples:
        found.append(told("flows.diagram.words", words=", ".join((*start.words, *start.examples)[:4])))
    if start.command:
        found.append(told("flows.diagram.command", command=start.command))
    if start.menu:
        found.append(told("flows.diagram.menu", button=spoken(start.menu, language)))
    if flow.questionnaire is not None:
        found.append(told("flows.diagram.sent"))
    return tuple(found)


def _way(flow: FlowFile, edge: FlowWay) -> OutlinedWay:
    why = told(f"flows.diagram.{edge.why}", about=edge.about)
    if edge.end or edge.to >= len(flow.steps):
        return OutlinedWay(why, told(f"flows.diagram.to_{edge.end or 'end'}"), -1)
    return OutlinedWay(why, told("flows.diagram.to_step", name=flow.named(edge.to)), edge.to)


def _text(step: FlowStep, language: str) -> str:
    """What a step says or does, as words; secrets are names of variables and stay so."""
    words = step.say or step.ask or step.person or step.end
    if isinstance(words, bool) or words is None:
        return "; ".join(_deed(step))
    options = " / ".join(spoken(option.text, language) for option in step.options)
    return plain(spoken(words, language)) + (f" [{options}]" if options else "")


def _deed(step: FlowStep) -> Iterator[str]:
    if step.http is not None:
        yield f"{step.http.method} {step.http.url}"
    if step.code is not None:
        yield told("flows.diagram.by_code")
    for name, value in (step.set or {}).items():
        yield f"{name} = {value}"
    if step.article is not None:
        yield step.article
