"""Tools say what they are; agents have what they should."""

from pathlib import Path
from typing import Any

import pytest

from artel.tools.policy import DEFAULT, Policy, Rule, judge
from artel.tools.registry import GROUPS, TOOLS, named, toolset
from artel.tools.tool import Risk, Tool, ToolRefused, perform
from artel.tools.web.internet import InternetSettings
from artel.tools.workspace.paths import OutsideWorkspace

EXAMPLES: dict[str, dict[str, Any]] = {
    "ls": {"path": "."},
    "read_file": {"file_path": "a.py"},
    "glob": {"pattern": "*.py"},
    "grep": {"pattern": "x"},
    "edit_file": {"file_path": "a.py", "old_string": "x", "new_string": "y"},
    "write_file": {"file_path": "new.py", "content": "x = 1\n"},
    "execute": {"command": "true"},
    "read_output": {"job": "a1"},
    "kill": {"job": "a1"},
    "web_fetch": {"url": "https://docs.example/a"},
    "web_search": {"query": "artel"},
    "multi_edit": {"file_path": "a.py", "edits": [{"old_string": "x", "new_string": "y"}]},
    "apply_patch": {"input": "*** Begin Patch\n*** Add File: b.py\n+x = 1\n*** End Patch"},
    "delete_file": {"file_path": "a.py"},
    "move_file": {"src": "a.py", "dst": "b.py"},
    "clock": {"zone": "UTC"},
    "recall": {"id": "call_1"},
    "remember": {"fact": "Prefers tabs.", "scope": "user"},
}
LOOKING_OR_PLANNING = [name for name, tool in TOOLS.items() if tool.look or tool.plan]


@pytest.fixture
def project(root: Path) -> Path:
    (root / "a.py").write_text("x = 0\n")
    return root


ALL_ON = InternetSettings(fetch=True, search_url="http://search.example", search="searxng")


def test_names_and_groups_give_each_tool_once_and_in_one_order() -> None:
    assert named(["git", "read", "grep", "ls"]) == named(["ls", "read", "git"])
    assert named(["clock", "read"]) == (*GROUPS["read"], "clock")
    with pytest.raises(KeyError, match="reed"):
        named(["reed"])


def test_nobody_reads_the_internet_unless_somebody_switched_it_on() -> None:
    assert not reaching(toolset(TOOLS))
    assert reaching(toolset(TOOLS, InternetSettings(fetch=True))) == {"web_fetch"}
    assert reaching(toolset(TOOLS, ALL_ON)) == {"web_fetch", "web_search"}


def reaching(tools: list[Tool]) -> set[str]:
    return {tool.name for tool in tools if tool.action.startswith("net.")}


@pytest.mark.parametrize("name", TOOLS)
def test_every_description_is_filled_in(name: str) -> None:
    assert len(TOOLS[name].description) > 40
    assert "{{" not in TOOLS[name].description


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_tool_sums_itself_up(name: str, project: Path) -> None:
    tool = TOOLS[name]
    assert tool.summary(EXAMPLES[name], project)
    assert tool.calls(EXAMPLES[name], project)


@pytest.mark.parametrize("name", LOOKING_OR_PLANNING)
def test_every_tool_of_files_works(name: str, project: Path) -> None:
    tool = TOOLS[name]
    assert (tool.change(EXAMPLES[name], project) is None) == (tool.risk is Risk.READ)
    assert tool.function(project, EXAMPLES[name]).text


def test_schemas_say_nothing_twice() -> None:
    assert TOOLS["git_commit"].args_schema == {
        "properties": {
            "message": {"type": "string", "description": "Subject, blank line, body."},
            "paths": {"type": "array", "items": {"type": "string"}, "description": "Only these."},
        },
        "required": ["message"],
        "type": "object",
    }


def test_models_may_call_arguments_by_the_names_they_learned(project: Path) -> None:
    assert TOOLS["read_file"].function(project, {"path": "a.py"}).text == "     1\tx = 0"
    change = TOOLS["edit_file"].change({"path": "a.py", "old_str": "0", "new_str": "1"}, project)
    assert change is not None
    assert change.changes[0].after == b"x = 1\n"
    assert "file_path" in TOOLS["read_file"].args_schema["properties"]


@pytest.mark.parametrize(
    ("name", "args", "says"),
    [
        ("read_file", {}, "read_file: file_path: Field required"),
        (
            "read_file",
            {"file_path": "a.py", "offset": -1},
            "offset: Input should be greater than or equal to 0",
        ),
        ("read_file", {"file_path": "a.py", "lines": 3}, "lines: Extra inputs are not permitted"),
        ("grep", {"pattern": "x", "output_mode": "all"}, "output_mode: Input should be"),
        (
            "edit_file",
            {"file_path": "a.py", "old_string": None, "new_string": "x"},
            "old_string: Input should be",
        ),
        ("write_file", {"file_path": ["a"], "content": "x"}, "file_path: Input should be a valid string"),
    ],
)
def test_wrong_arguments_are_named(project: Path, name: str, args: dict[str, Any], says: str) -> None:
    with pytest.raises(ToolRefused, match=says):
        TOOLS[name].function(project, args)


def test_a_summary_shows_where_a_link_really_leads(project: Path) -> None:
    (project / "innocent.txt").symlink_to("a.py")
    args = {"file_path": "innocent.txt", "content": "x"}
    assert TOOLS["write_file"].summary(args, project) == "Write innocent.txt → a.py"
    assert TOOLS["write_file"].summary({"file_path": "./a.py", "content": "x"}, project) == "Write ./a.py"


def test_the_policy_judges_where_a_link_really_leads(project: Path) -> None:
    (project / ".env").write_text("KEY=1")
    (project / "notes.txt").symlink_to(".env")
    (call,) = TOOLS["read_file"].calls({"file_path": "notes.txt"}, project)
    assert judge(DEFAULT, "ask", call).effect == "ask"
    with pytest.raises(OutsideWorkspace):
        TOOLS["read_file"].calls({"file_path": "../secret.txt"}, project)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://docs.example", "docs.example"),
        ("HTTPS://Docs.Example.:443/a/../b/?c=d#e", "docs.example/b"),
        ("https://docs.example/public/%2e%2e/private", "docs.example/private"),
        ("http://docs.example:8080//x", "docs.example:8080/x"),
        ("https://жук.рф/а", "xn--f1ai0a.xn--p1ai/а"),
    ],
)
def test_the_policy_judges_a_page_by_host_and_path(project: Path, url: str, path: str) -> None:
    (call,) = TOOLS["web_fetch"].calls({"url": url}, project, tainted=True)
    assert (call.action, call.path, call.tainted) == ("net.fetch", path, True)
    free = Rule(id="docs", effect="allow", action="net.fetch", path=("docs.example/**", "docs.example"))
    untainted = call.model_copy(update={"tainted": False})
    is_docs = path.split("/")[0] == "docs.example"
    assert judge(Policy(rules=(free,)), "ask", untainted).effect == ("allow" if is_docs else "ask")
    assert judge(DEFAULT.model_copy(update={"rules": (free,)}), "ask", call).rule == "tainted-net.*"


def test_a_call_that_cannot_be_a_page_asks_nobody(project: Path) -> None:
    with pytest.raises(ToolRefused, match="name or password"):
        TOOLS["web_fetch"].calls({"url": "http://a:b@c.example"}, project)


def test_reading_is_what_lets_a_file_be_overwritten(project: Path) -> None:
    write, args = TOOLS["write_file"], {"file_path": "a.py", "content": "y = 2\n"}
    with pytest.raises(ToolRefused, match="was not read"):
        write.change(args, project)
    seen = TOOLS["read_file"].function(project, {"file_path": "a.py"}).seen
    outcome = write.function(project, args, seen)
    assert (project / "a.py").read_text() == "y = 2\n"
    again = write.function(project, {"file_path": "a.py", "content": "z = 3\n"}, outcome.seen)
    assert again.text.startswith("Changed a.py (whole file).")


def test_an_edit_keeps_what_is_known_and_teaches_nothing_new(project: Path) -> None:
    edit, args = TOOLS["edit_file"], {"file_path": "a.py", "old_string": "0", "new_string": "1"}
    planned = edit.change(args, project)
    assert planned is not None
    assert perform(project, planned, {}).seen == {}
    seen = {"a.py": planned.files["a.py"] or ""}
    assert perform(project, planned, seen).seen == {"a.py": planned.changes[0].after_sha}
