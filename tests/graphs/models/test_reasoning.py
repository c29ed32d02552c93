"""What models think is kept apart from what they say, in every form it comes in."""

import json
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from tests.fakes.anthropic_server import anthropic_server
from tests.fakes.openai_server import openai_server

from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.reasoning import Thoughts

QUESTION = [HumanMessage("hello")]


@tool
def ls(path: str) -> str:
    """List a folder."""
    return path


def split(pieces: list[str]) -> tuple[str, str]:
    thoughts = Thoughts()
    parts = [*(thoughts.feed(piece) for piece in pieces), thoughts.end()]
    return "".join(said for said, _ in parts), "".join(thought for _, thought in parts)


@pytest.mark.parametrize(
    ("text", "said", "thought"),
    [
        ("<think>\nhm <b>\n</think>\n\nIt is 4.", "It is 4.", "\nhm <b>\n"),
        ("\n<thinking>a</thinking>b", "b", "a"),
        ("[THINK]a[/THINK] b", "b", "a"),
        ("<think>never ends", "", "never ends"),
        ("It says <think> here", "It says <think> here", ""),
        ("<thin ice", "<thin ice", ""),
        ("<think></think>", "", ""),
        ("<think>a</think>b</think><think>", "b</think><think>", "a"),
        ("<", "<", ""),
        ("", "", ""),
    ],
)
def test_thoughts_in_tags_are_found_wherever_the_text_is_cut(text: str, said: str, thought: str) -> None:
    for pieces in ([text], list(text), *([text[:n], text[n:]] for n in range(len(text)))):
        assert split(pieces) == (said, thought)


def model(url: str, **more: Any) -> Any:
    chosen = Models(ModelSettings(openai_base_url=url, model="openai:tiny", timeout_s=30, **more))
    return chosen.chat("coder")


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_thoughts_beside_the_answer_are_shown_and_not_sent_back(field: str) -> None:
    turn = {"deltas": [{field: "let me "}, {field: "see"}, {"content": "Four."}]}
    async with openai_server(turn, "ok") as server:
        reply = await model(server.url).ainvoke(QUESTION)
        await model(server.url).ainvoke([*QUESTION, reply, HumanMessage("sure?")])
        assert "let me" not in json.dumps(server.asked[1])
    assert (reply.content, reply.additional_kwargs["reasoning_content"]) == ("Four.", "let me see")


async def test_thoughts_in_tags_are_kept_the_same_way_with_calls_behind_them() -> None:
    text = '<think>which?</think>\n<tool_call>{"name": "ls", "arguments": {"path": "a"}}</tool_call>'
    turn = {"deltas": [{"content": letter} for letter in text]}
    async with openai_server(turn) as server:
        chain = model(server.url, tool_calls={"openai": "text"}).bind_tools([ls])
        reply = await chain.ainvoke(QUESTION)
        assert "tools" not in server.asked[0]
        assert '"name": "ls"' in server.asked[0]["messages"][0]["content"]
    assert (reply.content, reply.additional_kwargs["reasoning_content"]) == ("", "which?")
    assert [(call["name"], call["args"]) for call in reply.tool_calls] == [("ls", {"path": "a"})]


async def test_the_other_vendors_thoughts_are_blocks_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async with anthropic_server({"thinks": "hm", "says": "Four."}) as server, openai_server("ok") as other:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        chosen = Models(ModelSettings(model="anthropic:some", anthropic_api_key="k", anthropic_thinking=2000))
        reply: Any = await chosen.chat("coder").ainvoke(QUESTION)
        await model(other.url).ainvoke([*QUESTION, reply, HumanMessage("sure?")])
        assert "hm" not in json.dumps(other.asked[0])
    assert reply.text == "Four."
    assert [block["type"] for block in reply.content] == ["thinking", "text"]


async def test_a_server_that_takes_no_tools_is_told_of_them_in_text_from_then_on() -> None:
    refusal = {"status": 400, "says": "tiny does not support tools"}
    call = {"deltas": [{"content": 'Sure. {"x'}, {"content": "y"}]}
    async with openai_server(refusal, call, "again") as server:
        chosen = Models(ModelSettings(openai_base_url=server.url, model="openai:tiny", timeout_s=30))
        chain: Any = chosen.chat("coder").bind_tools([ls])
        assert (await chain.ainvoke(QUESTION)).text == 'Sure. {"xy'
        await chosen.chat("coder").bind_tools([ls]).ainvoke(QUESTION)
        assert ["tools" in asked for asked in server.asked] == [True, False, False]


async def test_a_call_in_the_text_of_a_model_that_could_call_by_itself_is_found() -> None:
    turn = {
        "deltas": [{"content": "Ok. <tool_call>"}, {"content": '{"name": "ls", "arguments": {}}</tool_call>'}]
    }
    async with openai_server(turn) as server:
        reply = await model(server.url).bind_tools([ls]).ainvoke(QUESTION)
        assert "tools" in server.asked[0]
    assert (reply.text.strip(), [call["name"] for call in reply.tool_calls]) == ("Ok.", ["ls"])
