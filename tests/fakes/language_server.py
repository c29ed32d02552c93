"""A language server that finds what its text says is wrong: a program of its own, as bad as it is told to be.

A line with `bad` is an error, one with `meh` a warning, one with `hint` less; each says the line's words.
"""

import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

MODE = sys.argv[1]


def main() -> None:
    """Talk on the standard streams until nobody does."""
    if MODE == "deaf":
        time.sleep(60)
    if MODE == "garbage":
        sys.stdout.write("Welcome to the server!\n" * 1_000)
        sys.stdout.flush()
        time.sleep(60)
    texts: dict[str, str] = {}
    while (said := heard()) is not None:
        answer(said, texts)


def answer(said: dict[str, Any], texts: dict[str, str]) -> None:
    """Do what one message wants."""
    match said:
        case {"method": "initialize", "id": number}:
            if MODE == "asks":
                say({"id": "q1", "method": "workspace/configuration", "params": {"items": [{}, {}]}})
                say({"id": "q2", "method": "workspace/unheard-of", "params": {}})
                first, second = heard(), heard()
                assert first == {"jsonrpc": "2.0", "id": "q1", "result": [None, None]}, first
                assert second, second
                assert second["error"]["code"] == -32601, second
            pulls: dict[str, Any] = {"diagnosticProvider": {}} if MODE in ("pull", "refuses") else {}
            say({"id": number, "result": {"capabilities": {"textDocumentSync": 1, **pulls}}})
        case {"method": "textDocument/didOpen", "params": {"textDocument": document}}:
            changed(document["uri"], document["version"], document["text"], texts)
        case {
            "method": "textDocument/didChange",
            "params": {"textDocument": document, "contentChanges": [{"text": text}]},
        }:
            changed(document["uri"], document["version"], text, texts)
        case {"method": "textDocument/diagnostic", "id": number, "params": {"textDocument": document}}:
            if MODE == "refuses":
                say({"id": number, "error": {"code": -32801, "message": "content modified"}})
            else:
                say({"id": number, "result": {"kind": "full", "items": found(texts[document["uri"]])}})


def changed(uri: str, version: int, text: str, texts: dict[str, str]) -> None:
    """Look at a text, and tell as the mode says."""
    texts[uri] = text
    if MODE in ("pull", "refuses"):
        return
    if MODE == "late":
        time.sleep(5)
    if MODE == "dies" and not Path("/".join(uri.split("/")[2:-1]), "alive").exists():
        sys.exit(1)
    if MODE == "huge":
        sys.stdout.write("Content-Length: 99999999999\r\n\r\n")
        sys.stdout.flush()
    if MODE == "strange":
        wrong: list[Any] = [1, {"range": {}}, {"message": []}]
        several: list[Any] = [None, [], {"uri": 1}, {"uri": uri, "diagnostics": wrong}]
        for params in several:
            say({"method": "textDocument/publishDiagnostics", "params": params})
        say({"id": 10**30, "result": None})
    if MODE == "twice":
        say(published(uri, [], None))
        time.sleep(0.05)
        say(published(uri, found(text), None))
        return
    say(published(uri + "x", found("bad in another file"), None))
    say(published(uri, found("bad of an older version"), version - 1))
    say(published(uri, found(text) + boxed(uri), version))


def found(text: str) -> list[dict[str, Any]]:
    """Return what is wrong in a text."""
    return [
        {
            "range": {"start": {"line": at, "character": 0}, "end": {"line": at, "character": 1}},
            "severity": severity,
            "message": f"{line}\nand more",
            "source": "fake",
        }
        for at, line in enumerate(text.splitlines())
        for word, severity in (("bad", 1), ("meh", 2), ("hint", 3))
        if word in line
    ]


def boxed(uri: str) -> list[dict[str, Any]]:
    """Return what there is to say against the box."""
    if MODE != "boxed":
        return []
    reached = []
    try:
        Path("/".join(uri.split("/")[2:-1]), "written").touch()
        reached.append("the workspace")
    except OSError:
        pass
    try:
        socket.create_connection(("127.0.0.1", 3128), timeout=1)
        reached.append("the network")
    except OSError:
        pass
    return found(f"bad: it reached {reached}")


def published(uri: str, diagnostics: list[dict[str, Any]], version: int | None) -> dict[str, Any]:
    """Return the notification of them."""
    about = {"uri": uri, "diagnostics": diagnostics, **({} if version is None else {"version": version})}
    return {"method": "textDocument/publishDiagnostics", "params": about}


def say(message: dict[str, Any]) -> None:
    """Write one message."""
    body = json.dumps({"jsonrpc": "2.0", **message})
    sys.stdout.write(f"Content-Length: {len(body)}\r\nContent-Type: x\r\n\r\n{body}")
    sys.stdout.flush()


def heard() -> dict[str, Any] | None:
    """Read one message, none at the end."""
    length = 0
    while (line := sys.stdin.buffer.readline()).strip():
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return json.loads(sys.stdin.buffer.read(length)) if line else None


if __name__ == "__main__":
    main()
