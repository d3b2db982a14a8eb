"""A scripted day is killed at point k, for every k: each commit, each call of a platform, each confirmation.

python -m tests.chaos.crash_points            (make crash-points)
python -m tests.chaos.crash_points --at 117   one point alone
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.button_tokens import token
from bot.model import Attachment, InboundKind, Media, OutboundKind, Peer, Sender
from bot.observability import set_up_logging
from tests.chaos.invariants import broken
from tests.chaos.planted_bugs import PROCESSES
from tests.chaos.platforms import DESK_CHAT, Platform
from tests.chaos.service_process import ServiceProcess, folder
from tests.chaos.simulation import make_platforms, settle
from tests.chaos.virtual_time import run_timeless

ANNA, BORIS = Sender("1001", "Анна"), Sender("2001", "Борис")
OLGA = Sender("9001", "Ольга")
TO_ANNA, TO_BORIS = Peer("telegram", "1001"), Peer("vk", "2001")


@dataclass(slots=True)
class Day:
    """Both channels, an answer, a clarification, a handoff with photos, an operator's words and edits, a
    timer, a closing.
    """

    telegram: Platform
    vk: Platform

    def hours(self) -> list[tuple[float, Callable[[], object]]]:
        """What happens, each with the seconds to wait afterwards."""
        return [
            (4, lambda: self.telegram.says(TO_ANNA, ANNA, "", InboundKind.START)),
            (6, lambda: self.telegram.says(TO_ANNA, ANNA, "сколько идёт доставка [a1]")),
            (0, lambda: self.vk.says(TO_BORIS, BORIS, "как вернуть товар [b1]")),
            (
                6,
                lambda: self.telegram.says(
                    TO_ANNA,
                    ANNA,
                    "вот фото [a2]",
                    attachments=(Attachment(Media.PHOTO, "photo-1", "telegram"),),
                ),
            ),
            (0.3, lambda: self.telegram.says(TO_ANNA, ANNA, "позовите [a3]")),
            (8, lambda: self.telegram.says(TO_ANNA, ANNA, "оператора [a4]")),
            (8, lambda: self.vk.says(TO_BORIS, BORIS, "хочу поговорить с человеком [b2]")),
            (4, lambda: self._press("Взять")),
            (0.2, lambda: self._operator("Здравствуйте! [o1]", 0, message="501")),
            (4, lambda: self._operator("Сейчас посмотрю [o2]", 0, message="502")),
            (4, lambda: self._operator("Сейчас проверю [o3]", 0, message="502", kind=InboundKind.EDIT)),
            (
                0,
                lambda: self.vk.says(
                    TO_BORIS, BORIS, "вот чек [b3]", attachments=(Attachment(Media.DOCUMENT, "doc-1", "vk"),)
                ),
            ),
            (
                5,
                lambda: self._operator(
                    "Вижу [o4]", 1, attachments=(Attachment(Media.PHOTO, "photo-2", "telegram"),)
                ),
            ),
            (5, lambda: self.telegram.says(TO_ANNA, ANNA, "жду [a5]")),
            (3, lambda: self._delete_topic(1)),
            (8, lambda: self.vk.says(TO_BORIS, BORIS, "ау [b4]")),
            (5, lambda: self._operator("/close", 0)),
            (5, lambda: self.vk.says(TO_BORIS, Sender("77", "Админ"), "сама [b5]", InboundKind.STEPPED_IN)),
            (4000, lambda: self.telegram.says(TO_ANNA, ANNA, "сколько стоит доставка [a6]")),
            (5, lambda: self.vk.says(TO_BORIS, BORIS, "спасибо [b6]")),
        ]

    def _topic(self, number: int) -> str:
        opened = [c.message for c in self.telegram.calls if c.outbound.kind is OutboundKind.OPEN_TOPIC]
        return opened[min(number, len(opened) - 1)] if opened else ""

    def _operator(
        self, text: str, topic: int, *, kind: InboundKind = InboundKind.MESSAGE, **more: object
    ) -> None:
        if thread := self._topic(topic):
            self.telegram.says(Peer("telegram", DESK_CHAT, thread), OLGA, text, kind, private=False, **more)

    def _press(self, label: str) -> None:
        for call in self.telegram.calls:
            for r, row in enumerate(call.outbound.buttons):
                for c, button in enumerate(row):
                    if label in button.label and call.outbound.to.chat == DESK_CHAT:
                        pressed = token(call.nonce, r, c)
                        self.telegram.says(
                            call.outbound.to,
                            OLGA,
                            "",
                            InboundKind.PRESS,
                            private=False,
                            press=pressed,
                            callback="cb",
                            message=call.message,
                        )
                        return

    def _delete_topic(self, number: int) -> None:
        if thread := self._topic(number):
            self.telegram.deleted.add(thread)


def run_day(kill_at: int, *, planted: str = "") -> tuple[list[str], list[str]]:
    """The day with a death at point *kill_at* (0 = none); returns the broken laws and the points that were
    passed.
    """
    random.seed(7)
    with folder() as place:
        return run_timeless(_day(place, kill_at, PROCESSES[planted]))


async def _day(place: Path, kill_at: int, make: type[ServiceProcess]) -> tuple[list[str], list[str]]:
    platforms = make_platforms(random.Random(7))
    process = make(place, platforms, random.Random(7))
    day = Day(*platforms)
    await process.start(kill_at=kill_at)
    points = process.fuse.points
    for seconds, deed in day.hours():
        deed()
        await _pass(process, seconds)
    await settle(process)
    await process.end()
    if process.fuse.dead:
        await process.start()
        await settle(process)
        await process.end()
    return broken(process.file, platforms), points


async def _pass(process: ServiceProcess, seconds: float) -> None:
    """The death comes whenever it comes; the next life begins two seconds later."""
    sleeping = asyncio.create_task(asyncio.sleep(seconds))
    dying = asyncio.create_task(process.fuse.blown.wait())
    await asyncio.wait({sleeping, dying}, return_when=asyncio.FIRST_COMPLETED)
    for task in (sleeping, dying):
        task.cancel()
    if process.fuse.dead:
        await process.bury()
        await asyncio.sleep(2)
        await process.start()
        await asyncio.sleep(seconds)


def main() -> int:
    given = argparse.ArgumentParser(description="A day killed at every point")
    given.add_argument("--at", type=int, default=0, help="only this point")
    given.add_argument("--step", type=int, default=1, help="every so many points")
    given.add_argument("--planted", default="", choices=sorted(PROCESSES), help="a bug planted on purpose")
    wanted = given.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.chaos.crash_points", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    set_up_logging(level="critical")
    began = time.perf_counter()
    calm, points = run_day(0, planted=wanted.planted)
    print(
        f"the day has {len(points)} points: "
        + ", ".join(f"{n} × {what}" for what, n in Counter(points).most_common())
    )
    print(*calm, sep="\n") if calm else None
    failed = int(bool(calm))
    for k in [wanted.at] if wanted.at else range(1, len(points) + 1, wanted.step):
        laws, _ = run_day(k, planted=wanted.planted)
        if k % 50 == 0:
            print(f"up to point {k}, {failed + bool(laws)} broke a law", file=sys.stderr, flush=True)
        if laws:
            failed += 1
            print(
                f"\ndeath at point {k} ({points[k - 1]}): python -m tests.chaos.crash_points --at {k}",
                *laws[:5],
                sep="\n  ",
            )
    print(f"{failed} of the deaths broke a law, {time.perf_counter() - began:.0f} s")
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())
