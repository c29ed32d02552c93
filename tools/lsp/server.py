"""A language server that runs: it sees the workspace as edits leave it, and says what is wrong there."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.lsp import diagnostics
from artel.tools.lsp.client import Client, Failed, ServerGone
from artel.tools.lsp.diagnostics import Diagnostic
from artel.tools.lsp.messages import Garbled
from artel.tools.sandbox import watch
from artel.tools.sandbox.bubblewrap import Place
from artel.tools.sandbox.process import GONE_S, Process
from artel.tools.sandbox.settings import SandboxSettings

WATCH_S = 1.0
START_S = 60.0  # to introduce itself; some read a whole project before
SETTLE_S = 0.2  # for a server that tells twice, what it parsed and then what it checked
MAX_OPEN = 32  # documents
MAX_LATE = 5  # changes in a row that it said nothing of
CREATED, CHANGED, DELETED = 1, 2, 3
LANGUAGE_IDS = {"bash": "shellscript", "tsx": "typescriptreact"}  # where the protocol's name is another

Found: TypeAlias = Mapping[str, Sequence[Diagnostic]]
"""What is wrong in files, by path."""

CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {
        "synchronization": {},
        "publishDiagnostics": {"versionSupport": True},
        "diagnostic": {},
    },
    "workspace": {"configuration": True, "workspaceFolders": True, "didChangeWatchedFiles": {}},
}


@dataclass(frozen=True, slots=True)
class Edit:
    """A file as it was and as it is; None: there was or is none."""

    path: str
    language: str
    before: str | None
    after: str | None


@dataclass(slots=True)
class _Document:
    text: str
    version: int = 1
    told: int = 0
    "Version that `found` is about; 0: nothing was told yet."
    found: tuple[Diagnostic, ...] = ()


class LanguageServer:
    """One server for one workspace; made inside the event loop, where it begins at once."""

    def __init__(
        self, command: Sequence[str], place: Place, settings: SandboxSettings, *, idle_s: float
    ) -> None:
        self.ended = ""
        "Why it has ended, if it did."
        self.was_idle = False
        "Whether it was ended because nobody needed it."
        self.used = time.monotonic()
        self._place = place
        self._settings = settings
        self._idle_s = idle_s
        self._pulls = False
        self._late = 0
        self._documents: dict[str, _Document] = {}
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        self._ready = asyncio.Event()
        # a context of its own: it outlives the run that began it
        live = self._live(list(command))
        self.life = asyncio.get_running_loop().create_task(live, context=Context())

    async def new_in(self, edits: Sequence[Edit]) -> list[tuple[str, Diagnostic]]:
        """Return what is wrong in the files of a change that was made, and was not before, with their paths.

        Who gives up waiting loses nothing: the next change finds the server ready.

        Raises:
            ServerGone: it has ended.
            Failed: it does not say.
        """
        self.used = time.monotonic()
        await self._ready.wait()
        async with self._turn:
            if self._late >= MAX_LATE:
                self._end(f"it was late {MAX_LATE} times in a row")
            if self.ended:
                raise ServerGone
            self._late += 1
            for edit in edits:
                if edit.before is not None:
                    await self._show(edit.path, edit.language, edit.before)
            before = await self._wrong_in([edit.path for edit in edits if edit.before is not None])
            for edit in edits:
                if edit.after is not None:
                    await self._show(edit.path, edit.language, edit.after)
                elif edit.path in self._documents:
                    await self._close(edit.path)
            changes = [{"uri": self._uri(edit.path), "type": _kind(edit)} for edit in edits]
            await self._client.tell("workspace/didChangeWatchedFiles", {"changes": changes})
            now = await self._wrong_in([edit.path for edit in edits if edit.after is not None])
            self._late = 0
            self.used = time.monotonic()
            return [(edit.path, one) for edit in edits for one in _new(edit, before, now)]

    async def aclose(self) -> None:
        """End it, and wait until it is gone."""
        if not self.ended:
            self.life.cancel()
        await asyncio.wait({self.life}, timeout=GONE_S + WATCH_S)

    async def _live(self, command: list[str]) -> None:
        try:
            process = await Process.start(command, self._place, self._settings, talks=True)
        except (ToolRefused, ToolFailed, OSError) as error:
            self._end(str(error))
            return
        self._client = Client(process.tell, self._heard)
        reading = asyncio.create_task(self._read(process))
        try:
            await self._watch(process, reading)
        finally:
            reading.cancel()
            self._end("it was told to")
            self._client.end()
            process.kill()
            process.close()
            await process.wait()

    async def _watch(self, process: Process, reading: "asyncio.Task[str]") -> None:
        greeting = asyncio.create_task(self._greet())
        try:
            await asyncio.wait({reading, greeting}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() or not greeting.done() or greeting.exception():
                self._end(reading.result() if reading.done() else "it did not introduce itself")
                return
        finally:
            greeting.cancel()
            await asyncio.gather(greeting, return_exceptions=True)
        self._ready.set()
        while not self.ended:
            await asyncio.wait({reading}, timeout=WATCH_S)
            if reading.done():
                self._end(reading.result())
            elif not self._turn.locked() and time.monotonic() - self.used > self._idle_s:
                self.was_idle = True
                self._end("nobody needed it")
            elif used := await asyncio.to_thread(watch.over, process.pid, self._place.root, self._settings):
                self._end(used)

    async def _read(self, process: Process) -> str:
        """Hear it to its end, and return why it ended."""
        try:
            while piece := await process.output.chunk():
                await self._client.feed(piece)
        except (Garbled, ServerGone) as error:
            return str(error) or "it does not listen"
        return "it ended"

    async def _greet(self) -> None:
        folder = {"uri": self._place.root.as_uri(), "name": self._place.root.name}
        said = await self._client.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": folder["uri"],
                "workspaceFolders": [folder],
                "capabilities": CAPABILITIES,
            },
        )
        known = said.get("capabilities") if isinstance(said, dict) else None
        self._pulls = isinstance(known, dict) and known.get("diagnosticProvider") not in (None, False)
        await self._client.tell("initialized", {})

    def _end(self, why: str) -> None:
        self.ended = self.ended or why
        self._ready.set()
        self._news.set()

    async def _show(self, path: str, language: str, text: str) -> None:
        document = self._documents.pop(path, None)
        if document is None:
            while len(self._documents) >= MAX_OPEN:
                await self._close(next(iter(self._documents)))
            item = {"languageId": LANGUAGE_IDS.get(language, language), "version": 1, "text": text}
            self._documents[path] = _Document(text)
            await self._client.tell(
                "textDocument/didOpen", {"textDocument": {"uri": self._uri(path), **item}}
            )
            return
        self._documents[path] = document  # the last used one is last
        if document.text != text:
            document.text, document.version = text, document.version + 1
            about = {"uri": self._uri(path), "version": document.version}
            await self._client.tell(
                "textDocument/didChange", {"textDocument": about, "contentChanges": [{"text": text}]}
            )

    async def _close(self, path: str) -> None:
        del self._documents[path]
        await self._client.tell("textDocument/didClose", {"textDocument": {"uri": self._uri(path)}})

    async def _wrong_in(self, paths: Sequence[str]) -> Found:
        documents = {path: self._documents[path] for path in paths}
        unknown = {path: one for path, one in documents.items() if one.told != one.version}
        if unknown and self._pulls:
            for path, document in unknown.items():
                await self._pull(path, document)
        elif unknown:
            while any(document.told != document.version for document in unknown.values()):
                await self._hear()
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    while True:
                        await self._hear()
        return {path: document.found for path, document in documents.items()}

    async def _pull(self, path: str, document: _Document) -> None:
        about = {"textDocument": {"uri": self._uri(path)}}
        said = await self._client.ask("textDocument/diagnostic", about)
        if not isinstance(said, dict) or said.get("kind") != "full":
            raise Failed
        document.found, document.told = diagnostics.read(said.get("items")), document.version

    async def _hear(self) -> None:
        """Wait until it says something of a file.

        Raises:
            ServerGone: it has ended.
        """
        self._news.clear()
        if self.ended:
            raise ServerGone
        await self._news.wait()

    def _heard(self, method: str, params: Any) -> None:
        if method != "textDocument/publishDiagnostics" or not isinstance(params, Mapping):
            return
        uri, version = params.get("uri"), params.get("version")
        document = next((one for path, one in self._documents.items() if self._uri(path) == uri), None)
        if document is None or version not in (None, document.version):
            return
        document.found, document.told = diagnostics.read(params.get("diagnostics")), document.version
        self._news.set()

    def _uri(self, path: str) -> str:
        return Path(self._place.root, path).as_uri()


def _new(edit: Edit, before: Found, now: Found) -> Iterator[Diagnostic]:
    known, found = before.get(edit.path, ()), now.get(edit.path, ())
    return diagnostics.brought_in(known, found, edit.before or "", edit.after or "")


def _kind(edit: Edit) -> int:
    if edit.after is None:
        return DELETED
    return CREATED if edit.before is None else CHANGED
