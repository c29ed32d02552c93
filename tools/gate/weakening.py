"""Changes that would make the gate weaker: of its configuration, and of what its checkers are told."""

import configparser
import json
import re
import tomllib
from asyncio import to_thread
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.gate.changes import Change
from artel.tools.gate.configuration import FILE, Gate, any_fits
from artel.tools.gate.declared import loads
from artel.tools.gate.report import CheckResult, Finding
from artel.tools.workspace import opening
from artel.tools.workspace.paths import NoSuchFile, Place, printable

CHECK = "gate-config"
MAX_BYTES = 2_000_000

_WHOLE = re.compile(
    r"\.?ruff\.toml|\.?mypy\.ini|eslint\.config\.\w+|\.eslintrc(\.\w+)?|\.eslintignore|\.prettierrc(\.\w+)?"
    r"|prettier\.config\.\w+|\.prettierignore|tsconfig.*\.json"
)
_PARTLY = ("pyproject.toml", "setup.cfg", "package.json")
_ASKED = "a person has to accept that, by committing it without an agent"


async def look(root: Path, change: Change, gate: Gate) -> CheckResult:
    """Return what of a change touches the gate; `change` is all that differs, not only what is judged."""
    found = [*_of_gate(change, gate), *await _of_checkers(root, change)]
    if change.base == "":
        found = [one for one in found if one.path == FILE]  # there is nothing else to weaken yet
    if not await _same(root, change, FILE, whole=True):
        said = f"the configuration of the gate differs from the base, whose own counts; {_ASKED}"
        found.insert(0, Finding(check=CHECK, path=FILE, rule="gate", message=said))
    if gate.allow_config_change:
        return CheckResult(
            check=CHECK,
            status="passed",
            findings=tuple(found),
            reason="the base allows changes of the gate" if found else "",
        )
    return CheckResult(check=CHECK, status="failed" if found else "passed", findings=tuple(found))


def _of_gate(change: Change, gate: Gate) -> Iterator[Finding]:
    commands = {
        str(PurePosixPath(word)): check.name for check in gate.check for word in check.run if "{" not in word
    }
    for one in change.entries:
        if one.path in commands:
            said = f"the check {commands[one.path]!r} runs this file; {_ASKED}"
            yield Finding(check=CHECK, path=one.shown, rule="check", message=said)
        elif any_fits(one.path, gate.protected):
            said = f"the gate's configuration protects this file; {_ASKED}"
            yield Finding(check=CHECK, path=one.shown, rule="protected", message=said)


async def _of_checkers(root: Path, change: Change) -> list[Finding]:
    """Compare the files that checkers read, ignored ones too, in all folders above what has changed."""
    found = []
    for path in sorted(await to_thread(_candidates, root, change)):
        if not await _same(root, change, path, whole=False):
            said = f"what checkers are told differs from the base; {_ASKED}"
            found.append(Finding(check=CHECK, path=printable(path), rule="checkers", message=said))
    return found


def _candidates(root: Path, change: Change) -> set[str]:
    folders = {parent for one in change.entries for parent in PurePosixPath(one.path).parents}
    found = {one.path for one in change.entries if _is_told(PurePosixPath(one.path).name)}
    for folder in folders | {PurePosixPath()}:
        try:
            names = [each.name for each in root.joinpath(folder).iterdir()]
        except OSError:
            continue
        found |= {str(folder / name) for name in names if _is_told(name)}
    return found


def _is_told(name: str) -> bool:
    return name in _PARTLY or _WHOLE.fullmatch(name) is not None


async def _same(root: Path, change: Change, path: str, *, whole: bool) -> bool:
    before = await change.at_base(path)
    now = await to_thread(_now, root, change, path)
    if before == now:
        return True
    name = PurePosixPath(path).name
    return not whole and name in _PARTLY and _told(name, before or b"") == _told(name, now or b"")


def _now(root: Path, change: Change, path: str) -> bytes | None:
    known = next((one for one in change.entries if one.path == path), None)
    if known is not None:
        return None if known.kind == "gone" else known.data
    try:
        return opening.read_bytes(Place(root, tuple(path.split("/"))), limit=MAX_BYTES).data
    except NoSuchFile:
        return None
    except (ToolFailed, ToolRefused) as error:
        return str(error).encode(errors="replace")  # a link, a folder, too large: surely not as it was


def _told(name: str, data: bytes) -> str:
    """Return what a file says to checkers, in a form that can be compared; all of it if it cannot be read."""
    text = data.decode(errors="replace")
    parts: Mapping[str, Any] = {}
    try:
        if name == "pyproject.toml":
            tools = tomllib.loads(text).get("tool", {})
            parts = _picked(tools, ("ruff", "mypy")) if isinstance(tools, dict) else {"tool": tools}
        elif name == "package.json":
            parts = _picked(loads(text), ("eslintConfig", "eslintIgnore", "prettier"))
        else:
            config = configparser.ConfigParser(strict=False, interpolation=None)
            config.read_string(text)
            parts = {key: dict(config[key]) for key in config.sections() if key.startswith("mypy")}
    except (ValueError, configparser.Error, RecursionError):
        return text
    return json.dumps(parts, sort_keys=True, default=str)


def _picked(said: Mapping[str, Any], keys: Iterable[str]) -> Mapping[str, Any]:
    return {key: said[key] for key in keys if key in said}
