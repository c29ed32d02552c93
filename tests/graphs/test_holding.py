"""A role is held by code to what it may change: every role, every tool, cell by cell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from tests.fakes.driver import Driver, call, calls, edit
from tests.graphs.conftest import Start

from artel.graphs.agent_loop import loop
from artel.graphs.holding import held, held_by_name
from artel.graphs.roles import Role, built_in, own
from artel.tools.grants import Covers, Grant, judge_granted
from artel.tools.policies import PolicyWrong, check
from artel.tools.policy import DEFAULT, Policy, Rule, judge_all
from artel.tools.registry import GROUPS, TOOLS
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.sandbox.settings import SandboxSettings

FREE = Policy(default="allow", rules=(Rule(id="free", effect="allow"),))
PLACES = {
    "document": "docs/plan.md",
    "test": "tests/test_app.py",
    "code": "src/app.py",
    "list": "requirements.txt",
}
ALL = set(PLACES)
# What each may change under a policy that allows everything
MAY: dict[str, set[str]] = {
    "architect": {"document"},
    "ask": set(),
    "coder": ALL,
    "debug": ALL,
    "document_writer": {"document"},
    "profiler": set(),
    "reviewer": set(),
    "security": set(),
    "test_writer": {"test"},
}
PATCH = "*** Begin Patch\n*** Update File: {path}\n@@\n-a\n+b\n*** End Patch"
WRITING: dict[str, Any] = {
    "edit_file": lambda path: {"file_path": path, "old_string": "a", "new_string": "b"},
    "write_file": lambda path: {"file_path": path, "content": "b"},
    "multi_edit": lambda path: {"file_path": path, "edits": [{"old_string": "a", "new_string": "b"}]},
    "apply_patch": lambda path: {"input": PATCH.format(path=path)},
    "delete_file": lambda path: {"file_path": path},
    "move_file, from": lambda path: {"src": path, "dst": f"{Path(path).parent}/new_{Path(path).name}"},
    "execute, into": lambda path: {"command": f"echo b > {path}"},
    "execute, onto": lambda path: {
        "command": f"cd {Path(path).parent} && cat < /dev/null >> {Path(path).name}"
    },
}
GIT: dict[str, Any] = {
    "git_branch": {"name": "other"},
    "git_commit": {"message": "m"},
    "git_merge": {"branch": "other"},
    "git_pull": {},
    "git_push": {},
    "open_pr": {"title": "t", "body": "b"},
}


def verdict(role: Role, tool: str, args: Mapping[str, Any], root: Path) -> str:
    named = TOOLS[tool.partition(",")[0]]
    return judge_all(held(role, FREE), role.name, named.calls(args, root)).effect


def test_the_matrix_knows_every_role_and_every_tool_that_writes() -> None:
    assert set(MAY) == set(built_in())
    writing = {name for name, tool in TOOLS.items() if tool.action in ("fs.write", "exec")}
    assert writing == {name.partition(",")[0] for name in WRITING}
    assert {name for name, tool in TOOLS.items() if tool.action in ("git.write", "git.push")} == set(GIT)


@pytest.mark.parametrize("tool", WRITING)
@pytest.mark.parametrize("name", MAY)
def test_a_role_changes_what_it_may_and_nothing_else(name: str, tool: str, tmp_path: Path) -> None:
    allowed = {
        kind
        for kind, path in PLACES.items()
        if verdict(built_in()[name], tool, WRITING[tool](path), tmp_path) == "allow"
    }
    assert allowed == MAY[name]


@pytest.mark.parametrize("name", MAY)
def test_a_move_needs_both_ends(name: str, tmp_path: Path) -> None:
    for kind, path in PLACES.items():
        for other, end in PLACES.items():
            moved = verdict(built_in()[name], "move_file", {"src": path, "dst": f"new/{end}"}, tmp_path)
            assert (moved == "allow") == ({kind, other} <= MAY[name]), (kind, other)


@pytest.mark.parametrize("tool", GIT)
@pytest.mark.parametrize("name", MAY)
def test_a_role_that_is_held_changes_nothing_by_git(name: str, tool: str, tmp_path: Path) -> None:
    assert (verdict(built_in()[name], tool, GIT[tool], tmp_path) == "allow") == (MAY[name] == ALL)


@pytest.mark.parametrize("name", MAY)
def test_a_role_has_only_tools_that_it_can_use(name: str) -> None:
    role, tools = built_in()[name], set(built_in()[name].tools)
    assert bool(tools & set(GROUPS["write"])) == bool(MAY[name])
    assert bool(tools & set(GROUPS["git_write"])) == (name == "coder")
    assert role.is_free == (MAY[name] == ALL)
    assert set(GROUPS["read"]) <= tools


@pytest.mark.parametrize("path", ["src/app.py", "README.MD/../src/app.py", "link.md", "docs/../setup.py"])
def test_a_path_is_judged_by_where_it_leads(path: str, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "README.MD").mkdir()
    (tmp_path / "docs").mkdir()
    (tmp_path / "link.md").symlink_to("src/app.py")
    assert (
        verdict(built_in()["architect"], "write_file", {"file_path": path, "content": ""}, tmp_path) == "deny"
    )


def test_no_grant_lifts_it(tmp_path: Path) -> None:
    call = TOOLS["write_file"].calls({"file_path": "a.py", "content": ""}, tmp_path)
    every = Covers(action="fs.write", path=".", rest=True)
    grant = Grant(grant_id="g", scope="always", tool="write_file", covers=(every,))
    assert judge_granted(DEFAULT, "architect", call, [grant]).effect == "allow"
    now = judge_granted(held(built_in()["architect"], DEFAULT), "architect", call, [grant])
    assert (now.effect, now.rule, now.floor) == ("deny", "role:writes", True)
    assert now.reason.startswith("the role architect changes only **/*.md")


def test_a_policy_may_be_stricter_than_a_role() -> None:
    never = Policy(rules=(Rule(id="none", effect="deny", action="fs.*"),))
    write = TOOLS["write_file"].calls({"file_path": "a.md", "content": ""}, Path("/"))
    assert judge_all(held(built_in()["architect"], never), "architect", write).rule == "none"


def test_nobody_can_name_a_rule_as_if_a_role_had_said_it() -> None:
    with pytest.raises(PolicyWrong, match="'role:writes' needs another id"):
        check(Policy(rules=(Rule(id="role:writes", effect="allow"),)))


OWN = "---\ntitle: Helper\ndescription: Helps.\ntools: [read, write, run]\n{more}---\nYou help.\n"


def mine(more: str = "", name: str = "helper") -> Role:
    return own(OWN.format(more=more), name=name, where="helper.md")


def test_a_role_of_a_user_gets_nothing_that_a_policy_allows_to_its_name() -> None:
    """Any workspace may have a role of that name: a rule for one would be a rule for all."""
    rules = (
        Rule(id="free", effect="allow", action="fs.write", agents=("helper",)),
        Rule(id="never", effect="deny", action="fs.write", path=("*.lock",), agents=("helper", "coder")),
        Rule(id="others", effect="deny", action="fs.write", agents=("coder",)),
        Rule(id="write", effect="ask", action="fs.write"),
    )
    policy = Policy(rules=rules)
    effects = {}
    for path in ("a.py", "x.lock"):
        write = TOOLS["write_file"].calls({"file_path": path, "content": ""}, Path("/"))
        effects[path] = judge_all(held(mine(), policy), mine().identity, write).effect
    assert effects == {"a.py": "ask", "x.lock": "deny"}


def test_a_grant_to_a_role_of_a_user_is_for_this_very_role() -> None:
    first, second = mine(), mine("model: ollama:qwen3\n")
    assert first.identity == mine().identity != second.identity
    assert first.identity.startswith("helper@")
    write = TOOLS["write_file"].calls({"file_path": "a.py", "content": ""}, Path("/"))
    exact = Covers(action="fs.write", path="a.py")
    grant = Grant(grant_id="g", scope="always", tool="write_file", covers=(exact,), agent=first.identity)
    effects = [
        judge_granted(held(one, DEFAULT), one.identity, write, [grant]).effect for one in (first, second)
    ]
    assert effects == ["allow", "ask"]


def test_what_holds_an_agent_of_a_workspace_can_be_looked_up_by_its_name(tmp_path: Path) -> None:
    agents = tmp_path / ".artel/agents"
    agents.mkdir(parents=True)
    (agents / "helper.md").write_text(OWN.format(more='writes: ["*.txt"]\n'))
    (agents / "broken.md").write_text("none")
    assert held_by_name("publish", tmp_path, DEFAULT) is held_by_name("broken", tmp_path, DEFAULT) is DEFAULT
    assert held_by_name("coder", tmp_path, DEFAULT) is DEFAULT
    assert held_by_name("helper", tmp_path, DEFAULT).floor[-3].unless == ("*.txt",)


def going(start: Start, role: Role, *replies: Any, policy: Policy = FREE, **handles: Any) -> Driver:
    """A run of any role."""
    run = start("ask", *replies, policy=policy, **handles)
    run.graph = loop(role).copy(update={"checkpointer": InMemorySaver()})
    return run


async def test_a_held_agent_is_told_why_and_nothing_is_changed(start: Start, folder: Path) -> None:
    (folder / "plan.md").write_text("hello\n")
    two = calls(edit("notes.txt", "hello", "bye"), edit("plan.md", "hello", "bye"))
    run = await start("architect", two, "done", policy=FREE).say("go")
    assert "Not run: the role architect changes only **/*.md" in run.told[0]
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert (folder / "plan.md").read_text() == "bye\n"


async def test_an_edited_call_leads_no_held_agent_elsewhere(start: Start, folder: Path) -> None:
    (folder / "plan.md").write_text("hello\n")
    run = await start("architect", calls(edit("plan.md", "hello", "bye")), "done").say("go")
    elsewhere = {"name": "edit_file", "args": edit("notes.txt", "hello", "bye")["args"]}
    await run.answer({"type": "edit", "edited_action": elsewhere})
    assert "Not run" in run.told[0]
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize("name", ["profiler", "security", "test_writer"])
async def test_the_commands_of_a_held_agent_find_the_workspace_read_only(
    start: Start, folder: Path, name: str
) -> None:
    sneaky = (
        "python3 -c \"open('notes.txt', 'w')\"; mkdir -p tests; rm other.txt; echo x > /tmp/x && cat /tmp/x"
    )
    run = await start(name, calls(call("execute", command=sneaky)), "done", policy=FREE).say("go")
    assert run.told[0].count("Read-only file system") == 3
    assert run.told[0].endswith("x\n")
    assert (folder / "other.txt").exists()
    assert not (folder / "tests").exists()
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


@pytest.mark.needs("bwrap")
async def test_the_debugger_may_change_files_by_commands(start: Start, folder: Path) -> None:
    run = await start("debug", calls(call("execute", command="rm other.txt")), "done", policy=FREE).say("go")
    assert run.said == "done"
    assert not (folder / "other.txt").exists()


async def test_without_a_box_a_held_agent_runs_no_command(start: Start, folder: Path) -> None:
    sandbox = Sandbox(SandboxSettings(mode="host"))
    run = await start(
        "profiler", calls(call("execute", command="rm other.txt")), "done", policy=FREE, sandbox=sandbox
    ).say("go")
    assert "No command was run" in run.told[0]
    assert (folder / "other.txt").exists()


async def test_a_role_of_a_user_works_and_is_known_by_its_content(start: Start, folder: Path) -> None:
    role = mine('writes: ["*.txt"]\n')
    run = await going(start, role, calls(edit("notes.txt", "hello", "bye")), "done", policy=DEFAULT).say("go")
    (asked,) = run.open
    assert asked.value["artel"]["agent"] == role.identity
    await run.answer({"type": "approve"})
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert run.messages[-1].name == "helper"
