"""The call with which a platform brings an update to us: it shows a secret, is small, and is JSON."""

from __future__ import annotations

import json
from hmac import compare_digest
from typing import Any

from aiohttp import web

LONGEST = 1024 * 1024  # bytes of a call
RETRY_AFTER = "5"  # seconds


async def read_update(request: web.Request, *, shown: str, secret: str) -> dict[str, Any] | web.Response:
    """The update; or the refusal, where the call does not show *secret* or brings something else."""
    if not secret or not compare_digest(shown.encode("utf-8", "surrogateescape"), secret.encode()):
        return web.Response(status=401)
    if request.content_type != "application/json":
        return web.Response(status=415)
    body = await _read_body(request)
    if body is None:
        return web.Response(status=413)
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        return web.Response(status=400)
    return update if isinstance(update, dict) else web.Response(status=400)


def not_kept() -> web.Response:
    """The update could not be kept: the platform is to bring it again."""
    return web.Response(status=503, text="later", headers={"Retry-After": RETRY_AFTER})


async def _read_body(request: web.Request) -> bytes | None:
    """None where it is too long, however long it says that it is."""
    if (request.content_length or 0) > LONGEST:
        return None
    chunks, size = [], 0
    async for chunk in request.content.iter_chunked(1 << 16):
        size += len(chunk)
        if size > LONGEST:
            return None
        chunks.append(chunk)
    return b"".join(chunks)
