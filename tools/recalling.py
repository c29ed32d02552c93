"""What an agent sees no more of its own thread: old results that were too long for the model's window."""

from pydantic import Field

from artel.tools.tool import Arguments, Risk, Tool

NAME = "recall"
MAX_CHARS = 6_000  # a call: an eighth of a small window


class Recall(Arguments):
    """Arguments of recall."""

    id: str = Field(min_length=1)
    offset: int = Field(default=0, ge=0)


TOOL = Tool(
    name=NAME,
    risk=Risk.READ,
    action="run.recall",
    arguments=Recall,
    sums_up=lambda args: f"Look again at {args.id}",
    limits={"max_chars": MAX_CHARS},
    inner=True,
)
