"""A call of a flow as a value: what customers wrote stays what they wrote."""

from __future__ import annotations

import pytest

from bot.config.faults import VARIABLE
from bot.dialogs.flows.connector import request_of
from bot.dialogs.flows.flow_file import FlowRequest

SPLIT = [("${SHOP_TOKEN}", ""), ("$", "{SHOP_TOKEN}"), ("a$", "{SHOP_TOKEN}b"), ("", "{SHOP_TOKEN}")]


@pytest.mark.parametrize(("first", "second"), SPLIT)
def test_no_words_of_a_customer_name_a_secret(first: str, second: str) -> None:
    """Neither alone nor beside each other, in headers and body."""
    both = "{{ first }}{{ second }}"
    described = FlowRequest(
        url="https://shop.example.com/",
        method="POST",
        headers={"X-Said": both, "X-Key": "${SHOP_TOKEN}"},
        body={"said": both, "sum": "${{ second }}"},
    )
    request = request_of(described, {"first": first, "second": second}, "k1")

    assert request.body is not None and VARIABLE.findall(request.body) == []
    assert VARIABLE.findall(request.headers["X-Said"]) == []
    assert request.headers["X-Key"] == "${SHOP_TOKEN}"
