"""Tools of MCP servers as the rest of the house sees tools."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_types import Tool as Listed

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.mcp.configuration import Server
from artel.tools.mcp.schemas import check, described, exposed, fingerprint, sound
from artel.tools.policy import Call
from artel.tools.tool import Arguments, Outcome, Risk, Tool, Work
from artel.tools.workspace.paths import printable

ANYTHING: Mapping[str, Any] = {"type": "object", "properties": {}}
MAX_SHOWN = 200  # characters of the arguments in a line

Ask = Callable[[str, str, str, Mapping[str, Any]], Awaitable[Outcome]]
"""Calls a tool: its own name, the name that models use, its fingerprint, the arguments."""


class Given(Arguments):
    """Arguments as they came."""

    values: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class McpTool(Tool):
    """A tool whose words and arguments are a server's."""

    says: str
    schema: Mapping[str, Any]

    @property
    def description(self) -> str:
        """What the model reads about it."""
        return self.says

    @property
    def args_schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments."""
        return dict(self.schema)

    def parse(self, args: Mapping[str, Any]) -> Given:
        """Return the arguments, checked.

        Raises:
            ToolRefused: they do not fit the schema; the message names what is wrong.
        """
        try:
            check(self.schema, args)
        except ToolRefused as wrong:
            raise ToolRefused(f"{self.name}: {wrong}") from None
        return Given(values=dict(args))


def made(server: Server, listed: Listed, ask: Ask) -> McpTool:
    """Return a tool of a server.

    What it says of itself (that it only reads, say) is shown to the person asked, and believed in nothing.

    Raises:
        SchemaWrong: nobody could call it.
    """
    name = exposed(server.name, listed.name)
    schema = sound(listed.input_schema)
    says = described(listed.description or listed.title or "")
    hints = listed.annotations.model_dump(exclude_none=True) if listed.annotations else {}
    version = fingerprint(listed.name, listed.description or "", listed.input_schema, hints)

    async def act(_work: Work, args: Given) -> Outcome:
        return await ask(listed.name, name, version, args.values)

    def shows(_root: Path, args: Given) -> Mapping[str, Any]:
        return {
            "mcp": {
                "server": server.name,
                "tool": printable(listed.name),
                "description": says,
                "claims": hints,
                "fingerprint": version,
            }
        }

    return McpTool(
        name=name,
        risk=_risk(server),
        action=_action(server, name),
        arguments=Given,
        sums_up=lambda args: f"{server.name}: {listed.name} {_line(args.values)}",
        limits={},
        amounts_to=lambda _args, plain: [_known(plain, server, name, version)],
        shows=shows,
        act=act,
        repeatable=bool(hints.get("idempotent_hint")) and server.repeats(listed.name),
        version=version,
        says=says or f"{listed.name} of the MCP server {server.name}, which says nothing about it.",
        schema=schema,
    )


def stands_in(server: Server, name: str) -> McpTool:
    """Return what is there instead of a tool that is not: judged as the tool would be, and it says so."""

    async def act(_work: Work, _args: Given) -> Outcome:
        raise ToolFailed(
            f"{name} was not called: the MCP server {server.name} cannot be reached, or has no such tool. "
            "Do without it, or tell the user, who sees why at /api/v1/mcp/servers."
        )

    return McpTool(
        name=name,
        risk=_risk(server),
        action=_action(server, name),
        arguments=Given,
        sums_up=lambda args: f"{server.name}: {name} {_line(args.values)}",
        limits={},
        act=act,
        says=f"A tool of the MCP server {server.name} that is not there now.",
        schema=ANYTHING,
    )


def _known(plain: Call, server: Server, name: str, version: str) -> Call:
    """Return the call with what tells this very tool: whose words change is another one to each grant."""
    return plain.model_copy(update={"path": f"{_own(server, name)}@{version}"})


def _action(server: Server, name: str) -> str:
    return f"mcp.{server.name}.{_own(server, name)}"


def _own(server: Server, name: str) -> str:
    return name.removeprefix(f"mcp__{server.name}__")


def _risk(server: Server) -> Risk:
    return Risk.EXECUTE if server.transport == "stdio" else Risk.NETWORK


def _line(values: Mapping[str, Any]) -> str:
    said = ", ".join(f"{name}={value!r}" for name, value in values.items())
    return said if len(said) <= MAX_SHOWN else f"{said[:MAX_SHOWN]}…"
