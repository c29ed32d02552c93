"""What a server does not load before somebody needs it: it would cost time at every start, and memory."""

import subprocess
import sys

ASKED = "import sys, artel.server.cli.serve; print(*sys.modules)"
NEEDLESS = {
    "artel.graphs.approval": "our own agents, which a folder of others does without",
    "artel.tools.registry": "their tools",
    "langchain.agents": "what they are made with",
    "jinja2": "their prompts",
    "regex": "their search",
    "yaml": "documents of applications that are mounted",
    "sqlalchemy": "migrations of the database",
    "mcp": "a client of MCP",
    "redis": "the broker that only some have",
    "numpy": "vectors",
}


def test_what_an_idle_server_does_not_need_is_not_loaded() -> None:
    told = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert set(NEEDLESS) & set(told.stdout.split()) == set()
