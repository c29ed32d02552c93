"""States as protocol v2 shows them: messages without what is empty, AI content as blocks. Pure."""

from typing import Any, TypeAlias

import orjson

from artel.server.protocol.v2.messages import whole_blocks

Json: TypeAlias = dict[str, Any]

AI = frozenset({"ai", "AIMessageChunk"})
KINDS = AI | {"human", "system", "tool", "function", "remove", "chat"}
OPTIONAL = ("name", "additional_kwargs", "response_metadata", "usage_metadata", "example")
STORED = ("__interrupt__",)  # said by itself


class Short:
    """Shortens the states of one run; a message that is as before costs little."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Json, Json]] = {}

    def values(self, data: bytes) -> Any:
        """Return a state as it is shown."""
        values = orjson.loads(data)
        if not isinstance(values, dict):
            return values
        known, self._known = self._known, {}
        return {name: self._shown(value, known) for name, value in values.items() if name not in STORED}

    def _shown(self, value: Any, known: dict[str, tuple[Json, Json]]) -> Any:
        if isinstance(value, list):
            return [self._message(one, known) if is_message(one) else one for one in value]
        return self._message(value, known) if is_message(value) else value

    def _message(self, given: Json, known: dict[str, tuple[Json, Json]]) -> Json:
        name = given.get("id") or ""
        before = known.get(name) or self._known.get(name)
        shown = before[1] if before and before[0] == given else message(given)
        if name:
            self._known[name] = (given, shown)
        return shown


def is_message(value: object) -> bool:
    """Say whether a JSON value is a message."""
    return isinstance(value, dict) and value.get("type") in KINDS and "content" in value


def message(given: Json) -> Json:
    """Return a message without what is empty; of AI messages the content as blocks."""
    kind = given["type"]
    if kind in AI:
        return _ai(given)
    kept = {name: value for name, value in given.items() if value or name not in OPTIONAL}
    return {"type": kind, **kept}


def _ai(given: Json) -> Json:
    shown: Json = {"type": "ai", "content": whole_blocks(given), "id": given.get("id")}
    if given.get("name"):
        shown["name"] = given["name"]
    if given.get("additional_kwargs"):
        shown["additional_kwargs"] = given["additional_kwargs"]
    shown["response_metadata"] = {**(given.get("response_metadata") or {}), "output_version": "v1"}
    for name in ("tool_calls", "invalid_tool_calls", "usage_metadata"):
        if given.get(name):
            shown[name] = given[name]
    return shown
