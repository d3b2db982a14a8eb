"""`bot model`: the encoder of search by meaning, made ready or fetched ahead of time."""

from __future__ import annotations

from pathlib import Path

import typer

from bot.app import cache_folder
from bot.cli import settings
from bot.cli.drawing import busy
from bot.cli.messages import fail, say
from bot.errors import BotError
from bot.knowledge.encoder import loader


def prepare(path: Path | None) -> None:
    """Make the encoders ready now rather than at the first start; doing it again changes nothing."""
    try:
        config = settings.load(path, anywhere=True)
        with busy(say("progress.preparing")) as told:
            missing = loader.prepare(config.knowledge.embeddings.model, cache_folder(config), told)
    except BotError as error:
        raise fail(error) from None
    typer.echo(say("message.prepared") + (f" ({missing})" if missing else ""))


def pull(name: str, folder: Path) -> None:
    """Fetch a model from the hub into *folder*; `knowledge.embeddings.model` then names the folder."""
    try:
        kept = loader.pull(name, folder)
    except BotError as error:
        raise fail(error) from None
    typer.echo(say("message.pulled", folder=kept))
