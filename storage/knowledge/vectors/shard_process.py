"""Speaks with the process that owns the shards: starts it, asks it, and tells when it has died."""

import asyncio
import json
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from artel.storage import tasks
from artel.storage.errors import Conflict
from artel.storage.knowledge.vectors.checking import VectorsUnavailable, WrongDimension
from artel.storage.knowledge.vectors.wire import HEAD

CLOSING_S = 30.0
RUN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from artel.storage.knowledge.vectors.shard_program import main; main()"
)


class OwnedElsewhere(Conflict):
    """Another process has the folder of vectors."""

    code = "vectors_owned_elsewhere"


class ProcessDied(Exception):
    """The process ended before it answered; `was_next`: this very question was its next or in its hands."""

    def __init__(self, *, was_next: bool) -> None:
        super().__init__("the process that keeps the vectors died")
        self.was_next = was_next


class ShardProcess:
    """One life of the process that owns `folder`."""

    def __init__(self, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.folder = folder
        self._process = process
        self._waiting: deque[asyncio.Future[tuple[dict[str, Any], bytes]]] = deque()
        self._dead = False
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, folder: Path) -> "ShardProcess":
        """Start it.

        Raises:
            OwnedElsewhere: another process has the folder.
            VectorsUnavailable: it cannot be started.
        """
        pipe = asyncio.subprocess.PIPE
        made = cls(folder, await run("serve", str(folder), stdin=pipe, stdout=pipe))
        try:
            said, _ = await made._answer()
            raise_refusal(said, folder)
        except ProcessDied as died:
            await made.close()
            raise VectorsUnavailable(
                f"the process that keeps the vectors of {folder} cannot be started: see the log"
            ) from died
        except BaseException:
            await tasks.finish(made.close())
            raise
        return made

    async def ask(self, said: dict[str, Any], body: bytes = b"") -> tuple[dict[str, Any], bytes]:
        """Ask, and wait for the answer.

        Raises:
            ProcessDied: it ended before.
            OwnedElsewhere, WrongDimension, VectorsUnavailable: what it refused.
        """
        if self._dead or self._process.stdin is None:
            raise ProcessDied(was_next=False)
        text = json.dumps(said).encode()
        self._process.stdin.write(HEAD.pack(len(text), len(body)) + text + body)
        answer = self._answer()
        with suppress(ConnectionError):  # the reader tells
            await self._process.stdin.drain()
        answered, arrays = await answer
        raise_refusal(answered, self.folder)
        return answered, arrays

    @property
    def dead(self) -> bool:
        """Whether it will answer no more."""
        return self._dead

    async def close(self) -> None:
        """Let it bring all to the disk and end."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), CLOSING_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await tasks.end(self._reader)

    def _answer(self) -> "asyncio.Future[tuple[dict[str, Any], bytes]]":
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        return answer

    async def _read(self) -> None:
        out = self._process.stdout
        assert out is not None
        try:
            while True:
                said, arrays = HEAD.unpack(await out.readexactly(HEAD.size))
                text, body = await out.readexactly(said), await out.readexactly(arrays)
                answer = self._waiting.popleft()
                if not answer.done():  # whoever asked may have gone
                    answer.set_result((json.loads(text), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            self._dead = True
            for n, answer in enumerate(self._waiting):
                if not answer.done():
                    answer.set_exception(ProcessDied(was_next=n == 0))
            self._waiting.clear()


def raise_refusal(said: dict[str, Any], folder: Path) -> None:
    """Raise what an answer refuses, if it does."""
    match said.get("refused"):
        case None:
            return
        case "dimension":
            raise WrongDimension(
                f"this collection holds vectors of {said['held']} numbers: another model needs another "
                "collection, or the collection made anew"
            )
        case "owned":
            raise OwnedElsewhere(
                f"the vectors in {folder} belong to another process ({said['pid'] or 'unknown'}), and one "
                "has a folder: give this one another folder, or keep all vectors in Postgres (kind pgvector)"
            )
    raise VectorsUnavailable(str(said["said"]))


async def run(*args: str, **pipes: Any) -> asyncio.subprocess.Process:
    """Start the program of the shards, which ends with this process.

    Raises:
        VectorsUnavailable: it cannot be started.
    """
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", RUN, json.dumps(sys.path), *args, **pipes
        )
    except OSError as failed:
        raise VectorsUnavailable(
            f"the process that keeps the vectors cannot be started: {failed}"
        ) from failed
