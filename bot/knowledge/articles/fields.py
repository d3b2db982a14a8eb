"""The keys of an article's head: what each may hold, and what is said when it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from datetime import date

from bot.errors import Problem
from bot.knowledge.articles.frontmatter import Frontmatter
from bot.knowledge.codes import found
from bot.model import Button
from bot.text.nearest import nearest
from bot.text.problems import problem, told, warning

SAME = {
    "alias": "aliases",
    "questions": "aliases",
    "tag": "tags",
    "language": "lang",
    "channel": "channels",
    "image": "images",
    "file": "files",
    "attachments": "files",
    "category": "topic",
}
IGNORED = frozenset(
    {
        "cssclass",
        "cssclasses",
        "created",
        "updated",
        "modified",
        "date",
        "author",
        "permalink",
        "description",
        "comments",
    }
)
TEXTS = frozenset(
    {"title", "aliases", "tags", "topic", "section", "buttons", "owner", "images", "files"}
)  # keys whose words somebody reads
STATUSES = ("published", "draft", "archived")
AUDIENCES = ("customers", "staff")
_ON, _OFF = ("true", "yes", "on"), ("false", "no", "off")
_URL = re.compile(r"(?:https?://|tg://|tel:|mailto:)\S+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ArticleFields:
    """The head of an article as values."""

    id: str = ""
    title: str = ""
    aliases: tuple[str, ...] = ()
    lang: str = ""
    twin_of: str = ""
    tags: tuple[str, ...] = ()
    topic: str = ""
    section: str = ""
    status: str = "published"
    channels: tuple[str, ...] = ()
    buttons: tuple[Button, ...] = ()
    valid_until: date | None = None
    owner: str = ""
    segment: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    audience: str = "customers"

    @property
    def internal(self) -> bool:
        """Whether it is for operators' eyes alone."""
        return self.audience != "customers"


KEYS = (*(key.name for key in dataclass_fields(ArticleFields)), "draft", "publish")


def read_fields(
    head: Frontmatter, file: str, known_channels: Sequence[str] = ()
) -> tuple[ArticleFields, tuple[Problem, ...]]:
    """The values of a head and all its problems at once; what could not be read has its default."""
    reader = _Reader(head, file)
    known = reader.known_values()
    reader.cut()
    status = reader.one(known, "status").lower() or "published"
    if status not in STATUSES:
        reader.fault("status", "status", value=status, known=", ".join(STATUSES))
    if reader.switched(known, "draft", default=False) or not reader.switched(known, "publish", default=True):
        status = "draft"
    audience = reader.one(known, "audience").lower() or "customers"
    if audience not in AUDIENCES:
        reader.fault("audience", "audience", value=audience, known=", ".join(AUDIENCES))
    lang = reader.one(known, "lang").lower()
    if lang and lang not in ("ru", "en"):
        reader.fault("lang", "language", value=lang)
    channels = reader.many(known, "channels")
    for channel in channels:
        if known_channels and channel not in known_channels:
            reader.doubt("channels", "channel", "KB011", _nearest(channel, known_channels), value=channel)
    fields = ArticleFields(
        id=reader.one(known, "id"),
        title=reader.one(known, "title"),
        aliases=reader.many(known, "aliases", commas=False),
        lang=lang,
        twin_of=reader.one(known, "twin_of"),
        tags=tuple(t.lstrip("#") for t in reader.many(known, "tags")),
        topic=reader.one(known, "topic"),
        section=reader.one(known, "section"),
        status=status,
        channels=channels,
        buttons=reader.buttons(known),
        valid_until=reader.day(known, "valid_until"),
        owner=reader.one(known, "owner"),
        segment=reader.segment(known),
        images=reader.many(known, "images"),
        files=reader.many(known, "files"),
        audience=audience,
    )
    return fields, tuple(reader.problems)


def _nearest(name: str, names: Sequence[str]) -> str:
    near = nearest(name, names)
    return told("articles.perhaps", name=near[0]) if near else told("articles.known", names=", ".join(names))


def _may_hide(key: str, value: object) -> bool:
    """Whether an unknown key is `audience` with a slip, or holds its word for operators."""
    return nearest(key, ("audience",), likeness=75) != [] or str(value).strip().casefold() == "staff"


class _Reader:
    def __init__(self, head: Frontmatter, file: str) -> None:
        self.head, self.file = head, file
        self.problems: list[Problem] = []

    def fault(self, place: str, words: str, code: str = "KB007", **facts: str) -> None:
        """What is wrong at the key *place*: *words* is a key of the locale `articles`."""
        self.problems.append(problem(f"articles.{words}", self.file, self._line(place), 1, code, **facts))

    def doubt(self, place: str, words: str, code: str, hint: str, **facts: str) -> None:
        """The same, of what stops nothing."""
        self.problems.append(
            warning(f"articles.{words}", self.file, self._line(place), 1, code, hint, **facts)
        )

    def _line(self, key: str) -> int:
        places = self.head.places
        return places.get(key) or next((places[k] for k, v in SAME.items() if v == key and k in places), 1)

    def known_values(self) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in self.head.values.items():
            name = SAME.get(key.lower(), key.lower())
            if name in KEYS:
                values[name] = value
            elif _may_hide(name, value):
                # law: what may be meant for operators alone is never shown because of a slip
                hint = _nearest(key, KEYS)
                self.problems.append(
                    problem("articles.unknown_key", self.file, self._line(key), 1, "KB006", hint, key=key)
                )
            elif name not in IGNORED:
                self.doubt(key, "unknown_key", "KB006", _nearest(key, KEYS), key=key)
        return values

    def cut(self) -> None:
        """Warn of words that YAML takes for a remark."""
        for cut in self.head.cuts:
            if SAME.get(cut.key.lower(), cut.key.lower()) in TEXTS:
                self.problems.append(found("KB017", self.file, cut.line, cut.column, cut.words))

    def switched(self, values: Mapping[str, object], key: str, *, default: bool) -> bool:
        """Whether a switch of Obsidian is on."""
        words = str(values.get(key) or "").strip().casefold()
        if words in ("", *_ON, *_OFF):
            return default if not words else words in _ON
        self.fault(key, "flag", key=key)
        return default

    def one(self, values: Mapping[str, object], key: str) -> str:
        value = values.get(key)
        if value is None:
            return ""
        if isinstance(value, str):
            return value.strip()
        self.fault(key, "text", key=key)
        return ""

    def many(self, values: Mapping[str, object], key: str, *, commas: bool = True) -> tuple[str, ...]:
        value = values.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            value = re.split(r"[,\n]" if commas else r"\n", value)
        if not isinstance(value, list):
            value = [value]
        items: list[str] = []
        for i, item in enumerate(value):
            if isinstance(item, str):
                items.append(" ".join(item.split()))
            elif item is not None:
                place = f"{key}[{i}]" if f"{key}[{i}]" in self.head.places else key
                self.fault(place, "texts", key=key)
        return tuple(dict.fromkeys(i for i in items if i))

    def day(self, values: Mapping[str, object], key: str) -> date | None:
        value = values.get(key)
        if value is None:
            return None
        words = str(value).strip()
        day = re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)(?:[T ]\d\d?:\d\d.*)?", words)
        if day := day or re.fullmatch(r"(\d\d?)\.(\d\d?)\.(\d{4})", words):
            first, month, last = (int(g) for g in day.groups())
            try:
                return date(first, month, last) if first > 31 else date(last, month, first)
            except ValueError:
                pass
        self.fault(key, "day", "KB010", value=str(value)[:40])
        return None

    def segment(self, values: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
        value = values.get("segment")
        if value is None:
            return {}
        if isinstance(value, str):
            return {value.strip(): ()}
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return {str(v).strip(): () for v in value}
        if isinstance(value, dict):
            done: dict[str, tuple[str, ...]] = {}
            for key, wanted in value.items():
                items = wanted if isinstance(wanted, list) else [wanted]
                done[str(key)] = (
                    ()
                    if [str(i).casefold() for i in items] in (["true"], ["yes"], ["on"])
                    else tuple(str(i).strip().casefold() for i in items)
                )
            return done
        self.fault("segment", "segment")
        return {}

    def buttons(self, values: Mapping[str, object]) -> tuple[Button, ...]:
        value = values.get("buttons")
        if value is None:
            return ()
        if isinstance(value, dict):
            value = [{"label": k, "to": v} for k, v in value.items()]
        if not isinstance(value, list):
            self.fault("buttons", "buttons")
            return ()
        done: list[Button] = []
        for i, item in enumerate(value):
            place = f"buttons[{i}]" if f"buttons[{i}]" in self.head.places else "buttons"
            if isinstance(item, dict) and len(item) == 1 and not {"label", "text", "title"} & set(item):
                item = {"label": next(iter(item)), "to": next(iter(item.values()))}
            if not isinstance(item, dict):
                self.fault(place, "button")
                continue
            label = str(item.get("label") or item.get("text") or item.get("title") or "").strip()
            target = str(item.get("to") or item.get("url") or item.get("article") or "").strip()
            if not label or not target:
                self.fault(place, "button_empty")
            elif "url" in item or _URL.match(target):
                if not _URL.match(target):
                    self.fault(place, "button_url", label=label)
                else:
                    done.append(Button(label, url=target))
            else:
                done.append(Button(label, action="article", value=target))
        return tuple(done)
