"""A refused body says where it is wrong, what would be right, and what was given."""

from typing import Any

import pytest
from pydantic import ValidationError

from artel.server.errors import answers, explain
from artel.server.protocol.bodies import RunBody
from artel.server.protocol.thread_bodies import ThreadSearch
from artel.storage.errors import Conflict, NotFound


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "assistant_id is required"),
        (
            {"assistant_id": "a", "config": {"tags": [1]}},
            "config.tags[0]: Input should be a valid string, got 1",
        ),
        ({"assistant_id": "a", "stream_mode": ["values", "x"]}, "stream_mode[1]: Input should be 'values'"),
        (
            {"assistant_id": "a", "metadata": "m" * 500},
            "metadata: Input should be a valid dictionary, got 'mmm",
        ),
        ([], "the body: Input should be a valid dictionary"),
    ],
)
def test_a_wrong_body_is_explained(body: Any, said: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        RunBody.model_validate(body)
    sentence = explain(wrong.value.errors())
    assert sentence.startswith(said)
    assert len(sentence) < 400


def test_a_text_that_no_database_takes_is_explained() -> None:
    with pytest.raises(ValidationError) as wrong:
        ThreadSearch.model_validate({"ids": ["\0"]})
    assert explain(wrong.value.errors()).startswith("ids[0]: Input should be a valid UUID")


def test_errors_of_a_route_are_on_its_page() -> None:
    told = answers(NotFound, Conflict)
    assert set(told) == {404, 409, 422}
    assert "`conflict`: The thing is not in a state that allows this." in told[409]["description"]
