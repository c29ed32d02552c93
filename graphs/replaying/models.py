"""The models of a replay: each says what was recorded."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.replaying.playing import Player
from artel.graphs.replaying.recording import messages_of

WINDOW = 10_000_000  # tokens: how long messages were shown shortened then is not replayed
TABLES = ("\n\n| Step |", "\n\n| Шаг |")
"""How the table begins that code puts under the words of a model on a plan."""


class Recorded(BaseChatModel):
    """Says what the model of an agent, or of a step of the orchestrator, said."""

    player: Any
    agent: str

    @property
    def _llm_type(self) -> str:
        return "recorded"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Take any tools; the record knows which were called."""
        del tools, kwargs
        return self

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        del stop, run_manager, kwargs
        player: Player = self.player
        step = self.agent.partition(".")[2]
        if step:
            said = AIMessageChunk(content=thought(player, step), chunk_position="last")
            yield ChatGenerationChunk(message=said)
            return
        async for chunk in player.say(messages):
            yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("a replay only streams")


class RecordedModels(Models):
    """Gives every agent the record."""

    def __init__(self, player: Player) -> None:
        spec = player.recording.spec
        super().__init__(ModelSettings(model=spec, windows={spec: WINDOW}))
        self._player = player

    def spec(self, agent: str = "", override: str = "", *, usual: str = "") -> str:
        """Return the model that was recorded."""
        del agent, override, usual
        return self._player.recording.spec

    def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
        """Return the record as the model of an agent, or of one of its steps."""
        del override, usual
        spec = self.spec()
        link = Link(spec, lambda: Recorded(player=self._player, agent=agent), failures=tuple)
        return Chain(links=(link,), timeout_s=60, silence_s=60)


def thought(player: Player, step: str) -> str:
    """Return what the orchestrator's model must have said in one of its steps, by what came of it."""
    final = player.recording.final
    match step:
        case "plan":
            return player.plan()
        case "route":
            route = final.get("route")
            return (
                str(route.get("agent", "")) if isinstance(route, dict) and route.get("by") == "model" else "-"
            )
    said = next((one.text for one in reversed(messages_of(final)) if one.type == "ai"), "")
    return next((said.partition(begin)[0] for begin in TABLES if begin in said), said)
