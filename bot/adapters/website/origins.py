"""Which pages may speak with the chat, and what a browser is told about it."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from aiohttp import web

METHODS = "GET, POST"
HEADERS = "Authorization, Content-Type"
PREFLIGHT_KEPT = "600"  # seconds


class Origins:
    """The sites of one channel, exactly as browsers name them; *own* lets pages of this very host in."""

    def __init__(self, allowed: Collection[str], *, own: bool = False) -> None:
        self._allowed, self._own = frozenset(allowed), own

    def admits(self, request: web.Request) -> bool:
        """Whether the page may. A request without an origin is no page of another site: a browser names it
        for every one of those.
        """
        origin = request.headers.get("Origin")
        if origin is None:
            return request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
        return origin in self._allowed or (self._own and urlsplit(origin).netloc == request.host)

    def headers(self, request: web.Request) -> dict[str, str]:
        """What every answer says of it; nothing is allowed to a page of another site."""
        origin = request.headers.get("Origin")
        if origin is None or not self.admits(request):
            return {"Vary": "Origin"}
        return {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": "Retry-After",
        }

    def preflight(self, request: web.Request) -> Mapping[str, str]:
        """For OPTIONS."""
        return {
            **self.headers(request),
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": HEADERS,
            "Access-Control-Max-Age": PREFLIGHT_KEPT,
        }


class Callers:
    """Where requests come from. Only the business's own *proxies* are believed when they name somebody."""

    def __init__(self, proxies: Collection[str]) -> None:
        self._proxies = [ipaddress.ip_network(p, strict=False) for p in proxies]

    def address(self, request: web.Request) -> str:
        """The first address, from our side, that is no proxy of ours; of IPv6 its network."""
        found = request.remote or ""
        named = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        for hop in reversed([n.strip() for n in named if n.strip()]):
            if not self._is_proxy(found):
                break
            found = hop
        return _network(found)

    def _is_proxy(self, address: str) -> bool:
        try:
            return any(ipaddress.ip_address(address) in network for network in self._proxies)
        except ValueError:
            return False


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)
