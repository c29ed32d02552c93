"""An MCP server that needs nothing but Python and tells what it can reach: `python mcp_boxed.py <file>`."""

import json
import os
import socket
import sys
from pathlib import Path

LOOK = {"name": "look", "inputSchema": {"type": "object"}}
INFO = {"name": "boxed", "version": "1"}
CAN = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": INFO}


def look() -> str:
    """Return what can be reached."""
    try:
        socket.create_connection(("1.1.1.1", 53), timeout=1)
        network = "yes"
    except OSError:
        network = "no"
    Path("written.txt").write_text("x")
    outside = "yes" if Path(sys.argv[1]).exists() else "no"
    token = os.environ.get("TOKEN")
    return f"outside: {outside}; network: {network}; own folder: yes; TOKEN: {token}"


def answer(method: str) -> dict[str, object]:
    """Return what is answered to a request."""
    match method:
        case "initialize":
            return {"result": CAN}
        case "tools/list":
            return {"result": {"tools": [LOOK]}}
        case "tools/call":
            return {"result": {"content": [{"type": "text", "text": look()}]}}
    return {"error": {"code": -32601, "message": "no such method"}}


for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked:
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer(asked["method"])}), flush=True)  # noqa: T201
