"""Chapters: what stands for old messages. Code writes down what it knows; a model may add prose."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from artel.graphs.compaction.counting import plain, text_tokens
from artel.graphs.compaction.cutting import shortened
from artel.graphs.compaction.pairing import Group
from artel.graphs.compaction.reads import changed
from artel.graphs.compaction.record import Chapter

NAME = "artel_summary"
OPENING = (
    "[Of the conversation before this, only a record is left here. The words of the user in it are theirs, "
    "verbatim; the rest is what happened, no instruction.]"
)
FILES, ANSWERS, TOOLS = 30, 6, 20  # that are named
A_LINE = 200  # characters


def written(groups: Sequence[Group], kept: Sequence[str], prose: str, most: int) -> Chapter:
    """Return the chapter of groups in about `most` tokens; the messages in `kept` are shown beside it."""
    messages = [message for group in groups for message in group]
    people = [m for m in messages if isinstance(m, HumanMessage) and m.id not in kept]
    calls = Counter(call["name"] for m in messages if isinstance(m, AIMessage) for call in m.tool_calls)
    failed = sum(isinstance(m, ToolMessage) and m.status == "error" for m in messages)
    answers = [_line(plain(m)) for m in messages if isinstance(m, AIMessage) and not m.tool_calls]
    chapter = Chapter(
        words=tuple(shortened(plain(one), max(most // 4, 1)) for one in people),
        tools=dict(calls.most_common(TOOLS)),
        failed=failed,
        files=tuple(dict.fromkeys(path for group in groups for path in changed(group)))[-FILES:],
        answers=tuple(filter(None, answers))[-ANSWERS:],
        prose=prose,
    )
    return fitting(chapter, most)


def together(chapters: Sequence[Chapter], most: int) -> Chapter:
    """Return several chapters as one, in about `most` tokens."""
    calls: Counter[str] = Counter()
    for chapter in chapters:
        calls.update(chapter.tools)
    one = Chapter(
        words=tuple(word for chapter in chapters for word in chapter.words),
        unsaid=sum(chapter.unsaid for chapter in chapters),
        tools=dict(calls.most_common(TOOLS)),
        failed=sum(chapter.failed for chapter in chapters),
        files=tuple(dict.fromkeys(path for chapter in chapters for path in chapter.files))[-FILES:],
        answers=tuple(answer for chapter in chapters for answer in chapter.answers)[-ANSWERS:],
        prose="\n".join(chapter.prose for chapter in chapters if chapter.prose),
    )
    return fitting(one, most)


def fitting(chapter: Chapter, most: int) -> Chapter:
    """Return a chapter in about `most` tokens: it loses prose first, then its oldest answers and words."""
    steps: list[Callable[[Chapter], dict[str, Any]]] = [
        lambda one: {"prose": shortened(one.prose, max(most // 2, 1))},
        lambda one: {"answers": one.answers[1:]},
        lambda one: {"words": one.words[1:], "unsaid": one.unsaid + 1} if one.words else {},
        lambda one: {"files": one.files[1:]},
        lambda one: {"prose": ""},
        lambda one: {"tools": {}},
    ]
    for step in steps:
        while text_tokens(shown(chapter)) > most:
            change = step(chapter)
            after = chapter.model_copy(update=change)
            if after == chapter:
                break
            chapter = after
    return chapter


def shown(chapter: Chapter) -> str:
    """Return a chapter as the model reads it."""
    parts = [OPENING]
    if chapter.words or chapter.unsaid:
        left = [f"- ({chapter.unsaid} earlier ones are left out)"] if chapter.unsaid else []
        parts.append("\n".join(["The user said:", *left, *(f"- «{word}»" for word in chapter.words)]))
    if chapter.prose:
        parts.append(f"What was done and found:\n{chapter.prose}")
    if chapter.answers:
        parts.append("\n".join(["You answered:", *(f"- {answer}" for answer in chapter.answers)]))
    if chapter.tools:
        tools = ", ".join(f"{name} ×{count}" for name, count in chapter.tools.items())
        failed = f"; {chapter.failed} of the calls failed or were refused" if chapter.failed else ""
        parts.append(f"Tools called: {tools}{failed}.")
    if chapter.files:
        parts.append(f"Files changed: {', '.join(chapter.files)}.")
    return "\n\n".join(parts)


def as_messages(chapters: Sequence[Chapter], until: str) -> list[AnyMessage]:
    """Return chapters as messages; their ids tell them apart from each other and from those of other cuts."""
    return [
        HumanMessage(shown(chapter), name=NAME, id=f"{until}-chapter-{at}")
        for at, chapter in enumerate(chapters)
    ]


def transcript(groups: Sequence[Group], most: int) -> str:
    """Return groups as text for a model that is to sum them up, in about `most` tokens."""
    each = max(most // max(len(groups), 1), 60)
    told = [line for group in groups for line in _lines(group, each)]
    return shortened("\n".join(told), most)


def _lines(group: Group, most: int) -> list[str]:
    lines = []
    for message in group:
        text = shortened(plain(message), max(most // len(group), 40)).strip()
        calls = message.tool_calls if isinstance(message, AIMessage) else []
        said = [f"calls {call['name']} {_line(str(call['args']))}" for call in calls]
        who = {"human": "user", "ai": "agent", "tool": f"result of {message.name}"}.get(
            message.type, message.type
        )
        lines.append(f"{who}: " + "\n".join(part for part in (text, *said) if part))
    return lines


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= A_LINE else f"{line[:A_LINE]}…"
