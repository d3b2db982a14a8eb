"""The state of a ticket as the JSON of its row and back. The keys are those of the first release: a database
keeps them for good, whatever the fields are called today.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, get_type_hints

from bot.model import (
    AnswerPreview,
    AssistantRequest,
    AssistantStatus,
    Compensation,
    Contacts,
    DialogScore,
    DoneStep,
    HeldMessage,
    LastAnswer,
    MessagePart,
    ScoreMark,
    SentAlbum,
    Span,
    Style,
    TicketState,
)
from bot.storage.codec import to_json

_EMPTY = TicketState()
_Word = TypeVar("_Word", bound=str)
_Decision = Literal["", "own", "yes", "no"]
_Mark = Literal["", "yes", "partly", "no"]
_DECISIONS: tuple[_Decision, ...] = ("", "own", "yes", "no")
_ASKED = frozenset({"number", "amount", "reason", "by", "name", "at"})  # of a compensation, always there
_STATUSES: tuple[AssistantStatus, ...] = ("asked", "ready", "failed", "sent", "edited", "dropped")
_OF_REQUEST = frozenset({"id", "task", "by", "name", "at"})  # to the assistant, always there
_MARKS: tuple[_Mark, ...] = ("", "yes", "partly", "no")


def write_state(state: TicketState) -> str:
    """As JSON text; what has its default is left out."""
    written = dict(state.unread)
    for name, key, default, write in _WRITERS:
        value = getattr(state, name)
        if value != default:
            written[key] = write(value)
    return to_json(written)


def read_state(text: str) -> TicketState:
    """The state that `write_state`, or any released version, wrote.

    law: a value that cannot be read is kept as it is; it never costs the ticket.
    """
    if text == "{}":
        return _EMPTY
    found: dict[str, Any] = {}
    unread: dict[str, object] = {}
    for key, value in json.loads(text).items():
        name, read = _READERS.get(key, _UNKNOWN)
        try:
            found[name] = read(value)
        except (TypeError, ValueError, KeyError, AttributeError):
            unread[key] = value
    return TicketState(**found, unread=unread) if unread else TicketState(**found)


def _unknown(value: Any) -> Any:
    raise KeyError("not of this version")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("not a number")
    return value


def _flag(value: Any) -> bool:
    return bool(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in _list(value))


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in _list(value))


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((str(one), str(other)) for one, other in _list(value))


def _scores(value: Any) -> tuple[tuple[str, float], ...]:
    return tuple((str(title), float(score)) for title, score in _list(value))


def _attributes(value: Any) -> tuple[tuple[str, object], ...]:
    return tuple((str(name), told) for name, told in _list(value))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _contacts(value: Any) -> Contacts:
    return Contacts(*(str(value.get(key, "")) for key in ("phone", "email", "order")))


def _preview(value: Any) -> AnswerPreview:
    return AnswerPreview(
        str(value.get("what", "")),
        str(value.get("title", "")),
        str(value.get("text", "")),
        _second(value.get("at", 0)),
    )


def _last_words(value: Any) -> LastAnswer:
    return LastAnswer(str(value["name"]), _second(value.get("at", 0)))


def _held(value: Any) -> tuple[HeldMessage, ...]:
    return tuple(HeldMessage(str(message), str(question)) for message, question in value.items())


def _albums(value: Any) -> tuple[SentAlbum, ...]:
    return tuple(
        SentAlbum(
            str(kept["album"]),
            str(kept["name"]),
            tuple(_part(p) for p in kept.get("parts", ())),
            str(kept.get("part", "")),
        )
        for kept in _list(value)
    )


def _part(kept: Mapping[str, Any]) -> MessagePart:
    spans = tuple(
        Span(Style(s["style"]), int(s["offset"]), int(s["length"]), str(s["url"])) for s in kept["spans"]
    )
    return MessagePart(str(kept["message"]), str(kept["text"]), spans)


def _steps(value: Any) -> tuple[DoneStep, ...]:
    return tuple(
        DoneStep(str(kept["step"]), str(kept["by"]), str(kept["name"]), datetime.fromisoformat(kept["at"]))
        for kept in _list(value)
    )


def _compensations(value: Any) -> tuple[Compensation, ...]:
    return tuple(
        Compensation(
            int(kept["number"]),
            float(kept["amount"]),
            str(kept["reason"]),
            str(kept["by"]),
            str(kept["name"]),
            datetime.fromisoformat(kept["at"]),
            step=str(kept.get("step", "")),
            decision=_one_of(_DECISIONS, kept.get("decision", "")),
            decided_by=str(kept.get("decided_by", "")),
            decided=datetime.fromisoformat(kept["decided"]) if kept.get("decided") else None,
            reminders=int(kept.get("reminders", 0)),
        )
        for kept in _list(value)
    )


def _requests(value: Any) -> tuple[AssistantRequest, ...]:
    return tuple(
        AssistantRequest(
            str(kept["id"]),
            str(kept["task"]),
            str(kept["by"]),
            str(kept["name"]),
            datetime.fromisoformat(kept["at"]),
            on_page=bool(kept.get("on_page")),
            given=str(kept.get("given", "")),
            status=_one_of(_STATUSES, kept.get("status", "asked")),
            sentences=_pairs(kept.get("sentences", [])),
            articles=_pairs(kept.get("articles", [])),
            why=str(kept.get("why", "")),
        )
        for kept in _list(value)
    )


def _score(value: Any) -> DialogScore:
    marks = tuple(
        ScoreMark(str(name), _one_of(_MARKS, mark), str(words)) for name, mark, words in value["marks"]
    )
    told = (str(value.get(key, "")) for key in ("by", "name", "reason", "remark"))
    return DialogScore(marks, datetime.fromisoformat(value["at"]), *told)


def _one_of(known: tuple[_Word, ...], value: Any) -> _Word:
    if value not in known:
        raise ValueError("not a word of this version")
    return known[known.index(value)]


def _followup(value: Any) -> Literal["open", "done"]:
    if value not in ("open", "done"):
        raise ValueError("no stage of a follow-up")
    return "open" if value == "open" else "done"


def _second(value: Any) -> datetime:
    return datetime.fromtimestamp(float(value), UTC)


def _same(value: Any) -> Any:
    return value


def _iso(value: datetime) -> str:
    return value.isoformat()


def _known(value: Contacts) -> dict[str, str]:
    pairs = (("phone", value.phone), ("email", value.email), ("order", value.order))
    return {key: told for key, told in pairs if told}


def _as_preview(value: AnswerPreview) -> dict[str, object]:
    return {"what": value.what, "title": value.title, "text": value.text, "at": value.at.timestamp()}


def _as_last_words(value: LastAnswer) -> dict[str, object]:
    return {"name": value.name, "at": value.at.timestamp()}


def _by_message(value: tuple[HeldMessage, ...]) -> dict[str, str]:
    return {held.message: held.question for held in value}


def _as_dicts(value: tuple[SentAlbum, ...]) -> list[dict[str, object]]:
    return [asdict(album) for album in value]


def _as_steps(value: tuple[DoneStep, ...]) -> list[dict[str, object]]:
    return [{**asdict(done), "at": done.at.isoformat()} for done in value]


def _as_compensations(value: tuple[Compensation, ...]) -> list[dict[str, object]]:
    made = []
    for asked in value:
        told = {**asdict(asked), "at": asked.at.isoformat()}
        told["decided"] = asked.decided.isoformat() if asked.decided else ""
        made.append({key: kept for key, kept in told.items() if kept != "" or key in _ASKED})
    return made


def _as_requests(value: tuple[AssistantRequest, ...]) -> list[dict[str, object]]:
    made = ({**asdict(asked), "at": asked.at.isoformat()} for asked in value)
    return [{key: kept for key, kept in told.items() if kept or key in _OF_REQUEST} for told in made]


def _as_score(value: DialogScore) -> dict[str, object]:
    marks = [[m.criterion, m.value, m.words] for m in value.marks]
    told = {"by": value.by, "name": value.name, "reason": value.reason, "remark": value.remark}
    return {"marks": marks, "at": value.at.isoformat(), **{k: v for k, v in told.items() if v}}


# field: its key in the JSON where that is another word
_KEYS = {
    "article_shown": "shown",
    "previous_operator": "before",
    "reminders": "reminded",
    "transfer_told": "handed_on",
    "quiet_asked": "quiet",
    "snoozed_until": "snoozed",
    "promise_due": "promised",
    "place_told": "place",
    "wrote": "heard",
    "calls": "called",
    "calls_announced": "aloud",
    "articles_told": "told",
    "closed_over_silence": "silent",
}
_Change = Callable[[Any], Any]
_BY_TYPE: dict[Any, tuple[_Change, _Change]] = {
    str: (_text, _same),
    int: (_number, _same),
    bool: (_flag, _same),
    datetime | None: (datetime.fromisoformat, _iso),
    tuple[str, ...]: (_texts, list),
    tuple[int, ...]: (_numbers, list),
    tuple[tuple[str, str], ...]: (_pairs, list),
    tuple[tuple[str, float], ...]: (_scores, list),
    tuple[tuple[str, object], ...]: (_attributes, list),
    Contacts: (_contacts, _known),
    AnswerPreview | None: (_preview, _as_preview),
    LastAnswer | None: (_last_words, _as_last_words),
    tuple[HeldMessage, ...]: (_held, _by_message),
    tuple[SentAlbum, ...]: (_albums, _as_dicts),
    Literal["", "open", "done"]: (_followup, _same),
    tuple[DoneStep, ...]: (_steps, _as_steps),
    tuple[Compensation, ...]: (_compensations, _as_compensations),
    DialogScore | None: (_score, _as_score),
    tuple[AssistantRequest, ...]: (_requests, _as_requests),
}
_HINTS = get_type_hints(TicketState)
_PLAN = [
    (f.name, _KEYS.get(f.name, f.name), *_BY_TYPE[_HINTS[f.name]])
    for f in fields(TicketState)
    if f.name != "unread"
]
_WRITERS = [(name, key, getattr(_EMPTY, name), write) for name, key, _, write in _PLAN]
_READERS = {key: (name, read) for name, key, read, _ in _PLAN}
_UNKNOWN: tuple[str, _Change] = ("", _unknown)
