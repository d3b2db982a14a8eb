"""Files in the folder of articles that look like articles to people and are none to the bot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bot.errors import Problem
from bot.knowledge.codes import found

TEXTS = (
    ".txt", ".text", ".rtf", ".doc", ".docx", ".odt", ".pages", ".pdf", ".htm", ".html", ".mdx", ".rst",
    ".csv", ".tsv", ".xls", ".xlsx", ".ods", ".json", ".jsonl",
)  # fmt: skip


def stray_files(folder: Path) -> tuple[Problem, ...]:
    """A warning for each text that somebody may take for an article; hidden files and those beginning with
    `_` are left in peace.
    """
    return tuple(found("KB018", path, 1, 1, Path(path).name) for path in sorted(_below(folder.as_posix())))


def _below(folder: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.name[0] in "._~":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path)
        elif entry.name.lower().endswith(TEXTS):
            yield entry.path
