"""Trees of files, and what differs between two of them.

The tree of a snapshot holds `files`, the workspace, and `about`, what git trees cannot say: permissions that
are not 644 or 755, folders without files, and files that were there but too large to be kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import orjson

from artel.tools.snapshots.index import on_disk
from artel.tools.snapshots.repository import Repository, Writer
from artel.tools.workspace.paths import printable

LINK, FILE, PROGRAM, FOLDER = "120000", "100644", "100755", "40000"
PLAIN = {FILE: 0o644, PROGRAM: 0o755, LINK: 0o777}
MAX_DIFF = 200_000  # characters

Kind = Literal["added", "changed", "deleted", "mode"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a link of a tree."""

    mode: str
    "As git writes it."
    blob: str
    permissions: int


State: TypeAlias = Entry | None
"""A file as it is somewhere; None: it is not there."""


@dataclass(frozen=True, slots=True)
class About:
    """What git trees cannot say."""

    permissions: Mapping[str, int] = field(default_factory=dict)
    bare: frozenset[str] = frozenset()
    "Folders in which nothing is kept."
    unkept: frozenset[str] = frozenset()
    "Files too large to be kept, and what is neither file nor link."

    def dumps(self) -> bytes:
        """Return it as bytes, the same for the same content."""
        said = {"permissions": self.permissions, "bare": sorted(self.bare), "unkept": sorted(self.unkept)}
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def loads(cls, data: bytes) -> "About":
        """Return what `dumps` was given."""
        said = orjson.loads(data)
        return cls(said["permissions"], frozenset(said["bare"]), frozenset(said["unkept"]))


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that differs between two trees."""

    path: str
    "For people: what is invisible in it is written out."
    kind: Kind


def git_mode(mode: int) -> str:
    """Return the mode that git knows for a file with these permissions."""
    return PROGRAM if mode & 0o100 else FILE


def write_tree(writer: Writer, files: Mapping[str, tuple[str, str]], folders: Mapping[str, str]) -> str:
    """Add the tree of a folder (files: name → mode and blob; folders: name → tree), and return its name."""
    rows = [(name.encode("latin-1"), mode, blob) for name, (mode, blob) in files.items()]
    rows += [(name.encode("latin-1") + b"/", FOLDER, tree) for name, tree in folders.items()]
    return writer.add(
        "tree",
        b"".join(
            b"%s %s\0%s" % (mode.encode(), name.removesuffix(b"/"), bytes.fromhex(child))
            for name, mode, child in sorted(rows)
        ),
    )


def write_top(writer: Writer, files: str, about: About) -> str:
    """Add the tree of a snapshot, and return its name."""
    return write_tree(writer, {"about": (FILE, writer.add("blob", about.dumps()))}, {"files": files})


def about_of(repository: Repository, *trees: str) -> list[About]:
    """Return what git could not say of each of these trees."""
    return [About.loads(data) for data in repository.read(f"{tree}:about" for tree in trees)]


def rows_of(data: bytes) -> dict[str, tuple[str, str]]:
    """Return the rows of a tree object: name → mode and object."""
    rows, at = {}, 0
    while at < len(data):
        blank, end = data.index(b" ", at), data.index(b"\0", at)
        rows[data[blank + 1 : end].decode("latin-1")] = (
            data[at:blank].decode(),
            data[end + 1 : end + 21].hex(),
        )
        at = end + 21
    return rows


def differences(repository: Repository, a: str, b: str) -> dict[str, tuple[State, State]]:
    """Return the files that differ between two snapshots, by path, as they are in each.

    Raises:
        SnapshotGone: one of them is not here any more.
    """
    repository.check(a, b)
    if a == b:
        return {}
    before, after = about_of(repository, a, b)
    found = _differing(repository, a, b, before, after)
    odd = {path for path in {**before.permissions, **after.permissions} if path not in found}
    only_modes = [path for path in odd if before.permissions.get(path) != after.permissions.get(path)]
    if only_modes:
        found |= _same_content(repository, b, only_modes, before, after)
    return dict(sorted(found.items()))


def changed(repository: Repository, a: str, b: str) -> list[Changed]:
    """Return the files that differ between two snapshots, by path, and how.

    Raises:
        SnapshotGone: one of them is not here any more.
    """
    return [Changed(shown(path), kind_of(*states)) for path, states in differences(repository, a, b).items()]


def kind_of(before: State, after: State) -> Kind:
    """Name what happened to a file."""
    if before is None:
        return "added"
    if after is None:
        return "deleted"
    return "mode" if (before.blob, before.mode == LINK) == (after.blob, after.mode == LINK) else "changed"


def diff(repository: Repository, a: str, b: str) -> str:
    """Return the unified diff from one snapshot to another; cut at MAX_DIFF, and it says so.

    Raises:
        SnapshotGone: one of them is not here any more.
    """
    repository.check(a, b)
    options = ("-p", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
    said = repository.git("diff-tree", *options, f"{a}:files", f"{b}:files").decode("utf-8", "replace")
    if len(said) <= MAX_DIFF:
        return said
    return f"{said[: said.rindex(chr(10), 0, MAX_DIFF) + 1]}… {len(said)} characters in all\n"


def shown(path: str) -> str:
    """Return a path of ours as people read it."""
    return printable(on_disk(path))


def entry(about: About, path: str, mode: str, blob: str) -> Entry:
    """Return an entry with its permissions."""
    return Entry(mode, blob, PLAIN[LINK] if mode == LINK else about.permissions.get(path, PLAIN[mode]))


def _differing(
    repository: Repository, a: str, b: str, before: About, after: About
) -> dict[str, tuple[State, State]]:
    output = repository.git("diff-tree", "-r", "-z", "--no-renames", "--raw", f"{a}:files", f"{b}:files")
    parts = output.decode("latin-1").split("\0")
    found: dict[str, tuple[State, State]] = {}
    for row, path in zip(parts[::2], parts[1::2], strict=False):
        old_mode, new_mode, old, new, _ = row.removeprefix(":").split(" ")
        was = entry(before, path, old_mode, old) if old_mode in PLAIN else None
        now = entry(after, path, new_mode, new) if new_mode in PLAIN else None
        found[path] = (was, now)
    return found


def _same_content(
    repository: Repository, tree: str, paths: list[str], before: About, after: About
) -> dict[str, tuple[State, State]]:
    """Return files of which only the permissions differ; git knows no difference."""
    wanted = set(paths)
    listed = repository.git("ls-tree", "-r", "-z", f"{tree}:files").decode("latin-1").split("\0")
    found: dict[str, tuple[State, State]] = {}
    for row in filter(None, listed):
        head, path = row.split("\t", 1)
        if path in wanted:
            mode, _, blob = head.split(" ")
            found[path] = (entry(before, path, mode, blob), entry(after, path, mode, blob))
    return found
