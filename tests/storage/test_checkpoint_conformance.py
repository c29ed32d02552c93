"""LangGraph's own tests of a checkpointer, against ours."""

from collections.abc import AsyncGenerator

import pytest

from artel.storage.checkpoints import Saver
from artel.storage.postgres import Database

conformance = pytest.importorskip("langgraph.checkpoint.conformance")


async def test_the_saver_is_what_langgraph_expects_of_one(db: Database) -> None:
    async def ours() -> AsyncGenerator[Saver, None]:
        yield Saver(db)

    registered = conformance.checkpointer_test(name="artel")(ours)
    report = await conformance.validate(registered)
    failures = {name: result.failures for name, result in report.results.items() if not result.passed}
    assert failures == {}
