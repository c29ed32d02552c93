"""Agents use tools of MCP servers as they use ours: offered, judged, asked about, done once."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool
from tests.fakes.driver import Driver, call, calls, edit
from tests.fakes.mcp_configured import configured, fake
from tests.graphs.conftest import Start

from artel.graphs.ledgers import EffectCall, LocalEffects
from artel.graphs.models.scripted import Scripted
from artel.tools.mcp.servers import Servers
from artel.tools.policy import DEFAULT, Rule
from artel.tools.tool import Work

YES = {"type": "approve"}
FREE = DEFAULT.model_copy(update={"rules": (Rule(id="free", effect="allow"),)})
ADD = call("mcp__fake__add", a=2, b=3, id="add-1")

Make = Callable[..., Servers]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
async def servers(tmp_path: Path, notes: Path) -> AsyncIterator[Make]:
    made: list[Servers] = []

    def make(**more: Any) -> Servers:
        made.append(Servers([configured(tmp_path, fake(notes) | more)]))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


def did(notes: Path) -> list[str]:
    return [line for line in notes.read_text().splitlines() if line != "start"] if notes.exists() else []


async def put_other_words(given: Servers, root: Path) -> None:
    """Let the server describe `add` in another way."""
    change = await given.find("mcp__fake__change", "coder")
    assert change
    assert change.act
    await change.act(Work(root, "t", "c"), change.parse({}))


def other_process(run: Driver, servers: Servers, **more: Any) -> None:
    """Let the thread go on where nothing is connected yet."""
    run.handles = replace(run.handles, mcp=servers, **more)


async def test_a_tool_of_a_server_is_asked_about_and_done(start: Start, servers: Make, notes: Path) -> None:
    run = await start("coder", calls(ADD), "done", mcp=servers()).say("add")
    (asked,) = run.open
    artel = asked.value["artel"]
    assert asked.value["description"] == "fake: add a=2, b=3"
    assert (artel["risk"], artel["reason"]) == ("execute", "another program does it, and nobody sees what")
    assert (artel["mcp"]["server"], artel["mcp"]["tool"]) == ("fake", "add")
    assert artel["mcp"]["claims"] == {"read_only_hint": True, "idempotent_hint": True}
    assert did(notes) == []
    await run.answer(YES)
    assert run.said == "done"
    assert did(notes) == ["add 2 3"]
    assert "\n5\n" in run.told[0]
    assert run.state.values["tainted"] is True


async def test_models_are_offered_what_the_servers_of_their_agent_have(
    start: Start, servers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[str] = []

    def bind(model: Scripted, tools: Sequence[Any], **more: Any) -> Any:
        offered.extend(convert_to_openai_tool(tool)["function"]["name"] for tool in tools)
        return model.bind(**more)

    monkeypatch.setattr(Scripted, "bind_tools", bind)
    given = servers(agents=["ask"], tools=["add", "b*"], disabledTools=["buy"])
    await start("coder", "hello", mcp=given).say("explain")
    assert "read_file" in offered
    assert "mcp__fake__add" not in offered
    await start("ask", "hello", mcp=given).say("explain")
    assert [name for name in offered if name.startswith("mcp__")] == ["mcp__fake__add"]


async def test_an_agent_that_may_not_have_a_tool_is_told_so(start: Start, servers: Make, notes: Path) -> None:
    run = await start("coder", calls(ADD), "done", mcp=servers(agents=["ask"]), policy=FREE).say("add")
    assert "not a valid tool" in run.told[0]
    assert did(notes) == []


async def test_a_rule_for_a_tool_lets_it_through_until_text_from_outside_was_read(
    start: Start, servers: Make, notes: Path
) -> None:
    rule = Rule(id="adds", effect="allow", action="mcp.fake.add")
    policy = DEFAULT.model_copy(update={"rules": (rule,)})
    replies = [calls(ADD), calls({**ADD, "id": "add-2"}), "done"]
    run = await start("coder", *replies, mcp=servers(), policy=policy).say("add")
    (asked,) = run.open
    assert did(notes) == ["add 2 3"]
    assert asked.value["artel"]["tainted"] is True
    trusted = await start("coder", *replies, mcp=servers(trusted=True), policy=policy).say("add")
    assert (trusted.said, trusted.told) == ("done", ["5", "5"])


async def test_arguments_named_as_langchains_own_arrive(start: Start, servers: Make) -> None:
    one = call("mcp__fake__echo", config="a", runtime="b", self="c")
    run = await start("coder", calls(one), "done", mcp=servers(trusted=True), policy=FREE).say("go")
    assert run.told == ["a b c"]


async def test_wrong_arguments_are_refused_without_asking(start: Start, servers: Make, notes: Path) -> None:
    run = await start("coder", calls(call("mcp__fake__add", a="x")), "done", mcp=servers()).say("add")
    assert run.open == ()
    assert "Not run: mcp__fake__add" in run.told[0]
    assert did(notes) == []


async def test_a_yes_is_good_in_another_process(start: Start, servers: Make, notes: Path) -> None:
    run = await start("coder", calls(ADD), "done", mcp=servers()).say("add")
    other_process(run, servers())
    await run.answer(YES)
    assert (run.said, did(notes)) == ("done", ["add 2 3"])


async def test_a_yes_for_a_server_that_is_away_ends_in_a_clear_failure(
    start: Start, servers: Make, notes: Path
) -> None:
    run = await start("coder", calls(ADD, edit("notes.txt", "hello", "bye")), "done", mcp=servers()).say(
        "add"
    )
    other_process(run, servers(command="no-such-program"))
    await run.answer(YES, YES)
    assert run.said == "done"
    assert "mcp__fake__add was not called: the MCP server fake cannot be reached" in run.told[0]
    assert "notes.txt" in run.told[1]
    assert did(notes) == []


async def test_a_yes_is_for_the_tool_as_it_was_described(
    start: Start, servers: Make, notes: Path, tmp_path: Path
) -> None:
    given = servers()
    run = await start("coder", calls(ADD), "done", mcp=given).say("add")
    await put_other_words(given, tmp_path)
    await run.answer(YES)
    assert "Not run: mcp__fake__add describes itself in another way now" in run.told[0]
    assert did(notes) == []


async def test_all_calls_of_a_message_can_be_asked_about_at_once(
    start: Start, servers: Make, notes: Path, folder: Path
) -> None:
    run = start("coder", calls(edit("notes.txt", "hello", "bye"), ADD), "done", mcp=servers())
    run.context = {"approvals": "batched"}
    await run.say("go")
    (asked,) = run.open
    assert [one["name"] for one in asked.value["action_requests"]] == ["edit_file", "mcp__fake__add"]
    other_process(run, servers())
    await run.answer({"decisions": [YES, YES]})
    assert (run.said, did(notes)) == ("done", ["add 2 3"])
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"


async def test_a_tool_that_changed_does_not_take_its_siblings_with_it(
    start: Start, servers: Make, notes: Path, folder: Path
) -> None:
    given = servers()
    run = start("coder", calls(ADD, edit("notes.txt", "hello", "bye")), "done", mcp=given)
    run.context = {"approvals": "batched"}
    await run.say("go")
    await put_other_words(given, folder)
    await run.answer({"decisions": [YES, YES]})
    assert "describes itself in another way now" in run.told[0]
    assert (run.said, did(notes)) == ("done", [])
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"


@pytest.mark.parametrize(("allowed", "again"), [((), False), (("add",), True)])
async def test_a_call_whose_end_nobody_saw_is_made_again_only_if_both_say_so(
    start: Start, servers: Make, notes: Path, allowed: tuple[str, ...], again: bool
) -> None:
    class Begun(LocalEffects):
        async def begin(self, call: EffectCall, intent: Any) -> Any:
            await super().begin(call, intent)
            return await super().begin(call, intent)

    given = servers(idempotentTools=list(allowed))
    run = await start("coder", calls(ADD), "done", mcp=given, policy=FREE, effects=Begun()).say("add")
    assert did(notes) == (["add 2 3"] if again else [])
    assert ("The outcome is unknown" in run.told[0]) is not again


async def test_a_tool_that_fails_is_told_as_failed_and_taints(start: Start, servers: Make) -> None:
    run = await start("coder", calls(call("mcp__fake__fail")), "done", mcp=servers(), policy=FREE).say("go")
    told = next(m for m in run.messages if m.type == "tool")
    assert (told.status, told.artifact["kind"], told.artifact["untrusted"]) == ("error", "failed", True)
    assert run.state.values["tainted"] is True
