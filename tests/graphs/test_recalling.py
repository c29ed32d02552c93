"""What was left out of a conversation can be read again."""

from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from tests.fakes.driver import calls
from tests.graphs.conftest import Start

from artel.tools.recalling import MAX_CHARS

LONG = "".join(f"line {n}\n" for n in range(2_000))


def thread(**artifact: Any) -> list[Any]:
    made = [{"name": "ls", "args": {"path": "x" * 9_000}, "id": "old", "type": "tool_call"}]
    result = ToolMessage(LONG, tool_call_id="old", id="t1", artifact=artifact)
    return [HumanMessage("мои слова " * 2_000, id="h1"), AIMessage("", tool_calls=made, id="a1"), result]


async def recalled(start: Start, *many: dict[str, Any], **artifact: Any) -> Any:
    run = start("ask", "said before", *[calls({"name": "recall", "args": args}) for args in many], "done")
    await run.go({"messages": [*thread(**artifact), HumanMessage("go on")]})
    return run


async def test_a_result_is_shown_from_where_it_was_left(start: Start) -> None:
    run = await recalled(start, {"id": "old"}, {"id": "old", "offset": MAX_CHARS})
    _, first, second = run.told
    assert (
        first
        == f"{LONG[:MAX_CHARS]}\n[characters 0-{MAX_CHARS} of {len(LONG)}; go on with offset={MAX_CHARS}]"
    )
    assert second.startswith(LONG[MAX_CHARS : MAX_CHARS + 50])


async def test_the_words_of_a_person_and_the_arguments_of_a_call_are_shown_too(start: Start) -> None:
    run = await recalled(start, {"id": "h1"}, {"id": "a1"})
    assert run.told[1].startswith("мои слова")
    assert run.told[2].startswith("ls:\npath: xxx")


async def test_what_is_not_there_is_said_so(start: Start) -> None:
    run = await recalled(
        start, {"id": "nobody\n"}, {"id": "old", "offset": 10**9}, {"id": "old", "offset": -1}
    )
    assert "nothing here has the id nobody\\n" in run.told[1]
    assert f"offset must be below {len(LONG)}" in run.told[2]
    assert "offset" in run.told[3]


async def test_text_from_outside_stays_text_from_outside(start: Start) -> None:
    run = await recalled(start, {"id": "old"}, untrusted=True)
    assert run.messages[-2].artifact == {"kind": "look", "tool": "recall", "untrusted": True}
