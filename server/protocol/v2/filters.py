"""What a reader of protocol v2 wants to hear: channels, and where in the tree of graphs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from artel.server.errors import explain
from artel.server.protocol.v2.project import CHANNELS, PARTS, Said
from artel.storage.errors import BadRequest

MOST = 64  # channels, and namespaces, of one filter
MAX_SEQ = 2**53 - 1  # what every client's numbers hold
CUSTOM = "custom:"


class WrongFilter(BadRequest):
    """A channel is none, or a field of the filter is of the wrong kind."""

    code = "wrong_filter"


class Wish(BaseModel):
    """What a client asks to hear."""

    model_config = ConfigDict(extra="ignore", strict=True)

    channels: Annotated[list[str], Field(min_length=1, max_length=MOST)]
    namespaces: Annotated[list[list[str]], Field(max_length=MOST)] | None = None
    depth: Annotated[int, Field(ge=0)] | None = None
    since: Annotated[int, Field(ge=0, le=MAX_SEQ)] | None = None

    @field_validator("channels")
    @classmethod
    def _known(cls, channels: list[str]) -> list[str]:
        for channel in channels:
            if channel not in CHANNELS and not (channel.startswith(CUSTOM) and channel != CUSTOM):
                raise ValueError(f"must be among {', '.join(CHANNELS)} or custom:<name>")
        return channels


@dataclass(frozen=True, slots=True)
class Filter:
    """A wish, ready to be asked about events."""

    channels: frozenset[str]
    namespaces: tuple[tuple[str, ...], ...]
    depth: int | None
    since: int

    @classmethod
    def of(cls, given: Any) -> "Filter":
        """Read a wish.

        Raises:
            WrongFilter: it is none.
        """
        try:
            wish = Wish.model_validate(given)
        except ValidationError as wrong:
            raise WrongFilter(explain(wrong.errors())) from wrong
        places = tuple(tuple(one) for one in wish.namespaces or ())
        return cls(frozenset(wish.channels), places, wish.depth, wish.since or 0)

    @property
    def kinds(self) -> frozenset[str]:
        """The channels whose events must be made at all."""
        return frozenset("custom" if one.startswith(CUSTOM) else one for one in self.channels)

    @property
    def number(self) -> int:
        """The number in the thread of the last event of the log of which something was heard."""
        return self.since // PARTS

    def lets_through(self, said: Said) -> bool:
        """Say whether an event is to be told."""
        if said.seq <= self.since:
            return False
        channel = said.channel
        if channel not in self.channels and not (channel.startswith(CUSTOM) and "custom" in self.channels):
            return False
        return not self.namespaces or any(self._reaches(place, said.ns) for place in self.namespaces)

    def _reaches(self, place: Sequence[str], ns: Sequence[str]) -> bool:
        if len(place) > len(ns) or not all(map(_is_segment, place, ns)):
            return False
        return self.depth is None or len(ns) - len(place) <= self.depth


@dataclass(slots=True)
class Hearer:
    """One of those who listen together, and how far it has heard."""

    wanted: Filter
    upto: int = 0

    def __post_init__(self) -> None:
        self.upto = max(self.upto, self.wanted.since)


@dataclass(frozen=True, slots=True)
class Chorus:
    """Those who listen together: an event is told when one of them has not heard it and wants to."""

    hearers: Collection[Hearer]

    @property
    def kinds(self) -> frozenset[str]:
        """The channels whose events must be made at all."""
        return frozenset[str]().union(*(one.wanted.kinds for one in self.hearers))

    @property
    def number(self) -> int:
        """The number in the thread of the last event of the log of which all have heard something."""
        return min((one.upto for one in self.hearers), default=0) // PARTS

    def lets_through(self, said: Said) -> bool:
        """Say whether an event is to be told."""
        return any(said.seq > one.upto and one.wanted.lets_through(said) for one in self.hearers)


def _is_segment(asked: str, segment: str) -> bool:
    """Say whether a part of a namespace is the one asked for; a node's name stands for all of its tasks."""
    return asked == segment or (":" not in asked and asked == segment.partition(":")[0])
