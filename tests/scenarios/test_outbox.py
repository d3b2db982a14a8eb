"""The outbox: order, repeats, doubts and failures, each with its record."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.adapters.base import File, Limits
from bot.delivery.attachment_reader import AttachmentReader
from bot.delivery.rate_limit import GROUP_BURST
from bot.errors import AccountError, BadFormat, ChatMoved, PeerGone, Refused, RetryLater, Uncertain
from bot.handoff.delivery_views import DeskViews
from bot.model import Outbound, OutboundKind, Peer, Priority, RichText, Span, Style
from bot.outbox import Outbox
from bot.testing import TestBot, open_test_bot

TO = Peer("telegram", "1001")


async def say(testbot: TestBot, *texts: str, **more: object) -> tuple[int, ...]:
    outbounds = [Outbound(TO, RichText(t), **more) for t in texts]  # type: ignore[arg-type]
    return await testbot.service.store.enqueue(outbounds, testbot.clock())


def said(testbot: TestBot) -> list[str]:
    return [s.outbound.text.text for s in testbot.channels["telegram"].in_chat("1001", kind=None)]


async def status(testbot: TestBot, id: int) -> str:
    return next(d.status for d in await testbot.service.store.deliveries() if d.id == id)


async def test_what_is_postponed_keeps_its_place(testbot: TestBot) -> None:
    """The first is refused for a while: the second waits behind it."""
    testbot.channels["telegram"].failures.extend([RetryLater("429", after=30)])
    await say(testbot, "один", "два")
    await testbot.service.outbox.run_waiting()
    assert said(testbot) == []
    await testbot.later(seconds=60)
    await testbot.later(seconds=60)

    assert said(testbot) == ["один", "два"]


async def test_an_uncertain_send_is_repeated_and_marked(testbot: TestBot) -> None:
    """Better twice than never, and the store says that it may have been twice."""
    testbot.channels["telegram"].failures.append(Uncertain("cut"))
    (id,) = await say(testbot, "ответ")
    await testbot.later(seconds=10)
    await testbot.later(seconds=10)

    delivery = next(d for d in await testbot.service.store.deliveries() if d.id == id)
    assert (said(testbot), delivery.status, delivery.doubts) == (["ответ"], "sent", 1)


async def test_what_must_not_come_twice_waits_for_a_person(testbot: TestBot) -> None:
    """`hold` deliveries are left unknown, and settled by hand."""
    testbot.channels["telegram"].failures.append(Uncertain("cut"))
    (id,) = await say(testbot, "оцените", on_uncertain="hold")
    await testbot.later(seconds=10)
    assert await status(testbot, id) == "unknown"
    assert await testbot.service.store.resolve_unknown(id, arrived=False, now=testbot.clock())
    await testbot.later(seconds=10)

    assert said(testbot) == ["оцените"]


async def test_refused_styling_goes_plain(testbot: TestBot) -> None:
    """Formatting that the platform dislikes does not cost the words."""
    testbot.channels["telegram"].failures.append(BadFormat("can't parse entities"))
    await testbot.service.store.enqueue(
        [Outbound(TO, RichText("жирно", (Span(Style.BOLD, 0, 5),)))], testbot.clock()
    )
    await testbot.later(seconds=10)

    sent = testbot.channels["telegram"].in_chat("1001")[0].outbound
    assert (sent.text.text, sent.text.spans) == ("жирно", ())


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PeerGone("bot was blocked by the user"), "нельзя написать"),
        (Refused("chat not allowed"), "не принял сообщение"),
    ],
)
async def test_the_operator_is_told_what_did_not_arrive(
    testbot: TestBot, error: Exception, reason: str
) -> None:
    """A failure is said loudly in the ticket, with its reason."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    testbot.channels["telegram"].failures.append(error)
    await olga.says("Здравствуйте", ticket=1)

    assert any(reason in o.text.text and "Здравствуйте" in o.text.text for o in await olga.sees(1))


async def test_a_moved_group_is_followed(testbot: TestBot) -> None:
    """Switching topics on gives the group a new id: what waits goes there."""
    testbot.channels["telegram"].failures.append(ChatMoved("migrated", "-100777"))
    await testbot.service.store.enqueue(
        [Outbound(Peer("telegram", "-5"), RichText("в группу"))], testbot.clock()
    )
    await testbot.later(seconds=10)

    assert [s.outbound.to.chat for s in testbot.channels["telegram"].said] == ["-100777"]


async def test_a_refused_account_loses_nothing(testbot: TestBot) -> None:
    """A wrong token stops the channel, not the deliveries."""
    testbot.channels["telegram"].failures.append(AccountError("unauthorized"))
    (id,) = await say(testbot, "потом")
    await testbot.service.outbox.run_waiting()

    assert await status(testbot, id) == "pending"


async def test_cosmetics_are_replaced_by_newer_ones(testbot: TestBot) -> None:
    """Of several waiting renames only the newest is sent."""
    for name in ("a", "b", "c"):
        await testbot.service.store.enqueue(
            [
                Outbound(
                    TO, RichText(name), kind=OutboundKind.RENAME_TOPIC, priority=Priority.COSMETIC, author=""
                )
            ],
            testbot.clock(),
        )
    await testbot.service.outbox.run_waiting()

    assert said(testbot) == ["c"]


async def test_long_words_are_split_before_they_are_enqueued(testbot: TestBot) -> None:
    """A failure in part two never repeats part one: each part is a delivery of its own."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    testbot.channels["telegram"].failures.extend([None, RetryLater("429", after=1)])
    await olga.says("слово " * 1500, ticket=1)
    await testbot.later(seconds=10)

    parts = [s.outbound.text.text for s in anna.sees() if s.outbound.text.text.startswith("слово")]
    assert len(parts) == 3 and all(len(p) <= 4096 for p in parts)
    assert sum(len(p.split()) for p in parts) == 1500


@pytest.mark.sqlite  # where leases tell who died: tests/leases
async def test_a_crash_while_sending_is_on_record(testbot: TestBot) -> None:
    """Rows left "sending" by a dead process go again, with the doubt kept."""
    (id,) = await say(testbot, "в пути")
    taken = await testbot.service.store.take_deliveries(testbot.clock())
    assert [d.id for d in taken] == [id]
    assert await testbot.service.store.recover(testbot.clock()) == 1
    await testbot.service.outbox.run_waiting()

    delivery = next(d for d in await testbot.service.store.deliveries() if d.id == id)
    assert (delivery.status, delivery.doubts, said(testbot)) == ("sent", 1, ["в пути"])


async def test_what_must_wait_for_the_limits_is_not_under_way(articles: Path) -> None:
    """Twenty topics speak to one group at once: those that must wait are not begun, so a crash leaves no
    doubt about them.
    """
    limits = Limits(topics=True, reactions=True, per_second=25, group_per_minute=18)
    async with open_test_bot(articles) as testbot:
        service, group = testbot.service, testbot.channels["telegram"]
        group.limits = limits
        outbox = Outbox(
            service.store,
            service.adapters,
            testbot.clock,
            views=DeskViews(service.desk.context),
            files=AttachmentReader(service.adapters, lambda ref: File(b"")),
        )
        await service.store.enqueue(
            [Outbound(Peer("telegram", "-100500", str(n)), RichText(str(n)), author="") for n in range(20)],
            testbot.clock(),
        )
        running = asyncio.create_task(outbox.run())
        await asyncio.sleep(0.3)
        counts = await service.store.counts()
        outbox.stop()
        await running

        assert len(group.said) == counts["deliveries_sent"] == GROUP_BURST[0]
        assert counts["deliveries_sending"] == 0 and counts["deliveries_pending"] == 20 - GROUP_BURST[0]


async def test_a_new_process_knows_what_the_old_one_sent(articles: Path, tmp_path: Path) -> None:
    """The limits of the platform do not forget with us: a restart does not begin a new minute."""
    limits = Limits(topics=True, per_second=25, group_per_minute=5)
    file = str(tmp_path / "bot.db")
    said = 0
    for life in range(2):
        async with open_test_bot(articles, storage=file) as testbot:
            service, group = testbot.service, testbot.channels["telegram"]
            group.limits = limits
            outbox = Outbox(
                service.store,
                service.adapters,
                testbot.clock,
                views=DeskViews(service.desk.context),
                files=AttachmentReader(service.adapters, lambda ref: File(b"")),
            )
            if not life:
                await service.store.enqueue(
                    [
                        Outbound(Peer("telegram", "-100500", str(n)), RichText(str(n)), author="")
                        for n in range(9)
                    ],
                    testbot.clock(),
                )
            running = asyncio.create_task(outbox.run())
            await asyncio.sleep(0.2)
            outbox.stop()
            await running
            said += len(group.said)

    assert said == GROUP_BURST[0], "the second life has to wait out the first one's burst"


async def test_the_answer_to_a_button_does_not_wait_for_the_groups_budget(testbot: TestBot) -> None:
    """What rests is the group, and what stands before it in the group: the tap is answered all the same."""
    group = Peer("telegram", "-100500")
    tap = Outbound(group, RichText("Его уже взяла Ольга"), kind=OutboundKind.ACKNOWLEDGE, quotes="q1")
    await testbot.service.store.enqueue([Outbound(group, RichText("слова")), tap], testbot.clock())

    taken = await testbot.service.store.take_deliveries(testbot.clock(), resting={("telegram", "-100500")})

    assert [d.outbound.kind for d in taken] == [OutboundKind.ACKNOWLEDGE]


async def test_four_doubts_are_no_reason_to_give_an_answer_up(testbot: TestBot) -> None:
    """On a bad day each try breaks anew: the answer goes on being sent, and all the doubts are on record."""
    testbot.channels["telegram"].failures.extend([Uncertain("cut")] * 4)
    (id,) = await say(testbot, "ответ")
    for _ in range(5):
        await testbot.later(seconds=15)

    delivery = next(d for d in await testbot.service.store.deliveries() if d.id == id)
    assert (said(testbot), delivery.status, delivery.doubts) == (["ответ"], "sent", 4)
