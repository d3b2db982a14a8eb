"""Two cards of one person on the pages: found, seen side by side, made one after a yes, and two again."""

from __future__ import annotations

import pytest

from bot.model import Inbound, InboundKind, Peer, Sender
from bot.model.internal import MergeCustomers
from bot.testing.harness import DESK_CHAT
from bot.web.users import PageRole, may
from tests.web.test_conversations import HTML, Office, office

__all__ = ["office"]


async def _two(office: Office) -> tuple[int, int]:
    return await office.number("Анна"), await office.number("<b>Борис</b>")


async def test_the_other_one_is_found_and_shown_beside(office: Office) -> None:
    """By name or number; whoever has the same phone is offered without a search. Nothing changes yet."""
    anna, boris = await _two(office)
    page = f"/customer/{anna}/merge"
    assert f'href="{page}"' in await office.text(f"/customer/{anna}")
    assert f"{page}?with={boris}" in await office.text(f"{page}?q=борис")
    assert f"{page}?with={boris}" in await office.text(f"{page}?q=№{boris}")
    assert f"with={anna}" not in await office.text(f"{page}?q=анна")
    assert "Никого не нашлось" in await office.text(f"{page}?q=слон")

    assert "с тем же телефоном" in (await office.text(page)).lower()
    for number in (anna, boris):
        await office.testbot.store.change_fields(
            number, {"phone": "79123456789", "city": f"город {number}"}, office.testbot.clock(), by="crm"
        )
    assert f"{page}?with={boris}" in await office.text(page)

    beside = await office.text(f"{page}?with={boris}")
    assert "&lt;b&gt;Борис&lt;/b&gt;" in beside and f"<b>город {anna}</b>" in beside
    assert await office.testbot.store.joined(anna) == ()


async def test_a_yes_makes_them_one_and_the_card_separates_them(office: Office) -> None:
    """History and fields are shared, the operators' topic and the events say whose yes it was; separated,
    everybody has their own again.
    """
    anna, boris = await _two(office)
    store, page = office.testbot.store, f"/customer/{anna}"
    await store.change_fields(boris, {"city": "Казань"}, office.testbot.clock(), by="crm")

    done = await office.send(f"{page}/merge?with={boris}", f"{page}/merge", other=str(boris))
    assert done.headers["Location"] == f"{page}?done=merged"
    card = await office.text(done.headers["Location"])
    assert "Теперь это один клиент" in card and 'value="Казань"' in card and f"№ {boris}" in card
    assert (await office.client.get(f"/customer/{boris}", headers=HTML)).url.path == page
    assert len(await store.conversations(anna)) == 2
    [event] = await store.events(kinds=["customers_joined"])
    assert (event.actor, event.data) == ("page:owner", {"into": anna, "other": boris})

    again = await office.send(page, f"{page}/merge", other=str(boris))
    assert again.headers["Location"] == f"{page}?done=merge_stale"

    done = await office.send(page, f"{page}/separate", other=str(boris))
    assert done.headers["Location"] == f"{page}?done=separated"
    known = await store.customer(anna)
    assert known is not None and "city" not in known.fields
    assert len(await store.conversations(anna)) == 1
    assert [e.actor for e in await store.events(kinds=["customers_parted"])] == ["page:owner"]
    assert "Ничего не изменилось" in await office.text(
        (await office.send(page, f"{page}/separate", other=str(boris))).headers["Location"]
    )


async def test_operators_with_an_open_ticket_are_told(office: Office) -> None:
    """Whoever answers Boris reads in the topic that he is Anna, too."""
    anna, boris = await _two(office)
    page = f"/customer/{boris}"
    await office.send(page, f"{page}/merge", other=str(anna))
    posts = office.testbot.channels["telegram"].in_chat(DESK_CHAT)
    assert any("Теперь это один клиент с Анна" in s.outbound.text.text for s in posts)


async def test_a_request_that_came_too_late_changes_nothing(office: Office) -> None:
    """Between the page and its yes somebody else has merged the card: it is not merged on."""
    anna, boris = await _two(office)
    vera = await office.number("Вера")
    await office.send(f"/customer/{anna}", f"/customer/{anna}/merge", other=str(boris))
    talk = await office.testbot.store.conversation(Peer("vk", "2002"))
    assert talk is not None
    late = Inbound(
        "page:late",
        talk.peer,
        Sender("page:owner", "Оператор"),
        office.testbot.clock(),
        InboundKind.INTERNAL,
        payload=MergeCustomers(boris, vera),
    )
    await office.testbot.arrive(late)
    assert await office.testbot.store.joined(anna) == (boris,)
    assert await office.testbot.store.known_as(vera) == vera


@pytest.mark.parametrize("path", ["/customer/1/merge", "/customer/1/separate"])
def test_supervisors_alone_merge(path: str) -> None:
    """Operators have /same in the group, which asks them, too."""
    allowed = {role for role in PageRole if may(role, "POST", path)}
    assert allowed == {PageRole.OWNER, PageRole.SUPERVISOR}
