"""Who has a ticket is called by name when its customer comes back to it, in each kind of desk, with their
question.
"""

from __future__ import annotations

from bot.testing import TestBot


async def snooze(testbot: TestBot, *words: str) -> int:
    """Anna's ticket is put off by Olga, who wrote such words before; how many posts the desk had then."""
    await testbot.customer().says("позовите оператора")
    olga = testbot.operator(username="olga")
    await olga.presses("Взять")
    for text in (*words, "/snooze завтра 10:00"):
        card = next(
            s
            for s in testbot.channels[testbot.place.channel].in_chat(testbot.place.chat)
            if s.outbound.name == "card:1"
        )
        await olga.says(text, ticket=1, quotes=card.message)
    ticket = await testbot.service.store.ticket(1)
    assert ticket is not None and ticket.status == "snoozed"
    return len(testbot.desk_posts())


async def test_a_snoozed_tickets_operator_is_called_when_the_customer_writes(any_testbot: TestBot) -> None:
    """Their words wake it, and whoever put it off hears it by name, once."""
    before = await snooze(any_testbot, "Проверю")
    await any_testbot.customer().says("появились новые подробности")
    await any_testbot.customer().says("вот они")
    said = [o.text.text for o in any_testbot.desk_posts(before)]

    assert sum("@olga" in text for text in said) == 1
    assert said[0].endswith("появились новые подробности")


async def test_thanks_wake_nobody(any_testbot: TestBot) -> None:
    """Nobody owes an answer to them: carried, and the ticket stays put off."""
    before = await snooze(any_testbot, "Проверю")
    await any_testbot.customer().says("спасибо")
    ticket = await any_testbot.service.store.ticket(1)

    assert ticket is not None and ticket.status == "snoozed"
    assert not any("@olga" in o.text.text for o in any_testbot.desk_posts(before))


async def test_a_snoozed_ticket_of_somebody_who_is_away_goes_to_the_others(any_testbot: TestBot) -> None:
    """Also where no first answer was given yet."""
    before = await snooze(any_testbot)
    await any_testbot.operator(username="olga").says("/away")
    await any_testbot.customer().says("появились новые подробности")
    ticket = await any_testbot.service.store.ticket(1)

    assert ticket is not None and ticket.status == "waiting" and not ticket.operator
    assert any("нет на месте" in o.text.text for o in any_testbot.desk_posts(before))


async def test_reopened_by_a_button_the_question_is_shown_and_the_operator_called(
    any_testbot: TestBot,
) -> None:
    """Whoever comes back without a word has said before what it is about."""
    anna = any_testbot.customer()
    await anna.says("позовите оператора")
    olga = any_testbot.operator(username="olga")
    await olga.presses("Взять")
    card = next(
        s
        for s in any_testbot.channels[any_testbot.place.channel].in_chat(any_testbot.place.chat)
        if s.outbound.name == "card:1"
    )
    await olga.says("Здравствуйте, помогу", ticket=1, quotes=card.message)
    await olga.says("/close", ticket=1, quotes=card.message)
    await anna.says("как вернуть товар")
    before = len(any_testbot.desk_posts())
    await anna.presses("Позвать оператора")
    ticket = await any_testbot.service.store.ticket(1)
    said = [o.text.text for o in any_testbot.desk_posts(before)]
    edits = [
        s.outbound.text.text
        for s in any_testbot.channels[any_testbot.place.channel].said
        if s.outbound.edits == "card:1"
    ]

    assert ticket is not None and ticket.status == "operator"
    assert any("@olga" in text and "как вернуть товар" in text for text in said), said
    assert "как вернуть товар" in edits[-1]
