"""What a run does when a worker takes it: the checkpoint decides, the row only wakes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, Interrupt, Send, StateSnapshot

from artel.storage.errors import Invalid
from artel.storage.runs import Run

NOBODY = "00000000-0000-0000-0000-000000000000"  # the task id under which LangGraph keeps a command's writes
RESUME = "__resume__"
HIDDEN = "langsmith:hidden"


@dataclass(frozen=True, slots=True)
class Go:
    """Run the graph with this input; `addressed`: from the checkpoint that the run names."""

    input: Any
    addressed: bool = True


@dataclass(frozen=True, slots=True)
class Stop:
    """Everything has been done: only the ending was not written. `state` says which ending."""

    state: StateSnapshot


Decision: TypeAlias = Go | Stop


def first(run: Run) -> Go:
    """What a run does when nobody has begun it yet: its command, or its input."""
    command = run.kwargs.get("command")
    return Go(command_of(command) if command else run.kwargs.get("input"))


def command_of(raw: Mapping[str, Any]) -> Command[Any]:
    """Make the wire's command LangGraph's.

    Raises:
        Invalid: `goto` or `update` is none of the forms there are.
    """
    match raw.get("update"):
        case list() as pairs if all(isinstance(p, (list, tuple)) and len(p) == 2 for p in pairs):
            update: Any = [(str(key), value) for key, value in pairs]
        case dict() | None as update:
            pass
        case other:
            raise Invalid(f"command.update must be an object or a list of pairs, got {other!r}")
    goto = raw.get("goto")
    targets = goto if isinstance(goto, list) else [] if goto is None else [goto]
    return Command(update=update, resume=raw.get("resume"), goto=[_target(target) for target in targets])


def _target(raw: Any) -> Any:
    match raw:
        case str():
            return raw
        case {"node": str(node)}:
            return Send(node, raw.get("input"))
    raise Invalid(f"command.goto must name a node or be {{node, input}}, got {raw!r}")


async def decide(graph: Any, run: Run, config: RunnableConfig) -> Decision:
    """Say what is left to do of a run that somebody may have begun before."""
    state: StateSnapshot = await graph.aget_state(_head(config), subgraphs=True)
    if not state.metadata or state.metadata.get("run_id") != str(run.run_id):
        return await _again(graph, run, config, state)
    if not state.tasks or _all_wait(state) or await at_breakpoint(graph, run, state):
        return Stop(state)
    return Go(None, addressed=False)


def _head(config: RunnableConfig) -> RunnableConfig:
    return {"configurable": {"thread_id": config["configurable"]["thread_id"]}}


async def _again(graph: Any, run: Run, config: RunnableConfig, head: StateSnapshot) -> Go:
    """Begin anew: no checkpoint is this run's. Only what its command left on the old one is not repeated."""
    command = run.kwargs.get("command")
    if not command:
        return first(run)
    if config["configurable"].get("checkpoint_id"):
        head = await graph.aget_state(config, subgraphs=True)
    saver = graph.checkpointer
    rest = dict(command)
    if isinstance(command.get("resume"), dict):
        done = await _answered(saver, head)
        open_ = _raised(head)
        rest["resume"] = {k: v for k, v in command["resume"].items() if k in open_ and k not in done} or None
    if await _is_written(saver, head, command):
        rest.pop("update", None)
        rest.pop("goto", None)
    meant = any(rest.get(key) is not None for key in ("resume", "update", "goto"))
    return Go(command_of(rest) if meant else None)


def _all_wait(state: StateSnapshot) -> bool:
    """Whether every task that is not finished has asked something."""
    unfinished = [task for task in state.tasks if task.result is None]
    return bool(unfinished) and all(task.interrupts for task in unfinished)


async def at_breakpoint(graph: Any, run: Run, state: StateSnapshot) -> bool:
    """Whether this very run came to a breakpoint: `None` would go past it."""
    source = (state.metadata or {}).get("source")
    before = run.kwargs.get("interrupt_before") or graph.interrupt_before_nodes
    if source in ("input", "loop") and named(graph, before, state.next):
        return True
    after = run.kwargs.get("interrupt_after") or graph.interrupt_after_nodes
    if source != "loop" or not after or not state.parent_config:
        return False
    earlier = await graph.aget_state(state.parent_config)
    return named(graph, after, [task.name for task in earlier.tasks])


def named(graph: Any, breakpoints: Any, nodes: Collection[str]) -> bool:
    """Whether breakpoints, as LangGraph takes them, name one of `nodes`."""
    if breakpoints == "*":
        return any(HIDDEN not in (getattr(graph.nodes.get(node), "tags", None) or ()) for node in nodes)
    return bool(breakpoints) and not set(breakpoints).isdisjoint(nodes)


def _raised(state: StateSnapshot) -> set[str]:
    """The ids of the questions of a state and of the graphs inside it."""
    found = {asked.id for task in state.tasks for asked in task.interrupts}
    for task in state.tasks:
        if isinstance(task.state, StateSnapshot):
            found |= _raised(task.state)
    return found


async def _answered(saver: Any, state: StateSnapshot) -> set[str]:
    """The ids of questions whose answers are stored with their tasks already.

    To give such an answer again would answer the task's next question with it.
    """
    saved = await saver.aget_tuple(state.config) if state.tasks else None
    if saved is None:
        return set()
    above = saved.config["configurable"].get("checkpoint_ns", "")
    found: set[str] = set()
    for task in state.tasks:
        ns = f"{above}|{task.name}:{task.id}" if above else f"{task.name}:{task.id}"
        given = [w[2] for w in saved.pending_writes or () if w[0] == task.id and w[1] == RESUME]
        count = max((len(values) if isinstance(values, list) else 1 for values in given), default=0)
        found |= {Interrupt.from_ns(None, f"{ns}|{n}" if n else ns).id for n in range(count)}
        if isinstance(task.state, StateSnapshot):
            found |= await _answered(saver, task.state)
    return found


async def _is_written(saver: Any, state: StateSnapshot, command: Mapping[str, Any]) -> bool:
    """Whether the update and goto of a command are stored with the checkpoint already."""
    if command.get("update") is None and command.get("goto") is None:
        return False
    saved = await saver.aget_tuple(state.config) if state.metadata else None
    written = {w[1] for w in (saved.pending_writes or () if saved else ()) if w[0] == NOBODY}
    update = command.get("update") or {}
    keys = set(update) if isinstance(update, Mapping) else {pair[0] for pair in update}
    return bool(written - {RESUME}) and keys <= written
