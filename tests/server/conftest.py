"""A served folder: files and sections of a configuration, around the small graphs of the tests."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.served import calling, graphs, serving
from tests.server.protocol.conftest import Wire

from artel.server.catalog import Catalog, Entry
from artel.server.served import Served
from artel.server.settings import Settings

Open = Callable[..., AbstractAsyncContextManager[Wire]]


@pytest.fixture
def folder(fresh_dsn: str, tmp_path: Path) -> Open:
    """Serve small graphs from a folder with these files and sections of its configuration."""

    @asynccontextmanager
    async def opened(
        files: dict[str, str], settings: Settings | None = None, **sections: Any
    ) -> AsyncIterator[Wire]:
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        config = Served(tmp_path / "langgraph.json", (), (tmp_path,), {}, sections)
        entries = {name: Entry(None, graph) for name, graph in graphs().items()}
        async with (
            serving(fresh_dsn, settings, catalog=Catalog(entries, config)) as app,
            app.router.lifespan_context(app),
            calling(app) as http,
        ):
            yield Wire(app, http)

    return opened
