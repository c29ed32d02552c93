"""Forbidden calls: by what a name stands for, whatever it is called."""

import keyword

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artel.tools.gate import source
from artel.tools.gate.calls import Calls
from artel.tools.gate.configuration import Gate


def rules(path: str, text: str, **gate: object) -> list[str]:
    code = source.read(path, text.encode())
    assert code is not None
    return [one.rule for one in Calls(Gate.model_validate(gate)).look(code)]


BAD_PYTHON = {
    "eval('1')": "eval",
    "exec(x)": "exec",
    "compile(x, '', 'exec')": "compile",
    "map(eval, xs)": "eval",
    "e = eval\ne('1')": "eval",
    "import builtins as b\nb.eval('1')": "eval",
    "__builtins__['eval']('1')": "eval",
    "globals()['eval']('1')": "eval",
    "ｅｖａｌ('1')": "eval",
    "import os\nos.system('x')": "os.system",
    "import os as o\no.system('x')": "os.system",
    "import os.path\nos.system('x')": "os.system",
    "from os import system as s\ns('x')": "os.system",
    "from os import *\nsystem('x')": "os.system",
    "from os import system": "os.system",
    "import os\na, b = os, 1\na.execv('x', [])": "os.execv",
    "import os\nif (z := os):\n    z.popen('q')": "os.popen",
    "import os\ngetattr(os, 'sys' + 'tem')('x')": "os.system",
    "import os\ngetattr(os, '\\x73ystem')('x')": "os.system",
    "import os\ngetattr(os, name)('x')": "os.?",
    "import os\nvars(os)['system']('x')": "os.system",
    "import os\nos.__dict__['system']('x')": "os.system",
    "import sys\nsys.modules['os'].system('x')": "os.system",
    "import importlib as i\ni.import_module('os').system('x')": "os.system",
    "__import__('os').system('x')": "os.system",
    "def f(o=__import__('os')):\n    o.system('x')": "os.system",
    "def f():\n    import os as q\n    return lambda: q.system('x')": "os.system",
    "import subprocess as sp\nsp.run('x', shell=True)": "shell=True",
    "from subprocess import run as r\nr('x', shell=flag)": "shell=True",
    "import subprocess\nsubprocess.run('x', **{'shell': True})": "shell=True",
    "from functools import partial\nimport subprocess\npartial(subprocess.run, shell=1)('x')": "shell=True",
    "import subprocess\nsubprocess.Popen('x', -1, None, None, None, None, None, 1, True)": "shell=True",
    "import asyncio as a\nawait a.create_subprocess_shell('x')": "asyncio.create_subprocess_shell",
    "import pickle as p\np.loads(b)": "pickle.loads",
    "try:\n    import cPickle as p\nexcept ImportError:\n    import pickle as p\np.load(f)": "pickle.load",
    "import yaml\nyaml.load(x)": "yaml.load",
    "from yaml import load as l\nl(x, Loader=yaml.Loader)": "yaml.load",
    "from re import compile\ndel compile\ncompile(x, '', 'exec')": "compile",
}
GOOD_PYTHON = [
    "import re\nre.compile('x')",
    "from re import compile\ncompile('x')",
    "def compile(x): ...\ncompile(1)",
    "model.eval()",
    "self.exec(1)",
    "f(exec=1)",
    "def f(eval=None):\n    return eval",
    "x = 'eval(1)'  # eval(x)",
    "import subprocess\nsubprocess.run(['x'], shell=False)",
    "import yaml\nyaml.safe_load(x)\nyaml.load(x, Loader=yaml.SafeLoader)",
    "import pickle\npickle.dumps(x)",
    "import os\nos.path.join('a', os.environ.get('b', ''))",
    "import ast\nast.literal_eval(x)",
    "getattr(thing, name)",
]
BAD_SCRIPT = {
    "eval('1')": "eval",
    "window.eval('1')": "eval",
    "(0, eval)('1')": "eval",
    "globalThis['ev' + 'al']('1')": "eval",
    "\\u0065val('1')": "eval",
    "const w = window; w.eval('1')": "eval",
    "const {eval: f} = globalThis; f('1')": "eval",
    "Reflect.get(globalThis, 'eval')('1')": "eval",
    "new Function('a')": "Function",
    "const F = Function; F('a')()": "Function",
    "setTimeout('x()', 1)": "setTimeout",
    "document.write('x')": "document.write",
    "const d = document; d.writeln('x')": "document.writeln",
    "el.innerHTML = x": "innerHTML",
    "el['inner' + 'HTML'] += x": "innerHTML",
    "<a dangerouslySetInnerHTML={{__html: x}}/>": "dangerouslySetInnerHTML",
    "import {exec as e} from 'node:child_process'; e('x')": "child_process.exec",
    "import * as cp from 'child_process'; cp.exec('x')": "child_process.exec",
    "import cp from 'child_process'; cp['execSync']('x')": "child_process.execSync",
    "import cp = require('child_process'); cp.exec('x')": "child_process.exec",
    "const {exec: e} = require('child_process'); e('x')": "child_process.exec",
    "const cp = require('child_process'); const {exec} = cp; exec('x')": "child_process.exec",
    "let q; q = require('node:child_process'); q.exec('x')": "child_process.exec",
    "(await import('child_process')).exec('x')": "child_process.exec",
    "import('child_process').then(({exec}) => exec('x'))": "child_process.exec",
    "import('child_process').then(m => m.exec('x'))": "child_process.exec",
    "import * as cp from 'child_process'; cp[name]('x')": "child_process.?",
    "import * as cp from 'child_process'; cp.exec.bind(cp)('x')": "child_process.exec",
    "export {exec} from 'child_process'": "child_process.exec",
    "import {spawn} from 'child_process'; spawn('x', {shell: true})": "shell: true",
    "import {runInNewContext as r} from 'vm'; r('x')": "vm.runInNewContext",
}
GOOD_SCRIPT = [
    "/x/.exec(s); re.exec(s)",
    "el.innerHTML = ''; el.textContent = x",
    "const f: Function = g; x instanceof Function; Function.prototype.call",
    "setTimeout(() => 1, 2)",
    "import {execFile} from 'child_process'; execFile('x', [])",
    "import {exec} from './mine'; exec('x')",
    "function f(exec) { return exec(1) }",
    "const s = 'eval'; // eval(1)",
    "class A { eval() {} }; const o = {eval: 1}; o.eval",
    "response.write('x')",
]


@pytest.mark.parametrize(("text", "rule"), BAD_PYTHON.items())
def test_a_forbidden_call_in_python_is_found_however_it_is_reached(text: str, rule: str) -> None:
    assert rule in rules("a.py", text)


@pytest.mark.parametrize("text", GOOD_PYTHON)
def test_what_only_looks_like_a_forbidden_call_in_python_is_none(text: str) -> None:
    assert rules("a.py", text) == []


@pytest.mark.parametrize(("text", "rule"), BAD_SCRIPT.items())
def test_a_forbidden_call_in_typescript_is_found_however_it_is_reached(text: str, rule: str) -> None:
    assert rule in rules("a.tsx", text)


@pytest.mark.parametrize("text", GOOD_SCRIPT)
def test_what_only_looks_like_a_forbidden_call_in_typescript_is_none(text: str) -> None:
    assert rules("a.ts", text) == []


names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name) and name not in ("eval", "os", "system", "await", "print")
)
words = names.filter(
    lambda name: (
        name not in {"new", "let", "var", "function", "const", "this", "void", "typeof", "delete"}
        and name
        not in {"do", "switch", "case", "throw", "catch", "enum", "super", "null", "static", "package"}
        and name
        not in {"export", "default", "extends", "debugger", "interface", "private", "public", "instanceof"}
    )
)


@settings(max_examples=60, deadline=None)
@given(aliases=st.lists(names, min_size=2, max_size=6, unique=True), data=st.data())
def test_renaming_in_python_hides_no_call(aliases: list[str], data: st.DataObject) -> None:
    first, *others = aliases
    how = data.draw(
        st.sampled_from(["import os as {0}", "from os import system as {0}", "{0} = __import__('os')"])
    )
    lines = [how.format(first)]
    lines += [f"{new} = {old}" for old, new in zip(aliases, others, strict=False)]
    called = f"{aliases[-1]}('x')" if "system" in how else f"{aliases[-1]}.system('x')"
    found = rules("a.py", "\n".join([*lines, f"def run():\n    return {called}", ""]))
    assert "os.system" in found


@settings(max_examples=60, deadline=None)
@given(aliases=st.lists(words, min_size=2, max_size=6, unique=True), data=st.data())
def test_renaming_in_typescript_hides_no_call(aliases: list[str], data: st.DataObject) -> None:
    first, *others = aliases
    hows = [
        "import * as {0} from 'node:child_process'",
        "import {0} from 'child_process'",
        "const {0} = require('child_process')",
    ]
    lines = [data.draw(st.sampled_from(hows)).format(first)]
    lines += [f"const {new} = {old}" for old, new in zip(aliases, others, strict=False)]
    found = rules("a.ts", "\n".join([*lines, f"function run() {{ {aliases[-1]}.execSync('x') }}", ""]))
    assert "child_process.execSync" in found


def test_a_project_forbids_calls_of_its_own_and_allows_some_of_the_usual() -> None:
    own = {"call": "requests.*", "except": ["tools/**"], "message": "goes around tools.web"}
    text = "import requests as r\nr.get('x')\neval('1')\n"
    assert rules("a.py", text, forbidden=[own], allowed_calls=["eval"]) == ["requests.get"]
    assert rules("tools/a.py", text, forbidden=[own], default_calls=False) == []
    assert rules("a.ts", "import r from 'requests'; r.get('x')", forbidden=[own]) == ["requests.get"]
    assert rules("a.ts", "import r from 'requests'; r.get()", forbidden=[own | {"language": "python"}]) == []
