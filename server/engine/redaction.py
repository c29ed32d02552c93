"""What of a call the audit log keeps: of secrets and contents only their length and a digest."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from artel.server.telemetry.secrets import HIDDEN, Hiding, is_secret
from artel.storage.chains import canonical

LONGEST = 300  # characters of a text
MOST = 50  # arguments, or items of a list, that are shown
DEEPEST = 4
# Arguments that say where and how; what others hold may be the content of a file.
PLAIN = frozenset(
    [
        "path",
        "file_path",
        "source",
        "destination",
        "cwd",
        "glob",
        "pattern",
        "output_mode",
        "url",
        "branch",
        "remote",
        "command",
        "name",
        "job_id",
    ]
)
ASSIGNED = re.compile(
    r"""(?i)([\w.-]*(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|credential)[\w.-]*)"""
    r"""(\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s&;|"']+)"""
)
FLAG = re.compile(
    r"""(?i)(--?[\w-]*(?:token|secret|passw(?:or)?d|passphrase|api[-_]?key|access[-_]?key|credential)[\w-]*)"""
    r"""(\s+)("[^"]*"|'[^']*'|[^\s&;|"']+)"""
)

_hiding = Hiding()


def text(said: object) -> str:
    """Return a line as it may be kept: without what looks like a secret, LONGEST characters of it.

    >>> text("curl -H 'Authorization: Bearer abcdefghi' https://a.example/?access_token=xyz")
    "curl -H 'Authorization: (hidden)' https://a.example/?access_token=(hidden)"
    >>> text("deploy --token xyz")
    'deploy --token (hidden)'
    """
    line = _hiding.text(str(said)[: 4 * LONGEST])
    for pattern in (ASSIGNED, FLAG):
        line = pattern.sub(rf"\1\2{HIDDEN}", line)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def arguments(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as they may be kept.

    >>> arguments({"path": "a.py", "limit": 3, "content": "x"})["content"]["chars"]
    1
    """
    return {text(name): _shown(value, str(name), 0) for name, value in list(args.items())[:MOST]}


def digest(value: object) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hexadecimal."""
    return sha256(canonical(value).encode()).hexdigest()


def _shown(value: Any, name: str, depth: int) -> Any:
    if is_secret(name):
        return _hidden(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return text(value) if name in PLAIN else _hidden(value)
    if depth < DEEPEST and isinstance(value, Mapping):
        return {text(key): _shown(one, str(key), depth + 1) for key, one in list(value.items())[:MOST]}
    if depth < DEEPEST and isinstance(value, list | tuple):
        return [_shown(one, name, depth + 1) for one in value[:MOST]]
    return _hidden(value)


def _hidden(value: Any) -> dict[str, Any]:
    plain = value if isinstance(value, str) else canonical(value)
    return {"sha256": sha256(plain.encode("utf-8", "replace")).hexdigest(), "chars": len(plain)}
