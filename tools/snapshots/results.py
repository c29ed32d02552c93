"""What became of files: each as it was and as it is, and the patch that leads from one to the other.

Files that name secrets stay out; so does what snapshots do not keep.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from artel.tools.snapshots.grafting import grafted
from artel.tools.snapshots.index import on_disk
from artel.tools.snapshots.repository import Repository, Writer, opened
from artel.tools.snapshots.trees import State, about_of, differences, entry, shown, write_tree
from artel.tools.snapshots.undoing import Step
from artel.tools.workspace.secrets import is_secret

SECRET = "it is kept secret, by its name"  # noqa: S105 - a reason
UNKEPT = "it is too large to be kept, or is neither file nor link"
BATCH_BYTES = 8 * 1_048_576  # of files that are held in memory; a larger one alone
OPTIONS = ("-p", "-r", "-M", "--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color")

States = Mapping[str, tuple[State, State]]


@dataclass(frozen=True, slots=True)
class Result:
    """Files as they were and as they are, in the repository that keeps them."""

    repository: Repository
    changed: States
    "By path, as snapshots name paths."
    whole: str | None
    "The snapshot of all files in the end."
    base: str | None = None
    "The snapshot of all files in the beginning; None: the changes were made between those of others."
    left_out: Mapping[str, str] = field(default_factory=dict)
    "Path → why it is in no patch and no archive."

    def files(self, *, everything: bool) -> dict[str, State]:
        """Return the files in the end: those that changed and are there, or all that are kept."""
        if not everything or self.whole is None:
            return {path: now for path, (_, now) in self.changed.items() if now}
        (about,) = about_of(self.repository, self.whole)
        listed = self.repository.git("ls-tree", "-r", "-z", f"{self.whole}:files").decode("latin-1")
        rows = (row.split("\t", 1) for row in listed.split("\0") if row)
        heads = ((path, head.split(" ")) for head, path in rows if not is_secret(on_disk(path)))
        return {path: entry(about, path, mode, blob) for path, (mode, _, blob) in heads}

    def patch(self, file: Path) -> None:
        """Write the patch into `file`, as `git apply` takes it: binary files, modes and renames with it.

        Raises:
            SnapshotFailed: it cannot be written.
        """
        with opened(self.repository):
            writer = Writer(self.repository)
            before, after = (_tree(self.repository, writer, self.changed, at) for at in (0, 1))
            writer.flush()
            self.repository.git("diff-tree", *OPTIONS, f"--output={file}", before, after)

    def contents(self, files: Mapping[str, State]) -> Iterator[tuple[str, State, bytes]]:
        """Yield files with what is in them, few at a time."""
        for part in self._parts(files):
            blobs = self.repository.read(state.blob for _, state in part if state)
            for (path, state), content in zip(part, blobs, strict=True):
                yield path, state, content

    def _parts(self, files: Mapping[str, State]) -> Iterator[list[tuple[str, State]]]:
        names = "".join(f"{state.blob}\n" for state in files.values() if state)
        told = self.repository.git("cat-file", "--batch-check=%(objectsize)", given=names.encode()).split()
        part: list[tuple[str, State]] = []
        size = 0
        for one, its_size in zip(files.items(), map(int, told), strict=True):
            if part and size + its_size > BATCH_BYTES:
                yield part
                part, size = [], 0
            part.append(one)
            size += its_size
        if part:
            yield part


def result_of(repository: Repository, steps: Sequence[Step]) -> Result:
    """Return what steps, the oldest first, made of the files they touched; not what others made of those.

    Raises:
        SnapshotGone: a snapshot of them is not here any more.
    """
    touched: dict[str, tuple[State, State]] = {}
    ended = [(step.before, step.after) for step in steps if step.after]
    for before, after in ended:
        for path, (was, now) in differences(repository, before, after).items():
            touched[path] = (touched[path][0] if path in touched else was, now)
    return _without_secrets(repository, touched, ended[-1][1] if ended else None, None)


def result_since(repository: Repository, base: str, end: str) -> Result:
    """Return what became of the files between two snapshots.

    Raises:
        SnapshotGone: one of them is not here any more.
    """
    return _without_secrets(repository, differences(repository, base, end), end, base)


def _without_secrets(repository: Repository, touched: States, whole: str | None, base: str | None) -> Result:
    changed = {path: states for path, states in sorted(touched.items()) if states[0] != states[1]}
    secret = [path for path in changed if is_secret(on_disk(path))]
    left_out = {shown(path): SECRET for path in secret}
    if whole:
        left_out |= {shown(path): UNKEPT for path in about_of(repository, whole)[0].unkept}
    kept = {path: states for path, states in changed.items() if path not in secret}
    return Result(repository, kept, whole, base, left_out)


def _tree(repository: Repository, writer: Writer, changed: States, at: int) -> str:
    there = ((path, states[at]) for path, states in changed.items())
    rows = {tuple(path.split("/")): (state.mode, state.blob) for path, state in there if state}
    return grafted(repository, writer, "", rows) or write_tree(writer, {}, {})
