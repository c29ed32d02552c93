"""Which paths git would ignore, and which nobody wants to search."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from artel.tools.workspace import wildcards
from artel.tools.workspace.wildcards import Steps, Unmatchable

MAX_BYTES = 1_000_000  # of an ignore file that is heeded
NAME = ".gitignore"

# Weaker than any ignore file, so that a project with sources in build/ can say `!build/`
EXCLUDED = (
    *("node_modules/", "bower_components/", "jspm_packages/", ".next/", ".nuxt/", ".svelte-kit/", ".turbo/"),
    *(".venv/", "venv/", "__pycache__/", "*.py[cod]", ".tox/", ".nox/", ".eggs/", "*.egg-info/"),
    *(".mypy_cache/", ".pytest_cache/", ".ruff_cache/", ".hypothesis/", ".gradle/", ".terraform/"),
    *(".artel-*.tmp", "build/", "dist/", ".idea/", ".hg/", ".svn/", ".DS_Store", "Thumbs.db"),
    *("*.o", "*.a", "*.so", "*.dylib", "*.dll", "*.exe", "*.class", "*.obj", "*.lib"),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an ignore file."""

    pattern: str
    steps: Steps
    anchored: bool
    "About the path from the file's folder; otherwise about the name."
    folders_only: bool
    ignored: bool
    "False: it takes back what an earlier line said."


@dataclass(frozen=True, slots=True)
class Layer:
    """The lines of one file, the last first, and the folder that they are about."""

    folder: tuple[str, ...]
    "From the workspace."
    prefix: tuple[str, ...]
    "From a folder above the workspace down to it, for the files of those."
    rules: tuple[Rule, ...]
    anchored: tuple[Rule, ...]
    names: re.Pattern[str]
    "All rules about names at once: most names match none."

    @classmethod
    def of(cls, folder: tuple[str, ...], prefix: tuple[str, ...], rules: bytes) -> "Layer":
        """Return the layer that an ignore file makes."""
        parsed = parse(rules)
        names = wildcards.any_name(rule.pattern for rule in parsed if not rule.anchored)
        return cls(folder, prefix, parsed, tuple(rule for rule in parsed if rule.anchored), names)


@dataclass(frozen=True, slots=True)
class Ignore:
    """What is ignored in one folder: by its own lines, then by those of the folders above it."""

    layers: tuple[Layer, ...]

    def ignores(self, parts: tuple[str, ...], *, is_folder: bool) -> bool:
        """Return whether git would ignore the entry (its folder is known not to be ignored)."""
        raw = tuple(map(_raw, parts))
        for layer in self.layers:
            path = layer.prefix + raw[len(layer.folder) :]
            for rule in layer.rules if layer.names.fullmatch(path[-1]) else layer.anchored:
                if rule.folders_only and not is_folder:
                    continue
                if wildcards.matches(rule.steps, path if rule.anchored else path[-1:]):
                    return rule.ignored
        return False

    def below(self, folder: tuple[str, ...], rules: bytes) -> "Ignore":
        """Return what is ignored in a folder that has an ignore file of its own."""
        return Ignore((Layer.of(folder, (), rules), *self.layers)) if rules.strip() else self


def parse(rules: bytes) -> tuple[Rule, ...]:
    """Return the rules of an ignore file, the last first; lines that can match nothing are left out."""
    lines = rules.removeprefix(b"\xef\xbb\xbf").decode("latin-1").split("\n")
    found = [_rule(_trimmed(line.removesuffix("\r"))) for line in lines if not line.startswith("#")]
    return tuple(rule for rule in reversed(found) if rule)


def _rule(line: str) -> Rule | None:
    pattern = line.removeprefix("!")
    body = pattern.removesuffix("/")
    if not body.removeprefix("/"):
        return None
    anchored, body = "/" in body, body.removeprefix("/")
    if not anchored and not body.strip("*"):
        body = "*"
    try:
        steps = wildcards.steps(body)
    except Unmatchable:
        return None
    return Rule(body, steps, anchored, folders_only=pattern.endswith("/"), ignored=pattern == line)


def _trimmed(line: str) -> str:
    """Take off blanks at the end that no backslash guards."""
    bare = line.rstrip(" ")
    guards = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if guards % 2 and bare != line else bare


def _raw(name: str) -> str:
    """Return a name byte by byte, as git compares: `?` is half a Russian letter."""
    return name if name.isascii() else os.fsencode(name).decode("latin-1")


def above(root: Path) -> Ignore:
    """Return what is ignored in a workspace before its own `.gitignore` is read.

    That is, the repository's files above it, `.git/info/exclude`, and EXCLUDED.
    """
    layers = []
    repository = next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), None)
    if repository is not None:
        for folder in root.parents:
            if folder.is_relative_to(repository):
                layers.append(_layer(folder / NAME, root.relative_to(folder)))
        layers.append(_layer(repository / ".git" / "info" / "exclude", root.relative_to(repository)))
    excluded = Layer.of((), (), "\n".join(EXCLUDED).encode())
    return Ignore((*(layer for layer in layers if layer), excluded))


def _layer(file: Path, down: Path) -> Layer | None:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as opened:
        rules = opened.read(MAX_BYTES)
    return Layer.of((), tuple(map(_raw, down.parts)), rules) if rules.strip() else None
