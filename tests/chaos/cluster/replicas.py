"""The replicas as processes: started, killed, frozen; and each moment at which one was disturbed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import yaml

from tests.chaos.platforms import DESK_CHAT
from tests.fakes import telegram_server, vk_server

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Disturbance:
    """From when to when a process (-1: the database) was not itself."""

    replica: int
    since: float
    until: float
    what: str


@dataclass(slots=True)
class Replica:
    """One of the processes that share a config and a database; only the servers' addresses are its own."""

    number: int
    folder: Path
    bases: dict[str, str]
    planted: str = ""
    process: subprocess.Popen[bytes] | None = None
    frozen: float = 0.0
    disturbed: list[Disturbance] = field(default_factory=list)
    starts: int = 0
    began: float = 0.0
    _log: IO[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"replica-{self.number}.log"

    def start(self) -> None:
        """Begin a life. It works some seconds later."""
        self.starts, self.began = self.starts + 1, time.monotonic()
        self._log = self.log.open("ab")
        bases = {f"{name.upper()}_BASE": base for name, base in self.bases.items()}
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.chaos.cluster.replica",
                str(self.folder / "config.yaml"),
                self.planted,
            ],
            cwd=ROOT,
            env={**os.environ, "TELEGRAM_TOKEN": telegram_server.TOKEN, "VK_TOKEN": vk_server.TOKEN, **bases},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)
        self.disturbed.append(Disturbance(self.number, time.monotonic(), time.monotonic(), "killed"))

    def stop(self) -> int:
        """SIGTERM, and what it ended with; a process that does not hear it within 20 seconds is killed."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        return self._end(signal.SIGTERM)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)
        self.frozen = time.monotonic()

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)
        self.disturbed.append(Disturbance(self.number, self.frozen, time.monotonic(), "frozen"))
        self.frozen = 0.0

    def ended(self) -> int | None:
        """The exit code where it ended by itself."""
        return None if self.process is None else self.process.poll()

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, number)

    def _end(self, number: signal.Signals) -> int:
        self._signal(number)
        code = 0 if self.process is None else self.process.wait()
        if self._log is not None:
            self._log.close()
        self.process, self._log = None, None
        return code


def write_config(folder: Path, url: str) -> None:
    """The config that all replicas share."""
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "00:00-24:00")
    base = {"telegram": "${TELEGRAM_BASE}", "vk": "${VK_BASE}"}
    made = {
        "storage": {"url": url},
        "knowledge": {"folder": "kb", "embeddings": {"model": "off"}, "watch": False, "cache": "cache"},
        "channels": {
            "telegram": {"type": "telegram", "token": "${TELEGRAM_TOKEN}", "api_base": base["telegram"]},
            "vk": {
                "type": "vk",
                "token": "${VK_TOKEN}",
                "group_id": vk_server.GROUP,
                "api_base": base["vk"],
                "mark_read": False,
            },
        },
        "desk": {"channel": "telegram", "chat": int(DESK_CHAT)},
        "hours": {"timezone": "UTC", "week": week, "country": None},
        "dialogs": {"settle": 0.3, "settle_limit": 1, "typing": False},
        "rating": {"ask": False},
        "logging": {"level": "info"},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(made, allow_unicode=True), encoding="utf-8")
