"""See what files there are: one folder, or all that match a pattern."""

from itertools import islice
from pathlib import Path

from artel.tools.workspace import globs, opening, paths, tree
from artel.tools.workspace.tree import Budget, Entry

MAX_ENTRIES = 1_000  # listed in one answer
IGNORED_SHOWN = 20


def ls(root: Path, path: str = ".", *, recursive: bool = False) -> str:
    """Return what stands in a folder, one entry a line; folders end in `/`, files have their size.

    What is ignored is only named at the end. `recursive` lists the files of all folders below instead.

    Raises:
        OutsideWorkspace, DeniedPath, NoSuchFile: as for every path.
        WrongKind: it is a file.
    """
    place = paths.resolve(root, path)
    if recursive:
        return _paths(root, place, Budget(), lambda _path: True, f"there are no files in {place.relative}")
    budget = Budget()
    with opening.folder(place) as handle:
        found = tree.entries(handle, place)
        ignored = tree.heeding(handle, place, tree.ignored_on_the_way(root, place))
    budget.spend(len(found))
    dropped = {e for e in found if ignored.ignores(e.place.parts, is_folder=e.kind == "folder")}
    shown = [entry for entry in found if entry not in dropped]
    lines = [_line(entry) for entry in shown[:MAX_ENTRIES]]
    if len(shown) > MAX_ENTRIES:
        lines.append(f"[{MAX_ENTRIES} of {len(shown)} entries; use glob to find more]")
    if dropped:
        names = [entry.place.name + "/" * (entry.kind == "folder") for entry in found if entry in dropped]
        more = f", and {len(names) - IGNORED_SHOWN} more" if len(names) > IGNORED_SHOWN else ""
        lines.append(f"[ignored: {', '.join(names[:IGNORED_SHOWN])}{more}]")
    return "\n".join(lines) or f"[{place.relative} is empty]"


def glob(root: Path, pattern: str, path: str = ".") -> str:
    """Return the files at and below `path` that match `pattern`, sorted, one path from the workspace a line.

    The pattern is about the path from `path`; without `/` it is about names at any depth.

    Raises:
        ToolRefused: it is no pattern.
        OutsideWorkspace, DeniedPath, NoSuchFile, WrongKind: as in ls.
    """
    matches = globs.matcher(pattern)
    place = paths.resolve(root, path)
    return _paths(root, place, Budget(), matches, f"no file in {place.relative} matches {pattern}")


def _paths(root: Path, place: paths.Place, budget: Budget, matches: globs.Matcher, none: str) -> str:
    skip = len(place.parts)
    found = (
        entry.place.relative
        for entry in tree.walk(root, place, budget)
        if entry.kind != "other" and matches("/".join(entry.place.parts[skip:]))
    )
    lines = list(islice(found, MAX_ENTRIES + 1))
    notes = [budget.stopped] if budget.stopped else []
    if len(lines) > MAX_ENTRIES:
        lines.pop()
        notes.append(f"only the first {MAX_ENTRIES} are shown; narrow the pattern or the path")
    if not lines:
        notes.insert(0, none)
    return "\n".join([*lines, *(f"[{note}]" for note in notes)])


def _line(entry: Entry) -> str:
    match entry.kind:
        case "folder":
            return f"{entry.place.name}/"
        case "file":
            return f"{entry.place.name}  {size(entry.size)}"
        case _:
            return f"{entry.place.name}  ({'a link' if entry.kind == 'link' else 'not a file'})"


def size(count: int) -> str:
    """Return a number of bytes in words.

    >>> size(999), size(15_000), size(7_340_032)
    ('999 B', '14.6 KB', '7.0 MB')
    """
    if count < 1_024:
        return f"{count} B"
    return f"{count / 1_024:.1f} KB" if count < 1_048_576 else f"{count / 1_048_576:.1f} MB"
