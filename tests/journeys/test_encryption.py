"""With `encryption` a killed server loses nothing either, and its database tells nobody what was said."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.ciphers import BLOBS, KEYS, leaks
from tests.fakes.waiting import eventually

from artel.storage import embedded

from .conftest import SERVED, Server

pytestmark = pytest.mark.journey

NEEDLE = "needle-under-glass"


@pytest.fixture
def named(marks: Path) -> Path:
    """Return a file for marks whose name, which is in the state, nobody shall know."""
    return marks.rename(marks.with_name(NEEDLE))


async def test_a_killed_server_goes_on_from_what_it_has_sealed(
    make_server: type[Server], tmp_path: Path, named: Path
) -> None:
    folder = tmp_path / "served"
    shutil.copytree(SERVED.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "enc.py").write_text(BLOBS + KEYS)
    config = folder / "langgraph.json"
    section = '"encryption": {"path": "./enc.py:encryption"},'
    config.write_text(SERVED.read_text().replace("{", "{" + section, 1))
    server = make_server(data=tmp_path / "data", config=config).start()
    thread = (await server.client.threads.create(metadata={"note": NEEDLE, "team": "blue"}))["thread_id"]
    task: dict[str, Any] = {"n": 8, "pause_s": 0.15, "marks": str(named)}
    run = await server.client.runs.create(thread, "steps", input=task, metadata={"why": NEEDLE})
    await eventually(lambda: len(named.read_text().split()) >= 4)

    server.kill()
    server.start()
    state = await server.client.runs.join(thread, run["run_id"])

    assert (state["counted"], state["marks"]) == (list(range(8)), str(named))
    ended = await server.client.runs.get(thread, run["run_id"])
    assert (ended["status"], (ended["metadata"] or {})["why"]) == ("success", NEEDLE)
    (found,) = await server.client.threads.search(metadata={"team": "blue"})
    assert (found["metadata"] or {})["note"] == NEEDLE
    events = [one async for one in server.client.runs.join_stream(thread, run["run_id"], last_event_id="0")]
    assert [one.data["attempt"] for one in events if one.event == "metadata"] == [1, 2]
    server.stop()

    keyless = make_server(data=tmp_path / "data")
    with pytest.raises(AssertionError, match=r"`encryption` of a langgraph\.json has sealed"):
        keyless.start()
    with embedded.start(tmp_path / "data") as dsn:
        assert leaks(dsn, NEEDLE) == set()
