"""The language servers of a process: one for each command and workspace, begun with the first edit there."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import structlog

from artel.tools.lsp.client import Failed, ServerGone
from artel.tools.lsp.diagnostics import Diagnostic
from artel.tools.lsp.server import Edit, LanguageServer
from artel.tools.lsp.settings import LanguageServerSettings
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.workspace.change import Change
from artel.tools.workspace.changeset import ChangeSet
from artel.tools.workspace.syntax import LANGUAGES

SHOWN = 10
MAX_FILES = 10  # of one change
MAX_BYTES = 1_000_000  # of a file
MAX_SERVERS = 8  # the one that was needed longest ago goes
TWICE_S = 600.0  # one that ends twice within this stays ended

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Slot:
    server: LanguageServer | None = None
    ends: list[float] = field(default_factory=list)
    off: bool = False


class LanguageServers:
    """Says what edits bring in, where the settings name a server for the language."""

    def __init__(
        self, settings: LanguageServerSettings | None = None, sandbox: Sandbox | None = None
    ) -> None:
        self._settings = settings or LanguageServerSettings()
        self._sandbox = sandbox or Sandbox()
        self._slots: dict[tuple[Path, tuple[str, ...]], _Slot] = {}
        self._alive: set[LanguageServer] = set()

    async def after(self, root: Path, planned: ChangeSet) -> str:
        """Return what a change that was made brings in, in words for the model; mostly nothing.

        It takes as long as the settings say and no longer, and raises nothing: the change is made.
        """
        edits = self._seen(planned)
        if not edits or self._sandbox.settings.mode == "off":
            return ""
        found: list[tuple[str, Diagnostic]] = []
        notes: list[str] = []
        try:
            async with asyncio.timeout(self._settings.wait_s):
                for command, some in edits.items():
                    try:
                        found += await self._server(root, command).new_in(some)
                    except Failed:
                        pass
                    except ServerGone:
                        notes += self._note_end(root, command)
        except TimeoutError:
            pass
        return _said(found, notes)

    async def aclose(self) -> None:
        """End all of them."""
        self._slots.clear()
        await asyncio.gather(*(server.aclose() for server in self._alive))

    def _seen(self, planned: ChangeSet) -> dict[tuple[str, ...], list[Edit]]:
        """Return the files of a change that a server could say something of, by its command."""
        edits: dict[tuple[str, ...], list[Edit]] = {}
        for change in planned.changes[:MAX_FILES] if self._settings.servers else ():
            language = LANGUAGES.get(PurePosixPath(change.path).suffix.lower(), "")
            command = self._settings.servers.get(language)
            if command and max(len(change.before or b""), len(change.after or b"")) <= MAX_BYTES:
                was = _was(change, planned)
                edits.setdefault(command, []).append(
                    Edit(change.path, language, _text(was), _text(change.after))
                )
        return edits

    def _server(self, root: Path, command: tuple[str, ...]) -> LanguageServer:
        slot = self._slots.setdefault((root, command), _Slot())
        if slot.off:
            raise Failed
        if slot.server and slot.server.ended:
            if not slot.server.was_idle:
                raise ServerGone
            slot.server = None
        if slot.server is None:
            self._make_room()
            slot.server = self._begun(root, command)
        return slot.server

    def _begun(self, root: Path, command: tuple[str, ...]) -> LanguageServer:
        server = LanguageServer(
            command,
            self._sandbox.place(root, root, read_only=True),
            self._sandbox.settings.model_copy(update={"hosts": ()}),
            idle_s=self._settings.idle_s,
        )
        self._alive.add(server)
        server.life.add_done_callback(lambda _: self._alive.discard(server))
        return server

    def _note_end(self, root: Path, command: tuple[str, ...]) -> Iterator[str]:
        """Note that a server ended; the next edit starts it again, unless that was tried just now."""
        slot, now = self._slots.get((root, command), _Slot()), time.monotonic()
        server, slot.server = slot.server, None
        if server is None or server.was_idle:
            return
        why = server.ended
        slot.ends = [*(at for at in slot.ends if now - at < TWICE_S), now]
        slot.off = len(slot.ends) > 1
        log.warning("a language server ended", command=command, workspace=str(root), why=why, off=slot.off)
        if slot.off:
            yield f"[no more diagnostics by {command[0]}: it ended twice ({why}); tell the user]"

    def _make_room(self) -> None:
        for place, slot in list(self._slots.items()):
            if slot.server and slot.server.ended and not slot.ends:
                del self._slots[place]
        running = [slot for slot in self._slots.values() if slot.server and not slot.server.ended]
        for slot in sorted(running, key=_used)[: max(len(running) - MAX_SERVERS + 1, 0)]:
            if slot.server:
                slot.server.was_idle = True
                slot.server.life.cancel()


def _used(slot: _Slot) -> float:
    return slot.server.used if slot.server else 0


def _was(change: Change, planned: ChangeSet) -> bytes | None:
    """Return a file as it was, a moved one where it was."""
    if change.after is None or not change.pair:
        return change.before
    return next((other.before for other in planned.changes if other.path == change.pair), None)


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode(errors="replace")


def _said(found: Sequence[tuple[str, Diagnostic]], notes: Sequence[str]) -> str:
    lines = [one.said(path) for path, one in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"and {len(found) - SHOWN} more")
    told = ["New diagnostics, unless more edits follow:", *(f"- {line}" for line in lines)] if lines else []
    return "\n".join([*told, *notes])
