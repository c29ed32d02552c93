"""Apply a patch of several files: all of it, where it is certain which lines are meant, or nothing."""

from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

from artel.tools.errors import ToolRefused
from artel.tools.workspace import envelope, matching, moving, nearest, opening, paths, text
from artel.tools.workspace.change import Change, created, rewritten
from artel.tools.workspace.changeset import ChangeSet
from artel.tools.workspace.draft import Draft
from artel.tools.workspace.edit import check_content, check_writable
from artel.tools.workspace.envelope import Hunk, Section
from artel.tools.workspace.matching import BLANKS, Hit, NotFound, NotUnique
from artel.tools.workspace.opening import Found
from artel.tools.workspace.paths import Place
from artel.tools.workspace.read import MAX_FILE_BYTES

RUNGS = (("exact", str), ("trailing blanks ignored", lambda line: line.rstrip(BLANKS)))
SHOWN = 20  # line numbers named
MAX_BLOCKS = 200  # that one @@ line may open


class Splice(NamedTuple):
    """Lines start:end of a file become `new`."""

    start: int
    end: int
    new: tuple[str, ...]


def plan(root: Path, patch: str, *, made: Collection[str] = ()) -> ChangeSet:
    """Return the changes that a patch in the GPT form asks for, touching nothing.

    A hunk stands where its lines (those that stay and those that go) occur once, exactly or but for trailing
    blanks; `@@` lines say behind which lines that is, and a block they open is looked at first. Line ends,
    encoding, final newline and permissions stay as the files have them. Changes of the paths in `made` were
    made before, and are left out.

    Raises:
        BadPatch: it is not in the form.
        NotFound, NotUnique: a hunk has no certain place; the message names file, hunk and nearest region.
        ToolRefused, ToolFailed: a file cannot be changed so; the message says why.
    """
    check_content(patch, "input")
    sections = envelope.parse(patch)
    changes = [change for section in sections for change in _planned(root, section, made)]
    return ChangeSet(tuple(changes))


def _planned(root: Path, section: Section, made: Collection[str]) -> Iterator[Change]:
    place = paths.resolve(root, section.path)
    if place.relative in made:
        return
    match section.kind:
        case "Add":
            yield created(moving.free(root, section.path), "".join(f"{line}\n" for line in section.content))
        case "Delete":
            yield moving.delete(root, section.path)
        case _ if section.move_to:
            place, found = moving.existing(root, section.path)
            target = moving.free(root, section.move_to, made=made)
            after = _updated(place, found, section.hunks) if section.hunks else None
            yield from moving.moved(found, place, target, after, made=made)
        case _:
            yield _updated(place, opening.read_bytes(place, limit=MAX_FILE_BYTES), section.hunks)


def _updated(place: Place, found: Found, hunks: Sequence[Hunk]) -> Change:
    check_writable(found, place)
    before = text.decode(found.data, place.relative)
    draft = Draft(before.text)
    view = draft.view
    lines = view.removesuffix("\n").split("\n") if view else []
    splices: list[Splice] = []
    how: list[str] = []
    for number, hunk in enumerate(hunks, start=1):
        where = f"{place.relative}, hunk {number} of {len(hunks)}{_named(hunk)}"
        at, strategy = _place(lines, hunk, where)
        splices += _splices(hunk, at)
        how.append(f"{strategy}, line {at + 1}")
    splices.sort(key=lambda splice: splice[:2])
    for one, other in pairwise(splices):
        if other.start < one.end or other.start == one.start:
            raise ToolRefused(f"{place.relative}: two hunks change line {other.start + 1}; join them")
    draft.put(_hits(view, lines, splices))
    if draft.after == before.text:
        raise ToolRefused(f"{place.relative}: the hunks change nothing")
    return rewritten(
        place.relative, found.data, before, draft.after, "; ".join(how), compared=draft.compared()
    )


def _named(hunk: Hunk) -> str:
    return f" (@@ {' @@ '.join(hunk.anchors)[:120]})" if hunk.anchors else ""


def _place(lines: list[str], hunk: Hunk, where: str) -> tuple[int, str]:
    """Return the line where a hunk stands, and how it was found."""
    if not hunk.old:
        return _added(lines, hunk, where), "added"
    behind = _behind(lines, hunk.anchors, where)
    outside: list[int] = []
    for strategy, key in RUNGS:
        found = matching.windows(lines, hunk.old, key)
        if hunk.at_end:
            found = [at for at in found if at + len(hunk.old) == len(lines)]
        near = _narrowed(found, behind) if behind is not None else found
        if len(near) == 1:
            return near[0], strategy
        if near:
            at = ", ".join(str(line + 1) for line in near[:SHOWN]) + (", …" if len(near) > SHOWN else "")
            raise NotUnique(
                f"{where}: its lines occur {len(near)} times, at lines {at}; "
                "add lines of context or an @@ line until the place is certain"
            )
        outside += found
    if outside:
        raise NotFound(f"{where}: its lines occur at line {outside[0] + 1}, not in what its @@ line opens")
    end = " at the end of the file" if hunk.at_end else ""
    raise NotFound(f"{where}: its lines do not occur{end}{nearest.region(lines, chr(10).join(hunk.old))}")


def _added(lines: list[str], hunk: Hunk, where: str) -> int:
    if lines and not hunk.at_end:
        raise NotUnique(
            f"{where} only adds lines and does not say where; give it the line before or after as context, "
            f"or end it with {envelope.END_OF_FILE!r}"
        )
    return len(lines)


def _behind(lines: Sequence[str], anchors: Sequence[str], where: str) -> list[tuple[int, int]] | None:
    """Return the blocks that the last anchor opens, each from its line to the first outside; None: all."""
    blocks = [(0, len(lines))]
    for anchor in anchors:
        alike = [at for at, line in enumerate(lines) if line.strip() == anchor]
        opened = _inside(alike, blocks)
        if not opened:
            raise NotFound(f"{where}: there is no line {anchor!r}{nearest.region(lines, anchor)}")
        if len(opened) > MAX_BLOCKS:
            raise NotUnique(
                f"{where}: the line {anchor!r} occurs {len(opened)} times; name one that says more"
            )
        blocks = [(at, _end_of_block(lines, at)) for at in opened]
    return blocks if anchors else None


def _end_of_block(lines: Sequence[str], at: int) -> int:
    """Return the first line after `at` that is indented no more and neither closes nor opens the block."""
    indent = _indent(lines[at])
    for number in range(at + 1, len(lines)):
        line = lines[number].strip()
        if not line or _indent(lines[number]) > indent:
            continue
        if line[0] not in "{})]":
            return number
        if line[0] != "{" and line[-1] not in "{:([":  # `) -> int:` and `} else {` go on
            return number + 1
    return len(lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(BLANKS))


def _narrowed(found: Sequence[int], blocks: Sequence[tuple[int, int]]) -> list[int]:
    """Return the places inside one of the blocks; if there are none, the only one behind their first line."""
    return _inside(found, blocks) or [at for at in found if len(found) == 1 and at >= blocks[0][0]]


def _inside(places: Sequence[int], blocks: Sequence[tuple[int, int]]) -> list[int]:
    """Return those of `places` that lie in one of the `blocks`, both in order."""
    found: list[int] = []
    begun = reach = 0
    for at in places:
        while begun < len(blocks) and blocks[begun][0] <= at:
            reach = max(reach, blocks[begun][1])
            begun += 1
        if at < reach:
            found.append(at)
    return found


def _splices(hunk: Hunk, at: int) -> Iterator[Splice]:
    """Yield what the hunk changes, when its first line is line `at`; the lines between stay as they are."""
    start = at
    new: list[str] = []
    for mark, line in [*hunk.lines, (" ", "")]:
        if mark == " ":
            if new or start < at:
                yield Splice(start, at, tuple(new))
            at += 1
            start, new = at, []
        elif mark == "-":
            at += 1
        else:
            new.append(line)


def _hits(view: str, lines: Sequence[str], splices: Sequence[Splice]) -> list[Hit]:
    """Return the splices in characters; a last line without an end keeps having none."""
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    closed = not lines or view.endswith("\n")
    hits = []
    for start, end, new in splices:
        added = "".join(f"{line}\n" for line in new)
        if closed or end < len(lines):
            hits.append(Hit(starts[start], starts[end], added))
        elif start < len(lines):
            hits.append(Hit(starts[start], len(view), added.removesuffix("\n")))
        else:
            hits.append(Hit(len(view), len(view), f"\n{added.removesuffix(chr(10))}"))
    return hits
