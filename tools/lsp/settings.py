"""Which language servers there are; filled from the environment by the server, plain values here."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from artel.tools.workspace.syntax import LANGUAGES


class LanguageServerSettings(BaseModel):
    """Language servers that look at files after an edit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(
        {},
        description="Language → command that speaks LSP on its standard streams, as JSON: "
        '`{"python": ["ruff", "server"]}`; they run in the sandbox.',
    )
    wait_s: float = Field(
        3.0, gt=0, le=30, description="Time that they have after an edit; later, nothing is said."
    )
    idle_s: float = Field(600.0, gt=0, description="Time without an edit after which one is ended.")

    @field_validator("servers")
    @classmethod
    def _are_languages(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        known = sorted(set(LANGUAGES.values()))
        if unknown := [name for name in value if name not in known]:
            raise ValueError(f"{unknown[0]!r} is no language; there are {', '.join(known)}")
        return value
