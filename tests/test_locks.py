"""The lock files: what `make setup` installs is what the project asks for."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ASKED = {
    "core": PROJECT["project"]["dependencies"],
    "dev": PROJECT["dependency-groups"]["dev"],
    **PROJECT["project"]["optional-dependencies"],
}


def pinned(lock: str) -> Iterator[tuple[str, Requirement]]:
    """The requirements of a lock file, by name; a package may have one for each kind of machine."""
    for line in (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines():
        if line and not line.startswith((" ", "#", "-")):
            requirement = Requirement(line.rstrip("\\ "))
            yield canonicalize_name(requirement.name), requirement


def version(requirement: Requirement) -> Version:
    """The one version that a lock file allows."""
    (specifier,) = requirement.specifier
    return Version(specifier.version)


@pytest.mark.parametrize("lock", ASKED)
def test_a_lock_holds_what_the_project_asks_for(lock: str) -> None:
    """A dependency that was added without `make lock` is missing on every machine but its author's."""
    held: dict[str, list[Version]] = {}
    for name, requirement in pinned(lock):
        held.setdefault(name, []).append(version(requirement))
    for asked in map(Requirement, ASKED[lock]):
        versions = held.get(canonicalize_name(asked.name))
        assert versions, f"{asked.name} is not in {lock}.txt: run `make lock`"
        assert all(asked.specifier.contains(one, prereleases=True) for one in versions), asked


@pytest.mark.parametrize("lock", ASKED)
def test_every_direct_dependency_has_a_floor(lock: str) -> None:
    """Without one a resolver in a corner falls back to a release that is years old, and says nothing."""
    asked = [Requirement(line) for line in ASKED[lock]]
    assert not [
        one.name for one in asked if not {"==", ">=", "~="} & {part.operator for part in one.specifier}
    ]


def test_all_locks_agree() -> None:
    """Tests on other versions than those that users get prove nothing for users."""
    held: dict[str, set[str]] = {}
    for lock in (*ASKED, "build"):
        for name, requirement in pinned(lock):
            key = f"{name} {requirement.marker or ''}"
            held.setdefault(key, set()).add(str(version(requirement)))
    assert not {name: versions for name, versions in held.items() if len(versions) > 1}
