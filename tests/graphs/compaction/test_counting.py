"""Tokens: estimated on the safe side, and put right by what a model counted itself."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from artel.graphs.compaction.counting import AN_IMAGE, KEY, correction, message_tokens, text_tokens
from artel.graphs.models.windows import UNKNOWN, budget

ENGLISH = "Add an export of the report as CSV, check that the encoding is right, and write tests for it. "
RUSSIAN = "Добавь экспорт отчёта в формате CSV, проверь кодировку и напиши для него тесты. "
CODE = "def total(values: list[int]) -> int:\n    return sum(value for value in values if value > 0)\n"
ROW = "2025-01-01 12:00:00.123 INFO [worker-3] request /api/v1/runs/42 served in 17 ms\n"


@pytest.mark.parametrize(
    ("text", "real"),
    [(ENGLISH, 22), (RUSSIAN, 28), (CODE, 26), (ROW, 46)],
    ids=["english", "russian", "code", "log"],
)
def test_the_estimate_errs_on_the_safe_side_and_not_by_much(text: str, real: int) -> None:
    """`real` is what the tokenizer of Qwen 2.5 makes of it."""
    assert 0.9 * real * 50 <= text_tokens(text * 50) <= 1.4 * real * 50


def test_russian_costs_more_a_character_than_english_and_code_than_prose() -> None:
    each = {
        name: text_tokens(text * 20) / len(text * 20)
        for name, text in (("en", ENGLISH), ("ru", RUSSIAN), ("py", CODE))
    }
    assert each["ru"] > each["py"] > each["en"]


def test_what_is_no_words_costs_more() -> None:
    assert text_tokens("9f8a" * 100) > 2.5 * text_tokens("some words " * 36)
    assert text_tokens("\ud800") >= 1


def test_images_cost_what_vendors_count_and_not_their_bytes() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    shown = HumanMessage([{"type": "text", "text": "look"}, picture])
    assert AN_IMAGE < message_tokens(shown) < AN_IMAGE + 20


def test_a_message_that_is_shown_shorter_is_counted_anew() -> None:
    long = HumanMessage("word " * 500, id="same")
    assert message_tokens(long) > message_tokens(long.model_copy(update={"content": "word"}))


def answer(counted: int, thought: int = 1000, spec: str = "ollama:x") -> AIMessage:
    usage = {"input_tokens": counted, "output_tokens": 1, "total_tokens": counted + 1}
    noted = {KEY: {"model": spec, "estimated": thought, "told": 0}}
    return AIMessage("", usage_metadata=usage, response_metadata=noted)


@pytest.mark.parametrize(
    ("said", "factor"),
    [
        (answer(1300), 1.3),
        (answer(700), 0.8),
        (answer(3), 1.0),
        (answer(50_000), 1.0),
        (answer(1300, spec="ollama:y"), 1.0),
        (answer(1300, thought=0), 1.0),
        (AIMessage("hi", response_metadata={KEY: "nonsense"}), 1.0),
    ],
)
def test_a_model_that_counts_itself_is_believed_within_reason(said: AIMessage, factor: float) -> None:
    assert correction([said, HumanMessage("next")], "ollama:x") == factor


@pytest.mark.parametrize(
    ("spec", "window"),
    [
        ("openai:gpt-5-mini", 400_000),
        ("openai:gpt-oss:20b", UNKNOWN),
        ("openai:openai/gpt-4.1-nano", 1_047_576),
        ("anthropic:claude-sonnet-4-5", 200_000),
        ("ollama:qwen2.5-coder:14b", UNKNOWN),
        ("vllm:anything", 32_768),
        ("ollama:mine", 65_536),
        ("offline", None),
        ("scripted:/x.json", None),
    ],
)
def test_windows_are_known_of_vendors_models_and_set_for_others(spec: str, window: int | None) -> None:
    assert budget(spec, {"vllm": 32_768, "mine": 65_536}).window == window


def test_room_is_left_for_the_answer() -> None:
    assert budget("x:y", {}).limit == 16_384 - 2_048 - 2_048
    assert budget("x:y", {"x:y": 400_000}).limit == 340_000
    assert budget("x:y", {"x:y": 4_096}).limit == 1_536
