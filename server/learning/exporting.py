"""Training data as files: `sft.jsonl`, `preferences.jsonl`, and `manifest.json`, which is written last.

No more than one thread is in memory, and a digest of each line. The same conversations make the same bytes.
"""

from asyncio import to_thread
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from artel.server.learning import redacting
from artel.server.learning.conversations import line
from artel.server.learning.examples import Example, Examples, Wanted, pair
from artel.server.learning.redacting import Redaction
from artel.storage import clock, consents
from artel.storage.encoding import dumps, loads
from artel.storage.errors import Conflict, Invalid
from artel.storage.postgres import Database

MIN_REWARD = 0.6
LONGEST = 1_000_000  # bytes of a line; a longer one is left out
MOST_RATED = 100_000  # turns with thumbs among which pairs are looked for
FILES = ("sft.jsonl", "preferences.jsonl")
MANIFEST = "manifest.json"
REWARD = "0.5 * approved + 0.3 * executed + 0.2 * quality"


class FolderTaken(Conflict):
    """An export is written into a folder of its own."""

    code = "folder_taken"


@dataclass(frozen=True, slots=True)
class Request:
    """Which conversations are exported; only of those who consent."""

    owner: str
    user_id: str | None = None
    "None: of all users."
    since: datetime | None = None
    until: datetime | None = None
    "None: now."
    min_reward: float = MIN_REWARD


async def export(db: Database, folder: Path, asked: Request, redaction: Redaction) -> dict[str, Any]:
    """Write training data into an empty or new folder; return the manifest.

    Raises:
        FolderTaken: there is something in the folder.
        Invalid: it cannot be written.
    """
    if not 0 <= asked.min_reward <= 1:
        raise Invalid(f"min_reward must be from 0 to 1, got {asked.min_reward}")
    writing = await to_thread(_Writing.begin, folder)
    try:
        async with db.connection() as conn:
            given = await consents.of_all(conn, owner=asked.owner, user_id=asked.user_id)
            until = min(asked.until or await clock.now(conn), await clock.now(conn))
        wanted = Wanted(asked.owner, given, asked.since, until, asked.min_reward)
        examples = Examples(db, redaction, wanted)
        threads = await _walk(db, asked, examples, writing)
        await to_thread(writing.pair_up)
        manifest = _manifest(asked, wanted, examples, writing, threads)
        await to_thread(writing.finish, manifest)
        return manifest
    finally:
        await to_thread(writing.close)


async def _walk(db: Database, asked: Request, examples: Examples, writing: "_Writing") -> int:
    """Write what can be learned of each thread; return how many threads there were."""
    after, threads = None, 0
    while True:
        async with db.connection() as conn:
            page = await consents.threads_of(conn, owner=asked.owner, user_id=asked.user_id, after=after)
        for thread_id in page:
            threads += 1
            await to_thread(writing.take, [one async for one in examples.of_thread(thread_id)])
        if not page:
            return threads
        after = page[-1]


@dataclass(slots=True)
class _Writing:
    """The files of an export while they are written."""

    folder: Path
    files: dict[str, IO[bytes]]
    rated: IO[bytes]
    "Both sides of pairs to be found; it goes when it is closed."
    sides: dict[bytes, tuple[list[int], list[int]]] = field(default_factory=dict)
    "Where those are that were liked, and those that were not, by what was asked."
    seen: set[bytes] = field(default_factory=set)
    digests: dict[str, Any] = field(default_factory=lambda: {name: sha256() for name in FILES})
    sizes: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    _rated: int = 0

    @classmethod
    def begin(cls, folder: Path) -> "_Writing":
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise FolderTaken(f"{folder} is not empty: name a new folder")
            files: dict[str, IO[bytes]] = {name: (folder / f"{name}.part").open("xb") for name in FILES}
        except OSError as refused:
            raise Invalid(f"{folder} cannot be written: {refused.strerror}") from refused
        return cls(folder, files, TemporaryFile())

    def take(self, examples: Iterable[Example]) -> None:
        for one in examples:
            if one.kind == "rated":
                self._keep(one)
            else:
                self._write(FILES[0] if one.kind == "sft" else FILES[1], one)

    def pair_up(self) -> None:
        """Write what was liked before what was not, where the same was asked."""
        for good, bad in self.sides.values():
            for liked, disliked in zip(good, bad, strict=False):
                better, worse = self._at(liked), self._at(disliked)
                if found := pair("rated", better["prompt"], better["answer"], worse["answer"]):
                    self._write(FILES[1], found)

    def finish(self, manifest: dict[str, Any]) -> None:
        for name, file in self.files.items():
            file.close()
            (self.folder / f"{name}.part").rename(self.folder / name)
        (self.folder / MANIFEST).write_bytes(dumps(manifest) + b"\n")

    def close(self) -> None:
        for file in (*self.files.values(), self.rated):
            file.close()

    def _write(self, file: str, one: Example) -> None:
        written = line(one.content)
        if len(written) > LONGEST:
            self.skipped["too long"] += 1
            return
        name = (b"s" if one.kind == "sft" else b"p") + one.name
        if name in self.seen:
            self.skipped["duplicate"] += 1
            return
        self.seen.add(name)
        self.files[file].write(written)
        self.digests[file].update(written)
        self.sizes[file] += len(written)
        self.counts[one.kind] += 1

    def _keep(self, one: Example) -> None:
        written = line(one.content)
        if self._rated >= MOST_RATED or len(written) > LONGEST:
            self.skipped["too long" if len(written) > LONGEST else "too many rated"] += 1
            return
        self._rated += 1
        places = self.sides.setdefault(one.name, ([], []))
        places[0 if one.score > 0 else 1].append(self.rated.tell())
        self.rated.write(written)

    def _at(self, place: int) -> dict[str, Any]:
        self.rated.seek(place)
        found: Any = loads(self.rated.readline())
        return dict(found)


def _manifest(
    asked: Request, wanted: Wanted, examples: Examples, writing: _Writing, threads: int
) -> dict[str, Any]:
    lines = {FILES[0]: writing.counts["sft"], FILES[1]: writing.counts.total() - writing.counts["sft"]}
    return {
        "format": 1,
        "artel": version("artel"),
        "redaction": redacting.VERSION,
        "reward": REWARD,
        "made_at": wanted.until,
        "filters": {
            "consent": "only of users who said yes, from then on",
            "users": "one" if asked.user_id is not None else "all",
            "since": asked.since,
            "until": wanted.until,
            "min_reward": asked.min_reward,
        },
        "counts": {
            "consents": len(wanted.consents),
            "threads": threads,
            "turns": examples.turns,
            **{kind: writing.counts[kind] for kind in ("sft", "edited", "rejected", "rated")},
            "skipped": dict(sorted((examples.skipped + writing.skipped).items())),
        },
        "files": [
            {
                "name": name,
                "sha256": writing.digests[name].hexdigest(),
                "bytes": writing.sizes[name],
                "lines": lines[name],
            }
            for name in FILES
        ],
    }
