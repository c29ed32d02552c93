"""LangGraph Studio: the development server of LangGraph loads and runs our graphs."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from artel.graphs.registry import AGENTS

ROOT = Path(__file__).resolve().parent.parent
START_WITHIN_S = 90
OURS = {"workspace", "model", "approvals", "budget", "instructions", "lanes"}
ASKED = {
    "agent": OURS | {"role", "role_text"},
    "openai_responses": {"connection", "model", "instructions", "conversation", "tools", "reasoning"},
    "remote_graph": {"connection", "assistant", "context"},
}
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")

pytestmark = [
    pytest.mark.journey,
    pytest.mark.xdist_group("studio"),
    pytest.mark.skipif(
        not (find_spec("langgraph_cli") and find_spec("langgraph_api")),
        reason="langgraph-cli[inmem] is missing",
    ),
]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of `langgraph dev` with our langgraph.json, in a folder that holds one note.

    It looks for graphs from the folder of its start, and writes there: hence links instead of the checkout.
    """
    folder = tmp_path_factory.mktemp("studio")
    (folder / "notes.md").write_text("# Heron\n")
    for name in ("langgraph.json", "graphs"):
        (folder / name).symlink_to(ROOT / name)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {name: os.environ[name] for name in INHERITED if name in os.environ}
    env |= {"LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"}
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "langgraph_cli", "dev", "--no-browser", "--no-reload"),
                *("--port", str(port)),
            ],
            cwd=folder,
            env=env,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            _wait(client, process, folder / "log.txt")
            yield client
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)


def _wait(client: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_WITHIN_S
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"langgraph dev ended:\n{log.read_text()[-4000:]}")
        try:
            if client.get("/ok").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"langgraph dev did not answer within {START_WITHIN_S} s:\n{log.read_text()[-4000:]}")


def test_studio_finds_every_agent(studio: httpx.Client) -> None:
    found = studio.post("/assistants/search", json={"limit": 100}).raise_for_status().json()
    assert {assistant["graph_id"] for assistant in found} == set(AGENTS)


@pytest.mark.parametrize("agent", AGENTS)
def test_studio_can_draw_an_agent_and_its_forms(studio: httpx.Client, agent: str) -> None:
    (assistant,) = studio.post("/assistants/search", json={"graph_id": agent}).json()
    path = f"/assistants/{assistant['assistant_id']}"
    drawing = studio.get(f"{path}/graph").raise_for_status().json()
    schemas = studio.get(f"{path}/schemas").raise_for_status().json()
    assert {"__start__", "__end__"} < {node["id"] for node in drawing["nodes"]}
    assert "messages" in schemas["input_schema"]["properties"]
    assert set(schemas["context_schema"]["properties"]) == ASKED.get(agent, OURS)


@pytest.mark.parametrize(
    "asked", [{"assistant_id": "ask"}, {"assistant_id": "agent", "context": {"role": "ask"}}]
)
def test_studio_runs_an_agent(studio: httpx.Client, asked: dict[str, Any]) -> None:
    question = {"messages": [{"role": "user", "content": "What is in notes.md?"}]}
    done = studio.post("/runs/wait", json={**asked, "input": question}).raise_for_status().json()
    assert "Heron" in done["messages"][-1]["content"]
