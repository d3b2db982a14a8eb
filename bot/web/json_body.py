"""What a page's script sends."""

from __future__ import annotations

from aiohttp import web


async def json_object(request: web.Request, expected: str) -> dict[str, object]:
    """The object in the body of a request. Raises a 400, which names what was *expected*."""
    try:
        data = await request.json()
    except ValueError as error:
        raise web.HTTPBadRequest(text="JSON expected") from error
    if not isinstance(data, dict):
        raise web.HTTPBadRequest(text=f"{expected} expected")
    return data
