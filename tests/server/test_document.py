"""The OpenAPI document tells of every route what it takes and what it answers."""

import json
import warnings
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import schemathesis
from tests.fakes.served import calling, serving

TAKE_NONE = {
    "/threads/{thread_id}/copy",
    "/threads/{thread_id}/runs/{run_id}/cancel",
    "/api/v1/mcp/servers/{name}/restart",
    "/api/v1/experiments/{experiment_id}/stop",
}
Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture
async def document(fresh_dsn: str) -> AsyncIterator[dict[str, Any]]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield (await http.get("/openapi.json")).json()


def operations(document: dict[str, Any]) -> list[Operation]:
    return [
        (method, path, told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


async def test_it_is_a_valid_document_of_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()


async def test_no_two_operations_share_a_name(document: dict[str, Any]) -> None:
    names = Counter(told["operationId"] for _, _, told in operations(document))
    assert [name for name, times in names.items() if times > 1] == []


async def test_every_operation_tells_of_its_body_and_its_answers(document: dict[str, Any]) -> None:
    silent = []
    for method, path, told in operations(document):
        bodied = method in ("put", "patch", "post") and path not in TAKE_NONE and not path.endswith("/retry")
        if bodied and "requestBody" not in told:
            silent.append(f"{method} {path} has no body")
        if "/stream" in path and "text/event-stream" not in told["responses"]["200"]["content"]:
            silent.append(f"{method} {path} does not say that it streams")
        if not told.get("summary") or not any(status.startswith("2") for status in told["responses"]):
            silent.append(f"{method} {path} does not say what it answers")
    assert silent == []


async def test_refusals_have_the_shape_that_we_send(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in json.dumps(document)
