"""A crash before any write of a run leads, on pick-up, to where the run would have come without it."""

import operator
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send, StateSnapshot, interrupt
from typing_extensions import TypedDict

from artel.server.engine.configuration import configuration
from artel.server.engine.pickup import Stop, command_of, decide, first
from artel.storage.errors import Invalid
from artel.storage.ids import new_id
from artel.storage.runs import Run

THREAD = new_id()
NOW = datetime.now(UTC)


class State(TypedDict, total=False):
    trail: Annotated[list[str], operator.add]


class Killed(Exception):
    """The process is dead: nothing is written any more."""


class Dying(InMemorySaver):
    """A saver that dies before its `lives`-th write, and with it everything after."""

    lives = 10_000
    made = 0

    def _live(self) -> None:
        if self.made >= self.lives:
            raise Killed
        self.made += 1

    async def aput(self, *args: Any, **kwargs: Any) -> RunnableConfig:
        self._live()
        return await super().aput(*args, **kwargs)

    async def aput_writes(self, *args: Any, **kwargs: Any) -> None:
        self._live()
        await super().aput_writes(*args, **kwargs)


Kwargs: TypeAlias = dict[str, Any]
Step: TypeAlias = Callable[[StateSnapshot | None], Kwargs]  # from the state before to the kwargs of a run
INPUT: Kwargs = {"input": {"trail": ["in"]}}


class Story:
    """A graph, the runs somebody makes on it, and how often each node ran."""

    def __init__(self, build: Callable[["Story"], Any], steps: Sequence[Step], durability: str) -> None:
        self.did: list[str] = []
        self.saver = Dying()
        self.graph = build(self).copy(update={"checkpointer": self.saver})
        self.steps = steps
        self.durability = durability

    def node(self, name: str) -> Any:
        async def node(state: State) -> State:
            self.did.append(name)
            return {"trail": [name]}

        return node

    def asking(self, name: str, times: int = 1) -> Any:
        async def ask(state: Any) -> State:
            about = state.get("about", name)
            answers = [interrupt(f"{about} {n}") for n in range(times)]
            self.did.append(f"{about}={answers}")
            return {"trail": [f"{about}={answers}"]}

        return ask

    async def play(self, *, dying_in: int | None = None, after: int = 0) -> list[Any]:
        """Make all runs; the last dies before its write number `after`, and is picked up."""
        state: StateSnapshot | None = None
        for place, step in enumerate(self.steps):
            run = _run({"durability": self.durability, **step(state)})
            if place == dying_in:
                self.saver.lives = self.saver.made + after
                try:
                    state = await self._attempt(run, 1)
                except Killed:
                    self.saver.lives = 10_000
                    state = await self._attempt(run, 2)
                self.saver.lives = 10_000
            else:
                state = await self._attempt(run, 1)
        assert state is not None
        return [
            sorted(state.values["trail"]),
            sorted(state.next),
            sorted(asked.value for asked in state.interrupts),
        ]

    async def _attempt(self, run: Run, attempt: int) -> StateSnapshot:
        config = configuration(run)
        decision = first(run) if attempt == 1 else await decide(self.graph, run, config)
        if isinstance(decision, Stop):
            return decision.state
        if not decision.addressed:
            config["configurable"].pop("checkpoint_id", None)
        chunks = self.graph.astream(
            decision.input,
            config,
            stream_mode=["values"],
            subgraphs=True,
            durability=run.kwargs["durability"],
            interrupt_before=run.kwargs.get("interrupt_before"),
            interrupt_after=run.kwargs.get("interrupt_after"),
        )
        async for _ in chunks:
            pass
        state: StateSnapshot = await self.graph.aget_state({"configurable": {"thread_id": str(THREAD)}})
        return state


def _run(kwargs: Kwargs) -> Run:
    ids: dict[str, Any] = {
        "run_id": new_id(),
        "thread_id": THREAD,
        "assistant_id": UUID(int=0),
        "graph_id": "g",
    }
    times: dict[str, Any] = {
        "due_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
        "started_at": None,
        "ended_at": None,
    }
    return Run(
        **ids,
        **times,
        status="running",
        kwargs=kwargs,
        metadata={},
        multitask_strategy="enqueue",
        priority=0,
        attempt=1,
        max_attempts=3,
        worker_id=None,
        reserved_seq=0,
        cancel=None,
        error=None,
        temporary=False,
        owner="local",
    )


def three(story: Story) -> Any:
    graph = StateGraph(State)
    for name in "abc":
        graph.add_node(name, story.node(name))
    for here, there in zip([START, *"abc"], [*"abc", END], strict=True):
        graph.add_edge(here, there)
    return graph.compile()


def asks(times: int) -> Callable[[Story], Any]:
    def build(story: Story) -> Any:
        graph = StateGraph(State)
        graph.add_node("a", story.node("a"))
        graph.add_node("ask", story.asking("ask", times))
        graph.add_node("b", story.node("b"))
        for here, there in ((START, "a"), ("a", "ask"), ("ask", "b"), ("b", END)):
            graph.add_edge(here, there)
        return graph.compile()

    return build


def asks_inside(story: Story) -> Any:
    inner = StateGraph(State)
    inner.add_node("x", story.node("x"))
    inner.add_node("ask", story.asking("inner", 2))
    inner.add_node("y", story.node("y"))
    for here, there in ((START, "x"), ("x", "ask"), ("ask", "y"), ("y", END)):
        inner.add_edge(here, there)
    graph = StateGraph(State)
    graph.add_node("a", story.node("a"))
    graph.add_node("inside", inner.compile())
    graph.add_edge(START, "a")
    graph.add_edge("a", "inside")
    graph.add_edge("inside", END)
    return graph.compile()


def asks_at_once(story: Story) -> Any:
    graph = StateGraph(State)
    graph.add_node("ask", story.asking("ask"))
    graph.add_node("plain", story.node("plain"))
    there: list[Any] = [Send("ask", {"about": "x"}), Send("ask", {"about": "y"}), Send("plain", {})]
    graph.add_conditional_edges(START, lambda _: there, ["ask", "plain"])
    graph.add_node("b", story.node("b"))
    graph.add_edge("ask", "b")
    graph.add_edge("b", END)
    return graph.compile()


def given(kwargs: Kwargs) -> Step:
    return lambda _: kwargs


def answered(*which: int) -> Step:
    """Answer the open questions in these places, in the order of their texts."""

    def step(state: StateSnapshot | None) -> Kwargs:
        assert state is not None
        asked = sorted(state.interrupts, key=lambda one: str(one.value))
        return {"command": {"resume": {asked[n].id: f"answer to {asked[n].value}" for n in which}}}

    return step


def from_parent(kwargs: Kwargs) -> Step:
    """Run from the checkpoint before the newest."""

    def step(state: StateSnapshot | None) -> Kwargs:
        assert state is not None
        assert state.parent_config is not None
        return {**kwargs, "checkpoint_id": state.parent_config["configurable"]["checkpoint_id"]}

    return step


STORIES: dict[str, tuple[Callable[[Story], Any], Sequence[Step]]] = {
    "to the end": (three, [given(INPUT)]),
    "a second turn": (three, [given(INPUT), given(INPUT)]),
    "a question": (asks(1), [given(INPUT)]),
    "an answer": (asks(1), [given(INPUT), answered(0)]),
    "a second question": (asks(2), [given(INPUT), answered(0)]),
    "a second answer": (asks(2), [given(INPUT), answered(0), answered(0)]),
    "a question inside": (asks_inside, [given(INPUT)]),
    "an answer inside": (asks_inside, [given(INPUT), answered(0)]),
    "a second answer inside": (asks_inside, [given(INPUT), answered(0), answered(0)]),
    "two questions at once": (asks_at_once, [given(INPUT)]),
    "one of two answers": (asks_at_once, [given(INPUT), answered(1)]),
    "two answers": (asks_at_once, [given(INPUT), answered(0, 1)]),
    "two answers one by one": (asks_at_once, [given(INPUT), answered(1), answered(0)]),
    "a breakpoint before": (three, [given({**INPUT, "interrupt_before": ["b"]})]),
    "a breakpoint after": (three, [given({**INPUT, "interrupt_after": ["b"]})]),
    "breakpoints everywhere": (three, [given({**INPUT, "interrupt_before": "*"})]),
    "on from a breakpoint": (three, [given({**INPUT, "interrupt_before": ["b"]}), given({"input": None})]),
    "on to the next breakpoint": (
        three,
        [given({**INPUT, "interrupt_before": "*"}), given({"input": None, "interrupt_before": "*"})],
    ),
    "goto and update": (
        three,
        [given(INPUT), given({"command": {"goto": "b", "update": {"trail": ["new"]}}})],
    ),
    "a fork with input": (three, [given(INPUT), from_parent(INPUT)]),
    "a fork without input": (three, [given(INPUT), from_parent({"input": None})]),
    "a fork with an update": (three, [given(INPUT), from_parent({"command": {"update": {"trail": ["u"]}}})]),
}


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("name", STORIES)
async def test_a_crash_at_any_write_changes_nothing(name: str, durability: str) -> None:
    if "fork" in name and durability == "exit":
        return  # there is no checkpoint before the newest
    build, steps = STORIES[name]
    whole = Story(build, steps, durability)
    expected = await whole.play()
    written = whole.saver.made
    for after in range(written + 1):
        story = Story(build, steps, durability)
        assert await story.play(dying_in=len(steps) - 1, after=after) == expected, (
            f"died before write {after}"
        )
        if durability == "sync":
            twice = [one for one in set(story.did) if story.did.count(one) > whole.did.count(one)]
            assert len(twice) <= (3 if "at once" in name or "two" in name else 2), f"{twice} ran twice"
        if story.saver.made < after:
            break


def test_a_command_is_taken_apart_or_refused() -> None:
    command = command_of({"goto": ["a", {"node": "b", "input": 1}], "update": [["x", 1]], "resume": 2})
    assert command.goto == ["a", Send("b", 1)]
    assert (command.update, command.resume) == ([("x", 1)], 2)
    for wrong in ({"goto": 3}, {"goto": [{"no": 1}]}, {"update": "x"}):
        with pytest.raises(Invalid):
            command_of(wrong)
