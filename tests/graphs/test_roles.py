"""Roles: who an agent is, as a Markdown file."""

import json
import os
import re
import textwrap
from pathlib import Path

import pytest

from artel.graphs.child import tools_of_step
from artel.graphs.roles import (
    MAX_ROLES,
    TAKEN,
    Role,
    RoleWrong,
    UnknownRole,
    built_in,
    find,
    of_workspace,
    own,
    parse,
)
from artel.tools.registry import GROUPS, toolset
from artel.tools.web.internet import InternetSettings

ALL_ON = InternetSettings(fetch=True, search_url="http://search.example", search="searxng")

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


@pytest.mark.parametrize("name", built_in())
def test_the_tools_of_a_role_leave_room_in_a_small_window(name: str) -> None:
    tools = toolset(built_in()[name].tools, ALL_ON)
    said = json.dumps([[tool.name, tool.description, tool.args_schema] for tool in tools])
    assert len(said) / 4 < 2_500  # tokens, roughly


@pytest.mark.parametrize("name", built_in())
def test_so_do_those_of_a_role_that_does_a_step_of_a_plan(name: str) -> None:
    tools = toolset(tools_of_step(built_in()[name], beside=False), ALL_ON)
    said = json.dumps([[tool.name, tool.description, tool.args_schema] for tool in tools])
    assert "submit_result" in said
    assert len(said) / 4 < 2_500  # tokens, roughly


@pytest.mark.parametrize("name", built_in())
def test_prompts_are_short(name: str) -> None:
    assert len(built_in()[name].system(Path("/srv/code"))) / 4 < 1_000  # tokens, roughly


def test_an_agent_is_told_what_holds_it() -> None:
    free, docs, none = (built_in()[name].system(Path("/")) for name in ("debug", "architect", "profiler"))
    assert "You may change only files that fit `**/*.md`, `**/*.mdx`" in docs
    assert "Commands find" not in docs
    assert "You change no file: any change is refused.\nCommands find the workspace read-only" in none
    assert "`## `" in none
    assert "any change is refused" not in free
    assert "\n\n\n" not in docs + none + free


HEAD = "title: Helper\ndescription: Helps.\n"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("writes: ['../x']", "writes: '../x': a glob pattern cannot leave its folder"),
        ("writes: ['']", "writes: a glob pattern has 1 to 500 characters"),
        ("writes: '*.md'", "writes: Input should be a valid tuple"),
        (
            "writes: ['*.md']\ntools: [git_write]",
            "git_commit, git_merge, git_pull, git_push, open_pr could change",
        ),
        ("writes: []\ntools: [read, write]", "writes is empty, so it changes nothing: leave out edit_file"),
        ("output: ['']", "output must be words in one line"),
        ('output: ["a\\nb"]', "output must be words in one line"),
        ('title: "a\\u202eb"', "title must be words in one line"),
        ("name: coder", "name: it is helper, as the file says"),
        ("prompt: x", "prompt: it is the text below"),
        ("1: x", "1: Keys should be strings"),
        ("budget: {tokens: " + "9" * 5_000 + "}", "is no YAML"),
        ("model: 2020-13-45", "is no YAML"),
        ("tools: " + "[" * 4_000, "is no YAML"),
        ("tools: " + "[" * 3_900 + "]" * 3_900, "is no YAML"),
        ("x: !!python/object/apply:os.getcwd []", "is no YAML"),
        ("model: " + "x" * 9_000, "its front matter has 9"),
        ("model: 'scripted:x.json'", "and no file of the server"),
        ("model: 'vllm:/etc/passwd'", "and no file of the server"),
        ("tools: [mcp__x__y]", "there is no tool 'mcp__x__y'"),
        ("policy: {default: allow}", "policy: Extra inputs are not permitted"),
    ],
)
def test_what_a_user_wrote_is_not_believed(head: str, said: str) -> None:
    with pytest.raises(RoleWrong) as refused:
        own(f"---\n{HEAD}{head}\n---\nYou help.", name="helper", where="helper.md")
    assert said in str(refused.value)
    assert len(str(refused.value)) < 2_000


def test_aliases_of_yaml_stay_small() -> None:
    lists = "\n".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else 'a'}]" for n in range(9))
    with pytest.raises(RoleWrong):
        own(f"---\n{HEAD}{lists}\ntools: *x8\n---\nx", name="helper", where="helper.md")


@pytest.mark.parametrize("name", sorted({*built_in(), *TAKEN}))
def test_the_name_of_an_agent_of_ours_is_taken(name: str) -> None:
    with pytest.raises(RoleWrong, match=f"{name} is the name of an agent that is built in"):
        own(f"---\n{HEAD}---\nx", name=name, where="x.md")


def test_a_role_of_ours_is_known_by_its_name_and_a_changed_one_is_not() -> None:
    coder = built_in()["coder"]
    assert coder.identity == "coder"
    assert coder.model_copy(update={"prompt": "x"}).identity.startswith("coder@")


def agents(root: Path, **files: str | bytes) -> Path:
    folder = root / ".artel/agents"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.md").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


def test_a_role_is_found_where_it_is(tmp_path: Path) -> None:
    folder = agents(tmp_path, helper=f"---\n{HEAD}---\nYou help.", coder=f"---\n{HEAD}---\nmine")
    assert find("reviewer") is built_in()["reviewer"]
    assert find("coder", tmp_path) is built_in()["coder"]
    assert find("helper", tmp_path).prompt == "You help."
    with pytest.raises(UnknownRole, match="there is no role 'helper'; there are architect, ask"):
        find("helper")
    (folder / "helper.md").unlink()
    with pytest.raises(UnknownRole, match=r"in /.*; there are .*test_writer, coder$"):
        find("helper", tmp_path)


def test_a_folder_says_which_of_its_files_are_roles_and_what_is_wrong_with_the_others(tmp_path: Path) -> None:
    folder = agents(
        tmp_path,
        helper=f"---\n{HEAD}---\nYou help.",
        broken="You help.",
        coder=f"---\n{HEAD}---\nmine",
        binary=b"---\n\xff",
        big="x" * 300_000,
        Loud=f"---\n{HEAD}---\nx",
    )
    (folder / "notes.txt").write_text("no role")
    (folder / "folder.md").mkdir()
    (folder / "link.md").symlink_to(folder / "helper.md")
    (folder / "out.md").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.md")
    (folder / os.fsdecode(b"\xff.md")).write_text("x")
    found = of_workspace(tmp_path)
    assert [name for name, role in found.items() if isinstance(role, Role)] == ["helper"]
    said = {name: str(wrong) for name, wrong in found.items() if isinstance(wrong, RoleWrong)}
    for name, words in {
        "broken": ".artel/agents/broken.md must begin with its front matter",
        "coder": "coder is the name of an agent that is built in",
        "binary": "is no UTF-8",
        "big": "is too large; a role has at most 64000 characters",
        "Loud": "name: String should match pattern",
        "folder": "is a folder, not a file",
        "link": "is a link that may not be followed",
        "out": "is a link that may not be followed",
        "pipe": "is a named pipe, not a file",
        "\\udcff": "must begin",
    }.items():
        assert words in said[name], name
    assert len(said) == 10
    with pytest.raises(RoleWrong, match="is a link that may not be followed"):
        find("out", tmp_path)


def test_a_workspace_without_roles_has_none_and_a_linked_folder_of_them_is_not_followed(
    tmp_path: Path,
) -> None:
    assert of_workspace(tmp_path) == {}
    elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
    here.mkdir()
    agents(elsewhere, helper=f"---\n{HEAD}---\nx")
    (here / ".artel").symlink_to(elsewhere / ".artel")
    (wrong,) = of_workspace(here).values()
    assert "is a link that may not be followed" in str(wrong)
    with pytest.raises(RoleWrong, match="link"):
        find("helper", here)


def test_so_many_files_are_looked_at_and_no_more(tmp_path: Path) -> None:
    agents(tmp_path, **{f"r{n:03}": f"---\n{HEAD}---\nx" for n in range(MAX_ROLES + 3)})
    found = of_workspace(tmp_path)
    assert len(found) == MAX_ROLES + 1
    assert f"has {MAX_ROLES + 3} files" in str(found[".artel/agents"])


def test_the_examples_of_the_page_are_roles() -> None:
    page = (Path(__file__).parents[2] / "docs/howto/roles.md").read_text()
    (file,) = re.findall(r"   ```markdown\n(.*?)   ```", page, re.DOTALL)
    notes = own(textwrap.dedent(file), name="release_notes", where="roles.md")
    assert (notes.writes, notes.output) == (("CHANGELOG.md", "docs/releases/**"), ("Sources",))
    (text,) = re.findall(r'"role_text":\n  (".*?")\}\}', page)
    assert own(json.loads(text), where="roles.md").name == "poet"
    fields = set(
        re.findall(
            r"`(\w+)`", " ".join(line.split("|")[1] for line in page.splitlines() if line[:3] == "| `")
        )
    )
    assert set(Role.model_fields) - {"prompt"} <= fields
    assert set(built_in()) <= fields
