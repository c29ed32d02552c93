"""OpenAI, and every server that speaks its chat completions: vLLM, Ollama, LiteLLM, llama.cpp."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx
from langchain_core.language_models import BaseChatModel

from artel.graphs.models.loading import load
from artel.graphs.models.local import first_model
from artel.graphs.models.settings import ModelMisconfigured, ModelSettings

OPENAI_URL = "https://api.openai.com/v1"


def build(name: str, settings: ModelSettings) -> BaseChatModel:
    """Return the model `name` of the configured endpoint.

    Raises:
        ModelMisconfigured: neither a key nor an endpoint is set.
    """
    if not (settings.openai_api_key or settings.openai_base_url):
        raise ModelMisconfigured("openai needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own")
    if not name:
        where = f"; {settings.openai_base_url} lists none" if settings.openai_base_url else ""
        raise ModelMisconfigured(f"openai needs a model name: ARTEL_MODEL=openai:<name>{where}")
    return compatible(name, settings.openai_base_url or OPENAI_URL, settings.openai_api_key, settings)


def detect(settings: ModelSettings) -> str | None:
    """Return the model to use when a key or an endpoint is set and no model is named.

    Of an endpoint the first it lists; "" if it lists none: it was asked for, so nothing else takes its place.
    """
    if settings.openai_base_url:
        return first_model(settings.openai_base_url, settings.openai_api_key) or ""
    return "gpt-5-mini" if settings.openai_api_key else None


def failures() -> tuple[type[Exception], ...]:
    """Return what a call may raise when this provider is at fault."""
    error: type[Exception] = load("openai", "OpenAIError")
    return (error,)


def compatible(name: str, base_url: str, api_key: str, settings: ModelSettings) -> BaseChatModel:
    """Return a client for an OpenAI-compatible endpoint.

    Usage is asked for in streams (servers of other vendors send it only then). A loopback endpoint is
    reached directly, never through a proxy named in the environment.
    """
    limit_s = max(settings.timeout_s, settings.silence_s)
    model: BaseChatModel = load("langchain_openai", "ChatOpenAI")(
        model=name,
        base_url=base_url,
        api_key=api_key or "none",
        timeout=limit_s,
        max_retries=1,
        stream_usage=True,
        use_responses_api=False,
        http_async_client=httpx.AsyncClient(trust_env=not _is_loopback(base_url), timeout=limit_s),
    )
    return model


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    return (host.replace(".", "").isdigit() and ip_address(host).is_loopback) or host == "::1"
