"""The parts of a change set that a person can take or leave, each by its id."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from artel.tools.errors import ToolFailed
from artel.tools.workspace import diff, text
from artel.tools.workspace.change import Change, rewritten
from artel.tools.workspace.changeset import ChangeSet
from artel.tools.workspace.diff import Span

MAX_HUNKS = 200  # of a file; more are one
ID_CHARS = 12  # of a sha256 in hex: nobody finds another hunk with the same


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of a file that change together."""

    id: str
    "Told from its content, so that the same id always means the same change."
    header: str
    "As in the diff, or what becomes of the file as a whole."
    text: str
    "As in the diff."
    spans: tuple[Span, ...] = ()
    "Empty: the file as a whole."


class NoSuchHunk(ToolFailed):
    """The change has no hunk of that id, or none was chosen."""

    code = "no_such_hunk"


def of(change: Change) -> list[Hunk]:
    """Return the hunks of a change; what a person cannot be shown in parts is one hunk.

    That is a file that is made, deleted or moved, both changes of a move having the same one, and a diff
    that was cut.
    """
    found = list(_parts(change)) if change.spans and not change.pair else []
    if not 1 < len(found) <= MAX_HUNKS or _is_cut(change):
        return [_whole(change, found)]
    return found


def only(planned: ChangeSet, ids: Collection[str]) -> ChangeSet:
    """Return the part of a change set that has just the hunks of these `ids`.

    Raises:
        NoSuchHunk: there is no hunk of one of the ids, or there are no ids.
        ToolRefused: what is left changes nothing.
    """
    parts = [(change, of(change)) for change in planned.changes]
    known = {hunk.id for _, hunks in parts for hunk in hunks}
    if unknown := sorted(set(ids) - known):
        raise NoSuchHunk(f"the change has no hunk {', '.join(unknown)}; it has {', '.join(sorted(known))}")
    return taken(planned, ids)


def taken(planned: ChangeSet, ids: Collection[str]) -> ChangeSet:
    """Return the same, where some of the `ids` may belong to changes that were made before."""
    kept, left = [], []
    for change in planned.changes:
        hunks = of(change)
        chosen = [hunk for hunk in hunks if hunk.id in ids]
        if left_out := [hunk.text for hunk in hunks if hunk.id not in ids]:
            left.append("".join([f"--- {change.path}\n", *left_out]))
        if chosen:
            kept.append(change if len(chosen) == len(hunks) else _partly(change, chosen, len(hunks)))
    if not kept:
        raise NoSuchHunk("no hunk of the change was chosen; to make none of it is to reject it")
    return ChangeSet(tuple(kept), "".join(left)) if left else planned


def _parts(change: Change) -> Iterator[Hunk]:
    _, old, new = _texts(change)
    lines, others = diff.lines_of(old), diff.lines_of(new)
    for spans in diff.grouped(change.spans):
        header, *body = diff.rendered(spans, lines, others)
        said = "".join([header, *body])
        yield Hunk(_id(change, said), header.strip(), said, tuple(spans))


def _whole(change: Change, found: Sequence[Hunk]) -> Hunk:
    if change.pair:
        src, dst = (change.pair, change.path) if change.after is not None else (change.path, change.pair)
        return Hunk(_sha("move", src, dst), f"move {src} to {dst}", change.diff or f"{src} moves to {dst}\n")
    if len(found) == 1:
        header = found[0].header
    elif change.before is None:
        header = "new file"
    else:
        header = "deleted file" if change.after is None else "the whole file"
    return Hunk(_id(change, change.after_sha or ""), header, change.diff)


def _partly(change: Change, chosen: Sequence[Hunk], count: int) -> Change:
    """Return the change with some hunks only; the other lines stay as they were."""
    before, old, new = _texts(change)
    lines, others = diff.lines_of(old), diff.lines_of(new)
    pieces: list[str] = []
    spans: list[Span] = []
    at = 0
    for a1, a2, b1, b2 in (span for hunk in chosen for span in hunk.spans):
        pieces += lines[at:a1]
        spans.append((a1, a2, len(pieces), len(pieces) + b2 - b1))
        pieces += others[b1:b2]
        at = a2
    pieces += lines[at:]
    strategy = f"{change.strategy}; {len(chosen)} of {count} hunks"
    after = "".join(pieces)
    compared = diff.Compared(lines, diff.lines_of(after), spans)
    return rewritten(change.path, before.encode(old), before, after, strategy, compared=compared)


def _texts(change: Change) -> tuple[text.Text, str, str]:
    if change.before is None or change.after is None:
        raise AssertionError(f"{change.path} has no lines to compare")
    before = text.decode(change.before, change.path)
    return before, before.text, before.again(change.after)


def _is_cut(change: Change) -> bool:
    return change.diff.rstrip("\n").rsplit("\n", 1)[-1].startswith(diff.CUT)


def _id(change: Change, said: str) -> str:
    return _sha(change.path, change.before_sha or "", said)


def _sha(*parts: str) -> str:
    framed = "".join(f"{len(part)}:{part}" for part in parts)
    return sha256(framed.encode("utf-8", "surrogatepass")).hexdigest()[:ID_CHARS]
