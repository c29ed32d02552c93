"""The floor below the floor: the same tokens on the same beat, without LangGraph and without a database.

uvicorn --factory evals.bench.peers.raw:raw
"""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import orjson
from fastapi import FastAPI, Request
from sse_starlette import EventSourceResponse


def raw() -> FastAPI:
    """Serve the same tokens, on the same beat, in the same envelope."""
    app = FastAPI()

    @app.post("/threads")
    async def create() -> dict[str, str]:
        return {"thread_id": str(uuid4())}

    @app.post("/threads/{thread_id}/runs/stream")
    async def stream(request: Request) -> EventSourceResponse:
        body = orjson.loads(await request.body())
        return EventSourceResponse(_beat(body["input"]["messages"][-1]["content"]))

    return app


async def _beat(wish: str) -> AsyncIterator[dict[str, str]]:
    count, pause_s = wish.split()
    begun, pause = time.monotonic_ns(), int(float(pause_s) * 1e9)
    for n in range(int(count)):
        due = begun + n * pause if pause else time.monotonic_ns()
        ahead = due - time.monotonic_ns()
        if ahead > 0 or n % 20 == 19:
            await asyncio.sleep(max(ahead, 0) / 1e9)
        message = {"content": f"t{due} ", "type": "AIMessageChunk", "id": "run-1"}
        yield {"event": "messages", "data": orjson.dumps([message, {"langgraph_node": "say"}]).decode()}
