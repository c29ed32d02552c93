"""Graphs without a database: a scripted model, real tools on a real folder."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from tests.fakes.driver import BUILDERS, Driver, OneModel

from artel.graphs.context import Handles
from artel.graphs.models.scripted import Reply, scripted

Start = Callable[..., Driver]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "work"
    home.mkdir()
    (home / "notes.txt").write_text("hello\nworld\n")
    (home / "other.txt").write_text("one\ntwo\n")
    return home


@pytest.fixture
def start(folder: Path) -> Start:
    def make(agent: str, *replies: str | dict[str, Any] | Reply, **handles: Any) -> Driver:
        model = scripted(*replies)
        given = Handles(
            models=OneModel(model),
            roots=(folder.parent,),
            default_workspace=folder,
            snapshot_home=folder.parent / "snapshots",
        )
        graph = BUILDERS[agent]().copy(update={"checkpointer": InMemorySaver()})
        return Driver(graph, replace(given, **handles), model)

    return make
