"""Colleagues: named in every way people name one another, called so that they hear it, and given only what
they can see.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.rich_text import to_entities
from bot.adapters.vk.calls import UploadedAttachments, compose
from bot.config.loader import Config
from bot.model import InboundKind, Mention, Outbound, OutboundKind, Peer, Sender, Style
from bot.testing import OperatorsGroup, TestBot, open_test_bot
from bot.testing.harness import PLACE, PlayedOperator

KINDS = {
    "forum": (PLACE, "-200", True),
    "plain": (PLACE, "-200", False),
    "vk": (Peer("vk", "2000000005"), "2000000006", False),
}


@dataclass
class Scene:
    """A desk and the group of one team beside it."""

    testbot: TestBot
    other: Peer

    def said(self, place: Peer) -> list[str]:
        found = self.testbot.channels[place.channel].in_chat(place.chat)
        return [f"{s.outbound.heading.text} {s.outbound.text.text}" for s in found]

    def here(self) -> list[str]:
        return self.said(self.testbot.place)

    def there(self) -> list[str]:
        return self.said(self.other)

    async def writes(
        self, who: PlayedOperator, text: str, *mentions: Mention, place: Peer | None = None, ticket: int = 0
    ) -> None:
        """Words of an operator in any group; about a ticket, in its topic or as a reply to its card."""
        at, card = place or self.testbot.place, ""
        if ticket:
            shown = [
                s
                for s in self.testbot.channels[at.channel].in_chat(at.chat)
                if s.outbound.name == f"card:{ticket}"
            ]
            card = shown[-1].message
            at = Peer(
                at.channel, at.chat, await self.testbot.service.store.topic(ticket, at.channel, at.chat) or ""
            )
        key = self.testbot.key()
        inbound = who.inbound(
            at, InboundKind.MESSAGE, text, private=False, message=f"o{key}", quotes=card, mentions=mentions
        )
        await self.testbot.arrive(inbound)

    async def owner(self, ticket: int = 1) -> str:
        found = await self.testbot.service.store.ticket(ticket)
        assert found is not None
        return found.operator

    def id(self, user: str) -> str:
        return f"{self.testbot.place.channel}:{user}"


@pytest.fixture(params=KINDS)
async def scene(request: pytest.FixtureRequest, articles: Path) -> AsyncIterator[Scene]:
    place, other, forum = KINDS[request.param]
    team = {"name": "returns", "title": "Возвраты", "desk": {"channel": place.channel, "chat": other}}
    config = Config.model_validate(
        {"teams": [team], "routing": {"supervisors": [f"{place.channel}:7000", f"{place.channel}:7001"]}}
    )
    async with open_test_bot(
        articles, desk=OperatorsGroup(forum=forum, place=place), config=config
    ) as testbot:
        yield Scene(testbot, Peer(place.channel, other))


def alone(scene: Scene, group: Peer, *users: str) -> None:
    """Who is a member of *group* and of no other."""
    members = scene.testbot.channels[group.channel].members
    for place in (scene.testbot.place, scene.other):
        for user in users:
            members[f"{place.chat}:{user}"] = "member" if place == group else "none"


async def test_to_somebody_of_another_group_goes_there(scene: Scene) -> None:
    """Her group gets the card with the talk and she is called in it; where it was it is said and closed;
    answers come from there.
    """
    olga, vera = scene.testbot.operator(), scene.testbot.operator("Вера", id="9003")
    alone(scene, scene.other, "9003")
    anna = scene.testbot.customer()
    await scene.writes(vera, "всем привет", place=scene.other)
    await anna.says("позовите оператора, хочу вернуть чайник")
    await scene.writes(olga, "Сейчас", ticket=1)
    await scene.writes(olga, "/transfer Вера про чайник", ticket=1)

    assert await scene.owner() == scene.id("9003")
    assert any("вернуть чайник" in text and "Сейчас" in text for text in scene.there())
    assert any("Вера" in text and "про чайник" in text for text in scene.there())
    assert any("Вера работает в другой группе" in text for text in scene.here())
    await anna.says("чек у меня есть")
    assert any("чек у меня есть" in text for text in scene.there())
    assert not any("чек у меня есть" in text for text in scene.here())
    await scene.writes(vera, "Оформляем", place=scene.other, ticket=1)
    assert "Оформляем" in anna.hears()


async def test_to_somebody_who_is_in_no_group_is_refused(scene: Scene) -> None:
    """They were put out while the bot was down: nothing changes, and it is said why; the same for /assign of
    a supervisor.
    """
    olga, boss = scene.testbot.operator(), scene.testbot.operator("Борис", id="7000")
    members = scene.testbot.channels[scene.testbot.place.channel].members
    await scene.writes(scene.testbot.operator("Сергей", id="5"), "привет", place=scene.other)
    await scene.testbot.customer().says("позовите оператора")
    await scene.writes(olga, "/take", ticket=1)
    scene.testbot.channels[scene.testbot.place.channel].lost.add(scene.other.chat)
    await scene.testbot.later(seconds=60)
    members[f"{scene.testbot.place.chat}:5"] = "none"
    for who, command in ((olga, "/transfer Сергей срочно"), (boss, "/assign Сергей")):
        await scene.writes(who, command, ticket=1)
        assert "Сергей не состоит ни в одной группе операторов" in scene.here()[-1]
        assert await scene.owner() == scene.id("9001")


@pytest.mark.parametrize(
    "name", ["Петрова", "Анна Петрова", "петрова анна", "@petrova", "9005", "{channel}:9005", "Пётрова"]
)
async def test_a_colleague_is_named_by_last_name_username_and_id(scene: Scene, name: str) -> None:
    """Whatever names only her is enough, and what follows is the reason."""
    olga = scene.testbot.operator()
    await scene.writes(
        scene.testbot.operator("Анна", id="9005", last_name="Петрова", username="petrova"), "привет"
    )
    await scene.writes(scene.testbot.operator("Анна", id="9006", last_name="Ким"), "привет")
    await scene.testbot.customer().says("позовите оператора")
    await scene.writes(olga, "/take", ticket=1)
    await scene.writes(
        olga, f"/transfer {name.format(channel=scene.testbot.place.channel)} спросить размер", ticket=1
    )

    assert await scene.owner() == scene.id("9005")
    assert any(
        "спросить размер" in text and "петрова" not in text.casefold().split("спросить")[1]
        for text in scene.here()
    )


async def test_namesakes_are_told_apart_by_labels_and_buttons(scene: Scene) -> None:
    """Two of one name and last name: each a button of its own; the one that is pressed gets it, with the
    reason.
    """
    olga = scene.testbot.operator()
    for id, username in (("9005", "anna_one"), ("9006", "")):
        await scene.writes(
            scene.testbot.operator("Анна", id=id, last_name="Петрова", username=username), "привет"
        )
    await scene.testbot.customer("Клиент").says("позовите оператора")
    await scene.writes(olga, "/take", ticket=1)
    await scene.writes(olga, "/transfer Анна Петрова оплата", ticket=1)
    asked = scene.testbot.channels[scene.testbot.place.channel].in_chat(scene.testbot.place.chat)[-1].outbound
    labels = [b.label for row in asked.buttons for b in row]
    assert len(labels) == len(set(labels)) == 2 and await scene.owner() == scene.id("9001")
    await olga.presses(next(label for label in labels if "9006" in label))

    assert await scene.owner() == scene.id("9006")
    assert any("оплата" in text for text in scene.here()[-2:])


async def test_namesakes_of_a_supervisor(scene: Scene) -> None:
    """/assign asks as well, and the press assigns; a press that names nobody any more says whom it meant."""
    boss = scene.testbot.operator("Борис", id="7000")
    for id in ("9005", "9006"):
        await scene.writes(scene.testbot.operator("Анна", id=id, last_name="Петрова"), "привет")
    await scene.testbot.customer("Клиент").says("позовите оператора")
    await scene.writes(boss, "/assign Анна", ticket=1)
    await boss.presses("9005")
    assert await scene.owner() == scene.id("9005")
    await scene.writes(boss, "/assign", ticket=1)

    assert "«»" not in scene.here()[-1] and "Кому" in scene.here()[-1]


async def test_a_colleague_is_named_by_a_mention(scene: Scene) -> None:
    """As people without a public name are called; also one who never wrote here.

    What follows is the reason.
    """
    olga = scene.testbot.operator()
    scene.testbot.channels[scene.testbot.place.channel].people["9007"] = Sender("9007", "Мария", "Ли")
    await scene.testbot.customer().says("позовите оператора")
    await scene.writes(olga, "/take", ticket=1)
    await scene.writes(olga, "/transfer Маша срочный возврат", Mention(10, 4, "9007"), ticket=1)

    assert await scene.owner() == scene.id("9007")
    assert any("Мария" in text and "срочный возврат" in text for text in scene.here())


async def test_who_came_into_the_group_can_be_named_before_a_word(scene: Scene) -> None:
    """A new colleague is known from coming in, but is given nothing by itself; a stranger's id is nobody."""
    olga, place = scene.testbot.operator(), scene.testbot.place
    data = {"user": "9008", "status": "member", "name": "Тимур", "last_name": "Ахметов", "username": ""}
    came = olga.inbound(place, InboundKind.MEMBER, private=False, data=data)
    await scene.testbot.arrive(came)
    await scene.testbot.customer().says("позовите оператора")
    await scene.writes(olga, "/take", ticket=1)
    scene.testbot.channels[place.channel].members["4040"] = "none"
    await scene.writes(olga, "/transfer 4040 срочно", ticket=1)
    assert "Не нашёл" in scene.here()[-1] and await scene.owner() == scene.id("9001")
    await scene.writes(olga, "/transfer Ахметов размер", ticket=1)

    assert await scene.owner() == scene.id("9008")
    assert scene.testbot.service.desk.context.roster.member(scene.id("9008")).silent


async def test_the_menu_leaves_out_who_presses_it(scene: Scene) -> None:
    """«Передать» offers colleagues of this group: not oneself, not another group's people, namesakes told
    apart.
    """
    olga = scene.testbot.operator()
    for id, name in (("9002", "Павел"), ("9004", "Павел")):
        await scene.writes(scene.testbot.operator(name, id=id), "привет")
    alone(scene, scene.other, "9003")
    await scene.writes(scene.testbot.operator("Вера", id="9003"), "привет", place=scene.other)
    await scene.testbot.customer().says("позовите оператора")
    await scene.writes(olga, "привет")
    await olga.presses("Передать")
    asked = scene.testbot.channels[scene.testbot.place.channel].in_chat(scene.testbot.place.chat)[-1].outbound
    labels = [b.label for row in asked.buttons for b in row]

    assert not any("Ольга" in label or "Вера" in label for label in labels)
    assert len([label for label in labels if "Павел" in label]) == len(set(labels) - {"👥 Возвраты"}) == 2


async def test_the_customer_hears_of_a_transfer_only_where_somebody_was_at_it(scene: Scene) -> None:
    """Who still waits for anybody is not told of a colleague; who was talking with somebody is, once."""
    olga, pavel = scene.testbot.operator(), scene.testbot.operator("Павел", id="9002")
    await scene.writes(pavel, "привет")
    anna = scene.testbot.customer()
    await anna.says("позовите оператора")
    anna.listens()
    await scene.writes(olga, "/transfer Павел сразу тебе", ticket=1)
    assert anna.hears() == []
    await scene.writes(pavel, "/transfer Ольга назад", ticket=1)

    assert sum("коллеги" in text for text in anna.hears()) == 1


async def test_who_is_called_really_hears_it(scene: Scene) -> None:
    """Without a public name a bare name notifies nobody: the platform's own mention is sent."""
    olga, pavel = scene.testbot.operator(), scene.testbot.operator("Павел", id="9002")
    await scene.writes(pavel, "привет")
    await scene.testbot.customer().says("позовите оператора")
    await scene.writes(olga, "/take", ticket=1)
    await scene.writes(olga, "/transfer Павел [id5|скидка] @all", ticket=1)
    said = [
        s.outbound
        for s in scene.testbot.channels[scene.testbot.place.channel].in_chat(scene.testbot.place.chat)
    ]
    call = next(o for o in said if any(s.style is Style.MENTION for s in o.text.spans))

    assert sent(call) == ("9002", "Павел")


def sent(call: Outbound) -> tuple[str, str]:
    """Whom the platform would notify, and by what name; nobody else must be called."""
    if call.to.channel == "telegram":
        entity = next(e for e in to_entities(call.text) if e["type"] == "text_mention")
        user, offset, length = entity["user"], entity["offset"], entity["length"]
        assert isinstance(user, dict) and isinstance(offset, int) and isinstance(length, int)
        units = call.text.text.encode("utf-16-le")[2 * offset : 2 * (offset + length)]
        return str(user["id"]), units.decode("utf-16-le")
    params = compose(call, UploadedAttachments(), 1)
    assert (
        not params["disable_mentions"]
        and "[id5|" not in params["message"]
        and "@all" not in params["message"]
    )
    at = params["message"].index("[id")
    id, _, name = params["message"][at + 3 : params["message"].index("]", at)].partition("|")
    return id, name


async def test_supervisors_are_called_only_where_they_are(scene: Scene) -> None:
    """One works in this group, one in another: only the first is called here."""
    place = scene.testbot.place
    alone(scene, scene.other, "7001")
    await scene.writes(scene.testbot.operator("Борис", id="7000"), "привет")
    await scene.writes(scene.testbot.operator("Глеб", id="7001"), "привет", place=scene.other)
    await scene.testbot.customer().says("позовите оператора")
    for _ in range(4):
        await scene.testbot.later(minutes=30)
    said = [
        s.outbound
        for s in scene.testbot.channels[place.channel].in_chat(place.chat)
        if s.outbound.kind is OutboundKind.SAY
    ]
    called = {s.url for o in said for s in o.text.spans if s.style is Style.MENTION}

    assert called == {"7000"}
    assert [o.text.text for o in said if "Глеб" in o.text.text] == []
