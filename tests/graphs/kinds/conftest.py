"""Another server, and engines here that are connected with it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.fakes.elsewhere import There, connected, elsewhere, engine_here
from tests.fakes.engines import Driver

OpenHere = Callable[[], Awaitable[Driver]]


@pytest.fixture
async def there(other_dsn: str) -> AsyncIterator[There]:
    async with elsewhere(other_dsn) as served:
        yield served


@pytest.fixture
async def here(fresh_dsn: str, there: There, tmp_path: Path) -> AsyncIterator[OpenHere]:
    """Open as many engines here as the test likes."""
    async with AsyncExitStack() as stack:

        async def opening() -> Driver:
            return await engine_here(stack, fresh_dsn, connected(tmp_path / "c.json", there.url))

        yield opening
