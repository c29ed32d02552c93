"""Models from GGUF files, run in this process by llama.cpp; needs the `local-gguf` extra.

They are told of tools in text, and answer one call at a time.
"""

from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from artel.graphs.models.loading import load
from artel.graphs.models.settings import ModelMisconfigured, ModelSettings, ToolCalls

LOOK_S = 0.02  # whether another answer has ended
ALL_LAYERS = -1  # on the accelerator, where llama.cpp was built for one


class Gguf(BaseChatModel):
    """A model that llama.cpp has loaded."""

    llama: Any
    name_shown: str
    _lane: Lock = PrivateAttr(default_factory=Lock)  # llama.cpp computes for one at a time
    _computing: Lock = PrivateAttr(
        default_factory=Lock
    )  # a token that nobody wants any more is made to its end

    @property
    def _llm_type(self) -> str:
        return "gguf"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager, kwargs
        with self._lane:
            return generate_from_stream(map(self._chunk, self._begin(messages, stop)))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        del run_manager, kwargs
        while not self._lane.acquire(blocking=False):  # noqa: ASYNC110 - of threads, not of a loop
            await sleep(LOOK_S)  # a thread that waited could not be told that nobody asks any more
        try:
            pieces = await to_thread(self._begin, messages, stop)
            while (piece := await to_thread(self._step, pieces)) is not None:
                yield self._chunk(piece)
        finally:
            self._lane.release()

    def _begin(self, messages: list[BaseMessage], stop: list[str] | None) -> Iterator[dict[str, Any]]:
        given = convert_to_openai_messages(messages)
        with self._computing:
            pieces: Iterator[dict[str, Any]] = self.llama.create_chat_completion(
                messages=given, stop=stop or [], stream=True
            )
        return pieces

    def _step(self, pieces: Iterator[dict[str, Any]]) -> dict[str, Any] | None:
        with self._computing:
            return next(pieces, None)

    def _chunk(self, piece: dict[str, Any]) -> ChatGenerationChunk:
        choice = piece["choices"][0]
        reason = choice.get("finish_reason")
        about = {"finish_reason": reason, "model_name": self.name_shown} if reason else {}
        said = choice.get("delta", {}).get("content") or ""
        return ChatGenerationChunk(
            message=AIMessageChunk(content=said, response_metadata=about), generation_info=about or None
        )


def build(name: str, settings: ModelSettings) -> BaseChatModel:
    """Load the file `name`; it stays in memory.

    Raises:
        ModelMisconfigured: the package or the file is missing.
    """
    llama = load("llama_cpp", "Llama")
    path = Path(name).expanduser()
    if not path.is_file():
        raise ModelMisconfigured(
            f"gguf needs a file, as in gguf:/models/name.gguf; there is none at {name!r}"
        )
    loaded = llama(model_path=str(path), n_ctx=settings.gguf_context, n_gpu_layers=ALL_LAYERS, verbose=False)
    return Gguf(llama=loaded, name_shown=path.stem)


def detect(settings: ModelSettings) -> str | None:
    """Never chosen by itself."""
    del settings
    return None


def failures() -> tuple[type[Exception], ...]:
    """Return what a call may raise: llama.cpp raises what Python itself has."""
    return (RuntimeError,)


def tool_calls(settings: ModelSettings) -> ToolCalls:
    """Return how its models call tools."""
    del settings
    return "text"
