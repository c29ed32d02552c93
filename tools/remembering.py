"""The arguments of `remember`, and what may be kept at all."""

from typing import Literal

from pydantic import Field

from artel.tools.errors import ToolRefused
from artel.tools.gate import secrets
from artel.tools.tool import Arguments, Risk, Tool

LONGEST = 500  # characters of a fact


class Remember(Arguments):
    """Arguments of remember."""

    fact: str = Field(min_length=1, max_length=LONGEST)
    scope: Literal["user", "project"]
    why: str = Field(default="", max_length=300)


def kept(fact: str) -> str:
    """Return a fact as it is kept: on one line.

    Raises:
        ToolRefused: it says nothing, or holds what looks like a secret.
    """
    line = " ".join(fact.replace("\0", " ").encode("utf-8", "replace").decode().split())
    if not line:
        raise ToolRefused("fact must say something in one sentence, got only blanks")
    if secrets.holds_one(line):
        raise ToolRefused(
            "fact holds what looks like a secret: keep where it is found, never the secret itself"
        )
    return line


TOOL = Tool(
    name="remember",
    risk=Risk.READ,
    action="run.remember",
    arguments=Remember,
    sums_up=lambda args: f"Remember of this {args.scope}: {args.fact}",
    limits={},
    inner=True,
)
