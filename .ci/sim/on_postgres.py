"""Any check that starts the bot by `$BOT`, on PostgreSQL and with two processes.

    python .ci/sim/on_postgres.py [--processes N] -- python ../shared/acceptance/main_job.py

Starts a PostgreSQL server of its own and gives the check a `$BOT` that is this script: asked to `run`, it
makes a database for the folder of the config (the same one at the next start there), names it in the config
in place of the SQLite file, and starts N processes in its own process group, so that whoever kills the group
kills all.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.postgres import running

FILE = "sqlite:///bot.db"


def main() -> int:
    """The exit code of the check, or of the first process of the bot that ended."""
    if "ON_POSTGRES_BOT" in os.environ:
        return _bot(sys.argv[1:])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    told = parser.parse_args()
    command = told.command[1:] if told.command[:1] == ["--"] else told.command
    with running() as cluster:
        environment = os.environ | {
            "ON_POSTGRES_BOT": os.environ["BOT"],
            "ON_POSTGRES_PROCESSES": str(told.processes),
            "ON_POSTGRES_URL": cluster.url(),
            "BOT": f"{sys.executable} {Path(__file__).resolve()}",
        }
        return subprocess.run(command, env=environment, check=False).returncode


def _bot(arguments: list[str]) -> int:
    bot = os.environ["ON_POSTGRES_BOT"].split()
    if arguments[:1] != ["run"]:
        return subprocess.run([*bot, *arguments], check=False).returncode
    config = Path(arguments[arguments.index("--config") + 1])
    text = config.read_text(encoding="utf-8")
    if FILE in text:
        config.write_text(text.replace(FILE, _database(config)), encoding="utf-8")
    processes = [
        subprocess.Popen([*bot, *arguments, "--replica", f"{config.parent.name}-{n}"])
        for n in range(int(os.environ["ON_POSTGRES_PROCESSES"]))
    ]

    def stop(number: int, frame: object) -> None:
        for process in processes:
            process.send_signal(number)

    signal.signal(signal.SIGTERM, stop)
    return max(process.wait() for process in processes)


def _database(config: Path) -> str:
    """The address of a new database, named after the folder of the config."""
    server = os.environ["ON_POSTGRES_URL"]
    name = "check_" + "".join(c for c in config.parent.name.lower() if c.isalnum())
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}" template template0')
    return f"{server.rpartition('/')[0]}/{name}"


if __name__ == "__main__":
    sys.exit(main())
