"""The orchestrator's own questions to a model: one prompt, no tools, nobody reads along."""

from asyncio import to_thread
from typing import Literal

from langchain_core.messages import HumanMessage

from artel.graphs.context import handles
from artel.graphs.models.fallback import BrokenOff, Chain

NAME = "orchestrator"
UNSEEN = {"tags": ["nostream"]}


async def think(step: Literal["route", "plan", "summary"], prompt: str, wish: str) -> str | None:
    """Return what the model of a step says to `prompt`; None: there is only the offline one, with its rules.

    Raises:
        NoModelAnswered: no model of the chain did.
    """
    model = await to_thread(_model, f"{NAME}.{step}", wish)
    while model is not None:
        try:
            return (await model.ainvoke([HumanMessage(prompt)], UNSEEN)).text  # type: ignore[arg-type]
        except BrokenOff as broken:
            if broken.rest is None:
                raise
            model = broken.rest
    return None


def _model(step: str, wish: str) -> Chain | None:
    models = handles().models
    return None if models.spec(step, wish).split(":")[0] == "offline" else models.chat(step, wish)
