"""Chat models: one file a provider, chosen by a setting; the first found when nothing is set."""

from collections.abc import Iterable
from functools import cached_property, partial
from threading import Lock
from types import ModuleType
from typing import Any, TypedDict, cast

from langchain_core.language_models import BaseChatModel

from artel.graphs.models import openai, prices
from artel.graphs.models.changing import Changing
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.loading import known, provider
from artel.graphs.models.settings import (
    ModelMisconfigured,
    ModelSettings,
    NoModelAnswered,
    ToolCalls,
    said_of,
)
from artel.graphs.models.standing import Standing, Told

__all__ = ["Described", "ModelMisconfigured", "ModelSettings", "Models", "NoModelAnswered"]

SEARCHED = ("openai", "anthropic", "mistral", "ollama", "vllm", "offline")  # keys first, then this machine


class Described(TypedDict):
    """The model in words, for `/info` and the page."""

    name: str
    offline: bool
    label: str


class Models:
    """The chat models of a process: made when first asked for, then kept.

    Settings from a file are read anew when it changes: the next question goes to what it then says.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self.settings = settings
        self._changing = Changing(settings)
        self._made: dict[str, BaseChatModel] = {}
        self._replaced: list[BaseChatModel] = []  # answers may still come from them
        self._standings: dict[str, Standing] = {}
        self._making, self._changed = Lock(), Lock()
        if settings.prices:
            prices.use(settings.prices)
        self.look_again()

    @property
    def problem(self) -> str | None:
        """What is wrong with the file of settings, so that what it said before still holds."""
        return self._changing.problem

    def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
        """Return the model of an agent, or of a step of its own as `agent.step`, with its fallbacks.

        Looks at the file system, and the first time around this machine: not for an event loop.

        `override` is a run's own wish, `usual` what the role of the agent names; between them stands what
        is set for the step, else for the agent, here.

        Raises:
            ModelMisconfigured: a name in the chain belongs to no provider.
        """
        self.look_again()
        settings = self.settings
        return Chain(
            links=tuple(self._link(name) for name in self.names(agent, override, usual=usual)),
            timeout_s=settings.timeout_s,
            silence_s=settings.silence_s,
        )

    def names(self, agent: str = "", override: str = "", *, usual: str = "") -> list[str]:
        """Return the `provider:name` of each link, first asked first."""
        first = self.spec(agent, override, usual=usual)
        return list(dict.fromkeys([first, *(self._full(name) for name in self.settings.fallbacks)]))

    def spec(self, agent: str = "", override: str = "", *, usual: str = "") -> str:
        """Return the `provider:name` an agent asks first."""
        given = self.settings.per_agent
        own = given.get(agent) or given.get(agent.split(".")[0], "")
        return self._full(override or own or usual) or self._chosen

    def describe(self) -> Described:
        """Say which model answers when a run asks for none; looks around this machine the first time."""
        spec = self.spec()
        offline = spec.split(":")[0] == "offline"
        label = "offline: rules, no language model" if offline else spec.replace(":", ": ", 1)
        return {"name": spec, "offline": offline, "label": label}

    def told(self, specs: Iterable[str] = ()) -> list[Told]:
        """Say how these models stand, and all that were asked; none is asked for it."""
        return [self._standing(spec).told() for spec in dict.fromkeys([*specs, *self._standings])]

    @cached_property
    def _chosen(self) -> str:
        settings = self.settings
        if settings.model:
            return self._full(settings.model)
        if settings.provider:
            name = self._provider(settings.provider).detect(settings)
            return f"{settings.provider}:{name}" if name else settings.provider
        found = ((name, self._provider(name).detect(settings)) for name in SEARCHED)
        return next(f"{name}:{model}" if model else name for name, model in found if model is not None)

    async def aclose(self) -> None:
        """Close the connections of the models made so far."""
        models = [*self._made.values(), *self._replaced]
        clients = (getattr(model, "http_async_client", None) for model in models)
        for client in clients:
            if client is not None:
                await client.aclose()
        self._made.clear()
        self._replaced.clear()

    def look_again(self) -> None:
        """Take over what the file of settings says, if it has changed."""
        with self._changed:
            found = self._changing.settings
            if found is self.settings:
                return
            self.settings = found
            self._replaced += self._made.values()
            self._made = {}
            self._standings = {}
            self.__dict__.pop("_chosen", None)
        prices.use(found.prices)

    def _full(self, name: str) -> str:
        """Name the provider: `qwen2.5:7b` is a model of the configured one, not of a provider `qwen2.5`."""
        settings, kind = self.settings, name.split(":")[0]
        if not name or kind in settings.endpoints or kind in known(settings.plugins):
            return name
        if settings.provider:
            return f"{settings.provider}:{name}"
        if settings.openai_base_url:
            return f"openai:{name}"
        self._provider(kind)
        return name

    def _provider(self, kind: str) -> ModuleType:
        """Return the plug-in of a name; a configured endpoint makes one that speaks with it."""
        settings = self.settings
        if (endpoint := settings.endpoints.get(kind)) is None:
            return provider(kind, settings.plugins)
        return cast("ModuleType", openai.at(kind, endpoint))

    def _link(self, spec: str) -> Link:
        settings, found = self.settings, self._provider(spec.partition(":")[0])
        usual: Any = getattr(found, "tool_calls", None)
        calls: ToolCalls = said_of(spec, settings.tool_calls) or (usual(settings) if usual else "native")
        return Link(
            spec=spec,
            build=partial(self._make, spec),
            failures=found.failures,
            standing=self._standing(spec),
            tool_calls=calls,
            retries=settings.retries,
            rate_wait_s=settings.rate_wait_s,
        )

    def _standing(self, spec: str) -> Standing:
        return self._standings.setdefault(spec, Standing(spec, self.settings))

    def _make(self, spec: str) -> BaseChatModel:
        with self._making:
            if spec not in self._made:
                kind, _, name = spec.partition(":")
                self._made[spec] = self._provider(kind).build(name, self.settings)
            return self._made[spec]
