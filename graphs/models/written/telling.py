"""How a model without calls of its own is told of the tools, of its calls, and of what they answered."""

from collections.abc import Iterable, Mapping, Sequence
from json import dumps
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool

from artel import prompts
from artel.graphs.models.written.dialects import Known

NOISE = frozenset({"title", "additionalProperties", "strict", "$schema"})


def known(tools: Iterable[Any]) -> Known:
    """Return the tools, by their names in order."""
    functions = [convert_to_openai_tool(tool)["function"] for tool in tools]
    functions.sort(key=lambda one: str(one["name"]))
    return Known({one["name"]: one for one in functions})


def told(messages: Sequence[BaseMessage], tools: Known, choice: Any = None) -> list[BaseMessage]:
    """Return the messages as such a model knows them: roles take turns, calls and answers are text.

    The tools stand at the end of the system message, in the order of their names: equal tools, equal text.
    """
    system = "\n\n".join(message.text for message in messages if isinstance(message, SystemMessage))
    if tools.tools:
        lines = [dumps(_small(one), ensure_ascii=False) for one in tools.tools.values()]
        rendered = prompts.render("shared/tool_calls", tools=lines, must=_must(choice))
        system = f"{system}\n\n{rendered}".strip()
    turns: list[BaseMessage] = [SystemMessage(system)] if system else []
    for message in messages:
        if not isinstance(message, SystemMessage):
            _append(turns, _turn(message))
    return turns


def _append(turns: list[BaseMessage], turn: BaseMessage) -> None:
    """Join what the same side says twice: many templates refuse it."""
    if turns and type(turns[-1]) is type(turn):
        last = turns.pop()
        if isinstance(last.content, str) and isinstance(turn.content, str):
            turn = turn.model_copy(update={"content": f"{last.content}\n\n{turn.content}"})
        else:
            turn = turn.model_copy(update={"content": [*_blocks(last), *_blocks(turn)]})
    turns.append(turn)


def _turn(message: BaseMessage) -> BaseMessage:
    if isinstance(message, ToolMessage):
        said = message.text.replace("</tool_response", "<\\/tool_response")
        name = f' name="{message.name}"' if message.name else ""
        return HumanMessage(f"<tool_response{name}>\n{said}\n</tool_response>")
    if isinstance(message, AIMessage):
        given = [{"name": call["name"], "arguments": call["args"]} for call in message.tool_calls]
        calls = [f"<tool_call>\n{dumps(one, ensure_ascii=False)}\n</tool_call>" for one in given]
        return AIMessage("\n".join(filter(None, [message.text, *calls])))
    return HumanMessage(message.content)


def _blocks(message: BaseMessage) -> list[Any]:
    content = message.content
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _small(function: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool without what a model does not need."""
    kept = {"name": function["name"], "description": function.get("description", "")}
    return {**kept, "parameters": _without_noise(function.get("parameters", {}))}


def _without_noise(schema: Any, *, names: bool = False) -> Any:
    if isinstance(schema, list):
        return [_without_noise(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_noise(value, names=key == "properties" and not names)
        for key, value in schema.items()
        if names or key not in NOISE
    }


def _must(choice: Any) -> str:
    """Return what has to be called, in words; "" when nothing has."""
    match choice:
        case None | "" | "auto" | "none" | False:
            return ""
        case "any" | "required" | True:
            return "one of them"
        case {"function": {"name": str(name)}} | {"name": str(name)} | str(name):
            return f"`{name}`"
        case _:
            return "one of them"
