"""Taking in by Long Poll: nothing lost, nothing kept twice, whatever breaks."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from bot.adapters.vk.client import Limiter
from bot.errors import AccountError
from bot.model import InboundKind
from tests.adapters.vk.conftest import Kept, listening, make
from tests.fakes.vk_server import BAD_GATEWAY, CUT, GROUP, HANG, HTML, FakeVk, message


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses after failures are a tenth of a second at most."""
    monkeypatch.setattr("bot.adapters.vk.longpoll.LONGEST_PAUSE", 0.1)
    monkeypatch.setattr("bot.adapters.vk.longpoll.ACCOUNT_PAUSE", 0.1)
    monkeypatch.setattr("bot.adapters.vk.intake.TRIES", 2)


async def test_words_arrive_with_name_and_cursor(vk: FakeVk, kept: Kept) -> None:
    """The sender is named, and where the queue stands is kept with the words."""
    vk.people[5] = {"first_name": "Анна", "last_name": "Иванова", "sex": 1, "screen_name": "anna"}
    async with listening(vk, kept) as adapter:
        await kept.until(lambda: kept.cursor)
        vk.writes(5, "привет")
        await kept.until(lambda: kept.texts)

        sender = kept.inbounds["5:1"].sender
        assert (sender.name, sender.last_name, sender.gender, sender.username) == (
            "Анна",
            "Иванова",
            "female",
            "anna",
        )
        assert kept.cursor is not None and kept.cursor.startswith("101@")
        assert adapter.health.state == "working" and adapter.health.last_poll is not None


async def test_forwarded_words_arrive_with_their_authors_name(vk: FakeVk, kept: Kept) -> None:
    """Whom VK names is named; who is unknown keeps the address of their page."""
    vk.people[7] = {"first_name": "Иван", "last_name": "Петров"}
    forwarded = [{"from_id": 7, "text": "завтра"}, {"from_id": -9, "text": "акция"}]
    async with listening(vk, kept):
        await kept.until(lambda: kept.cursor)
        vk.writes(5, "смотрите", fwd_messages=forwarded)
        await kept.until(lambda: kept.texts)

    [inbound] = kept.inbounds.values()
    assert [(c.data.get("who"), c.data["link"]) for c in inbound.context] == [
        ("Иван Петров", "https://vk.com/id7"),
        (None, "https://vk.com/club9"),
    ]


async def test_the_first_start_leaves_the_past_alone(vk: FakeVk, kept: Kept) -> None:
    """Old unread messages are history; the place in the queue is kept before the first event."""
    vk.writes(5, "год назад")
    async with listening(vk, kept):
        await kept.until(lambda: vk.polls)
        vk.writes(5, "сейчас")
        await kept.until(lambda: kept.texts)

    assert kept.texts == ["сейчас"] and kept.cursors[0] is not None


async def test_a_restart_goes_on_where_the_last_run_stood(vk: FakeVk, kept: Kept) -> None:
    """What came while we were away is in the queue from our own ts on."""
    kept.cursor = f"{vk.ts}@1700000000"
    vk.writes(5, "пока вас не было")
    async with listening(vk, kept):
        await kept.until(lambda: kept.texts)

    assert kept.texts == ["пока вас не было"] and vk.polls[0]["ts"] == "100"


@pytest.mark.parametrize("fault", [HTML, BAD_GATEWAY, CUT])
async def test_a_broken_poll_is_repeated(vk: FakeVk, kept: Kept, fault: str) -> None:
    """Garbage, errors and cut connections cost time, not words."""
    vk.fail("longpoll", fault, fault)
    async with listening(vk, kept) as adapter:
        await kept.until(lambda: kept.cursor)
        vk.writes(5, "дошло")
        await kept.until(lambda: kept.texts)

        assert adapter.health.state == "working" and adapter.health.last_error


async def test_nothing_moves_until_it_is_kept(vk: FakeVk, kept: Kept) -> None:
    """A store that fails sees the same events again."""
    kept.cursor = f"{vk.ts}@1700000000"
    kept.failures = 2
    vk.writes(5, "важное")
    async with listening(vk, kept):
        await kept.until(lambda: kept.texts)

    assert [p["ts"] for p in vk.polls[:3]] == ["100", "100", "100"]


async def test_a_new_key_keeps_the_place(vk: FakeVk, kept: Kept) -> None:
    """failed 2: another key, the same ts, nothing lost."""
    kept.cursor = f"{vk.ts}@1700000000"
    vk.failed.append({"failed": 2})
    vk.writes(5, "дошло")
    async with listening(vk, kept):
        await kept.until(lambda: kept.texts)

    assert len(vk.called("groups.getLongPollServer")) == 2 and [p["ts"] for p in vk.polls[:2]] == [
        "100",
        "100",
    ]
    assert not vk.called("messages.getConversations")


@pytest.mark.parametrize("failed", [{"failed": 1, "ts": 103}, {"failed": 3}, {"failed": 4, "min_version": 3}])
async def test_a_cut_history_is_caught_up(vk: FakeVk, kept: Kept, failed: dict[str, object]) -> None:
    """failed 1 and 3: what was written meanwhile is asked for, with the keys the events would have had."""
    kept.cursor = f"{vk.ts}@1699999990"
    first = vk.writes(5, "первое")
    vk.writes(6, "чужое")
    vk.writes(5, "второе", attachments=[{"type": "gift"}])
    vk.history.insert(0, dict(message(conversation_message_id=8, text="древнее", date=1_600_000_000)))
    vk.history.append(dict(message(from_id=-GROUP, conversation_message_id=9, out=1, text="наше")))
    vk.events.clear()
    vk.failed.append(dict(failed))
    async with listening(vk, kept):
        await kept.until(lambda: len(kept.texts) == 3)
        vk.happens("message_new", {"message": first})  # the event comes after all: the same thing
        vk.writes(5, "третье")
        await kept.until(lambda: "третье" in kept.texts)

    assert kept.texts == ["первое", "чужое", "второе", "третье"]
    assert set(kept.inbounds) == {"5:1", "6:2", "5:3", "5:4"}


async def test_words_lost_behind_our_own_answer_are_found(vk: FakeVk, kept: Kept) -> None:
    """Our read mark and answer to the first message may hide the second one from VK's lists of the unread and
    unanswered.
    """
    kept.cursor = f"{vk.ts}@{int(time.time()) - 5}"
    vk.writes(5, "первое", date=int(time.time()))
    vk.history.append(
        dict(message(from_id=-GROUP, conversation_message_id=9, out=1, text="ответ", date=int(time.time())))
    )
    vk.forget_events()
    vk.answers["messages.getConversations"] = lambda asked: (
        vk.usual_answer("messages.getConversations", asked) if asked["filter"] == "all" else {"items": []}
    )
    async with listening(vk, kept):
        await kept.until(lambda: kept.texts)

    assert kept.texts == ["первое"]


async def test_what_a_person_answered_is_left_alone(vk: FakeVk, kept: Kept) -> None:
    """While the bot was down a colleague wrote by hand: the bot does not answer those questions again."""
    kept.cursor = f"{vk.ts}@1699999990"
    vk.writes(5, "вопрос")
    vk.history.append(
        dict(message(from_id=-GROUP, admin_author_id=9, conversation_message_id=9, out=1, text="ответ"))
    )
    vk.writes(5, "спасибо, ещё вопрос")
    vk.forget_events()
    async with listening(vk, kept):
        await kept.until(lambda: kept.texts)

    assert kept.texts == ["спасибо, ещё вопрос"]


async def test_a_catch_up_that_breaks_is_repeated(vk: FakeVk, kept: Kept) -> None:
    """Until the lost words are kept the queue does not go on."""
    kept.cursor = f"{vk.ts}@1699999990"
    vk.writes(5, "потерянное")
    vk.forget_events()
    vk.fail("messages.getHistory", BAD_GATEWAY, 10, BAD_GATEWAY)
    async with listening(vk, kept):
        await kept.until(lambda: kept.texts)

    assert kept.texts == ["потерянное"] and kept.cursor is not None and kept.cursor.startswith("101@")


async def test_without_the_right_to_catch_up_the_queue_goes_on(vk: FakeVk, kept: Kept) -> None:
    """Standing still for ever would lose more; the health tells of it."""
    kept.cursor = f"{vk.ts}@1699999990"
    vk.writes(5, "потерянное")
    vk.forget_events()
    vk.fail("messages.getConversations", 15)
    async with listening(vk, kept) as adapter:
        await kept.until(lambda: (kept.cursor or "").startswith("101@"))
        vk.writes(5, "новое")
        await kept.until(lambda: kept.texts)

        assert kept.texts == ["новое"] and "15" in adapter.health.details["catch_up"]


async def test_a_hanging_name_does_not_hold_up_words(
    vk: FakeVk, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are worth a moment, not the message; then nobody is asked for a while."""
    monkeypatch.setattr("bot.adapters.vk.users.PATIENCE", 0.2)
    vk.fail("users.get", HANG)
    async with listening(vk, kept):
        await kept.until(lambda: kept.cursor)
        vk.writes(5, "без имени")
        await kept.until(lambda: kept.texts, 2)
        vk.writes(6, "и я")
        await kept.until(lambda: len(kept.texts) == 2, 1)

    assert kept.inbounds["5:1"].sender.name == "" and len(vk.called("users.get")) == 1


async def test_a_cropped_message_is_made_whole(vk: FakeVk, kept: Kept) -> None:
    """VK sends long messages cropped; the operator must read all of it."""
    vk.answers["messages.getByConversationMessageId"] = {
        "items": [dict(message(conversation_message_id=1, text="начало и конец"))]
    }
    async with listening(vk, kept):
        await kept.until(lambda: kept.cursor)
        vk.writes(5, "начало", is_cropped=True)
        await kept.until(lambda: kept.texts)

    assert kept.texts == ["начало и конец"]


@pytest.mark.parametrize("code", [5, 15, 27])
async def test_an_account_of_no_use_stops_the_channel(vk: FakeVk, kept: Kept, code: int) -> None:
    """At the start a wrong token or missing right is said clearly and the channel ends."""
    vk.fail("groups.getLongPollServer", code)
    adapter = make(vk)
    with pytest.raises(AccountError) as caught:
        await asyncio.wait_for(adapter.run(kept, cursor=None), 5)
    await adapter.close()

    assert (
        caught.value.hint
        and adapter.health.state == "stopped"
        and caught.value.hint in adapter.health.last_error
    )


async def test_a_token_lost_on_the_way_is_waited_for(vk: FakeVk, kept: Kept) -> None:
    """While running the channel keeps trying, says so, and works again when the owner has mended it."""
    async with listening(vk, kept) as adapter:
        await kept.until(lambda: kept.cursor)
        vk.failed.append({"failed": 2})
        vk.fail("groups.getLongPollServer", 5, 5)
        await kept.until(lambda: adapter.health.state == "failing")
        assert "ключ" in adapter.health.details["hint"]
        vk.writes(5, "дошло")
        await kept.until(lambda: kept.texts and adapter.health.state == "working")

        assert "hint" not in adapter.health.details


async def test_it_stops_at_once(vk: FakeVk, kept: Kept) -> None:
    """Stopping does not wait for the poll under way, nor for a call that hangs."""
    vk.fail("users.get", HANG)
    async with listening(vk, kept, wait=25):
        await kept.until(lambda: vk.polls)
        vk.writes(5, "x")
        await asyncio.sleep(0.1)
        start = time.monotonic()

    assert time.monotonic() - start < 1


async def test_read_marks_come_after_keeping(vk: FakeVk, kept: Kept) -> None:
    """What is marked as read would not be found by a catch-up, so it must be ours by then."""
    async with listening(vk, kept, mark_read=True):
        await kept.until(lambda: kept.cursor)
        kept.failures = 1
        vk.writes(5, "привет")
        await kept.until(lambda: len(vk.polls) >= 3 or kept.failures == 0)
        assert not vk.called("messages.markAsRead") or kept.texts
        await kept.until(lambda: vk.called("messages.markAsRead"))

    assert vk.called("messages.markAsRead")[0]["peer_id"] == 5


async def test_a_silent_queue_is_noticed(vk: FakeVk, kept: Kept) -> None:
    """Events that are switched off make a bot deaf: the health says so from the start."""
    vk.answers["groups.getLongPollSettings"] = {
        "is_enabled": True,
        "api_version": "5.199",
        "events": {"message_new": 0},
    }
    async with listening(vk, kept) as adapter:
        await kept.until(lambda: adapter.health.details)

    assert any("message_new" in told for told in adapter.health.details.values())


async def test_other_events_arrive_too(vk: FakeVk, kept: Kept) -> None:
    """A press and a refusal of messages are kept by their event ids, once."""
    async with listening(vk, kept):
        await kept.until(lambda: kept.cursor)
        for _ in range(2):
            vk.happens(
                "message_event",
                {"user_id": 5, "peer_id": 5, "event_id": "abc", "payload": {"t": "1.00"}},
                key="k1",
            )
        vk.happens("message_deny", {"user_id": 5}, key="k2")
        await kept.until(lambda: "k2" in kept.inbounds)

    assert [i.kind for i in kept.inbounds.values()] == [InboundKind.PRESS, InboundKind.BLOCKED]


def test_the_pace_is_kept_by_all_threads_together() -> None:
    """Threads share one pace: twenty calls at fifty a second cannot be through sooner, however many make
    them.
    """
    created = time.monotonic()
    limiter = Limiter(per_second=50, burst=2)
    begun: list[float] = []

    def work() -> None:
        for _ in range(5):
            limiter.wait()
            begun.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(begun) == 20 and max(begun) - created >= 18 / 50
