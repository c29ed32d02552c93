"""Messages in OpenAI's form, whatever they say."""

import json

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from artel.server.learning.conversations import Said, is_whole, line, name_of, said
from artel.server.learning.redacting import Redaction

PLAIN = Redaction()
CALL = {"name": "read_file", "args": {"path": "a.py"}, "id": "c1"}


def told(*messages: HumanMessage | AIMessage | ToolMessage) -> list[Said]:
    return [one for message in messages if (one := said(message, PLAIN))]


def test_calls_and_results_are_in_the_form_of_openai() -> None:
    messages = told(
        HumanMessage("read"),
        AIMessage([{"type": "reasoning", "text": "hm"}, {"type": "text", "text": "so"}], tool_calls=[CALL]),
        ToolMessage("x = 1", tool_call_id="c1", artifact={"secret": "kept here"}),
        AIMessage("It says x = 1."),
    )
    function = {"name": "read_file", "arguments": '{"path": "a.py"}'}
    calls = [{"id": "c1", "type": "function", "function": function}]
    assert messages == [
        {"role": "user", "content": "read"},
        {
            "role": "assistant",
            "content": "so",
            "tool_calls": calls,
        },
        {"role": "tool", "content": "x = 1", "tool_call_id": "c1"},
        {"role": "assistant", "content": "It says x = 1."},
    ]
    assert is_whole(messages)


def test_a_call_without_its_one_result_makes_a_conversation_broken() -> None:
    asked, calls, result, end = (
        HumanMessage("read"),
        AIMessage("", tool_calls=[CALL]),
        ToolMessage("x", tool_call_id="c1"),
        AIMessage("done"),
    )
    for broken in (
        (asked, calls),
        (asked, calls, end),
        (asked, calls, result),
        (asked, result, end),
        (asked, calls, result, result, end),
        (asked, AIMessage("", tool_calls=[CALL, CALL]), result, end),
        (calls, result, end),
        (),
    ):
        assert not is_whole(told(*broken))


def test_ids_case_and_blanks_make_no_difference() -> None:
    one = told(HumanMessage("Read  it"), AIMessage("", tool_calls=[CALL]))
    other = told(HumanMessage("read it\n"), AIMessage("", tool_calls=[{**CALL, "id": "c2"}]))
    assert name_of(one) == name_of(other)
    assert name_of(one) != name_of(told(HumanMessage("read that"), AIMessage("", tool_calls=[CALL])))


@given(
    st.text(),
    st.dictionaries(st.text(), st.one_of(st.text(), st.floats(), st.integers(), st.none()), max_size=3),
)
def test_whatever_is_said_is_one_line_of_json(text: str, args: dict[str, object]) -> None:
    messages = told(
        HumanMessage(text), AIMessage(text, tool_calls=[{"name": text or "x", "args": args, "id": text}])
    )
    written = line({"messages": messages})
    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1
    assert b"\r" not in written
    read = json.loads(written)["messages"]
    assert read == messages
    json.loads(read[1]["tool_calls"][0]["function"]["arguments"])
