"""The shards of one folder, in the process that owns them (see `shard_program`).

A shard is a folder `COLLECTION.DIMENSION.GENERATION`. Of two generations the lower one is whole: the next is
built beside it by another process, takes over what was written meanwhile, and only then does the old one go.
"""

import re
import shutil
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as qe
from numpy.typing import NDArray

OPEN_AT_ONCE = 32  # each has files and a pool of threads
FEW = 4_000  # ids that a filter takes: 4 ms; what is more is picked out of the nearest
MOST_TAKEN = 5_000
MORE = 16  # without a graph each try scores all: few tries
EF = 128  # at 100,000 vectors recall@10 is .998, as at the engine's default
UNFLUSHED = 20_000
ABSORBED = 500
NAME = re.compile(r"([0-9a-f-]{36})\.(\d+)\.(\d+)")
PASSING = ("os error 24", "os error 28", "os error 13", "os error 12", "os error 122")  # of the machine

Answer = tuple[dict[str, Any], bytes]


class Refused(Exception):
    """What is told to whoever asked; `kind` is what it becomes there."""

    def __init__(self, kind: str, said: str, **more: Any) -> None:
        super().__init__(said)
        self.kind, self.more = kind, more


class Broken(Exception):
    """A shard that cannot be read."""


@dataclass(slots=True)
class Shard:
    """An open shard; `touched` is what was written since its next generation was begun, None without one."""

    path: Path
    dimension: int
    edge: "qe.EdgeShard"
    written: int = 0
    touched: set[int] | None = None
    next: "qe.EdgeShard | None" = field(default=None)


class Shards:
    """The shards of a folder, opened when they are needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: dict[str, Path] = {}
        self.open: OrderedDict[str, Shard] = OrderedDict()
        for path in sorted(folder.iterdir(), key=lambda path: path.name.rpartition(".")[2].zfill(9)):
            if path.name.endswith(".gone"):
                shutil.rmtree(path, ignore_errors=True)
            known = NAME.fullmatch(path.name)
            if known and self.paths.setdefault(known[1], path) != path:  # begun, and never finished
                shutil.rmtree(path, ignore_errors=True)

    def answer(self, asked: dict[str, Any], body: bytes) -> Answer:
        """Do what is asked; reading a shard that cannot be read sets it aside, and finds it empty."""
        do = getattr(self, f"_{asked['do']}")
        try:
            return do(asked, body)  # type: ignore[no-any-return]
        except Broken as broken:
            self._set_aside(asked["collection"], str(broken))
            said, arrays = do(asked, body)
            return said | {"set_aside": str(broken)}, arrays

    def _add(self, asked: dict[str, Any], body: bytes) -> Answer:
        dimension, count = asked["dimension"], asked["count"]
        ids = np.frombuffer(body, np.int64, count)
        rows = np.frombuffer(body, np.float32, count * dimension, offset=8 * count).reshape(count, dimension)
        shard = self._of(asked["collection"]) or self._create(asked["collection"], dimension)
        _fits(shard, dimension)
        points = [_point(one, row) for one, row in zip(ids.tolist(), rows, strict=True)]
        self._write(shard, ids, qe.UpdateOperation.upsert_points(points))
        info = shard.edge.info()
        return {"unindexed": (info.points_count - info.indexed_vectors_count) * dimension * 4}, b""

    def _remove(self, asked: dict[str, Any], body: bytes) -> Answer:
        if shard := self._of(asked["collection"]):
            ids = np.frombuffer(body, np.int64)
            self._write(shard, ids, qe.UpdateOperation.delete_points(ids.tolist()))
        return {}, b""

    def _search(self, asked: dict[str, Any], body: bytes) -> Answer:
        shard = self._of(asked["collection"])
        if shard is None:
            return {"count": 0}, b""
        _fits(shard, asked["dimension"])
        vector = np.frombuffer(body, np.float32, asked["dimension"])
        within = np.frombuffer(body, np.int64, offset=vector.nbytes) if asked["filtered"] else None
        with _reading():
            found = search(shard.edge, vector, asked["limit"], within)
        ids = np.fromiter((one.id for one in found), np.int64, len(found))
        scores = np.fromiter((one.score for one in found), np.float64, len(found))
        return {"count": len(found)}, ids.tobytes() + scores.tobytes()

    def _ids(self, asked: dict[str, Any], body: bytes) -> Answer:
        shard = self._of(asked["collection"])
        if shard is None:
            return {"next": None}, b""
        request = qe.ScrollRequest(
            offset=asked["offset"], limit=asked["limit"], with_payload=False, with_vector=False
        )
        with _reading():
            records, following = shard.edge.scroll(request)
        return {"next": following}, np.fromiter((one.id for one in records), np.int64, len(records)).tobytes()

    def _drop(self, asked: dict[str, Any], body: bytes) -> Answer:
        name = asked["collection"]
        self._forsake(name)
        self._shut(name)
        if path := self.paths.pop(name, None):
            _vanish(path)
        return {}, b""

    def _put_aside(self, asked: dict[str, Any], body: bytes) -> Answer:
        self._set_aside(asked["collection"], asked["said"])
        return {}, b""

    def _begin(self, asked: dict[str, Any], body: bytes) -> Answer:
        """Write down from now on what changes, and say what to copy, and whereto, before the next write."""
        shard = self._of(asked["collection"])
        if shard is None or shard.touched is not None:
            return {"source": None}, b""
        self._flush(shard)
        _vanish(_following(shard.path))
        shard.touched = set()
        return {"source": str(shard.path), "target": str(_following(shard.path))}, b""

    def _absorb(self, asked: dict[str, Any], body: bytes) -> Answer:
        """Bring some of what changed over into the next generation; once it has all, it takes over."""
        name = asked["collection"]
        shard = self._of(name)
        if shard is None or shard.touched is None:
            raise Refused("failed", "no next generation was begun")
        shard.next = shard.next or qe.EdgeShard.load(str(_following(shard.path)))
        some = sorted(shard.touched)[:ABSORBED]
        held = shard.edge.retrieve(list(some), with_payload=False, with_vector=True)
        points = [qe.Point(one.id, one.vector) for one in held]  # type: ignore[arg-type]
        gone = sorted(set(some) - {int(str(one.id)) for one in held})
        shard.next.update(qe.UpdateOperation.upsert_points(points))
        shard.next.update(qe.UpdateOperation.delete_points(list(gone)))
        shard.touched.difference_update(some)
        if shard.touched:
            return {"left": len(shard.touched)}, b""
        shard.next.flush()
        self._shut(name)
        old, self.paths[name] = shard.path, _following(shard.path)
        self.open[name] = Shard(self.paths[name], shard.dimension, shard.next)
        _vanish(old)
        return {"left": 0}, b""

    def _abandon(self, asked: dict[str, Any], body: bytes) -> Answer:
        self._forsake(asked["collection"])
        return {}, b""

    def _forsake(self, name: str) -> None:
        shard = self.open.get(name)
        if shard and shard.next:
            shard.next.close()
        if shard and shard.touched is not None:
            shard.next = shard.touched = None
            _vanish(_following(shard.path))

    def _of(self, name: str) -> Shard | None:
        """Return an open shard, None where there is none.

        Raises:
            Broken: it cannot be read.
            Refused: the machine has no file, room or right for it.
        """
        if shard := self.open.get(name):
            self.open.move_to_end(name)
            return shard
        if (path := self.paths.get(name)) is None:
            return None
        with _reading():
            edge = qe.EdgeShard.load(str(path))
        self.open[name] = shard = Shard(path, int(path.name.split(".")[1]), edge)
        for other in list(self.open)[:-OPEN_AT_ONCE]:
            if self.open[other].touched is None:
                self._shut(other)
        return shard

    def _create(self, name: str, dimension: int) -> Shard:
        path = self.folder / f"{name}.{dimension}.0"
        path.mkdir()
        self.paths[name] = path
        config = qe.EdgeConfig(
            vectors=qe.EdgeVectorParams(size=dimension, distance=qe.Distance.Cosine),
            hnsw_config=qe.HnswIndexConfig(16, 128, 10_000),
            max_search_threads=2,
        )
        with _reading():
            edge = qe.EdgeShard.create(str(path), config)
        self.open[name] = shard = Shard(path, dimension, edge)
        return shard

    def _write(self, shard: Shard, ids: NDArray[np.int64], operation: "qe.UpdateOperation") -> None:
        if shard.touched is not None:
            shard.touched.update(ids.tolist())
        try:
            shard.edge.update(operation)
        except Exception as failed:
            raise Refused("failed", f"the index of vectors cannot be written: {failed}") from failed
        shard.written += len(ids)
        if shard.written >= UNFLUSHED:
            self._flush(shard)

    def _flush(self, shard: Shard) -> None:
        try:
            shard.edge.flush()
        except Exception as failed:
            raise Refused(
                "failed", f"the index of vectors cannot be brought to the disk: {failed}"
            ) from failed
        shard.written = 0

    def flush(self) -> None:
        """Bring to the disk what was written: it survives a killed process anyhow, but no power cut.

        Raises:
            Refused: the disk takes no more.
        """
        for shard in self.open.values():
            if shard.written:
                self._flush(shard)

    def close(self) -> None:
        """Bring all to the disk and let go of it."""
        for name in list(self.open):
            self.open[name].edge.flush()
            self._shut(name)

    def unflushed(self) -> bool:
        """Whether anything waits for the disk."""
        return any(shard.written for shard in self.open.values())

    def _shut(self, name: str) -> None:
        if shard := self.open.pop(name, None):
            shard.edge.close()

    def _set_aside(self, name: str, said: str) -> None:
        """Keep a broken shard for whoever wants to know, one a collection, and forget it."""
        self._forsake(name)
        if shard := self.open.pop(name, None):
            try:
                shard.edge.close()
            except BaseException as failed:
                if not _is_engines(failed):
                    raise
        if path := self.paths.pop(name, None):
            sys.stderr.write(f"the shard {path} is broken and set aside: {said}\n")
            sys.stderr.flush()
            aside = path.with_name(f"{name}.broken")
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)


def search(
    edge: "qe.EdgeShard", vector: NDArray[np.float32], limit: int, within: NDArray[np.int64] | None
) -> "list[qe.ScoredPoint]":
    """Return the nearest, best first.

    Few ids are a filter, and each is scored. Of many the nearest of all are taken, as many as should hold
    `limit` of them, then many times as many; a filter of 50,000 ids costs 60 ms, and recall with the graph.
    """
    if within is None:
        return _nearest(edge, vector, limit)
    if len(within) > FEW:
        take = 32 + int(1.5 * limit * edge.info().points_count / len(within))
        while take <= MOST_TAKEN:
            found = _nearest(edge, vector, take)
            ids = np.fromiter((one.id for one in found), np.int64, len(found))
            at = np.minimum(np.searchsorted(within, ids), len(within) - 1)
            kept = np.flatnonzero(within[at] == ids)
            if len(kept) >= limit or len(found) < take:
                return [found[n] for n in kept[:limit]]
            take *= MORE
    only = qe.Filter(must=[qe.HasIdCondition(set(within.tolist()))])
    return edge.search(_request(vector, limit, filter=only, params=qe.SearchParams(exact=True)))


def _nearest(edge: "qe.EdgeShard", vector: NDArray[np.float32], limit: int) -> "list[qe.ScoredPoint]":
    return edge.search(_request(vector, limit, params=qe.SearchParams(hnsw_ef=max(EF, limit))))


def _request(vector: NDArray[np.float32], limit: int, **more: Any) -> "qe.SearchRequest":
    return qe.SearchRequest(qe.Query.Nearest(vector), limit, **more)  # type: ignore[arg-type]


def _point(chunk_id: int, row: NDArray[np.float32]) -> "qe.Point":
    return qe.Point(chunk_id, row)  # type: ignore[arg-type] # an array goes, a third faster than its list


def _following(path: Path) -> Path:
    name, dimension, generation = path.name.split(".")
    return path.with_name(f"{name}.{dimension}.{int(generation) + 1}")


def _vanish(path: Path) -> None:
    """Remove a folder so that a half of it is never taken for a shard."""
    if path.exists():
        gone = path.with_name(f"{path.name}.gone")
        path.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _fits(shard: Shard, dimension: int) -> None:
    if shard.dimension != dimension:
        raise Refused("dimension", "another dimension", held=shard.dimension)


@contextmanager
def _reading() -> Iterator[None]:
    """Tell a shard that is broken from a machine that has too little; the engine raises plain `Exception`."""
    try:
        yield
    except BaseException as failed:
        if not _is_engines(failed):
            raise
        said = str(failed)
        if "WouldBlock" in said:
            raise Refused("owned", said, pid="") from failed
        if any(sign in said.lower() for sign in PASSING):
            raise Refused("failed", f"the index of vectors cannot be read: {said}") from failed
        raise Broken(said) from failed


def _is_engines(failed: BaseException) -> bool:
    """Whether this is an error of the engine, or its panic, which is no `Exception`."""
    return type(failed) is Exception or type(failed).__name__ == "PanicException"
