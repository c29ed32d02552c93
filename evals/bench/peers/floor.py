"""The floor: the bare graph in the request, with LangGraph's saver, one a run. Without queue and replay.

uvicorn --factory evals.bench.peers.floor:floor
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, cast
from uuid import uuid4

import orjson
from fastapi import FastAPI, Request, Response
from langchain_core.load import dumpd
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from sse_starlette import EventSourceResponse

from evals.bench.peers.served import chat, steps, talk

GRAPHS: dict[str, Any] = {"talk": talk.graph, "steps": steps.graph, "chat": chat.graph}
POOL = 10


def floor() -> FastAPI:
    """Serve the bare graphs."""
    app = FastAPI(lifespan=_with_pool)

    @app.post("/threads")
    async def create() -> dict[str, str]:
        return {"thread_id": str(uuid4())}

    @app.post("/threads/{thread_id}/runs/stream")
    async def stream(thread_id: str, request: Request) -> EventSourceResponse:
        return EventSourceResponse(_events(app, thread_id, orjson.loads(await request.body())))

    @app.post("/threads/{thread_id}/runs/wait")
    async def wait(thread_id: str, request: Request) -> Response:
        body = orjson.loads(await request.body())
        graph = _graph(app, body["assistant_id"])
        return _json(await graph.ainvoke(body["input"], _config(thread_id)))

    @app.get("/threads/{thread_id}/state")
    async def state(thread_id: str) -> Response:
        graph = _graph(app, "chat")
        return _json((await graph.aget_state(_config(thread_id)))._asdict())

    @app.get("/threads/{thread_id}/history")
    async def history(thread_id: str, limit: int = 10) -> Response:
        graph = _graph(app, "chat")
        return _json(
            [one._asdict() async for one in graph.aget_state_history(_config(thread_id), limit=limit)]
        )

    return app


async def _events(app: FastAPI, thread_id: str, body: dict[str, Any]) -> AsyncIterator[dict[str, str]]:
    graph = _graph(app, body["assistant_id"])
    async for message, metadata in graph.astream(body["input"], _config(thread_id), stream_mode="messages"):
        yield {"event": "messages", "data": _dumps([message, metadata]).decode()}


def _graph(app: FastAPI, name: str) -> Any:
    return GRAPHS[name].copy(update={"checkpointer": AsyncPostgresSaver(app.state.pool)})


def _config(thread_id: str) -> Any:
    return {"configurable": {"thread_id": thread_id}}


def _json(value: Any) -> Response:
    return Response(_dumps(value), media_type="application/json")


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain)


def _plain(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseMessage) else dumpd(value)


@asynccontextmanager
async def _with_pool(app: FastAPI) -> AsyncIterator[None]:
    settings = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(_dsn(), min_size=POOL, max_size=POOL, kwargs=settings) as pool:
        app.state.pool = cast(Any, pool)
        await AsyncPostgresSaver(app.state.pool).setup()
        yield


@cache
def _dsn() -> str:
    return os.environ["BENCH_POSTGRES"]
