import pytest
from jinja2 import TemplateNotFound, UndefinedError

from artel.prompts import render


def test_a_missing_value_is_an_error_and_not_an_empty_line() -> None:
    with pytest.raises(UndefinedError, match="workspace"):
        render("shared/workspace")


def test_an_unknown_prompt_is_named() -> None:
    with pytest.raises(TemplateNotFound, match="coder/nothing"):
        render("coder/nothing")


def test_equal_values_give_equal_text_without_stray_blank_lines() -> None:
    first = render("orchestrator/route", previous="", request="hello", agents={"ask": "Answers."})
    assert first == render("orchestrator/route", previous="", request="hello", agents={"ask": "Answers."})
    assert "\n\n\n" not in first
    assert "\n\n\n" not in render("orchestrator/route", previous="ask", request="hello", agents={})


def test_values_are_not_escaped_for_html() -> None:
    assert "a < b & c" in render("orchestrator/route", previous="", request="a < b & c", agents={})
