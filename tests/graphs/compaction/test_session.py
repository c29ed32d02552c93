"""A day of turns in a window of 16,384 tokens, through the coder's own loop; of 300 by `make soak`."""

from collections.abc import AsyncIterator, Callable, Sequence
from json import dumps
from pathlib import Path
from typing import Any, cast

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field

from artel.graphs.agent_loop import loop
from artel.graphs.compaction.counting import tokens, tools_tokens
from artel.graphs.context import Handles, use
from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.told import NAME
from artel.graphs.models.windows import budget
from artel.graphs.roles import built_in
from artel.tools.policy import Policy, Rule

WINDOW = 16_384
FREE = Policy(rules=(Rule(id="free", effect="allow"),))
FIRST = "Имя переменной отступа всегда `spacing`; never touch LICENSE. Start with module 0."

Calls = list[tuple[str, dict[str, Any]]]


class Worker(BaseChatModel):
    """Does as `plan` says, call by call; keeps what it was asked and which tools it was told of."""

    plan: Callable[[int], Calls | str]
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    summed_up: list[str] = Field(default_factory=list)
    tools: list[Any] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "worker"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        self.tools[:] = tools
        return self.bind(**kwargs)

    def _generate(self, *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        if len(messages) == 1:
            self.summed_up.append(str(messages[0].content))
            words = AIMessageChunk(content="Отступ поднимали на единицу.", chunk_position="last")
            yield ChatGenerationChunk(message=words)
            return
        at = len(self.asked)
        self.asked.append(list(messages))
        wanted = self.plan(at)
        said = wanted if isinstance(wanted, str) else ""
        chunks = [
            tool_call_chunk(
                name=name, args=dumps(args, ensure_ascii=False), id=f"c{at}_{number}", index=number
            )
            for number, (name, args) in enumerate([] if isinstance(wanted, str) else wanted)
        ]
        end = AIMessageChunk(content=said, tool_call_chunks=chunks, chunk_position="last")
        yield ChatGenerationChunk(message=end)


class OneWorker(Models):
    def __init__(self, worker: BaseChatModel) -> None:
        super().__init__(ModelSettings(model="ollama:worker"))
        self.worker = worker

    def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
        link = Link(spec="ollama:worker", build=lambda: self.worker, failures=lambda: (RuntimeError,))
        return Chain(links=(link,), timeout_s=5, silence_s=5)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "work"
    root.mkdir()
    (root / "AGENTS.md").write_text("Indent by four. Сначала тесты.\n")
    for at in range(12):
        lines = [
            f"def function_{at}_{line}(value: int) -> int:\n    return value * {line} + spacing\n\n"
            for line in range(20 + 20 * (at % 6))
        ]
        (root / f"module_{at}.py").write_text("spacing = 4\n\n" + "".join(lines))
    (root / "notes.md").write_text("Заметки о проекте. " * 400 + "\n")
    return root


def given(root: Path, worker: BaseChatModel) -> Handles:
    return Handles(
        models=OneWorker(worker),
        roots=(root.parent,),
        default_workspace=root,
        policy=FREE,
        snapshot_home=root.parent / "snapshots",
    )


def work(at: int) -> Calls | str:
    """One step of a long day: look, change, look again, answer; now and then something goes wrong."""
    turn, step = divmod(at, 4)
    module = f"module_{turn % 12}.py"
    if step == 0:
        parallel: Calls = [("read_file", {"file_path": module})]
        return parallel + ([("read_file", {"file_path": "notes.md"}), ("ls", {})] if turn % 9 == 0 else [])
    if step == 1:
        old, new = (f"spacing = {4 + turn // 12}\n", f"spacing = {5 + turn // 12}\n")
        return [("edit_file", {"file_path": module, "old_string": old, "new_string": new})]
    if step == 2:
        wrong: Calls = [("read_file", {"file_path": "nowhere.py"})]
        return (
            wrong
            if turn % 10 == 3
            else [("grep", {"pattern": f"function_{turn % 12}_1", "output_mode": "content"})]
        )
    return f"Turn {turn}: changed {module}. Готово."


def paired(messages: Sequence[BaseMessage]) -> bool:
    """Whether each call is followed by its one result, and nothing else is a result."""
    waiting: list[str | None] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in waiting:
                return False
            waiting.remove(message.tool_call_id)
        elif waiting:
            return False
        if isinstance(message, AIMessage):
            waiting = [call["id"] for call in message.tool_calls]
    return not waiting


def common(one: Sequence[BaseMessage], other: Sequence[BaseMessage]) -> int:
    """Return the tokens of the beginning that two questions share; what changes each time is not counted."""
    same = 0
    for before, after in zip(one, other, strict=False):
        if (before.type, before.content, getattr(before, "tool_calls", 0)) != (
            after.type,
            after.content,
            getattr(after, "tool_calls", 0),
        ):
            break
        same += tokens([before])
    return same


@pytest.mark.parametrize("turns", [60, pytest.param(300, marks=pytest.mark.soak)])
async def test_a_day_of_turns_fits_a_small_window(project: Path, turns: int, record_property: Any) -> None:
    worker = Worker(plan=work)
    state: dict[str, Any] = {}
    events: list[Any] = []
    graph = loop(built_in()["coder"])
    with use(given(project, worker)):
        for turn in range(turns):
            said = FIRST if turn == 0 else f"Ход {turn}: подними spacing в module_{turn % 12}.py на единицу."
            before = state.get("messages", [])
            async for mode, chunk in graph.astream(
                {**state, "messages": [*before, HumanMessage(said)]}, stream_mode=["values", "custom"]
            ):
                if mode == "values":
                    state = cast("dict[str, Any]", chunk)
                else:
                    events.append(chunk)
    limit = budget("ollama:worker", {}).limit or 0
    tools = tools_tokens(worker.tools)
    sizes = [tokens(asked) + tools for asked in worker.asked]
    assert len(worker.asked) == 4 * turns
    assert max(sizes) <= limit
    assert all(paired(asked) for asked in worker.asked)
    assert all(any(FIRST in str(m.content) for m in asked) for asked in worker.asked)
    assert all("Сначала тесты" in str(asked[0].content) for asked in worker.asked)
    shared = [
        (common(one, other) + tools, size - tokens([m for m in one if m.name == NAME]))
        for one, other, size in zip(worker.asked, worker.asked[1:], sizes, strict=False)
    ]
    stability = sum(same for same, _ in shared) / sum(size for _, size in shared)
    thread = sum(same - tools for same, _ in shared) / sum(size - tools for _, size in shared)
    record_property("prefix stability", f"{stability:.3f}")
    record_property("prefix stability without tools", f"{thread:.3f}")
    assert stability >= 0.9
    # every message is still there, and one that was left out can be read again
    assert sum(m.type == "human" for m in state["messages"]) == turns
    assert {"context"} == {event["type"] for event in events}
    assert all(event["tokens"] <= event["limit"] for event in events)
    assert 0 < len(events) < len(worker.asked)
