"""Keeps an agent that does a step to the files of that step, before anybody is asked about a call."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from langchain_core.messages.tool import ToolCall

from artel.graphs.scopes import inside
from artel.graphs.state import Verdict


def within(
    calls: Sequence[ToolCall],
    verdicts: Mapping[str, Verdict],
    state: Mapping[str, Any],
    tools: Collection[str],
) -> dict[str, Verdict]:
    """Return the verdicts on the calls of a message, with a problem on each that leaves the step.

    The paths are the real ones, so a link does not lead out. What commands write is not known here: beside
    other steps there are none.
    """
    scope, beside = state.get("paths") or [], bool(state.get("beside"))
    fenced = dict(verdicts)
    for call in calls:
        id_ = call["id"] or ""
        verdict = fenced.get(id_)
        if verdict is None or verdict.get("problem"):
            continue
        out = [file["path"] for file in verdict.get("files", ()) if not inside(file["path"], scope)]
        if out:
            problem = f"{', '.join(out)} is not of this step, which may change only {', '.join(scope)}."
            fenced[id_] = {
                **verdict,
                "problem": f"{problem} If it must change, hand that in as an open question.",
            }
        elif beside and call["name"] not in tools:
            problem = f"{call['name']} is not there while other steps run beside this one."
            fenced[id_] = {**verdict, "problem": problem}
    return fenced
