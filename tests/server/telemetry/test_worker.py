"""A worker without an API says how it is on a port of its own."""

import asyncio
import os
import re
import signal
from pathlib import Path

import httpx
import pytest
from tests.server.telemetry.conftest import scraped

from artel.server.cli import worker
from artel.server.settings import load_settings


async def test_a_worker_answers_metrics_and_health_and_nothing_else(
    fresh_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARTEL_MODEL", "offline")
    monkeypatch.setenv("ARTEL_TELEMETRY__WORKER_PORT", "0")
    working = asyncio.create_task(worker._work(load_settings(), fresh_dsn))
    shown = ""
    async with asyncio.timeout(30):
        while "Artel works" not in shown:
            await asyncio.sleep(0.05)
            shown += capsys.readouterr().out
    found = re.search(r"(http://\S+)/metrics", shown)
    assert found
    async with httpx.AsyncClient(base_url=found[1]) as http:
        assert (await scraped(http))("artel_worker_slots") == 250
        assert (await http.get("/health")).json()["dependencies"]["worker"]["status"] == "ok"
        assert (await http.get("/ok")).status_code == 200
        assert (await http.get("/info")).status_code == 404
        assert (await http.post("/threads", json={})).status_code == 404
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(20):
        await working
