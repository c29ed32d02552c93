"""submit_result: how an agent that does a step of a plan hands in what came of it."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from artel.tools.tool import Arguments, Risk, Tool

NAME = "submit_result"


MAX_LINES = 50  # of each list
MAX_LINE = 500  # characters
MAX_SUMMARY = 4_000


def _text(text: str) -> str:
    if "\0" in text or any(0xD800 <= ord(one) <= 0xDFFF for one in text):
        raise ValueError("it holds a character that is no text")
    return text


def _lines(lines: list[str]) -> list[str]:
    """Cut what is too much rather than refuse it: the work is done, and its result is wanted."""
    return [_text(line)[:MAX_LINE] for line in lines[:MAX_LINES]]


def _summary(text: str) -> str:
    if not text.strip():
        raise ValueError("say in a sentence what is so now")
    return _text(text)[:MAX_SUMMARY]


Lines = Annotated[list[str], AfterValidator(_lines)]


class SubmitResult(Arguments):
    """Arguments of submit_result."""

    status: Literal["completed", "failed"]
    summary: Annotated[str, AfterValidator(_summary)] = Field(description="What is so now, or why not.")
    files_changed: Lines = Field(default=[])
    evidence: Lines = Field(default=[])
    open_questions: Lines = Field(default=[])


TOOL = Tool(
    name=NAME,
    risk=Risk.READ,
    action="run.submit",
    arguments=SubmitResult,
    sums_up=lambda args: f"Hand in the step: {args.status}",
    limits={},
    inner=True,
)
