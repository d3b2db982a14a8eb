"""What is shipped for servers keeps what the docs promise: the files themselves are read."""

from __future__ import annotations

import re
import runpy
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from bot.cli.root import app
from bot.config.loader import Config

ROOT = Path(__file__).parents[2]


@pytest.fixture
def service() -> dict[str, Any]:
    """The bot's service in compose.yaml."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return {**found["services"]["bot"], "named": set(found["volumes"])}


def _image() -> str:
    return re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text("utf-8"))


def test_the_page_of_the_container_can_be_reached(service: dict[str, Any]) -> None:
    """The port of the config is published, on this machine only."""
    port = Config().web.port
    assert service["ports"] == [f"127.0.0.1:${{WEB_PORT:-{port}}}:${{WEB_PORT:-{port}}}"]


def test_what_is_kept_lies_on_volumes(service: dict[str, Any]) -> None:
    """Database and cache outlive the container; the cache is where the image looks for it, and no tmpfs lies
    over it.
    """
    places = {v.split(":")[1]: v.split(":")[0] for v in service["volumes"]}
    cache = re.search(r"XDG_CACHE_HOME=(\S+)", _image())
    assert cache and {places["/app/data"], places[cache.group(1)]} <= service["named"]
    assert not any(cache.group(1) in t for t in service["tmpfs"])
    made = re.search(r"VOLUME (\[.*\])", _image())
    assert made and set(yaml.safe_load(made.group(1))) == {"/app/data", cache.group(1)}


def test_the_gaps_page_can_write_articles(service: dict[str, Any]) -> None:
    """The folder of the articles is writable in the container and in the unit; the config is not."""
    folder = Config().knowledge.folder
    assert (
        f"./{folder}:/app/{folder}" in service["volumes"]
        and "./config.yaml:/app/config.yaml:ro" in service["volumes"]
    )
    unit = (ROOT / "deploy" / "otklik.service").read_text("utf-8")
    written = re.search(r"(?m)^ReadWritePaths=(.*)$", unit)
    assert written and {p.lstrip("-") for p in written.group(1).split()} == {
        "/opt/otklik/data",
        f"/opt/otklik/{folder}",
    }
    assert "CacheDirectoryMode=0700" in unit


def test_health_is_asked_of_the_configured_port(tmp_path: Path) -> None:
    """The image asks the command, and the command the port of the config: 0 where the bot answers, 1 where
    nobody does.
    """
    asked = re.search(r"HEALTHCHECK .*CMD (\[.*\])", _image())
    assert asked and yaml.safe_load(asked.group(1)) == ["bot", "health", "--config", "/app/config.yaml"]
    heard: list[str] = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = tmp_path / "config.yaml"
    config.write_text(
        f'web: {{host: 0.0.0.0, port: {server.server_port}, password: "${{WEB_PASSWORD}}"}}\n',
        encoding="utf-8",
    )
    environment = {"WEB_PASSWORD": "a long password of the pages"}
    alive = CliRunner().invoke(app, ["health", "--config", str(config)], env=environment)
    server.shutdown()
    server.server_close()
    dead = CliRunner().invoke(app, ["health", "--config", str(config)], env=environment)
    assert (alive.exit_code, dead.exit_code, heard) == (0, 1, ["/healthz"]), alive.output


@pytest.fixture
def cluster() -> dict[str, Any]:
    """deploy/compose.cluster.yaml."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.cluster.yaml").read_text("utf-8"))
    return found


def test_the_cluster_has_a_database_two_processes_and_a_balancer_before_them(cluster: dict[str, Any]) -> None:
    """The bots wait until the database answers; each is known to the balancer, on the port of the config."""
    services = cluster["services"]
    bots = [name for name, s in services.items() if "build" in s]
    assert len(bots) == 2 and all(services[name]["hostname"] == name for name in bots)
    assert all(
        services[name]["depends_on"] == {"database": {"condition": "service_healthy"}} for name in bots
    )
    options = {o for p in get_command(app).commands["run"].params for o in p.opts}  # type: ignore[attr-defined]
    for name in bots:
        called = services[name]["command"]
        assert called[:2] == ["bot", "run"] and called[called.index("--replica") + 1] == name
        assert {word for word in called if word.startswith("--")} <= options
    assert all("healthcheck" in services[name] for name in services if name not in bots)  # theirs: the image
    balancer = (ROOT / "deploy" / "nginx.conf").read_text("utf-8")
    upstream = set(re.findall(r"(?m)^\s*server ([\w-]+):(\d+) ", balancer))
    assert upstream == {(name, str(Config().web.port)) for name in bots}
    inside = re.search(r"(?m)^\s*listen (\d+);", balancer)
    assert inside and services["balancer"]["ports"] == [f"127.0.0.1:${{WEB_PORT:-8080}}:{inside.group(1)}"]
    assert "./nginx.conf:/etc/nginx/nginx.conf:ro" in services["balancer"]["volumes"]


def test_the_cluster_keeps_its_data_on_volumes_and_no_secret(cluster: dict[str, Any]) -> None:
    """The articles are one folder for all processes; the password of the database comes from .env."""
    services, folder = cluster["services"], Config().knowledge.folder
    assert "database:/var/lib/postgresql/data" in services["database"]["volumes"]
    named = {v.split(":")[0] for s in services.values() for v in s.get("volumes", ()) if v[0] not in "./"}
    assert named == set(cluster["volumes"])
    for name in ("bot-1", "bot-2"):
        assert f"../{folder}:/app/{folder}" in services[name]["volumes"]
        assert "../config.yaml:/app/config.yaml:ro" in services[name]["volumes"]
        assert services[name]["env_file"] == "../.env" and "environment" not in services[name]
    secrets = {k: v for k, v in services["database"]["environment"].items() if "PASSWORD" in k}
    assert len(secrets) == 1 and all(v.startswith("${DATABASE_PASSWORD:?") for v in secrets.values())


def test_each_process_of_the_template_unit_is_as_shut_in_as_the_single_one() -> None:
    """bot@.service differs from otklik.service by what tells the processes apart, and by the database."""
    single, several = (
        (ROOT / "deploy" / name).read_text("utf-8").splitlines()
        for name in ("otklik.service", "bot@.service")
    )
    only = {line for line in several if line not in single and not line.startswith("#")}
    assert only == {
        "Description=Otklik, a customer-support bot (process %i)",
        "After=network-online.target postgresql.service",
        "Environment=BOT_OPTIONS=",
        "EnvironmentFile=-/etc/otklik.%i.env",
        "ExecStart=/opt/otklik/.venv/bin/bot run --replica %H-%i $BOT_OPTIONS",
        "ReadWritePaths=-/opt/otklik/data -/opt/otklik/kb_articles",
    }
    lost = {line.partition("=")[0] for line in single if line not in several and not line.startswith("#")}
    assert lost == {"Description", "After", "ExecStart", "ReadWritePaths"}


ENVIRONMENT = r"""
# a comment; a name with export is none for systemd
TOKEN=123:AbC-def
  SPACED =  two words  \t
EMPTY=
SINGLE='a $HOME `id` # ; \n "x"'
DOUBLE="a \"b\" \$HOME \\ \n"
JOINED="a"'b' c
HASH=a#b ;c
LINES=one\
two
ESCAPED=a\$b\ c
export NOT=1
1BAD=1
no equals here
; DEAD=1
RUN=$(touch /tmp/x)
LAST=end"""
READ = {
    "TOKEN": "123:AbC-def",
    "SPACED": "two words  t",
    "EMPTY": "",
    "SINGLE": 'a $HOME `id` # ; \\n "x"',
    "DOUBLE": 'a "b" $HOME \\ \\n',
    "JOINED": "abc",
    "HASH": "a#b ;c",
    "LINES": "onetwo",
    "ESCAPED": "a$b c",
    "RUN": "$(touch /tmp/x)",
    "LAST": "end",
}


def test_the_environment_file_is_no_script() -> None:
    """`deploy/bot` reads it as systemd.exec(5) says EnvironmentFile= does: the same values, nothing expanded,
    nothing run.
    """
    program = runpy.run_path(str(ROOT / "deploy" / "bot"), run_name="read")
    unit = (ROOT / "deploy" / "otklik.service").read_text("utf-8")
    assert program["read_environment"](ENVIRONMENT) == READ
    assert (
        f"EnvironmentFile={program['ENVIRONMENT']}" in unit
        and f"WorkingDirectory={program['FOLDER']}" in unit
    )
    assert f"User={program['USER']}" in unit
