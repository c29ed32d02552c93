"""vLLM on this machine or another."""

from langchain_core.language_models import BaseChatModel

from artel.graphs.models import openai
from artel.graphs.models.local import first_model
from artel.graphs.models.settings import ModelMisconfigured, ModelSettings, ToolCalls

failures = openai.failures


def build(name: str, settings: ModelSettings) -> BaseChatModel:
    """Return the model `name` of the vLLM server; no name: the first one it lists.

    Raises:
        ModelMisconfigured: no name is given and the server lists none.
    """
    name = name or detect(settings) or ""
    if not name:
        raise ModelMisconfigured(f"no vLLM server with a model answers at {settings.vllm_base_url}")
    return openai.compatible(name, settings.vllm_base_url, "", settings)


def detect(settings: ModelSettings) -> str | None:
    """Return the first model of a running vLLM server."""
    return first_model(settings.vllm_base_url)


def tool_calls(settings: ModelSettings) -> ToolCalls:
    """Return how its models call tools: some of themselves, others in their text."""
    del settings
    return "auto"
