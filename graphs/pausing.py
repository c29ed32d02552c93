"""What a run says that stops at a limit or in a circle: a question to its person, or its last words."""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.config import get_stream_writer
from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt

from artel.graphs.limits import Kind, Reached, Spent
from artel.graphs.loops import Found
from artel.graphs.questions import question
from artel.graphs.routing import is_russian
from artel.graphs.turns import called, request_of

GO_ON = "go_on"
STOP = "stop"
STOPPED = "stopped"  # in the `response_metadata` of the last words of a run that was stopped: by what
EMPTY = "empty"

_NO = frozenset({STOP, "no", "нет", "стоп", "хватит", "остановись", "не надо"})
_YES = frozenset({GO_ON, "go on", "continue", "yes", "да", "продолжай", "продолжить", "дальше"})
_UNITS: Mapping[Kind, tuple[str, str]] = {
    "steps": ("{:.0f} model calls", "{:.0f} вызовов модели"),
    "tokens": ("{:,.0f} tokens", "{:,.0f} токенов"),
    "usd": ("${:.2f}", "${:.2f}"),
    "minutes": ("{:.1f} minutes of work", "{:.1f} мин работы"),
}


def ask(about: Reached | Found, used: Spent, messages: Sequence[AnyMessage], *, agent: str) -> bool | str:
    """Ask whether to go on. True: as before. False: stop. Words: go on, and heed them.

    Nothing may stand before it in its node: a resumed node restarts from its first line.
    """
    russian = is_russian(request_of(messages))
    more = ("Go on with as much again", "Продолжить, ещё столько же")
    on = more if isinstance(about, Reached) else ("Go on", "Продолжить")
    options = {GO_ON: on[russian], STOP: ("Stop here", "Остановиться")[russian]}
    value = question(said(about, used, messages, russian=russian), options, agent=agent)
    value["artel"][STOPPED] = reason(about, used)
    try:
        answer = interrupt(value)
    except GraphInterrupt:
        tell(about, used)
        raise
    return _understood(answer)


def last_words(
    about: Reached | Found | None, used: Spent, messages: Sequence[AnyMessage], *, agent: str
) -> AIMessage:
    """Return what the agent says when it stops; about None: its model gave no answer, twice."""
    russian = is_russian(request_of(messages))
    metadata = {STOPPED: reason(about, used)}
    return AIMessage(said(about, used, messages, russian=russian), name=agent, response_metadata=metadata)


def tell(about: Reached | Found | None, used: Spent) -> None:
    """Tell readers of the stream that a run stops, and why."""
    kind = "limit" if isinstance(about, Reached) else "loop"
    get_stream_writer()({"type": kind, **reason(about, used)})


def stopped(messages: Sequence[AnyMessage]) -> dict[str, Any] | None:
    """Return why the agent stopped, if its last words say that it did not come to its end by itself."""
    last = messages[-1] if messages else None
    known = last.response_metadata.get(STOPPED) if isinstance(last, AIMessage) else None
    return known if isinstance(known, dict) else None


def is_of_run(by: Mapping[str, Any] | None) -> bool:
    """Whether what stopped a step is a limit of the whole run, and none of its own."""
    return bool(by) and "most" in by and by.get("of") != "step"  # type: ignore[operator, union-attr]


def reason(about: Reached | Found | None, used: Spent) -> dict[str, Any]:
    """Return for programs why a run stops, and what it has used."""
    by: dict[str, Any]
    if isinstance(about, Reached):
        by = {"by": about.kind, "used": about.used, "most": about.most, "final": about.final}
        by |= {"of": "step"} if about.of_step else {}
    elif about:
        by = {"by": about.circle, "tools": list(about.tools), "times": about.times}
    else:
        by = {"by": EMPTY}
    return {**by, "spent": used.noted}


def said(about: Reached | Found | None, used: Spent, messages: Sequence[AnyMessage], *, russian: bool) -> str:
    """Return in words why a run stops, what it has used, and from where it would go on."""
    tools = ", ".join(f"`{tool}`" for tool in called(messages))
    parts = [_why(about, russian=russian)]
    spent = ", ".join(_amount(kind, used.of(kind), russian=russian) for kind in _UNITS if used.of(kind))
    if spent:
        parts.append(f"Использовано: {spent}." if russian else f"Used so far: {spent}.")
    if tools:
        parts.append(f"Последний шаг: {tools}." if russian else f"Its last step was {tools}.")
    if isinstance(about, Reached) and about.final and not about.of_step:
        parts.append(
            "Больше сервер на одну просьбу не даёт; следующее сообщение начнёт новый счёт."
            if russian
            else "The server allows no more for one request; your next message starts a new count."
        )
    return " ".join(parts)


def _why(about: Reached | Found | None, *, russian: bool) -> str:
    if isinstance(about, Reached):
        most = _amount(about.kind, about.most, russian=russian)
        return f"Достигнут предел: {most}." if russian else f"The limit of {most} is reached."
    if about is None:
        return "Модель дважды не дала ответа." if russian else "The model gave no answer, twice."
    tools, times = ", ".join(f"`{tool}`" for tool in about.tools), about.times
    match about.circle:
        case "error":
            english = f"{tools} has failed {times} times with the same error."
            return f"{tools}: одна и та же ошибка, раз: {times}." if russian else english
        case "words":
            english = f"The agent has spoken {times} times without doing anything."
            return f"Агент только говорит и ничего не делает, раз: {times}." if russian else english
    english = f"The agent goes round in circles: the same calls of {tools}, {times} times."
    return f"Агент ходит по кругу: одни и те же вызовы {tools}, раз: {times}." if russian else english


def _amount(kind: Kind, value: float, *, russian: bool) -> str:
    return _UNITS[kind][russian].format(value)


def _understood(answer: Any) -> bool | str:
    match answer:
        case {"type": "respond", "message": str(words)} | str(words) if words.strip():
            plain = words.strip().strip(".!,").lower()
            return True if plain in _YES else False if plain in _NO else words
    return False  # rejected, or nothing that we know
