"""The process that owns the shards of a folder: a program of its own, which answers over a pipe.

Measured (qdrant-edge-py 0.9.0): every call keeps Python's lock until it is done. `optimize` of 20,000 vectors
stopped all other threads of its process for 27 s, `load` for up to 1.9 s; in the server no heartbeat would be
sent. Moreover a damaged file may end the process that opens it. So the engine lives here.

A message is a head (length of the JSON, length of the arrays), JSON, and arrays as they lie in memory.
Answers come in the order of the questions; the first one says whether the folder could be had.
"""

import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import qdrant_edge as qe

from artel.storage.knowledge.vectors.shards import Refused, Shards
from artel.storage.knowledge.vectors.wire import HEAD

IDLE_S = 1.0  # after which what was written is brought to the disk
TURN_S = 5.0  # for which the process before us may still be closing
PR_SET_PDEATHSIG = 1


def serve(folder: Path) -> None:
    """Own the folder, and answer until nobody asks any more."""
    wire, answers = 0, os.dup(1)
    os.dup2(2, 1)  # what the engine prints is no answer
    for number in (signal.SIGINT, signal.SIGTERM):  # of a whole group: whoever asks decides when it is over
        signal.signal(number, signal.SIG_IGN)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "owner").open("a+") as owner:
        if not _owned(owner.fileno()):
            owner.seek(0)
            _send(answers, {"refused": "owned", "said": "", "pid": owner.read().strip()}, b"")
            return
        owner.truncate(0)
        owner.write(str(os.getppid()))
        owner.flush()
        shards = Shards(folder)
        _send(answers, {}, b"")
        while (message := _receive(wire, shards)) is not None:
            try:
                said, body = shards.answer(*message)
            except Refused as refused:
                said, body = {"refused": refused.kind, "said": str(refused)} | refused.more, b""
            except OSError as failed:
                said, body = {"refused": "failed", "said": str(failed)}, b""
            _send(answers, said, body)
        shards.close()


def optimise(source: Path, target: Path) -> None:
    """Build the next generation beside a shard: copy it, say so, and make its graph."""
    os.nice(10)
    shutil.copytree(source, target)
    os.write(1, b"copied\n")
    os.dup2(2, 1)
    edge = qe.EdgeShard.load(str(target))
    edge.optimize()
    edge.flush()
    edge.close()


def _owned(descriptor: int) -> bool:
    ends = monotonic() + TURN_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() > ends:
                return False
            sleep(0.05)
        else:
            return True


def _receive(wire: int, shards: Shards) -> tuple[dict[str, Any], bytes] | None:
    if shards.unflushed() and not select.select([wire], [], [], IDLE_S)[0]:
        try:
            shards.flush()
        except Refused as refused:
            sys.stderr.write(f"{refused}\n")
    if (head := _read(wire, HEAD.size)) is None:
        return None
    said, arrays = HEAD.unpack(head)
    text, body = _read(wire, said), _read(wire, arrays)
    return None if text is None or body is None else (json.loads(text), body)


def _read(wire: int, size: int) -> bytes | None:
    parts, left = [], size
    while left:
        part = os.read(wire, min(left, 1 << 20))
        if not part:
            return None
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _send(wire: int, said: dict[str, Any], body: bytes) -> None:
    text = json.dumps(said).encode()
    left = memoryview(HEAD.pack(len(text), len(body)) + text + body)
    while left:
        left = left[os.write(wire, left) :]


def main() -> None:
    """Serve or optimise, as the arguments say, for as long as whoever started this lives."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    match sys.argv[1:]:
        case ["serve", folder]:
            serve(Path(folder))
        case ["optimise", source, target]:
            optimise(Path(source), Path(target))
