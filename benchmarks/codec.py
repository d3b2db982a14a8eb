"""What one value costs as JSON and back: our codec beside msgspec and pydantic.   python -m benchmarks.codec

msgspec is no dependency: its row is shown where it is installed. Microseconds of the processor, the best of
*ROUNDS*; ratios within one run are the measure. `Inbound` is measured without its payload: neither library
reads a union of dataclasses that are told apart by a stored name.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, fields, make_dataclass
from datetime import UTC, datetime
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from bot.model import (
    Attachment,
    Button,
    Inbound,
    InboundKind,
    Media,
    Outbound,
    Peer,
    Priority,
    RichText,
    Sender,
    Span,
    Style,
)
from bot.storage.codec import decode, encode

ROUNDS, TIMES = 15, 1000
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _default(its: Field[Any]) -> Any:
    if its.default is not MISSING:
        return field(default=its.default)
    return field() if its.default_factory is MISSING else field(default_factory=its.default_factory)


HEARD = Inbound(
    "k1", Peer("telegram", "1001"), Sender("1001", "Анна"), AT, text="сколько идёт доставка?", message="17"
)
PRESSED = Inbound(
    "k2", Peer("vk", "77"), Sender("77", "Борис"), AT, InboundKind.PRESS, press="5.0.1", callback="e|77|77"
)
SHOWN = Inbound(
    "k3",
    Peer("telegram", "1001"),
    Sender("1001", "Анна", username="anna", language="ru"),
    AT,
    text="вот чек",
    attachments=(Attachment(Media.PHOTO, "AgACAgIAAxk", "telegram", size=81_000),),
    message="18",
)
ANSWER = Outbound(
    Peer("telegram", "1001"),
    RichText("Доставка занимает 3–5 дней. Это помогло?", (Span(Style.BOLD, 18, 8),)),
    buttons=((Button("Да", "helped"), Button("Нет", "not_helped")), (Button("Позвать человека", "human"),)),
)
CARD = Outbound(
    Peer("telegram", "-100500", "ticket:1"),
    RichText("🟢 №1 · Анна · telegram\n\nПочему: попросил человека\n\nВ работе: Ольга" * 3),
    name="card:1",
    priority=Priority.NOTICE,
    author="",
    ticket=1,
)


def without_payload(inbound: Inbound) -> Any:
    """The same inbound as a dataclass that has no payload."""
    return _PLAIN(*(getattr(inbound, f.name) for f in fields(inbound) if f.name != "payload"))


_HINTS = get_type_hints(Inbound)
_PLAIN: Any = make_dataclass(
    "PlainInbound",
    [(f.name, _HINTS[f.name], _default(f)) for f in fields(Inbound) if f.name != "payload"],
    frozen=True,
    slots=True,
)
VALUES: tuple[Any, ...] = (*map(without_payload, (HEARD, PRESSED, SHOWN)), ANSWER, CARD)


@dataclass(frozen=True, slots=True)
class Way:
    """One library's way there and back."""

    name: str
    write: Callable[[Any], str]
    read: Callable[[type[Any], str], Any]


def ours() -> Way:
    return Way("codec", encode, decode)


def with_pydantic() -> Way:
    kinds: dict[type[Any], TypeAdapter[Any]] = {k: TypeAdapter(k) for k in {type(v) for v in VALUES}}
    return Way(
        "pydantic",
        lambda value: kinds[type(value)].dump_json(value, exclude_defaults=True).decode(),
        lambda kind, text: kinds[kind].validate_json(text),
    )


def with_msgspec() -> tuple[Way, ...]:
    try:
        msgspec = importlib.import_module("msgspec")
    except ImportError:
        return ()
    readers = {k: msgspec.json.Decoder(k) for k in {type(v) for v in VALUES}}
    write = msgspec.json.Encoder().encode
    return (
        Way("msgspec", lambda value: write(value).decode(), lambda kind, text: readers[kind].decode(text)),
    )


def best(work: Callable[[], object]) -> float:
    """Microseconds of one call, the best of the rounds."""
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(TIMES):
            work()
        found.append(time.process_time() - begun)
    return min(found) / TIMES * 1e6


def row(way: Way) -> str:
    """One line of the table."""
    texts = [(type(v), way.write(v)) for v in VALUES]
    same = all(way.read(k, t) == v for (k, t), v in zip(texts, VALUES, strict=True))
    write = best(lambda: [way.write(v) for v in VALUES]) / len(VALUES)
    read = best(lambda: [way.read(k, t) for k, t in texts]) / len(VALUES)
    return f"{way.name:10}{write:10.1f}{read:10.1f}{sum(len(t) for _, t in texts):12}  {same}"


def main() -> None:
    print(f"{'way':10}{'write µs':>10}{'read µs':>10}{'characters':>12}  same")
    for way in (ours(), with_pydantic(), *with_msgspec()):
        print(row(way))


if __name__ == "__main__":
    main()
