"""Values as text and back: every dataclass of the vocabulary as compact JSON, times as integer milliseconds
UTC.

A field that has its default is left out, so a row is as long as what it says. Free JSON (`state`, `data`,
`why`, `fields`) comes back as JSON knows it: tuples as lists, keys as strings. A field that is not known
(from a newer version) is passed over; one that is known by an older name (`FORMERLY`) is read under it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from bot.model import Inbound, Internal, Outbound, Payload
from bot.model.internal import KINDS, BroadcastPortion, OtherTimer

Value = TypeVar("Value")
Change = Callable[[Any], Any]

# Names under which released versions wrote a field: rows of then are still read.
FORMERLY: Mapping[type, Mapping[str, str]] = {
    Outbound: {
        "verb": "kind",
        "lane": "priority",
        "mirrors": "mirror_of",
        "on_doubt": "on_uncertain",
        "joins": "coalesce",
    },
    BroadcastPortion: {"from": "start"},
}

NAMES = {kind: name for name, kind in KINDS.items()}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


ALMOST = MILLISECOND - timedelta(
    microseconds=1
)  # added before the cut: a timer is kept a little late, never early


def ms(at: datetime) -> int:
    """Milliseconds since 1970 UTC, cut off, never rounded up."""
    return (at - EPOCH) // MILLISECOND


def maybe_ms(at: datetime | None) -> int | None:
    return None if at is None else (at - EPOCH) // MILLISECOND


def moment(at: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at)


def maybe_moment(at: int | None) -> datetime | None:
    return None if at is None else EPOCH + timedelta(milliseconds=at)


def clean(text: str) -> str:
    """*text* as the database can hold it: a lone surrogate becomes a question mark (adapters clean too; this
    is the last place).
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="replace").decode()
    return text


def to_json(value: object) -> str:
    """Raises TypeError where *value* is not JSON (a datetime in a dialog's state, a set …)."""
    return clean(_JSON.encode(value))


def _plain(value: object) -> object:
    """Mappings of any kind are objects; anything else stays refused."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain)


def encode(value: object) -> str:
    """A dataclass of the vocabulary as JSON text."""
    kind: Any = type(value)
    return to_json(_writer(kind)(value))


def decode(kind: type[Value], text: str) -> Value:
    """The value that `encode` wrote."""
    wanted: Any = kind
    return cast(Value, _reader(wanted)(json.loads(text)))


def encode_all(values: tuple[Any, ...]) -> str:
    """A tuple of dataclasses of one kind as a JSON list."""
    kind: Any = type(values[0]) if values else None
    return to_json([_writer(kind)(v) for v in values]) if values else "[]"


def decode_all(kind: type[Value], text: str) -> tuple[Value, ...]:
    """The tuple that `encode_all` wrote."""
    wanted: Any = kind
    return () if text == "[]" else tuple(_reader(wanted)(v) for v in json.loads(text))


def payload_parts(payload: Payload) -> tuple[str, dict[str, Any]]:
    """The name under which *payload* is stored, and its fields."""
    if isinstance(payload, OtherTimer):
        return payload.kind, dict(payload.data)
    kind: Any = type(payload)
    return NAMES[kind], _dataclass_writer(kind)(payload)


def payload_of(name: str, data: Mapping[str, Any]) -> Payload:
    """What `payload_parts` gave; an `OtherTimer` where this version does not know it. Never raises."""
    name, data = _payload_today(name, data)
    try:
        known: Any = KINDS[name]
        return cast(Payload, _dataclass_reader(known)(data))
    except (KeyError, TypeError, ValueError):
        return OtherTimer(name, data)


def _payload_today(name: str, data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The names and fields of a released version in the form of this one."""
    if name == "order" and isinstance(data.get("order"), str):
        return f"order.{data['order']}", data
    if name == "desk.order" and isinstance(data.get("to"), list):
        return name, {**data, "to": dict(zip(("channel", "chat", "thread"), data["to"], strict=False))}
    return name, data


def _inbound_today(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """An inbound of a released version had the name of its payload in `text`, and the fields in `data`."""
    if value.get("kind") != "timer" or "payload" in value:
        return value
    today = {name: part for name, part in value.items() if name not in ("text", "data")}
    return {**today, "payload": {"kind": value.get("text", ""), "data": value.get("data", {})}}


@cache
def _writer(kind: Any) -> Change:
    if _is_payload(kind):
        return _payload_writer
    if is_dataclass(kind):
        return _dataclass_writer(cast(type, kind))
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if kinds := _dataclasses_of(inner):
            return lambda v: {"is": type(v).__name__, **_writer(kinds[type(v).__name__])(v)}
        some = _writer(next(i for i in inner if i is not NoneType))
        return lambda v: None if v is None else some(v)
    if origin is tuple:
        one = _writer(inner[0])
        return lambda v: [one(i) for i in v]
    if kind is datetime:
        return lambda v: v.astimezone(UTC).isoformat()
    return _same


@cache
def _reader(kind: Any) -> Change:
    if _is_payload(kind):
        return _payload_reader
    if is_dataclass(kind):
        return _dataclass_reader(cast(type, kind))
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        if kinds := _dataclasses_of(inner):
            return lambda v: _reader(kinds[v["is"]])(v)
        some = _reader(next(i for i in inner if i is not NoneType))
        return lambda v: None if v is None else some(v)
    if origin is tuple:
        one = _reader(inner[0])
        return lambda v: tuple(one(i) for i in v)
    if kind is datetime:
        return datetime.fromisoformat
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    return _same


def _dataclasses_of(kinds: tuple[Any, ...]) -> dict[str, type]:
    """Those of a union of values that are told apart by their names; empty for every other union."""
    several = len(kinds) > 1 and all(is_dataclass(k) and not _is_payload(k) for k in kinds)
    return {k.__name__: k for k in kinds} if several else {}


def _same(value: Any) -> Any:
    return value


def _is_payload(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Internal)


def _payload_writer(payload: Payload) -> dict[str, Any]:
    name, data = payload_parts(payload)
    return {"kind": name, "data": data} if data else {"kind": name}


def _payload_reader(value: dict[str, Any]) -> Payload:
    return payload_of(str(value.get("kind", "")), value.get("data") or {})


@cache
def _dataclass_writer(kind: type) -> Change:
    hints = get_type_hints(kind)
    plan = [(f.name, _default(f), _writer(hints[f.name])) for f in fields(kind)]

    def write(value: Any) -> dict[str, Any]:
        written = {}
        for name, default, change in plan:
            part = getattr(value, name)
            if part is not default and (part != default or type(part) is not type(default)):
                written[name] = part if change is _same else change(part)
        return written

    return write


@cache
def _dataclass_reader(kind: type) -> Change:
    hints = get_type_hints(kind)
    plan = {f.name: (f.name, _reader(hints[f.name])) for f in fields(kind)}
    plan |= {old: plan[name] for old, name in FORMERLY.get(kind, {}).items()}

    today = UPGRADES.get(kind, _same)

    def read(value: Mapping[str, Any]) -> Any:
        found = {}
        for key, part in today(value).items():
            if (known := plan.get(key)) is not None:
                name, change = known
                found[name] = part if change is _same else change(part)
        return kind(**found)

    return read


# What a released version wrote in another form, as this one reads it.
UPGRADES: Mapping[type, Change] = {Inbound: _inbound_today}


def _default(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING
