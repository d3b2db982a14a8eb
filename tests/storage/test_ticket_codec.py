"""The state of a ticket reads what every released version wrote, and writes it under the same keys."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone

from bot.model import Style, TicketState
from bot.storage.ticket_codec import read_state, write_state

MOMENT = "2026-11-20T09:00:24+00:00"
SECONDS = 1795165224.5

# every key that a released version wrote, as it wrote it
RELEASED: dict[str, object] = {
    "name": "Анна",
    "username": "anna",
    "channel": "Телеграм",
    "transcript": [["Анна", "Сколько идёт доставка?"], ["Бот", "3–5 дней"]],
    "candidates": [["Сроки доставки", 0.31]],
    "contacts": {"phone": "+79990001122", "email": "a@b.ru", "order": "12345"},
    "hints": [["article:delivery", "Сроки доставки"]],
    "shown": "delivery",
    "attributes": [["Город", "Пермь"], ["заказов", 3]],
    "team": "возвраты",
    "desk": "возвраты",
    "past": [3, 7],
    "place": 4,
    "queued": MOMENT,
    "reminded": 2,
    "assigned": MOMENT,
    "before": "telegram:9001",
    "snoozed": "2026-11-21T10:00:00+03:00",
    "quiet": MOMENT,
    "called": 3,
    "aloud": True,
    "asked": MOMENT,
    "answered": MOMENT,
    "woken": MOMENT,
    "reopened": MOMENT,
    "promised": MOMENT,
    "wish_at": MOMENT,
    "wish_until": MOMENT,
    "wish_by": "phone",
    "promise": "уточню на складе",
    "warned": ["first_reply"],
    "breached": ["resolution"],
    "tags": ["vip", "жирно"],
    "handed_on": True,
    "heard": MOMENT,
    "told": ["payment"],
    "silent": True,
    "preview": {"what": "canned:возврат", "title": "Возврат", "text": "Вернём", "at": SECONDS},
    "last_words": {"name": "telegram:-100500:ok7", "at": SECONDS},
    "held": {"ok8": "17", "ok9": "18"},
    "albums": [
        {
            "album": "a1",
            "name": "telegram:-100500:ok10",
            "parts": [
                {
                    "message": "ok10",
                    "text": "чек",
                    "spans": [{"style": "bold", "offset": 0, "length": 3, "url": ""}],
                }
            ],
            "part": "где чек?",
        }
    ],
    "upset_told": MOMENT,
    "upset_waited": MOMENT,
    "tapped": [5, 6],
    "rated": MOMENT,
    "comment": "спасибо",
    "followup": "done",
    "apologized": MOMENT,
    "playbook": "complaint",
    "playbook_by": "telegram:9001",
    "steps_done": [{"step": "Извиниться", "by": "telegram:9001", "name": "Ольга", "at": MOMENT}],
    "steps_asked": True,
    "compensations": [
        {
            "number": 1,
            "amount": 500.0,
            "reason": "опоздали",
            "by": "telegram:9001",
            "name": "Ольга",
            "at": MOMENT,
            "step": "Предложить скидку",
            "decision": "yes",
            "decided_by": "Вера",
            "decided": MOMENT,
            "reminders": 1,
        }
    ],
    "scored": {"marks": [["greeting", "yes", "Добрый день"], ["name", "", ""]], "at": MOMENT},
    "reviewed": {
        "marks": [["complete", "partly", ""]],
        "at": MOMENT,
        "by": "page:owner",
        "name": "Вера",
        "reason": "sample",
        "remark": "не назван срок",
    },
    "assistant": [
        {
            "id": "41",
            "task": "draft",
            "by": "telegram:9001",
            "name": "Ольга",
            "at": MOMENT,
            "on_page": True,
            "given": "скажи о сроке",
            "status": "failed",
            "sentences": [["unsupported", "Завтра."]],
            "articles": [["article:delivery", "Доставка"]],
            "why": "timeout",
        }
    ],
}


def test_every_released_key_is_a_field() -> None:
    state, empty = read_state(json.dumps(RELEASED)), TicketState()
    assert not state.unread
    assert [f.name for f in fields(state) if getattr(state, f.name) == getattr(empty, f.name)] == ["unread"]
    assert json.loads(write_state(state)) == RELEASED


def test_the_values_are_typed() -> None:
    state = read_state(json.dumps(RELEASED))
    assert state.answered == datetime(2026, 11, 20, 9, 0, 24, tzinfo=UTC)
    assert state.snoozed_until == datetime(2026, 11, 21, 10, tzinfo=timezone(timedelta(hours=3)))
    assert (state.contacts.email, state.place_told, state.past) == ("a@b.ru", 4, (3, 7))
    assert state.preview is not None and state.preview.at.timestamp() == SECONDS
    assert state.albums[0].parts[0].spans[0].style is Style.BOLD
    assert [(h.message, h.question) for h in state.held] == [("ok8", "17"), ("ok9", "18")]


def test_an_empty_state_takes_no_room() -> None:
    """A ticket whose words were deleted for good reads as one that never had any."""
    assert write_state(TicketState()) == "{}" and read_state("{}") == TicketState()


def test_what_cannot_be_read_is_kept_as_it_is() -> None:
    """A key of a newer version, or a value nobody can read, costs neither the ticket nor itself."""
    strange = {"name": "Анна", "queued": "yesterday", "albums": [{}], "followup": "?", "newer": {"a": [1]}}
    state = read_state(json.dumps(strange))
    assert (state.name, state.queued, state.albums, state.followup) == ("Анна", None, (), "")
    assert json.loads(write_state(state)) == strange
