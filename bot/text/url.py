"""Addresses of databases, as people may see them."""

from __future__ import annotations


def shown_url(url: str) -> str:
    """The address without its password, and without what follows the database.

    >>> shown_url("postgresql://bot:secret@db.example.com/shop?sslmode=require")
    'postgresql://bot@db.example.com/shop'
    """
    scheme, mark, rest = url.partition("://")
    who, at, where = rest.rpartition("@")
    return f"{scheme}{mark}{who.partition(':')[0]}{at}{where.partition('?')[0]}"
