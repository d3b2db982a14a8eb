"""The flows of a folder, read and checked: every fault with its file and line, in words for whoever wrote
it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from bot.config.faults import VARIABLE, ConfigFaults
from bot.dialogs.flows.flow_file import FlowFile, FlowStep, spoken
from bot.dialogs.flows.flow_graph import endless, strays, unreached
from bot.dialogs.flows.flow_templates import names_in
from bot.errors import ConfigError, Problem
from bot.i18n.texts import article_grammar
from bot.text.customer_fields import is_own
from bot.text.nearest import nearest
from bot.text.problems import problem, told, warning
from bot.text.yaml_source import YamlError, YamlNode, read_yaml_file


@dataclass(frozen=True, slots=True)
class FlowRules:
    """What a flow is checked against: *hosts* it may call, *patience* of the dialogs in seconds, articles,
    and the names of variables that are set.
    """

    hosts: Collection[str] = ()
    patience: float = 20.0
    has_article: Callable[[str], bool] = lambda _: True
    environment: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class FlowFolder:
    """The flows by name, in the order of their files; *warnings* stop nothing."""

    flows: Mapping[str, FlowFile] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()


def read_flows(folder: Path, rules: FlowRules) -> FlowFolder:
    """Every flow of *folder*; none where there is no folder. Raises `ConfigError` with all faults at once."""
    flows: dict[str, FlowFile] = {}
    found: list[Problem] = []
    for path in sorted(p for p in folder.glob("*.y*ml") if p.suffix in (".yaml", ".yml")):
        try:
            flow, root = _read(path)
        except ConfigError as error:
            found += error.problems
            continue
        flows[flow.name] = flow
        found += checks(flow, root, rules)
    found += _twice(flows)
    if any(p.severity == "error" for p in found):
        raise ConfigError(found)
    return FlowFolder(flows, tuple(found))


def _read(path: Path) -> tuple[FlowFile, YamlNode | None]:
    try:
        root = read_yaml_file(path)
    except YamlError as error:
        raise ConfigError([error.problem(str(path))]) from None
    raw = root.value if root else None
    if not isinstance(raw, dict):
        raise ConfigError([problem("flows.empty", str(path), 1)])
    if not path.stem.replace("-", "_").isidentifier() or len(path.stem) > 40:
        raise ConfigError([problem("flows.file_name", str(path), 1, name=path.stem)])
    try:
        flow = FlowFile.model_validate({**raw, "name": path.stem, "file": path})
    except ValidationError as error:
        faults = ConfigFaults(FlowFile, path, root, partial(_called, root))
        raise ConfigError(
            faults.problems(dict(e) for e in error.errors(include_input=False, include_url=False))
        ) from None
    return flow, root


def _called(root: YamlNode | None, place: Sequence[str]) -> str:
    """A place as who writes the file calls it: «typ (step 2, “number”)» instead of steps.1.typ."""
    if len(place) < 2 or place[0] != "steps" or not place[1].isdigit():
        return ".".join(place)
    step = root.find(*place[:2])[0] if root else None
    id = step.get("id") if step is not None and step.kind == "map" else None
    facts = {"number": int(place[1]) + 1, "id": id.text if id is not None and id.kind == "text" else ""}
    where = told("flows.step_named" if facts["id"] else "flows.step", **facts)
    key = next((part for part in reversed(place[2:]) if not part.isdigit()), "")
    return told("flows.in_step", key=key, step=where) if key else where


def checks(flow: FlowFile, root: YamlNode | None, rules: FlowRules) -> Iterator[Problem]:
    """What is wrong with a flow as a whole."""

    def here(*place: str) -> tuple[str, int]:
        return str(flow.file), root.find(*place)[1] if root else 1

    names = [flow.named(n) for n in range(len(flow.steps))]
    for n, name in enumerate(names):
        if names.index(name) != n:
            yield problem("flows.twice", *here("steps", str(n)), name=name)
        if flow.steps[n].ask is not None and is_own(name):
            yield problem("flows.own_field", *here("steps", str(n)), name=name)
    for place, name in strays(flow):
        near = ", ".join(nearest(name, names)) or ", ".join(names[:8])
        yield problem("flows.no_step", *here(*place), name=name, near=near)
    for n in unreached(flow):
        yield warning("flows.unreached", *here("steps", str(n)), name=flow.named(n))
    for n in endless(flow)[:1]:
        yield problem("flows.endless", *here("steps", str(n)), name=flow.named(n))
    if not (flow.start.words or flow.start.examples or flow.start.command or flow.start.menu) and (
        flow.questionnaire is None
    ):
        yield warning("flows.no_start", *here("start"), name=flow.name)
    for n, step in enumerate(flow.steps):
        yield from _step_faults(flow, step, rules, partial(here, "steps", str(n)))
    slow = sum(s.request.timeout for s in flow.steps if s.request is not None)
    if slow >= rules.patience:
        yield warning("flows.slow", *here("steps"), seconds=f"{slow:g}", most=f"{rules.patience:g}")


def _step_faults(
    flow: FlowFile, step: FlowStep, rules: FlowRules, here: Callable[..., tuple[str, int]]
) -> Iterator[Problem]:
    known = {*flow.answers, "code", "to", "customer", "now", "business", "lang"}
    for case, one in enumerate(step.when or ()):
        if one.answer is not None and one.answer not in flow.answers:
            near = ", ".join(nearest(one.answer, flow.answers)) or ", ".join(flow.answers[:8])
            yield problem("flows.no_answer", *here("when", str(case)), name=one.answer, near=near)
    if step.article is not None and not rules.has_article(step.article):
        yield problem("flows.no_article", *here("article"), name=step.article)
    for name in step.set or ():
        if is_own(name):
            yield problem("flows.own_field", *here("set"), name=name)
    for key in ("say", "ask", "retry", "end", "person", "http", "code", "set"):
        value = getattr(step, key)
        value = value.model_dump() if hasattr(value, "model_dump") else value
        for name in dict.fromkeys(names_in(value)):
            if name.partition(".")[0] not in known:
                near = ", ".join(nearest(name, flow.answers)) or ", ".join(flow.answers[:8])
                yield problem("flows.no_answer", *here(key), name=name, near=near)
    for key in ("say", "ask", "retry", "end", "person"):
        for language in ("ru", "en"):
            value = getattr(step, key)
            if isinstance(value, str | Mapping) and article_grammar().syntax_fault(spoken(value, language)):
                yield problem("flows.template", *here(key))
                break
    for key in ("http", "code"):
        for name in dict.fromkeys(VARIABLE.findall(str(getattr(step, key)))):
            if rules.environment is not None and name not in rules.environment:
                yield warning("flows.secret", *here(key), name=name)
    if step.request is not None and not allowed(step.request.url, rules.hosts):
        host = urlsplit(step.request.url).netloc
        key = "http" if step.http else "code"
        yield problem("flows.host", *here(key), host=host, known=", ".join(rules.hosts) or "—")


def allowed(url: str, hosts: Collection[str]) -> bool:
    """Whether *url* leads to a host of the list: `shop.example` stands for https://shop.example, anything
    else is written out: http://127.0.0.1:8099.
    """
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    return any(origin == (h if "://" in h else f"https://{h}").lower().rstrip("/") for h in hosts)


def _twice(flows: Mapping[str, FlowFile]) -> Iterator[Problem]:
    """Two flows that begin by the same command: nobody could say which."""
    seen: dict[str, str] = {}
    for flow in flows.values():
        command = flow.start.command
        if command and command in seen:
            yield problem("flows.command_twice", str(flow.file), 1, command=command, other=seen[command])
        elif command:
            seen[command] = flow.name
