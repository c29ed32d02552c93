"""Prices are data: of calls whose price is known there is a figure, of others none."""

from collections.abc import Iterator

import pytest

from artel.graphs.models import Models, ModelSettings, prices
from artel.graphs.models.prices import Price, cost_of


@pytest.fixture(autouse=True)
def _back() -> Iterator[None]:
    yield
    prices.use({})


def test_what_was_cached_and_written_has_its_own_price() -> None:
    usage = {
        "input_tokens": 1_000_000,
        "output_tokens": 100_000,
        "input_token_details": {
            "cache_read": 600_000,
            "cache_creation": 0,
            "ephemeral_5m_input_tokens": 200_000,
        },
    }
    # 200k at 3, 600k at 0.3, 200k at 3.75, 100k at 15
    assert cost_of("anthropic:claude-sonnet-4-5-20250929", usage) == pytest.approx(0.6 + 0.18 + 0.75 + 1.5)


@pytest.mark.parametrize("model", ["openai:gpt-5-chat", "ollama:gpt-5", "gpt-5", "", "vllm:x", "openai:gpt"])
def test_of_what_nobody_knows_there_is_no_figure(model: str) -> None:
    assert cost_of(model, {"input_tokens": 1, "output_tokens": 1}) is None


def test_a_setting_wins_and_may_speak_for_a_whole_provider() -> None:
    given = {"vllm:*": Price(input=1, output=2), "openai:gpt-5": Price(input=0, output=0)}
    Models(ModelSettings(model="offline", prices=given))
    assert cost_of("vllm:any", {"input_tokens": 500_000, "output_tokens": 500_000}) == 1.5
    assert cost_of("openai:gpt-5", {"input_tokens": 500_000}) == 0
    assert cost_of("openai:gpt-5-mini", {}) == 0


def test_every_price_that_comes_along_can_be_read() -> None:
    assert all(price.output >= price.input for price in prices.built_in().values())
