"""Where the checks of the desk are played: customers on both platforms, operators in a group of one kind,
tickets in their hands.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from world import Sim, World, until

KINDS = ("forum", "plain", "vk")
TICKET = re.compile(r"№\s*(\d+)")


@dataclass(frozen=True)
class Post:
    """A message as it stands in a chat now. `before`: what it said before its edits."""

    id: int
    text: str
    by_bot: bool
    thread: int = 0
    buttons: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    media: bool = False
    reactions: tuple[str, ...] = ()
    pinned: bool = False
    quotes: int = 0


@dataclass
class Chat:
    """One chat of one account, on either platform."""

    sim: Sim
    vk: bool
    account: str  # token of the bot, or number of the community
    chat: int

    def posts(self, *, after: int = 0, thread: int | None = None) -> list[Post]:
        if self.vk:
            told = self.sim.messages(group=self.account, peer_id=self.chat, after_cmid=after)["messages"]
            return [_vk_post(m) for m in told if not m.get("action")]
        where = {"chat_id": self.chat} | ({"thread_id": thread} if thread else {})
        return [
            _tg_post(m)
            for m in self.sim.messages(bot=self.account, after_id=after, **where)["messages"]
            if "text" in m or "caption" in m or _media(m)
        ]

    def last(self) -> int:
        return max((p.id for p in self.posts()), default=0)

    def cards(self, ticket: Ticket) -> list[Post]:
        return [
            p for p in self.posts() if p.by_bot and f"№{ticket.number} · " in p.text and "Почему" in p.text
        ]

    def send(self, user: int, text: str = "", *, thread: int = 0, reply: int = 0, **more: Any) -> int:
        said = {"text": text} if text else {}
        if self.vk:
            where = {"peer_id": self.chat} | ({"reply_to_cmid": reply} if reply else {})
            return int(
                self.sim.send(group=self.account, user_id=user, **{"text": "", **said}, **where, **more)[
                    "cmid"
                ]
            )
        where = (
            ({"chat_id": self.chat} if self.chat < 0 else {})
            | ({"thread_id": thread} if thread else {})
            | ({"reply_to": reply} if reply else {})
        )
        return int(self.sim.send(bot=self.account, user_id=user, **said, **where, **more)["message_id"])

    def edit(self, user: int, id: int, text: str) -> None:
        where = (
            {"peer_id": self.chat, "cmid": id, "group": self.account}
            if self.vk
            else {"message_id": id, "bot": self.account}
        )
        if not self.vk and self.chat < 0:
            where["chat_id"] = self.chat
        self.sim.edit(user_id=user, text=text, **where)

    def click(self, user: int, id: int, label: str, *, wait: float = 20) -> str:
        """Press a button; the words that came back beside it."""
        if self.vk:
            answer = (
                self.sim.click(
                    group=self.account, user_id=user, peer_id=self.chat, cmid=id, text=label, wait=wait
                ).get("answer")
                or {}
            )
            return str((answer.get("data") or {}).get("text", ""))
        where = {"chat_id": self.chat} if self.chat < 0 else {}
        answer = (
            self.sim.click(bot=self.account, user_id=user, message_id=id, text=label, wait=wait, **where).get(
                "answer"
            )
            or {}
        )
        return str(answer.get("text") or "")


def _media(m: dict[str, Any]) -> bool:
    return any(kind in m for kind in ("photo", "document", "voice", "video"))


def _tg_post(m: dict[str, Any]) -> Post:
    rows = (m.get("reply_markup") or {}).get("inline_keyboard", [])
    sim = m["_sim"]
    return Post(
        m["message_id"],
        m.get("text") or m.get("caption") or "",
        sim["kind"] == "bot",
        m.get("message_thread_id", 0) if m.get("is_topic_message") else 0,
        tuple(b["text"] for row in rows for b in row),
        tuple(str(e["old"].get("text") or e["old"].get("caption") or "") for e in sim["edits"]),
        _media(m),
        tuple(r.get("emoji", "") for rs in sim["reactions"].values() for r in rs),
        sim["pinned"],
        (m.get("reply_to_message") or {}).get("message_id", 0),
    )


def _vk_post(m: dict[str, Any]) -> Post:
    keyboard = m.get("keyboard") or {}
    labels = tuple(b["action"].get("label", "") for row in keyboard.get("buttons", []) for b in row)
    sim = m["_sim"]
    reactions = (
        tuple(str(r) for r in (sim["reactions"] or {}).values()) if isinstance(sim["reactions"], dict) else ()
    )
    return Post(
        m["conversation_message_id"],
        m["text"],
        m["from_id"] < 0,
        0,
        labels,
        tuple(str(e["old"]) for e in sim["edits"]),
        bool(m.get("attachments")),
        reactions,
        quotes=(m.get("reply_message") or {}).get("conversation_message_id", 0),
    )


@dataclass
class Customer:
    """Somebody who writes to the bot."""

    chat: Chat
    user: int
    name: str
    mark: int = 0  # the last message before the latest words

    def say(self, text: str = "", **more: Any) -> int:
        self.mark = self.chat.last()
        return self.chat.send(self.user, text, **more)

    def heard(self, *, since: int = -1) -> list[Post]:
        """What the bot said since the latest words, or since *since*."""
        return [p for p in self.chat.posts(after=self.mark if since < 0 else since) if p.by_bot]

    def hears(self, pattern: str, timeout: float = 20, *, since: int = -1) -> Post:
        def found() -> Post | None:
            return next((p for p in self.heard(since=since) if re.search(pattern, p.text, re.I | re.S)), None)

        return until(
            found,
            lambda: (
                f"{self.name} should hear {pattern!r}, heard"
                f" {[p.text[:150] for p in self.heard(since=since)]}"
            ),
            timeout,
        )

    def times(self, pattern: str) -> int:
        """How often the whole chat has heard this."""
        return sum(
            bool(re.search(pattern, text, re.I | re.S))
            for p in self.chat.posts()
            if p.by_bot
            for text in {p.text, *p.before}
        )

    def press(self, label: str) -> str:
        """The newest button of that name."""
        found = until(
            lambda: [p for p in self.heard(since=0) if label in p.buttons],
            f"{self.name} should have the button {label!r}",
        )
        self.mark = self.chat.last()
        return self.chat.click(self.user, found[-1].id, label)

    def asks_for_a_person(
        self, words: str = "позовите оператора, заказ 48213 не пришёл", timeout: float = 20
    ) -> Ticket:
        """The ticket the bot names."""
        self.say(words)
        return Ticket(int(TICKET.search(self.hears(r"№\s*\d+", timeout).text)[1]), self)  # type: ignore[index]


@dataclass
class Ticket:
    """A ticket as the desk shows it."""

    number: int
    customer: Customer
    card: int = 0
    thread: int = 0


@dataclass
class Station:
    """One group of operators with customers on both platforms of its own."""

    world: World
    number: int
    kind: str
    desk: Chat = field(init=False)
    operators: list[int] = field(default_factory=list)
    mark: int = 0  # the group's last message when the scene began

    def __post_init__(self) -> None:
        n, world = self.number, self.world
        self.tg_token, self.vk_group = f"{100000001 + n}:SIM", 200001 + n
        world.telegram(f"tg{n}", self.tg_token)
        world.community(f"vk{n}", self.vk_group, f"vk1.a.SIM{n}")
        self.operators = [900_000 + 10 * n + i for i in range(5)]
        for id, name in zip(self.operators, self.names, strict=True):
            world.vk.users(id=id, first_name=name, last_name="")
            world.tg.users(id=id, first_name=name, username=f"op{id}")
        if self.kind == "vk":
            chat = world.vk.chats(
                group=self.vk_group, title="Поддержка", members=self.operators, admins=self.operators[:1]
            )["peer_id"]
            self.desk = Chat(world.vk, True, str(self.vk_group), chat)
        else:
            self.desk = Chat(world.tg, False, self.tg_token, self.group(self.kind == "forum"))
        world.teams.append(
            {
                "name": f"s{n}",
                "desk": {"channel": self.channel, "chat": str(self.desk.chat)},
                "channels": [f"tg{n}", f"vk{n}"],
            }
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The fourth is the supervisor, the fifth is nobody special."""
        return tuple(f"{name}{self.number}" for name in ("Ольга", "Пётр", "Марина", "Старшая", "Игорь"))

    @property
    def channel(self) -> str:
        """Of the operators."""
        return f"{'vk' if self.kind == 'vk' else 'tg'}{self.number}"

    @property
    def supervisor(self) -> int:
        return self.operators[3]

    def id(self, operator: int) -> str:
        return f"{self.channel}:{operator}"

    def group(self, forum: bool) -> int:
        """A group of this station's bot."""
        made = self.world.tg.chats(
            title="Поддержка",
            type="supergroup",
            is_forum=forum,
            owner=self.operators[0],
            members=self.operators[1:],
            bots=[{"bot": self.tg_token}],
            announce=False,
        )
        return int(made["id"])

    # --- people

    def customer(self, platform: str, name: str, **more: Any) -> Customer:
        user = self.world.new_person()
        sim = self.world.vk if platform == "vk" else self.world.tg
        sim.users(id=user, first_name=name, **more)
        chat = Chat(sim, platform == "vk", str(self.vk_group) if platform == "vk" else self.tg_token, user)
        if platform != "vk":
            sim.start(bot=self.tg_token, user_id=user)
            until(lambda: chat.last() > 1, "the greeting")
        return Customer(chat, user, name)

    def opened(self, customer: Customer, words: str = "позовите оператора, заказ 48213 не пришёл") -> Ticket:
        """The customer asks for a person; the ticket with its card in the desk."""
        self.mark = self.desk.last()
        ticket = customer.asks_for_a_person(words)
        self.find_card(ticket)
        return ticket

    def find_card(self, ticket: Ticket, timeout: float = 60) -> None:
        """Where the newest card of the ticket stands in this group."""

        def there() -> str:
            return (
                f"the card of №{ticket.number}, there is"
                f" {[p.text[:60] for p in self.desk.posts(after=self.mark)]}"
            )

        cards = until(lambda: self.desk.cards(ticket), there, timeout)
        ticket.card, ticket.thread = cards[-1].id, cards[-1].thread
        if self.kind == "forum":
            assert ticket.thread, "the card of a forum stands in a topic"

    # --- in the desk

    def write(self, operator: int, ticket: Ticket, text: str = "", **more: Any) -> int:
        """Where an operator writes about a ticket: in its topic, or as a reply to its card."""
        self.mark = self.desk.last()
        return self.desk.send(
            operator, text, thread=ticket.thread, reply=0 if ticket.thread else ticket.card, **more
        )

    def press(self, operator: int, ticket: Ticket, label: str) -> str:
        """The newest button of that name that belongs to the ticket."""

        def found() -> list[Post]:
            posts = [
                p
                for p in self.desk.posts(thread=ticket.thread or None)
                if p.by_bot and p.id >= ticket.card and label in p.buttons
            ]
            return [p for p in posts if p.id == ticket.card] or posts

        def there() -> str:
            return (
                f"a button {label!r} at №{ticket.number}, there is"
                f" {[p.buttons for p in self.desk.posts() if p.buttons][-3:]}"
            )

        self.mark = self.desk.last()
        return self.desk.click(operator, until(found, there)[-1].id, label)

    def sees(
        self, pattern: str, ticket: Ticket | None = None, timeout: float = 40, *, since: int = -1
    ) -> Post:
        """The bot's words in the group since the latest of an operator, in the ticket's topic where one is
        given.
        """
        thread = (ticket.thread or None) if ticket else None

        def posts() -> list[Post]:
            return [
                p for p in self.desk.posts(after=self.mark if since < 0 else since, thread=thread) if p.by_bot
            ]

        def found() -> Post | None:
            return next((p for p in posts() if re.search(pattern, p.text, re.I | re.S)), None)

        return until(
            found,
            lambda: f"the desk should show {pattern!r}, it shows {[p.text[:150] for p in posts()]}",
            timeout,
        )

    def card(self, ticket: Ticket) -> Post:
        return next(p for p in self.desk.posts() if p.id == ticket.card)

    def card_says(self, ticket: Ticket, pattern: str, timeout: float = 75) -> Post:
        """The card, once it has been edited so (views wait while a group's budget is short)."""

        def found() -> Post | None:
            card = self.card(ticket)
            return card if re.search(pattern, card.text, re.I | re.S) else None

        return until(found, lambda: f"card {pattern!r}: {self.card(ticket).text[:400]}", timeout)

    def take(self, ticket: Ticket, operator: int | None = None) -> int:
        """Somebody takes the ticket with the button."""
        taker = operator or self.operators[0]
        self.press(taker, ticket, "Взять")
        ticket.customer.hears("вами|сейчас ответит")
        return taker

    def finish(self, ticket: Ticket) -> None:
        """Whoever is there closes it, so that it is in nobody's way."""
        self.write(self.supervisor, ticket, "/close")
        ticket.customer.hears("закрыто|Отменил", since=0)


def quiet(seconds: float) -> None:
    """Time in which something must not happen."""
    time.sleep(seconds)
