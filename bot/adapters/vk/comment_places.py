"""Where people comment in a community, and how a comment is named in our words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.model import PUBLIC

_THREAD = re.compile(rf"{PUBLIC}(?P<kind>[a-z]+)(?P<owner>-?\d+)_(?P<object>\d+)\.(?P<root>\d+)")
_MESSAGE = re.compile(r"(?P<kind>[a-z]+)(?P<owner>-?\d+)_(?P<object>\d+)_(?P<comment>\d+)")
_PAGES = {
    "wall": "https://vk.com/wall{owner}_{object}?reply={comment}",
    "photo": "https://vk.com/photo{owner}_{object}",
    "video": "https://vk.com/video{owner}_{object}",
    "product": "https://vk.com/product{owner}_{object}",
    "topic": "https://vk.com/topic{owner}_{object}?post={comment}",
}


@dataclass(frozen=True, slots=True)
class CommentKind:
    """One kind of comment: what `watch` calls it, the names of VK's events, fields and methods.

    *communal*: VK lets a community's own key write there. *flat*: VK does not say which comment is the first
    of a thread.
    """

    kind: str
    watch: str
    events: str
    owner: str
    object: str
    methods: str
    id: str
    communal: bool = False
    flat: bool = True


KINDS = (
    CommentKind(
        "wall",
        "posts",
        "wall_reply",
        "post_owner_id",
        "post_id",
        "wall",
        "post_id",
        communal=True,
        flat=False,
    ),
    CommentKind("photo", "photos", "photo_comment", "photo_owner_id", "photo_id", "photos", "photo_id"),
    CommentKind("video", "videos", "video_comment", "video_owner_id", "video_id", "video", "video_id"),
    CommentKind("product", "goods", "market_comment", "market_owner_id", "item_id", "market", "item_id"),
    CommentKind("topic", "discussions", "board_post", "topic_owner_id", "topic_id", "board", "topic_id"),
)
BY_EVENT = {kind.events: kind for kind in KINDS}
BY_NAME = {kind.kind: kind for kind in KINDS}
CHANGES = ("new", "edit", "restore", "delete")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, or the thread it begins: of what kind, under what, its own number (0 = none)."""

    kind: CommentKind
    owner: int
    object: int
    number: int = 0

    @property
    def place(self) -> str:
        """What is commented on: "wall-77_15"."""
        return f"{self.kind.kind}{self.owner}_{self.object}"

    @property
    def message(self) -> str:
        """The name of the comment: "wall-77_15_103"."""
        return f"{self.place}_{self.number}"

    @property
    def thread(self) -> str:
        """The thread of a peer that this comment begins: "public:wall-77_15.103"."""
        return f"{PUBLIC}{self.place}.{self.number}"

    @property
    def url(self) -> str:
        """Where people see it."""
        return _PAGES[self.kind.kind].format(owner=self.owner, object=self.object, comment=self.number)


def events_of(places: frozenset[str]) -> tuple[str, ...]:
    """VK's events of what is watched."""
    return tuple(f"{k.events}_{change}" for k in KINDS if k.watch in places for change in CHANGES)


def comment_of(message: str) -> Comment | None:
    """The comment of that name; None for anything else.

    >>> comment_of("wall-77_15_103").number, comment_of("m57")
    (103, None)
    """
    return _made(_MESSAGE.fullmatch(message), "comment")


def root_of(thread: str) -> Comment | None:
    """The comment that begins a peer's thread; its number is 0 where VK knows no threads."""
    return _made(_THREAD.fullmatch(thread), "root")


def _made(found: re.Match[str] | None, number: str) -> Comment | None:
    if found is None or (kind := BY_NAME.get(found["kind"])) is None:
        return None
    return Comment(kind, int(found["owner"]), int(found["object"]), int(found[number]))
