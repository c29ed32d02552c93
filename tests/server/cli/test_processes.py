"""Whole processes, run inside this one."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from artel.graphs.registry import AGENTS
from artel.server.__main__ import main
from artel.server.cli import local, serve, worker
from artel.server.cli.serve import listen, url_of
from artel.server.settings import Settings, load_settings
from artel.storage.migrations import HEAD


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Start in a folder with one file, on the model that needs nothing."""
    (tmp_path / "poem.txt").write_text("roses\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARTEL_MODEL", "offline")
    for module in (local, serve, worker):
        monkeypatch.setattr(module, "configure_logging", lambda *_, **__: None)
    return tmp_path


async def until(found: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not found():  # noqa: ASYNC110 - what is waited for happens outside of Python
            await asyncio.sleep(0.02)


async def test_serve_answers_and_a_signal_stops_it(
    fresh_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings: Settings = load_settings(port=0)
    shown = ""
    with listen(settings) as listener:
        serving = asyncio.create_task(serve._serve(settings, fresh_dsn, listener))

        def is_ready() -> bool:
            nonlocal shown
            shown += capsys.readouterr().out
            return "Artel is ready" in shown

        await until(is_ready)
        assert f"{url_of(listener)} · model offline" in shown
        assert "No language model was found" in shown
        async with httpx.AsyncClient(base_url=url_of(listener)) as client:
            assert (await client.get("/ok")).json()["ok"] is True
            offline = {"name": "offline", "offline": True, "label": "offline: rules, no language model"}
            for path in ("/info", "/api/v1/info"):
                assert (await client.get(path)).json()["model"] == offline
            found = (await client.post("/assistants/search", json={"limit": 100})).json()
            assert {one["graph_id"] for one in found} == set(AGENTS)
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(15):
            await serving


async def test_a_worker_says_what_it_runs_and_a_signal_stops_it(
    fresh_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    working = asyncio.create_task(worker._work(load_settings(), fresh_dsn))
    await until(lambda: "orchestrator, architect, ask, coder" in capsys.readouterr().out)
    os.kill(os.getpid(), signal.SIGINT)
    async with asyncio.timeout(15):
        await working


def test_run_starts_what_it_needs_and_leaves_nothing_running(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--data", "data", "--workspace", ".", "--json", "which files are there?"]) == 0
    *events, end = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["event"] == "metadata"
    assert end["status"] == "done"
    assert "poem.txt" in end["answer"]
    assert not (here / "data/postgres/postmaster.pid").exists()


def test_migrate_says_where_the_database_stands(
    fresh_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARTEL_STORAGE__POSTGRES", fresh_dsn)
    assert main(["migrate"]) == 0
    assert f"the database is at revision {HEAD}" in capsys.readouterr().out
