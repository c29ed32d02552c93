"""What people answer to the questions of an agent: read in every form, checked before it counts."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from artel.storage.errors import Invalid

MAX_ANSWER = 4_000  # characters of one

SKIPS = frozenset({"", "skip", "-", "пропустить", "пропусти"})
_NAMED = re.compile(r"\s*([\w.-]+)\s*[:.)=]\s*(.*)")

Answers: TypeAlias = dict[str, list[str]]
"""By the id of its question: what was chosen, then what was said; nothing: it was left to the agent."""


def questions_of(value: Any) -> list[Mapping[str, Any]]:
    """Return the questions that a question in our own form asks; none if it is not such a one."""
    asked = value.get("questions") if isinstance(value, Mapping) else None
    known = [one for one in asked if _is_question(one)] if isinstance(asked, list) else []
    return known if isinstance(asked, list) and len(known) == len(asked) else []


def answered(questions: Sequence[Mapping[str, Any]], decision: Any) -> Answers:
    """Return what a decision answers to each of the questions. Touches nothing.

    It is words, or `{"type": "respond"}` with `message` (words) or `answers`: by the id of each question a
    label or other words, a list of labels, `{"options": […], "words": …}`, or null. Words for several
    questions are JSON, or a line `id: answer` for each.

    Raises:
        Invalid: one is missing, unknown or too long; the message names it and what would be right.
    """
    match decision:
        case str(words) | {"type": "respond", "message": str(words)}:
            given = _read(questions, words)
        case {"type": "respond", "answers": Mapping() as by_id} | {"answers": Mapping() as by_id}:
            given = by_id
        case _:
            raise Invalid('decision must be {"type": "respond", "answers": {"<id>": "<label or words>"}}')
    ids = [one["id"] for one in questions]
    if unknown := [key for key in given if key not in ids]:
        raise Invalid(f"answers: no question has the id {_short(unknown[0])}; asked were {', '.join(ids)}")
    return {one["id"]: answer_to(one, given.get(one["id"]), f"answers.{one['id']}") for one in questions}


def answer_to(question: Mapping[str, Any], given: Any, where: str) -> list[str]:
    """Return an answer to one question as it is kept.

    Raises:
        Invalid: it names an option that was not offered, several where one is to be chosen, or nothing where
            something is required.
    """
    labels = {label.casefold(): label for label in question["options"]}
    words: Any = ""
    match given:
        case None:
            chosen = []
        case str():
            said = given.strip()
            skips = said.casefold() in SKIPS and said.casefold() not in labels
            chosen = _chosen(question, labels, said)
            words = "" if chosen or skips else said
        case list():
            chosen = [_offered(one, labels, where) for one in given]
        case {"options": list() as options, **rest} if rest.keys() <= {"words"}:
            chosen = [_offered(one, labels, f"{where}.options") for one in options]
            words = rest.get("words") or ""
        case _:
            raise Invalid(f"{where} must be a label, words, a list of labels or null, got {_short(given)}")
    if not isinstance(words, str) or len(words) > MAX_ANSWER:
        raise Invalid(f"{where} must be words, at most {MAX_ANSWER} characters, got {_short(words)}")
    words = "".join(char for char in words if char.isprintable() or char in "\n\t").strip()
    chosen = list(dict.fromkeys(chosen))
    if len(chosen) > 1 and not question["multiple"]:
        raise Invalid(f"{where} takes one option, got {len(chosen)}: {_short(', '.join(chosen))}")
    if question["required"] and not chosen and not words:
        offered = f" of {', '.join(question['options'])}, or words of your own" if labels else " in words"
        raise Invalid(f"{where} is missing: “{question['question'][:80]}” needs an answer{offered}")
    return [*chosen, *([words] if words else [])]


def _chosen(question: Mapping[str, Any], labels: Mapping[str, str], said: str) -> list[str]:
    """Return the options that words name; several by commas only where several may be chosen."""
    if said.casefold() in labels:
        return [labels[said.casefold()]]
    parts = [part.strip().casefold() for part in said.split(",")]
    if question["multiple"] and len(parts) > 1 and all(part in labels for part in parts):
        return [labels[part] for part in parts]
    return []


def _offered(one: Any, labels: Mapping[str, str], where: str) -> str:
    label = labels.get(one.casefold()) if isinstance(one, str) else None
    if label is None:
        raise Invalid(f"{where}: there is no option {_short(one)}; offered were {', '.join(labels.values())}")
    return label


def _read(questions: Sequence[Mapping[str, Any]], words: str) -> Mapping[str, Any]:
    """Return words as answers by id: to one question all of them."""
    try:
        parsed = json.loads(words)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict) and parsed:
        known = {one["id"] for one in questions}
        by_id = parsed["answers"] if isinstance(parsed.get("answers"), dict) else parsed
        if len(questions) > 1 or by_id.keys() <= known:
            return dict(by_id)
    if len(questions) == 1:
        return {questions[0]["id"]: words}
    names = {str(n): one["id"] for n, one in enumerate(questions, 1)}
    names |= {one["id"]: one["id"] for one in questions}
    found = {}
    for line in words.splitlines():
        if (named := _NAMED.fullmatch(line)) and named[1] in names:
            found[names[named[1]]] = named[2]
    if not found:
        ids = ", ".join(one["id"] for one in questions)
        raise Invalid(
            f"{len(questions)} questions were asked: answer each in a line `id: answer`; ids: {ids}"
        )
    return found


def _is_question(one: Any) -> bool:
    match one:
        case {
            "id": str(),
            "question": str(),
            "options": list(options),
            "multiple": bool(),
            "required": bool(),
        }:
            return all(isinstance(label, str) for label in options)
    return False


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 80 else f"{said[:80]}…"
