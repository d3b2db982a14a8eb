"""What goes wrong at the REST API, told in one form (RFC 9457): status, a word for programs, a sentence for
people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web

TYPE = "application/problem+json"


class BadRequest(Exception):
    """A request that cannot be done.

    *code* is for programs and stays, *detail* says what to do, *errors* point into the body.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.errors, self.headers = (
            status,
            code,
            detail,
            tuple(errors),
            dict(headers or {}),
        )

    def response(self) -> web.Response:
        return problem(self.status, self.code, self.detail, errors=self.errors, headers=self.headers)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """The answer; nothing of the request but places in it is repeated."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    told = {**body, "errors": list(errors)} if errors else body
    return web.Response(
        status=status, text=json.dumps(told, ensure_ascii=False), content_type=TYPE, headers=headers
    )
