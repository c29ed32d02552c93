"""Questions to people and their answers: sealed, but for what the ledger itself looks at."""

from collections.abc import Mapping
from typing import Any

from artel.storage.sealing.sealer import Json, Sealer

VERDICTS = ("approve", "edit", "reject")  # by these types of a decision its status is told


async def seal_question(sealer: Sealer, value: Any) -> Json:
    """Return what was asked, sealed; of a batched question the ids of its calls stay, to find it by.

    Raises:
        CannotSeal: the handler failed.
    """
    clear: Json = {}
    match value:
        case {"artel": {"calls": list(calls)}}:
            named = [call for call in calls if isinstance(call, Mapping) and "tool_call_id" in call]
            clear = {"artel": {"calls": [{"tool_call_id": call["tool_call_id"]} for call in named]}}
    return {**clear, **await sealer.seal("approval", "value", value)}


async def seal_decision(sealer: Sealer, decision: Any) -> Json:
    """Return an answer, sealed; whether it is a yes stays.

    Raises:
        CannotSeal: the handler failed.
    """
    return {**_verdict(decision), **await sealer.seal("approval", "decision", decision)}


def _verdict(decision: Any) -> Json:
    match decision:
        case {"type": str(type_)} if type_ in VERDICTS:
            return {"type": type_}
        case {"decisions": list(decisions)}:
            return {"decisions": [_verdict(one) for one in decisions]}
    return {}
