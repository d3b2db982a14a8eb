"""The description of the REST API and the API itself agree: what the one allows, the other takes, and
answers as described.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from bot.testing import TestBot, open_test_bot
from bot.web.api.keys import ApiKeys
from bot.web.api.rest import ROOT, RestApi
from bot.web.server import build_app
from bot.web.services import WebServices

KEY = "crm-key-0123456789-0123456789"
EACH = 60  # requests for an operation
STATE = {404, 409}  # what depends on who is there, not on the request's form
Json = dict[str, Any]


@dataclass
class ApiClient:
    testbot: TestBot
    client: TestClient[Any, Any]
    told: Json

    def schema(self, found: Json) -> Json:
        """A schema of the document with everything that it refers to."""
        return {**found, "components": self.told["components"]}

    async def ask(self, method: str, path: str, headers: dict[str, str], **more: Any) -> tuple[int, Any]:
        url = self.client.make_url("/").join(URL(ROOT + path, encoded=True))
        answer = await self.client.session.request(
            method, url, headers={"Authorization": f"Bearer {KEY}", **headers}, **more
        )
        return answer.status, await answer.json()


@pytest.fixture
async def api(articles: Path) -> AsyncIterator[ApiClient]:
    """A service with Anna in Telegram, its api open to a key that may do everything."""
    keys = ApiKeys({"crm": (KEY, ("customers", "messages", "tickets", "privacy"))}, per_minute=100_000)
    async with open_test_bot(articles) as testbot:
        service = testbot.service
        rest = RestApi(service.store, service.inbox.accept, keys, testbot.clock)
        services = WebServices(
            service.store, service.adapters, testbot.clock, knowledge=service.knowledge, rest=rest
        )
        client: TestClient[Any, Any] = TestClient(TestServer(build_app(services)))
        await client.start_server()
        await testbot.customer().says("добрый день")
        told = await (await client.get(f"{ROOT}/openapi.json")).json()
        yield ApiClient(testbot, client, told)
        await client.close()


def drawn(wanted: st.SearchStrategy[Any], number: int = EACH) -> list[Any]:
    """The same examples at each run."""
    found: list[Any] = []

    @settings(
        max_examples=number,
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(wanted)
    def draw(value: Any) -> None:
        found.append(value)

    draw()
    return found


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


def from_schema(schema: Json) -> st.SearchStrategy[Any]:
    """Values that a schema of ours allows; a keyword that is not known here fails."""
    if rest := schema.keys() - {
        "type",
        "anyOf",
        "minLength",
        "maxLength",
        "pattern",
        "minimum",
        "properties",
        "required",
        "additionalProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "title",
        "description",
        "examples",
        "default",
    }:
        raise AssertionError(f"the test does not know {rest}")
    if "anyOf" in schema:
        return st.one_of([from_schema(one) for one in schema["anyOf"]])
    if isinstance(schema["type"], list):
        return st.one_of([from_schema({**schema, "type": kind}) for kind in schema["type"]])
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(min_value=schema.get("minimum"))
        case "number":
            return st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        case "string":
            return _texts(schema)
        case _:
            return _objects(schema)


def _texts(schema: Json) -> st.SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" not in schema:
        return st.text(min_size=least, max_size=most)
    whole = schema["pattern"].startswith("^")
    found = st.from_regex(str(schema["pattern"]), fullmatch=whole)
    if not whole and most and most > 1000:  # long ones are rare, so they are made
        found |= st.tuples(found, st.sampled_from("яa😀")).map(lambda t: (t[0] + t[1] * most)[:most])
    return found.filter(
        lambda t: least <= len(t) <= (most or len(t)) and jsonschema.Draft202012Validator(schema).is_valid(t)
    )


def _objects(schema: Json) -> st.SearchStrategy[Json]:
    named = {name: from_schema(part) for name, part in schema.get("properties", {}).items()}
    must = {n: s for n, s in named.items() if n in schema.get("required", ())}
    made = st.fixed_dictionaries(must, optional={n: s for n, s in named.items() if n not in must})
    if schema.get("additionalProperties"):
        names = _texts({"type": "string", **schema["propertyNames"]}).filter(lambda n: n not in named)
        other = st.dictionaries(
            names, from_schema(schema["additionalProperties"]), max_size=schema.get("maxProperties")
        )
        made = st.tuples(made, other).map(lambda t: {**t[1], **t[0]})
    return made.filter(
        lambda o: schema.get("minProperties", 0) <= len(o) <= schema.get("maxProperties", len(o))
    )


def requests(api: ApiClient, path: str, operation: Json) -> st.SearchStrategy[tuple[Json, Json, Any]]:
    """Path and query, headers and body of requests that the description allows; the customer and the ticket
    are often those that are there.
    """
    places: dict[str, dict[str, st.SearchStrategy[Any]]] = {"path": {}, "query": {}, "header": {}}
    for given_ in operation["parameters"]:
        made = from_schema(given_["schema"])
        if given_["schema"].get("type") == "integer":
            made = st.just(1) | made
        places[given_["in"]][given_["name"]] = made
    query: st.SearchStrategy[Json] = st.fixed_dictionaries({})
    if places["query"]:  # ask by one of them, as the description says in words
        parts = places["query"]
        query = st.one_of(
            st.fixed_dictionaries({"phone": parts["phone"]}),
            st.fixed_dictionaries({"email": parts["email"]}),
            st.fixed_dictionaries({"channel": parts["channel"], "chat": parts["chat"]}),
        )
    body: st.SearchStrategy[Any] = st.none()
    if "requestBody" in operation:
        name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        body = from_schema(api.told["components"]["schemas"][name])
    return st.tuples(st.fixed_dictionaries(places["path"]), query, body)


async def test_what_the_description_allows_is_taken(api: ApiClient) -> None:
    """Hundreds of generated requests: none is refused for its form, each answer is as described."""
    fresh, asked = count(), 0
    for path, item in api.told["paths"].items():
        for method, operation in item.items():
            if method == "delete":
                continue  # nobody would be left to ask about
            for place, query, body in drawn(requests(api, path, operation)):
                filled = path
                for name, value in place.items():
                    filled = filled.replace(
                        "{" + name + "}", URL.build(path="/" + str(value)).raw_path[1:].replace("/", "%2F")
                    )
                needs = any(p["name"] == "Idempotency-Key" for p in operation["parameters"])
                more = {"json": body} if body is not None else {}
                headers = {"Idempotency-Key": f"key-{next(fresh)}"} if needs else {}
                status, answer = await api.ask(method.upper(), filled, headers, params=query or None, **more)
                asked += 1
                assert status < 300 or status in STATE, (method, path, place, query, body, answer)
                content = operation["responses"][str(status)]["content"]
                jsonschema.validate(answer, api.schema(next(iter(content.values()))["schema"]))
        await api.testbot.rest()
    assert asked >= 6 * EACH


async def test_what_the_description_forbids_is_refused(api: ApiClient) -> None:
    """Whatever JSON is sent: a body that the schema does not allow is not taken."""
    fresh, refused = count(), 0
    bodies = {
        "/customers/1/attributes": ("PATCH", "Attributes"),
        "/customers/1/messages": ("POST", "Message"),
        "/customers/1/tickets": ("POST", "NewTicket"),
    }
    for path, (method, name) in bodies.items():
        schema = api.schema(api.told["components"]["schemas"][name])
        field = "attributes" if name == "Attributes" else "text"
        anything = (
            ANY | st.fixed_dictionaries({field: ANY}) | st.dictionaries(st.text(max_size=8), ANY, max_size=3)
        )
        for body in drawn(anything):
            if jsonschema.Draft202012Validator(schema).is_valid(body):
                continue
            status, answer = await api.ask(
                method,
                path,
                {"Idempotency-Key": f"wrong-{next(fresh)}", "Content-Type": "application/json"},
                data=json.dumps(body),
            )
            assert status == 422, (path, body, answer)
            refused += 1
    assert refused >= EACH
