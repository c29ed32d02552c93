"""An assistant of a LangGraph server elsewhere: have a run there work, ask here what it asks.

A run of ours begins one run there and no second: before it begins one it looks for that with its own id.
"""

import asyncio
from asyncio import to_thread
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal, NotRequired
from uuid import NAMESPACE_OID, uuid4, uuid5

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.graph import START, StateGraph, add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Send, interrupt
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from artel.graphs.context import handles
from artel.graphs.kinds import passing
from artel.graphs.kinds.connections import LangGraph, NotOffered, offers
from artel.graphs.kinds.far import Far, RemoteFailed, reached
from artel.graphs.kinds.speaking import Speaking
from artel.graphs.kinds.wishes import wished

TITLE = "Remote graph"
DESCRIPTION = "An assistant of another LangGraph server; context names a connection and the assistant there."
MAX_QUESTIONS = 50  # that one run elsewhere may ask at once


def merged(before: dict[str, Any] | None, more: dict[str, Any]) -> dict[str, Any]:
    """Return all answers of a turn; nothing new is a new turn."""
    return {**(before or {}), **more} if more else {}


class RemoteContext(BaseModel):
    """What such an assistant is."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    connection: str = Field(
        "", description="Name of a connection of type langgraph, as the operator set it up."
    )
    assistant: str = Field("", max_length=200, description="Id of the assistant there, or name of a graph.")
    context: dict[str, Any] = Field({}, description="What the runs there are given as their context.")


class Asked(TypedDict):
    """A question of the assistant there."""

    id: str
    value: Any


class Remote(TypedDict):
    """Where the work is done."""

    connection: str
    assistant: str
    thread_id: str
    run_id: str
    "The last one; empty: it went on without an answer of ours."
    call: str
    "The run of ours that it was begun for."
    known: str
    "Id of the last message that the thread there has, as of its checkpoint."
    checkpoint_id: str


class RemoteState(TypedDict):
    """What was said here, and where the work is done."""

    messages: NotRequired[Annotated[list[AnyMessage], add_messages]]
    remote: NotRequired[Remote]
    answers: NotRequired[Annotated[dict[str, Any], merged]]
    "By the id of the question there."


class Question(TypedDict):
    """What one step asks."""

    asked: Asked
    connection: str


async def work(state: RemoteState, runtime: Runtime[RemoteContext]) -> Command[Literal["ask", "__end__"]]:
    """Have a run there answer what was said since the last time, and tell what it says as it says it.

    Raises:
        UnknownConnection, NotOffered: the operator offers no such thing.
        RemoteAway, RemoteFailed: the server cannot be reached, or refuses; the run there failed.
    """
    wish, config = runtime.context or RemoteContext(), get_config()
    remote, known = _begun(state, wish, config), state.get("messages") or ()
    async with _at(remote) as far, _stopping(far, remote):
        await far.thread(remote["thread_id"])
        if not (run_id := await far.begun(remote["thread_id"], remote["call"])):
            new = list(passing.sent(_unknown(known, remote["known"])))
            order: dict[str, Any] = {"input": {"messages": new}, **_context(wish)}
            before = remote["checkpoint_id"]
            if before and _place(await far.state(remote["thread_id"])) != before:
                order["checkpoint_id"] = before  # a fork here is one there
            return await _followed(
                far, {**remote, "run_id": await _new(far, remote, order)}, known, tell=config
            )
        return await _followed(far, {**remote, "run_id": run_id}, known)


async def answer(state: RemoteState, runtime: Runtime[RemoteContext]) -> Command[Literal["ask", "__end__"]]:
    """Carry the answers to where was asked; if nobody waits for them there any more, look how it stands.

    Raises:
        RemoteAway, RemoteFailed: the server cannot be reached, or refuses; the run there failed.
    """
    config = get_config()
    remote: Remote = {**_standing(state, config), "call": _call(config), "run_id": ""}
    given, known = state.get("answers") or {}, state.get("messages") or ()
    async with _at(remote) as far, _stopping(far, remote):
        if run_id := await far.begun(remote["thread_id"], remote["call"]):
            return await _followed(far, {**remote, "run_id": run_id}, known)
        open_ = {asked["id"] for asked in _asked(await far.state(remote["thread_id"]))}
        answers = {key: said for key, said in given.items() if key in open_}
        if not answers:
            return await _followed(far, remote, known)
        order = {"command": {"resume": answers}, **_context(runtime.context or RemoteContext())}
        return await _followed(far, {**remote, "run_id": await _new(far, remote, order)}, known, tell=config)


async def ask(state: Question) -> RemoteState:
    """Wait for a person, and nothing else."""
    asked = state["asked"]
    return {"answers": {asked["id"]: interrupt(passing.question(asked["value"], state["connection"]))}}


def check_assistant(context: Mapping[str, Any]) -> None:
    """Refuse an assistant that could never answer. Reads a file: not for an event loop.

    Raises:
        Invalid: a value is wrong; the message names it and what would be right.
    """
    wish = wished(RemoteContext, context)
    _offered(wish.connection, wish.assistant)


def build() -> CompiledStateGraph[Any, RemoteContext, Any, Any]:
    """Return the graph: work (→ ask → answer), until nothing is asked any more."""
    made = StateGraph(RemoteState, context_schema=RemoteContext)
    made.add_node(work)
    made.add_node("ask", ask, input_schema=Question)
    made.add_node(answer)
    made.add_edge(START, "work")
    made.add_edge("ask", "answer")
    return made.compile(name="remote_graph")


def _offered(name: str, assistant: str) -> LangGraph:
    found = handles().connections.get(name, LangGraph)
    if not assistant or not offers(found.assistants, assistant):
        raise NotOffered(
            f"context.assistant must name an assistant of {name}, one like {', '.join(found.assistants)}; "
            f"got {assistant!r}"
        )
    return found


def _begun(state: RemoteState, wish: RemoteContext, config: RunnableConfig) -> Remote:
    """Return where this run of ours has its work done; a copy of a thread has a thread of its own there."""
    here = _thread(config, wish.connection, wish.assistant)
    before = state.get("remote")
    same = before is not None and before["thread_id"] == here
    return Remote(
        connection=wish.connection,
        assistant=wish.assistant,
        thread_id=here,
        run_id="",
        call=_call(config),
        known=before["known"] if before and same else "",
        checkpoint_id=before["checkpoint_id"] if before and same else "",
    )


def _standing(state: RemoteState, config: RunnableConfig) -> Remote:
    """Return where the work is done; a state that clients may write to leads to no thread of somebody else.

    Raises:
        RemoteFailed: it says another thread than ours has there.
    """
    remote = state["remote"]
    if remote["thread_id"] != _thread(config, remote["connection"], remote["assistant"]):
        raise RemoteFailed(
            f"connection {remote['connection']}: this thread is a copy, and what it waits for belongs to the "
            "thread that it was copied from; say something to go on here"
        )
    return remote


def _thread(config: RunnableConfig, connection: str, assistant: str) -> str:
    ours = (config.get("configurable") or {}).get("thread_id") or ""
    return str(uuid5(NAMESPACE_OID, f"{ours}:{connection}:{assistant}"))


def _call(config: RunnableConfig) -> str:
    return str((config.get("configurable") or {}).get("run_id") or uuid4())


@asynccontextmanager
async def _at(remote: Remote) -> AsyncIterator[Far]:
    connection = await to_thread(_offered, remote["connection"], remote["assistant"])
    async with reached(remote["connection"], connection) as far:
        yield far


@asynccontextmanager
async def _stopping(far: Far, remote: Remote) -> AsyncIterator[None]:
    """Stop the run there when ours is cancelled; when another worker takes ours over, that one joins it."""
    try:
        yield
    except asyncio.CancelledError:
        if handles().cancelled():
            await far.withdraw(remote["thread_id"], remote["call"])
        raise


def _context(wish: RemoteContext) -> dict[str, Any]:
    return {"context": wish.context} if wish.context else {}


async def _new(far: Far, remote: Remote, order: Mapping[str, Any]) -> str:
    return await far.begin(remote["thread_id"], remote["assistant"], remote["call"], order)


async def _followed(
    far: Far, remote: Remote, known: Sequence[BaseMessage], *, tell: RunnableConfig | None = None
) -> Command[Literal["ask", "__end__"]]:
    """Wait for the end of a run and take over what came of it; what was told before is not told again."""
    status, error = "success", None
    if remote["run_id"]:
        speaking = Speaking(far.name, tell) if tell else None
        hear = speaking.hear if speaking else None
        status, error = await far.follow(remote["thread_id"], remote["run_id"], hear)
        if speaking:
            await speaking.end()
    there = await far.state(remote["thread_id"])
    waits = _asked(there)
    _check(far, remote, status, error or _error(there), waits)
    said = _said(there, known, remote)
    last = said[-1] if said else known[-1] if known else None
    kept: Remote = {
        **remote,
        "checkpoint_id": _place(there),
        "known": str(last.id or "") if last else "",
    }
    update: dict[str, Any] = {"messages": said, "remote": kept, "answers": {}}
    if not waits:
        return Command(update=update, goto="__end__")
    questions = (Question(asked=one, connection=remote["connection"]) for one in waits)
    return Command(update=update, goto=[Send("ask", one) for one in questions])


def _unknown(messages: Sequence[BaseMessage], known: str) -> Sequence[BaseMessage]:
    """Return what the thread there has not; all, where what it knew last is gone here."""
    places = [place for place, message in enumerate(messages) if known and message.id == known]
    return messages[places[-1] + 1 :] if places else messages


def _place(there: Any) -> str:
    return str((there.get("checkpoint") or {}).get("checkpoint_id") or there.get("checkpoint_id") or "")


def _asked(there: Any) -> list[Asked]:
    found = [one for task in there.get("tasks") or () for one in task.get("interrupts") or ()]
    return [Asked(id=str(one["id"]), value=passing.clean(one.get("value"))) for one in found[:MAX_QUESTIONS]]


def _error(there: Any) -> Any:
    return next((task["error"] for task in there.get("tasks") or () if task.get("error")), None)


def _check(far: Far, remote: Remote, status: str, error: Any, waits: Sequence[Asked]) -> None:
    """Refuse to go on with what a run left that did not come to its end.

    Raises:
        RemoteFailed: it failed, or was stopped there.
    """
    where = f"connection {far.name}: the run of {remote['assistant']!r}"
    if status == "interrupted" and not waits:
        raise RemoteFailed(f"{where} was stopped there; say something to go on")
    if status not in ("success", "interrupted"):
        why = f": {far.words(error)}" if error else ""
        raise RemoteFailed(f"{where} ended there with {status}{why}")


def _said(there: Any, known: Sequence[BaseMessage], remote: Remote) -> list[AnyMessage]:
    values = there.get("values")
    if isinstance(values, dict) and "messages" in values:
        return passing.messages(values["messages"], known, remote["connection"])
    if not values or there.get("next"):
        return []
    return [AIMessage(passing.state_as_text(values), response_metadata={passing.MARK: remote["connection"]})]


graph = build()
