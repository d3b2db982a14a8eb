"""What is meant for colleagues never reaches the customer: each way to call one or to mark a note, on every
desk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.telegram.updates import TelegramReader
from bot.adapters.vk.updates import VkReader
from bot.model import Inbound, InboundKind, Outbound, OutboundKind, Peer
from bot.testing import OperatorsGroup, TestBot, open_test_bot
from bot.testing.harness import DESK_CHAT

GROUP, VK_CHAT, BOT = 200001, 2_000_000_001, 777
PETR = {"id": 9002, "is_bot": False, "first_name": "Пётр"}
OLGA = {"id": 9001, "is_bot": False, "first_name": "Ольга", "username": "olga_s"}
PHOTO = [{"file_id": "p1", "file_unique_id": "u1", "width": 9, "height": 9}]
Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """How a colleague is called or a note is marked: as Telegram writes it, as VK does, and where in a
    text.
    """

    name: str
    telegram: str
    vk: str = ""
    entity: str = ""
    places: tuple[str, ...] = ("start", "middle", "end", "line")


FORMS = (
    Form("a public name", "@pavel_s", entity="mention"),
    Form("a public name nobody has seen", "@new_colleague", entity="mention"),
    Form("a person without a public name", "Пётр", "[id9002|Пётр]", "text_mention"),
    Form("a mention that is labelled with a public name", "@petr", "[id9002|@petr]", "mention"),
    Form("another community", "@agency_bot", "[club55|Агентство]", "mention"),
    Form("a bare name", "Пётр,", places=("start",)),
    Form("a note", "//"),
    Form("a loud note", "//!", places=("start",)),
    Form("a note in the other layout", "..", places=("start", "middle", "line")),
    Form("a note, half in the other layout", "./", places=("start",)),
    Form("a command for a note", "/note"),
    Form("a note with a colon", "/note:", places=("start",)),
    Form("a note with a dash", "/note-", places=("start",)),
    Form("a command", "/topic", places=("middle", "end", "line")),
    Form("a command in the other layout", ".tag", places=("start",)),
    Form("all of it in the other layout", ".ефп", places=("start",)),
    Form("a backslash", "\\tag", places=("start",)),
    Form("a command with a sign", "/close!", places=("start",)),
    Form("a command with a full stop", "/close.", places=("start",)),
    Form("a command with a comma", "/t,", places=("start",)),
    Form("a command run together", "/snooze-2h", places=("start",)),
    Form("a lone slash", "/", places=("start",)),
    Form("a Russian command", "/закрыть!", places=("start",)),
    Form("an unknown word after a dot", ".тэйк", places=("start",)),
    Form("another bot's command", "/close@OtherBot", places=("start",)),
    Form("another bot's command with a comma", "/close@OtherBot,", places=("start",)),
    Form("a slash of another keyboard", "\uff0f\uff0f", places=("start",)),
)
TEXTS = {
    "start": "{} грубит{}",
    "middle": "ну и {} грубит{}",
    "end": "грубит{1} {0}",
    "line": "Добрый день\n{} грубит{}",
}


@dataclass(slots=True)
class Desk:
    """A desk of one kind, spoken to in its platform's own words."""

    testbot: TestBot
    kind: str
    thread: str = ""
    card: str = ""
    numbers: Any = None

    @property
    def chat(self) -> str:
        return str(VK_CHAT) if self.kind == "vk" else DESK_CHAT

    @property
    def channel(self) -> str:
        return "vk" if self.kind == "vk" else "telegram"

    async def writes(
        self,
        *texts: str,
        form: Form | None = None,
        photo: bool = False,
        edit: int = 0,
        album: bool = False,
        who: Entity = OLGA,
        reply: str | None = None,
    ) -> int:
        """One message, or an album of several captions; *edit* is the one to change.

        Returns the first number.
        """
        first = edit or next(self.numbers)
        numbers = range(first, first + len(texts))
        inbounds = [
            self._inbound(n, t, form, photo, bool(edit), album=album or len(texts) > 1, who=who, reply=reply)
            for n, t in zip(numbers, texts, strict=True)
        ]
        await self.testbot.arrive(*inbounds)
        return numbers[0]

    def _inbound(
        self,
        number: int,
        text: str,
        form: Form | None,
        photo: bool,
        edit: bool,
        *,
        album: bool,
        who: Entity,
        reply: str | None,
    ) -> Inbound:
        read = self._vk if self.kind == "vk" else self._telegram
        inbound = read(number, text, form, photo, album, who, self.card if reply is None else reply)
        return replace(
            inbound,
            key=self.testbot.key(),
            kind=InboundKind.EDIT if edit and inbound.kind is InboundKind.MESSAGE else inbound.kind,
        )

    def _telegram(
        self, number: int, text: str, form: Form | None, photo: bool, album: bool, who: Entity, reply: str
    ) -> Inbound:
        reader = TelegramReader("telegram", self.testbot.clock, bot_id=BOT, username="shop_bot")
        body: Entity = {
            "message_id": number,
            "date": int(self.testbot.clock().timestamp()),
            "from": who,
            "chat": {"id": int(DESK_CHAT), "type": "supergroup"},
        }
        if self.thread:
            body |= {"message_thread_id": int(self.thread), "is_topic_message": True}
        if reply and (not self.thread or reply != self.card):
            body["reply_to_message"] = {"message_id": int(reply), "from": {"id": BOT, "is_bot": True}}
        entities: list[Entity] = []
        if form is not None and form.entity and form.telegram in text:
            at = text.index(form.telegram)
            entity = {"type": form.entity, "offset": at, "length": len(form.telegram)}
            entities.append(entity | {"user": PETR} if form.entity == "text_mention" else entity)
        body |= (
            {"caption": text, "caption_entities": entities, "photo": PHOTO}
            if photo or album
            else {"text": text, "entities": entities}
        )
        body |= {"media_group_id": f"g{number // 10}"} if album else {}
        return reader.to_inbound({"update_id": 1, "message": body})

    def _vk(
        self, number: int, text: str, form: Form | None, photo: bool, album: bool, who: Entity, reply: str
    ) -> Inbound:
        reader = VkReader("vk", GROUP, self.testbot.clock, lambda given: False)
        if form is not None and form.vk:
            text = text.replace(form.telegram, form.vk, 1)
        body: Entity = {
            "peer_id": VK_CHAT,
            "from_id": who["id"],
            "conversation_message_id": number,
            "date": 1_700_000_000,
            "text": text,
        }
        if reply:
            body["reply_message"] = {
                "conversation_message_id": int(reply),
                "from_id": -GROUP,
                "peer_id": VK_CHAT,
            }
        if photo or album:
            body["attachments"] = [
                {
                    "type": "photo",
                    "photo": {
                        "id": 1,
                        "owner_id": 2,
                        "sizes": [{"url": "https://a/1.jpg", "width": 9, "height": 9}],
                    },
                }
            ]
        found = reader.read({"type": "message_new", "object": {"message": body}})
        assert found is not None
        return replace(found, sender=replace(found.sender, name=who["first_name"]))

    def at_customer(self) -> list[str]:
        """Everything the customer was shown, edits too."""
        said = self.testbot.channels["telegram"].in_chat("1001", kind=None)
        return [
            s.outbound.text.text for s in said if s.outbound.kind in (OutboundKind.SAY, OutboundKind.EDIT)
        ]

    def shown(self) -> list[Outbound]:
        return [s.outbound for s in self.testbot.channels[self.channel].in_chat(self.chat, kind=None)]


@asynccontextmanager
async def a_desk(kind: str, articles: Path) -> AsyncIterator[Desk]:
    """A taken ticket of Anna's, with two colleagues who have written in the group."""
    place = Peer("vk", str(VK_CHAT)) if kind == "vk" else Peer("telegram", DESK_CHAT)
    async with open_test_bot(articles, desk=OperatorsGroup(forum=kind == "forum", place=place)) as testbot:
        desk = Desk(testbot, kind, numbers=count(20_000, 10))
        await desk.writes("на месте", who=PETR, reply="")
        await testbot.customer().says("позовите оператора")
        desk.thread = (
            (await testbot.service.store.topic(1, "telegram", DESK_CHAT) or "") if kind == "forum" else ""
        )
        cards = [s for s in testbot.channels[desk.channel].in_chat(desk.chat) if s.outbound.name == "card:1"]
        desk.card = cards[-1].message
        await desk.writes("/take")
        yield desk


CASES = [
    (kind, is_edit, media)
    for kind in ("forum", "plain", "vk")
    for is_edit in (False, True)
    for media in ("text", "photo", "album")
    if media != "album"
    or not (kind == "vk" or is_edit)  # VK has one text for all photos; an edit is of one part
]


@pytest.mark.parametrize(("kind", "is_edit", "media"), CASES)
async def test_what_is_meant_for_colleagues_stays_inside(
    kind: str, is_edit: bool, media: str, articles: Path
) -> None:
    """A note, a question, a line: never the customer's; and whoever wrote it sees that it was heard."""
    leaks, silent, n = [], [], 0
    async with a_desk(kind, articles) as desk:
        for form in FORMS:
            for place in form.places:
                n += 1
                mark = f"-{n}."
                text = TEXTS[place].format(form.telegram, mark)
                number = await desk.writes(f"Смотрю {n}", photo=media == "photo") if is_edit else 0
                before = len(desk.shown())
                if media == "album":
                    await desk.writes("Вот так", text, form=form)
                else:
                    await desk.writes(text, form=form, photo=media == "photo", edit=number)
                case = f"{form.name}, {place}: {text!r}"
                if any(mark in said or "Вот так" in said for said in desk.at_customer()):
                    leaks.append(case)
                heard = [o for o in desk.shown()[before:] if o.kind in (OutboundKind.SAY, OutboundKind.REACT)]
                if not heard and "another bot" not in form.name:
                    silent.append(case)
        ticket = await desk.testbot.service.store.ticket(1)

    assert leaks == []
    assert silent == []
    assert ticket is not None and ticket.status == "operator", "nothing of it closed the ticket"


@pytest.mark.parametrize("kind", ["forum", "plain", "vk"])
async def test_plain_words_still_go_at_once(kind: str, articles: Path) -> None:
    """Addresses, links, fractions and dots are no marks, and the customer may be called by their own name."""
    texts = (
        "Здравствуйте, Анна!",
        "Пишите на help@pavel.ru",
        "Смотрите https://a.ru//b и http://t.me/shop",
        "Доступно 24/7, скидка 1/2",
        "... и ещё одно",
        "Подождите.. сейчас",
        "Напишите /status или /start",
        "Анна, всё готово",
        "5. и 6. пункты",
        ".5 кг хватит",
        "Адрес: Мира, 5/2",
    )
    async with a_desk(kind, articles) as desk:
        for text in texts:
            await desk.writes(text)

        assert [t for t in texts if t not in desk.at_customer()] == []


@pytest.mark.parametrize("kind", ["forum", "plain", "vk"])
async def test_replies_to_words_of_the_service_are_asked_about(kind: str, articles: Path) -> None:
    """A ticket's number does not make a post the customer's: alarms and questions are for colleagues."""
    async with a_desk(kind, articles) as desk:
        await desk.writes("//! предложи скидку", who=PETR)
        await desk.writes("@pavel_s не надо так")
        await desk.writes("грубит, @pavel_s")
        notices = [
            s
            for s in desk.testbot.channels[desk.channel].in_chat(desk.chat)
            if s.outbound.ticket == 1 and not s.outbound.name.startswith("card:")
        ]
        assert notices
        for n, notice in enumerate(notices):
            await desk.writes(f"да он скандалист {n}", reply=notice.message)

        assert not any("скандалист" in t for t in desk.at_customer())
        assert sum("Точно отправить?" in o.text.text for o in desk.shown()) >= len(notices)


async def test_a_call_of_the_bot_is_left_out_in_vk_with_styles_too(articles: Path) -> None:
    """[club|@shop] before a note or a command, one word bold: a note, a command, and no markup anywhere."""
    async with a_desk("vk", articles) as desk:
        reader = VkReader("vk", GROUP, desk.testbot.clock, lambda given: False)

        async def says(number: int, text: str) -> None:
            items = [{"type": "bold", "offset": text.index("жирно"), "length": 5}] if "жирно" in text else []
            body = {
                "peer_id": VK_CHAT,
                "from_id": 9001,
                "conversation_message_id": number,
                "date": 1,
                "text": text,
                "format_data": {"items": items},
            }
            found = reader.read(
                {
                    "type": "message_new",
                    "object": {
                        "message": (
                            body
                            | {
                                "reply_message": {
                                    "conversation_message_id": int(desk.card),
                                    "peer_id": VK_CHAT,
                                }
                            }
                        )
                    },
                }
            )
            assert found is not None
            await desk.testbot.arrive(found)

        await says(901, f"[club{GROUP}|@shop], // жирно клиент грубит")
        await says(902, f"[club{GROUP}|@shop] /tag жирно")
        await says(903, f"[club{GROUP}|@shop], жирно ответ")

        store = desk.testbot.service.store
        ticket = await store.ticket(1)
        assert ticket is not None and ticket.state.tags == ("жирно",)
        assert "жирно клиент грубит" in [
            line.text for line in await store.history(ticket.conversation) if line.author == "note"
        ]
        assert desk.at_customer()[-1] == "жирно ответ"
        spans = desk.testbot.channels["telegram"].in_chat("1001")[-1].outbound.text.spans
        assert [(s.style.value, s.offset, s.length) for s in spans] == [("bold", 0, 5)]


async def test_all_captions_of_an_album_go(articles: Path) -> None:
    """The customer reads what stands under each photo, in order."""
    async with a_desk("forum", articles) as desk:
        await desk.writes("", "Вид спереди", "Вид сзади")

        last = desk.testbot.channels["telegram"].in_chat("1001")[-1].outbound
        assert last.text.text == "Вид спереди\nВид сзади" and len(last.attachments) == 3


@pytest.mark.parametrize("kind", ["forum", "plain", "vk"])
async def test_a_reply_to_ones_own_answer_goes_quoting_it(kind: str, articles: Path) -> None:
    """The customer has it: whoever adds to it writes to the customer, as a reply to that very message."""
    async with a_desk(kind, articles) as desk:
        number = await desk.writes("Заказ найден")
        said = desk.testbot.channels["telegram"].in_chat("1001")
        await desk.writes("Привезём завтра", reply=str(number))
        note = await desk.writes("// ему уже звонили")
        await desk.writes("и не дозвонились", reply=str(note))

        now = desk.testbot.channels["telegram"].in_chat("1001")
        assert [s.outbound.text.text for s in now[len(said) :]] == ["Привезём завтра"]
        assert now[-1].outbound.quotes == said[-1].message


async def test_a_caption_that_is_added_later_arrives(articles: Path) -> None:
    """Each caption of an album is a part of what the customer reads: changed, added, or made a note."""
    async with a_desk("forum", articles) as desk:
        first = await desk.writes("Вид спереди", "", "Вид сзади")
        sent = desk.testbot.channels["telegram"].in_chat("1001")[-1]
        await desk.writes("Вид сбоку", edit=first + 1, album=True)
        await desk.writes("Вид сзади, ближе", edit=first + 2, album=True)
        await desk.writes("// не то фото", edit=first + 2, album=True)

        edits = desk.testbot.channels["telegram"].in_chat("1001", kind=OutboundKind.EDIT)
        assert [(e.target, e.outbound.text.text) for e in edits] == [
            (sent.message, "Вид спереди\nВид сбоку\nВид сзади"),
            (sent.message, "Вид спереди\nВид сбоку\nВид сзади, ближе"),
        ]
        assert any("прежнее сообщение" in o.text.text for o in desk.shown())


async def test_a_refusal_is_meant_for_the_writer_alone(testbot: TestBot) -> None:
    """Where a group can show it so; elsewhere it is said as ever."""
    await testbot.customer().says("позовите оператора")
    posts = len(testbot.desk_posts())
    await testbot.operator(id="9007").says("/tkae", ticket=1)

    [told] = testbot.desk_posts(posts)
    assert told.only_for == "9007"
