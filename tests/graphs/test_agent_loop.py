"""The loop of model and tools: folders, models, parallel calls, what Studio sees."""

import asyncio
from dataclasses import replace
from pathlib import Path
from threading import get_ident
from typing import Any

import pytest
from blockbuster import blockbuster_ctx
from langchain_core.messages import AIMessage, AIMessageChunk, ToolMessage
from tests.fakes.driver import BUILDERS, call, calls
from tests.graphs.conftest import Start

from artel.graphs import agents
from artel.graphs.context import Context, Handles, configure, handles, use, workspace
from artel.graphs.models import Models, ModelSettings, NoModelAnswered
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.scripted import ScriptError, scripted
from artel.graphs.registry import AGENTS
from artel.graphs.roles import TAKEN, built_in
from artel.tools import registry
from artel.tools.errors import ToolRefused
from artel.tools.policy import Policy, Rule

READ = call("read_file", file_path="here.txt")


@pytest.mark.parametrize("agent", ["coder", "orchestrator"])
async def test_the_workspace_of_the_first_run_is_kept_for_the_thread(
    start: Start, folder: Path, agent: str
) -> None:
    other = folder.parent / "other project"
    other.mkdir()
    (other / "here.txt").write_text("in the other project")
    run = start(agent, calls(READ), "read", calls(READ), "read again")
    run.context = {"workspace": str(other)}
    await run.say("show here.txt")
    run.context = {}
    await run.say("show here.txt again")
    assert [told.strip() for told in run.told] == ["1\tin the other project"] * 2
    assert run.state.values["workspace"] == str(other)


async def test_a_question_about_one_folder_is_not_answered_in_another(start: Start, folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    (other / "notes.txt").write_text("hello\n")
    edit = call("edit_file", file_path="notes.txt", old_string="hello", new_string="bye")
    run = await start("coder", calls(edit), "done").say("go")
    run.context = {"workspace": str(other)}
    await run.answer({"type": "approve"})
    assert (other / "notes.txt").read_text() == "hello\n"
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"


@pytest.mark.parametrize(
    "asked", ["/", "relative", "/etc", "{parent}-evil", "{home}/link", "{home}/notes.txt"]
)
async def test_a_workspace_outside_the_roots_is_refused_before_the_model_is_asked(
    start: Start, folder: Path, asked: str
) -> None:
    (folder.parent.parent / f"{folder.parent.name}-evil").mkdir(exist_ok=True)
    (folder / "link").symlink_to("/etc")
    run = start("coder", "never said")
    run.context = {"workspace": asked.format(parent=folder.parent, home=folder)}
    with pytest.raises(ToolRefused):
        await run.say("go")
    assert run.model.asked == []


async def test_independent_calls_run_side_by_side_and_off_the_event_loop(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    together = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look(root: Path, args: Any) -> Any:
        seen.append(get_ident())
        if len(seen) == 3:
            loop.call_soon_threadsafe(together.set)
        asyncio.run_coroutine_threadsafe(asyncio.wait_for(together.wait(), 5), loop).result()
        return registry._ls(root, args)

    slow = replace(registry.TOOLS["ls"], look=look)
    monkeypatch.setattr("artel.graphs.agent_loop.TOOLS", {**registry.TOOLS, "ls": slow})
    run = await start("coder", calls(*[call("ls")] * 3), "listed").say("go")
    assert (len(seen), run.said) == (3, "listed")
    assert get_ident() not in seen


async def test_a_failing_tool_tells_the_model_and_the_run_goes_on(start: Start) -> None:
    wrong = calls(
        call("read_file", file_path="nowhere.txt"), call("read_file", file_path="../x"), call("ls", depth=3)
    )
    run = await start("ask", wrong, "I see").say("go")
    assert run.said == "I see"
    assert [m.status for m in run.messages if m.type == "tool"] == ["error"] * 3
    assert "depth" in run.told[2]


async def test_a_model_that_breaks_off_is_followed_by_the_next_and_the_state_has_one_whole_answer(
    start: Start,
) -> None:
    class Breaks(type(scripted())):  # type: ignore[misc]
        async def _astream(self, *args: Any, **kwargs: Any) -> Any:
            async for chunk in super()._astream(*args, **kwargs):
                if chunk.message.content:
                    yield chunk
            raise ScriptError("the line went dead")

    broken, sound = Breaks(replies=scripted("half a sentence").replies), scripted("a whole answer")

    class Two(Models):
        def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
            links = tuple(
                Link(spec=name, build=lambda model=model: model, failures=lambda: (ScriptError,))  # type: ignore[misc]
                for name, model in (("first", broken), ("second", sound))
            )
            return Chain(links=links, timeout_s=5, silence_s=5)

    run = start("ask")
    run.handles = replace(run.handles, models=Two(ModelSettings(model="offline")))
    await run.say("go")
    assert [m.content for m in run.messages if m.type == "ai"] == ["a whole answer"]


async def test_a_run_may_wish_for_its_own_model(start: Start) -> None:
    run = start("ask", "never said")
    run.handles = replace(run.handles, models=Models(ModelSettings(model="scripted:/nowhere.json")))
    with pytest.raises(NoModelAnswered, match="cannot play the script"):
        await run.say("hello")
    run.context = {"model": "offline", "an unknown wish": True}
    assert "Offline model" in (await run.say("hello")).said


async def test_messages_bear_the_name_of_the_agent_that_spoke(start: Start) -> None:
    run = await start("orchestrator", "an answer").say("what is this?")
    assert run.messages[-1].name == "ask"


async def test_tokens_are_streamed_once(start: Start) -> None:
    run = start("ask", "one two three")
    config = {"configurable": {"thread_id": "t"}}
    with use(run.handles):
        stream = run.graph.astream({"messages": "hi"}, config, stream_mode="messages")
        said = [str(m.content) async for m, _ in stream if isinstance(m, AIMessageChunk)]
    assert "".join(said) == "one two three"


@pytest.mark.parametrize("name", ["coder", "ask", "orchestrator"])
def test_studio_can_load_and_draw_a_graph_and_sees_public_fields_only(name: str) -> None:
    graph = BUILDERS[name]()
    schema = graph.get_context_jsonschema()
    assert set(schema["properties"]) == {
        "workspace",
        "model",
        "approvals",
        "budget",
        "lanes",
        "instructions",
    }
    assert all("default" in field for field in schema["properties"].values())
    assert "messages" in graph.get_input_jsonschema()["properties"]
    assert not {"verdicts", "seen"} & set(graph.get_output_jsonschema()["properties"])
    assert graph.checkpointer is None
    assert "graph" in graph.get_graph(xray=True).draw_mermaid()


def test_the_registry_names_what_can_be_built() -> None:
    assert set(AGENTS) == {*built_in(), *TAKEN}


def test_titles_and_descriptions_are_those_of_the_roles() -> None:
    told = {name: (AGENTS[name].title, AGENTS[name].description) for name in built_in()}
    assert told == {name: (role.title, role.description) for name, role in built_in().items()}


async def test_a_loop_is_made_when_it_is_first_used_and_then_kept() -> None:
    agents._kept.clear()
    first, *others = await asyncio.gather(*(AGENTS["ask"].graph() for _ in range(3)))  # type: ignore[operator]
    assert all(one is first for one in others)
    assert [key[0].name for key in agents._kept] == ["ask"]
    for number in range(agents.MAX_KEPT + 1):
        await agents.looped(built_in()["ask"].model_copy(update={"name": f"ask{number}", "tools": ()}))
    assert len(agents._kept) == agents.MAX_KEPT


# context


async def test_nothing_blocks_the_event_loop(start: Start, folder: Path) -> None:
    edit = call("edit_file", file_path="notes.txt", old_string="hello", new_string="bye")
    look = calls(call("ls"), call("grep", pattern="hello"), call("read_file", file_path="notes.txt"))
    run = start("orchestrator", look, calls(edit), "done")
    run.handles = replace(run.handles, default_workspace=folder)
    with blockbuster_ctx() as watch:
        watch.functions["threading.Lock.acquire"].can_block_in("coverage/collector.py", {"lock_data"})
        await run.say("change the greeting")
        await run.answer({"type": "approve"})
    assert (run.said, (folder / "notes.txt").read_text()) == ("done", "bye\nworld\n")


def test_outside_our_server_there_are_handles_that_ask_no_database(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    configure(ModelSettings(model="offline"))
    try:
        assert workspace("") == tmp_path
        assert handles().models.describe()["offline"] is True
        assert handles() is handles()
    finally:
        configure(ModelSettings())


async def test_each_run_has_its_own_handles(folder: Path) -> None:
    def given(root: Path) -> Handles:
        return Handles(models=Models(ModelSettings(model="offline")), roots=(root,), default_workspace=root)

    async def look(mine: Handles) -> bool:
        with use(mine):
            await asyncio.sleep(0)
            return handles() is mine

    assert all(await asyncio.gather(*(look(given(folder / str(n))) for n in range(5))))


def test_a_client_may_send_more_than_we_know() -> None:
    assert Context.model_validate({"workspace": "/x", "user": {"id": 1}}) == Context(workspace="/x")


WHOLE = '{"file_path": "new.txt", "content": "one\\ntwo\\nthree"}'
WRITES = Policy(rules=(Rule(id="free", effect="allow"),))


@pytest.mark.parametrize(
    "half", [WHOLE[:42], WHOLE[:20], WHOLE[:2], '{"file_path": "new.txt"', "[]", "3", WHOLE[1:]]
)
async def test_a_call_that_came_only_in_part_is_not_run_and_the_model_asked_again(
    start: Start, folder: Path, half: str
) -> None:
    """LangChain completes half JSON: a file was written of which the model had sent the first half."""
    broken, whole = calls({"name": "write_file", "args": half}), calls({"name": "write_file", "args": WHOLE})
    run = await start("coder", broken, whole, "done", policy=WRITES).say("go")
    assert run.told[0].startswith("Not run: the arguments of write_file came only in part")
    assert "smaller calls" in run.told[0]
    assert (run.said, (folder / "new.txt").read_text()) == ("done", "one\ntwo\nthree")
    heard: list[Any] = run.model.asked[1]
    assert [m.type for m in heard] == ["system", "human", "ai", "tool"]
    assert heard[2].tool_calls[0]["args"] == {}
    assert (heard[2].tool_calls[0]["id"], heard[2].invalid_tool_calls) == (heard[3].tool_call_id, [])


async def test_whole_calls_beside_one_in_part_are_run(start: Start, folder: Path) -> None:
    many = calls(
        call("read_file", file_path="notes.txt"),
        {"name": "write_file", "args": WHOLE[:42]},
        call("read_file", file_path="other.txt"),
        {"name": "write_file", "args": "nothing"},
    )
    run = await start("coder", many, "done", policy=WRITES).say("go")
    said = {m.tool_call_id: str(m.content) for m in run.messages if isinstance(m, ToolMessage)}
    asked = next(m for m in run.messages if isinstance(m, AIMessage) and m.tool_calls)
    assert ["Not run" in said[one["id"] or ""] for one in asked.tool_calls] == [False, True, False, True]
    assert not (folder / "new.txt").exists()
    assert "hello" in said[asked.tool_calls[0]["id"] or ""]


async def test_line_ends_and_tabs_inside_of_arguments_are_no_missing_part(start: Start, folder: Path) -> None:
    raw = '{"file_path": "new.txt", "content": "a\n\tb\n"}'
    await start("coder", calls({"name": "write_file", "args": raw}), "done", policy=WRITES).say("go")
    assert (folder / "new.txt").read_text() == "a\n\tb\n"


async def test_a_tool_that_does_not_exist_is_answered_with_those_that_do(start: Start) -> None:
    run = await start("coder", calls(call("edit_fiel", file_path="notes.txt")), "I see").say("go")
    assert run.said == "I see"
    assert "edit_fiel" in run.told[0]
    assert "edit_file" in run.told[0]
