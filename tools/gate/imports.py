"""Imports that a change may not bring in."""

import sys
from fnmatch import fnmatchcase

from artel.tools.gate import python, script
from artel.tools.gate.configuration import Gate, Imports, fits
from artel.tools.gate.declared import Project
from artel.tools.gate.report import Finding
from artel.tools.gate.source import Source

CHECK = "imports"

_NODE = """
    assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram
    diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https inspector module net os
    path path/posix path/win32 perf_hooks process punycode querystring readline readline/promises repl stream
    stream/consumers stream/promises stream/web string_decoder sys test timers timers/promises tls
    trace_events tty url util util/types v8 vm wasi worker_threads zlib
"""
NODE = frozenset(word for line in _NODE.splitlines() for word in line.split())
_DEFAULT = Imports()


class Allowed:
    """The imports that one gate lets through."""

    def __init__(self, gate: Gate, project: Project) -> None:
        self._lists = gate.imports
        self._project = project
        self._insists = gate.insists_on(CHECK)
        self.untold: set[str] = set()
        "Languages of files that import something, of which nothing says whether they may."

    def look(self, source: Source) -> list[Finding]:
        """Return the imports of a file that are not allowed, once per line and module."""
        if "import" not in source.text and "require" not in source.text and "from" not in source.text:
            return []
        rule = next((one for one in self._lists if fits(source.path, one.files)), _DEFAULT)
        read = python.imports if source.language == "python" else script.imports
        found = {(one.line, one.module): one for one in read(source)}
        refused = [(one, self._refusal(source, rule, one.module)) for one in found.values()]
        findings = [
            Finding(check=CHECK, path=source.path, line=one.line, rule=one.module, message=why)
            for one, why in refused
            if why
        ]
        lenient = rule is _DEFAULT and not self._insists
        if findings and lenient and not self._project.declares(source.path, source.language):
            self.untold.add(source.language)
            return []
        return findings

    def _refusal(self, source: Source, rule: Imports, module: str) -> str:
        """Return why a module may not be imported; nothing if it may."""
        name = script.bare(module) if source.language == "typescript" else module
        if any(_is_of(name, denied) for denied in rule.denied):
            return f"{module} must not be imported here: it is on the project's list of denied imports"
        if source.language == "typescript" and module.startswith((".", "/", "#", "@/", "~/")):
            return ""
        if name == "?":
            return "" if rule.allowed is None else "imports what nobody can tell before it runs"
        if _is_builtin(source, module, name):
            return "" if rule.builtin else f"{module} is built in, and such are not allowed here"
        if rule.allowed is not None:
            if any(_is_of(name, allowed) for allowed in rule.allowed):
                return ""
            return f"{module} is not on the list of allowed imports; use what is, or ask for it to be added"
        if self._project.has(source.path, name, source.language):
            return ""
        where = "pyproject.toml or requirements.txt" if source.language == "python" else "package.json"
        return f"{module} is no dependency that {where} declares, and none of the project's own modules"


def _is_builtin(source: Source, module: str, name: str) -> bool:
    if source.language == "typescript":
        return module.startswith("node:") or name in NODE
    return name.partition(".")[0] in sys.stdlib_module_names or name == "__main__"


def _is_of(module: str, pattern: str) -> bool:
    """Whether a module is what an entry of a list names, or lies in it."""
    if fnmatchcase(module, pattern):
        return True
    return module.startswith((f"{pattern}.", f"{pattern}/"))
