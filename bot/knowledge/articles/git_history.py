"""The history of articles where their folder is a git checkout: a commit for each step, nothing else is
touched and nothing is pushed.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

SECONDS = 20.0  # for one call of git
MOST = 100  # commits that are listed
_SIGN = "\x1f"
_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "commit.gpgsign=false", "-c", "core.quotepath=off")


@dataclass(frozen=True, slots=True)
class ArticleCommit:
    """A commit that changed a file; `path` is where the file is in the repository."""

    hash: str
    at: datetime
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class CommitAuthor:
    """Who a commit is by."""

    name: str
    email: str


class GitHistory:
    """The commits of single files of *folder*. Whatever git cannot do is told by False or nothing, never
    raised: the caller has another way.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_kept(self, place: str) -> bool:
        """Whether the file belongs to a checkout: git is there, and does not ignore it."""
        inside = self._git("rev-parse", "--is-inside-work-tree")
        return inside == "true\n" and self._call("check-ignore", "-q", "--", place).returncode == 1

    def commit(self, places: Sequence[str], message: str, author: CommitAuthor) -> bool:
        """Commit these files alone, whatever else is changed or staged; False where nothing was committed."""
        known = [p for p in places if (self._folder / p).exists() or self._git("ls-files", "--", _exact(p))]
        files = [_exact(p) for p in known]
        if not files or self._git("add", "-A", "--", *files) is None:
            return False
        by = f"{author.name} <{author.email}>"
        done = self._git("commit", "-q", "--no-verify", "-m", message, "--author", by, "--only", "--", *files)
        if done is None:
            self._git("reset", "-q", "--", *files)
        return done is not None

    def commits(self, place: str) -> tuple[ArticleCommit, ...]:
        """The commits of a file, the newest first."""
        form = _SIGN.join(("%H", "%ct", "%an", "%s"))
        told = self._git("log", f"-{MOST}", f"--format={form}", "--", _exact(place)) or ""
        rows = (row.split(_SIGN) for row in told.splitlines())
        return tuple(
            ArticleCommit(row[0], datetime.fromtimestamp(int(row[1]), UTC), row[2], row[3])
            for row in rows
            if len(row) == 4
        )

    def text(self, hash: str, place: str) -> str | None:
        """What the file held in a commit; None where it was not there, or there is no such commit."""
        if not hash.isalnum():
            return None
        return self._git("show", f"{hash}:./{place}")

    def _git(self, *arguments: str) -> str | None:
        done = self._call(*arguments)
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = ["git", *_QUIET, *arguments]
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("GIT_")},
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_COMMITTER_NAME": "otklik",
            "GIT_COMMITTER_EMAIL": "pages@otklik.invalid",
        }
        try:
            return subprocess.run(
                command,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return subprocess.CompletedProcess(command, 128, b"", b"")


def _exact(place: str) -> str:
    """A path as it is, without signs that git reads as a pattern."""
    return f":(literal){place}"
