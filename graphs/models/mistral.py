"""Mistral's models: by its own package where that is installed, else by its OpenAI-compatible endpoint."""

from importlib.util import find_spec

from langchain_core.language_models import BaseChatModel

from artel.graphs.models import openai
from artel.graphs.models.loading import load
from artel.graphs.models.settings import ModelMisconfigured, ModelSettings

USUAL = "mistral-medium-latest"
PACKAGE = "langchain_mistralai"

failures = openai.failures


def build(name: str, settings: ModelSettings) -> BaseChatModel:
    """Return the model `name`.

    Raises:
        ModelMisconfigured: the key is missing.
    """
    if not settings.mistral_api_key:
        raise ModelMisconfigured("mistral needs MISTRAL_API_KEY")
    if find_spec(PACKAGE) is None:
        return openai.compatible(
            name or USUAL, settings.mistral_base_url, settings.mistral_api_key, settings, counts_unasked=True
        )
    model: BaseChatModel = load(PACKAGE, "ChatMistralAI")(
        model=name or USUAL,
        base_url=settings.mistral_base_url,
        api_key=settings.mistral_api_key,
        timeout=int(max(settings.timeout_s, settings.silence_s)),
        max_retries=1,  # attempts, and this is the first
    )
    return model


def detect(settings: ModelSettings) -> str | None:
    """Return the model to use when a key is set and no model is named."""
    return USUAL if settings.mistral_api_key else None
