"""`bot health`: whether the bot that runs with this config answers on its page's port; for container health
checks.
"""

from __future__ import annotations

from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import typer

from bot.cli import settings
from bot.cli.messages import EXIT_PROBLEM, say

PATIENCE = 4.0  # seconds
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}


def check(path: Path | None, *, port: int | None) -> None:
    """Asks /healthz. Exit code 1 where nothing answers."""
    web = settings.load(path, anywhere=True).web
    url = f"http://{_EVERYWHERE.get(web.host, web.host)}:{web.port if port is None else port}/healthz"
    try:
        with urlopen(url, timeout=PATIENCE):
            typer.echo(say("message.healthy", url=url))
    except (OSError, HTTPException) as error:
        typer.secho(say("message.not_healthy", url=url, reason=type(error).__name__), fg="red", err=True)
        raise typer.Exit(EXIT_PROBLEM) from None
