"""What a server answers, as text for a model: what is no text is named and left out."""

import json
from typing import Any

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from artel.tools.tool import Outcome
from artel.tools.web.outside import fenced, visible
from artel.tools.workspace.paths import printable

MAX_CHARS = 20_000  # about 5k tokens, as of a page
TAIL = 4_000  # of them from the end
MAX_PARTS = 200


def outcome(result: CallToolResult, *, trusted: bool) -> Outcome:
    """Return the result of a call; unless its server is trusted, as data from outside."""
    parts = [_part(block) for block in result.content[:MAX_PARTS]]
    if len(result.content) > MAX_PARTS:
        parts.append(f"[{len(result.content) - MAX_PARTS} more parts left out]")
    parts += _structured(result)
    said = clipped(visible("\n".join(parts)).strip()) or "(the tool said nothing)"
    head = "The tool failed.\n" if result.is_error else ""
    return Outcome(
        head + (said if trusted else fenced(said)), untrusted=not trusted, failed=bool(result.is_error)
    )


def clipped(text: str) -> str:
    """Return the beginning and the end of a long text, and what is missing between."""
    if len(text) <= MAX_CHARS:
        return text
    head = MAX_CHARS - TAIL
    cut = f"[{len(text) - MAX_CHARS} of {len(text)} characters left out; ask the tool for less]"
    return f"{text[:head]}\n{cut}\n{text[-TAIL:]}"


def _part(block: Any) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            return _left_out(block.type, block.mime_type, block.data)
        case EmbeddedResource(resource=TextResourceContents() as held):
            return f"[resource {_short(held.uri)}]\n{held.text}"
        case EmbeddedResource(resource=BlobResourceContents() as held):
            return _left_out(f"resource {_short(held.uri)}", held.mime_type or "", held.blob)
        case ResourceLink():
            return f"[link to the resource {_short(block.uri)}: {_short(block.title or block.name)}]"
    return f"[{_short(str(getattr(block, 'type', 'something')))} left out]"


def _structured(result: CallToolResult) -> list[str]:
    """Return the structured content where the text does not say the same already."""
    held = result.structured_content
    if held is None:
        return []
    texts = [block.text for block in result.content if isinstance(block, TextContent)]
    as_json = json.dumps(held, ensure_ascii=False, default=str)
    if not texts:
        return [as_json]
    if any(_same(text, held) for text in texts):
        return []
    return [f"[the same or more as data, {len(as_json)} characters:]\n{as_json}"]


def _same(text: str, held: Any) -> bool:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = text
    # `{"result": …}` is how the SDK puts a bare value or a list, whose items are the texts
    bare = held.get("result") if isinstance(held, dict) and held.keys() == {"result"} else held
    return said in (held, bare) or text == bare or (isinstance(bare, list) and (said in bare or text in bare))


def _left_out(kind: str, mime: str, data: str) -> str:
    size = len(data) * 3 // 4
    return f"[{kind}, {_short(mime) or 'of unknown type'}, {size} bytes: no text, left out]"


def _short(text: str) -> str:
    return printable(str(text))[:200]
