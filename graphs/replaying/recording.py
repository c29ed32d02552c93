"""What was recorded of a thread: its conversations, the questions to people, and how each run was ordered."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, SystemMessage, ToolMessage

from artel.graphs.decisions import shown_calls
from artel.graphs.limits import SPENT
from artel.graphs.models.link import KEY
from artel.graphs.models.told import of_the_thread
from artel.graphs.turns import STEERED
from artel.storage.archives import Archive, ArchiveWrong, opened
from artel.storage.archives.checkpoints import read
from artel.storage.archives.opening import CHECKPOINTS
from artel.storage.asking import question_of

MARKED = re.compile(r"_[0-9a-f]{8}$")  # what `call_ids.told_apart` puts behind a short id
BROKE_OFF = re.compile(
    r"It broke off: ([A-Za-z_]\w{0,99}): (.*)", re.DOTALL
)  # as `delegating.work` tells of it
UNKNOWN = "scripted:recorded"  # the model of a record that does not say which it was


@dataclass(slots=True)
class Conversation:
    """The messages of one graph of a thread, and up to where they were played."""

    namespace: str
    messages: list[BaseMessage]
    played: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a person, and the answer."""

    run_id: str
    interrupt_id: str
    about: str
    value: Any
    decision: Any
    answer_run_id: str


@dataclass(frozen=True, slots=True)
class Recording:
    """All that a replay needs of an archive."""

    graph_id: str
    runs: Sequence[Mapping[str, Any]]
    asked: Sequence[Asked]
    conversations: Sequence[Conversation]
    final: Mapping[str, Any]
    plans: Sequence[Mapping[str, Any]]
    "As they were proposed, one after the other."
    gates: Sequence[Mapping[str, Any]]
    "What the gate said of a plan's files, one verification after the other."
    problems: Mapping[str, str]
    "By the id of its call: why a change could not be made."
    workspaces: frozenset[str]
    policy: Any
    spec: str
    "The model, as `provider:name`."
    broken: Sequence[tuple[str, str]]
    "Kind and words of the errors by which models ended steps, one after the other."


def of_file(file: Path) -> Recording:
    """Return what the archive in a file holds. Reads all of it, so it belongs into a thread.

    Raises:
        ArchiveWrong: it is none, or has no history.
    """
    archive = opened(file)
    try:
        return recorded(archive)
    finally:
        archive.close()


def recorded(archive: Archive) -> Recording:
    """Return what an opened archive holds.

    Raises:
        ArchiveWrong: it has no history, or a file of it is not as ours are.
    """
    newest: dict[str, Mapping[str, Any]] = {}
    plans: list[Mapping[str, Any]] = []
    gates: list[Mapping[str, Any]] = []
    problems: dict[str, str] = {}
    places: set[str] = set()
    seen: set[tuple[str, str]] = set()
    states = sorted(read(archive.lines(CHECKPOINTS)), key=lambda one: one.checkpoint["id"])
    if not states:
        raise ArchiveWrong("there is no history in it: nothing ran on the thread, or its past was removed")
    for one in states:
        ns, values = one.config["configurable"]["checkpoint_ns"], one.checkpoint["channel_values"]
        newest[ns] = values
        if place := values.get("workspace"):
            places.add(str(place))
        for id_, verdict in _dict(values.get("verdicts")).items():
            if isinstance(verdict, Mapping) and verdict.get("problem"):
                problems[plain_id(str(id_))] = str(verdict["problem"])
        for name, into in (("plan", plans), ("checks", gates)):
            version = str(one.checkpoint["channel_versions"].get(name))
            if ns == "" and name in values and (name, version) not in seen:
                seen.add((name, version))
                into += _told(name, values[name])
    runs = _rows(archive, "runs.json")
    places |= {str(_dict(run.get("context")).get("workspace") or "") for run in runs} - {""}
    talks = [Conversation(ns, _messages(values)) for ns, values in newest.items()]
    return Recording(
        archive.manifest.graph_id or "",
        runs,
        [_asked(row) for row in _rows(archive, "approvals.json")],
        talks,
        newest.get("", {}),
        plans,
        gates,
        problems,
        frozenset(places),
        archive.json("policy.json"),
        _spec(talks),
        _broken(newest.get("", {})),
    )


def thread_part(messages: Iterable[BaseMessage]) -> list[BaseMessage]:
    """Return the messages that are compared: without prompts, and without what people threw in meanwhile."""
    kept = of_the_thread([one for one in messages if not isinstance(one, SystemMessage)])
    return [one for one in kept if not str(one.id or "").startswith(STEERED)]


def plain_id(id_: str) -> str:
    """Return the id of a call without the mark of its graph, which is another one each time."""
    return MARKED.sub("", id_)


def alike(message: BaseMessage, here: Mapping[str, str]) -> Any:
    """Return what of a message must be the same each time; `here` are the names of folders now and then."""
    told: dict[str, Any] = {"type": message.type, "name": message.name, "content": message.content}
    if isinstance(message, AIMessage):
        told["name"] = None  # of its agent, in one form of a stream and not in the other
        if SPENT in message.response_metadata:  # the sum of a plan has calls in it of which no archive tells
            told["content"] = message.text.rpartition("\n\n")[0]
        told["calls"] = [[one["name"], one["args"], plain_id(one["id"] or "")] for one in message.tool_calls]
    if isinstance(message, ToolMessage):
        told["call"], told["status"] = plain_id(message.tool_call_id), message.status
    return same(told, here)


def same(value: Any, here: Mapping[str, str]) -> str:
    """Return a value as text that can be compared, with folders named as they were then."""
    text = dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    for now, then in here.items():
        text = text.replace(now, then)
    return text


def about(value: Any) -> str:
    """Return what a question is about, the same each time: its calls, or its words."""
    question = question_of(value)
    calls = [str(one.get("tool_call_id") or "") for one in shown_calls(question)]
    artel = _dict(question.get("artel"))
    one = str(question.get("tool_call_id") or artel.get("tool_call_id") or "")
    if ids := [plain_id(each) for each in (calls or [one]) if each]:
        return f"call {', '.join(ids)}"
    return f"{question.get('type') or 'question'}: {str(question.get('description') or value)[:200]}"


def messages_of(values: Mapping[str, Any]) -> list[AnyMessage]:
    """Return the messages of a state."""
    found = values.get("messages")
    return [one for one in found if isinstance(one, BaseMessage)] if isinstance(found, list) else []  # type: ignore[misc]


def _messages(values: Mapping[str, Any]) -> list[BaseMessage]:
    return thread_part(messages_of(values))


def _told(name: str, value: Any) -> list[Mapping[str, Any]]:
    if name == "plan":
        return [value] if isinstance(value, Mapping) and value.get("status") == "proposed" else []
    return [one for one in value or () if isinstance(one, Mapping) and one.get("check") == "gate"]


def _rows(archive: Archive, name: str) -> list[Mapping[str, Any]]:
    rows = archive.json(name)
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise ArchiveWrong(f"{name} is not in it, or is no list of objects")
    return rows


def _asked(row: Mapping[str, Any]) -> Asked:
    run, inner, answer = (str(row.get(key) or "") for key in ("run_id", "interrupt_id", "answer_run_id"))
    return Asked(run, inner, about(row.get("value")), row.get("value"), row.get("decision"), answer)


def _spec(talks: Iterable[Conversation]) -> str:
    said = (one for talk in talks for one in talk.messages if isinstance(one, AIMessage))
    return next((str(found) for one in said if (found := one.response_metadata.get(KEY))), UNKNOWN)


def _broken(final: Mapping[str, Any]) -> list[tuple[str, str]]:
    steps = _dict(final.get("plan")).get("steps") or ()
    results = [_dict(_dict(step).get("result")) for step in steps]
    said = [str(one.get("summary", "")) for one in results if one.get("by") == "runtime"]
    return [(found[1], found[2]) for one in said if (found := BROKE_OFF.fullmatch(one))]


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
