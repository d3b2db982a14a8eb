"""A Bot API server for measuring: hands out N messages at once, counts the answers, tells when it began and
when all are there.  python bot_api.py N CHATS [FILE]

FILE holds a question a line; without it everybody asks the same.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from aiohttp import web


async def main(number: int, chats: int, questions: list[str]) -> None:
    updates = [
        {
            "update_id": n + 1,
            "message": {
                "message_id": n + 1,
                "date": int(time.time()),
                "text": questions[n % len(questions)],
                "chat": {"id": 1000 + n % chats, "type": "private", "first_name": "Анна"},
                "from": {"id": 1000 + n % chats, "is_bot": False, "first_name": "Анна"},
            },
        }
        for n in range(number)
    ]
    confirmed, answers, began, done = 0, 0, 0.0, asyncio.Event()

    async def api(request: web.Request) -> web.Response:
        nonlocal confirmed, answers, began
        method = request.match_info["method"]
        body = (
            await request.post()
            if request.method == "POST" and request.content_type != "application/json"
            else await request.json()
            if request.can_read_body
            else {}
        )
        if method == "getUpdates":
            confirmed = max(confirmed, int(str(body.get("offset") or 0)) - 1)
            waiting = updates[confirmed : confirmed + 100]
            if not began:
                began = time.perf_counter()
                print("begun", flush=True)
            if not waiting:
                await asyncio.sleep(0.2)
            return web.json_response({"ok": True, "result": waiting})
        if method == "sendMessage":
            answers += 1
            if answers == number:
                done.set()
            return web.json_response(
                {
                    "ok": True,
                    "result": {
                        "message_id": 100_000 + answers,
                        "date": 1,
                        "chat": {"id": 1, "type": "private"},
                        "text": "x",
                    },
                }
            )
        if method == "getMe":
            return web.json_response(
                {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "b", "username": "b_bot"}}
            )
        return web.json_response({"ok": True, "result": True})

    app = web.Application()
    app.router.add_route("*", "/bot{token}/{method}", api)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await done.wait()
    print(json.dumps({"answers": answers, "seconds": time.perf_counter() - began}), flush=True)
    await asyncio.sleep(1)


if __name__ == "__main__":
    asked = (
        Path(sys.argv[3]).read_text("utf-8").splitlines()
        if len(sys.argv) > 3
        else ["сколько идёт доставка по москве"]
    )
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), asked))
