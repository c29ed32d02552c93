"""Which committed checkpoint holds the state that a `values` event shows, byte for byte."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from artel.storage.checkpoints.lists import EncodedList, Typed, shown_as
from artel.storage.encoding import dumps
from artel.storage.events import ValuesRef

KEPT = 8  # newest checkpoints: an event is stored a few ms after the state it shows
WORTH = 1024  # bytes of an event: a smaller one is stored as it is


def shown(value: object) -> bytes:
    """Return the JSON of a channel's value; of a list item by item, as it is compared."""
    if type(value) is list:
        return b"[%b]" % b",".join(map(dumps, value))
    return dumps(value)


def shown_again(ref: ValuesRef, values: Mapping[str, Any]) -> bytes | None:
    """Return the JSON of the state that a `values` event showed; None when `values` is another state."""
    if any(json is None and key not in values for key, json in ref.parts):
        return None
    parts = (
        b"%b:%b" % (dumps(key), shown(values[key]) if json is None else json.encode())
        for key, json in ref.parts
    )
    return b"{%b}" % b",".join(parts)


@dataclass(slots=True)
class Channel:
    """How the stored version of a channel looks as JSON: item by item, or whole (found out when asked)."""

    items: Sequence[int] | None
    whole: int | Callable[[], int]

    def end(self, data: bytes, start: int) -> int:
        """Return where in `data` its JSON ends that starts there, or -1 when another JSON does."""
        if self.items is None:
            if not isinstance(self.whole, int):
                self.whole = self.whole()
            return _end(data, start, self.whole)
        if not data.startswith(b"[", start):
            return -1
        view, at = memoryview(data), start + 1
        for place, item in enumerate(self.items):
            if place:
                if not data.startswith(b",", at):
                    return -1
                at += 1
            stop = at + (item >> 32)
            if shown_as(view[at:stop]) != item:
                return -1
            at = stop
        return at + 1 if data.startswith(b"]", at) else -1


@dataclass(frozen=True, slots=True)
class Held:
    """A committed checkpoint of the root graph: its objects, and how their stored form looks."""

    thread_id: str
    checkpoint_id: str
    values: Mapping[str, Any]
    channels: Mapping[str, Channel]


class Shelf:
    """The newest checkpoints of a run's root graph."""

    def __init__(self) -> None:
        self._held: deque[Held] = deque(maxlen=KEPT)

    def add(self, held: Held) -> None:
        """Remember a checkpoint that is committed, or was just loaded."""
        self._held.append(held)

    def find(self, values: Mapping[str, Any]) -> Held | None:
        """Return the checkpoint that holds the most of these very objects, of several the newest."""
        return max(self._held, key=lambda held: (common(held, values), held.checkpoint_id), default=None)

    def reference(self, values: Mapping[str, Any], data: bytes) -> ValuesRef | None:
        """Return where the state that was shown as `data` is stored; None when less than half of it is.

        A node may have changed an object in place, after it was stored or before it was shown: then what was
        stored is not what was shown.
        """
        held = self.find(values)
        if held is None:
            return None
        parts: list[tuple[str, str | None]] = []
        at, own, before = 0, 0, b"{"
        for key, value in values.items():
            head = before + dumps(key) + b":"
            before = b","
            if not data.startswith(head, at):
                return None
            at += len(head)
            channel = held.channels.get(key) if held.values.get(key) is value else None
            end = channel.end(data, at) if channel else -1
            if end >= 0:
                parts.append((key, None))
                at = end
                continue
            json = dumps(value)
            if not data.startswith(json, at):
                return None
            parts.append((key, json.decode()))
            at += len(json)
            own += len(json)
        if data[at:] != b"}" or own > len(data) / 2:
            return None
        return ValuesRef(held.thread_id, held.checkpoint_id, tuple(parts))


def common(held: Held, values: Mapping[str, Any]) -> int:
    """Return how many of these very objects a checkpoint holds."""
    return sum(key in held.values and held.values[key] is value for key, value in values.items())


def typed_channel(typed: Typed | EncodedList, load: Callable[[Typed], Any]) -> Channel:
    """Return how a channel looks that was just encoded."""
    if isinstance(typed, EncodedList):
        return Channel(typed.shown, 0)
    return Channel(None, lambda: shown_as(shown(load(typed))))


def _end(data: bytes, start: int, whole: int) -> int:
    stop = start + (whole >> 32)
    return stop if shown_as(memoryview(data)[start:stop]) == whole else -1
