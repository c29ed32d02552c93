"""What people may answer, checked before anything is saved or resumed."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from artel.graphs import inbox
from artel.graphs.answering import answered, questions_of
from artel.graphs.granting import check_grant
from artel.storage.asking import question_of, request_of
from artel.storage.errors import Invalid

DECISIONS = ("approve", "edit", "reject", "respond")
CheckArgs = Callable[[str, Mapping[str, Any]], None]


def check(value: Any, decision: Any, check_args: CheckArgs) -> Any:
    """Return `decision` if it answers the interrupt `value`; a bare string answers a question.

    An answer in the form of Agent Inbox comes back as the decision of ours that it is.
    `check_args(tool, args)` raises Invalid when an edit's arguments are not those of the tool. A foreign
    interrupt takes anything.

    Raises:
        Invalid: it does not; the message names the key that is wrong and what would be right.
    """
    if (request := request_of(value)) is not None:
        decision = inbox.decision_of(decision)
        if asked := questions_of(question_of(value)):
            return _answer(asked, decision)
        return _requested(request, decision, check_args)
    match value:
        case {"type": "tool_approval", "name": str(name)}:
            return _one(decision, "decision", name, DECISIONS, check_args, value.get("artel"))
        case {"type": "question", "questions": list()} if questions_of(value):
            return _answer(questions_of(value), decision)
        case {"type": "question"}:
            if isinstance(decision, str):
                decision = {"type": "respond", "message": decision}
            return _one(decision, "decision", "", ("respond", "reject"), check_args, None)
        case {"type": "plan", "plan": Mapping() as plan, "agents": list(agents)}:

            def check_plan(_name: str, args: Mapping[str, Any]) -> None:
                _check_plan(plan, args, agents)

            return _one(decision, "decision", "plan", DECISIONS, check_plan, None)
        case {"action_requests": list(actions), "review_configs": list(configs)}:
            calls = shown_calls(value)
            shown = calls if len(calls) == len(actions) else [None] * len(actions)
            return _many(decision, actions, configs, check_args, shown)
    return decision


def _check_plan(plan: Mapping[str, Any], args: Mapping[str, Any], agents: Sequence[str]) -> None:
    try:
        import_module("artel.graphs.drafts").revised(plan, args, agents)  # a server loads it only for this
    except Invalid as wrong:
        raise Invalid(f"decision.edited_action.args: {wrong}") from None


def _answer(asked: Sequence[Mapping[str, Any]], decision: Any) -> Any:
    """Check an answer to the questions of an agent; words, and answers without a type, are a respond."""
    match decision:
        case {"type": "reject"}:
            return _one(decision, "decision", "", ("respond", "reject"), _any_args, None)
        case str():
            decision = {"type": "respond", "message": decision}
        case {"answers": dict(), **rest} if not rest:
            decision = {"type": "respond", **decision}
    match decision:
        case {"type": "respond", "answers": dict(), **rest} | {"type": "respond", "message": str(), **rest}:
            if rest:
                raise Invalid(f"decision has unknown keys: {', '.join(sorted(map(str, rest)))}")
    answered(asked, decision)
    return decision


def decision_on(value: Any, decision: Any, tool_call_id: str) -> Mapping[str, Any] | None:
    """Return the part of an answer that speaks of one tool call, or None when none does."""
    value = question_of(value)
    if not isinstance(decision, Mapping):
        return None
    if value.get("type") == "tool_approval":
        return decision if value.get("tool_call_id") == tool_call_id else None
    calls = shown_calls(value)
    decisions = decision.get("decisions")
    if not isinstance(decisions, list) or len(decisions) != len(calls):
        return None
    found = (one for call, one in zip(calls, decisions, strict=True) if call["tool_call_id"] == tool_call_id)
    one = next(found, None)
    return one if isinstance(one, Mapping) else None


def shown_calls(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the calls a batched question of ours is about, in its order."""
    artel = value.get("artel")
    calls = artel.get("calls") if isinstance(artel, Mapping) else None
    return [call for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else []


def hunks_of(shown: Any) -> tuple[str, ...]:
    """Return the ids of the hunks that a question shows of one call; none if it is no change of ours."""
    files = shown.get("files") if isinstance(shown, Mapping) else None
    found: list[str] = []
    for file in files if isinstance(files, list) else ():
        match file:
            case {"hunks": list(hunks)}:
                found += [hunk["id"] for hunk in hunks if isinstance(hunk, Mapping) and "id" in hunk]
    return tuple(dict.fromkeys(found))


def final_args(decision: Any, name: str, asked: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the arguments to run with, or None: only an explicit approve or edit of `name` runs.

    A yes to parts that names none is no yes.
    """
    match decision:
        case {"type": "approve", **rest} if "hunks" not in rest or _is_choice(rest["hunks"]):
            return asked
        case {"type": "edit", "edited_action": {"name": str(edited), "args": dict(args)}} if edited == name:
            return args
    return None


def _requested(request: Mapping[str, Any], decision: Any, check_args: CheckArgs) -> Any:
    """Check a decision on a request in the form of Agent Inbox; what a foreign action takes is not known."""
    shown = request.get("artel")
    if not inbox.is_ours(request):
        check_args, shown = _any_args, None
    name = request["action_request"]["action"]
    return _one(decision, "decision", name, inbox.allowed(request), check_args, shown)


def _any_args(name: str, args: Mapping[str, Any]) -> None:
    del name, args


def _many(
    decision: Any,
    actions: list[Any],
    configs: list[Any],
    check_args: CheckArgs,
    shown: Sequence[Any],
) -> Mapping[str, Any]:
    if not isinstance(decision, dict) or not isinstance(decisions := decision.get("decisions"), list):
        raise Invalid(f'the answer must be {{"decisions": [...]}}, got {_short(decision)}')
    if len(decisions) != len(actions):
        raise Invalid(
            f"decisions must have {len(actions)} entries, one per action request, got {len(decisions)}"
        )
    allowed = {c.get("action_name"): tuple(c.get("allowed_decisions", DECISIONS)) for c in configs}
    for place, (one, action, call) in enumerate(zip(decisions, actions, shown, strict=True)):
        name = action["name"]
        _one(one, f"decisions[{place}]", name, allowed.get(name, DECISIONS), check_args, call)
    return decision


def _one(
    decision: Any,
    where: str,
    name: str,
    allowed: tuple[str, ...],
    check_args: CheckArgs,
    shown: Any,
) -> Any:
    kind = decision.get("type") if isinstance(decision, dict) else None
    if kind not in allowed:
        raise Invalid(f"{where}.type must be one of {', '.join(allowed)}, got {_short(kind or decision)}")
    match decision:
        case {"type": "approve", **rest}:
            known = rest.keys() <= {"hunks", "grant"}
            if "hunks" in rest:
                _check_hunks(rest["hunks"], f"{where}.hunks", hunks_of(shown))
            if "grant" in rest:
                if "hunks" in rest:
                    raise Invalid(
                        f"{where}: a yes to parts grants nothing for later; leave out hunks or grant"
                    )
                check_grant(rest["grant"], f"{where}.grant", shown)
        case {"type": "reject", **rest}:
            known = rest.keys() <= {"message", "timeout"}
            _text(rest.get("message", ""), f"{where}.message")
        case {"type": "respond", **rest}:
            known = rest.keys() <= {"message"}
            _text(rest.get("message"), f"{where}.message")
        case {"type": "edit", "edited_action": {"name": edited, "args": dict(args)}, **rest}:
            known = not rest
            if edited != name:
                raise Invalid(f"{where}.edited_action.name must stay {name!r}, got {_short(edited)}")
            check_args(name, args)
        case _:
            raise Invalid(f'{where}.edited_action must be {{"name": "{name}", "args": {{...}}}}')
    if not known:
        raise Invalid(f"{where} has unknown keys: {', '.join(sorted(map(str, rest)))}")
    return decision


def _is_choice(hunks: Any) -> bool:
    return isinstance(hunks, list) and bool(hunks) and all(isinstance(one, str) for one in hunks)


def _check_hunks(chosen: Any, where: str, shown: tuple[str, ...]) -> None:
    if not shown:
        raise Invalid(f"{where}: this call shows no hunks to choose from; approve it without")
    if not _is_choice(chosen):
        raise Invalid(f"{where} must be a list of one or more ids, got {_short(chosen)}; for none, reject")
    if unknown := [one for one in chosen if one not in shown]:
        raise Invalid(f"{where} must be of {_short(', '.join(shown))}, got {_short(unknown[0])}")


def _text(message: Any, where: str) -> None:
    if not isinstance(message, str):
        raise Invalid(f"{where} must be a string, got {_short(message)}")


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 80 else f"{said[:80]}…"
