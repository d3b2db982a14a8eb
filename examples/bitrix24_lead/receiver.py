"""Every customer handed over to people becomes a lead in Bitrix24, once: a receiver of Отклик's webhook
`ticket_opened`.

Environment: BITRIX24_URL (incoming webhook with the right `crm`, as https://shop.bitrix24.ru/rest/1/xxxx/),
OTKLIK_WEBHOOK_SECRET,
OTKLIK_URL and OTKLIK_KEY (the page's address and a key that may `customers` and `tickets`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
from aiohttp import web

ORIGIN = "otklik"  # who made the lead, as Bitrix24 keeps it
CLOCK: web.AppKey[Callable[[], float]] = web.AppKey("clock")
TOLERANCE = 300  # seconds that a signed call may be old: an older one is somebody's recording


def is_signed(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Whether Отклик sent this, lately (Standard Webhooks)."""
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    made = base64.b64encode(hmac.digest(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256)).decode()
    return any(
        hmac.compare_digest(f"v1,{made}", given) for given in headers.get("webhook-signature", "").split()
    )


def lead(
    event: Mapping[str, Any], customer: Mapping[str, Any], ticket: Mapping[str, Any], id: str
) -> dict[str, object]:
    """The fields of `crm.lead.add`."""
    known = customer["attributes"]
    fields: dict[str, object] = {
        "TITLE": f"Обращение №{ticket['number']}" + (f": {ticket['topic']}" if ticket["topic"] else ""),
        "NAME": customer["name"] or "Клиент",
        "SOURCE_ID": "WEB",
        "SOURCE_DESCRIPTION": event["data"]["channel"],
        "COMMENTS": f"Клиент №{customer['id']}, обращение открыто {event['timestamp']}",
        "ORIGINATOR_ID": ORIGIN,
        "ORIGIN_ID": id,
    }
    for name, field in (("phone", "PHONE"), ("email", "EMAIL")):
        if known.get(name):
            fields[field] = [{"VALUE": known[name], "VALUE_TYPE": "WORK"}]
    return fields


async def bitrix(session: aiohttp.ClientSession, method: str, **body: object) -> Any:
    """One call of Bitrix24; raises for anything that is no result.

    Its address is a secret and is never shown.
    """
    async with session.post(f"{os.environ['BITRIX24_URL'].rstrip('/')}/{method}.json", json=body) as answer:
        told = await answer.json(content_type=None)
        if answer.status != 200 or "error" in told:
            raise RuntimeError(f"{method}: HTTP {answer.status} {told.get('error', '')}")
        return told["result"]


async def otklik(session: aiohttp.ClientSession, path: str) -> Any:
    url, key = os.environ["OTKLIK_URL"].rstrip("/"), os.environ["OTKLIK_KEY"]
    async with session.get(f"{url}/api/v1{path}", headers={"Authorization": f"Bearer {key}"}) as answer:
        answer.raise_for_status()
        return await answer.json()


async def take(request: web.Request) -> web.Response:
    """A failure is answered with 503: Отклик calls again later, with the same id, and the lead is looked for
    before it is made.
    """
    body = await request.read()
    if not is_signed(request.headers, body, os.environ["OTKLIK_WEBHOOK_SECRET"], request.app[CLOCK]()):
        return web.Response(status=401)
    event, id = json.loads(body), request.headers["webhook-id"]
    if event["type"] != "ticket_opened":
        return web.Response(status=204)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            if await bitrix(
                session, "crm.lead.list", filter={"ORIGINATOR_ID": ORIGIN, "ORIGIN_ID": id}, select=["ID"]
            ):
                return web.Response(status=204)
            customer = await otklik(session, f"/customers/{event['data']['customer']}")
            ticket = await otklik(session, f"/tickets/{event['data']['ticket']}")
            await bitrix(
                session,
                "crm.lead.add",
                fields=lead(event, customer, ticket, id),
                params={"REGISTER_SONET_EVENT": "Y"},
            )
    except (aiohttp.ClientError, RuntimeError, TimeoutError) as error:
        request.app.logger.warning("not yet: %s", type(error).__name__)
        return web.Response(status=503)
    return web.Response(status=204)


def application(clock: Callable[[], float] = time.time) -> web.Application:
    """The receiver; *clock* tells Unix seconds."""
    app = web.Application()
    app[CLOCK] = clock
    app.router.add_post("/hook", take)
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=8090)
