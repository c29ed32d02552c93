"""What agents may reach of the internet; filled from the environment by the server, plain values here."""

from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from artel.tools.web.addresses import Guard

PORTS = (80, 443, 8080, 8443)


class InternetSettings(BaseModel):
    """What agents may reach of the internet. Nothing set: nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fetch: bool = Field(
        False, description="Offer `web_fetch` to agents: public pages, each call asked about."
    )
    ports: Annotated[tuple[int, ...], NoDecode] = Field(
        PORTS, description="Ports that `web_fetch` may call, comma-separated."
    )
    search_key: SecretStr = Field(SecretStr(""), description="Key for the search provider.")
    search_url: str = Field("", description="Where the search provider is; SearXNG has no other default.")
    search: str = Field(
        "", description="Offer `web_search` by this provider: `tavily`, `serper` or `searxng`."
    )

    @field_validator("ports", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        )

    @field_validator("search_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("search")
    @classmethod
    def _can_search(cls, value: str, known: ValidationInfo) -> str:
        if not value:
            return value
        found = provider(value)
        key = known.data.get("search_key")
        if found.NEEDS_KEY and not (key and key.get_secret_value()):
            raise ValueError("it needs a key in ARTEL_INTERNET__SEARCH_KEY")
        if not (known.data.get("search_url") or found.URL):
            raise ValueError("it needs its address in ARTEL_INTERNET__SEARCH_URL")
        return value


@dataclass(frozen=True, slots=True)
class Internet:
    """The internet as a tool is handed it."""

    settings: InternetSettings = field(default_factory=InternetSettings)
    guard: Guard = field(default_factory=Guard)


def provider(name: str) -> ModuleType:
    """Return the plug-in `artel.tools.web.providers.<name>`: a file with what its package names.

    Raises:
        ValueError: there is no such file.
    """
    path = f"artel.tools.web.providers.{name}"
    if not name.isidentifier() or find_spec(path) is None:
        raise ValueError("there is no such search provider; there are tavily, serper and searxng")
    return import_module(path)
