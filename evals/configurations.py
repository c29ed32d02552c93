"""What cases are run with: a model, and what else differs between two configurations that are compared."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml  # type: ignore[import-untyped]  # without stubs
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from artel.graphs.context import Context
from artel.graphs.models import ModelSettings
from artel.graphs.models.prices import Price
from evals.cases import CaseWrong, ModelKind

OPEN = {"instructions", "lanes", "budget"}
"""What of a run's context may differ; its folder, its model and the form of its questions are the case's."""


class Configuration(BaseModel):
    """One column of a comparison."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[\w.:/@+ -]{1,80}$")]
    model: str = Field(description="`scripted`, `offline` or `provider:name`.")
    per_agent: dict[str, str] = Field({}, description="Agent to the `provider:name` that it has instead.")
    context: dict[str, Any] = Field(
        {}, description="What an assistant would give its runs: `instructions`, `lanes`, `budget`."
    )
    prices: dict[str, Price] = Field(
        {}, description="`provider:name` to US dollars a million tokens, over those that are known."
    )

    @field_validator("context")
    @classmethod
    def _is_known(cls, context: dict[str, Any]) -> dict[str, Any]:
        if unknown := sorted(context.keys() - OPEN):
            raise ValueError(f"there is no {unknown[0]!r}: say any of {', '.join(sorted(OPEN))}")
        Context.model_validate(context)
        return context

    @property
    def kind(self) -> ModelKind:
        """Which kind of model answers."""
        return self.model if self.model in ("scripted", "offline") else "real"  # type: ignore[return-value]


USUAL = (
    Configuration(name="scripted", model="scripted", prices={"scripted:*": Price(input=0, output=0)}),
    Configuration(name="offline", model="offline"),
)
"""What needs no model: run by CI."""


def configured(settings: ModelSettings) -> Configuration:
    """Return the configuration that the server's settings make: their model, and those of agents.

    Raises:
        CaseWrong: they name no model.
    """
    if settings.model.split(":")[0] in ("", "offline", "scripted"):
        raise CaseWrong("the settings name no real model: set ARTEL_MODELS__MODEL, or say --model")
    return _checked({"name": settings.model, "model": settings.model}, "ARTEL_MODELS__MODEL")


def named(specs: Sequence[str]) -> list[Configuration]:
    """Return configurations of `provider:name` or `name=provider:name`, one a word.

    Raises:
        CaseWrong: two have one name.
    """
    made = []
    for spec in specs:
        name, _, model = spec.rpartition("=")
        made.append(_checked({"name": name or model, "model": model}, spec))
    return _distinct(made, "--model")


def read(file: Path) -> list[Configuration]:
    """Return the configurations of a YAML file: a list of them.

    Raises:
        CaseWrong: it cannot be read, or one is wrong; the message names file and key.
    """
    try:
        said: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        made = TypeAdapter(list[Configuration]).validate_python(said)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CaseWrong(f"{file}: {_first(error)}") from error
    if not made:
        raise CaseWrong(f"{file}: it names no configuration")
    return _distinct(made, str(file))


def _checked(said: dict[str, Any], where: str) -> Configuration:
    try:
        return Configuration.model_validate(said)
    except ValidationError as error:
        raise CaseWrong(f"{where}: {_first(error)}") from error


def _distinct(made: list[Configuration], where: str) -> list[Configuration]:
    names = [one.name for one in made]
    if twice := [name for name in names if names.count(name) > 1]:
        raise CaseWrong(f"{where}: two configurations are called {twice[0]!r}; name them like a=openai:x")
    return made


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
