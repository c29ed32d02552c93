"""Which chat models to use; filled from the environment by the server, plain values here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from artel.graphs.models.prices import Price
from artel.storage.errors import ArtelError, Invalid

ToolCalls = Literal["native", "text", "auto"]
Value = TypeVar("Value")


class Endpoint(BaseModel):
    """An OpenAI-compatible server that has a name of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(min_length=1, description="Where it is, with its `/v1`.")
    key: str = Field("", repr=False, description="Its key; empty: it asks for none.")


class Rate(BaseModel):
    """The most that one process asks of a model in a minute; None: as much as it likes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requests: int | None = Field(None, ge=1, description="Calls.")
    tokens: int | None = Field(None, ge=1, description="Tokens, in and out together.")


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
    per_agent: dict[str, str] = Field(
        {},
        description="Agent, or `agent.step`, to `provider:name`, instead of `model` and of what a role says.",
    )
    timeout_s: float = Field(30, gt=0, description="Longest wait for the first words of an answer.")
    silence_s: float = Field(30, gt=0, description="Longest silence inside an answer.")
    anthropic_thinking: int = Field(
        0,
        ge=0,
        description="Tokens that Anthropic's models may think before an answer, 1024 or more; 0: none.",
    )
    mistral_api_key: str = Field("", repr=False, description="Key for `mistral`.")
    mistral_base_url: str = Field("https://api.mistral.ai/v1", description="Where Mistral is asked.")
    endpoints: dict[str, Endpoint] = Field(
        {}, description="Further OpenAI-compatible servers, each a provider by its name here."
    )
    plugins: Path | None = Field(None, description="Folder of further providers, one Python file each.")
    file: Path | None = Field(
        None, description="YAML file with any of these settings but the keys; read anew whenever it changes."
    )
    gguf_context: int = Field(16_384, ge=512, description="Tokens that a model from a GGUF file may see.")
    tool_calls: dict[str, ToolCalls] = Field(
        {}, description="`provider:name` or provider to how it calls tools: native, text or auto."
    )
    retries: int = Field(2, ge=0, le=10, description="Further attempts when a server is busy or away.")
    breaker_failures: int = Field(5, ge=1, description="Failures in a row after which a model is left alone.")
    breaker_pause_s: float = Field(30, gt=0, description="How long it is, before one call tries it again.")
    rates: dict[str, Rate] = Field(
        {}, description="`provider:name` or provider to the requests and tokens it takes in a minute."
    )
    rate_wait_s: float = Field(60, ge=0, description="Longest wait for such a limit; then the next model.")
    prices: dict[str, Price] = Field(
        {}, description="`provider:name` to US dollars for a million tokens, over those that come with Artel."
    )
    windows: dict[str, Annotated[int, Field(ge=4096)]] = Field(
        {},
        description="`provider:name`, name or provider to the tokens that the model can be asked; unset: "
        "what is known of vendors' models, else 16384.",
    )

    @property
    def keys(self) -> tuple[str, ...]:
        """The values that nobody may see."""
        own = (self.openai_api_key, self.anthropic_api_key, self.mistral_api_key)
        return tuple(filter(None, (*own, *(endpoint.key for endpoint in self.endpoints.values()))))


def said_of(spec: str, table: Mapping[str, Value]) -> Value | None:
    """Return what a table says of a model: by its full name, else by its provider."""
    return table.get(spec, table.get(spec.split(":")[0]))


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
