"""The command line: thin commands over the service, in Russian unless asked otherwise."""

from __future__ import annotations

from bot.cli.root import main

__all__ = ["main"]
