"""A warm reader for the tests of a module."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from artel.tools.knowledge.formats.reading import Reader
from artel.tools.knowledge.formats.records import Read, Unread

Reads: TypeAlias = Callable[..., list[Read | Unread]]


@pytest.fixture(scope="module")
def reads() -> Iterator[Reads]:
    """Reads a file: `reads(name, data)`."""
    with asyncio.Runner() as runner:
        reader = Reader()

        def read(name: str, data: bytes | Path, **more: Any) -> list[Read | Unread]:
            return runner.run(reader.read(name, data, **more))

        yield read
        runner.run(reader.__aexit__(None, None, None))


@pytest.fixture
def one(reads: Reads) -> Callable[..., Read]:
    """Reads a file that is no archive."""

    def read(name: str, data: bytes | Path, **more: Any) -> Read:
        (entry,) = reads(name, data, **more)
        assert isinstance(entry, Read)
        return entry

    return read
