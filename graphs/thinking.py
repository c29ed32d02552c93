"""The orchestrator's own questions to a model: one prompt, no tools, nobody reads along."""

from asyncio import to_thread

from langchain_core.messages import HumanMessage

from artel.graphs.context import handles
from artel.graphs.models.fallback import BrokenOff, Chain

NAME = "orchestrator"
UNSEEN = {"tags": ["nostream"]}


async def think(prompt: str, wish: str) -> str | None:
    """Return what the run's model says to `prompt`; None: there is only the offline model, which has rules.

    Raises:
        NoModelAnswered: no model of the chain did.
    """
    model = await to_thread(_model, wish)
    while model is not None:
        try:
            return (await model.ainvoke([HumanMessage(prompt)], UNSEEN)).text  # type: ignore[arg-type]
        except BrokenOff as broken:
            if broken.rest is None:
                raise
            model = broken.rest
    return None


def _model(wish: str) -> Chain | None:
    models = handles().models
    return None if models.spec(NAME, wish).split(":")[0] == "offline" else models.chat(NAME, wish)
