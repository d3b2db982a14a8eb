"""Which files a customer's question and an operator's reply pass, from a traced live run: `make walk`.

A file *passes* a message when one of its functions is given it (turn, inbound, or what was read from it).
Files that are asked only for a word, a deadline or a card are helpers; they are listed, and not on the way.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType

import bot
from bot.handoff.operators.drafts import Draft
from bot.handoff.operators.operator_message import OperatorMessage
from bot.model import Inbound, InboundKind, Turn
from bot.testing import TestBot, open_test_bot

MOST_FRAMES = 9  # of a customer's question, from the engine to its dialog
MOST_FILES = 10  # of an operator's reply, from the engine to its outcome
ROOT = Path(bot.__file__).parent
DECISION = "Engine.decide_safely"  # what the engine does between taking a turn and committing its outcome
HANDOFF = "handoff/"
SENT = {  # what an operator sends, in this order
    "The first answer": ("Уже смотрю", InboundKind.MESSAGE),
    "The answer mended": ("Уже смотрю, минуту", InboundKind.EDIT),
    "A note": ("// клиент спешит", InboundKind.MESSAGE),
    "A command": ("/tag срочно", InboundKind.MESSAGE),
    "An operator's reply": ("Заказ приедет завтра", InboundKind.MESSAGE),
}
CARRIES = (Turn, Inbound, OperatorMessage, Draft)
ARTICLE = "---\ntitle: Сроки доставки\naliases: [сколько идёт доставка]\n---\n\nДоставка занимает 3–5 дней.\n"


@dataclass(frozen=True, slots=True)
class Step:
    """A function that was entered: *file* and *name*, from which *caller* file, how deep below the engine."""

    file: str
    name: str
    caller: str
    depth: int
    carries: bool


TAKEN = Step("engine.py", "Engine.take", "", 1, carries=True)


@dataclass(slots=True)
class Walk:
    """What was entered between the engine's taking of a turn and the outcome, in order."""

    steps: list[Step] = field(default_factory=list)

    @property
    def files(self) -> tuple[str, ...]:
        """The files that were given the message, in order of entering."""
        return tuple(dict.fromkeys(s.file for s in self.steps if s.carries))

    @property
    def helpers(self) -> tuple[str, ...]:
        """The files that were asked for something without being given the message."""
        return tuple(dict.fromkeys(s.file for s in self.steps if s.file not in self.files))

    @property
    def entered_twice(self) -> dict[str, tuple[str, ...]]:
        """Files of the operators' side that several other files gave the message, with those."""
        found: dict[str, dict[str, None]] = {}
        for step in self.steps:
            if step.carries and step.file.startswith(HANDOFF) and step.caller != step.file:
                found.setdefault(step.file, {})[step.caller] = None
        return {file: tuple(callers) for file, callers in found.items() if len(callers) > 1}

    def frames_to(self, folder: str, name: str) -> tuple[Step, ...]:
        """The stack of functions under which the first file of *folder* with this *name* was entered."""
        last = next(i for i, s in enumerate(self.steps) if s.file == f"{folder}/{name}.py" and s.carries)
        stack: list[Step] = []
        depth = self.steps[last].depth
        for step in reversed(self.steps[: last + 1]):
            if step.depth == depth:
                stack.append(step)
                depth -= 1
        return (TAKEN, *reversed(stack))


class Tracer:
    """Notes every function of the project that runs while the engine decides."""

    def __init__(self) -> None:
        self.walk = Walk()
        self._seen: list[FrameType] = []  # held, so that no frame's identity is used again
        self._known: set[int] = set()

    @contextmanager
    def __call__(self) -> Iterator[Walk]:
        sys.setprofile(self._on_event)
        try:
            yield self.walk
        finally:
            sys.setprofile(None)

    def _on_event(self, frame: FrameType, event: str, _argument: object) -> None:
        if event != "call" or id(frame) in self._known or _file(frame.f_code) is None:
            return
        self._known.add(id(frame))
        self._seen.append(frame)
        if _is_inner(frame.f_code):
            return
        stack = [frame, *_above(frame)]
        decided = next((n for n, f in enumerate(stack) if f.f_code.co_qualname == DECISION), None)
        if decided is None:
            return
        self.walk.steps.append(
            Step(
                _file(frame.f_code) or "",
                frame.f_code.co_qualname,
                _file(stack[1].f_code) or "",
                decided + 2,  # below `Engine.take`, which is the first
                _carries(frame),
            )
        )


def _above(frame: FrameType) -> Iterator[FrameType]:
    """The project's functions that wait for this one, the nearest first."""
    back = frame.f_back
    while back is not None:
        if _file(back.f_code) is not None and not _is_inner(back.f_code):
            yield back
        back = back.f_back


def _is_inner(code: CodeType) -> bool:
    """Whether it is a part of another function: a comprehension or a generator expression."""
    return code.co_name.startswith("<") and code.co_name != "<lambda>"


def _file(code: CodeType) -> str | None:
    """The file below the project's folder; None for everybody else's, generated code and the test bot's."""
    path = Path(code.co_filename)
    if not path.is_relative_to(ROOT) or path.is_relative_to(ROOT / "testing"):
        return None
    return path.relative_to(ROOT).as_posix()


def _carries(frame: FrameType) -> bool:
    """Whether one of the arguments is the message; its own properties are no place it goes to."""
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return any(_is_message(frame.f_locals.get(name)) for name in names if name != "self")


def _is_message(value: object) -> bool:
    parts = value if isinstance(value, list | tuple) and value else (value,)
    return all(isinstance(part, CARRIES) for part in parts)


@contextmanager
def _traced() -> Iterator[Walk]:
    with Tracer()() as walk:
        yield walk


async def walks(articles: Path) -> tuple[Walk, Mapping[str, Walk]]:
    """A question that the articles answer, and by its name each thing that an operator sends."""
    async with open_test_bot(articles, threads=False) as testbot:
        return await _question(testbot), await _replies(testbot)


async def _question(testbot: TestBot) -> Walk:
    customer = testbot.customer()
    await customer.says("", kind=InboundKind.START)
    with _traced() as walk:
        await customer.says("Сколько идёт доставка?")
    return walk


async def _replies(testbot: TestBot) -> Mapping[str, Walk]:
    customer, operator = testbot.customer("Пётр", chat="1002"), testbot.operator()
    await customer.says("позовите оператора")
    found = {}
    for name, (text, kind) in SENT.items():
        with _traced() as found[name]:
            await operator.does(kind, text, ticket=1, message="m1")
    return found


def faults(question: Walk, replies: Mapping[str, Walk]) -> list[str]:
    """What is longer than it may be, each in a line."""
    found = []
    if (frames := len(question.frames_to("dialogs", "faq"))) > MOST_FRAMES:
        found.append(f"a question passes {frames} frames to its dialog; {MOST_FRAMES} are allowed")
    for name, reply in replies.items():
        if (files := len(reply.files)) > MOST_FILES:
            found.append(f"{name} passes {files} files; {MOST_FILES} are allowed")
        for file, callers in reply.entered_twice.items():
            found.append(f"{name}: {file} is entered from {len(callers)} files: {', '.join(callers)}")
    return found


def told(question: Walk, replies: Mapping[str, Walk]) -> str:
    """All ways in lines."""
    frames = question.frames_to("dialogs", "faq")
    lines = [f"A customer's question: {len(frames)} frames to its dialog"]
    lines += [f"  {'  ' * n}{s.file}  {s.name}" for n, s in enumerate(frames)]
    for name, reply in replies.items():
        lines += ["", f"{name}: {len(reply.files)} files", *(f"  {file}" for file in reply.files)]
        lines += ["  asked on the way: " + ", ".join(reply.helpers)]
    return "\n".join(lines)


async def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "delivery.md").write_text(ARTICLE, encoding="utf-8")
        question, replies = await walks(Path(folder))
    print(told(question, replies))
    long = faults(question, replies)
    print("", *long, sep="\n")
    return 1 if long else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
