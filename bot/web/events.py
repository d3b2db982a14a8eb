"""Server-sent events: what changes is told to every open page, and told again to one that was away for a
moment.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from aiohttp import web

RING = 500
BACKLOG = 1000  # events one slow page may leave unread before it is cut off (it comes back and catches up)
PING = 15.0  # seconds


@dataclass(frozen=True, slots=True)
class PageEvent:
    """One event: its place in the order, its kind and its JSON."""

    number: int
    kind: str
    data: str


class EventHub:
    """The events of this process, newest 500 kept.

    Ids carry the process's own mark, so ids of an earlier start are recognised.
    """

    def __init__(self, *, ping: float = PING) -> None:
        self.mark = secrets.token_hex(4)
        self._ring: deque[PageEvent] = deque(maxlen=RING)
        self._pages: set[asyncio.Queue[PageEvent | None]] = set()
        self._number = 0
        self._ping = ping
        self._closed = False

    @property
    def pages(self) -> int:
        """How many pages are listening now."""
        return len(self._pages)

    @property
    def last_id(self) -> str:
        return f"{self.mark}-{self._number}"

    def tell(self, kind: str, data: Mapping[str, object]) -> None:
        """Tell every page. Never blocks; a page that does not read is cut off."""
        self._number += 1
        told = PageEvent(self._number, kind, json.dumps(data, default=str))
        self._ring.append(told)
        for page in tuple(self._pages):
            if page.qsize() < BACKLOG:
                page.put_nowait(told)
            else:
                self._pages.discard(page)
                page.put_nowait(None)

    def close(self) -> None:
        """End every stream: the server is going down."""
        self._closed = True
        for page in self._pages:
            page.put_nowait(None)

    async def listen(self, last_id: str = "") -> AsyncIterator[str]:
        """The lines for one page, from after *last_id* on, until `close`.

        An id that is unknown (another start) or has left the ring gives `reload` first: the page must read
        everything anew.
        """
        page: asyncio.Queue[PageEvent | None] = asyncio.Queue()
        missed, known = self._after(last_id)
        self._pages.add(page)
        try:
            yield "retry: 1500\n\n"
            if not known:
                yield f"id: {self.last_id}\nevent: reload\ndata: {{}}\n\n"
            for told in missed:
                yield self._lines(told)
            while not self._closed:
                try:
                    next_one = await asyncio.wait_for(page.get(), self._ping)
                except TimeoutError:
                    yield ": ping\n\n"
                    continue
                if next_one is None:
                    return
                yield self._lines(next_one)
        finally:
            self._pages.discard(page)

    def _after(self, last_id: str) -> tuple[tuple[PageEvent, ...], bool]:
        if not last_id:
            return (), True
        mark, _, number = last_id.rpartition("-")
        if mark != self.mark or not number.isdigit() or int(number) > self._number:
            return (), False
        oldest = self._ring[0].number if self._ring else self._number + 1
        if int(number) + 1 < oldest:
            return (), False
        return tuple(t for t in self._ring if t.number > int(number)), True

    def _lines(self, told: PageEvent) -> str:
        return f"id: {self.mark}-{told.number}\nevent: {told.kind}\ndata: {told.data}\n\n"


async def stream(request: web.Request, hub: EventHub) -> web.StreamResponse:
    """GET /events. `Last-Event-ID` (or ?after=) says what the page has already seen."""
    last_id = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
    )
    try:
        await response.prepare(request)
        async for lines in hub.listen(last_id):
            await response.write(lines.encode())
    except ConnectionResetError:
        pass  # the page went away, perhaps before it was answered at all
    return response
