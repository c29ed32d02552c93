"""Which paths git would ignore, and which nobody wants to search."""

import os
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

MAX_BYTES = 1_000_000  # of an ignore file that is heeded
NAME = ".gitignore"

# Weaker than any ignore file, so that a project with sources in build/ can say `!build/`
EXCLUDED = (
    *("node_modules/", "bower_components/", "jspm_packages/", ".next/", ".nuxt/", ".svelte-kit/", ".turbo/"),
    *(".venv/", "venv/", "__pycache__/", "*.py[cod]", ".tox/", ".nox/", ".eggs/", "*.egg-info/"),
    *(".mypy_cache/", ".pytest_cache/", ".ruff_cache/", ".hypothesis/", ".gradle/", ".terraform/"),
    *("build/", "dist/", ".idea/", ".hg/", ".svn/", ".DS_Store", "Thumbs.db"),
    *("*.o", "*.a", "*.so", "*.dylib", "*.dll", "*.exe", "*.class", "*.obj", "*.lib"),
)


@dataclass(frozen=True, slots=True)
class Layer:
    """The patterns of one file and the folder that they are about; the stronger layers come first."""

    folder: tuple[str, ...]
    "From the workspace; the patterns of folders above it have been given the empty one and a prefix."
    prefix: str
    spec: GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Ignore:
    """What is ignored in one folder: its own patterns and those of all above it."""

    layers: tuple[Layer, ...]

    def ignores(self, parts: tuple[str, ...], *, is_folder: bool) -> bool:
        """Return whether git would ignore the entry (its folder is known not to be ignored)."""
        for layer in self.layers:
            path = layer.prefix + "/".join(parts[len(layer.folder) :]) + ("/" if is_folder else "")
            if (verdict := layer.spec.check_file(path).include) is not None:
                return verdict
        return False

    def below(self, folder: tuple[str, ...], rules: bytes) -> "Ignore":
        """Return what is ignored in a folder that has an ignore file of its own."""
        return Ignore((Layer(folder, "", parse(rules)), *self.layers)) if rules.strip() else self


def parse(rules: bytes) -> GitIgnoreSpec:
    """Return the patterns of an ignore file; lines that git would not understand are skipped."""
    patterns = []
    for line in rules.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n"):
        try:
            patterns.append(GitIgnoreSpecPattern(line.removesuffix("\r")))
        except GitIgnorePatternError:
            continue
    return GitIgnoreSpec(pattern for pattern in patterns if pattern.include is not None)


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
    excluded = Layer((), "", parse("\n".join(EXCLUDED).encode()))
    return Ignore((*(layer for layer in layers if layer), excluded))


def _layer(file: Path, down: Path) -> Layer | None:
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as opened:
        rules = opened.read(MAX_BYTES)
    prefix = "" if down == Path() else f"{down.as_posix()}/"
    return Layer((), prefix, parse(rules)) if rules.strip() else None
