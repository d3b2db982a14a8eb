"""Values survive the way into the database and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import model
from bot.model import (
    Inbound,
    InboundKind,
    Internal,
    Json,
    Outbound,
    OutboundKind,
    Payload,
    Peer,
    Priority,
    RichText,
    Sender,
    Span,
    Style,
)
from bot.model.internal import (
    KINDS,
    BeginIncident,
    BroadcastPortion,
    DeadlineNear,
    GroupChanged,
    MergeCustomers,
    OtherTimer,
    RatingDue,
    SendMessage,
    SetAttributes,
    SupervisorOrder,
    TicketUnclaimed,
    UnattendedTicket,
)
from bot.storage.codec import clean, decode, decode_all, encode, encode_all, moment, ms, to_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = {
    str: TEXT,
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
    type(None): st.none(),
    Json: st.dictionaries(TEXT, JSON, max_size=3),
}
TIMES = st.datetimes(
    datetime(1971, 1, 1),  # noqa: DTZ001 - bounds are naive by Hypothesis' wish
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=3))]),
)


def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that the vocabulary uses."""
    if kind in PLAIN:
        return PLAIN[kind]
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        made: st.SearchStrategy[Any] = st.builds(
            kind, **{f.name: anything(hints[f.name]) for f in fields(kind)}
        )
        if kind is OtherTimer:  # a kind that nobody knows
            return made.filter(lambda timer: timer.kind not in KINDS)
        return made.map(consistent) if kind is Inbound else made
    if isinstance(kind, type) and issubclass(kind, Internal):
        return st.one_of(*(anything(k) for k in (*KINDS.values(), OtherTimer) if issubclass(k, kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(kind)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(anything(inner[0]), max_size=3).map(tuple)
    if origin in (Union, UnionType):
        return st.one_of(*(anything(i) for i in inner))
    if origin is Mapping:
        return st.dictionaries(TEXT, anything(inner[1]), max_size=3)
    assert kind is datetime, kind
    return TIMES


def consistent(inbound: Inbound) -> Inbound:
    """What the service tells itself has a payload, what others wrote has none."""
    kind = InboundKind.INTERNAL if inbound.payload is not None else InboundKind.MESSAGE
    return replace(inbound, kind=kind)


IN_COLUMNS = (model.DeskState, model.Member)  # kept in the columns of tables, never as JSON
VOCABULARY = sorted(
    (
        kind
        for kind in {**vars(model), **vars(model.internal)}.values()
        if isinstance(kind, type) and is_dataclass(kind) and not issubclass(kind, (Enum, *IN_COLUMNS))
    ),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", VOCABULARY, ids=lambda kind: kind.__name__)
def test_every_value_of_the_vocabulary_round_trips(kind: type[Any]) -> None:
    """Whatever is handed on can be kept: written as JSON and read back it is the same value."""

    @given(anything(kind))
    @settings(max_examples=20, deadline=None)
    def round_trips(value: Any) -> None:
        assert decode(kind, encode(value)) == value
        assert decode_all(kind, encode_all((value, value))) == (value, value)

    round_trips()


def test_a_plain_value_is_short() -> None:
    """What has its default is left out: a row is as long as what it says."""
    assert (
        encode(Outbound(Peer("tg", "5"), RichText("да")))
        == '{"to":{"channel":"tg","chat":"5"},"text":{"text":"да"}}'
    )


def test_what_a_newer_version_wrote_can_be_read() -> None:
    """A field that is not known is passed over."""
    assert decode(Peer, '{"channel":"tg","chat":"5","planet":"Mars"}') == Peer("tg", "5")


def test_what_an_older_version_wrote_can_be_read() -> None:
    """A row of the released schema keeps its meaning: fields are known by their old names too."""
    old = (
        '{"to":{"channel":"tg","chat":"5"},"verb":"react","mirrors":"m1","lane":"view","on_doubt":"hold",'
        '"joins":true}'
    )
    assert decode(Outbound, old) == Outbound(
        Peer("tg", "5"),
        kind=OutboundKind.REACT,
        mirror_of="m1",
        priority=Priority.COSMETIC,
        on_uncertain="hold",
        coalesce=True,
    )


@pytest.mark.parametrize(
    ("text", "data", "payload"),
    [
        ("desk.goal", '{"goal":"next_reply"}', DeadlineNear("next_reply")),
        ("desk.waiting", "{}", TicketUnclaimed()),
        (
            "desk.order",
            '{"command":"take","value":"","by":"7","name":"Ира","to":["tg","-100","5"]}',
            SupervisorOrder("take", "", "7", "Ира", Peer("tg", "-100", "5")),
        ),
        ("mailing", '{"mailing":"b1","from":40,"late":[3]}', BroadcastPortion("b1", start=40, late=(3,))),
        (
            "rating",
            '{"ticket":4,"closed":"2026-03-02T12:00:00+00:00"}',
            RatingDue(4, datetime(2026, 3, 2, 12, tzinfo=UTC)),
        ),
        ("api.say", '{"text":"Едет","markdown":true}', SendMessage("Едет", markdown=True)),
        ("api.fields", '{"attributes":{"vip":true}}', SetAttributes({"vip": True})),
        ("page.merge", '{"into":1,"other":2,"undone":true}', MergeCustomers(1, 2, True)),
        ("order", '{"order":"incident","text":"Сбой","words":["vpn"]}', BeginIncident("Сбой", ("vpn",))),
        ("desk.stranded", '{"why":"no_card"}', UnattendedTicket("no_card")),
        ("desk.group", '{"kind":"forum","lacks":["pin"],"gone":false}', GroupChanged("forum", ("pin",))),
        ("tick", '{"n":2}', OtherTimer("tick", {"n": 2})),
        ("rating", '{"closed":"yesterday"}', OtherTimer("rating", {"closed": "yesterday"})),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Internal) else "",
)
def test_an_internal_inbound_of_a_released_version_has_its_payload(
    text: str, data: str, payload: Payload
) -> None:
    """What was a text and loose data is the typed value it meant; what nobody knows stays as it was."""
    row = (
        '{"key":"timer:1","peer":{"channel":"tg","chat":"5"},"sender":{"id":""},'
        f'"at":"2026-03-02T12:00:00+00:00","kind":"timer","text":"{text}","data":{data}}}'
    )
    inbound = decode(Inbound, row)
    assert inbound.payload == payload
    assert decode(Inbound, encode(inbound)).payload == payload


def test_moments_keep_their_instant() -> None:
    """A time of any zone is the same moment afterwards; milliseconds are cut off, never rounded into the
    future.
    """
    at = datetime(2026, 3, 2, 15, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=3)))
    inbound = Inbound(
        "1", Peer("tg", "5"), Sender("5"), at, InboundKind.MESSAGE, spans=(Span(Style.BOLD, 0, 1),)
    )

    assert decode(Inbound, encode(inbound)) == inbound
    assert moment(ms(at)) == datetime(2026, 3, 2, 12, 30, 0, 999_000, tzinfo=UTC)


def test_half_a_character_becomes_a_question_mark() -> None:
    """Lone surrogates, which no database takes, are replaced and nothing else is."""
    assert clean("a\udc00я😀") == "a?я😀"
    assert to_json({"\ud800": "\udfff"}) == '{"?":"?"}'


@pytest.mark.parametrize("value", [{"at": datetime(2026, 1, 1, tzinfo=UTC)}, {1, 2}, b"x", object()])
def test_what_is_not_json_is_refused(value: object) -> None:
    """A dialog that keeps a datetime in its state is told so, instead of getting a string back."""
    with pytest.raises(TypeError, match="is not JSON"):
        to_json({"state": value})
