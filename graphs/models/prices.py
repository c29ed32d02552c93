"""What calls of models cost, in US dollars; where nobody knows the price, no figure and never a guess."""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from json import loads
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

MILLION = 1_000_000
DAY = re.compile(r"-(\d{8}|\d{4}-\d{2}-\d{2})$")  # of a model's version, as vendors write it


class Price(BaseModel):
    """US dollars for a million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: float = Field(ge=0, description="Of what the model is given.")
    output: float = Field(ge=0, description="Of what it says, its thoughts among it.")
    cached: float | None = Field(None, ge=0, description="Of input found in a cache; unsaid: as `input`.")
    written: float | None = Field(None, ge=0, description="Of input put into a cache; unsaid: as `input`.")
    written_1h: float | None = Field(None, ge=0, description="The same for an hour; unsaid: as `written`.")


_set: dict[str, Price] = {}


def use(prices: Mapping[str, Price]) -> None:
    """Let these prices win over those that come with Artel, in the whole process."""
    _set.clear()
    _set.update(prices)


def cost_of(model: str, usage: Mapping[str, Any]) -> float | None:
    """Return the US dollars of one call; None where the model has no known price.

    `model` is `provider:name`, `usage` the `usage_metadata` of its answer or the sum of several. A price is
    found by the full name, by the name without its day, or by `provider:*`.

    >>> cost_of("openai:gpt-5-2025-08-07", {"input_tokens": 1_000_000, "output_tokens": 0})
    1.25
    >>> cost_of("vllm:mine", {"input_tokens": 1}) is None
    True
    """
    price = price_of(model)
    if price is None:
        return None
    details = usage.get("input_token_details") or {}
    cached, hour = _number(details, "cache_read"), _number(details, "ephemeral_1h_input_tokens")
    written = _number(details, "cache_creation") + _number(details, "ephemeral_5m_input_tokens")
    plain = max(0, _number(usage, "input_tokens") - cached - written - hour)
    for_written = price.input if price.written is None else price.written
    dollars = (
        plain * price.input
        + cached * (price.input if price.cached is None else price.cached)
        + written * for_written
        + hour * (for_written if price.written_1h is None else price.written_1h)
        + _number(usage, "output_tokens") * price.output
    )
    return dollars / MILLION


def price_of(model: str) -> Price | None:
    """Return the price of `provider:name`, or None."""
    names = (model, DAY.sub("", model), f"{model.split(':')[0]}:*")
    known = {**built_in(), **_set}
    return next((known[name] for name in names if name in known), None)


@lru_cache(maxsize=1)
def built_in() -> dict[str, Price]:
    """Return the prices that come with Artel."""
    listed = loads((files(__package__) / "prices.json").read_text("utf-8"))
    return {name: Price(**price) for name, price in listed["models"].items()}


def _number(counts: Mapping[str, Any], name: str) -> int:
    return int(counts.get(name) or 0)
