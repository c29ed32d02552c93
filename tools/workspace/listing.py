"""See what files there are: one folder, or all that match a pattern."""

from bisect import bisect_right
from itertools import accumulate, islice
from pathlib import Path

from artel.tools.workspace import globs, opening, paths, tree
from artel.tools.workspace.paths import printable
from artel.tools.workspace.tree import Budget, Entry

MAX_ENTRIES = 1_000  # listed in one answer
MAX_CHARS = 40_000  # about 10k tokens
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
        return _paths(root, place, Budget(), lambda _path: True, f"there are no files in {place.shown}")
    with opening.folder(place) as handle:
        found = tree.entries(handle, place)
        ignored = tree.heeding(handle, place, tree.ignored_on_the_way(root, place))
    dropped = [e for e in found if ignored.ignores(e.place.parts, is_folder=e.kind == "folder")]
    unseen = set(dropped)
    lines, notes = _cut([_line(entry) for entry in found if entry not in unseen])
    if dropped:
        names = [
            printable(entry.place.name) + "/" * (entry.kind == "folder") for entry in dropped[:IGNORED_SHOWN]
        ]
        more = f", and {len(dropped) - IGNORED_SHOWN} more" if len(dropped) > IGNORED_SHOWN else ""
        notes.append(f"ignored: {', '.join(names)}{more}")
    return _answer(lines, notes or ([] if lines else [f"{place.shown} is empty"]))


def glob(root: Path, pattern: str, path: str = ".") -> str:
    """Return the files at and below `path` that match `pattern`, sorted, one path from the workspace a line.

    The pattern is about the path from `path`; without `/` it is about names at any depth.

    Raises:
        ToolRefused: it is no pattern.
        OutsideWorkspace, DeniedPath, NoSuchFile, WrongKind: as in ls.
    """
    matches = globs.matcher(pattern)
    place = paths.resolve(root, path)
    return _paths(root, place, Budget(), matches, f"no file in {place.shown} matches {printable(pattern)}")


def _paths(root: Path, place: paths.Place, budget: Budget, matches: globs.Matcher, none: str) -> str:
    skip = len(place.parts)
    found = (
        entry.place.shown
        for entry in tree.walk(root, place, budget)
        if entry.kind != "other" and matches("/".join(entry.place.parts[skip:]))
    )
    lines, notes = _cut(list(islice(found, MAX_ENTRIES + 1)))
    if budget.stopped:
        notes.append(budget.stopped)
    return _answer(lines, notes if lines else [none, *notes])


def _cut(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return the lines that fit in one answer, and a note if those are not all."""
    fit = bisect_right(list(accumulate(len(line) + 1 for line in lines)), MAX_CHARS)
    shown = lines[: min(fit, MAX_ENTRIES)]
    if len(shown) == len(lines):
        return shown, []
    return shown, [f"only the first {len(shown)} are shown; use glob, or narrow the pattern or the path"]


def _answer(lines: list[str], notes: list[str]) -> str:
    return "\n".join([*lines, *(f"[{note}]" for note in notes)])


def _line(entry: Entry) -> str:
    match entry.kind:
        case "folder":
            return f"{printable(entry.place.name)}/"
        case "file":
            return f"{printable(entry.place.name)}  {size(entry.size)}"
        case _:
            return f"{printable(entry.place.name)}  ({'a link' if entry.kind == 'link' else 'not a file'})"


def size(count: int) -> str:
    """Return a number of bytes in words.

    >>> size(999), size(15_000), size(7_340_032)
    ('999 B', '14.6 KB', '7.0 MB')
    """
    if count < 1_024:
        return f"{count} B"
    return f"{count / 1_024:.1f} KB" if count < 1_048_576 else f"{count / 1_048_576:.1f} MB"
