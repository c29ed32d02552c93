"""Which of the tools that a server lists agents are offered, and why not the others."""

from collections import Counter
from collections.abc import Mapping, Sequence

from mcp_types import Tool as Listed

from artel.tools.mcp.configuration import Server
from artel.tools.mcp.schemas import SchemaWrong, exposed
from artel.tools.mcp.tools import Ask, made
from artel.tools.tool import Tool
from artel.tools.workspace.paths import printable

MAX_TOOLS = 64  # of one server


def chosen(server: Server, listed: Sequence[Listed], ask: Ask) -> tuple[Mapping[str, Tool], tuple[str, ...]]:
    """Return the tools to offer by their names, in order, and a line on each that is left out.

    Of several that would have one name none is offered: nobody could tell which is meant.
    """
    tools: dict[str, Tool] = {}
    left_out: list[str] = []
    offered = [(exposed(server.name, one.name), one) for one in listed if server.offers(one.name)]
    taken = Counter(name for name, _ in offered)
    for name, one in offered:
        try:
            if taken[name] > 1:
                raise SchemaWrong(f"several tools would be called {name}")
            if len(tools) >= MAX_TOOLS:
                raise SchemaWrong(f"the server has more than {MAX_TOOLS} tools")
            tools[name] = made(server, one, ask)
        except SchemaWrong as wrong:
            left_out.append(f"{printable(one.name)[:80]}: {wrong}")
    return dict(sorted(tools.items())), tuple(left_out)
