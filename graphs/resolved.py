"""What people have decided in a thread: kept with its provenance, told to every model, never asked again.

An entry is never removed. What is changed of it later is added as an edit; two copies of one, of an agent
and of the thread it works in, are joined by their edits, so that none of them is lost.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, Any, Literal, NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from artel.graphs.likeness import same, same_by_id, same_options, tells

if TYPE_CHECKING:
    from artel.graphs.assembly import Moment

MAX_TOLD = 2_500  # characters that a model is told
MAX_LINE = 400
ID_DIGITS = 8  # hex


class Edit(TypedDict):
    """A change of a decision, by a person."""

    by: str
    at: str
    answer: NotRequired[list[str]]
    status: NotRequired[Literal["revoked"]]


class Resolved(TypedDict):
    """A decision: a question and what was answered."""

    id: str
    question_id: str
    "As the agent named it."
    question: str
    options: list[str]
    multiple: bool
    given: list[str]
    "As it was answered first: what was chosen, then what was said besides; none: it was left to the agent."
    answer: list[str]
    "As it holds now."
    status: Literal["active", "revoked"]
    by: str
    at: str
    agent: str
    run_id: str
    edits: list[Edit]


_RESOLVED = TypeAdapter(Resolved)


def entries(context: Any) -> dict[str, Resolved]:
    """Return the decisions of a state, by their ids; what is none of ours is left out."""
    found: dict[str, Resolved] = {}
    for key, value in context.items() if isinstance(context, Mapping) else ():
        try:
            entry = _RESOLVED.validate_python(value)
        except ValidationError:
            continue
        if entry["id"] == key:
            found[key] = entry
    return found


def joined(old: Any, new: Any) -> dict[str, Resolved]:
    """Return the decisions of both, those in both with the edits of both."""
    known = entries(old)
    for key, entry in entries(new).items():
        known[key] = _standing(known[key], entry["edits"]) if key in known else entry
    return known


def edited(entry: Resolved, edit: Edit) -> Resolved:
    """Return a decision with one more edit."""
    return _standing(entry, [edit])


def decision(
    asked: Mapping[str, Any], answer: Sequence[str], *, by: str, at: str, agent: str, run_id: str, call: str
) -> Resolved:
    """Return the answer to a question as it is kept; `call` tells it from another one in the same words."""
    key = sha256(dumps([asked["id"], asked["question"], asked["options"], run_id, call]).encode()).hexdigest()
    return Resolved(
        id=f"{asked['id']}-{key[:ID_DIGITS]}",
        question_id=asked["id"],
        question=asked["question"],
        options=list(asked["options"]),
        multiple=asked["multiple"],
        given=list(answer),
        answer=list(answer),
        status="active",
        by=by,
        at=at,
        agent=agent,
        run_id=run_id,
        edits=[],
    )


def newest(known: Mapping[str, Resolved]) -> list[Resolved]:
    """Return decisions, the latest first."""
    return sorted(known.values(), key=lambda one: (_changed_at(one), one["id"]), reverse=True)


def find(known: Mapping[str, Resolved], asked: Mapping[str, Any]) -> Resolved | None:
    """Return the latest decision that answers a question, None if a person must be asked."""
    active = (one for one in newest(known) if one["status"] == "active")
    return next((one for one in active if _answers(one, asked)), None)


def in_words(entry: Resolved) -> str:
    """Return a decision in a line."""
    said = "; ".join(entry["answer"]) or "left to you"
    return f"{_cut(entry['question'])} → {_cut(said)}"


def told(context: Any) -> str:
    """Return what a model is told of the decisions that stand, the latest first; of none nothing."""
    lines = [f"- {in_words(one)}" for one in newest(entries(context)) if one["status"] == "active"]
    shown: list[str] = []
    for line in lines:
        if sum(map(len, shown)) + len(line) > MAX_TOLD:
            shown.append(f"- and {len(lines) - len(shown)} earlier ones")
            break
        shown.append(line)
    return (
        "\n".join(["## Decided", "The user has answered this; do not ask it again.", *shown]) if lines else ""
    )


async def decided(moment: "Moment") -> str:
    """Tell of what the user has decided."""
    return told(moment.state.get("resolved_context"))


def _answers(entry: Resolved, asked: Mapping[str, Any]) -> bool:
    if entry["multiple"] != asked["multiple"] or not same_options(entry["options"], asked["options"]):
        return False
    if same(entry["question"], asked["question"]):
        return True
    named = entry["question_id"] == asked["id"] and tells(asked["id"])
    return named and same_by_id(entry["question"], asked["question"], asked["options"])


def _standing(entry: Resolved, more: Sequence[Edit]) -> Resolved:
    """Return an entry with these edits too, as it holds after all of them in the order they were made."""
    edits = [*entry["edits"], *(one for one in more if one not in entry["edits"])]
    edits.sort(key=lambda one: (one["at"], one["by"], dumps(one, sort_keys=True)))
    answer, status = entry["given"], entry["status"]
    for one in edits:
        answer, status = one.get("answer", answer), one.get("status", status)
    return {**entry, "edits": edits, "answer": answer, "status": status}


def _changed_at(entry: Resolved) -> str:
    return entry["edits"][-1]["at"] if entry["edits"] else entry["at"]


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"
