"""Chat models: one file a provider, chosen by a setting; the first found when nothing is set."""

from functools import cached_property, partial
from typing import TypedDict

from langchain_core.language_models import BaseChatModel

from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.loading import known, provider
from artel.graphs.models.settings import ModelMisconfigured, ModelSettings, NoModelAnswered

__all__ = ["Described", "ModelMisconfigured", "ModelSettings", "Models", "NoModelAnswered"]

SEARCHED = ("openai", "anthropic", "ollama", "vllm", "offline")  # keys first, then this machine


class Described(TypedDict):
    """The model in words, for `/info` and the page."""

    name: str
    offline: bool
    label: str


class Models:
    """The chat models of a process: made when first asked for, then kept."""

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self._made: dict[str, BaseChatModel] = {}

    def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
        """Return the model of an agent with its fallbacks.

        `override` is a run's own wish, `usual` what the role of the agent names; between them stands what
        is set for the agent here.

        Raises:
            ModelMisconfigured: a name in the chain belongs to no provider.
        """
        first = self.spec(agent, override, usual=usual)
        names = dict.fromkeys([first, *(self._full(name) for name in self.settings.fallbacks)])
        return Chain(
            links=tuple(self._link(name) for name in names),
            timeout_s=self.settings.timeout_s,
            silence_s=self.settings.silence_s,
        )

    def spec(self, agent: str = "", override: str = "", *, usual: str = "") -> str:
        """Return the `provider:name` an agent asks first."""
        return self._full(override or self.settings.per_agent.get(agent, "") or usual) or self._chosen

    def describe(self) -> Described:
        """Say which model answers when a run asks for none; looks around this machine the first time."""
        spec = self.spec()
        offline = spec.split(":")[0] == "offline"
        label = "offline: rules, no language model" if offline else spec.replace(":", ": ", 1)
        return {"name": spec, "offline": offline, "label": label}

    @cached_property
    def _chosen(self) -> str:
        settings = self.settings
        if settings.model:
            return self._full(settings.model)
        if settings.provider:
            name = provider(settings.provider).detect(settings)
            return f"{settings.provider}:{name}" if name else settings.provider
        found = ((name, provider(name).detect(settings)) for name in SEARCHED)
        return next(f"{name}:{model}" if model else name for name, model in found if model is not None)

    async def aclose(self) -> None:
        """Close the connections of the models made so far."""
        clients = (getattr(model, "http_async_client", None) for model in self._made.values())
        for client in clients:
            if client is not None:
                await client.aclose()
        self._made.clear()

    def _full(self, name: str) -> str:
        """Name the provider: `qwen2.5:7b` is a model of the configured one, not of a provider `qwen2.5`."""
        if not name or name.split(":")[0] in known():
            return name
        if self.settings.provider:
            return f"{self.settings.provider}:{name}"
        if self.settings.openai_base_url:
            return f"openai:{name}"
        provider(name.split(":")[0])
        return name

    def _link(self, spec: str) -> Link:
        kind, _, _ = spec.partition(":")
        return Link(spec=spec, build=partial(self._make, spec), failures=provider(kind).failures)

    def _make(self, spec: str) -> BaseChatModel:
        if spec not in self._made:
            kind, _, name = spec.partition(":")
            self._made[spec] = provider(kind).build(name, self.settings)
        return self._made[spec]
