"""Roles: who an agent is, as a Markdown file."""

from pathlib import Path

import pytest

from artel.graphs.roles import Role, RoleWrong, built_in, parse
from artel.tools.registry import GROUPS, TOOLS
from artel.tools.tool import Risk

GOOD = """---
title: Reviewer
description: Reads what changed.
tools: [read, git, clock]
writes: ["**/*.md"]
model: ollama:qwen3
budget: {tokens: 10_000, minutes: 2.5}
---
You review {{ nothing }}.
"""


def role(text: str) -> Role:
    return parse(text, name="reviewer", where="reviewer.md")


def test_a_file_says_who_an_agent_is() -> None:
    told = role(GOOD)
    assert (told.name, told.title, told.model) == ("reviewer", "Reviewer", "ollama:qwen3")
    assert told.tools == (*GROUPS["read"], *GROUPS["git"], "clock")
    assert (told.budget.tokens, told.budget.usd, told.budget.minutes) == (10_000, None, 2.5)
    assert told.prompt == "You review {{ nothing }}."


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    assert role("\ufeff" + GOOD.replace("\n", "\r\n")) == role(GOOD)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("You are.", "must begin with its front matter"),
        ("", "must begin with its front matter"),
        ("---\ntitle: x\n", "must begin with its front matter"),
        (GOOD.replace("title: Reviewer\n", ""), "title: Field required"),
        (GOOD.replace("clock", "clok"), "there is no tool 'clok'; there are the groups read"),
        (GOOD.replace("minutes: 2.5", "minutes: -1"), "budget.minutes: Input should be greater than 0"),
        (GOOD.replace("model:", "modell:"), "modell: Extra inputs are not permitted"),
        (GOOD.replace("You review {{ nothing }}.", ""), "prompt: String should have at least 1 character"),
        (GOOD.replace("title: Reviewer", "title: [x"), "is no YAML"),
        ("---\n- a\n---\nx", "must be keys and values"),
        (GOOD + "x" * 64_000, "at most 64000"),
    ],
)
def test_what_is_no_role_is_refused_with_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(RoleWrong) as refused:
        role(text)
    assert said in str(refused.value)
    assert str(refused.value).startswith("reviewer.md")


def test_a_name_that_is_no_name_is_refused() -> None:
    with pytest.raises(RoleWrong, match="name: String should match"):
        parse(GOOD, name="../x", where="x.md")


@pytest.mark.parametrize("name", built_in())
def test_every_agent_knows_its_folder_and_the_language_rule(name: str) -> None:
    said = built_in()[name].system(Path("/srv/code"))
    assert "`/srv/code`" in said
    assert "language of the user's last message" in said
    assert "{{" not in said


def test_only_the_coder_can_change_files_and_run_commands() -> None:
    able = {
        name
        for name, role in built_in().items()
        if any(TOOLS[tool].risk in (Risk.WRITE, Risk.EXECUTE) for tool in role.tools)
    }
    assert able == {"coder"}
