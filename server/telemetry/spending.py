"""What one call of a model used, read from what its model counted."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langchain_core.outputs import LLMResult

from artel.graphs.models.link import KEY
from artel.graphs.models.prices import cost_of
from artel.graphs.models.tally import STEP
from artel.storage.runs import Run
from artel.storage.usage import Call

LONGEST = 200  # characters of a name


def call_of(run: Run, call: UUID, place: Mapping[str, Any], response: LLMResult, *, took_s: float) -> Call:
    """Return a call of a model with what it used and cost.

    `place` is the metadata under which LangGraph made it: graph, step, agent and the model as it was asked.
    The model is the one that answered, which may be a fallback.
    """
    messages = [getattr(one, "message", None) for batch in response.generations for one in batch]
    counted = [getattr(message, "usage_metadata", None) or {} for message in messages]
    metadata: Mapping[str, Any] = getattr(messages[0], "response_metadata", {}) if messages else {}
    asked = ":".join(filter(None, (place.get("ls_provider"), place.get("ls_model_name"))))
    model = str(metadata.get(KEY) or asked or "unknown")
    details = [one.get("input_token_details") or {} for one in counted]
    written = ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    costs = [cost_of(model, one) for one in counted if one]
    return Call(
        run_id=run.run_id,
        call_id=call,
        thread_id=run.thread_id,
        owner=run.owner,
        agent=str(place.get("lc_agent_name") or run.graph_id).replace("\0", "")[:LONGEST],
        model=model.replace("\0", "")[:LONGEST],
        step=_whole(place, "langgraph_step"),
        took_ms=round(took_s * 1000),
        input_tokens=sum(_whole(one, "input_tokens") for one in counted),
        cached_tokens=sum(_whole(one, "cache_read") for one in details),
        cache_written=sum(_whole(one, name) for one in details for name in written),
        output_tokens=sum(_whole(one, "output_tokens") for one in counted),
        thought=sum(_whole(one.get("output_token_details") or {}, "reasoning") for one in counted),
        plan_step=str(place.get(STEP) or "").replace("\0", "")[:LONGEST],
        usd=None if None in costs or not costs else sum(cost for cost in costs if cost is not None),
    )


def _whole(counts: Mapping[str, Any], name: str) -> int:
    found = counts.get(name)
    return max(0, found) if isinstance(found, int) else 0
