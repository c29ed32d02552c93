"""The file of MCP servers: the form that other clients read, its wrongs named, its secrets kept."""

import json
from pathlib import Path
from typing import Any

import pytest

from artel.tools.mcp.configuration import McpFileWrong, read

PROGRAM = {"command": "npx", "args": ["-y", "@org/server"], "env": {"API_TOKEN": "${TOKEN}"}}
REMOTE = {
    "type": "http",
    "url": "https://mcp.example/${PLACE:-eu}",
    "headers": {"Authorization": "Bearer ${KEY}"},
}
ENVIRONMENT = {"TOKEN": "tok-12345", "KEY": "key-67890", "PATH": "/bin", "OPENAI_API_KEY": "sk-own"}


def file(folder: Path, **entries: Any) -> Path:
    path = folder / "mcp.json"
    path.write_text(json.dumps({"mcpServers": entries}))
    return path


def test_programs_and_servers_over_http(tmp_path: Path) -> None:
    found = read(file(tmp_path, core=PROGRAM, far=REMOTE, off={**PROGRAM, "disabled": True}), ENVIRONMENT)
    core, far = found.servers
    assert (core.name, core.transport, core.argv) == ("core", "stdio", ("npx", "-y", "@org/server"))
    assert core.env == {"PATH": "/bin", "API_TOKEN": "tok-12345"}
    assert (core.agents, core.trusted, core.cwd) == (("coder", "ask"), False, tmp_path)
    assert (far.transport, far.url) == ("http", "https://mcp.example/eu")
    assert far.headers == {"Authorization": "Bearer key-67890"}


def test_secrets_are_listed_and_shown_nowhere(tmp_path: Path) -> None:
    found = read(file(tmp_path, core=PROGRAM, far=REMOTE), ENVIRONMENT)
    assert {"tok-12345", "key-67890"} <= set(found.secrets)
    assert "tok-12345" not in repr(found) + str(found)
    assert "key-67890" not in repr(found) + str(found)
    assert found.servers[1].hidden("401 for Bearer key-67890") == "401 for ***"


def test_lists_of_tools_are_patterns_and_the_forbidden_win(tmp_path: Path) -> None:
    entry = {
        **PROGRAM,
        "tools": ["get_*", "list"],
        "disabledTools": ["get_secret*"],
        "idempotentTools": ["get_*"],
    }
    (server,) = read(file(tmp_path, core=entry), ENVIRONMENT).servers
    names = ("get_user", "get_secrets", "list", "listing", "Get_user")
    assert [name for name in names if server.offers(name)] == ["get_user", "list"]
    assert [name for name in names if server.repeats(name)] == ["get_user", "get_secrets"]


def test_keys_of_other_clients_are_named_and_mean_nothing(tmp_path: Path) -> None:
    entry = {**PROGRAM, "autoApprove": ["*"], "disabledtools": ["*"]}
    assert read(file(tmp_path, core=entry), ENVIRONMENT).ignored == ("core.autoApprove", "core.disabledtools")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({}, "core needs either `command` (a program) or `url`"),
        ({"command": "a", "url": "http://a"}, "core needs either `command`"),
        ({"type": "http", "command": "a"}, "core is of type http, which does not fit"),
        ({"type": "sse", "url": "http://a"}, "core.type Input should be 'stdio', 'http'"),
        ({"url": "file:///etc/passwd"}, "core.url must be an absolute http or https URL"),
        ({"command": "a\0b"}, "core holds a NUL"),
        ({"command": "a", "args": "b"}, "core.args Input should be a valid list"),
        ({"command": "a", "timeout_s": 0}, "core.timeout_s Input should be greater than 0"),
        ({"command": "a", "agents": ["No Body"]}, "core.agents.0 String should match pattern"),
        ({"command": "a", "env": {"B": "${NOT_THERE}"}}, "core.env.B takes NOT_THERE from the environment"),
        ({"url": "http://a", "sandbox": True}, "core has `sandbox`, which is for a `command` only"),
        (["a"], "core must be an object"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, entry: Any, said: str) -> None:
    with pytest.raises(McpFileWrong) as wrong:
        read(file(tmp_path, core=entry), ENVIRONMENT)
    assert said in str(wrong.value)
    assert "sk-own" not in str(wrong.value)


@pytest.mark.parametrize("name", ["a b", "a__b", "_a", "a-", "../a", "x" * 25, "", "ключ", "a.b"])
def test_names_are_those_that_tools_can_carry(tmp_path: Path, name: str) -> None:
    with pytest.raises(McpFileWrong, match="a name has letters"):
        read(file(tmp_path, **{name: PROGRAM}), ENVIRONMENT)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"servers": {}}', '{"mcpServers": []}', "[" * 100_000, "\udcff"]
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mcp.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(McpFileWrong, match=r"mcp\.json"):
        read(path, {})
    with pytest.raises(McpFileWrong, match="cannot be read: No such file"):
        read(tmp_path / "none.json", {})
