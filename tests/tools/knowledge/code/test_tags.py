"""Definitions and references are found in every language we name."""

import pytest

from artel.tools.knowledge.code.tags import tags

SOURCES = {
    "a.py": ("class A(B):\n    def m(self, x: T) -> U:\n        return self.go(f(x))\n", "A m", "B T U go f"),
    "a.js": (
        "import {E} from 'e';\nclass A { m() { f(new C()) } }\nlet g = () => h.i();\n",
        "A m g",
        "E f C i",
    ),
    "a.ts": (
        "interface I { x: K }\nclass A extends B { m(p: T) { f() } }\n",
        "I A m",
        "K B T f",
    ),
    "a.tsx": ("export function App(p: Props) { return <Panel a={b()} /> }\n", "App", "Props Panel b"),
    "a.go": ("package m\ntype S struct { t T }\nfunc (s *S) Do() { s.run(help()) }\n", "S Do", "T run help"),
    "a.rs": ("struct S { t: T }\nimpl S { fn go(&self) { helper(); X::new(); } }\n", "S go", "T helper new"),
    "A.java": ("class A extends B { C c; D m(E e) { go(new F()); } }\n", "A m", "B C D E go F"),
    "a.c": ("struct P { int x; };\nint *f(struct P *p) { return g(1); }\n", "P f", "P g"),
    "a.cpp": ("class A : public B { void m() { f(); x.g(); n::h(); } };\n", "A m", "B f g h"),
    "a.cs": ("class A : B { C M(D d) { Go(new E()).Run(); } }\n", "A M", "B C D Go E Run"),
    "a.rb": ("class A < B\n  def m\n    C.new.go(1)\n  end\nend\n", "A m", "B C go"),
    "a.php": ("<?php class A extends B { function m(C $c): D { f(); E::h(); } }\n", "A m", "B C D f E h"),
    "a.sh": ("go() {\n  run x\n}\n", "go", "run"),
}


@pytest.mark.parametrize("path", SOURCES)
def test_names_are_told(path: str) -> None:
    text, defined, used = SOURCES[path]
    found = tags(text, path)
    assert {one.name for one in found.definitions} == set(defined.split())
    assert set(used.split()) <= {one.name for one in found.references}


def test_a_definition_knows_its_lines_and_how_it_reads() -> None:
    text = "@cached\nclass A:\n\n    def m(\n        self,\n    ):\n        def inner(): ...\n"
    a, m, inner = tags(text, "a.py").definitions
    assert (a.kind, a.line, a.end_line, a.signature) == ("class", 2, 7, "class A:")
    assert (m.kind, m.line, m.signature, m.local) == ("def", 4, "    def m(", False)
    assert inner.local


def test_broken_and_unknown_texts_are_no_error() -> None:
    assert [one.name for one in tags("def f():\n    pass\n\nclass (((\n", "a.py").definitions] == ["f"]
    assert tags("def f(): pass", "a.txt").definitions == ()
    assert tags("", "a.py").definitions == tags("\0" * 1000, "a.py").definitions == ()
    assert tags("a<\n" * 100_000, "A.java").definitions == ()
