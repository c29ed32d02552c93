"""submit_result: how an agent that does a step of a plan hands in what came of it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from artel.tools.tool import Arguments, Risk, Tool

NAME = "submit_result"


def _text(text: str) -> str:
    if "\0" in text or any(0xD800 <= ord(one) <= 0xDFFF for one in text):
        raise ValueError("it holds a character that is no text")
    return text


Line = Annotated[str, Field(max_length=500), AfterValidator(_text)]


class SubmitResult(Arguments):
    """Arguments of submit_result."""

    status: Literal["completed", "failed"]
    summary: Annotated[str, AfterValidator(_text)] = Field(
        min_length=1, max_length=4_000, description="What is so now; for failed: why."
    )
    files_changed: list[Line] = Field(default=[], max_length=200)
    evidence: list[Line] = Field(default=[], max_length=20, description="What showed it: a test's last line.")
    open_questions: list[Line] = Field(default=[], max_length=20)


TOOL = Tool(
    name=NAME,
    risk=Risk.READ,
    action="run.submit",
    arguments=SubmitResult,
    sums_up=lambda args: f"Hand in the step: {args.status}",
    limits={},
    inner=True,
)
