"""Addresses that came from outside: they may lead to the open web, never to this machine or its
neighbours.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from bot.errors import Refused


def check_address(url: str) -> None:
    """Raises `Refused` for another scheme than http(s), for no host, and for a number that is not public.

    >>> check_address("https://vk.com/doc1")
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Refused("the file has no address")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return  # a name: the resolver judges what it stands for
    if not _is_public(literal):
        raise Refused("the file's address is not public")


def is_own_network(url: str) -> bool:
    """Whether an address of the owner's own config stays on this machine or in their network, as far as it
    tells by itself.

    >>> is_own_network("http://127.0.0.1:11434/v1"), is_own_network("http://api.example.com/v1")
    (True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return not _is_public(ipaddress.ip_address(host))
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan", ".localhost"))


class PublicResolver(ThreadedResolver):
    """Names as addresses, private ones left out.

    The connection goes to what was judged, so a second answer changes nothing.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        public = [
            found
            for found in await super().resolve(host, port, family)
            if _is_public(ipaddress.ip_address(found["host"].partition("%")[0]))
        ]
        if not public:
            raise OSError("the name stands for no public address")
        return public


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None)
    return _is_public(inner) if inner is not None else address.is_global and not address.is_multicast
