"""The REST API described for programs: OpenAPI 3.1, made of the routes and shapes themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pydantic.json_schema import models_json_schema

from bot.web.api.problem_details import TYPE
from bot.web.api.rest import ROOT, Route
from bot.web.api.schemas import CONTACT, GIVEN, TAKEN, ProblemBody

_PROBLEMS = {
    "400": "The request cannot be read, or its Idempotency-Key is missing",
    "401": "No known key",
    "403": "The key may not do this",
    "404": "There is no such customer, ticket, message or channel",
    "409": "It cannot be done as things stand",
    "413": "The body is too large",
    "415": "The body is not JSON",
    "422": "The request is understood, but wrong; `errors` says where",
    "429": "Too many requests: wait for Retry-After seconds",
    "503": "The storage does not answer",
}

_KEY: dict[str, object] = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": r"^[\x21-\x7e]+$"}


def document(routes: Iterable[Route], title: str, version: str) -> Mapping[str, object]:
    """The description of *routes*."""
    _, definitions = models_json_schema(
        [(shape, "validation") for shape in (*TAKEN, *GIVEN)], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, dict[str, object]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title or "API",
            "version": version,
            "description": "What is answered with 202 is kept, and carried out in its turn.",
        },
        "servers": [{"url": ROOT}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(route: Route) -> dict[str, object]:
    answer = {
        "description": route.gives.__doc__ or "",
        "content": {"application/json": {"schema": _ref(route.gives)}},
    }
    told: dict[str, object] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.may],
        "parameters": _parameters(route),
        "responses": {
            str(route.status): answer,
            **{status: _problem(text) for status, text in _PROBLEMS.items()},
        },
    }
    if route.takes is not None:
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(route.takes)}},
        }
    return told


def _parameters(route: Route) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for name in re.findall(r"\{(\w+)\}", route.path):
        schema = _KEY if name == "key" else {"type": "integer", "minimum": 1}
        found.append({"name": name, "in": "path", "required": True, "schema": schema})
    for name, text in (route.query or {}).items():
        found.append(
            {"name": name, "in": "query", "required": False, "description": text, "schema": _contact(name)}
        )
    if route.once or route.takes is not None:
        text = "the same key again does nothing; another body with it is refused"
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": route.once,
                "description": text,
                "schema": _KEY,
            }
        )
    return found


def _contact(name: str) -> dict[str, object]:
    return {
        "type": "string",
        "minLength": 1,
        **({"pattern": f"^{CONTACT[name]}$"} if name in CONTACT else {}),
    }


def _problem(text: str) -> dict[str, object]:
    return {"description": text, "content": {TYPE: {"schema": _ref(ProblemBody)}}}


def _ref(shape: type) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}
