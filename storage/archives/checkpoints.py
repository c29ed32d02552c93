"""The checkpoints of a thread as lines of JSON, and back through the saver.

A line is a part, numbered in the order in which they come, or a checkpoint, whose values are numbers of
parts before it. A part that is a list of messages holds the numbers of theirs: a conversation that grew for
a hundred steps is written once.
"""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph.checkpoint.serde.types import INTERRUPT, RESUME
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from artel.storage.archives.values import MARK, ArchiveWrong, Hide, as_it_is, portable, restored, storable

PAGE = 50  # checkpoints that are read at once
MOST = 50_000  # checkpoints of a thread that are taken over
MAX_WRITTEN = 2 * 1024**3  # bytes of all versions of all channels: a small archive may repeat a large part
A_NUMBER = 64  # bytes that an item of a list is counted with where it is repeated
KEPT = ("counters_since_delta_snapshot", "delta_writes_versioned", "graph_id", "parents", "source", "step")
"""Of a checkpoint's metadata: what is true of it on any server and for any person."""
ANSWERABLE = (INTERRUPT, RESUME)
"""What is never taken over: a question somebody else was asked, and what they answered."""


def _name(text: str) -> str:
    if "\0" in text:
        raise ValueError("it holds a NUL")
    try:
        return storable(text)
    except ArchiveWrong as wrong:
        raise ValueError(str(wrong)) from None


Name = Annotated[str, Field(max_length=2_000), AfterValidator(_name)]
Id = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]
Version = Annotated[str, Field(pattern=r"^\d{1,40}(\.[0-9.e+-]{1,40})?$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    v: int = Field(ge=1, le=100)
    id: Id
    ts: Annotated[str, Field(max_length=64), AfterValidator(_name)]
    channel_versions: dict[Name, Version]
    versions_seen: dict[Name, dict[Name, Version]]
    updated_channels: list[Name] | None = None
    pending_sends: list[Any] = Field([], max_length=0)


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ns: Name
    id: Id
    parent: Id | None
    body: _Body
    values: dict[Name, int]
    metadata: dict[str, Any]
    writes: list[tuple[Name, Name, int]]


class Writer:
    """Writes checkpoints as lines; remembers which parts were written."""

    def __init__(self, hide: Hide = as_it_is) -> None:
        self._hide = hide
        self._known: dict[bytes, int] = {}

    def lines(self, found: CheckpointTuple) -> Iterator[bytes]:
        """Yield the lines of a checkpoint: parts that are new, then itself.

        Raises:
            NotPortable: it holds a value that no archive can hold.
        """
        body: dict[str, Any] = dict(found.checkpoint)
        values, made = body.pop("channel_values"), list[bytes]()
        configurable = found.config["configurable"]
        parent = (found.parent_config or {}).get("configurable", {}).get("checkpoint_id")
        line = {
            "ns": configurable.get("checkpoint_ns", ""),
            "id": configurable["checkpoint_id"],
            "parent": parent,
            "body": {key: value for key, value in body.items() if key != "pending_sends" or value},
            "values": {name: self._part(value, made, name) for name, value in values.items()},
            "metadata": {key: found.metadata[key] for key in KEPT if key in found.metadata},  # type: ignore[literal-required]
            "writes": [
                [task, channel, self._part(value, made, channel)]
                for task, channel, value in found.pending_writes or ()
            ],
        }
        yield from made
        yield _written({"checkpoint": line})

    def _part(self, value: Any, made: list[bytes], name: str) -> int:
        if type(value) is list and any(isinstance(one, BaseMessage) for one in value):
            return self._number({MARK: "parts", "of": [self._part(one, made, name) for one in value]}, made)
        return self._number(portable(value, self._hide, name), made)

    def _number(self, told: Any, made: list[bytes]) -> int:
        line = _written({"part": told})
        digest = sha256(line).digest()
        if digest not in self._known:
            self._known[digest] = len(self._known)
            made.append(line)
        return self._known[digest]


async def of_thread(saver: BaseCheckpointSaver[Any], thread_id: UUID) -> AsyncIterator[CheckpointTuple]:
    """Yield all checkpoints of a thread, those of graphs inside too, newest first."""
    before: Any = None
    while True:
        config: Any = {"configurable": {"thread_id": str(thread_id)}}
        page = [one async for one in saver.alist(config, before=before, limit=PAGE)]
        for one in page:
            yield one
        if len(page) < PAGE:
            return
        before = {"configurable": {"checkpoint_id": page[-1].config["configurable"]["checkpoint_id"]}}


class _Parts:
    """The parts that lines told of; each is made once, and nobody changes what was made."""

    def __init__(self) -> None:
        self._told: list[tuple[int, Any]] = []
        self._made: dict[int, Any] = {}
        self._written = 0

    def add(self, size: int, told: Any) -> None:
        self._told.append((size, told))

    def count(self, number: int) -> None:
        """Count a part as one that will be written, again."""
        size, told = self._told[number]
        match told:
            case {"$": "parts", "of": [*numbers]}:
                size = A_NUMBER * len(numbers)
        self._written += size
        if self._written > MAX_WRITTEN:
            raise ArchiveWrong(f"its states have more than {MAX_WRITTEN} bytes in all")

    def value(self, number: Any, *, whole: bool = True) -> Any:
        if type(number) is not int or not 0 <= number < len(self._told):
            raise ArchiveWrong(f"there is no part {str(number)[:40]} before it")
        if number not in self._made:
            match self._told[number][1]:
                case {"$": "parts", "of": [*numbers]} if whole:
                    self._made[number] = [self.value(each, whole=False) for each in numbers]
                case told:
                    self._made[number] = restored(told)
        return self._made[number]


def read(lines: Iterable[tuple[int, Any]]) -> Iterator[CheckpointTuple]:
    """Yield the checkpoints that lines, each with its length in bytes, tell of; their configs name no thread.

    What several hold is one object, which nobody may change.

    Raises:
        ArchiveWrong: a line is none of ours; the message names it.
    """
    parts, known, versions = _Parts(), set[tuple[str, str]](), set[tuple[str, str, str]]()
    for number, (size, line) in enumerate(lines, 1):
        try:
            match line:
                case {"part": told, **rest} if not rest:
                    parts.add(size, told)
                case {"checkpoint": told, **rest} if not rest:
                    one = _Line.model_validate(told)
                    if (one.ns, one.id) in known or len(known) >= MOST:
                        raise ArchiveWrong(f"it is there twice, or there are more than {MOST}")
                    known.add((one.ns, one.id))
                    found = _tuple(one, parts)
                    for channel, at in one.values.items():
                        version = (one.ns, channel, one.body.channel_versions.get(channel, one.id))
                        if version not in versions:
                            versions.add(version)
                            parts.count(at)
                    for _, _, at in one.writes:
                        parts.count(at)
                    yield found
                case _:
                    raise ArchiveWrong("it is neither a part nor a checkpoint")
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in wrong["loc"])
            raise ArchiveWrong(f"checkpoints.jsonl, line {number}: {where[:200]}: {wrong['msg']}") from None
        except ArchiveWrong as wrong_line:
            raise ArchiveWrong(f"checkpoints.jsonl, line {number}: {wrong_line}") from wrong_line


async def write(saver: BaseCheckpointSaver[Any], thread_id: UUID, found: Iterable[CheckpointTuple]) -> int:
    """Save checkpoints as those of a thread that has none; return how many there were.

    Questions that were open, and answers that were on their way, stay behind.
    """
    saved: set[tuple[str, str, str]] = set()
    count = 0
    for one in found:
        ns, id_ = (one.config["configurable"][key] for key in ("checkpoint_ns", "checkpoint_id"))
        parent = (one.parent_config or {}).get("configurable", {}).get("checkpoint_id")
        where: dict[str, Any] = {"thread_id": str(thread_id), "checkpoint_ns": ns}
        versions = one.checkpoint["channel_versions"]
        new = {name: at for name, at in versions.items() if (ns, name, str(at)) not in saved}
        saved |= {(ns, name, str(at)) for name, at in new.items()}
        before: Any = {"configurable": {**where, **({"checkpoint_id": parent} if parent else {})}}
        await saver.aput(before, one.checkpoint, one.metadata, new)
        by_task: dict[str, list[tuple[str, Any]]] = {}
        for task, channel, value in one.pending_writes or ():
            if channel not in ANSWERABLE:
                by_task.setdefault(task, []).append((channel, value))
        for task, writes in by_task.items():
            at: Any = {"configurable": {**where, "checkpoint_id": id_}}
            await saver.aput_writes(at, writes, task)
        count += 1
    return count


def _tuple(one: _Line, parts: _Parts) -> CheckpointTuple:
    metadata = {key: restored(value) for key, value in one.metadata.items() if key in KEPT}
    step, parents = metadata.get("step", 0), metadata.get("parents", {})
    if type(step) is not int or not isinstance(parents, Mapping):
        raise ArchiveWrong("metadata.step must be a number, metadata.parents an object")
    body: Any = one.body.model_dump(exclude_unset=True, exclude={"pending_sends"})
    body["channel_values"] = {name: parts.value(number) for name, number in one.values.items()}
    if one.body.id != one.id:
        raise ArchiveWrong(f"its id is {one.id} and {one.body.id}")
    where = {"checkpoint_ns": one.ns}
    return CheckpointTuple(
        {"configurable": {**where, "checkpoint_id": one.id}},
        body,
        metadata,  # type: ignore[arg-type]
        {"configurable": {**where, "checkpoint_id": one.parent}} if one.parent else None,
        [(task, channel, parts.value(number)) for task, channel, number in one.writes],
    )


def _written(line: Any) -> bytes:
    return json.dumps(line, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode() + b"\n"
