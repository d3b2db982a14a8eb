"""What a ticket costs the group, which takes about twenty messages a minute for all its topics together."""

from __future__ import annotations

from bot.model import Attachment, InboundKind, Media, OutboundKind
from bot.testing import TestBot

DESK = "-100500"
FREE = {OutboundKind.ACKNOWLEDGE, OutboundKind.REACT}


def posts(testbot: TestBot) -> int:
    """Calls that the group's budget counts."""
    return sum(s.outbound.kind not in FREE for s in testbot.channels["telegram"].in_chat(DESK, kind=None))


async def test_a_burst_is_one_post(testbot: TestBot) -> None:
    """Five short messages in a row reach the topic as one, in order, and not one word is lost."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    before = posts(testbot)
    await anna.says("здравствуйте", "у меня", "не пришёл", "заказ", "48213")

    assert posts(testbot) - before == 1
    assert (await olga.sees(1))[-1].text.text == "здравствуйте\nу меня\nне пришёл\nзаказ\n48213"


async def test_an_album_is_one_post_and_words_keep_their_place(testbot: TestBot) -> None:
    """Words, three photos of an album, words: three posts in that order."""
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    for n, (text, album) in enumerate([("вот", ""), ("чек", "a"), ("", "a"), ("", "a"), ("всё", "")]):
        photo = (Attachment(Media.PHOTO, f"p{n}", "telegram"),) if album else ()
        inbound = anna.inbound(
            anna.peer, InboundKind.MESSAGE, text, private=True, attachments=photo, album=album, message=str(n)
        )
        await testbot.arrive(inbound, run=False)
    await testbot.rest()

    shown = [(o.text.text, len(o.attachments)) for o in await olga.sees(1) if o.kind is OutboundKind.SAY][-3:]
    assert shown == [("вот", 0), ("чек", 3), ("всё", 0)]


async def test_a_whole_ticket_costs_little(testbot: TestBot) -> None:
    """Topic, card, taking, an answer, closing: no more than nine counted calls, and the answer itself
    none.
    """
    anna, olga = testbot.customer(), testbot.operator()
    await anna.says("позовите оператора")
    assert posts(testbot) == 2, "a topic and a card"
    await olga.presses("Взять", ticket=1)
    taken = posts(testbot)
    await olga.says("Здравствуйте", ticket=1)
    assert posts(testbot) == taken
    await olga.says("/close", ticket=1)

    assert posts(testbot) <= 9


async def test_forty_tickets_wait_for_the_budget_and_lose_no_word(testbot: TestBot) -> None:
    """Everything the customers said is shown, each topic in order; what piles up for a topic goes as one
    post.
    """
    crowd = [testbot.customer(f"Клиент{n}", chat=str(5000 + n)) for n in range(40)]
    for customer in crowd:
        await customer.says("позовите оператора", run=False)
    await testbot.rest()
    before = posts(testbot)
    for part in range(3):
        for customer in crowd:
            await customer.says(f"слово {part}", run=False)
        testbot.clock.advance(seconds=6)
        await testbot.service.engine.run_waiting()
    await testbot.rest()

    assert posts(testbot) - before == 40
    olga = testbot.operator()
    for n in range(1, 41):
        said = "\n".join(o.text.text for o in await olga.sees(n) if o.kind is OutboundKind.SAY)
        places = [said.index(f"слово {part}") for part in range(3)]
        assert places == sorted(places)


async def test_a_name_that_stays_the_same_is_not_set_again(testbot: TestBot) -> None:
    """A tag changes the card and not the topic's name: one call, not two."""
    await testbot.customer().says("позовите оператора")
    before = posts(testbot)
    await testbot.operator().says("/tag vip", ticket=1)

    assert posts(testbot) - before == 1


async def test_words_come_before_views_when_the_budget_is_short(testbot: TestBot) -> None:
    """Thirty busy tickets: every customer's words are shown before the first card that only changed, and each
    card changes once.
    """
    crowd = [testbot.customer(f"Клиент{n}", chat=str(5000 + n)) for n in range(30)]
    for customer in crowd:
        await customer.says("позовите оператора", run=False)
    await testbot.rest()
    before, olga = len(testbot.channels["telegram"].in_chat(DESK, kind=None)), testbot.operator()
    for tag in ("vip", "долг", "срочно"):
        for n in range(1, 31):
            await olga.says(f"/tag {tag}", ticket=n, run=False)
    for customer in crowd:
        await customer.says("есть новости?", run=False)
    await testbot.rest()

    made = [s.outbound for s in testbot.channels["telegram"].in_chat(DESK, kind=None)[before:]]
    words = [at for at, o in enumerate(made) if "есть новости?" in o.text.text and o.kind is OutboundKind.SAY]
    views = [at for at, o in enumerate(made) if o.kind is OutboundKind.EDIT and o.edits.startswith("card:")]
    assert len(words) == len(views) == 30
    assert max(words) < min(views)
