"""Nothing made of our OpenAPI document is a bug, and every answer is one that the document tells of."""

import pytest
from tests.protocol.fuzzing import fuzz


def test_what_our_document_allows_and_forbids_is_answered_as_it_says(url: str) -> None:
    done = fuzz(url, 300)

    print(done)  # noqa: T201 - the figures of the round
    assert not done.problems, "\n".join(done.problems[:40])


@pytest.mark.soak
def test_ten_thousand_cases_find_no_bug(url: str) -> None:
    done = fuzz(url, 10_000, start=2)

    print(done)  # noqa: T201 - the figures of the round
    assert done.sent >= 10_000
    assert not done.problems, "\n".join(done.problems[:40])
