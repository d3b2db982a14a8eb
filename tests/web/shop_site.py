"""A shop's site with the chat on it, as a browser meets it: the page from one origin under a strict policy,
the chat from another, and between them a network that can be made to fail.
"""

from __future__ import annotations

import asyncio
import html
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import ClientSession, ClientTimeout, web

Fault = Literal["", "refuse", "lose the answer", "hang", "hold back", "error"]
HOP = {"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length", "host"}
STYLE = """
body { margin: 0; font: 17px/1.5 Georgia, serif; color: #33302b; background: #faf7f2; }
main { max-width: 900px; margin: 40px auto; padding: 0 20px; }
h1 { font-size: 34px; font-weight: 400; }
a { color: inherit; }
div, button, section, p, textarea { font-size: 40px; color: red; text-transform: uppercase; }
main p { font-size: 17px; color: inherit; text-transform: none; }
@media (prefers-color-scheme: dark) { body { color: #e6e0d6; background: #191715; } }
"""
PAGE = """<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>Лютик</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/shop.css">
</head><body><main><h1>Украшения ручной работы</h1><p>Кольца, серьги и браслеты из серебра и латуни.</p>
<p><a href="/" id="link">В каталог</a></p></main>{scripts}</body></html>"""


def _nothing(path: str, number: int) -> Fault:
    return ""


@dataclass
class Network:
    """What lies between the browser and the chat. `fault` says what happens to a request, by its path behind
    the channel's name ("messages", "events"; "poll" asks for messages) and how often that was asked for.
    """

    upstream: str = ""
    fault: Callable[[str, int], Fault] = field(default=_nothing)
    asked: Counter[str] = field(default_factory=Counter)
    _open: dict[int, web.Request] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.split("/")[3]
        path = "poll" if (request.method, path) == ("GET", "messages") else path
        self.asked[path] += request.method != "OPTIONS"
        fault = self.fault(path, self.asked[path]) if request.method != "OPTIONS" else ""
        self._open[id(request)] = request
        try:
            return await self._passed(request, fault)
        finally:
            del self._open[id(request)]

    async def _passed(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault == "error":
            return web.Response(status=502, text="<h1>Bad gateway</h1>", content_type="text/html")
        if fault == "refuse" or not self.upstream:
            return self._cut(request)
        if fault == "hang":
            await asyncio.sleep(3600)
        body, url = await request.read(), self.upstream + request.raw_path
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP}
        async with (
            ClientSession(timeout=ClientTimeout(total=None), auto_decompress=False) as session,
            session.request(request.method, url, data=body, headers=headers) as told,
        ):
            if fault == "lose the answer":
                await told.read()
                return self._cut(request)
            kept = {k: v for k, v in told.headers.items() if k.lower() not in HOP - {"content-encoding"}}
            answer = web.StreamResponse(status=told.status, headers=kept)
            if fault == "hold back":
                await told.read()
            await answer.prepare(request)
            async for piece in told.content.iter_any():
                await answer.write(piece)
            await answer.write_eof()
            return answer

    @staticmethod
    def _cut(request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def mend(self) -> None:
        """From now on everything passes."""
        self.fault, self.asked = _nothing, Counter()

    def cut(self) -> None:
        """Every connection that is open now breaks; on the servers' thread."""
        for request in list(self._open.values()):
            self._cut(request)


def shop_app(chat: str) -> web.Application:
    """The shop's own server. The query of an address becomes the script's attributes; `twice`, `early` (calls
    before the script is there) and `blocked` (the policy forbids it) are pages of their own.
    """

    async def page(request: web.Request) -> web.Response:
        facts = {k: v for k, v in request.query.items() if k != "page"}
        data = "".join(f' data-{html.escape(k)}="{html.escape(v)}"' for k, v in facts.items())
        script = f'<script src="{chat}/widget.js" async{data}></script>'
        kind = request.query.get("page", "")
        scripts = script * 2 if kind == "twice" else script
        if kind == "early":
            scripts = '<script src="/early.js"></script>' + script
        host = "http://nowhere.example" if kind == "blocked" else "/".join(chat.split("/")[:3])
        policy = (
            f"default-src 'none'; script-src 'self' {host}; connect-src {host}; style-src 'self';"
            " require-trusted-types-for 'script'; base-uri 'none'"
        )
        text = PAGE.format(language=request.query.get("lang", "ru"), scripts=scripts)
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": policy})

    async def style(request: web.Request) -> web.Response:
        return web.Response(text=STYLE, content_type="text/css")

    async def early(request: web.Request) -> web.Response:
        text = 'window.supportChat = [["open"]];'
        return web.Response(text=text, content_type="text/javascript")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/shop.css", style)
    app.router.add_get("/early.js", early)
    return app
