"""A pull request as we ask for it, whoever keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """What to take over, and into what."""

    title: str
    body: str
    head: str
    base: str
    "Nothing: the branch that the remote itself is on."
    draft: bool = False
    "Whether it says that it is not to be taken over yet."


@dataclass(frozen=True, slots=True)
class Opened:
    """A request that is open now."""

    where: str
    "Its address, or its number and place."
    new: bool
