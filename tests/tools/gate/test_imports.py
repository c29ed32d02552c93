"""Imports: what a project declares, what it lists, and what is its own."""

from pathlib import Path

import pytest

from artel.tools.gate import source
from artel.tools.gate.configuration import Gate
from artel.tools.gate.declared import Project
from artel.tools.gate.imports import Allowed


def refused(root: Path, path: str, text: str, **rule: object) -> list[str]:
    gate = Gate.model_validate({"imports": [rule]} if rule else {})
    code = source.read(path, text.encode())
    assert code is not None
    return [one.rule for one in Allowed(gate, Project(root)).look(code)]


PYPROJECT = """
[project]
name = "shop"
dependencies = ["PyYAML>=6", "langchain-core", "httpx[http2]; python_version > '3'"]
optional-dependencies = {x = ["scikit-learn"]}
[dependency-groups]
dev = ["pytest", {include-group = "x"}]
[tool.poetry.group.docs.dependencies]
Pillow = "*"
"""


@pytest.fixture
def declared(root: Path) -> Path:
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "src/shop").mkdir(parents=True)
    (root / "conftest.py").write_text("")
    (root / "web/src").mkdir(parents=True)
    (root / "web/package.json").write_text(
        '{"name": "web", "dependencies": {"react": "*", "@a/b": "*"},'
        ' "devDependencies": {"@types/estree": "*"}}'
    )
    (root / "web/tsconfig.json").write_text(
        '{// paths\n"compilerOptions": {"paths": {"$lib/*": ["src/*"],}}}'
    )
    return root


def test_a_declared_dependency_may_be_imported_whatever_its_module_is_called(declared: Path) -> None:
    good = "yaml langchain_core.messages httpx sklearn.svm pytest PIL shop shop.cart conftest os.path"
    text = "".join(f"import {name}\n" for name in good.split())
    assert refused(declared, "tests/test_a.py", text + "from . import x\nfrom ..y import z\n") == []


def test_an_undeclared_package_may_not_be_imported_by_whatever_way(declared: Path) -> None:
    text = (
        "import requests as r\nfrom numpy.linalg import norm\ndef f():\n    import torch\n"
        "import importlib\nimportlib.import_module('pandas.io')\n__import__('scipy')\n"
    )
    assert refused(declared, "a.py", text) == ["requests", "numpy.linalg", "torch", "pandas.io", "scipy"]


def test_node_packages_are_judged_by_the_nearest_package_json(declared: Path) -> None:
    good = (
        "import fs from 'fs'; import {x} from 'node:path'; import React from 'react';"
        "import b from '@a/b/deep'; import '#own';"
        "import './local'; import '../up'; import x from '$lib/x'; import type {N} from 'estree';"
        "const r = require('react/jsx-runtime'); await import('react-dom/client')"
    )
    assert refused(declared, "web/src/a.ts", good) == ["react-dom/client"]
    bad = "import l from 'lodash'; export * from '@a/c'; require('left-pad'); import q = require('q')"
    assert refused(declared, "web/src/a.ts", bad) == ["lodash", "@a/c", "left-pad", "q"]


def test_a_list_counts_instead_of_what_is_declared(declared: Path) -> None:
    text = "import yaml\nimport os\nimport pydantic.fields\nimport pydantic_core\nimport importlib\n"
    assert refused(declared, "a.py", text, allowed=["pydantic"]) == ["yaml", "pydantic_core"]
    assert refused(declared, "a.py", text, allowed=["pydantic*", "yaml"], builtin=False) == [
        "os",
        "importlib",
    ]
    assert refused(declared, "a.py", text, denied=["os"]) == ["os", "pydantic.fields", "pydantic_core"]
    assert refused(declared, "a.py", text, allowed=["pydantic"], files=["src/**"]) == [
        "pydantic.fields",
        "pydantic_core",
    ]
    node = "import {exec} from 'child_process'; import fs from 'node:fs'"
    assert refused(declared, "web/a.ts", node, denied=["child_process"]) == ["child_process"]


def test_where_nothing_is_declared_only_who_asked_for_the_check_is_refused(root: Path) -> None:
    code = source.read("a.py", b"import os\nimport requests\n")
    assert code is not None
    lenient = Allowed(Gate(), Project(root))
    assert (lenient.look(code), lenient.untold) == ([], {"python"})
    strict = Allowed(Gate(checks=("imports",)), Project(root))
    assert [one.rule for one in strict.look(code)] == ["requests"]
    unneeded = Allowed(Gate(), Project(root))
    plain = source.read("a.py", b"import os\n")
    assert plain is not None
    assert (unneeded.look(plain), unneeded.untold) == ([], set())


def test_under_a_list_an_import_that_nobody_can_tell_is_refused(declared: Path) -> None:
    assert refused(declared, "a.py", "import importlib\nimportlib.import_module(x)\n", allowed=[]) == ["?"]
    assert refused(declared, "web/a.ts", "import(x)", allowed=[]) == ["?"]
    assert refused(declared, "a.py", "import importlib\nimportlib.import_module(x)\n") == []


def test_broken_declarations_declare_nothing_and_raise_nothing(root: Path) -> None:
    for name, text in {
        "pyproject.toml": "[project\n",
        "setup.cfg": "x = 1",
        "package.json": "[" * 100_000,
        "tsconfig.json": '{"compilerOptions": {"paths": {"*": []}}}',
        "setup.py": "setup(install_requires=['numpy>1'])",
        "requirements.txt": "-r other.txt\n\udcff\n# x\n".encode(errors="surrogateescape").decode("latin-1"),
    }.items():
        (root / name).write_text(text)
    assert refused(root, "a.py", "import numpy, requests\n") == ["requests"]
    assert refused(root, "a.ts", "import x from 'lodash'") == ["lodash"]
