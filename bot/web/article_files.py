"""The files of the articles, for the pages that show an article as a chat would."""

from __future__ import annotations

import asyncio
import mimetypes
from pathlib import Path

from aiohttp import web

from bot.adapters.playground.view import PHOTOS
from bot.knowledge.articles.attached import is_sendable
from bot.web.services import WebServices


class ArticleFiles:
    """Pictures are shown, everything else is only downloaded; only what an article may send is given."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    async def show(self, request: web.Request) -> web.Response:
        """GET /file/kb/{path}: a file of the folder of articles, as it would be sent."""
        knowledge = self._services.knowledge
        found = _inside(knowledge.folder, request.match_info["path"]) if knowledge else None
        if found is None:
            raise web.HTTPNotFound(text="no such file")
        mime = mimetypes.guess_type(found.name)[0] or ""
        shown = mime in PHOTOS
        headers = {
            "Content-Disposition": "inline" if shown else "attachment",
            "Cache-Control": "private, no-cache",
        }
        content = await asyncio.to_thread(found.read_bytes)
        kind = mime if shown else "application/octet-stream"
        return web.Response(body=content, content_type=kind, headers=headers)


def _inside(folder: Path, name: str) -> Path | None:
    if not is_sendable(name) or "\0" in name:
        return None
    place = (folder / name).resolve()
    return place if place.is_relative_to(folder.resolve()) and place.is_file() else None
