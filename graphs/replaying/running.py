"""Run a recording again, run by run, and say whether all came as it had come, or where first it did not."""

from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import Pregel
from langgraph.store.memory import InMemoryStore
from langgraph.types import Command, Interrupt

from artel.graphs.context import Handles, use
from artel.graphs.registry import AGENTS
from artel.graphs.replaying.models import RecordedModels
from artel.graphs.replaying.playing import Diverged, Divergence, Player, RecordEnds
from artel.graphs.replaying.recording import Asked, Recording, about, alike, messages_of, same, thread_part
from artel.storage.errors import ArtelError, Invalid
from artel.tools.policies import parsed
from artel.tools.policy import DEFAULT, Policy

COMPARED = ("plan", "result", "route", "todos", "checks")
"""Of the last state, besides messages and decisions."""
GIVEN_BY_HAND = ("agent",)  # agents whose role comes with each run


class NotReplayable(Invalid):
    """An archive is of a thread that cannot be run again."""

    code = "not_replayable"


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a replay."""

    runs: int
    "That were replayed, to their end or to where the record ends."
    calls: int
    "Of models."
    results: int
    "Of tools, from the record."
    divergence: Divergence | None
    left_out: str = ""
    "Why what came later was not replayed."

    def __str__(self) -> str:
        """Say it in words."""
        done = f"{self.runs} runs, {self.calls} calls of models, {self.results} results of tools"
        rest = f"\n{self.left_out}" if self.left_out else ""
        if self.divergence:
            return f"diverged after {done}\n{self.divergence}{rest}"
        return f"equal: {done}{rest}"


async def replay(recording: Recording, policy: Policy | None = None) -> Replay:
    """Run a recording again; `policy` judges its calls instead of the one that did then.

    Raises:
        NotReplayable: the graph is none of ours, or needs what no archive holds.
        PolicyWrong: the policy in the archive is none.
    """
    known = [name for name in AGENTS if name not in GIVEN_BY_HAND]
    if recording.graph_id not in known:
        raise NotReplayable(
            f"{recording.graph_id or 'a thread without a graph'!r} cannot be replayed: {', '.join(known)} can"
        )
    if policy is None:
        policy = await to_thread(parsed, recording.policy) if recording.policy is not None else DEFAULT
    with TemporaryDirectory(prefix="artel-replay-") as room:
        root = await to_thread(_work, room)
        player = Player(recording)
        then = next(iter(sorted(recording.workspaces)), "")
        player.here = {str(root): then} if then else {}
        handles = Handles(
            RecordedModels(player),
            (root,),
            root,
            policy=policy,
            snapshot_home=root.parent / "snapshots",
            formerly=dict.fromkeys(recording.workspaces, str(root)),
            recorded=player,
        )
        with use(handles):
            return await _Replaying(recording, player, await _graph(recording.graph_id)).all()


class _Replaying:
    def __init__(self, recording: Recording, player: Player, graph: Any) -> None:
        self.recording, self.player, self.graph = recording, player, graph
        self.config: Any = {"configurable": {"thread_id": "replay"}, "recursion_limit": 1_000}
        self.open: dict[str, Interrupt] = {}
        self.done = 0

    async def all(self) -> Replay:
        """Replay run after run."""
        for number, run in enumerate(self.recording.runs, 1):
            if run.get("checkpoint_id") or run.get("checkpoint"):
                return self._came(f"run {number} began at an earlier state; what follows was not replayed")
            self.player.cut_short = run.get("status") != "success"
            if why := await self._run(number, run):
                return self._came(why)
            self.done = number
        if not self.player.found:
            self._compare((await self.graph.aget_state(self.config)).values)
        return self._came()

    async def _run(self, number: int, run: Mapping[str, Any]) -> str:
        """Replay one run; return why the replay ends with it, or nothing."""
        try:
            await self.graph.ainvoke(self._given(run), self.config, context=dict(run.get("context") or {}))
        except Diverged:
            return "what follows could not be compared"
        except RecordEnds:
            self.done = number
            return f"run {number} was cut short ({run.get('status')}); the replay ends where it did"
        except (ArtelError, RuntimeError, ValueError, TypeError, LookupError) as error:
            if not self.player.found and not self.player.cut_short:
                self.player.differs(
                    f"run {number}", "it broke off", "it ended", f"{type(error).__name__}: {error}"
                )
            return f"run {number} broke off"
        if self.player.found:
            return "what follows could not be compared"
        if self.player.ended:
            self.done = number
            return f"run {number} was cut short ({run.get('status')}); the replay ends where it did"
        await self._questions(number, str(run.get("run_id")))
        return "what follows could not be compared" if self.player.found else ""

    def _given(self, run: Mapping[str, Any]) -> Any:
        command = run.get("command")
        if not isinstance(command, Mapping):
            return run.get("input")
        if "resume" not in command or command["resume"] is None:
            return Command(update=command.get("update"), goto=command.get("goto") or ())
        answers = command["resume"]
        if not isinstance(answers, Mapping) or not answers.keys() <= {
            one.interrupt_id for one in self.recording.asked
        }:
            return Command(resume=answers)
        named = {one.interrupt_id: one.about for one in self.recording.asked}
        ids = {about(one.value): one.id for one in self.open.values()}
        return Command(resume={ids[named[key]]: said for key, said in answers.items() if named[key] in ids})

    async def _questions(self, number: int, run_id: str) -> None:
        """Compare what a run asked people with what it had asked."""
        state = await self.graph.aget_state(self.config)
        before = set(self.open)
        self.open = {one.id: one for one in state.interrupts}
        now = [about(one.value) for id_, one in self.open.items() if id_ not in before]
        then = [one.about for one in self.recording.asked if one.run_id == run_id]
        self.player.asked_now |= set(now)
        place = f"the end of run {number}"
        if more := sorted(set(now) - set(then)):
            self.player.differs(place, "the gate asks a person, and did not then", "", self._words(more[0]))
        elif fewer := sorted(set(then) - set(now)):
            asked = next(one for one in self.recording.asked if one.about == fewer[0])
            self.player.differs(place, "nobody is asked what was asked then", _told(asked))

    def _words(self, wanted: str) -> str:
        found = next(one for one in self.open.values() if about(one.value) == wanted)
        return _shown(found.value) or wanted

    def _compare(self, values: Mapping[str, Any]) -> None:
        """Compare the last states."""
        here, final = self.player.here, self.recording.final
        then = [alike(one, here) for one in thread_part(messages_of(final))]
        now = [alike(one, here) for one in thread_part(messages_of(values))]
        for place, (one, other) in enumerate(zip(then, now, strict=False), 1):
            if one != other:
                self.player.differs(f"the last state, message {place}", "it differs", one, other)
                return
        if len(then) != len(now):
            self.player.differs("the last state", f"{len(now)} messages instead of {len(then)}")
            return
        for name in COMPARED:
            one, other = (same(_but_its_cost(state.get(name)), here) for state in (final, values))
            if one != other:
                self.player.differs(f"the last state, {name}", "it differs", one, other)
                return
        one, other = (same(_decided(state), here) for state in (final, values))
        if one != other:
            self.player.differs("the last state, decisions", "they differ", one, other)

    def _came(self, left_out: str = "") -> Replay:
        player = self.player
        return Replay(self.done, player.calls, player.results, player.found, left_out)


def _work(room: str) -> Path:
    root = Path(room).resolve() / "work"
    root.mkdir()
    return root


async def _graph(name: str) -> Any:
    made = AGENTS[name].graph
    graph = made if isinstance(made, Pregel) else await made()
    return graph.copy(update={"checkpointer": InMemorySaver(), "store": InMemoryStore()})


def _decided(values: Mapping[str, Any]) -> Any:
    found = values.get("resolved_context")
    entries = found.values() if isinstance(found, Mapping) else ()
    return sorted([str(one.get("question")), list(one.get("answer") or ())] for one in entries)


def _told(asked: Asked) -> str:
    return _shown(asked.value) or asked.about


def _shown(value: Any) -> str:
    return str(value.get("description") or "")[:300] if isinstance(value, Mapping) else ""


def _but_its_cost(value: Any) -> Any:
    """Return a part of a state without the sum of a plan: it has calls in it of which no archive tells."""
    if not isinstance(value, Mapping):
        return value
    return {key: one for key, one in value.items() if key not in ("cost", "tokens")}
