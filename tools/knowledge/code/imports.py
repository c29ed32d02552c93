"""Which files of a folder import which."""

import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from artel.tools.knowledge.code.imported import Import, imported

PYTHON = (".py", ".pyi", ".pyx", ".so", ".pyd")
SCRIPTS = (".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".json", ".vue", ".svelte")
ENDINGS = """
.css .scss .sass .less .svg .png .jpg .jpeg .gif .webp .avif .ico .woff .woff2 .ttf .json .md .mdx .txt .html
.wasm .yaml .yml .graphql .gql .mp3 .mp4 .webm .node .pdf .csv
"""
ASSETS = frozenset(ENDINGS.split())
COMPILED = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
"""TypeScript imports by the name that the compiler will write."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """An import of something that should be in the folder, and is not."""

    path: str
    line: int
    target: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Imports among the files of a folder."""

    imports: Mapping[str, frozenset[str]]
    """By file: the files it imports. Only files that import one of the folder are here."""
    importers: Mapping[str, frozenset[str]]
    """By file: the files that import it."""
    unresolved: tuple[Unresolved, ...]

    def neighbours(self, path: str, *, hops: int = 1) -> dict[str, int]:
        """Return what imports a file or is imported by it, and how many imports away; nearest first."""
        found, edge = {path: 0}, [path]
        for hop in range(1, hops + 1):
            near = sorted(
                {n for at in edge for side in (self.imports, self.importers) for n in side.get(at, ())}
            )
            edge = [one for one in near if one not in found]
            found.update(dict.fromkeys(edge, hop))
        del found[path]
        return found


def graph(files: Mapping[str, str]) -> Graph:
    """Return the imports among files, given by their path from the folder (with `/`) and their text."""
    return graph_of({path: imported(text, path) for path, text in files.items()})


def graph_of(written: Mapping[str, Collection[Import]]) -> Graph:
    """Return the graph of imports that were read before; every file of the folder is a key.

    Python: absolute from any folder that holds packages, relative, a module taken from a package. JavaScript
    and TypeScript: relative, with the endings they may leave out, and index files. What is not relative and
    whose
    first name is not in the folder may be the standard library or an installed package: it is not unresolved.
    """
    folder = _Folder(written)
    imports, unresolved = dict[str, frozenset[str]](), list[Unresolved]()
    for path in sorted(written):
        reached = set[str]()
        for one in written[path]:
            python = path.endswith(PYTHON)
            targets, missing = folder.python(path, one) if python else folder.script(path, one)
            reached |= targets
            unresolved += [Unresolved(path, one.line, name) for name in missing]
        if reached := reached - {path}:
            imports[path] = frozenset(reached)
    importers = dict[str, set[str]]()
    for path, targets_of in imports.items():
        for target in targets_of:
            importers.setdefault(target, set()).add(path)
    return Graph(imports, {path: frozenset(by) for path, by in importers.items()}, tuple(unresolved))


class _Folder:
    def __init__(self, paths: Collection[str]) -> None:
        self.paths = frozenset(paths)
        tops = {_root(path, self.paths) for path in paths if path.endswith(PYTHON)} | {""}
        self.folders = frozenset(
            str(parent) for path in paths if path.endswith(PYTHON) for parent in PurePosixPath(path).parents
        )
        self.roots = sorted(  # a folder over one without `__init__` may be a root too: namespace packages
            {
                _plain(str(above))
                for top in tops
                for above in (PurePosixPath(top), *PurePosixPath(top).parents)
            },
            key=lambda root: (root.count("/"), root),
        )

    def python(self, path: str, one: Import) -> tuple[set[str], list[str]]:
        dots = len(one.target) - len(one.target.lstrip("."))
        module = one.target[dots:].replace(".", "/")
        if dots:
            base = PurePosixPath(path).parent
            if dots - 1 > len(base.parts):
                return set(), [_said(one)]
            for _ in range(dots - 1):
                base = base.parent
            return self._module(_join(str(base), module), one)
        first = module.partition("/")[0]
        for root in self._roots_of(path):
            if self._file(_join(root, first)) or _join(root, first) in self.folders:
                found, missing = self._module(_join(root, module), one)
                if found or self._only(root, first):
                    return found, missing
        return set(), []

    def _roots_of(self, path: str) -> Iterator[str]:
        above = [_plain(str(parent)) for parent in reversed(PurePosixPath(path).parents)]
        known = [root for root in self.roots if root in above]
        yield from known  # what is beside a module of a package is found by its full name only
        yield from (root for root in self.roots if root not in known)

    def _only(self, root: str, first: str) -> bool:
        return bool(self._file(_join(root, first, "__init__")))  # another part of it cannot lie elsewhere

    def _module(self, module: str, one: Import) -> tuple[set[str], list[str]]:
        """Return the files of a module and of modules among the names taken from it; else what is missing."""
        own = self._file(module) or self._file(_join(module, "__init__"))
        found, rest = set[str](), False
        for name in one.names:
            inner = self._file(_join(module, name)) or self._file(_join(module, name, "__init__"))
            if inner:
                found.add(inner)
            else:
                rest = True
        if own and (rest or not one.names):
            found.add(own)
        if own or found or (module in self.folders and not rest):
            return found, []
        return set(), [_said(one)]

    def _file(self, module: str) -> str:
        return next((module + end for end in PYTHON if module + end in self.paths), "")

    def script(self, path: str, one: Import) -> tuple[set[str], list[str]]:
        target = one.target.partition("?")[0]
        if not (target in (".", "..") or target.startswith(("./", "../"))):
            return set(), []
        at = _plain(posixpath.normpath(posixpath.join(posixpath.dirname(path), target)))
        ending = PurePosixPath(at).suffix
        stem = at[: -len(ending)] if ending else at
        tried = [at, *(at + end for end in SCRIPTS), *(stem + end for end in COMPILED.get(ending, ()))]
        tried += [_join(at, f"index{end}") for end in SCRIPTS]
        for name in tried:
            if name in self.paths:
                return {name}, []
        # a picture, style sheet or table may be there without being among the texts
        return set(), [] if ending in ASSETS else [one.target]


def _root(path: str, paths: frozenset[str]) -> str:
    parent = PurePosixPath(path).parent
    while parent.parts and any(str(parent / f"__init__{end}") in paths for end in PYTHON):
        parent = parent.parent
    return _plain(str(parent))


def _said(one: Import) -> str:
    return f"{one.target} import {', '.join(one.names)}" if one.names else one.target


def _plain(folder: str) -> str:
    return "" if folder == "." else folder


def _join(*parts: str) -> str:
    return "/".join(part for part in map(_plain, parts) if part)
