"""Reads `webhooks` of the configuration: to which URLs, and with what headers."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from artel.server.engine.addresses import MAX_URL, Policy, Webhooks
from artel.server.engine.settings import WebhookSettings
from artel.server.served import ConfigWrong, Served

ENV_PREFIX = "LG_WEBHOOK_"
TEMPLATE = re.compile(r"\$\{\{\s*env\.(\w+)\s*\}\}")
HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"


class _Url(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    require_https: bool = True  # once there are rules
    allowed_domains: list[str] = []
    allowed_ports: list[int] = []
    max_url_length: int = Field(MAX_URL, ge=1)
    disable_loopback: bool = True
    allow_private: bool = False


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    url: _Url | None = None
    headers: dict[str, str] = {}
    env_prefix: str = Field(ENV_PREFIX, min_length=1)


def webhooks_of(config: Served | None, settings: WebhookSettings, env: Mapping[str, str]) -> Webhooks:
    """Return how others are told; `env` is where headers may take values from.

    Raises:
        ConfigWrong: `webhooks` of the configuration holds something that cannot be used.
    """
    raw: Any = config.sections.get("webhooks") if config else None
    if config is None or raw is None:
        return Webhooks(Policy(loopback=settings.allow_loopback, private=settings.allow_private), settings)
    try:
        section = _Section.model_validate(raw)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        key = ".".join(str(part) for part in ("webhooks", *first["loc"]))
        raise ConfigWrong(f"{config.file}: {key}: {first['msg']}, got {first['input']!r}") from wrong
    url = section.url or _Url(require_https=False)
    policy = Policy(
        domains=tuple(url.allowed_domains),
        ports=tuple(url.allowed_ports),
        https_only=url.require_https,
        max_chars=url.max_url_length,
        loopback=settings.allow_loopback or not url.disable_loopback,
        private=settings.allow_private or url.allow_private,
        headers={
            _name(config, name): _filled(config, name, text, section.env_prefix, env)
            for name, text in section.headers.items()
        },
    )
    return Webhooks(policy, settings)


def _name(config: Served, name: str) -> str:
    if not re.fullmatch(HEADER_NAME, name) or name.lower() in ("host", "content-length", "content-type"):
        raise ConfigWrong(f"{config.file}: webhooks.headers: {name!r} cannot be the name of a header")
    return name


def _filled(config: Served, name: str, text: str, prefix: str, env: Mapping[str, str]) -> str:
    """Put values of the environment in place of `${{ env.NAME }}`: only those with the prefix."""
    key = f"{config.file}: webhooks.headers.{name}"

    def value(found: re.Match[str]) -> str:
        variable = found[1]
        if not variable.startswith(prefix):
            raise ConfigWrong(f"{key}: {variable} does not begin with {prefix}, so it may not be sent")
        if variable not in env:
            raise ConfigWrong(f"{key}: {variable} is not set")
        return env[variable]

    filled = TEMPLATE.sub(value, text)
    if not filled.isprintable() or not filled.isascii():
        raise ConfigWrong(f"{key}: a header may hold printable ASCII only")
    return filled
