"""Imports are followed to files, and told where they lead nowhere."""

from artel.tools.knowledge.code.imports import graph

PYTHON = {
    "src/shop/__init__.py": "from .cart import Cart\n",
    "src/shop/cart.py": (
        "import os\nimport numpy as np\nfrom shop import prices\nfrom shop.money import Money, Rate\n"
    ),
    "src/shop/prices.py": "from . import money\nfrom .missing import gone\nimport shop.nowhere\n",
    "src/shop/money.py": "Money = Rate = int\n",
    "src/shop/web/__init__.py": "",
    "src/shop/web/page.py": (
        "from ..cart import Cart\nfrom .... import far\n\ndef show():\n    import shop.money\n"
    ),
    "tests/test_cart.py": "from shop.cart import Cart\nimport near\n",
    "tests/near.py": "",
}


def test_python_is_followed_absolute_relative_and_into_packages() -> None:
    found = graph(PYTHON).imports
    assert found["src/shop/__init__.py"] == {"src/shop/cart.py"}
    assert found["src/shop/cart.py"] == {"src/shop/prices.py", "src/shop/money.py"}
    assert found["src/shop/prices.py"] == {"src/shop/money.py"}
    assert found["src/shop/web/page.py"] == {"src/shop/cart.py", "src/shop/money.py"}
    assert found["tests/test_cart.py"] == {"src/shop/cart.py", "tests/near.py"}


def test_what_leads_nowhere_is_told_and_what_may_be_installed_is_not() -> None:
    told = [(one.path, one.line, one.target) for one in graph(PYTHON).unresolved]
    assert told == [
        ("src/shop/prices.py", 2, ".missing import gone"),
        ("src/shop/prices.py", 3, "shop.nowhere"),
        ("src/shop/web/page.py", 2, ".... import far"),
    ]


def test_a_module_named_like_an_installed_package_is_not_taken_for_it() -> None:
    files = {"a/__init__.py": "", "a/redis.py": "from redis.asyncio import Redis\n"}
    assert graph(files).unresolved == ()
    assert graph(files).imports == {}


def test_packages_without_init_are_followed() -> None:
    files = {"src/ns/part/a.py": "from ns.part.b import c\nimport ns.part.b\n", "src/ns/part/b.py": ""}
    assert graph(files).imports == {"src/ns/part/a.py": {"src/ns/part/b.py"}}


def test_scripts_are_followed_with_the_endings_they_leave_out() -> None:
    files = {
        "web/main.tsx": (
            "import React from 'react'\nimport { a } from './a'\n"
            "export * from './list'\nimport './style.css'\n"
            "const b = require('../lib/b')\nconst lazy = () => import('./lazy.js')\nimport x from './gone'\n"
            "import type { T } from './types'\n"
        ),
        "web/a.ts": "",
        "web/list/index.ts": "import {a} from '..'\n",
        "web/index.ts": "",
        "web/lazy.ts": "",
        "web/types.d.ts": "",
        "lib/b.js": "",
    }
    found = graph(files)
    assert found.imports["web/main.tsx"] == {
        "web/a.ts",
        "web/list/index.ts",
        "lib/b.js",
        "web/lazy.ts",
        "web/types.d.ts",
    }
    assert found.imports["web/list/index.ts"] == {"web/index.ts"}
    assert [(one.line, one.target) for one in found.unresolved] == [(7, "./gone")]


def test_neighbours_are_what_imports_and_what_is_imported() -> None:
    files = {"a.py": "import b\n", "b.py": "import c\n", "c.py": "", "d.py": "import c\n", "e.py": ""}
    assert graph(files).neighbours("a.py") == {"b.py": 1}
    assert graph(files).neighbours("a.py", hops=3) == {"b.py": 1, "c.py": 2, "d.py": 3}
    assert graph(files).neighbours("e.py") == {}
