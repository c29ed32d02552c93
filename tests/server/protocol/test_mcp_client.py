"""Our own MCP endpoint, used by our own client: one Artel serves another its graphs as tools."""

from pathlib import Path

from tests.fakes.mcp_configured import configured, over_http
from tests.fakes.served import serving

from artel.tools.mcp.servers import Servers
from artel.tools.tool import Work


async def test_graphs_of_a_server_are_tools_of_another(fresh_dsn: str, tmp_path: Path) -> None:
    async with serving(fresh_dsn) as app, over_http(app) as port:
        entry = {"url": f"http://127.0.0.1:{port}/mcp", "tools": ["flow", "fails"], "trusted": True}
        servers = Servers([configured(tmp_path, entry)])
        try:
            tools = {tool.name: tool for tool in await servers.of("coder")}
            assert set(tools) == {"mcp__fake__flow", "mcp__fake__fails"}
            flow = tools["mcp__fake__flow"]
            assert flow.act
            args = flow.parse({"messages": "hi", "log": []})
            told = await flow.act(Work(tmp_path, "t", "c"), args)
            assert "one two three" in told.text
        finally:
            await servers.aclose()
