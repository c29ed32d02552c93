"""What a change consists of: each file as it was at the base, and as it is to be."""

import os
from asyncio import to_thread
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.git import names
from artel.tools.git.errors import GitFailed, NoRepository
from artel.tools.git.repository import Repository, find
from artel.tools.workspace import opening, tree
from artel.tools.workspace.paths import Place, TooLarge, printable

MAX_FILES = 20_000
MAX_BYTES = 5_000_000  # of one file that is judged
MAX_TOTAL = 300_000_000  # bytes of all
AT_ONCE = 100  # blobs that git is asked for
LINK, SUBMODULE = "120000", "160000"

Kind = Literal["file", "link", "gone", "submodule", "large", "other"]


@dataclass(frozen=True, slots=True)
class Changed:
    """One path that is not as it was."""

    path: str
    "As the file system has it; it may hold anything but NUL."
    kind: Kind
    data: bytes = b""
    "What it holds now; of a link where it leads."
    before: bytes | None = None
    "What it held at the base; None: it was no file there, or one too large to be judged."

    @property
    def shown(self) -> str:
        """The path as one line."""
        return printable(self.path)


@dataclass(frozen=True, slots=True)
class Change:
    """All that differs between a base and what is judged."""

    root: Path
    base: str
    "The commit; empty: there is none, and all is new."
    repository: Repository | None
    entries: tuple[Changed, ...]

    def only(self, paths: Sequence[str]) -> "Change":
        """Return what of it lies at or below `paths`."""
        wanted = [names.path(self.root, path) if names.is_text(path) else path for path in paths]
        entries = tuple(one for one in self.entries if any(_is_below(one.path, path) for path in wanted))
        return Change(self.root, self.base, self.repository, entries)

    def digest(self) -> str:
        """Return a digest of what is judged: paths, kinds and contents, whatever way lines end."""
        total = sha256()
        for one in sorted(self.entries, key=lambda each: each.path):
            total.update(os.fsencode(one.path) + b"\0" + one.kind.encode() + b"\0")
            total.update(sha256(one.data.replace(b"\r\n", b"\n")).digest())  # as git converts them
        return total.hexdigest()

    async def at_base(self, path: str) -> bytes | None:
        """Return a file of the base; None if there is none."""
        if not self.repository or not self.base:
            return None
        return await committed(self.repository, self.base, path)


async def committed(repository: Repository, commit: str, path: str) -> bytes | None:
    """Return a file of a commit; None if there is none, or one over MAX_BYTES."""
    listed = await repository.git("--literal-pathspecs", "ls-tree", "-z", "--full-tree", commit, "--", path)
    mode, kind, blob = [*listed.out.partition(b"\t")[0].decode().split(), "", "", ""][:3]
    if kind != "blob" or mode == LINK:
        return None
    return (await _blobs(repository, [blob])).get(blob)


@dataclass(frozen=True, slots=True)
class _Raw:
    path: str
    old_mode: str
    mode: str
    old: str
    new: str


async def collect(root: Path, base: str, head: str | None = None) -> Change:
    """Return what differs between `base` and the working tree, files that git does not know included.

    With `head` it is what differs between two commits, and the working tree is not looked at. Without a
    repository, or before its first commit, all is new.

    Raises:
        BadName: `base` is no commit.
        NoRepository: `root` is only a folder of one.
        UnsafeRepository, GitFailed: git cannot be asked.
        ToolRefused: more has changed than can be judged.
    """
    try:
        repository = await to_thread(find, root)
    except NoRepository:
        if any((above / ".git").exists() for above in root.parents):
            raise  # there is a base, and it would not be looked at
        return Change(root, "", None, await to_thread(_whole_tree, root))
    born = await repository.head()
    commit = await names.commit(repository, base) if base and (born or base != "HEAD") else ""
    raw = await _raw(repository, commit, head)
    if len(raw) > MAX_FILES:
        raise ToolRefused(f"{len(raw)} files have changed, at most {MAX_FILES} are judged: commit in parts")
    wanted = [one.old for one in raw if one.old_mode not in ("", LINK, SUBMODULE)]
    wanted += [one.new for one in raw if head and one.mode not in ("", SUBMODULE)]
    blobs = await _blobs(repository, wanted)
    if head:
        return Change(root, commit, repository, tuple(_committed(one, blobs) for one in raw))
    return Change(root, commit, repository, await to_thread(_read_all, root, raw, blobs))


async def _raw(repository: Repository, base: str, head: str | None) -> list[_Raw]:
    if not base and head is None:
        listed = await repository.git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return [_Raw(path, "", "100644", "", "") for path in sorted(set(_paths(listed.out)))]
    flags = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-relative")
    ends = [base or await _empty(repository), *([head] if head else [])]
    ran = await repository.git("diff", *flags, "--ignore-submodules=dirty", "-O/dev/null", *ends, "--")
    if ran.cut:
        raise ToolRefused("more has changed than can be judged: commit in parts")
    found = list({one.path: one for one in _parsed(_paths(ran.out))}.values())
    if head is None:
        others = await repository.git("ls-files", "-z", "--others", "--exclude-standard")
        known = {one.path for one in found}
        found += [_Raw(path, "", "100644", "", "") for path in _paths(others.out) if path not in known]
    return found


async def _empty(repository: Repository) -> str:
    """Return the id of the tree without a file."""
    return await repository.line("hash-object", "-t", "tree", "--stdin")


def _paths(out: bytes) -> list[str]:
    return [os.fsdecode(part) for part in out.split(b"\0") if part]


def _parsed(parts: list[str]) -> Iterator[_Raw]:
    for info, path in zip(parts[::2], parts[1::2], strict=True):
        old_mode, mode, old, new, status = info.removeprefix(":").split()
        if status == "U":  # in conflict, and told of a second time where both sides have it
            old_mode, mode = "000000", "100644"
        yield _Raw(path, _mode(old_mode), _mode(mode), old, new)


def _mode(mode: str) -> str:
    return "" if mode == "000000" else mode


async def _blobs(repository: Repository, ids: Sequence[str]) -> Mapping[str, bytes]:
    """Return the contents of blobs, those over MAX_BYTES left out."""
    unique = list(dict.fromkeys(one for one in ids if one.strip("0")))
    sizes: dict[str, int] = {}
    checked = await repository.git("cat-file", "--batch-check", stdin="\n".join([*unique, ""]).encode())
    for line in checked.text.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] == "blob":
            sizes[words[0]] = int(words[2])
    small = [one for one in unique if sizes.get(one, MAX_BYTES + 1) <= MAX_BYTES]
    found: dict[str, bytes] = {}
    for start in range(0, len(small), AT_ONCE):
        part = small[start : start + AT_ONCE]
        most = sum(sizes[one] + 200 for one in part)
        ran = await repository.git("cat-file", "--batch", stdin="\n".join([*part, ""]).encode(), at_most=most)
        found |= dict(_unpacked(ran.out, sizes))
        if sum(map(len, found.values())) > MAX_TOTAL:
            raise ToolRefused("more has changed than can be judged: commit in parts")
    return found


def _unpacked(out: bytes, sizes: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(out):
        end = out.index(b"\n", at)
        blob = out[at:end].split()[0].decode()
        yield blob, out[end + 1 : end + 1 + sizes[blob]]
        at = end + 2 + sizes[blob]


def _committed(raw: _Raw, blobs: Mapping[str, bytes]) -> Changed:
    before = blobs.get(raw.old)
    if not raw.mode:
        return Changed(raw.path, "gone", before=before)
    if raw.mode == SUBMODULE:
        return Changed(raw.path, "submodule", raw.new.encode())
    if raw.new not in blobs:
        return Changed(raw.path, "large", raw.new.encode(), before)
    return Changed(raw.path, "link" if raw.mode == LINK else "file", blobs[raw.new], before)


def _read_all(root: Path, raw: Iterable[_Raw], blobs: Mapping[str, bytes]) -> tuple[Changed, ...]:
    found, total = [], 0
    for one in raw:
        before = blobs.get(one.old) if one.old_mode not in ("", LINK, SUBMODULE) else None
        if one.mode == SUBMODULE or one.path.endswith("/"):
            found.append(Changed(one.path.rstrip("/"), "submodule"))
            continue
        found.append(_read(root, one.path, before) if one.mode else Changed(one.path, "gone", before=before))
        total += len(found[-1].data)
        if total > MAX_TOTAL:
            raise ToolRefused(f"more than {MAX_TOTAL // 1_000_000} MB have changed: commit in parts")
    return tuple(found)


def _read(root: Path, path: str, before: bytes | None) -> Changed:
    place = Place(root, tuple(path.split("/")))
    try:
        with opening.folder(place.parent) as folder:
            if (leads := _leads(folder, place.name)) is not None:
                return Changed(path, "link", leads, before)
            return Changed(path, "file", opening.read_entry(folder, place, limit=MAX_BYTES).data, before)
    except TooLarge as error:
        return Changed(path, "large", str(error).encode(), before)
    except ToolFailed as error:
        if not os.path.lexists(root / path):
            return Changed(path, "gone", before=before)
        return Changed(path, "other", str(error).encode(errors="replace"), before)
    except ToolRefused as error:
        return Changed(path, "other", str(error).encode(errors="replace"), before)


def _leads(folder: int, name: str) -> bytes | None:
    try:
        return os.fsencode(os.readlink(name, dir_fd=folder))
    except OSError:  # it is no link, or there is nothing
        return None


def _whole_tree(root: Path) -> tuple[Changed, ...]:
    budget = tree.Budget(seconds=60)
    raw = [
        _Raw(entry.place.relative, "", "100644", "", "")
        for entry in tree.walk(root, Place(root, ()), budget)
        if entry.kind in ("file", "link")
    ]
    if budget.stopped or len(raw) > MAX_FILES:
        raise GitFailed(
            f"there are over {MAX_FILES} files, more than can be judged, and no commit to compare with"
        )
    return _read_all(root, raw, {})


def _is_below(path: str, folder: str) -> bool:
    return folder == "." or path == folder or path.startswith(f"{folder}/")
