"""Ready-made scenes: small scripts that are played at a person's pace, through the same entry point as
everything else.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Literal

from bot.adapters.playground.typed_message import TypedMessage
from bot.errors import BotError, ConfigError, Problem
from bot.model import InboundKind, Json, Sender
from bot.text.problems import problem
from bot.text.yaml_source import YamlError, read_own
from bot.web.playground.customers import PlaygroundCustomers
from bot.web.playground.samples import photo, silence
from bot.web.services import PlaygroundChannel, WebServices

FOLDER = Path(__file__).parent / "scenes"
PATIENCE = 20.0  # seconds a scene waits for words that it expects
QUIET = 0.5  # seconds without a further message after which an answer is complete
_STEP_KEYS = {"by", "says", "presses", "sends", "hears", "clock", "pause", "optional", "breaks", "mends"}


class SceneFailed(BotError):
    """What the script expected did not come."""


@dataclass(frozen=True, slots=True)
class SceneStep:
    """One line of a script: *by* says, presses (any of the labels) or sends; or *hears* waits; or the clock
    is moved; or the channel of a customer breaks down and is mended.
    """

    by: str = ""
    says: str = ""
    presses: tuple[str, ...] = ()
    sends: Literal["", "photo", "voice", "start"] = ""
    hears: str = ""
    clock: str = ""
    pause: float = 0.0
    optional: bool = False
    breaks: str = ""
    mends: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A script: who plays (name in the script -> channel and person), and the steps.

    `title` and `about` by language.
    """

    id: str
    title: Mapping[str, str]
    about: Mapping[str, str]
    who: Mapping[str, Mapping[str, str]]
    steps: tuple[SceneStep, ...]
    order: int = 0


def read_scenes(folder: Path = FOLDER) -> dict[str, Scene]:
    """The scripts of a folder by id, in the order of the page.

    Raises `ConfigError` naming every broken one.
    """
    scenes: list[Scene] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            scenes.append(_read_scene(path))
        except (YamlError, KeyError, TypeError, ValueError, AttributeError) as error:
            problems.append(problem("stories.scene", str(path), code="WEB010", reason=error))
    if problems:
        raise ConfigError(problems)
    return {s.id: s for s in sorted(scenes, key=lambda s: s.order)}


def _read_scene(path: Path) -> Scene:
    raw = read_own(path)
    steps = []
    for given in raw["steps"]:
        if unknown := set(given) - _STEP_KEYS:
            raise ValueError(f"unknown keys {sorted(unknown)}")
        labels = given.get("presses", ())
        told = {
            "presses": (labels,) if isinstance(labels, str) else tuple(labels),
            "pause": float(given.get("pause", 0)),
            "optional": given.get("optional") == "true",
        }
        steps.append(SceneStep(**{**given, **told}))
    names = set(raw["who"]) | {"operator", ""}
    if strangers := {
        n for s in steps for n in (s.by, s.hears, s.breaks, s.mends) if n.split("/")[0] not in names
    }:
        raise ValueError(f"nobody is called {sorted(strangers)}")
    return Scene(path.stem, raw["title"], raw["about"], raw["who"], tuple(steps), int(raw.get("order", 0)))


class ScenePlayer:
    """Plays one scene at a time. *speed* 1 is a person's pace; a new scene ends the one that is playing."""

    def __init__(
        self,
        services: WebServices,
        customers: PlaygroundCustomers,
        move_clock: Callable[[str], Awaitable[object]],
    ) -> None:
        self._services, self._customers, self._move_clock = services, customers, move_clock
        self._messengers = services.messengers
        self._heard: dict[tuple[str, str], int] = {}
        self._marks: dict[tuple[str, str], int] = {}
        self._changed = asyncio.Event()
        for messenger in self._messengers:
            messenger.watch(self._listen)

    async def play(self, scene: Scene, *, speed: float = 1.0) -> None:
        """Play to the end. Raises `SceneFailed` where the script and the bot do not agree."""
        if not scene.steps[0].clock:
            await self._move_clock("open")
        people: dict[str, tuple[PlaygroundChannel, Sender]] = {}
        for role, person in scene.who.items():
            messenger = self._messenger(person["channel"])
            fields = {k: v for k, v in person.items() if k != "channel"}
            people[role] = messenger, await self._customers.invite(messenger, **fields)
            self._tell("customer", {"channel": messenger.name, "chat": people[role][1].id})
        self._marks = dict(self._heard)
        try:
            await self._act_all(scene, people, speed)
        finally:
            for messenger in {s.name: s for s, _ in people.values() if s.down}.values():
                messenger.switch(down=False)

    async def _act_all(
        self, scene: Scene, people: Mapping[str, tuple[PlaygroundChannel, Sender]], speed: float
    ) -> None:
        for number, step in enumerate(scene.steps):
            self._tell(
                "scene", {"id": scene.id, "state": "playing", "step": number + 1, "of": len(scene.steps)}
            )
            try:
                await self._act(step, people, speed)
            except BotError as error:
                if not step.optional:
                    raise SceneFailed(f"{scene.id}: {number + 1}: {error}") from error

    async def _act(
        self, step: SceneStep, people: Mapping[str, tuple[PlaygroundChannel, Sender]], speed: float
    ) -> None:
        if step.clock:
            await self._move_clock(step.clock)
        await asyncio.sleep(step.pause / speed)
        if step.hears:
            await self._hear(*self._ears(step.hears, people), speed)
        for role, down in ((step.breaks, True), (step.mends, False)):
            if role:
                self._actor(role, people)[0].switch(down=down)
        if not step.by:
            return
        messenger, person = self._actor(step.by, people)
        chat, thread = (messenger.group, messenger.newest_thread()) if messenger.group else (person.id, "")
        if step.says:
            pause = min(2.2, 0.5 + 0.04 * len(step.says)) / speed
            self._tell(
                "draft",
                {
                    "channel": messenger.name,
                    "chat": chat,
                    "thread": thread,
                    "text": step.says,
                    "seconds": pause,
                },
            )
            await asyncio.sleep(pause)
            self._marks = dict(self._heard)
            await messenger.say(
                chat, person.id, TypedMessage(step.says), key=str(uuid.uuid4()), thread=thread
            )
        if step.sends:
            self._marks = dict(self._heard)
            await self._send(step.sends, messenger, chat, person, thread)
        if step.presses:
            await asyncio.sleep(0.9 / speed)
            await self._press(step.presses, messenger, chat, person, thread)

    async def _press(
        self, labels: tuple[str, ...], messenger: PlaygroundChannel, chat: str, person: Sender, thread: str
    ) -> None:
        for label in labels:
            found = messenger.find_button(label, chat, thread if messenger.group else None)
            if found is not None:
                self._marks = dict(self._heard)
                await messenger.press(chat, person.id, found[0], found[1], key=str(uuid.uuid4()))
                return
        raise SceneFailed(f"there is no button {' / '.join(labels)}")

    async def _send(
        self, what: str, messenger: PlaygroundChannel, chat: str, person: Sender, thread: str
    ) -> None:
        if what == "start":
            await messenger.happen(chat, person.id, InboundKind.START, key=str(uuid.uuid4()), thread=thread)
            return
        name, mime, content = demo_file(what)
        attachment = messenger.uploads.keep(name, mime, content, voice=what == "voice")
        sent = TypedMessage("", attachments=(attachment,))
        await messenger.say(chat, person.id, sent, key=str(uuid.uuid4()), thread=thread)

    async def _hear(self, messenger: PlaygroundChannel, chat: str, speed: float) -> None:
        place, end = (messenger.name, chat), asyncio.get_running_loop().time() + PATIENCE
        while self._heard.get(place, 0) <= self._marks.get(place, 0):
            self._changed.clear()
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                raise SceneFailed(f"nothing was heard in {messenger.name}")
            try:
                await asyncio.wait_for(self._changed.wait(), left)
            except TimeoutError:
                continue
        count = -1
        while count != self._heard[place]:
            count = self._heard[place]
            await asyncio.sleep(QUIET / min(speed, 4))

    def _listen(self, kind: str, what: Json) -> None:
        message = what.get("message")
        if kind == "message" and isinstance(message, dict) and not message["press"] and message["row"]:
            place = str(what["channel"]), str(what["chat"])
            self._heard[place] = max(self._heard.get(place, 0), int(message["row"]))
            self._changed.set()

    def _ears(
        self, name: str, people: Mapping[str, tuple[PlaygroundChannel, Sender]]
    ) -> tuple[PlaygroundChannel, str]:
        messenger, person = self._actor(name, people)
        return messenger, messenger.group or person.id

    def _actor(
        self, name: str, people: Mapping[str, tuple[PlaygroundChannel, Sender]]
    ) -> tuple[PlaygroundChannel, Sender]:
        """Somebody of the script; `operator` is the first of the desk's people, `operator/2` the second."""
        if name in people:
            return people[name]
        if self._customers.desk is None:
            raise SceneFailed("there is no desk")
        number = int(name.partition("/")[2] or 1)
        return self._customers.desk, list(self._customers.desk.people.values())[number - 1]

    def _messenger(self, kind: str) -> PlaygroundChannel:
        return next(s for s in self._messengers if s.name.endswith(kind))

    def _tell(self, kind: str, what: Json) -> None:
        self._services.hub.tell(kind, what)


def next_moment(now: datetime, wanted: str) -> datetime:
    """The next moment with this time of day, `HH:MM`, in the time zone of *now*; `sun HH:MM` also waits for
    that weekday.

    Raises `ValueError` for anything else.
    """
    day, _, clock = wanted.strip().rpartition(" ")
    hours, minutes = (int(part) for part in clock.split(":"))
    moment = datetime.combine(now.date(), time(hours, minutes), now.tzinfo)
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    while moment < now or (day and moment.weekday() != days.index(day)):
        moment += timedelta(days=1)
    return moment


def demo_file(what: str) -> tuple[str, str, bytes]:
    """A small real file for a scene: a photo (PNG) or a second of silence (WAV)."""
    return ("photo.png", "image/png", photo()) if what == "photo" else ("voice.wav", "audio/wav", silence())
