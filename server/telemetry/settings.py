"""What can be tuned in what a process says of itself."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class LogSettings(BaseModel):
    """What is logged, and how."""

    model_config = ConfigDict(frozen=True)

    format: Literal["", "json", "console"] = Field(
        "", description="`json`: an object a line, `console`: for people; empty: by where it goes."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged: debug, info, warning or error."
    )

    @field_validator("format", "level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value


class TelemetrySettings(BaseModel):
    """Where traces go, and who may ask a worker how it is."""

    model_config = ConfigDict(frozen=True)

    otlp_endpoint: str = Field(
        "", description="Base URL of an OpenTelemetry collector (OTLP over HTTP); empty: no traces."
    )
    content: bool = Field(False, description="Put prompts, answers and what tools were given into traces.")
    worker_port: int | None = Field(
        None, ge=0, le=65535, description="Port on which `artel worker` answers /metrics and /health."
    )

    @field_validator("otlp_endpoint")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it must be an http:// or https:// URL")
        return value.rstrip("/")
