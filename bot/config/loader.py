"""config.yaml read into frozen values: every problem at once, with file and line; secrets come from the
environment, or from the file `.env` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator

from bot.config.assistant import AssistantSettings
from bot.config.channels import Channel
from bot.config.environment import environment_beside
from bot.config.faults import VARIABLE, ConfigFaults, is_secret
from bot.config.forms import AnswerChoiceSettings, ConsentSettings, FirstContactSettings, Form
from bot.config.handoff import (
    AftercareSettings,
    Api,
    CannedSettings,
    DeskSettings,
    LoyaltySettings,
    Name,
    NpsSettings,
    OutreachSettings,
    Routing,
    Section,
    Sla,
    Team,
    VipSettings,
    Webhook,
    length,
)
from bot.config.quality import AuthoritySettings, PlaybookSettings, QualitySettings
from bot.config.sequences import SequenceSettings
from bot.config.voice import VoiceSettings
from bot.config.website_channel import WebsiteChannel
from bot.errors import ConfigError, Problem
from bot.text.day_spans import CLOSED, spans, written
from bot.text.problems import problem, told
from bot.text.url import shown_url
from bot.text.yaml_source import YamlError, read_yaml_file

_URL_PASSWORD = re.compile(r"://[^:/@]*:(.+)@")


class Storage(Section):
    """Where everything is kept."""

    url: str = Field(
        "sqlite:///data/bot.db",
        repr=False,
        description=(
            "sqlite:///PATH, relative to this file, for one process; or for several"
            " postgresql://USER:${VARIABLE}@HOST/DATABASE, the password in the environment, as it is"
        ),
    )
    listen_url: str | None = Field(
        None,
        repr=False,
        description=(
            "PostgreSQL behind pgbouncer in transaction mode: the address of the database itself, for hints"
            " (without them what is new is found by asking)"
        ),
    )
    pool: int = Field(
        6, ge=2, le=100, description="PostgreSQL: how many connections a process keeps open at most"
    )

    @property
    def is_file(self) -> bool:
        """Whether everything is kept in a file of SQLite (or in memory), by one process."""
        scheme, mark, _ = self.url.partition("://")
        return not mark or scheme == "sqlite"


class Embeddings(Section):
    """Search by meaning."""

    model: str = Field(
        "auto",
        description="auto (multilingual-e5-small beside our own small encoder), light (our own alone), off,"
        " a folder, or the id of a model on a hub",
    )


class ReleaseConfig(Section):
    """What publishing articles may change before a supervisor has to say yes."""

    days: int = Field(
        30, ge=1, le=365, description="customers' questions of so many days are asked of the draft"
    )
    questions: int = Field(
        2000, ge=1, le=20_000, description="different questions asked at most, the newest first"
    )
    max_lost_share: float = Field(
        0.02,
        ge=0,
        le=1,
        description="share of the questions answered today that may lose their answer; 1 = any",
    )
    golden: Literal["must", "tell", "skip"] = Field(
        "must",
        description="golden questions that come right no more: must hold publishing back, are told, or are"
        " not asked",
    )


class KnowledgeConfig(Section):
    """The articles, and when the bot answers by itself."""

    folder: str = Field("kb_articles", description="folder of the markdown articles, relative to this file")
    embeddings: Embeddings = Field(default_factory=Embeddings, description="search by meaning")
    answer_threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="answer at once from this probability on (default: chosen for these articles)",
    )
    scope_threshold: float | None = Field(
        None, ge=0, le=1, description="hand over below this coverage of the question (default: measured)"
    )
    clarify_options: int = Field(3, ge=2, le=5, description="titles offered when the bot is unsure")
    synonyms: str | None = Field(
        None, description="a file of your own synonyms and slang, relative to this file"
    )
    retrievers: tuple[str, ...] = Field(
        (), description="search channels of installed packages, heard beside our own (docs/en/retrievers.md)"
    )
    cache: str | None = Field(
        None, description="folder for vectors and the search index (default: the user's cache folder)"
    )
    watch: bool = Field(True, description="read changed articles while running")
    release: ReleaseConfig = Field(
        default_factory=ReleaseConfig, description="the gate before articles are published"
    )


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Spans = Annotated[str, BeforeValidator(lambda value: written(spans(value)))]


class HoursSettings(Section):
    """When people answer. Holidays of the country are days off, unless an exception says otherwise."""

    timezone: str = Field("Europe/Moscow", description="name from the IANA list")
    week: Mapping[Weekday, Spans] = Field(
        default_factory=lambda: dict.fromkeys(get_args(Weekday), "10:00-20:00"),
        description=(
            'opening hours by weekday, as mon: "10:00-20:00", mon: ["10:00-13:00", "14:00-20:00"] with a'
            ' break, mon: "21:00-02:00" over midnight, mon: "00:00-24:00" round the clock; a day left out or'
            " closed is a day off"
        ),
    )
    country: str | None = Field(
        "RU",
        description=(
            "country whose holidays are days off, and where a phone number without +… is dialled; null = no"
            " holidays, phones of RU"
        ),
    )
    exceptions: Mapping[date, Spans] = Field(
        default_factory=dict,
        description=(
            'single days, as 2026-12-31: "10:00-15:00" or closed; over midnight belongs to the day it'
            " begins on"
        ),
    )

    @field_validator("exceptions", mode="before")
    @classmethod
    def _days_as_written(cls, value: object) -> object:
        """YAML made dates of them; a fault is told with the day as it stands in the file."""
        return {str(day): hours for day, hours in value.items()} if isinstance(value, Mapping) else value

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(told("config.no_zone", value=value)) from error
        return value


class Business(Section):
    """Who the bot speaks for."""

    name: str = Field(
        "", description="name of the business, as customers know it; without one the bot names nobody"
    )
    language: Literal["ru", "en"] = Field("ru", description="language when the customer's own is not known")
    address: str | Mapping[str, str] = Field(
        "", description="told to whoever asks where you are; one text, or by language: {ru: …, en: …}"
    )
    phone: str | Mapping[str, str] = Field(
        "", description="told to whoever asks how to call you; one text, or by language"
    )
    email: str | Mapping[str, str] = Field(
        "", description="told to whoever asks for your e-mail; one text, or by language"
    )
    site: str | Mapping[str, str] = Field(
        "", description="told to whoever asks for your website; one text, or by language"
    )

    @property
    def contacts(self) -> dict[str, dict[str, str]]:
        """What is known, by language; "" is all languages."""
        told = {"address": self.address, "phone": self.phone, "email": self.email, "site": self.site}
        return {
            name: {"": value} if isinstance(value, str) else dict(value)
            for name, value in told.items()
            if value
        }


class Dialogs(Section):
    """How the bot talks."""

    order: tuple[str, ...] = Field(
        ("human", "form", "menu", "greeting", "about", "smalltalk", "faq"),
        description="dialogs in order of priority; your own by dotted path, as myshop.dialogs:order_status",
    )
    timeout: float = Field(
        20, gt=0, le=120, description="seconds a dialog may think before a person is called"
    )
    settle: float = Field(1.2, ge=0, le=10, description="seconds to wait for the next message of a burst")
    settle_limit: float = Field(4, ge=0, le=30, description="seconds a burst is waited for at most")
    forms: tuple[Form, ...] = Field((), description="questions asked in the chat")
    typing: bool = Field(True, description="show “typing…” while the bot waits for the rest of a burst")


class FlowSettings(Section):
    """Flows that the owner writes, as files."""

    folder: str = Field("flows", description="folder of the flows (docs/en/flows.md), relative to this file")
    hosts: tuple[str, ...] = Field(
        (),
        max_length=50,
        description=(
            "servers that flows may call: shop.example.com by https at public addresses; anything else is"
            ' written out, as "http://127.0.0.1:8099"'
        ),
    )


class RatingSettings(Section):
    """How customers are asked to rate the talk with a person, from 1 to 5."""

    ask: bool = Field(True, description="ask after a ticket is closed")
    delay_minutes: float = Field(
        5, ge=0, le=24 * 60, description="how long after closing; nobody is asked who wrote again meanwhile"
    )
    days_between: float = Field(30, ge=0, description="days in which the same customer is not asked again")
    settle_minutes: float = Field(
        3,
        ge=0,
        le=24 * 60,
        description="how long a score may be corrected; supervisors hear of a low one after that",
    )


class ReportSettings(Section):
    """What the supervisor's report is counted with."""

    answer_within: float = Field(
        20, gt=0, description="service level: seconds of working time in which a person should answer"
    )
    answer_share: float = Field(
        0.8, gt=0, le=1, description="service level: share of handoffs that should be answered within it"
    )
    weekly_digest: bool = Field(
        True, description="post the week's figures to the operators' group on Monday morning"
    )
    at_once: int = Field(
        1, ge=1, le=50, description="tickets an operator works on at once, for the operators of the forecast"
    )
    topic_alarm: bool = Field(
        True, description="tell the operators' group when a topic is asked about unusually often"
    )
    topic_alarm_least: int = Field(
        8, ge=3, description="customers of the last hour below which no topic is told of"
    )


class TextsSettings(Section):
    """The words."""

    folder: str | None = Field(
        None, description="folder whose ru.yaml / en.yaml override single texts, relative to this file"
    )


class OwnWords(Section):
    """Words that the business does not use."""

    pattern: str = Field(
        min_length=1,
        max_length=100,
        description="the words; a star stands for the rest of a word: application*",
    )
    instead: str = Field(min_length=1, max_length=200, description="what to say in their place")


class ToneSettings(Section):
    """Remarks on how texts for customers sound; they hold nothing back."""

    check: bool = Field(
        True, description="tell of words of offices and mailings and of refusals without a way out"
    )
    own: tuple[OwnWords, ...] = Field(
        (), max_length=100, description="further words the business does not use"
    )


class Web(Section):
    """The page: playground, health, webhooks."""

    host: str = Field(
        "127.0.0.1", description="address to listen on; anything but this machine needs a password"
    )
    port: int = Field(8080, ge=0, le=65535, description="port; 0 = a free one")
    password: SecretStr | None = Field(None, description='password of the pages, as "${WEB_PASSWORD}"')


class Privacy(Section):
    """How long people's words are kept."""

    keep_days: int = Field(
        365,
        ge=1,
        le=3650,
        description="days after which the words of ended conversations are blanked; numbers stay for reports",
    )


class Logging(Section):
    """What the log looks like."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="from which importance on"
    )
    json_lines: bool = Field(False, description="one JSON object a line, for a collector")


class Config(Section):
    """All settings.

    Everything may be missing: then the terminal, the playground and `bot ask` work all the same.
    """

    storage: Storage = Field(default_factory=Storage, description="where everything is kept")
    knowledge: KnowledgeConfig = Field(default_factory=KnowledgeConfig, description="the articles")
    channels: Mapping[str, Channel] = Field(
        default_factory=dict,
        description="named instances of channels; several of one kind may stand side by side",
    )
    desk: DeskSettings | None = Field(None, description="where operators work")
    teams: tuple[Team, ...] = Field(
        (),
        description=(
            "operators who answer for some of the tickets; the first that fits gets them, else the desk"
            " of all"
        ),
    )
    routing: Routing = Field(default_factory=Routing, description="who gets a ticket, and in which order")
    sla: Sla = Field(default_factory=Sla, description="how soon an answer is due, in working time")
    canned: CannedSettings = Field(
        default_factory=CannedSettings, description="help for operators while they answer"
    )
    hours: HoursSettings = Field(default_factory=HoursSettings, description="when people answer")
    business: Business = Field(default_factory=Business, description="who the bot speaks for")
    dialogs: Dialogs = Field(default_factory=Dialogs, description="how the bot talks")
    flows: FlowSettings = Field(
        default_factory=FlowSettings, description="flows that the owner writes, as files"
    )
    answer_choice: AnswerChoiceSettings = Field(
        default_factory=AnswerChoiceSettings,
        description="when and where a customer who waits for a person may ask to be answered",
    )
    consent: ConsentSettings = Field(
        default_factory=ConsentSettings,
        description="notice before personal data are asked, and the record of the yes",
    )
    first_contact: FirstContactSettings = Field(
        default_factory=FirstContactSettings, description="what a new customer is asked once"
    )
    rating: RatingSettings = Field(
        default_factory=RatingSettings, description="the customer's rating after a talk with a person"
    )
    loyalty: LoyaltySettings = Field(
        default_factory=LoyaltySettings, description="points that customers and operators are told"
    )
    sequences: Mapping[Name, SequenceSettings] = Field(
        default_factory=dict, description="messages that follow an event or go to a segment, by name"
    )
    vip: VipSettings = Field(
        default_factory=VipSettings, description="supervisors are told at once of upset important customers"
    )
    aftercare: AftercareSettings = Field(
        default_factory=AftercareSettings, description="thanks, and whether all is well, after closing"
    )
    nps: NpsSettings = Field(
        default_factory=NpsSettings,
        description="whether customers would recommend the business, asked now and then",
    )
    outreach: OutreachSettings = Field(
        default_factory=OutreachSettings, description="writing to customers first"
    )
    report: ReportSettings = Field(default_factory=ReportSettings, description="the supervisor's report")
    wording: TextsSettings = Field(default_factory=TextsSettings, description="the words")
    tone: ToneSettings = Field(default_factory=ToneSettings, description="how texts for customers sound")
    playbooks: PlaybookSettings = Field(
        default_factory=PlaybookSettings, description="checklists for complaints, conflicts, returns"
    )
    authority: AuthoritySettings = Field(
        default_factory=AuthoritySettings, description="what operators may give, and what needs a yes"
    )
    quality: QualitySettings = Field(default_factory=QualitySettings, description="the scorecard of dialogs")
    voice: VoiceSettings | None = Field(
        None, description="voice messages as words; without it a person is offered to listen"
    )
    assistant: AssistantSettings = Field(
        default_factory=AssistantSettings, description="a language model that words what the articles say"
    )
    web: Web = Field(default_factory=Web, description="the page")
    webhooks: Mapping[Name, Webhook] = Field(
        default_factory=dict, max_length=8, description="other systems that are told what happens"
    )
    api: Api = Field(default_factory=Api, description="the API for other systems")
    privacy: Privacy = Field(default_factory=Privacy, description="how long people's words are kept")
    logging: Logging = Field(default_factory=Logging, description="the log")

    base: Path = Field(
        default=Path(), exclude=True, description="folder of the file; paths are relative to it"
    )
    file: Path | None = Field(default=None, exclude=True, description="the file itself")

    def path(self, relative: str) -> Path:
        """A path of the config, made absolute."""
        return (self.base / relative).resolve()

    @property
    def storage_path(self) -> str:
        """File of the database, or ":memory:". Raises `ConfigError` where the store is no file of SQLite."""
        if not self.storage.is_file:
            scheme = self.storage.url.partition("://")[0]
            raise ConfigError([problem("config.not_a_file", scheme=scheme)])
        rest = self.storage.url.removeprefix("sqlite://").removeprefix("/")
        return rest if rest == ":memory:" else str(self.path(rest))

    @property
    def storage_place(self) -> str:
        """Where everything is kept, as people may see it: a file, or an address without its password."""
        return self.storage_path if self.storage.is_file else shown_url(self.storage.url)


def read_config(path: Path | None, *, environment: Mapping[str, str] | None = None) -> Config:
    """The config in *path* (None: the defaults, relative to the current folder).

    `${NAME}` is replaced from the environment, else from `.env` beside the file; a variable that is not set
    makes the value missing, which switches a channel off rather than failing. Raises `ConfigError` with every
    problem at once, each with its line; never shows a value that may be secret.
    """
    if path is None:
        return Config(base=Path.cwd())
    try:
        root = read_yaml_file(path)
        raw = (root.value if root else None) or {}
    except YamlError as error:
        missing = error.kind == "missing"
        fault = problem("config.no_file", str(path)) if missing else error.problem(str(path))
        raise ConfigError([fault]) from error
    if not isinstance(raw, dict):
        raise ConfigError([problem("config.not_a_mapping", str(path), 1)])
    faults = ConfigFaults(Config, path, root)
    problems = [
        faults.problem(
            "secret_in_file", *place, name=".".join(place), key=place[-1], variable=place[-1].upper()
        )
        for place, value in _secrets_in(raw)
        if isinstance(value, str) and value and not VARIABLE.search(value)
    ]
    values = substituted(raw, environment_beside(path.parent) if environment is None else environment)
    try:
        config = Config.model_validate({**values, "base": path.resolve().parent, "file": path.resolve()})
    except ValidationError as error:
        problems += faults.problems(dict(e) for e in error.errors(include_input=False, include_url=False))
        raise ConfigError(problems) from None
    problems += [*_contradictions(config, faults)]
    if problems:
        raise ConfigError(problems)
    return config


def password_in_url(path: Path) -> str:
    """The key of a database's address that holds its password itself ("storage.url"); "" where none does."""
    try:
        root = read_yaml_file(path)
    except YamlError:
        return ""
    for key in ("url", "listen_url"):
        found = _URL_PASSWORD.search(root.find("storage", key)[0].text) if root else None
        if found and not VARIABLE.search(found[1]):
            return f"storage.{key}"
    return ""


def language_in(path: Path | None) -> str:
    """The language that the file asks for, whatever else is wrong with it: its faults are told in it."""
    try:
        root = read_yaml_file(path) if path else None
    except YamlError:
        return "ru"
    return root.find("business", "language")[0].text if root else "ru"


def substituted(value: Any, environment: Mapping[str, str]) -> Any:
    """*value* with `${NAME}` replaced; a text with a variable that is not set becomes None."""
    if isinstance(value, dict):
        return {k: substituted(v, environment) for k, v in value.items()}
    if isinstance(value, list):
        return [substituted(v, environment) for v in value]
    if isinstance(value, str) and (found := VARIABLE.findall(value)):
        if any(not environment.get(name) for name in found):
            return None
        return VARIABLE.sub(lambda m: _inserted(environment[m[1]], value, m), value)
    return value


def _inserted(found: str, text: str, at: re.Match[str]) -> str:
    """A variable's value as it goes into *text*: in place of the password of an address it may have any
    signs.
    """
    is_password = "://" in text[: at.start()] and text[at.start() - 1] == ":" and text[at.end() :][:1] == "@"
    return quote(found, safe="") if is_password else found


def _secrets_in(value: object, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if is_secret((*place, str(key))) and not isinstance(inner, dict):
                yield (*place, str(key)), inner
            else:
                yield from _secrets_in(inner, (*place, str(key)))


def _contradictions(config: Config, faults: ConfigFaults) -> Iterator[Problem]:
    """What is valid by itself but cannot work together."""
    channels = ", ".join(config.channels) or told("config.none")
    if config.desk and not _has_channel(config, config.desk.channel):
        yield faults.problem("desk_channel", "desk", "channel", channel=config.desk.channel, known=channels)
    if config.web.host not in ("127.0.0.1", "localhost", "::1") and not config.web.password:
        yield faults.problem("web_open", "web", "host")
    for name, channel in config.channels.items():
        if isinstance(channel, WebsiteChannel):
            yield from _site_contradictions(config, faults, name, channel)
    yield from _stranding(config, faults)


def _site_contradictions(
    config: Config, faults: ConfigFaults, name: str, channel: WebsiteChannel
) -> Iterator[Problem]:
    other = config.channels.get(channel.letters or "")
    if channel.letters and (other is None or other.type != "email"):
        yield faults.problem("site_letters", "channels", name, "letters", name=name, letters=channel.letters)
    if channel.consent and not config.consent.policy:
        yield faults.problem("site_consent", "channels", name, "consent", name=name)


def _has_channel(config: Config, name: str) -> bool:
    return name in config.channels or name.startswith("play-")


def _stranding(config: Config, faults: ConfigFaults) -> Iterator[Problem]:
    """What would leave a customer waiting for nobody."""
    names = [t.name for t in config.teams]
    for n, team in enumerate(config.teams):
        place, facts = ("teams", str(n)), {"name": team.name}
        if names.count(team.name) > 1:
            yield faults.problem("team_twice", *place, **facts)
        if team.desk is None:
            continue
        if config.desk is None:
            yield faults.problem("team_strands", *place, **facts)
        if not _has_channel(config, team.desk.channel):
            known = ", ".join(config.channels) or told("config.none")
            yield faults.problem(
                "team_channel", *place, "desk", channel=team.desk.channel, known=known, **facts
            )
    if config.sla.escalate_to is not None and config.sla.escalate_to not in names:
        known = ", ".join(names) or told("config.none")
        yield faults.problem("no_team", "sla", "escalate_to", name=config.sla.escalate_to, known=known)
    for n, policy in enumerate(config.sla.policies):
        first, whole = length(policy.first_reply), length(policy.resolution)
        if first and whole and first > whole:
            yield faults.problem("sla_order", "sla", "policies", str(n))
    if all(h == CLOSED for h in (*config.hours.week.values(), *config.hours.exceptions.values())):
        yield faults.problem("never_open", "hours", "week")
