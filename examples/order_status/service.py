"""A little order service, to try the dialog with: python examples/order_status/service.py"""

from __future__ import annotations

from aiohttp import web

ORDERS = {
    "48213": {"state": "в пути", "expected": "2026-11-24"},
    "48214": {"state": "собран, ждёт курьера", "expected": "2026-11-23"},
}


async def order(request: web.Request) -> web.Response:
    number = request.match_info["number"]
    return (
        web.json_response(ORDERS[number])
        if number in ORDERS
        else web.json_response({"error": "unknown"}, status=404)
    )


def application() -> web.Application:
    app = web.Application()
    app.router.add_get("/orders/{number}", order)
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=8099)
