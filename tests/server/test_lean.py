"""What a server does not load before somebody needs it: it would cost time at every start, and memory."""

import gc
import subprocess
import sys

from artel.server.__main__ import main

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


def test_garbage_is_looked_for_again_once_a_subcommand_is_loaded() -> None:
    try:
        assert main(["migrate", "--data", "/proc/nowhere"]) == 1
        assert gc.isenabled()
    finally:
        gc.unfreeze()
