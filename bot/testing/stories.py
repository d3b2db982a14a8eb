"""Dialog stories: what somebody says and presses and must hear, kept as YAML (the playground saves them) and
played in a testbot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.app import Overrides
from bot.config.loader import Config
from bot.errors import ConfigError, Problem
from bot.i18n.texts import Texts
from bot.knowledge.search import Knowledge
from bot.model import OutboundKind, Sender
from bot.testing.fakes import SentMessage
from bot.testing.harness import NOON, PlayedCustomer, PlayedOperator, TestBot, open_test_bot
from bot.testing.stubbed_connector import StubbedConnector, StubbedReply
from bot.text.problems import problem, told
from bot.text.yaml_source import YamlError, YamlNode, read_yaml, read_yaml_file

QUOTE = 80  # characters of an answer that a story expects, as the playground cuts it
DOINGS = (
    "says",
    "presses",
    "hears",
    "hears_not",
    "operator_says",
    "operator_presses",
    "operator_hears",
    "clock",
)
_LATER = re.compile(r"\+(\d+)\s*(m|h|d)")


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One line of a story; `line` is its line in the file."""

    doing: str
    text: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class DialogStory:
    """A conversation of one customer at one channel. `clock` None is a Friday noon."""

    name: str
    channel: str = "telegram"
    customer: Mapping[str, str] = field(default_factory=dict)
    clock: datetime | None = None
    steps: tuple[StoryStep, ...] = ()
    file: str = ""
    line: int = 0
    connector: Mapping[str, StubbedReply] = field(default_factory=dict)  # what answers the calls of flows


@dataclass(frozen=True, slots=True)
class PlayedStep:
    """A step that was played: whether it went as told, and what was heard instead."""

    step: StoryStep
    right: bool
    got: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlayedStory:
    """A story that was played to its end, or to the step that could not be done."""

    story: DialogStory
    played: tuple[PlayedStep, ...]

    @property
    def right(self) -> bool:
        return all(p.right for p in self.played)


def read_stories(path: Path) -> tuple[DialogStory, ...]:
    """The stories of a file. Raises ConfigError with every fault and its line."""
    file = path.as_posix()
    try:
        root = read_yaml_file(path)
    except YamlError as error:
        raise ConfigError([error.problem(file)]) from None
    if root is None or root.value is None:
        return ()
    problems: list[Problem] = []
    stories = [_story(node, file, problems) for node in (root.items if root.kind == "list" else [root])]
    if problems:
        raise ConfigError(problems)
    return tuple(stories)


def _story(node: YamlNode, file: str, problems: list[Problem]) -> DialogStory:
    line, row, given = node.line, node.value, node.get("steps")
    if given is None or given.kind != "list":
        problems.append(problem("stories.no_steps", file, line, 1))
        return DialogStory("")
    steps: list[StoryStep] = []
    for step in given.items:
        here = step.line
        doing, (_, text) = next(iter(step.pairs.items()), ("", (step, step)))
        if len(step.pairs) != 1 or doing not in DOINGS or text.kind != "text":
            problems.append(problem("stories.step", file, here, 1, known=", ".join(DOINGS)))
            continue
        steps.append(StoryStep(doing, text.text, here))
    clock = row.get("clock")
    try:
        began = datetime.fromisoformat(str(clock)) if clock else None
    except ValueError:
        problems.append(problem("stories.moment", file, line, 1, value=clock))
        began = None
    customer = {str(k): str(v) for k, v in (row.get("customer") or {}).items()}
    return DialogStory(
        str(row.get("test", "")),
        str(row.get("channel", "telegram")),
        customer,
        began,
        tuple(steps),
        file,
        line,
        dict(_replies(node.get("connector"), file, problems)),
    )


def _replies(node: YamlNode | None, file: str, problems: list[Problem]) -> Iterator[tuple[str, StubbedReply]]:
    """`connector: {"GET https://shop.example.com/orders/1": {status: 200, json: {…}}}`."""
    for call, (key, reply) in (node.pairs if node is not None else {}).items():
        status = reply.value.get("status", "200") if reply.kind == "map" else ""
        if not str(status).isdecimal() or " " not in call:
            problems.append(problem("stories.reply", file, key.line, 1))
            continue
        yield call, StubbedReply(int(status), reply.value.get("json"))


async def play(story: DialogStory, knowledge: Knowledge, config: Config) -> PlayedStory:
    """Play a story in a service of its own, over articles that are already open.

    A step that cannot be done ends it.
    """
    connector = StubbedConnector(story.connector)
    async with open_test_bot(
        knowledge.folder, config=config, given=Overrides(knowledge=knowledge, connector=connector)
    ) as testbot:
        zone = ZoneInfo(config.hours.timezone)
        testbot.clock.at = began = story.clock or NOON
        if began.tzinfo is None:
            testbot.clock.at = began.replace(tzinfo=zone)
        scene = _Scene(testbot, story, zone)
        played: list[PlayedStep] = []
        for step in story.steps:
            done = await scene.act(step)
            played.append(done)
            if not done.right and step.doing not in ("hears", "hears_not", "operator_hears"):
                break
        return PlayedStory(story, tuple(played))


class _Scene:
    """A story under way: its people, and how far they have listened."""

    def __init__(self, testbot: TestBot, story: DialogStory, zone: ZoneInfo) -> None:
        self._testbot, self._zone = testbot, zone
        channel = story.channel if story.channel in testbot.channels else "telegram"
        known = story.customer
        self._customer = testbot.customer(
            known.get("name", "Анна"), channel=channel, chat="1001", language=known.get("language", "ru")
        )
        told = {k: known[k] for k in ("last_name", "username", "gender") if k in known}
        self._customer.sender = Sender(
            "1001",
            known.get("name", "Анна"),
            language=known.get("language", "ru"),
            **told,  # type: ignore[arg-type]
        )
        self._operator: PlayedOperator = testbot.operator()
        self._variants = list(_variants(testbot.service.texts))
        self._mark = self._desk_mark = 0

    async def act(self, step: StoryStep) -> PlayedStep:
        try:
            match step.doing:
                case "hears" | "hears_not" | "operator_hears":
                    return self._listen(step)
                case "clock":
                    await self._testbot.later(
                        seconds=max(0.0, (self._moment(step.text) - self._testbot.clock()).total_seconds())
                    )
                    return PlayedStep(step, True)
            self._mark, self._desk_mark = len(self._heard()), len(self._seen())
            match step.doing:
                case "says":
                    await self._customer.says(step.text)
                case "presses":
                    await self._customer.presses(step.text)
                case "operator_says":
                    await self._operator.says(step.text, ticket=await self._ticket())
                case "operator_presses":
                    await self._operator.presses(step.text, ticket=await self._ticket())
        except (LookupError, ValueError) as error:
            return PlayedStep(step, False, (str(error),))
        return PlayedStep(step, True)

    def _listen(self, step: StoryStep) -> PlayedStep:
        operator = step.doing == "operator_hears"
        said, mark = (self._seen(), self._desk_mark) if operator else (self._heard(), self._mark)
        fresh = said[mark:]
        texts = tuple(_shown(s) for s in fresh)
        found = next((n for n, text in enumerate(texts) if self._alike(step.text, text)), None)
        if step.doing == "hears_not":
            return PlayedStep(step, found is None, texts)
        if found is not None:
            if operator:
                self._desk_mark = mark + found + 1
            else:
                self._mark = mark + found + 1
        return PlayedStep(step, found is not None, texts)

    def _alike(self, wanted: str, text: str) -> bool:
        """Whether *wanted* is in the text, or both are variants of the same words."""
        if _folded(wanted) in _folded(text):
            return True
        first = next((row.strip() for row in text.splitlines() if row.strip()), "")
        return any(
            any(v.match(wanted) for v in variants) and any(v.match(first) for v in variants)
            for variants in self._variants
        )

    def _heard(self) -> list[SentMessage]:
        person: PlayedCustomer = self._customer
        return [
            s
            for s in self._testbot.channels[person.peer.channel].in_chat(person.peer.chat, kind=None)
            if s.outbound.kind in (OutboundKind.SAY, OutboundKind.EDIT)
        ]

    def _seen(self) -> list[SentMessage]:
        place = self._testbot.service.desk.context.places.binding.place
        if place is None:
            return []
        return [
            s
            for s in self._testbot.channels[place.channel].in_chat(place.chat, kind=None)
            if s.outbound.kind in (OutboundKind.SAY, OutboundKind.EDIT)
        ]

    async def _ticket(self) -> int:
        tickets = await self._testbot.service.store.tickets(open_only=False)
        if not tickets:
            raise LookupError(told("stories.no_ticket"))
        return max(t.number for t in tickets)

    def _moment(self, text: str) -> datetime:
        """The moment a clock step names: ISO, "+15m", or the next "23:07". Raises ValueError."""
        now = self._testbot.clock().astimezone(self._zone)
        if later := _LATER.fullmatch(text.strip()):
            return now + timedelta(**{{"m": "minutes", "h": "hours", "d": "days"}[later[2]]: int(later[1])})
        if re.fullmatch(r"\d{1,2}:\d{2}", text.strip()):
            hour, minute = map(int, text.split(":"))
            then = datetime.combine(now.date(), time(hour, minute), self._zone)
            return then if then >= now else then + timedelta(days=1)
        moment = datetime.fromisoformat(text.strip())
        return moment if moment.tzinfo else moment.replace(tzinfo=self._zone)


def _shown(said: SentMessage) -> str:
    """The text of a message, or its attachments where it has none, as the playground notes them."""
    return said.outbound.text.text or f"[{', '.join(a.media.value for a in said.outbound.attachments)}]"


def _folded(text: str) -> str:
    return " ".join(text.casefold().replace("ё", "е").split())


def _variants(texts: Texts) -> Iterator[Sequence[re.Pattern[str]]]:
    """The first lines of each key that is said in several ways, as patterns."""
    for key in texts.keys():  # noqa: SIM118 - not a mapping
        if key.startswith(("hears.", "everyday.heard.", "quality.words.")):
            continue  # words to listen for, never said
        options = texts.options(key)
        if len(options) > 1:
            lines = [next((row.strip() for row in o.splitlines() if row.strip()), "") for o in options]
            patterns = [
                re.sub(r"\\\{\\\{.*?\\\}\\\}|\\\{%.*?%\\\}", ".*", re.escape(re.sub(r"[*_`]", "", line)))
                for line in lines
            ]
            yield [re.compile(p, re.IGNORECASE) for p in patterns if re.search(r"\w{3}", p.replace(".*", ""))]


def quote(text: str) -> str:
    """Enough of an answer to recognise it: its first line, cut at a word."""
    line = next((row.strip() for row in text.splitlines() if row.strip()), "")
    return line if len(line) <= QUOTE else line[:QUOTE].rsplit(" ", 1)[0]


def rewritten(text: str, performances: Sequence[PlayedStory]) -> str:
    """The file with each `hears` that went wrong replaced by what was heard at its place; everything else
    stays.
    """
    wanted: dict[int, str] = {}
    for performance in performances:
        for done in performance.played:
            if not done.right and done.step.doing in ("hears", "operator_hears") and done.got:
                wanted[done.step.line] = quote(done.got[0])
    for step in sorted(_heard_nodes(read_yaml(text)), key=lambda n: -n.start):
        if (heard := wanted.get(step.line)) is not None:
            text = text[: step.start] + _scalar(heard) + ("\n" if step.block else "") + text[step.end :]
    return text


def _heard_nodes(node: YamlNode | None) -> Iterator[YamlNode]:
    if node is None:
        return
    for inner in node.items:
        yield from _heard_nodes(inner)
    for key, (_, value) in node.pairs.items():
        if key in ("hears", "operator_hears"):
            yield value
        else:
            yield from _heard_nodes(value)


def _scalar(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
