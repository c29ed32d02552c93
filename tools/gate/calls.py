"""Calls that no change may bring in: by what a name stands for, not by how it is spelled.

A lint, and no wall: code can hide a call from anything that does not run it. What it meets are the ways that
people and models write.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import TypeAlias

from artel.tools.gate import python, script
from artel.tools.gate.configuration import Forbidden, Gate
from artel.tools.gate.report import Finding
from artel.tools.gate.source import Node, Source, line_of, literal, said

CHECK = "calls"

_RUNS = "runs text as code; call what is meant by its name"
_SHELL = "runs a shell; use subprocess.run with a list of arguments"
_UNPICKLES = "runs code that the data names; use json"
_PICKLES = ("pickle", "_pickle", "cPickle", "dill", "cloudpickle")
_PYTHON = {
    _RUNS: ("eval", "exec", "compile", "__import__", "code.InteractiveInterpreter", "code.interact"),
    _SHELL: (
        *("os.system", "os.popen*", "os.exec?*", "os.spawn*", "os.posix_spawn*", "posix.system", "pty.spawn"),
        *("subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell"),
        *("commands.getoutput", "commands.getstatusoutput", "asyncio.subprocess.create_subprocess_shell"),
    ),
    _UNPICKLES: (
        *(f"{module}.{name}" for module in _PICKLES for name in ("load", "loads", "Unpickler")),
        *("marshal.load", "marshal.loads", "shelve.open", "jsonpickle.decode", "pandas.read_pickle"),
        *("joblib.load", "yaml.unsafe_load*", "yaml.full_load*", "yaml.UnsafeLoader"),
    ),
    "names a file that somebody else may make first; use tempfile.mkstemp": ("tempfile.mktemp",),
}
_SCRIPT = {
    _RUNS: (
        *("eval", "Function", "execScript", "vm.runIn*", "vm.Script", "vm.compileFunction"),
        *("vm.SourceTextModule",),
    ),
    "writes markup into the page; make elements, or set textContent": (
        *("document.write", "document.writeln", "*.insertAdjacentHTML", "*.createContextualFragment"),
    ),
    "runs a shell; use execFile or spawn with a list of arguments": (
        *("child_process.exec", "child_process.execSync"),
    ),
}
DEFAULT = (
    *(
        Forbidden(call=call, language="python", message=why)
        for why, calls in _PYTHON.items()
        for call in calls
    ),
    *(
        Forbidden(call=call, language="typescript", message=why)
        for why, calls in _SCRIPT.items()
        for call in calls
    ),
)
# With one of these words in it a file is looked into, whatever else it holds
_ALWAYS = {
    "python": python.REACHING | {"shell", "subprocess", "yaml"},
    "typescript": frozenset(
        (
            *("innerHTML", "outerHTML", "dangerouslySetInnerHTML", "srcdoc", "setTimeout", "setInterval"),
            *("Reflect", "child_process"),
        )
    ),
}
Mentions: TypeAlias = Callable[[Source, Callable[[str], bool]], Iterator[tuple[str, Node]]]
_MARKUP = ("innerHTML", "outerHTML", "srcdoc")
_RUN = ("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output")
_POPEN = {*_RUN, "subprocess.Popen", "asyncio.create_subprocess_exec"}
_SHELL_AT = 8  # the place of `shell` among the arguments of subprocess.Popen
_SAFE = ("SafeLoader", "CSafeLoader", "BaseLoader", "CBaseLoader")
_WILD = re.compile(r"[*?\[]")
_PUT_TOGETHER = re.compile(r"""["'`]\s*\)?\s*\+[^\n]*\]""")


class Calls:
    """The forbidden calls of one gate."""

    def __init__(self, gate: Gate) -> None:
        default = [one for one in DEFAULT if one.call not in gate.allowed_calls] if gate.default_calls else []
        self._rules = (*default, *gate.forbidden)
        self._allowed = frozenset(gate.allowed_calls)
        self._special = gate.default_calls

    def look(self, source: Source) -> list[Finding]:
        """Return the forbidden calls in a file, once per line and name."""
        rules = [rule for rule in self._rules if rule.covers(source.path, source.language)]
        if not self._may_hold(source, rules):
            return []
        look = self._in_python if source.language == "python" else self._in_script
        found = look(source, rules)
        unique = {(one.line, one.rule): one for one in found if one.rule not in self._allowed}
        return sorted(unique.values(), key=lambda one: (one.line, one.rule))

    def _may_hold(self, source: Source, rules: Iterable[Forbidden]) -> bool:
        words = source.words()
        if words & _ALWAYS[source.language]:
            return True
        if source.language == "typescript" and ("\\" in source.text or _PUT_TOGETHER.search(source.text)):
            return True
        return any(_may_stand(rule.call, words) for rule in rules)

    def _in_python(self, source: Source, rules: list[Forbidden]) -> Iterator[Finding]:
        scope = python.scope(source)
        yield from self._mentioned(source, rules, python.mentions)
        if not self._special or not {"shell", "yaml", "subprocess"} & source.words():
            return
        for call in python.calls(source):
            names = scope.of(call.child_by_field_name("function"))
            if _runs_shell(call, names, scope):
                yield _finding(source, call, "shell=True", _SHELL)
            if "yaml.load" in names and not any(word in said(call) for word in _SAFE):
                yield _finding(source, call, "yaml.load", "runs code that the data names; use yaml.safe_load")

    def _in_script(self, source: Source, rules: list[Forbidden]) -> Iterator[Finding]:
        yield from self._mentioned(source, rules, script.mentions)
        if self._special:
            yield from _markup(source)
            scope = script.scope(source)
            for call in script.calls(source):
                yield from _odd_call(source, call, scope)

    def _mentioned(self, source: Source, rules: list[Forbidden], mentions: Mentions) -> Iterator[Finding]:
        ends = {rule.call.rpartition(".")[2] for rule in rules}

        @cache
        def wanted(last: str) -> bool:
            return last == "?" or last in ends or any(fnmatchcase(last, end) for end in ends)

        judged: dict[str, Forbidden | None] = {}
        risky = {rule.call.partition(".")[0] for rule in rules if "." in rule.call} | {"builtins"}
        for name, node in mentions(source, wanted):
            if name not in judged:
                judged[name] = next((rule for rule in rules if rule.matches(name)), None)
            if rule := judged[name]:
                yield _finding(source, node, name, rule.message or "is forbidden in this project")
            elif name.endswith(".?") and name.partition(".")[0] in risky and name.count(".") == 1:
                yield _finding(source, node, name, "is looked into by a name that nobody can tell")


def _may_stand(call: str, words: frozenset[str]) -> bool:
    """Whether a text of these words can make a call: each part of its name has to be among them."""
    for part in call.split("."):
        if part in words:
            continue
        if not _WILD.search(part) or not any(fnmatchcase(word, part) for word in words):
            return False
    return True


def _finding(source: Source, node: Node, name: str, why: str) -> Finding:
    return Finding(check=CHECK, path=source.path, line=line_of(node), rule=name, message=f"{name} {why}")


def _runs_shell(call: Node, names: frozenset[str], scope: python.Scope) -> bool:
    value = python.keywords(call).get("shell")
    given = python.positional(call)
    if value is None:
        return bool(names & _POPEN) and len(given) > _SHELL_AT and given[_SHELL_AT].type != "false"
    if value.type in ("true", "integer") and said(value) != "0":
        return True
    if value.type in ("false", "none", "integer"):
        return False
    return any(scope.of(one) & _POPEN for one in (call.child_by_field_name("function"), *given))


def _markup(source: Source) -> Iterator[Finding]:
    why = "writes markup into the page; make elements, or set textContent"
    for node in source.nodes():
        if node.type in ("assignment_expression", "augmented_assignment_expression"):
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left.type in ("member_expression", "subscript_expression"):
                name = script.member(left)
                if name in _MARKUP and literal(right) != "":
                    yield _finding(source, node, name, why)
        elif node.type == "jsx_attribute" and said(node.children[0]) == "dangerouslySetInnerHTML":
            yield _finding(source, node, "dangerouslySetInnerHTML", why)


def _odd_call(source: Source, call: Node, scope: script.Scope) -> Iterator[Finding]:
    function = call.child_by_field_name("function") or call.child_by_field_name("constructor")
    names, given = scope.of(function), script.arguments(call)
    if given and names & {"setTimeout", "setInterval"} and given[0].type in ("string", "template_string"):
        yield _finding(source, call, "setTimeout", _RUNS)
    if any(name.startswith("child_process.") for name in names):
        for pair in (each for one in given if one.type == "object" for each in one.named_children):
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if key is not None and (literal(key) or said(key)) == "shell" and value.type != "false":
                yield _finding(source, pair, "shell: true", "runs a shell; leave it out")
