"""Which policy holds: the built-in one, a server's own from a file, and on top of it a person's own."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from artel.storage.errors import Invalid
from artel.tools.policy import DEFAULT, Policy, Rule

MAX_PATTERNS = 2_000  # rules and patterns: a thousand calls are judged in some seconds
ROLE = "role:"  # how the rules begin that hold an agent to its role
OURS = ("default", "unknown", "refused", "arguments", "settings")  # what verdicts say instead of a rule


class PolicyWrong(Invalid):
    """A policy has a mistake; the message names where."""

    code = "policy_wrong"


def read(file: Path) -> Policy:
    """Return the policy in a YAML or JSON file, with the built-in floor besides its own.

    Raises:
        PolicyWrong: there is no such file, or it is no policy; the message names file and key.
    """
    try:
        document = _parsed(file.name, file.read_text("utf-8"))
        own = parsed(document)
    except OSError as refused:
        raise PolicyWrong(f"{file} cannot be read: {refused.strerror}") from refused
    except ValueError as wrong:
        raise PolicyWrong(f"{file}: {' '.join(str(wrong).split())}") from wrong
    except PolicyWrong as wrong:
        raise PolicyWrong(f"{file}: {wrong}") from wrong
    return own.model_copy(update={"floor": _together(DEFAULT.floor, own.floor)})


def parsed(document: Any) -> Policy:
    """Return a document as a policy.

    Raises:
        PolicyWrong: it is none; the message names the rule.
    """
    try:
        policy = Policy.model_validate(document)
    except ValidationError as wrong:
        raise PolicyWrong(_told(document, wrong)) from wrong
    check(policy)
    return policy


def check(policy: Policy) -> None:
    """Refuse a policy that would take long, or whose verdicts could be taken for others.

    Raises:
        PolicyWrong: the message names the rule.
    """
    rules = (*policy.floor, *policy.rules)
    size = len(rules) + sum(len(rule.path) + len(rule.unless) + len(rule.argv) for rule in rules)
    if size > MAX_PATTERNS:
        raise PolicyWrong(f"it has {size} rules and patterns; at most {MAX_PATTERNS} are tried")
    if "\\u0000" in policy.model_dump_json().replace("\\\\", ""):
        raise PolicyWrong("a text in it has a NUL character, which nothing that is judged has")
    if taken := [rule.id for rule in rules if rule.id in OURS or rule.id.startswith(("grant:", ROLE))]:
        raise PolicyWrong(f"rule {taken[0]!r} needs another id: verdicts say that of what is no rule")


def over(server: Policy, own: Policy | None) -> Policy:
    """Return what holds for somebody: their rules and default instead of the server's, and both floors."""
    if own is None:
        return server
    return own.model_copy(update={"floor": _together(server.floor, own.floor)})


def _together(*floors: tuple[Rule, ...]) -> tuple[Rule, ...]:
    return tuple(dict.fromkeys(rule for floor in floors for rule in floor))


def _parsed(name: str, text: str) -> Any:
    if name.endswith(".json"):
        return json.loads(text)
    yaml: Any = import_module("yaml")  # most servers have no such file
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        raise ValueError(str(wrong)) from wrong


def _told(document: Any, wrong: ValidationError) -> str:
    first = wrong.errors(include_url=False)[0]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return (
        f"{path.lstrip('.') or 'it'}{_named(document, first['loc'])}: {message}, got {_short(first['input'])}"
    )


def _named(document: Any, place: tuple[int | str, ...]) -> str:
    """Say which rule is meant: people know it by its name."""
    match place, document:
        case [(str() as part, int() as at, *_), dict()]:
            rule = document[part][at]
            return f" (rule {_short(rule['id'])})" if isinstance(rule, dict) and "id" in rule else ""
    return ""


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 80 else f"{said[:80]}…"
