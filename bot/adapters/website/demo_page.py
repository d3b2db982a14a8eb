"""A page that shows the chat, so that an owner can try it before it stands on their site."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from aiohttp import web

from bot.adapters.website.site_chat import LANGUAGES, SiteChat

_FOLDER = Path(__file__).parent


class DemoPage:
    """GET /chat/NAME/demo."""

    def __init__(self, chat: SiteChat) -> None:
        self._chat = chat

    async def show(self, request: web.Request) -> web.Response:
        chat, say = self._chat, self._chat.ready.say
        wanted = request.headers.get("Accept-Language", "")[:2].lower()
        language = wanted if wanted in LANGUAGES else chat.language
        address = chat.settings.address or f"{request.scheme}://{request.host}"
        facts = {
            "language": language,
            "title": chat.title(language) or say("page_chat.demo.title", language),
            "about": say("page_chat.demo.about", language),
            "line": f'<script src="{address}/chat/{chat.name}/widget.js" async></script>',
        }
        page, style = _template(), _style()
        body = page.substitute({name: escape(text) for name, text in facts.items()}, style=style)
        mark = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' blob:; style-src"
            f" 'sha256-{mark}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": policy})


@cache
def _template() -> Template:
    return Template((_FOLDER / "demo.html").read_text("utf-8"))


@cache
def _style() -> str:
    return (_FOLDER / "demo.css").read_text("utf-8")
