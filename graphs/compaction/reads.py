"""Which old looks at files say no longer what stands in them."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from artel.graphs.compaction.pairing import Group

READ = "read_file"
WHOLE = 10**9  # lines


@dataclass(frozen=True, slots=True)
class Read:
    """A look at lines of a file that worked."""

    id: str
    "Of the message with the result."
    call_id: str
    path: str
    offset: int
    limit: int


def reads(group: Group) -> Iterator[Read]:
    """Yield the looks at files among the calls of a group."""
    said = group[0]
    if not isinstance(said, AIMessage):
        return
    for call, result in zip(said.tool_calls, group[1:], strict=True):
        if call["name"] != READ or not isinstance(result, ToolMessage) or result.status != "success":
            continue
        args = call["args"]
        path = args.get("file_path", args.get("path"))
        offset, limit = args.get("offset", 0), args.get("limit", WHOLE)
        if isinstance(path, str) and isinstance(offset, int) and isinstance(limit, int):
            yield Read(str(result.id), result.tool_call_id, posixpath.normpath(path), offset, limit)


def in_play(messages: Iterable[AnyMessage]) -> list[str]:
    """Return the paths of files that agents asked for or changed, each once, in the order they came up."""
    paths: dict[str, None] = {}
    for message in messages:
        for call in message.tool_calls if isinstance(message, AIMessage) else ():
            path = call["args"].get("file_path", call["args"].get("path") if call["name"] == READ else None)
            if isinstance(path, str):
                paths[path] = None
        paths.update(dict.fromkeys(changed((message,))))
    return list(paths)


def changed(group: Group) -> Mapping[str, str | None]:
    """Return the files that a group changed, with the sha256 that they have since; None: gone."""
    found: dict[str, str | None] = {}
    for result in group:
        if not isinstance(result, ToolMessage) or not isinstance(result.artifact, dict):
            continue
        if result.artifact.get("kind") == "change" and result.status == "success":
            found.update((posixpath.normpath(f["path"]), f.get("after_sha")) for f in _files(result.artifact))
    return found


def stale(groups: Sequence[Group]) -> dict[str, str]:
    """Return why a look is out of date, by the id of its message."""
    told: dict[str, str] = {}
    later_changes: set[str] = set()
    later_reads: dict[str, list[Read]] = {}
    for group in reversed(groups):
        later_changes.update(changed(group))
        for read in reads(group):
            same = later_reads.setdefault(read.path, [])
            if read.path in later_changes:
                told[read.id] = "it was changed later"
            elif any(one.offset == read.offset and one.limit >= read.limit for one in same):
                told[read.id] = "it was read again later"
            same.append(read)
    return told


def _files(artifact: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    files = artifact.get("files")
    if not isinstance(files, list):
        return []
    return [file for file in files if isinstance(file, dict) and isinstance(file.get("path"), str)]
