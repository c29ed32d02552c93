"""A rolling restart: every server is stopped and started in its turn, and readers of protocol v2 go on."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client
from tests.fakes.balancer import Balancer
from tests.fakes.waiting import eventually

from .conftest import Server
from .fleet import open_fleet

pytestmark = pytest.mark.journey
JS = Path(__file__).parents[1] / "protocol/js"
READER = """
import { Client } from "sdk-v1";
import { WebSocket } from "ws";
const [apiUrl, transport, input] = process.argv.slice(-3);
const client = new Client({ apiUrl, apiKey: null });
const webSocketFactory = (url) => new WebSocket(url);
const thread = client.threads.stream({ assistantId: "steps", transport, webSocketFactory });
await thread.run.start({ input: JSON.parse(input) });
const output = await thread.output;
console.log(JSON.stringify(output));
await thread.close();
"""


@pytest.fixture
async def servers(postgres: str, dsn: str, tmp_path: Path) -> AsyncIterator[list[Server]]:
    """Two servers over one database; each runs graphs and serves."""
    folder = tmp_path / "fleet"
    folder.mkdir()
    with open_fleet("postgres", postgres, dsn, folder) as fleet:
        fleet.servers += [Server(folder / name, env=fleet.env) for name in ("one", "two")]
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in fleet.servers))
        yield fleet.servers


def steps(marks: Path) -> list[str]:
    """Return the steps that were begun."""
    return marks.read_text().split() if marks.exists() else []


def task_of(marks: Path) -> dict[str, Any]:
    """Return what makes a run count for as long as servers are restarted, however slowly they start."""
    return {"n": 2000, "pause_s": 0.2, "marks": str(marks), "until": f"{marks}.rolled"}


async def roll(servers: list[Server], marks: Path) -> None:
    """Restart one after the other, while a run is under way; then let it end."""
    for server in servers:
        more = len(steps(marks)) + 2
        await eventually(lambda: len(steps(marks)) >= more)  # noqa: B023 - it is waited for
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
    await asyncio.to_thread(Path(f"{marks}.rolled").touch)


@pytest.mark.parametrize("transport", ["sse", pytest.param("websocket", marks=pytest.mark.fault)])
async def test_the_python_client_has_its_output_over_a_rolling_restart(
    servers: list[Server], tmp_path: Path, transport: Any
) -> None:
    marks = tmp_path / "marks"
    async with (
        Balancer([server.port for server in servers]) as balancer,
        get_client(url=balancer.url, api_key=None) as client,
        client.threads.stream(assistant_id="steps", transport=transport) as thread,
    ):
        await thread.run.start(input=task_of(marks))
        counted: list[int] = []

        async def read() -> None:
            async for state in thread.values:
                counted.append(len(state["counted"]))

        reading = asyncio.create_task(read())
        rolling = asyncio.create_task(roll(servers, marks))
        output = await asyncio.wait_for(thread.output, timeout=120)
        await asyncio.wait_for(reading, timeout=10)
        await rolling
    n = len(steps(marks))
    assert output["counted"] == list(range(n))
    assert counted[-1] == n
    assert set(range(counted[1], n + 1)) <= set(counted), "the reader missed a state"
    assert steps(marks) == [str(number) for number in range(n)]
    for server in servers:
        assert "Traceback" not in server.log
        assert "without completing" not in server.log


@pytest.mark.needs("node")
@pytest.mark.parametrize(
    ("transport", "many"),
    [
        pytest.param("sse", 2, id="sse, behind a balancer"),
        pytest.param("websocket", 1, id="websocket, of the only server"),
        pytest.param("websocket", 2, id="websocket, behind a balancer", marks=pytest.mark.fault),
        pytest.param("sse", 1, id="sse, of the only server", marks=pytest.mark.fault),
    ],
)
async def test_the_javascript_client_has_its_output_over_a_rolling_restart(
    servers: list[Server], js: Path, tmp_path: Path, transport: Any, many: int
) -> None:
    marks = tmp_path / "marks"
    task = json.dumps(task_of(marks))
    async with Balancer([server.port for server in servers]) as balancer:
        url = balancer.url if many > 1 else servers[0].url
        arguments = ["node", "--input-type=module", "--eval", READER, "--", url, transport, task]
        reader = await asyncio.create_subprocess_exec(*arguments, cwd=js, stdout=PIPE, stderr=PIPE)
        await roll(servers[:many], marks)
        said, wrong = await asyncio.wait_for(reader.communicate(), timeout=60)
    assert reader.returncode == 0, wrong.decode()
    assert json.loads(said)["counted"] == list(range(len(steps(marks))))
