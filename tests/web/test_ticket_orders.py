"""A ticket on its page: every order goes the way of the group's, meets the ticket as it is, and is seen
there.
"""

from __future__ import annotations

from bot.model import Ticket
from bot.testing.harness import DESK_CHAT
from tests.web.test_conversations import HTML, Office, office

__all__ = ["office"]


async def _ticket(office: Office, number: int = 1) -> Ticket:
    found = await office.testbot.store.ticket(number)
    assert found is not None
    return found


async def _order(office: Office, order: str, *, key: str = "", **fields: str) -> str:
    """Press the button of *order* as the page offers it; where it leads."""
    ticket = await _ticket(office)
    page = f"/conversation/{ticket.conversation}"
    form = {"order": order, "ticket": "1", "key": key or order, **fields}
    answer = await office.send(f"{page}?data=own", f"{page}/order", **form)
    assert answer.status == 303, await answer.text()
    return str(answer.headers["Location"])


def _heard(office: Office) -> list[str]:
    """What the customer of the ticket was told."""
    return [s.outbound.text.text for s in office.testbot.channels["vk"].in_chat("2003")]


def _shown(office: Office) -> list[str]:
    """What the group shows."""
    posts = office.testbot.channels["telegram"].in_chat(DESK_CHAT)
    return [s.outbound.text.text for s in posts]


async def test_a_row_of_the_queue_leads_to_the_desk(office: Office) -> None:
    """The queue's link opens the conversation with what can be done."""
    ticket = await _ticket(office)
    assert f'href="/conversation/{ticket.conversation}?data=own"' in await office.text("/queue")
    page = await office.text(f"/conversation/{ticket.conversation}?data=own")
    for order in ("answer", "note", "take", "snooze", "return", "close"):
        assert f'name="order" value="{order}"' in page, order


async def test_the_whole_way_of_a_ticket(office: Office) -> None:
    """Taken, answered, noted, closed, opened again: each with its timer, its event and its view."""
    assert "done=taken" in await _order(office, "take")
    ticket = await _ticket(office)
    assert (ticket.status, ticket.operator, ticket.operator_name) == (
        "operator",
        "telegram:page.owner",
        "Оператор",
    )
    assert "done=operator" in await _order(office, "answer", value="Добрый день, сейчас решим")
    assert "Добрый день, сейчас решим" in _heard(office)
    assert any("Добрый день, сейчас решим" in text for text in _shown(office))
    assert (await _ticket(office)).first_reply is not None

    assert "done=note" in await _order(office, "note", value="клиент спешит")
    assert not any("спешит" in text for text in _heard(office))
    assert any("спешит" in text for text in _shown(office))
    lines = await office.testbot.store.history(ticket.conversation)
    assert ("note", "клиент спешит") in [(line.author, line.text) for line in lines]

    assert "done=closed" in await _order(office, "close")
    assert (await _ticket(office)).status == "closed"
    assert "done=reopened" in await _order(office, "reopen")
    assert (await _ticket(office)).status == "operator"
    events = await office.testbot.store.events(kinds=["page_ordered"])
    assert [e.data["order"] for e in events] == ["take", "answer", "note", "close", "reopen"]
    assert {e.actor for e in events} == {"page:owner"}
    kinds = {e.kind for e in await office.testbot.store.events()}
    assert {"ticket_taken", "first_reply", "ticket_closed", "ticket_reopened"} <= kinds
    assert await office.testbot.service.store.check() == ()


async def test_it_is_put_off_and_handed_on(office: Office) -> None:
    """As by the buttons of the card: to a colleague who is told, with the reason."""
    await office.testbot.operator().says("/queue")
    await office.testbot.operator().says("добрый день, коллеги", ticket=1)
    assert "done=snoozed" in await _order(office, "snooze", **{"value.snooze": "1h"})
    assert (await _ticket(office)).status == "snoozed"
    marina = office.testbot.operator("Марина", id="901")
    await marina.says("/back")
    page = await office.text(f"/conversation/{(await _ticket(office)).conversation}?data=own")
    assert 'value="telegram:901"' in page
    where = await _order(office, "transfer", **{"value.transfer": "telegram:901", "reason": "про возврат"})
    assert "done=transferred" in where
    assert (await _ticket(office)).operator == "telegram:901"
    assert any("про возврат" in text for text in _shown(office))


async def test_the_playbook_and_a_compensation_are_at_hand(office: Office) -> None:
    """Another playbook, a step, a sum above the limit: each as by the command, and seen on the page."""
    talk = f"/conversation/{(await _ticket(office)).conversation}?data=own"
    assert "done=playbook_chosen" in await _order(office, "playbook", **{"value.playbook": "complaint"})
    page = await office.text(talk)
    assert "📋 Жалоба · 0 из 6" in page
    step = "Предложить решение и срок"
    assert f'value="step:{step}"' in page
    assert "done=playbook_step" in await _order(office, f"step:{step}")
    assert f"☑ {step}" in await office.text(talk)
    assert "done=desk.steps_open" in await _order(office, "close", key="first")
    where = await _order(office, "compensate", **{"value.compensate": "700", "why": "200 чашек разбиты"})
    assert "done=compensation.asked" in where
    assert "ждёт решения" in await office.text(talk)
    assert [(c.amount, c.reason) for c in (await _ticket(office)).state.compensations] == [
        (700.0, "200 чашек разбиты")
    ]
    assert any("просит компенсацию" in text for text in _shown(office))


async def test_an_order_meets_the_ticket_as_it_is(office: Office) -> None:
    """Somebody was faster: told so, and nothing is changed."""
    await office.testbot.operator().says("/take", ticket=1)
    assert "done=desk.taken_by" in await _order(office, "take")
    page = await office.text((await _order(office, "take", key="again")).partition("#")[0])
    assert "Его уже взял другой оператор" in page
    assert (await _ticket(office)).operator != "telegram:page.owner"


async def test_a_form_that_is_sent_twice_is_one_order(office: Office) -> None:
    """The customer gets the answer once."""
    for _ in range(2):
        await _order(office, "answer", key="same", value="Один раз")
    assert _heard(office).count("Один раз") == 1


async def test_what_is_no_order_is_refused(office: Office) -> None:
    """No words, no such order, somebody else's ticket, no token."""
    talk = (await _ticket(office)).conversation
    page, own = f"/conversation/{talk}/order", f"/conversation/{talk}?data=own"
    for form, status in (
        ({"order": "answer", "ticket": "1", "value": " "}, 400),
        ({"order": "broadcast", "ticket": "1"}, 400),
        ({"order": "take", "ticket": "7"}, 404),
        ({"order": "take", "ticket": "x"}, 404),
    ):
        assert (await office.send(own, page, **form)).status == status, form
    answer = await office.client.post(page, data={"order": "take", "ticket": "1"}, headers=HTML)
    assert answer.status == 403
    assert (await _ticket(office)).status == "waiting"
