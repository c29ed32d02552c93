"""What a state keeps of how its messages are shown: small, and written only when something no longer fits."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Chapter(BaseModel):
    """What a stretch of messages was about: what code knows of it, and what a model wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    words: tuple[str, ...] = ()
    "Of people, verbatim, cut where they are long."
    unsaid: int = 0
    "Messages of people that are left out."
    tools: Mapping[str, int] = Field(default_factory=dict)
    "How often each was called."
    failed: int = 0
    "Calls that failed or were refused."
    files: tuple[str, ...] = ()
    "That were changed."
    answers: tuple[str, ...] = ()
    "Last words of the agent in a turn, their beginnings."
    prose: str = ""
    "By a model."


class Compaction(BaseModel):
    """How the messages of a thread are shown since they do not fit."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    marks: Mapping[str, int | Literal["stale", "folded"]] = Field(default_factory=dict)
    "By the id of a message: the tokens that are left of it; or that only a note, or its signatures are."
    until: str = ""
    "Id of the first message of the last group that the chapters stand for."
    kept: tuple[str, ...] = ()
    "Ids of messages before that which are shown all the same."
    chapters: tuple[Chapter, ...] = ()

    @property
    def is_summary(self) -> bool:
        """Whether older messages are shown as chapters."""
        return bool(self.until)


def read(value: Any) -> Compaction:
    """Return the record in a state; what is none is no record: a client may write any state."""
    try:
        return Compaction.model_validate(value or {})
    except ValidationError:
        return Compaction()
