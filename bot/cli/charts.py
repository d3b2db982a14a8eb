"""Draws a report: how honest confidence is, and what each threshold gives.

SVG by ourselves, PNG where Pillow is installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.errors import BotError
from bot.knowledge.quality.evaluation import EvaluationReport, ThresholdAdvice
from bot.text.problems import told

WIDTH, HEIGHT, SIDE, TOP, PLOT = 980, 470, 70, 60, 340
FONTS = (
    "DejaVuSans.ttf",
    "Arial.ttf",
    "arial.ttf",
    "LiberationSans-Regular.ttf",
    "NotoSans-Regular.ttf",
    "FreeSans.ttf",
    "Roboto-Regular.ttf",
)
INK, FAINT, BLUE, GREEN, RED = "#222222", "#d5d8de", "#2f6fde", "#1f9d61", "#d64545"


@dataclass(frozen=True, slots=True)
class ChartShape:
    """A line through points, a filled box (two corners) or a text at a point."""

    kind: str
    points: tuple[tuple[float, float], ...]
    colour: str
    width: float = 1.0
    text: str = ""
    size: int = 13
    anchor: str = "start"
    dashed: bool = False


class ChartUnavailable(BotError):
    """A PNG needs Pillow; an SVG needs nothing."""

    hint = "pip install 'otklik[chart]'"


def chart(report: EvaluationReport, advice: ThresholdAdvice, words: dict[str, str]) -> tuple[ChartShape, ...]:
    """Both panels as shapes; *words* label them."""
    left, right = (SIDE, TOP), (SIDE + PLOT + 110, TOP)
    shapes = [ChartShape("box", ((0, 0), (WIDTH, HEIGHT)), "#ffffff")]
    shapes += _frame(
        left, words["calibration"].format(ece=f"{report.ece:.3f}"), words["confidence"], words["right"]
    )
    shapes.append(ChartShape("line", (_at(left, 0, 0), _at(left, 1, 1)), INK, 1, dashed=True))
    most = max((count for _, _, count in report.bins), default=1)
    for sure, share, count in report.bins:
        x, y = _at(left, sure, share)
        radius = 4 + 9 * (count / most) ** 0.5
        shapes.append(ChartShape("box", ((x - radius, y - radius), (x + radius, y + radius)), BLUE))
        shapes.append(
            ChartShape("text", ((x, y - radius - 5),), INK, text=str(count), size=11, anchor="middle")
        )
    shapes += _frame(right, words["thresholds"], words["threshold"], words["share"])
    for points, colour, name, row in (
        ([(p.threshold, p.precision) for p in report.points if p.answered], GREEN, words["precision"], 0),
        ([(p.threshold, p.coverage) for p in report.points], BLUE, words["coverage"], 1),
    ):
        shapes.append(ChartShape("line", tuple(_at(right, x, y) for x, y in points), colour, 2.5))
        x, y = right[0] + 14, right[1] + PLOT - 46 + 20 * row
        shapes += [
            ChartShape("line", ((x, y), (x + 24, y)), colour, 2.5),
            ChartShape("text", ((x + 30, y + 4),), INK, text=name, size=12),
        ]
    x, _ = _at(right, advice.answer, 0)
    shapes.append(ChartShape("line", ((x, right[1]), (x, right[1] + PLOT)), RED, 1.5, dashed=True))
    shapes.append(
        ChartShape("text", ((x - 5, right[1] + 16),), RED, text=f"{advice.answer:.2f}", size=12, anchor="end")
    )
    return tuple(shapes)


def _at(corner: tuple[float, float], x: float, y: float) -> tuple[float, float]:
    return corner[0] + x * PLOT, corner[1] + (1 - y) * PLOT


def _frame(corner: tuple[float, float], title: str, below: str, beside: str) -> list[ChartShape]:
    x, y = corner
    shapes = [
        ChartShape("text", ((x, y - 28),), INK, text=title, size=15),
        ChartShape("text", ((x, y - 8),), INK, text=beside, size=11),
    ]
    for n in range(0, 11, 2):
        share = n / 10
        shapes.append(ChartShape("line", (_at(corner, 0, share), _at(corner, 1, share)), FAINT))
        shapes.append(ChartShape("line", (_at(corner, share, 0), _at(corner, share, 1)), FAINT))
        shapes.append(
            ChartShape(
                "text",
                ((x - 8, y + (1 - share) * PLOT + 4),),
                INK,
                text=f"{share:.1f}",
                size=11,
                anchor="end",
            )
        )
        shapes.append(
            ChartShape(
                "text",
                ((x + share * PLOT, y + PLOT + 18),),
                INK,
                text=f"{share:.1f}",
                size=11,
                anchor="middle",
            )
        )
    shapes.append(
        ChartShape("text", ((x + PLOT / 2, y + PLOT + 40),), INK, text=below, size=12, anchor="middle")
    )
    return shapes


def as_svg(shapes: Sequence[ChartShape]) -> str:
    """The shapes as an SVG document."""
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH}'
        f' {HEIGHT}" font-family="sans-serif">'
    ]
    for s in shapes:
        x, y = s.points[0] if s.points else (0.0, 0.0)
        if s.kind == "text":
            rows.append(
                f'<text x="{x:.1f}" y="{y:.1f}" font-size="{s.size}" fill="{s.colour}"'
                f' text-anchor="{s.anchor}">{escape(s.text)}</text>'
            )
        elif s.kind == "box":
            right, low = s.points[1]
            rows.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{right - x:.1f}" height="{low - y:.1f}"'
                f' fill="{s.colour}"/>'
            )
        elif s.points:
            path = " ".join(f"{px:.1f},{py:.1f}" for px, py in s.points)
            dash = ' stroke-dasharray="5 4"' if s.dashed else ""
            rows.append(
                f'<polyline points="{path}" fill="none" stroke="{s.colour}" stroke-width="{s.width}"{dash}/>'
            )
    return "\n".join([*rows, "</svg>", ""])


def write_png(shapes: Sequence[ChartShape], path: Path, *, scale: int = 2) -> None:
    """The same as a PNG. Raises ChartUnavailable where Pillow is not installed."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise ChartUnavailable(told("stories.png")) from None
    image = Image.new("RGB", (WIDTH * scale, HEIGHT * scale), "white")
    pen = ImageDraw.Draw(image)
    for s in shapes:
        points = [(x * scale, y * scale) for x, y in s.points]
        if s.kind == "text":
            pen.text(
                points[0],
                s.text,
                fill=s.colour,
                font=_font(s.size * scale),
                anchor={"start": "ls", "middle": "ms", "end": "rs"}[s.anchor],
            )
        elif s.kind == "box":
            pen.rectangle((points[0], points[1]), fill=s.colour)
        elif len(points) > 1:
            for one, other in pairwise(points):
                _stroke(pen, one, other, s, scale)
    image.save(path, "PNG", optimize=True)


def has_cyrillic() -> bool:
    """Whether a PNG can show Russian: the font that comes with Pillow cannot."""
    try:
        return bool(_found_font(20))
    except ImportError:
        return False


def _stroke(
    pen: Any, one: tuple[float, float], other: tuple[float, float], shape: ChartShape, scale: int
) -> None:
    width = max(1, round(shape.width * scale))
    if not shape.dashed:
        pen.line((one, other), fill=shape.colour, width=width)
        return
    length = ((other[0] - one[0]) ** 2 + (other[1] - one[1]) ** 2) ** 0.5
    steps = max(1, int(length / (4.5 * scale)))
    for n in range(0, steps, 2):
        a, b = n / steps, min(1.0, (n + 1) / steps)
        ends = [(one[0] + (other[0] - one[0]) * t, one[1] + (other[1] - one[1]) * t) for t in (a, b)]
        pen.line(ends, fill=shape.colour, width=width)


def _font(size: int) -> Any:
    from PIL import ImageFont

    return _found_font(size) or ImageFont.load_default(size)


def _found_font(size: int) -> Any:
    from PIL import ImageFont

    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return None
