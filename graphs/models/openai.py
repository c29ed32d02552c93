"""OpenAI, and every server that speaks its chat completions: vLLM, Ollama, LiteLLM, llama.cpp."""

from importlib import import_module
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
from langchain_core.language_models import BaseChatModel

from artel.graphs.models.loading import load
from artel.graphs.models.local import first_model
from artel.graphs.models.settings import Endpoint, ModelMisconfigured, ModelSettings, ToolCalls

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


def tool_calls(settings: ModelSettings) -> ToolCalls:
    """Return how its models call tools: those of another server than OpenAI's may write them into text."""
    return "auto" if settings.openai_base_url else "native"


def compatible(
    name: str, base_url: str, api_key: str, settings: ModelSettings, *, counts_unasked: bool = False
) -> BaseChatModel:
    """Return a client for an OpenAI-compatible endpoint.

    Usage is asked for in streams (servers of other vendors send it only then), unless the server counts
    `counts_unasked` and refuses the question. A loopback endpoint is reached directly, never through a proxy
    named in the environment.
    """
    limit_s = max(settings.timeout_s, settings.silence_s)
    load("langchain_openai", "ChatOpenAI")  # says what to install
    client = import_module("artel.graphs.models.compatible")
    model: BaseChatModel = client.Compatible(
        model=name,
        base_url=base_url,
        api_key=api_key or "none",
        timeout=limit_s,
        max_retries=0,  # `link` tries again
        stream_usage=not counts_unasked,
        use_responses_api=False,
        http_async_client=httpx.AsyncClient(trust_env=not is_loopback(base_url), timeout=limit_s),
    )
    return model


def at(name: str, endpoint: Endpoint) -> Any:
    """Return a provider that speaks with a configured endpoint."""

    def build(model: str, settings: ModelSettings) -> BaseChatModel:
        model = model or detect(settings) or ""
        if not model:
            raise ModelMisconfigured(f"no server with a model answers at {endpoint.url} ({name})")
        return compatible(model, endpoint.url, endpoint.key, settings)

    def detect(settings: ModelSettings) -> str | None:
        del settings
        return first_model(endpoint.url, endpoint.key)

    def tool_calls(settings: ModelSettings) -> ToolCalls:
        del settings
        return "auto"

    return SimpleNamespace(build=build, detect=detect, failures=failures, tool_calls=tool_calls)


def is_loopback(url: str) -> bool:
    """Say whether an address is of this machine, and so reached past any proxy."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    return (host.replace(".", "").isdigit() and ip_address(host).is_loopback) or host == "::1"
