"""What stands in the attachments that only VK has: the words in them and the address that opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 1000  # of the text of one post
Fields = Mapping[str, Any]

_PAGES = {  # where VK shows a thing of an owner
    "photo": "photo{owner}_{id}",
    "video": "video{owner}_{id}",
    "video_message": "video{owner}_{id}",
    "audio": "audio{owner}_{id}",
    "doc": "doc{owner}_{id}",
    "wall": "wall{owner}_{id}",
    "wall_reply": "wall{owner}_{post_id}?reply={id}",
    "market": "market{owner}?w=product{owner}_{id}",
    "market_album": "market{owner}?section=album_{id}",
    "poll": "poll{owner}_{id}",
    "story": "story{owner}_{id}",
    "article": "@{owner}-{id}",
    "album": "album{owner}_{id}",
    "podcast": "podcast{owner}_{id}",
    "narrative": "narrative{owner}_{id}",
    "audio_playlist": "music/playlist/{owner}_{id}",
    "video_playlist": "video/playlist/{owner}_{id}",
    "note": "note{owner}_{id}",
    "page": "page-{group_id}_{id}",
    "event": "event{id}",
    "mini_app": "app{id}",
    "app": "app{id}",
    "artist": "artist/{id}",
    "curator": "music/curator/{id}",
}
_ADDRESSES = (
    "url",
    "view_url",
    "join_link",
    "link",
    "share_url",
    "webview_url",
    "player",
    "thumb_256",
    "thumb_96",
    "thumb_48",
)
_TITLES = ("title", "name", "question", "text", "description", "caption", "comment")


def address(kind: str, what: Fields) -> str:
    """The address that opens; "" where VK told none and none can be made."""
    told = next(
        (
            v
            for n in _ADDRESSES
            if isinstance(v := what.get(n), str) and v.startswith(("https://", "http://"))
        ),
        "",
    )
    if (pattern := _PAGES.get(kind)) is None or (told and kind not in ("photo", "video", "audio", "doc")):
        return told
    owner = next((what[n] for n in ("owner_id", "to_id", "from_id") if what.get(n) is not None), None)
    app = what.get("app")
    fields = {**(app if isinstance(app, Mapping) else {}), **what, "owner": owner}
    known = {
        n: v for n, v in fields.items() if isinstance(v, int | str) and not isinstance(v, bool) and v != ""
    }
    try:
        page = pattern.format_map(known)
    except KeyError:
        return told
    key = what.get("access_key")
    return f"https://vk.com/{page}" + (f"_{key}" if key and kind.endswith("_playlist") else "")


def about(kind: str, what: Fields) -> str:
    """Titles, prices, options: what its author wrote or VK counted."""
    parts = [str(what[n]) for n in _TITLES if isinstance(what.get(n), str | int) and what[n] != ""][:1]
    if kind == "wall" and isinstance(what.get("text"), str):
        parts = [what["text"][:LONGEST]] if what["text"] else []
    parts += [t for n in ("price", "amount") if (t := _price(what.get(n)))]
    if kind == "money_transfer" and isinstance(what.get("comment"), str) and what["comment"] not in parts:
        parts.append(what["comment"])
    if (
        kind in ("call", "podcast", "video_message")
        and isinstance(seconds := what.get("duration"), int)
        and seconds > 0
    ):
        parts.append(f"{seconds // 60}:{seconds % 60:02}")
    answers = what.get("answers") if kind == "poll" else None
    options = (
        [f"\n• {a.get('text')}" for a in answers if isinstance(a, Mapping)]
        if isinstance(answers, list)
        else []
    )
    return ", ".join(p[:LONGEST] for p in parts if p) + "".join(options)


def _price(value: object) -> str:
    """VK writes sums as people read them beside the hundredths."""
    if isinstance(value, Mapping):
        return str(value.get("text") or "")
    return str(value) if isinstance(value, str | int) else ""
