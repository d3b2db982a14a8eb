"""The addresses of one site's chat, all under /chat/NAME/: who may ask, and in which form a no is given."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from bot.adapters.website.demo_page import DemoPage
from bot.adapters.website.reading import ChatReading
from bot.adapters.website.sessions import ChatSessions
from bot.adapters.website.site_chat import ChatRefusal, SiteChat
from bot.adapters.website.visitor_requests import ChatWriting
from bot.errors import StorageError
from bot.observability import get_logger

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SCRIPT_KEPT = "public, max-age=300, must-revalidate"


class ChatServer:
    """Mounted by the page server. Nothing here is guarded by the supervisors' password."""

    def __init__(self, chat: SiteChat) -> None:
        self._chat = chat
        self._sessions, self._writing = ChatSessions(chat), ChatWriting(chat)
        self._reading, self._demo = ChatReading(chat), DemoPage(chat)
        self._log = get_logger("website").bind(channel=chat.name)

    def routes(self) -> Sequence[web.RouteDef]:
        root = f"/chat/{self._chat.name}"
        posts: dict[str, Handler] = {
            "session": self._sessions.open,
            "logout": self._sessions.close,
            "consent": self._sessions.consent,
            "email": self._sessions.email,
            "read": self._sessions.read,
            "typing": self._sessions.typing,
            "start": self._writing.start,
            "messages": self._writing.message,
            "presses": self._writing.press,
            "files": self._writing.file,
        }
        gets: dict[str, Handler] = {
            "messages": self._reading.messages,
            "events": self._reading.events,
            "files/{id}": self._reading.file,
        }
        return (
            web.get(f"{root}/widget.js", self._script),
            *([web.get(f"{root}/demo", self._guarded(self._demo.show))] if self._chat.settings.demo else []),
            *(web.post(f"{root}/{path}", self._guarded(handler)) for path, handler in posts.items()),
            *(web.get(f"{root}/{path}", self._guarded(handler)) for path, handler in gets.items()),
            web.options(f"{root}/{{path:.+}}", self._preflight),
        )

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                if not self._chat.origins.admits(request):
                    raise ChatRefusal(403, "origin")
                response = await handler(request)
            except ChatRefusal as refusal:
                response = _refused(refusal)
            except StorageError as error:
                self._log.error("storage_failed", error=str(error))
                response = _refused(ChatRefusal(503, "storage", after=2))
            except (web.RequestPayloadError, ConnectionResetError):
                # not what its headers say, or cut off on its way: nothing of ours has failed
                response = _refused(ChatRefusal(400, "body"))
            except (web.HTTPException, asyncio.CancelledError):
                raise
            except Exception:  # noqa: BLE001 - the page's script is told in a form that it reads
                self._log.exception("chat_failed", path=request.path)
                response = _refused(ChatRefusal(500, "error", after=5))
            if not response.prepared:
                response.headers.update(self._chat.origins.headers(request))
            return response

        return answer

    async def _preflight(self, request: web.Request) -> web.Response:
        admitted = self._chat.origins.admits(request)
        headers = self._chat.origins.preflight(request) if admitted else {"Vary": "Origin"}
        return web.Response(status=204 if admitted else 403, headers=headers)

    async def _script(self, request: web.Request) -> web.Response:
        """The widget, which any page may load: what it may do there is asked of its page's origin."""
        from bot.adapters.website.widget.script import widget_script

        chat = self._chat
        body = widget_script(self._sessions.settings(chat.language), chat.language)
        mark = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers = {"ETag": mark, "Cache-Control": SCRIPT_KEPT, "Cross-Origin-Resource-Policy": "cross-origin"}
        if mark in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        response = web.Response(body=body, content_type="text/javascript", charset="utf-8", headers=headers)
        response.enable_compression()
        return response


def _refused(refusal: ChatRefusal) -> web.Response:
    said: dict[str, object] = {"error": refusal.code}
    if refusal.after:
        said["after"] = refusal.after
    if refusal.about:
        said["about"] = refusal.about
    response = web.json_response(said, status=refusal.status)
    if refusal.after:
        response.headers["Retry-After"] = str(refusal.after)
    return response
