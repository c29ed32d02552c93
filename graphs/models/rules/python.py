"""What a Python file defines, by its syntax tree."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

LONG = 60  # lines from which a function is called long


@dataclass(frozen=True, slots=True)
class Defined:
    """A function, method or class."""

    name: str
    line: int
    end: int
    signature: str
    says: str
    "The first line of its docstring."
    docs: str
    args: tuple[str, ...]
    "Those that must be given."
    kind: str
    "function, coroutine, method or class."


def parsed(text: str) -> ast.Module | SyntaxError:
    """Return the tree of a file, or what is wrong with it."""
    try:
        return ast.parse(text)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError) as error:  # a NUL, or brackets without end
        return SyntaxError(str(error))


def defined(text: str) -> list[Defined]:
    """Return what stands at the top of a file and in its classes, in order; none if it cannot be parsed.

    >>> [one.signature for one in defined("def twice(x, *, by=2): ...")]
    ['twice(x, *, by=2)']
    """
    tree = parsed(text)
    return list(_of(tree, "")) if isinstance(tree, ast.Module) else []


def public(text: str) -> list[Defined]:
    """Return the functions at the top of a file that others may call."""
    return [
        one for one in defined(text) if one.kind in ("function", "coroutine") and not one.name.startswith("_")
    ]


def long_functions(text: str) -> list[Defined]:
    """Return functions and methods of more than LONG lines."""
    return [one for one in defined(text) if one.kind != "class" and one.end - one.line >= LONG]


def _of(node: ast.Module | ast.ClassDef, owner: str) -> Iterator[Defined]:
    for each in node.body:
        if isinstance(each, ast.ClassDef):
            yield _class(each, owner)
            yield from _of(each, f"{owner}{each.name}.")
        elif isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield _function(each, owner)


def _class(node: ast.ClassDef, owner: str) -> Defined:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    signature = f"class {owner}{node.name}" + (f"({bases})" if bases else "")
    return Defined(owner + node.name, node.lineno, node.end_lineno or 0, signature, *_docs(node), (), "class")


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> Defined:
    name, args = owner + node.name, node.args
    plain = [*args.posonlyargs, *args.args]
    needed = [one.arg for one in plain[: len(plain) - len(args.defaults)]]
    needed += [one.arg for one, usual in zip(args.kwonlyargs, args.kw_defaults, strict=True) if usual is None]
    gives = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    kind = "method" if owner else "coroutine" if isinstance(node, ast.AsyncFunctionDef) else "function"
    signature = f"{name}({ast.unparse(args)}){gives}"
    return Defined(name, node.lineno, node.end_lineno or 0, signature, *_docs(node), tuple(needed), kind)


def _docs(node: ast.AST) -> tuple[str, str]:
    docs = (
        ast.get_docstring(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        else ""
    )
    return (docs or "").strip().split("\n")[0], docs or ""
