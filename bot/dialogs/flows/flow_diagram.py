"""A flow as a picture: SVG of boxes one below the other and the ways between them, made here, without any
network. It takes its colours from where it stands (`currentColor`), so it is right in light and dark.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bot.dialogs.flows.flow_file import FlowFile
from bot.dialogs.flows.flow_outline import OutlinedStep, OutlinedWay, beginnings, outline
from bot.text.graphemes import shorten
from bot.text.problems import told

WIDTH, GAP, LEFT, TOP = 330, 30, 16, 12  # of a box; between two; the margins
LINE, SLOT, SIGNS = 17, 24, 40  # height of a line of words, of a way; characters of a line
LABELS = 200  # width for what is said at a way
LANE = 16  # between two ways that run down beside each other
SHADES = {"ask": "#2f81f7", "code": "#2f81f7", "http": "#8957e5", "when": "#bf8700", "person": "#d1242f"}


@dataclass(frozen=True, slots=True)
class PlacedStep:
    """A box of the picture."""

    step: OutlinedStep
    lines: tuple[str, ...]
    top: int
    height: int

    @property
    def middle(self) -> int:
        return self.top + self.height // 2

    @property
    def turns(self) -> tuple[OutlinedWay, ...]:
        """The ways besides the one straight down."""
        return tuple(w for w in self.step.ways if w.to != self.step.number + 1)

    @property
    def straight(self) -> OutlinedWay | None:
        """The way down to the next box."""
        return next((w for w in self.step.ways if w.to == self.step.number + 1), None)


def diagram(flow: FlowFile, language: str) -> str:
    """The SVG, whole and by itself."""
    begins = [line for text in beginnings(flow, language) for line in textwrap.wrap(text, SIGNS)[:2]]
    top = TOP + 26 + LINE * len(begins)
    boxes = _placed(outline(flow, language), top + GAP)
    lanes = sum(1 for box in boxes for way in box.turns if way.to >= 0)
    height = boxes[-1].top + boxes[-1].height + TOP
    width = LEFT + WIDTH + LABELS + LANE * (lanes + 1) + 12
    name = told("flows.diagram.about", title=flow.called(language), count=len(boxes))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" role="img" aria-label="{escape(name)}" font-family="system-ui, sans-serif"'
        ' font-size="13" fill="currentColor">',
        f"<title>{escape(name)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
        ' orient="auto-start-reverse"><path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>',
        *_box(LEFT, TOP, top - TOP, "currentColor", (told("flows.diagram.start"), *begins)),
        _down(top, boxes[0].top),
    ]
    lane = 0
    for box in boxes:
        shade = SHADES.get(box.step.kind, "currentColor")
        head = f"{box.step.name} · {box.step.title}" if not box.step.name.isdecimal() else box.step.title
        parts += _box(LEFT, box.top, box.height, shade, (head, *box.lines))
        if box.straight is not None:
            parts.append(_down(box.top + box.height, boxes[box.step.number + 1].top))
        for n, way in enumerate(box.turns):
            y = box.top + 16 + SLOT * n
            lane += 1 if way.to >= 0 else 0
            parts += _way(way, y, boxes, lane)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _placed(steps: Sequence[OutlinedStep], top: int) -> list[PlacedStep]:
    placed: list[PlacedStep] = []
    for step in steps:
        lines = tuple(textwrap.wrap(step.text, SIGNS, max_lines=3, placeholder=" …"))
        box = PlacedStep(step, lines, top, 0)
        height = max(26 + LINE * len(lines), 12 + SLOT * len(box.turns))
        placed.append(PlacedStep(step, lines, top, height))
        top += height + GAP
    return placed


def _box(x: int, y: int, height: int, shade: str, lines: Sequence[str]) -> Iterator[str]:
    yield (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{height}" rx="8" fill="{shade}" fill-opacity="0.07"'
        f' stroke="{shade}" stroke-opacity="0.7"/>'
    )
    for n, line in enumerate(lines):
        weight = ' font-weight="600"' if n == 0 else ""
        yield f'<text x="{x + 10}" y="{y + 18 + LINE * n}"{weight}>{escape(line)}</text>'


def _down(origin: int, to: int) -> str:
    x = LEFT + WIDTH // 2
    return f'<path d="M{x} {origin}V{to - 1}" {_STROKE}/>'


def _way(way: OutlinedWay, y: int, boxes: Sequence[PlacedStep], lane: int) -> Iterator[str]:
    begin, end = LEFT + WIDTH, LEFT + WIDTH + LABELS
    label = escape(shorten(way.why, 30))
    if way.to < 0:
        yield f'<path d="M{begin} {y}h18" {_STROKE}/>'
        yield (
            f'<text x="{begin + 24}" y="{y + 4}" font-size="12">{label}:'
            f' <tspan font-weight="600">{escape(way.where)}</tspan></text>'
        )
        return
    x, to = end + LANE * lane, boxes[way.to].middle
    yield f'<path d="M{begin} {y}H{x}V{to}H{begin + 1}" {_STROKE}/>'
    yield f'<text x="{begin + 8}" y="{y - 4}" font-size="12">{label}</text>'


_STROKE = 'fill="none" stroke="currentColor" stroke-opacity="0.6" marker-end="url(#tip)"'
