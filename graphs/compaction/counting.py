"""How many tokens a text costs a model: estimated by its characters, put right by what the model counted.

No tokenizer is at hand for most models, and each has its own. A server counts with it and says with every
answer what the question cost: `correction` is how far the estimate was off.
"""

import re
import string
from collections.abc import Iterable, Sequence
from json import dumps
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage
from langchain_core.tools import BaseTool

A_MESSAGE = 4  # tokens around each
A_CALL = 10  # around each call of a tool
AN_IMAGE = 1_600  # vendors count up to this
KEY = "artel_context"
"""In the metadata of an answer: what its question was thought to cost, and the model that was asked."""

LEAST, MOST = 0.8, 2.0  # what a tokenizer can differ by; other figures are no tokens of this question
BELIEVED = (0.5, 4.0)
REMEMBERED = 50_000  # messages of all threads of a process

ENCODED = re.compile(r"[A-Za-z0-9+/=_\-]{48,}")  # a hash, a key, a picture: no words in it

_EVERY = bytes(range(256))
_counted: dict[tuple[str, int], int] = {}
_of_tools: dict[str, tuple[Any, str, int]] = {}  # by name: schema, description, tokens


def _but(kept: Iterable[int]) -> bytes:
    left = set(kept)
    return bytes(byte for byte in _EVERY if byte not in left)


# Tokens a character, of the first byte that it has in UTF-8: measured with the tokenizer of Qwen 2.5 on code,
# results of tools and prose, and rounded up
WEIGHTS: tuple[tuple[bytes, float], ...] = (
    (_but(string.ascii_letters.encode()), 0.25),
    (_but(string.digits.encode()), 1.1),  # each is a token, and often the space before it
    (_but(string.punctuation.encode()), 0.7),
    (_but(b" "), 0.05),
    (_but(b"\t\n\r"), 0.9),
    (_but(range(0xD0, 0xD4)), 0.45),  # Cyrillic
    (_but([*range(0xC0, 0xD0), *range(0xD4, 0xE0)]), 1.0),
    (_but(range(0xE0, 0xF0)), 0.8),  # Chinese, Japanese, arrows, dashes
    (_but(range(0xF0, 0xF8)), 3.0),  # pictures
    (_but([*range(9), 11, 12, *range(14, 32), 127]), 1.0),
)
IN_ENCODED = 0.35  # tokens a character more than in words


def text_tokens(text: str) -> int:
    """Return about how many tokens a text has, rather too many than too few."""
    data = text.encode("utf-8", "surrogatepass")
    total = sum(weight * len(data.translate(None, others)) for others, weight in WEIGHTS)
    if len(text) >= 48:
        total += IN_ENCODED * sum(len(found[0]) for found in ENCODED.finditer(text))
    return int(total) + 1


def message_tokens(message: BaseMessage) -> int:
    """Return about how many tokens a message has; counted once as long as its id and length are the same."""
    text, blocks = _text(message)
    key = (f"{message.type}/{message.id}", len(text))
    known = _counted.get(key) if message.id else None
    if known is None:
        known = text_tokens(text)
        if len(_counted) >= REMEMBERED:
            _counted.clear()
        _counted[key] = known
    calls = len(message.tool_calls) if isinstance(message, AIMessage) else 0
    return known + A_MESSAGE + A_CALL * calls + blocks


def tokens(messages: Iterable[BaseMessage]) -> int:
    """Return about how many tokens messages have together."""
    return sum(map(message_tokens, messages))


def tools_tokens(tools: Sequence[BaseTool | dict[str, Any]]) -> int:
    """Return about how many tokens the descriptions of tools have."""
    return sum(_tool_tokens(tool) + A_CALL for tool in tools)


def _tool_tokens(tool: BaseTool | dict[str, Any]) -> int:
    """Return those of one, counted once as long as it says the same with the same schema."""
    if not isinstance(tool, BaseTool):
        return text_tokens(_described(tool))
    known = _of_tools.get(tool.name)
    if known is None or known[0] is not tool.args_schema or known[1] != tool.description:
        if len(_of_tools) >= REMEMBERED:
            _of_tools.clear()
        known = (tool.args_schema, tool.description, text_tokens(_described(tool)))
        _of_tools[tool.name] = known
    return known[2]


def correction(messages: Sequence[AnyMessage], spec: str) -> float:
    """Return by how much more a model counts than we do, by its last answer; 1 where nothing is known."""
    for message in reversed(messages):
        asked = message.response_metadata.get(KEY) if isinstance(message, AIMessage) else None
        if not isinstance(message, AIMessage) or not isinstance(asked, dict) or not message.usage_metadata:
            continue
        thought, counted = asked.get("estimated"), message.usage_metadata["input_tokens"]
        if asked.get("model") != spec or not isinstance(thought, int) or thought < 1:
            return 1.0
        ratio = counted / thought
        return min(max(ratio, LEAST), MOST) if BELIEVED[0] <= ratio <= BELIEVED[1] else 1.0
    return 1.0


def plain(message: BaseMessage) -> str:
    """Return the words of a message, with a note in the place of what is no text."""
    if isinstance(message.content, str):
        return message.content
    return "\n".join(_of_block(block) for block in message.content)


def _of_block(block: Any) -> str:
    if isinstance(block, str):
        return block
    if block.get("type") == "text":
        return str(block.get("text", ""))
    return f"[{block.get('type', 'block')}]"


def _text(message: BaseMessage) -> tuple[str, int]:
    """Return all that is counted by its characters, and the tokens of the rest."""
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    args = "".join(f"{call['name']}{dumps(call['args'], ensure_ascii=False, default=str)}" for call in calls)
    if isinstance(message.content, str):
        return message.content + args, 0
    words, blocks = [], 0
    for block in message.content:
        kind = "text" if isinstance(block, str) else str(block.get("type", ""))
        if "image" in kind or kind in ("file", "audio", "video", "input_audio", "document"):
            blocks += AN_IMAGE
        elif isinstance(block, str) or kind == "text":
            words.append(_of_block(block))
        elif not (calls and kind in ("tool_use", "tool_call", "function_call")):
            words.append(dumps(block, ensure_ascii=False, default=str))
    return "".join(words) + args, blocks


def _described(tool: BaseTool | dict[str, Any]) -> str:
    if not isinstance(tool, BaseTool):
        return dumps(tool, ensure_ascii=False, default=str)
    schema = tool.args_schema if isinstance(tool.args_schema, dict) else tool.get_input_jsonschema()
    return dumps([tool.name, tool.description, schema], ensure_ascii=False, default=str)
