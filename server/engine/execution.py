"""One attempt of a run: from its row to what came of it. The worker's edge: no error goes past `attempt`."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager, aclosing, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphDrained
from langgraph.runtime import RunControl
from langgraph.types import StateSnapshot

from artel.graphs.context import Context
from artel.server.engine import projecting, translate, unseen, workspaces
from artel.server.engine.configuration import configuration, context
from artel.server.engine.engine import Engine
from artel.server.engine.handles import handles_of
from artel.server.engine.log import RunLog
from artel.server.engine.pickup import Stop, decide, first
from artel.server.telemetry.watch import Watch
from artel.storage.checkpoints import RunSaver
from artel.storage.encoding import dumps
from artel.storage.errors import Unavailable
from artel.storage.runs import CancelAction, Run, StaleAttempt

NUDGE_S = 2.0  # one that swallows its cancellation is told again, but not sooner

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """The graph came to its end, or stopped to wait: then `state` holds what for."""

    state: StateSnapshot | None = None
    namespaces: Mapping[str, str] = field(default_factory=dict)  # of questions raised inside sub-graphs


@dataclass(frozen=True, slots=True)
class Failed:
    """The graph raised, or could not be opened."""

    error: dict[str, str]


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Somebody stopped it, and it has stopped."""

    action: CancelAction


@dataclass(frozen=True, slots=True)
class Handed:
    """It goes on elsewhere. `whole`: no step was broken off."""

    whole: bool


@dataclass(frozen=True, slots=True)
class LetGo:
    """Another worker has it; nothing of ours counts any more."""


Outcome: TypeAlias = Done | Failed | Cancelled | Handed | LetGo


@dataclass(eq=False, slots=True)
class Execution:
    """A run while it runs here."""

    run: Run
    log: RunLog
    watch: Watch
    callbacks: list[BaseCallbackHandler] = field(default_factory=list)  # besides `watch`
    control: RunControl = field(default_factory=RunControl)
    saver: RunSaver | None = None
    graph: asyncio.Task[Outcome] | None = None
    work: asyncio.Task[None] | None = None
    status: str | None = None  # how it ended, once that is written
    error: dict[str, str] | None = None
    cancel: CancelAction | None = None
    handing_over: bool = False
    lost: bool = False
    told_at: float | None = None  # when the graph was last told to stop, by the monotonic clock

    @property
    def breaking_off(self) -> bool:
        """Whether the graph has been told to stop, or would have been."""
        return self.lost or self.handing_over or self.cancel is not None

    def stop(self, action: CancelAction) -> None:
        """Stop because somebody said so."""
        self.cancel = self.cancel or action
        self._break_off()

    def hand_over(self) -> None:
        """Break the step off, for others to do it again; nothing more is written from here."""
        self.handing_over = True
        self._silence()
        self._break_off()

    def lose(self) -> None:
        """Stop because others may have it."""
        self.lost = True
        self._silence()
        self._break_off()

    def _silence(self) -> None:
        """Keep the broken-off step from noting its own cancellation as an error of the graph."""
        if self.saver is not None:
            self.saver.close()

    def nudge(self) -> None:
        """Tell it again if it has not stopped for long: somebody's step swallows its cancellation."""
        if self.told_at is not None and time.monotonic() - self.told_at >= NUDGE_S:
            self._tell()

    def _break_off(self) -> None:
        if self.told_at is None:  # once: LangGraph stops its steps in a task that a second word would kill
            self._tell()

    def _tell(self) -> None:
        if self.graph is not None:
            self.told_at = time.monotonic()
            self.graph.cancel()


async def attempt(engine: Engine, execution: Execution) -> Outcome:
    """Run the graph until it ends, waits, fails or is stopped; say which."""
    if engine.tracing is None:
        return await _attempt(engine, execution)
    with engine.tracing.run(execution.run, waited_s=execution.watch.waited_s) as traced:
        structlog.contextvars.bind_contextvars(trace_id=traced.trace_id)
        execution.callbacks.append(traced.handler)
        outcome = await _attempt(engine, execution)
        error = outcome.error if isinstance(outcome, Failed) else None
        traced.came_to(type(outcome).__name__.lower(), error)
        return outcome


async def _attempt(engine: Engine, execution: Execution) -> Outcome:
    run = execution.run
    try:
        return await _drive(engine, execution)
    except GraphDrained:
        return Handed(whole=True)
    except StaleAttempt:
        return LetGo()
    except asyncio.CancelledError:
        return stopped(execution)
    except Unavailable as away:
        log.warning("a run lost the database", run_id=str(run.run_id), reason=str(away))
        return Handed(whole=False)
    except Exception as error:
        if isinstance(error.__cause__, StaleAttempt):
            return LetGo()
        log.exception("a run failed", run_id=str(run.run_id), graph_id=run.graph_id)
        return Failed(translate.failure(error))


def stopped(execution: Execution) -> Outcome:
    """Say what it means that a run's graph was cancelled."""
    if execution.lost:
        return LetGo()
    if execution.cancel:
        return Cancelled(execution.cancel)
    if execution.handing_over:
        return Handed(whole=False)
    return Failed({"error": "CancelledError", "message": "the graph cancelled itself"})


async def _drive(engine: Engine, execution: Execution) -> Done:
    run = execution.run
    run.check()
    config = configuration(run)
    saver = execution.saver = RunSaver(
        engine.db, run.run_id, run.attempt, new_thread=run.new_thread, saves=engine.saves
    )
    if engine.handles is None:
        given: AbstractContextManager[object] = nullcontext()
    else:
        ruled = await engine.policies.of(engine.handles.policy, owner=run.owner, user_id=run.user_id)
        given = handles_of(
            engine.handles,
            engine.db,
            run,
            engine.audit,
            ruled.policy,
            cancelled=lambda: execution.cancel is not None,
        )
    with given, workspaces.found_by(engine, run, saver):
        async with engine.catalog.graph(run.graph_id, config, context=run.kwargs.get("context")) as built:
            graph = built.copy(update={"checkpointer": saver, "name": translate.name_of(built, run.graph_id)})
            decision = first(run) if run.attempt == 1 else await decide(graph, run, config)
            if isinstance(decision, Stop):
                _say_again(execution.log, graph, decision.state)
                return _done(decision.state, _raised_in(decision.state))
            if not decision.addressed:
                config["configurable"].pop("checkpoint_id", None)
            config["callbacks"] = [execution.watch, *execution.callbacks]
            if _durability(graph, run.kwargs) != "sync":
                saver.trust()
            settled = await workspaces.settle(engine, run) if engine.handles and _is_ours(graph) else None
            execution.run = workspaces.in_folder(run, settled)
            with workspaces.working_in(settled):
                return await _stream(execution, saver, graph, decision.input, config)


async def _stream(
    execution: Execution, saver: RunSaver, graph: Any, given: Any, config: RunnableConfig
) -> Done:
    run_log = execution.log
    kwargs = execution.run.kwargs
    part = translate.Translator(closely=bool(kwargs.get("closely"))).part
    waits = False
    namespaces: dict[str, str] = {}
    streamed = _chunks(execution, graph, given, config)
    if kwargs.get("closely") and (transformers := projecting.of(graph)):
        streamed = projecting.through(transformers, streamed)
    async with aclosing(streamed) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, dict):
                run_log.add("events", "", dumps(chunk))
            else:
                type_, ns, data = part(chunk)
                if type_ == "custom":
                    execution.watch.told(chunk[2])
                kept = type_ == "values" and not ns and not execution.run.temporary
                held = saver.reference(chunk[2], data) if kept else None
                run_log.add(type_, ns, data, held)
                if type_ == "updates":
                    waits = waits or translate.stops(chunk)
                    for asked in translate.questions(chunk):
                        namespaces[asked] = max(namespaces.get(asked, ""), "|".join(chunk[0]), key=len)
            if run_log.full:
                await run_log.room()
    if not waits:
        unseen.check_end(namespaces.keys() | saver.raised)
        return Done()
    head: RunnableConfig = {"configurable": {"thread_id": config["configurable"]["thread_id"]}}
    inside = await graph.aget_state(head, subgraphs=True) if not translate.looks_inside(kwargs) else None
    state = await graph.aget_state(head)
    if state.next:
        await unseen.check_wait(graph, execution.run, saver, state)
    if len(state.interrupts) > 1:  # each task has told its own questions only
        _say_again(run_log, graph, state)
    return _done(state, namespaces | _raised_in(inside) | saver.raised)


async def _chunks(
    execution: Execution, graph: Any, given: Any, config: RunnableConfig
) -> AsyncGenerator[translate.Chunk | dict[str, Any], None]:
    """Yield what the graph streams; as dicts LangChain's own events, when the run asked for them."""
    kwargs = execution.run.kwargs
    options = {
        "context": context(graph, kwargs.get("context")),
        "stream_mode": translate.modes(kwargs.get("stream_mode"), closely=bool(kwargs.get("closely"))),
        "interrupt_before": kwargs.get("interrupt_before"),
        "interrupt_after": kwargs.get("interrupt_after"),
        "durability": _durability(graph, kwargs),
        "subgraphs": translate.looks_inside(kwargs),
        "control": execution.control,
    }
    if not translate.wants_events(kwargs.get("stream_mode")):
        async with aclosing(graph.astream(given, config, **options)) as chunks:
            async for chunk in chunks:
                yield translate.placed(chunk)
        return
    root = str(config["run_id"])
    async with aclosing(graph.astream_events(given, config, version="v2", **options)) as events:
        async for event in events:
            if event["event"] == "on_chain_stream" and event["run_id"] == root:
                yield translate.placed(event["data"]["chunk"])
            else:
                yield event


def _say_again(run_log: RunLog, graph: Any, state: StateSnapshot) -> None:
    """Tell readers the state a run came to: a crash that left no ending kept its last events too."""
    run_log.add(*translate.Translator().part(((), "values", shown(graph, state))))


def shown(graph: Any, state: StateSnapshot) -> Any:
    """Return a state as a graph's `values` show it, with the questions that it waits for."""
    values, keys = state.values, graph.output_channels
    if isinstance(keys, list):
        values = {key: values[key] for key in keys if key in values}
    if state.interrupts:
        values = {**values, "__interrupt__": state.interrupts}
    return values


def _durability(graph: Any, kwargs: Mapping[str, Any]) -> str:
    """Say when a step is saved; our own agents promise that only the step in flight can run twice."""
    return kwargs.get("durability") or ("sync" if _is_ours(graph) else "async")


def _is_ours(graph: Any) -> bool:
    schema = getattr(graph, "context_schema", None)
    return isinstance(schema, type) and issubclass(schema, Context)


def _raised_in(state: StateSnapshot | None, ns: str = "") -> dict[str, str]:
    """Return where the questions of a state were raised: by their ids, in the innermost graph."""
    found: dict[str, str] = {}
    for task in state.tasks if state else ():
        found |= {asked.id: ns for asked in task.interrupts}
        if isinstance(task.state, StateSnapshot):
            found |= _raised_in(task.state, task.state.config["configurable"].get("checkpoint_ns", ns))
    return found


def _done(state: StateSnapshot, namespaces: Mapping[str, str]) -> Done:
    return Done(state if state.next else None, namespaces)
