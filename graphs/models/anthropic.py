"""Anthropic's models; needs the `anthropic` extra."""

from langchain_core.language_models import BaseChatModel

from artel.graphs.models.loading import load
from artel.graphs.models.settings import ModelMisconfigured, ModelSettings

MAX_TOKENS = 8192  # the vendor demands a limit; enough for a long file


def build(name: str, settings: ModelSettings) -> BaseChatModel:
    """Return the model `name`.

    Raises:
        ModelMisconfigured: the key or the package is missing.
    """
    if not settings.anthropic_api_key:
        raise ModelMisconfigured("anthropic needs ANTHROPIC_API_KEY")
    thinking = settings.anthropic_thinking
    more = {"thinking": {"type": "enabled", "budget_tokens": thinking}} if thinking else {}
    model: BaseChatModel = load("langchain_anthropic", "ChatAnthropic")(
        model=name or "claude-sonnet-4-5",
        api_key=settings.anthropic_api_key,
        timeout=max(settings.timeout_s, settings.silence_s),
        max_retries=0,  # `link` tries again
        max_tokens=MAX_TOKENS + thinking,
        **more,
    )
    return model


def detect(settings: ModelSettings) -> str | None:
    """Return the model to use when a key is set and no model is named."""
    return "claude-sonnet-4-5" if settings.anthropic_api_key else None


def failures() -> tuple[type[Exception], ...]:
    """Return what a call may raise when this provider is at fault."""
    error: type[Exception] = load("anthropic", "AnthropicError")
    return (error,)
