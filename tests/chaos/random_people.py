"""Customers and operators who do what comes into their heads, all from one seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from bot.button_tokens import token
from bot.model import Attachment, Inbound, InboundKind, Media, OutboundKind, Peer, Sender
from tests.chaos.platforms import DESK_CHAT, Call, Platform

QUESTIONS = (
    "сколько идёт доставка",
    "сколько стоит доставка?",
    "как вернуть товар",
    "можно ли оплатить картой",
    "доставка",
    "спасибо",
    "привет",
)
PUZZLES = (
    "абвгд еёжз",
    "где мой заказ 48213",
    "какая завтра погода",
    "🙂",
    "у меня всё сломалось и ничего не работает",
)
PLEAS = ("позовите оператора", "хочу поговорить с человеком", "оператор!")


@dataclass(slots=True)
class Crowd:
    """Everybody outside.

    Each message carries a mark of its own, such as [m17], so that it can be found again.
    """

    platforms: dict[str, Platform]
    dice: random.Random
    marks: int = 0

    def mark(self) -> str:
        self.marks += 1
        return f"[m{self.marks}]"

    def acts(self) -> None:
        """Somebody does something."""
        deeds: list[tuple[float, Callable[[], None]]] = [
            (6, lambda: self._customer_says(QUESTIONS)),
            (2, lambda: self._customer_says(PUZZLES)),
            (3, lambda: self._customer_says(PLEAS)),
            (1, self._customer_starts),
            (1, self._photo),
            (1, self._edit),
            (3, self._press),
            (0.3, self._block),
            (5, self._operator_says),
            (2, self._operator_commands),
            (3, self._operator_presses),
            (0.5, self._topic_is_deleted),
            (0.5, self._steps_in),
        ]
        self.dice.choices([d for _, d in deeds], [w for w, _ in deeds])[0]()

    # --- customers

    def _customer(self) -> tuple[Platform, Peer, Sender]:
        platform = self.platforms[self.dice.choice(("telegram", "telegram", "vk"))]
        number = self.dice.randrange(4)
        chat = f"{1001 + number}" if platform.name == "telegram" else f"{2001 + number}"
        return platform, Peer(platform.name, chat), Sender(chat, ("Анна", "Борис", "Вера", "Глеб")[number])

    def _customer_says(self, words: tuple[str, ...]) -> None:
        platform, peer, sender = self._customer()
        platform.blocked.discard(peer.chat)
        for _ in range(self.dice.choice((1, 1, 1, 2, 3))):
            platform.says(peer, sender, f"{self.dice.choice(words)} {self.mark()}")

    def _customer_starts(self) -> None:
        platform, peer, sender = self._customer()
        platform.says(peer, sender, "", InboundKind.START)

    def _photo(self) -> None:
        platform, peer, sender = self._customer()
        ref = f"{'big' if self.dice.random() < 0.3 else 'photo'}-{self.marks}"
        platform.says(peer, sender, self.mark(), attachments=(Attachment(Media.PHOTO, ref, platform.name),))

    def _edit(self) -> None:
        platform, peer, sender = self._customer()
        mine = [
            u.inbound
            for u in platform.updates
            if u.inbound.peer == peer and u.inbound.kind is InboundKind.MESSAGE
        ]
        if mine:
            platform.says(
                peer,
                sender,
                f"{self.dice.choice(QUESTIONS)} {self.mark()}",
                InboundKind.EDIT,
                message=mine[-1].message,
            )

    def _press(self) -> None:
        platform, peer, sender = self._customer()
        self._press_one(
            platform,
            [c for c in platform.calls if c.outbound.to.chat == peer.chat],
            peer,
            sender,
            private=True,
        )

    def _block(self) -> None:
        platform, peer, sender = self._customer()
        blocked = peer.chat in platform.blocked
        (platform.blocked.discard if blocked else platform.blocked.add)(peer.chat)
        platform.says(peer, sender, "", InboundKind.UNBLOCKED if blocked else InboundKind.BLOCKED)

    def _steps_in(self) -> None:
        platform, peer, _ = self._customer()
        if platform.name == "vk":
            platform.says(
                peer, Sender("77", "Администратор"), f"отвечу сама {self.mark()}", InboundKind.STEPPED_IN
            )

    # --- operators

    def _operator(self) -> Sender:
        return self.dice.choice((Sender("9001", "Ольга"), Sender("9002", "Павел")))

    def _topics(self) -> list[str]:
        telegram = self.platforms["telegram"]
        return [
            c.message
            for c in telegram.calls
            if c.outbound.kind is OutboundKind.OPEN_TOPIC and c.message not in telegram.deleted
        ]

    def _operator_says(self, text: str = "") -> None:
        if topics := self._topics():
            peer = Peer("telegram", DESK_CHAT, self.dice.choice(topics[-4:]))
            self._in_desk(
                peer,
                text or f"{self.dice.choice(('Смотрю', 'Минуту', 'Готово', '// между нами'))} {self.mark()}",
            )

    def _operator_commands(self) -> None:
        self._operator_says(self.dice.choice(("/take", "/close", "/note ничего", "/hlep", "/help")))

    def _operator_presses(self) -> None:
        telegram = self.platforms["telegram"]
        calls = [
            c
            for c in telegram.calls
            if c.outbound.to.chat == DESK_CHAT and c.outbound.to.thread not in telegram.deleted
        ]
        self._press_one(telegram, calls, None, self._operator(), private=False)

    def _topic_is_deleted(self) -> None:
        if topics := self._topics():
            self.platforms["telegram"].deleted.add(self.dice.choice(topics))

    def _in_desk(self, peer: Peer, text: str) -> Inbound:
        return self.platforms["telegram"].says(peer, self._operator(), text, private=False)

    def _press_one(
        self, platform: Platform, calls: list[Call], peer: Peer | None, sender: Sender, *, private: bool
    ) -> None:
        shown = [c for c in calls if c.outbound.buttons and c.message][-3:]
        if not shown:
            return
        call = self.dice.choice(shown)
        row = self.dice.randrange(len(call.outbound.buttons))
        column = self.dice.randrange(len(call.outbound.buttons[row]))
        pressed = token(call.nonce, row, column)
        platform.says(
            peer or call.outbound.to,
            sender,
            "",
            InboundKind.PRESS,
            private=private,
            press=pressed,
            callback=f"c{len(platform.updates)}",
            message=call.message,
        )
