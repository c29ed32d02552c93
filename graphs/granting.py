"""What a yes may grant for later: the offers of a question, and what an answer takes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from artel.storage.errors import Invalid
from artel.tools.grants import SCOPES, Covers, Scope

LONGEST_S = 10 * 365 * 24 * 3600
KEYS = {"scope", "covers", "expires_in_s"}


@dataclass(frozen=True, slots=True)
class Taken:
    """What somebody grants with an answer about one call."""

    scope: Scope
    tool: str
    agent: str
    workspace: str
    covers: tuple[Covers, ...]
    expires_in_s: float | None


def offers_of(shown: Any) -> list[Mapping[str, Any]]:
    """Return what a question offers to grant with a yes to one call."""
    found = shown.get("grants") if isinstance(shown, Mapping) else None
    return [one for one in found if _covers_of(one)] if isinstance(found, list) else []


def check_grant(given: Any, where: str, shown: Any) -> None:
    """Refuse a grant that the question does not offer.

    Raises:
        Invalid: the message names what is wrong, and what there is.
    """
    offers = offers_of(shown)
    if not offers:
        raise Invalid(f"{where}: this call offers nothing to grant; approve it without")
    if not isinstance(given, dict) or given.keys() - KEYS:
        raise Invalid(f'{where} must be {{"scope": …, "covers": …}} and may have expires_in_s')
    ids = [str(one.get("id")) for one in offers]
    if given.get("covers") not in ids:
        raise Invalid(f"{where}.covers must be one of {', '.join(ids)}, got {repr(given.get('covers'))[:80]}")
    if given.get("scope") not in SCOPES:
        raise Invalid(
            f"{where}.scope must be one of {', '.join(SCOPES)}, got {repr(given.get('scope'))[:80]}"
        )
    if given["scope"] == "project" and not shown.get("workspace"):
        raise Invalid(f"{where}.scope must be thread or always: the question names no project")
    if (time_s := given.get("expires_in_s")) is not None and not _is_time(time_s):
        raise Invalid(f"{where}.expires_in_s must be from 1 to {LONGEST_S}, got {repr(time_s)[:80]}")


def taken(value: Any, decision: Any) -> list[Taken]:
    """Return what a checked answer to a question grants: of each call that it speaks of."""
    if not isinstance(value, Mapping) or not isinstance(decision, Mapping):
        return []
    artel = value.get("artel")
    block: Mapping[str, Any] = artel if isinstance(artel, Mapping) else {}
    agent = str(block.get("agent", ""))
    if value.get("type") == "tool_approval":
        parts: list[tuple[Any, Any, Any]] = [(value.get("name"), block, decision)]
    else:
        calls, answers = block.get("calls"), decision.get("decisions")
        if not isinstance(calls, list) or not isinstance(answers, list) or len(calls) != len(answers):
            return []
        parts = [(call.get("name"), call, one) for call, one in zip(calls, answers, strict=True)]
    found = (_taken(str(name), agent, shown, one) for name, shown, one in parts)
    return [one for one in found if one and agent]


def _taken(tool: str, agent: str, shown: Mapping[str, Any], decision: Any) -> Taken | None:
    match decision:
        case {"type": "approve", "grant": {"scope": scope, "covers": str(wanted)} as given}:
            offer = next((one for one in offers_of(shown) if one.get("id") == wanted), None)
            time_s = given.get("expires_in_s")
            if offer is None or scope not in SCOPES or not (time_s is None or _is_time(time_s)):
                return None
            return Taken(scope, tool, agent, str(shown.get("workspace", "")), _covers_of(offer), time_s)
    return None


def _covers_of(offer: Any) -> tuple[Covers, ...]:
    """Return what an offer covers; nothing if it is none of ours: other people's graphs may ask alike."""
    match offer:
        case {"id": str(), "covers": [*covers]}:
            try:
                return tuple(Covers.model_validate(one) for one in covers)
            except ValidationError:
                return ()
    return ()


def _is_time(time_s: Any) -> bool:
    return isinstance(time_s, int | float) and not isinstance(time_s, bool) and 1 <= time_s <= LONGEST_S
