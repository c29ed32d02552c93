"""Ids of tool calls that no other agent of the thread has: models repeat `call_0`, approvals go by them."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

SURELY_ITS_OWN = 18  # characters: providers whose ids are random make them at least as long


def told_apart(messages: Iterable[BaseMessage], namespace: str) -> Iterator[BaseMessage]:
    """Yield messages with the namespace of their graph in the short ids of their tool calls."""
    graph = namespace.rpartition("|")[0]  # the rest is the node
    mark = sha256(graph.encode()).hexdigest()[:8]
    for said in messages:
        if not isinstance(said, AIMessage):
            yield said
            continue
        ids = {id_: f"{id_}_{mark}" for call in said.tool_calls if _is_short(id_ := call["id"] or "")}
        calls = [{**call, "id": ids.get(call["id"] or "", call["id"])} for call in said.tool_calls]
        yield (
            said.model_copy(update={"tool_calls": calls, "content": _content(said.content, ids)})
            if ids
            else said
        )


def _is_short(id_: str) -> bool:
    return 0 < len(id_) < SURELY_ITS_OWN


def _content(content: Any, ids: dict[str, str]) -> Any:
    """Return content whose blocks name the calls by their new ids."""
    if isinstance(content, str):
        return content
    return [
        {**block, "id": ids[block["id"]]} if isinstance(block, dict) and block.get("id") in ids else block
        for block in content
    ]
