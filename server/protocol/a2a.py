"""/a2a: an assistant as an agent of the Agent2Agent protocol, versions 0.3 and 1.0 over JSON-RPC.

A context is a thread, a task a run on it; an answer to what a task asks is a run that goes on with it. What a
client is told is a projection of our event log.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import Response

from artel.server.auth.caller import Caller
from artel.server.catalog import Catalog
from artel.server.engine import Engine, dispatch, stream
from artel.server.errors import answers, explain
from artel.server.protocol import a2a_shapes as shapes
from artel.server.protocol import orders, rpc
from artel.server.protocol.a2a_card import AssistantName
from artel.server.protocol.a2a_shapes import Where
from artel.server.protocol.bodies import RunBody
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json
from artel.server.protocol.held import Held
from artel.server.protocol.orders import GivenCall
from artel.server.protocol.project import HEARTBEAT
from artel.server.protocol.rpc import INVALID_PARAMS, Refused
from artel.server.protocol.running import NO_BUFFERS, SSE
from artel.storage import runs, threads
from artel.storage.assistants import Assistant
from artel.storage.errors import BadRequest, Conflict, Invalid, NotFound
from artel.storage.ids import new_id
from artel.storage.runs import Run

router = APIRouter(tags=["A2A"])

TASK_NOT_FOUND = -32001
NOT_CANCELABLE = -32002
NO_PUSH = -32003
UNSUPPORTED = -32004
OLD = {
    "message/send": "send",
    "message/stream": "stream",
    "tasks/get": "get",
    "tasks/cancel": "cancel",
    "tasks/resubscribe": "follow",
}
NEW = {
    "SendMessage": "send",
    "SendStreamingMessage": "stream",
    "GetTask": "get",
    "CancelTask": "cancel",
    "SubscribeToTask": "follow",
}
TASK = "a2a_task"  # in the metadata of a run: which task it belongs to
MOST_RUNS = 1000  # of a thread, newest first, among which a task is looked for


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of a client, and what it is answered with."""

    engine: Engine
    catalog: Catalog
    assistant: Assistant
    message: rpc.Call
    given: orders.Call

    @property
    def caller(self) -> Caller:
        return self.given.caller

    @property
    def modern(self) -> bool:
        return self.message.method in NEW

    def result(self, task: dict[str, Any], *, wrap: bool = False) -> bytes:
        if self.modern:
            task = shapes.wrapped(task) if wrap else shapes.modern(task)
        return rpc.answer(self.message.id, task)


@router.post(
    "/a2a/{assistant_id}",
    responses={
        **answers(),
        **rpc.NO_CALL,
        200: {"content": {"application/json": {}, "text/event-stream": {}}},
    },
    openapi_extra=rpc.CALL,
)
async def call(
    request: Request,
    assistant_id: AssistantName,
    engine: GivenEngine,
    catalog: GivenCatalog,
    given: GivenCall,
) -> Response:
    """Answer one call: send a message, follow, read or cancel a task."""
    message: rpc.Call | None = None
    try:
        message = rpc.read(await request.body())
        if message is None:
            raise Refused(rpc.INVALID_REQUEST, "only calls are answered here")
        name = OLD.get(message.method) or NEW.get(message.method)
        if name is None:
            raise _unknown(message.method)
        assistant = await orders.resolve(engine.db, catalog, assistant_id, caller=given.caller)
        return await DO[name](_Call(engine, catalog, assistant, message, given))
    except Refused as refused:
        return Json(rpc.refusal(refused, message.id if message else None))
    except (Invalid, BadRequest, NotFound, Conflict) as error:
        return Json(rpc.refusal(rpc.wrong(error), message.id if message else None))


def _unknown(method: str) -> Refused:
    if "ushNotification" in method:
        return Refused(NO_PUSH, "push notifications are not served: give runs a webhook instead")
    return Refused(rpc.METHOD_NOT_FOUND, f"there is no method {method!r}")


async def _send(call: _Call) -> Response:
    run, where = await _start(call)
    wish = call.message.params.get("configuration")
    wish = wish if isinstance(wish, dict) else {}
    if wish.get("blocking") is False or wish.get("returnImmediately") is True:
        return Json(call.result(_begun(call, where), wrap=True))
    return _later(call, run, where, wish.get("historyLength"))


async def _stream(call: _Call) -> Response:
    run, where = await _start(call)
    return _told(call, run, where, _begun(call, where))


async def _get(call: _Call) -> Response:
    run, where = await _task(call)
    length = call.message.params.get("historyLength")
    if run.ended:
        return _later(call, run, where, length, wrap=False)
    status = shapes.status(shapes.STATES[run.status], at=run.updated_at)
    return Json(call.result(shapes.task(where, status, said=[], made=[])))


async def _follow(call: _Call) -> Response:
    run, where = await _task(call)
    if run.ended:
        raise Refused(UNSUPPORTED, f"task {where.task_id} does not run; read it instead")
    status = shapes.status(shapes.STATES[run.status], at=run.updated_at)
    return _told(call, run, where, shapes.task(where, status, said=[], made=[]))


async def _cancel(call: _Call) -> Response:
    run, where = await _task(call, action="update")
    if run.ended:
        raise Refused(NOT_CANCELABLE, f"task {where.task_id} does not run: there is nothing to cancel")
    await dispatch.cancel(call.engine, run.thread_id, run.run_id, wait=True, owner=call.caller.owner)
    return _later(call, run, where, None, wrap=False)


DO = {"send": _send, "stream": _stream, "get": _get, "follow": _follow, "cancel": _cancel}


async def _start(call: _Call) -> tuple[Run, Where]:
    """Start the run that a message means: a new task, or the answer to what one asks."""
    message = call.message.params.get("message")
    blocks, fields = shapes.read_parts(message)
    assert isinstance(message, dict)
    given: dict[str, Any]
    if task_id := message.get("taskId"):
        thread_id, given = await _answer(call, task_id, blocks, fields)
    else:
        thread_id = _uuid(message.get("contextId"), "message.contextId") or new_id()
        given = {"input": await _input(call, message, blocks, fields), "if_not_exists": "create"}
    order = await orders.make(
        call.engine.db, call.catalog, _body(call, given), thread_id=thread_id, call=call.given
    )
    where = Where(thread_id, str(task_id) if task_id else f"{thread_id}:{order.run_id}")
    order = replace(order, metadata={**order.metadata, TASK: where.task_id})
    return await dispatch.start(call.engine, order, fast=True), where


def _body(call: _Call, given: dict[str, Any]) -> RunBody:
    known = {
        "assistant_id": str(call.assistant.assistant_id),
        "stream_mode": ["values", "messages-tuple"],
        "metadata": {"source": "a2a"},
    }
    try:
        return RunBody.model_validate(known | given)
    except ValidationError as wrong:
        raise Invalid(explain(wrong.errors())) from wrong


async def _input(call: _Call, message: dict[str, Any], blocks: list[Any], fields: dict[str, Any]) -> Any:
    if not blocks:
        return fields
    async with call.catalog.graph(call.assistant.graph_id, {}, access="assistants.read") as graph:
        if "messages" not in graph.channels:
            known = ", ".join(sorted(set(graph.channels) & set(graph.stream_channels_list)))
            raise Refused(
                INVALID_PARAMS,
                f"the graph {call.assistant.graph_id!r} has no messages: send data parts with {known}",
            )
    said: dict[str, Any] = {"role": "user", "content": shapes.content_of(blocks)}
    if isinstance(message.get("messageId"), str) and message["messageId"]:
        said["id"] = message["messageId"]
    return {**fields, "messages": [said]}


async def _answer(
    call: _Call, task_id: Any, blocks: list[Any], fields: dict[str, Any]
) -> tuple[UUID, dict[str, Any]]:
    run, where = await _task(call, task_id)
    outcome = await stream.outcome(call.engine, run.run_id) if run.ended else None
    if outcome is None or not orjson.loads(outcome.values).get("__interrupt__"):
        raise Refused(
            UNSUPPORTED, f"task {where.task_id} waits for no answer; begin a new one in its context"
        )
    return where.thread_id, {"command": {"resume": fields or shapes.content_of(blocks)}}


async def _task(call: _Call, named: Any = None, *, action: Any = "read") -> tuple[Run, Where]:
    """Return the newest run of a task.

    Raises:
        Refused: the caller has no task of that id.
    """
    task_id = named or call.message.params.get("id")
    thread, _, _ = task_id.partition(":") if isinstance(task_id, str) else ("", "", "")
    missing = Refused(TASK_NOT_FOUND, f"there is no task {task_id!r:.120}")
    try:
        thread_id = UUID(thread)
    except ValueError:
        raise missing from None
    allowed = await call.caller.may("threads", action, {"thread_id": thread_id})
    try:
        async with call.engine.db.connection() as conn:
            await threads.get(conn, thread_id, owner=call.caller.owner, allowed=allowed)
            found = await runs.of_thread(conn, thread_id, owner=call.caller.owner, limit=MOST_RUNS)
    except NotFound:
        raise missing from None
    for run in found:
        if run.metadata.get(TASK) == task_id:
            return run, Where(thread_id, str(task_id))
    raise missing


def _uuid(value: Any, name: str) -> UUID | None:
    if not value:
        return None
    try:
        return UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise Refused(INVALID_PARAMS, f"{name} must be a UUID, got {value!r:.120}") from None


def _begun(call: _Call, where: Where) -> dict[str, Any]:
    """Return a task that was just accepted."""
    blocks, fields = shapes.read_parts(call.message.params["message"])
    parts = [shapes.text_part(block["text"]) for block in blocks if block["type"] == "text"]
    parts += [shapes.data_part(fields)] if fields else []
    message_id = str(call.message.params["message"].get("messageId") or "")
    said = [shapes.spoken(where, "user", parts, message_id)] if parts else []
    return shapes.task(where, shapes.status("submitted"), said=said, made=[])


def _later(call: _Call, run: Run, where: Where, length: Any, *, wrap: bool = True) -> Held:
    """Return a task, once its run has ended."""
    most = length if isinstance(length, int) and length >= 0 else None

    async def pieces() -> AsyncIterator[bytes]:
        outcome = await stream.outcome(call.engine, run.run_id)
        values = orjson.loads(outcome.values)
        state = shapes.STATES.get(outcome.status, "failed")
        ended: datetime | None = run.ended_at
        status = shapes.final_status(where, state, values, outcome.error, ended)
        said = shapes.history(where, values, most)
        made = shapes.artifacts(where, status["state"], values)
        yield call.result(shapes.task(where, status, said=said, made=made), wrap=wrap)

    return Held(pieces(), alive=b"\n", media_type="application/json", headers={})


def _told(call: _Call, run: Run, where: Where, first: dict[str, Any]) -> Held:
    """Return a task, and what becomes of it as it happens."""

    async def pieces() -> AsyncIterator[bytes]:
        yield _event(call.result(first, wrap=True))
        telling = shapes.Telling(where)
        async for batch in stream.follow(call.engine, run.run_id, after=0):
            yield b"".join(_event(call.result(update, wrap=True)) for update in telling.feed(batch))

    return Held(pieces(), alive=HEARTBEAT, media_type=SSE, headers=NO_BUFFERS)


def _event(data: bytes) -> bytes:
    return b"event: message\r\ndata: " + data + b"\r\n\r\n"
