"""What a file would become: planned when asked and shown to people; `changeset` makes it."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from artel.tools.errors import ToolFailed
from artel.tools.workspace import diff, opening, paths, syntax, text
from artel.tools.workspace.diff import Span
from artel.tools.workspace.paths import NoSuchFile, Place, TooLarge
from artel.tools.workspace.read import MAX_FILE_BYTES


class Stale(ToolFailed):
    """The file is no longer what the change was planned for."""

    code = "file_changed"


@dataclass(frozen=True)
class Change:
    """What a file would become."""

    path: str
    before: bytes | None = field(repr=False)
    "The file as it was when planned; None: there was none."
    after: bytes | None = field(repr=False)
    "The file as it would be; None: there would be none."
    diff: str = field(repr=False)
    strategy: str
    "How the place was found, in words for people."
    problems: tuple[str, ...] = ()
    "Syntax errors and invisible characters that it brings in, for the model and for the person asked."
    whole: bool = False
    "Whether the model gave the whole content, and so knows it."
    spans: tuple[Span, ...] = field(default=(), repr=False)
    "The lines that differ; none: the file changes as a whole."
    mode: int | None = None
    "Permissions of a file that is made; None: the usual ones."
    pair: str = ""
    "The other path of a move, of which both changes are made or none."

    @cached_property
    def before_sha(self) -> str | None:
        """sha256 of the file as it was when planned; None: there was none."""
        return digest(self.before)

    @cached_property
    def after_sha(self) -> str | None:
        """sha256 of the file once the change is made; None: there is none."""
        return digest(self.after)

    @property
    def intent(self) -> dict[str, str | int | None]:
        """What is noted before the change is made: enough to tell afterwards whether it was, and its size."""
        known = {"path": self.path, "before_sha": self.before_sha, "after_sha": self.after_sha}
        return {**known, "added": self.added, "removed": self.removed}

    @property
    def added(self) -> int:
        """Lines that it brings in."""
        return sum(b2 - b1 for _, _, b1, b2 in self.spans) if self.spans else _lines(self.after)

    @property
    def removed(self) -> int:
        """Lines that it takes away."""
        return sum(a2 - a1 for a1, a2, _, _ in self.spans) if self.spans else _lines(self.before)


def _lines(data: bytes | None) -> int:
    return 0 if not data else data.count(b"\n") + (not data.endswith(b"\n"))


def digest(data: bytes | None) -> str | None:
    """Return the sha256 of a file's bytes in hex, None for no file."""
    return None if data is None else hashlib.sha256(data).hexdigest()


def current_sha(root: Path, path: str) -> str | None:
    """Return the sha256 of the file as it is now; None: there is none."""
    try:
        return digest(opening.read_bytes(paths.resolve(root, path), limit=MAX_FILE_BYTES).data)
    except NoSuchFile:
        return None


def rewritten(
    path: str,
    before: bytes,
    old: text.Text,
    new: str,
    strategy: str,
    *,
    compared: diff.Compared | None = None,
    whole: bool = False,
) -> Change:
    """Return the change of a file's text `old` (`before` on disk) into `new`, kept as the file is.

    `compared` are the lines of both, if they are known.

    Raises:
        ToolRefused: the file's encoding has no such character.
        TooLarge: we could not read the file afterwards.
    """
    data = old.encode(new)
    if len(data) >= MAX_FILE_BYTES:
        raise TooLarge(f"{path} would have {len(data)} bytes; files stay below {MAX_FILE_BYTES}")
    lines, others, spans = compared or _compared(old.text, new)
    return Change(
        path=path,
        before=before,
        after=data,
        diff=diff.unified(path, lines, others, spans),
        strategy=strategy,
        problems=(*text.hidden(old.text, new), *syntax.introduced(path, old.text, new)),
        whole=whole,
        spans=tuple(spans),
    )


def _compared(before: str, after: str) -> diff.Compared:
    lines, others = diff.lines_of(before), diff.lines_of(after)
    return diff.Compared(lines, others, diff.changed(lines, others))


def created(place: Place, content: str) -> Change:
    """Return the change that makes a new text file."""
    lines = diff.lines_of(content)
    return Change(
        path=place.relative,
        before=None,
        after=content.encode(),
        diff=diff.unified(place.relative, None, lines, [(0, 0, 0, len(lines))] if lines else []),
        strategy=f"new file, {len(lines)} lines",
        problems=(*text.hidden("", content), *syntax.introduced(place.relative, "", content)),
        whole=True,
    )
