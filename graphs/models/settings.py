"""Which chat models to use; filled from the environment by the server, plain values here."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from artel.storage.errors import ArtelError, Invalid


class ModelSettings(BaseModel):
    """Models, keys and limits. Nothing set: whatever is found on this machine, else `offline`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field("", description="`provider:name`, or a bare name for `provider`.")
    provider: str = Field("", description="Provider of a bare `model`; alone: the provider's choice.")
    openai_base_url: str = Field("", description="Any OpenAI-compatible endpoint: vLLM, LiteLLM, Ollama.")
    openai_api_key: str = Field("", repr=False, description="Key for `openai`; local servers need none.")
    anthropic_api_key: str = Field("", repr=False, description="Key for `anthropic`.")
    ollama_base_url: str = Field("http://127.0.0.1:11434/v1", description="Where Ollama is looked for.")
    vllm_base_url: str = Field("http://127.0.0.1:8000/v1", description="Where vLLM is looked for.")
    fallbacks: list[str] = Field([], description="`provider:name` to try, in order, when the first fails.")
    per_agent: dict[str, str] = Field({}, description="Agent name to `provider:name`, instead of `model`.")
    timeout_s: float = Field(30, gt=0, description="Longest wait for the first words of an answer.")
    silence_s: float = Field(30, gt=0, description="Longest silence inside an answer.")
    windows: dict[str, Annotated[int, Field(ge=4096)]] = Field(
        {},
        description="`provider:name`, name or provider to the tokens that the model can be asked; unset: "
        "what is known of vendors' models, else 16384.",
    )


class ModelMisconfigured(Invalid):
    """A model was asked for that cannot be made; the message says what to set or install."""

    code = "model_misconfigured"


class NoModelAnswered(ArtelError):
    """Every model of the chain failed; the message names each with its cause.

    No child of `Unavailable`: to the engine that one means: the database is away, try the run again.
    """

    code = "no_model_answered"
    status = 503
    retryable: ClassVar[bool] = True
