"""Which files a step may touch, as globs: whether two such scopes are apart, whether a file is in one."""

import re
from collections.abc import Sequence
from unicodedata import normalize

from artel.tools.workspace.globs import matcher

_WILD = re.compile(r"[*?\[\]{}!\\]")


def apart(one: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether no file can be in both scopes, as far as their fixed beginnings prove it.

    An empty scope is every file. A doubt counts as a meeting: `src/*.py` and `src/*.md` are not apart.

    >>> apart(["src/a/**"], ["src/b/c.py"]), apart(["src"], ["src/b.py"]), apart([], ["a"])
    (True, False, False)
    """
    return bool(one and other) and all(_apart(_fixed(a), _fixed(b)) for a in one for b in other)


def inside(path: str, scope: Sequence[str]) -> bool:
    """Say whether a file, by its real path from the workspace, is in a scope; a folder holds all below it.

    >>> inside("src/a/b.py", ["src/a"]), inside("b.py", ["src/*.py"]), inside("x", [])
    (True, False, True)
    """
    return not scope or any(matcher(glob)(path) for each in scope for glob in _globs(each))


def _globs(each: str) -> tuple[str, ...]:
    bare = each.removeprefix("./").rstrip("/")
    anchored = bare if "/" in bare else f"./{bare}"  # else it would be about the last component alone
    return (anchored, f"{anchored}/**")


def _fixed(glob: str) -> list[str]:
    """Return the components before the first wildcard; names that some file systems take for one are one."""
    parts = [part for part in normalize("NFC", glob).casefold().split("/") if part not in ("", ".")]
    wild = next((place for place, part in enumerate(parts) if _WILD.search(part)), len(parts))
    return parts[:wild]


def _apart(one: Sequence[str], other: Sequence[str]) -> bool:
    return any(a != b for a, b in zip(one, other, strict=False))
