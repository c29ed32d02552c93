"""Waiting that nobody could end: a run that comes to it fails, and says what to do about its graph.

A node or a tool that catches every exception catches LangGraph's question too; a graph without checkpoints
begins anew when it is answered. Neither shows on any surface.
"""

from collections.abc import Collection, Mapping
from hashlib import sha256
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Interrupt, PregelTask, StateSnapshot

from artel.server.engine.pickup import at_breakpoint, named
from artel.storage.checkpoints import RunSaver
from artel.storage.encoding import dumps
from artel.storage.errors import ArtelError
from artel.storage.runs import Run

MOST = 1_000  # questions of one task that are looked through


class QuestionLost(ArtelError):
    """Code inside a run caught a question to a person and went on without an answer."""


class WaitsForNobody(ArtelError):
    """A run stopped to wait, but there is neither a question nor a breakpoint."""


class AnswerLost(ArtelError):
    """An answer cannot reach the graph that asked."""


def check_end(raised: Collection[str]) -> None:
    """Refuse to call a run a success in which questions were raised that it does not wait for.

    Raises:
        QuestionLost: there are such.
    """
    if raised:
        raise QuestionLost(
            f"{len(raised)} question(s) to a person ({', '.join(sorted(raised))}) went unanswered: a node or "
            "a tool caught LangGraph's GraphInterrupt. Let it pass: catch only the errors you expect"
        )


async def check_wait(graph: Any, run: Run, saver: RunSaver, state: StateSnapshot) -> None:
    """Refuse to let a run wait for what nobody can see, or for an answer that it has had.

    Raises:
        WaitsForNobody: it stopped without a question, and not at a breakpoint.
        AnswerLost: it asks anew what this very run answered, in a graph that keeps no checkpoints.
    """
    if not state.interrupts:
        if await at_breakpoint(graph, run, state) or await _paused_inside(graph, saver, state):
            return
        raise WaitsForNobody(
            f"{', '.join(state.next)} stopped without a question: it raised GraphInterrupt itself, or what "
            "it calls has breakpoints and no checkpointer. Ask with interrupt(), and let GraphInterrupt pass"
        )
    for asked, task in _asked_anew(run, state):
        if not await _is_kept(saver, state, task):
            raise AnswerLost(
                f"{task.name} asked again what was answered ({asked.id}): the graph inside it keeps no "
                "checkpoints, so no answer reaches it. Compile it without checkpointer=False"
            )


def sha_of(value: Any) -> str:
    """Return by what a question's text is known again: it has another id each time that it is lost."""
    return sha256(dumps(value)).hexdigest()


def _asked_anew(run: Run, state: StateSnapshot) -> list[tuple[Interrupt, PregelTask]]:
    """Return questions that say what this run has answered in the same task, and were raised inside it."""
    answers: list[Mapping[str, Any]] = run.kwargs.get("answers") or []
    had = {(one.get("task_id"), one.get("asked_sha")) for one in answers}
    return [
        (asked, task)
        for task in state.tasks
        for asked in task.interrupts
        if answers and (task.id, sha_of(asked.value)) in had and not _own(asked, task, state)
    ]


def _own(asked: Interrupt, task: PregelTask, state: StateSnapshot) -> bool:
    ns = _place(task, state)
    return any(Interrupt.from_ns(None, f"{ns}|{n}" if n else ns).id == asked.id for n in range(MOST))


async def _is_kept(saver: RunSaver, state: StateSnapshot, task: PregelTask) -> bool:
    return any([await _has(saver, state, ns) for ns in (_place(task, state), task.name)])


async def _has(saver: RunSaver, state: StateSnapshot, ns: str) -> bool:
    thread_id = state.config["configurable"]["thread_id"]
    config: RunnableConfig = {"configurable": {"thread_id": thread_id, "checkpoint_ns": ns}}
    return await saver.aget_tuple(config) is not None


def _place(task: PregelTask, state: StateSnapshot) -> str:
    above = state.config["configurable"].get("checkpoint_ns", "")
    return f"{above}|{task.name}:{task.id}" if above else f"{task.name}:{task.id}"


async def _paused_inside(graph: Any, saver: RunSaver, state: StateSnapshot) -> bool:
    """Whether a graph inside may be at a breakpoint of its own; so it is supposed of one not to be found."""
    whole = await graph.aget_state(state.config, subgraphs=True)
    return await _at_own_breakpoint(graph, saver, whole)


async def _at_own_breakpoint(graph: Any, saver: RunSaver, state: StateSnapshot) -> bool:
    known = dict(graph.get_subgraphs())
    for task in state.tasks:
        inner, inside = task.state, known.get(task.name)
        if isinstance(inner, StateSnapshot) and inside is not None:
            if inside.interrupt_after_nodes or named(inside, inside.interrupt_before_nodes, inner.next):
                return True
            if await _at_own_breakpoint(inside, saver, inner):
                return True
        elif await _is_kept(saver, state, task):
            return True
    return False
