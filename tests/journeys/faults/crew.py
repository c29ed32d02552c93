"""Processes to break: an API replica that is left alone, and two servers that run graphs and may die."""

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.schema import StreamPart
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from tests.journeys.conftest import Server
from tests.journeys.fleet import Fleet, open_fleet

GRAPHS = Path(__file__).parent / "served" / "langgraph.json"

# In every turn: read the file, change a to ab, say so. Every call has the id that small models give to all.
SCRIPT = {
    "per_turn": True,
    "replies": [
        {"tool_calls": [{"name": "read_file", "args": {"file_path": "notes.txt"}, "id": "call_0"}]},
        {
            "tool_calls": [
                {
                    "name": "edit_file",
                    "args": {"file_path": "notes.txt", "old_string": "a", "new_string": "ab"},
                    "id": "call_0",
                }
            ]
        },
        "done",
    ],
}


@dataclass
class Crew:
    """An API replica and two workers, each under a name that Postgres knows."""

    fleet: Fleet
    servers: dict[str, Server] = field(default_factory=dict)
    _rising: list[asyncio.Task[Server]] = field(default_factory=list)

    def add(self, name: str, **env: str) -> Server:
        """Start one more; one whose name begins with "api" runs nothing."""
        way = env.get("ARTEL_STORAGE__POSTGRES", self.fleet.env["ARTEL_STORAGE__POSTGRES"])
        named = {"ARTEL_STORAGE__POSTGRES": make_conninfo(way, application_name=name)}
        options = ("--no-worker",) if name.startswith("api") else ()
        made = Server(self.fleet.folder / name, GRAPHS, options=options, env=self.fleet.env | env | named)
        self.fleet.servers.append(made)
        self.servers[name] = made
        return made.start()

    @property
    def api(self) -> Server:
        """The replica that is left alone."""
        return self.servers["api"]

    @property
    def workers(self) -> dict[str, Server]:
        """Those who run graphs."""
        return {name: one for name, one in self.servers.items() if not name.startswith("api")}

    @property
    def dsn(self) -> str:
        """The database they share."""
        return self.fleet.dsn

    @property
    def client(self) -> LangGraphClient:
        """The client of the replica that is left alone."""
        return self.api.client

    def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        """Look into the database."""
        with psycopg.connect(self.dsn, autocommit=True, row_factory=dict_row) as conn:
            return conn.execute(query, values).fetchall()

    def run(self, run_id: str) -> dict[str, Any]:
        """Return the row of a run."""
        return self.rows("select * from runs where run_id = %(id)s", id=run_id)[0]

    def holder(self, run_id: str) -> str:
        """Return the name of the worker that runs a run."""
        pid = self.rows(
            "select pid from runs join workers using (worker_id) where run_id = %(id)s", id=run_id
        )[0]["pid"]
        return next(name for name, one in self.workers.items() if one.process and one.process.pid == pid)

    async def kill(self, name: str) -> float:
        """Kill a worker, which is started again as by a supervisor; when that was (monotonic)."""
        worker = self.workers[name]
        await asyncio.to_thread(worker.kill)
        self._rising.append(asyncio.create_task(asyncio.to_thread(worker.start)))
        return time.monotonic()

    async def complete(self) -> None:
        """Start those that are down, and wait for those that are on their way."""
        while self._rising:
            await self._rising.pop()
        down = [worker for worker in self.workers.values() if worker.process is None]
        await asyncio.gather(*(asyncio.to_thread(worker.start) for worker in down))

    async def moves_on(self, run_id: str, attempt: int = 1, *, since: float, within_s: float = 20) -> float:
        """Return how long after `since` a later attempt of a run was begun, or its end was written."""
        while True:
            row = self.run(run_id)
            if row["attempt"] > attempt or row["ended_at"]:
                return time.monotonic() - since
            assert time.monotonic() - since < within_s, f"run {run_id} stands still: {row}"
            await asyncio.sleep(0.02)

    async def close_clients(self) -> None:
        """Close the clients: each test has an event loop of its own."""
        for server in self.servers.values():
            for client in server.clients:
                await client.aclose()
            server.clients.clear()

    async def events(self, thread: str, run: str) -> list[StreamPart]:
        """Return all that a run said, as any replica tells it."""
        return [part async for part in self.client.runs.join_stream(thread, run, last_event_id="-1")]


@contextmanager
def open_crew(
    postgres: str,
    shared: str,
    folder: Path,
    *,
    carrier: str = "postgres",
    env: Mapping[str, str] | None = None,
    of: Mapping[str, Mapping[str, str]] | None = None,
    workers: tuple[str, ...] = ("one", "two"),
) -> Iterator[Crew]:
    """Start a crew over a database of its own; `env` is everybody's environment, `of` that of some."""
    (folder / "script.json").write_text(json.dumps(SCRIPT))
    with open_fleet(carrier, postgres, shared, folder) as fleet:
        fleet.env |= {
            "ARTEL_MODEL": f"scripted:{folder / 'script.json'}",
            "ARTEL_WORKSPACE_ROOTS": str(folder),
            **(env or {}),
        }
        crew = Crew(fleet)
        for name in ("api", *workers):
            crew.add(name, **(of or {}).get(name, {}))
        yield crew


def workspace(folder: Path) -> Path:
    """Make a folder with one file in it."""
    made = folder / f"project-{uuid4().hex[:8]}"
    made.mkdir()
    (made / "notes.txt").write_text("a\n")
    return made
