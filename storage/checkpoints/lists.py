"""Lists stored item by item, each item once a thread: a conversation then grows by what is said.

An item is named by the hash of its bytes. A version of a list is a list of names, cut into chunks where a
name begins with a small byte, so that an insertion moves no boundary but its own. A whole chunk is stored
once, too, under the hash of the names in it: only the names after the last boundary are written again.
"""

import marshal
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate, takewhile
from operator import is_
from os import urandom
from typing import Any, TypeAlias
from zlib import crc32

import ormsgpack
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from artel.storage.encoding import dumps
from artel.storage.messages import unpacking
from artel.storage.sealing import NO_KEY, NoKey

LIST = "artel.list"  # the type of a stored list: a format byte, and the names of chunks and items
CHUNK = "artel.chunk"  # the type of a chunk: the names of its items
INTEGER = "artel.integer"  # the type of an integer of more than 64 bits, in decimal
FORMAT = b"\x01"
NAME = 16  # bytes: two different items of a thread never share a name (2^-64 at 4 billion items)

EDGE = 8  # of 256 first bytes: chunks of 32 names, the square root of a long conversation
FEWEST, MOST = 8, 256  # names in a chunk

WORTH_BYTES = 2048  # a smaller list is written whole
WORTH_ITEM = 64  # bytes an item: below it the names would weigh more than the items
LONGEST = 20_000  # items: a longer list is data, not a dialogue
_MESSAGES = frozenset(  # what they hold is all in these two places; a class of somebody else may hide more
    {
        AIMessage,
        AIMessageChunk,
        HumanMessage,
        SystemMessage,
        ToolMessage,
        FunctionMessage,
        ChatMessage,
        RemoveMessage,
    }
)
LINES = 8  # lists remembered: those of a graph and of the graphs inside it
RUNS = 32  # fingerprints of a list before they are made one
ATOMS = (int, float, bool, type(None))

Typed: TypeAlias = tuple[str, bytes]
Item: TypeAlias = tuple[str, bytes, int]  # type, bytes, and how it looks as JSON: see `shown_as`


@dataclass(frozen=True, slots=True)
class StoredList:
    """A list as its version has it: the names of chunks and items, in order."""

    names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class EncodedList:
    """A list ready to be stored: `items` are those the database may not have."""

    blob: bytes
    items: Mapping[bytes, Item]
    shown: Sequence[int]


class ListSerializer(JsonPlusSerializer):
    """LangGraph's serializer, which also knows a stored list when it sees one, and integers of any size."""

    def dumps_typed(self, obj: Any) -> Typed:
        """Return the type and the bytes of a value."""
        if type(obj) is int and obj.bit_length() > 63:  # more than msgpack takes
            return INTEGER, str(obj).encode()
        return super().dumps_typed(obj)

    def loads_typed(self, data: Typed) -> Any:
        """Return the value, or of a list stored by items its names."""
        match data:
            case ("artel.list", blob):
                return StoredList(tuple(_names(blob[1:])))
            case ("artel.integer", blob):
                return int(blob)
            case ("msgpack", blob):
                hook = unpacking(self._unpack_ext_hook)
                return ormsgpack.unpackb(blob, ext_hook=hook, option=ormsgpack.OPT_NON_STR_KEYS)
            case ("artel.sealed", _):
                raise NoKey(f"a value of a state cannot be read: {NO_KEY}")
        return super().loads_typed(data)


@dataclass(frozen=True, slots=True)
class Line:
    """A list that was encoded or loaded: its objects, their names and looks, and what they contained then."""

    values: list[Any]
    names: list[bytes]
    looks: list[int]
    size: int  # bytes of all items
    prints: list[tuple[int, int | None]]  # of each run of items: its length, and its fingerprint

    def known(self, values: list[Any]) -> int:
        """Return how many items at the beginning of `values` are the same objects with the same contents."""
        count, same = 0, sum(1 for _ in takewhile(bool, map(is_, self.values, values)))
        for length, print_ in self.prints:
            if (
                count + length > same
                or print_ is None
                or fingerprint(values[count : count + length]) != print_
            ):
                break
            count += length
        return count


class Encoder:
    """Encodes the lists of a thread and remembers what it has stored and what its items looked like.

    Items at the beginning of a list that are the same objects with the same contents are not encoded again;
    contents are compared, for a node may have changed a message in place.
    """

    def __init__(self, *, secret: bool = False) -> None:
        """`secret`: by its name nobody shall be able to tell what is in an item."""
        self._key = urandom(NAME) if secret else b""
        self._kept: set[Hashable] = set()
        self._stored: dict[bytes, tuple[int, int]] = {}  # name: bytes, look
        self._lines: deque[Line] = deque(maxlen=LINES)

    def encode(self, serde: SerializerProtocol, values: list[Any]) -> EncodedList | None:
        """Return the list ready to be stored, or None when it is better written whole."""
        if not 1 < len(values) <= LONGEST or all(type(v) in ATOMS for v in values[:: len(values) // 8 + 1]):
            return None
        new: dict[bytes, Item] = {}
        line = self._continued(serde, values, new)
        if line.size < max(WORTH_BYTES, WORTH_ITEM * len(values)):
            return None
        self._lines.append(line)
        parts: list[bytes] = []
        for chunk, is_whole in cut(line.names):
            if not is_whole:
                parts += chunk
                continue
            joined = b"".join(chunk)
            name = _hash(CHUNK, joined)
            parts.append(name)
            if name not in self._stored:
                new[name] = (CHUNK, joined, 0)
        self._stored |= {name: (len(item[1]), item[2]) for name, item in new.items()}
        return EncodedList(FORMAT + b"".join(parts), new, line.looks)

    def has_not(self, version: Hashable) -> bool:
        """Whether a version of a channel was not met here before; from now on it was."""
        known = len(self._kept)
        self._kept.add(version)
        return len(self._kept) > known

    def learn(self, stored: StoredList, values: list[Any], rows: Mapping[bytes, Item]) -> list[int]:
        """Remember a list that was just loaded; return how its items look as JSON."""
        self._stored |= {name: (len(blob), look) for name, (_, blob, look) in rows.items()}
        names = list(expanded(stored, rows))
        looks = [rows[name][2] for name in names]
        size = sum(len(rows[name][1]) for name in names)
        prints = [(len(values), fingerprint(values))]
        self._lines.append(Line(list(values), names, looks, size, prints))
        return looks

    def _continued(self, serde: SerializerProtocol, values: list[Any], new: dict[bytes, Item]) -> Line:
        """Return the line of `values`: what is known of an earlier one, and the rest encoded."""
        line = next((line for line in reversed(self._lines) if line.values[0] is values[0]), None)
        known = line.known(values) if line else 0
        names = line.names[:known] if line else []
        for value in values[known:]:
            type_, blob = serde.dumps_typed(value)
            name = _hash(type_, blob, self._key)
            names.append(name)
            if name not in self._stored and name not in new:
                new[name] = (type_, blob, shown_as(dumps(serde.loads_typed((type_, blob)))))
        sizes = [self._stored[n] if n in self._stored else (len(new[n][1]), new[n][2]) for n in names]
        prints = _runs(line.prints if line else [], known)
        if known < len(values):
            prints = [*prints, (len(values) - known, fingerprint(values[known:]))]
        if len(prints) > RUNS:
            prints = [(len(values), fingerprint(values))]
        return Line(list(values), names, [look for _, look in sizes], sum(size for size, _ in sizes), prints)


def fingerprint(values: list[Any]) -> int | None:
    """Return something that changes when the contents of these items do, at a tenth of the price of encoding.

    None when the contents are not plain: then nothing is known about them.
    """
    try:
        return hash(marshal.dumps([_contents(v) if type(v) in _MESSAGES else v for v in values], 2))
    except ValueError:
        return None


def _contents(message: Any) -> tuple[object, object]:
    return message.__dict__, message.__pydantic_extra__


def _runs(prints: list[tuple[int, int | None]], known: int) -> list[tuple[int, int | None]]:
    """Return the fingerprints of the first `known` items, which end with a run."""
    ends = list(accumulate(length for length, _ in prints))
    return prints[: ends.index(known) + 1] if known else []


def cut(names: Sequence[bytes]) -> Iterator[tuple[Sequence[bytes], bool]]:
    """Yield the names in runs, each with whether it is a whole chunk; only the last is none."""
    start = 0
    for stop, name in enumerate(names, 1):
        if (name[0] < EDGE and stop - start >= FEWEST) or stop - start >= MOST:
            yield names[start:stop], True
            start = stop
    if start < len(names):
        yield names[start:], False


def expanded(stored: StoredList, rows: Mapping[bytes, Item]) -> Iterator[bytes]:
    """Yield the names of the items of a list, those in chunks too.

    Raises:
        KeyError: an item of the list is not in `rows`.
    """
    for name in stored.names:
        type_, blob, _ = rows[name]
        if type_ == CHUNK:
            yield from _names(blob)
        else:
            yield name


def assembled(
    stored: StoredList,
    rows: Mapping[bytes, Item],
    load: Callable[[Typed], Any],
    made: dict[bytes, Any] | None = None,
) -> list[Any]:
    """Return the list itself; each item anew, for a node may change it in place.

    With `made` only those anew that are not in it; they are added. Only for who looks at the items.
    """
    names = list(expanded(stored, rows))
    if made is None:
        return _loaded([rows[name] for name in names], load)
    new = [name for name in dict.fromkeys(names) if name not in made]
    made |= zip(new, _loaded([rows[name] for name in new], load), strict=True)
    return [made[name] for name in names]


def _loaded(items: Sequence[Item], load: Callable[[Typed], Any]) -> list[Any]:
    if all(item[0] == "msgpack" for item in items):  # as one array they are decoded in one go
        whole = load(("msgpack", b"\xdd" + len(items).to_bytes(4, "big") + b"".join([i[1] for i in items])))
        assert isinstance(whole, list)
        return whole
    return [load(item[:2]) for item in items]


def shown_as(json: bytes | memoryview) -> int:
    """Return what tells this JSON from another one: its length and its checksum, in one integer."""
    return len(json) << 32 | crc32(json)


def _names(blob: bytes) -> list[bytes]:
    return [blob[at : at + NAME] for at in range(0, len(blob), NAME)]


def _hash(type_: str, blob: bytes, key: bytes = b"") -> bytes:
    return blake2b(b"%b\0%b" % (type_.encode(), blob), digest_size=NAME, key=key).digest()
