"""Responses that belong to a run: its stream, and what came of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

from starlette.responses import Response

from artel.server.engine import Engine, dispatch, stream
from artel.server.protocol.bodies import RunBody
from artel.server.protocol.held import BrokenOff, Hangup, Held
from artel.server.protocol.project import HEARTBEAT, Projection
from artel.storage.encoding import dumps
from artel.storage.errors import Invalid, NotFound
from artel.storage.runs import Run

SSE = "text/event-stream; charset=utf-8"
NO_BUFFERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Connection": "keep-alive"}
EVERYTHING = "-1"
MAX_SEQ = 2**63 - 1


class EventStream(Response):
    """What routes that stream say of themselves in the OpenAPI document."""

    media_type = "text/event-stream"


def path_of(run: Run) -> str:
    """Return where a run is; one without a thread is known by itself."""
    return f"/runs/{run.run_id}" if run.temporary else f"/threads/{run.thread_id}/runs/{run.run_id}"


def last_seen(last_event_id: str | None) -> int | None:
    """Return the number of the last event that a reader has; None when it wants only what is new.

    Raises:
        Invalid: it is no id of ours.
    """
    if not last_event_id:
        return None
    if last_event_id == EVERYTHING:
        return 0
    if last_event_id.isascii() and last_event_id.isdecimal() and int(last_event_id) <= MAX_SEQ:
        return int(last_event_id)
    raise Invalid(f"Last-Event-ID must be the id of an event, or -1 for all, got {last_event_id!r}")


def created(engine: Engine, run: Run, body: RunBody) -> Held:
    """Return the stream of a run that was just made."""
    shown = Projection(body.modes, subgraphs=body.stream_subgraphs)
    return streamed(engine, run, shown, after=0, cancel=body.on_disconnect == "cancel")


def joined(
    engine: Engine, run: Run, modes: Sequence[str], *, last_event_id: str | None, cancel: bool
) -> Held:
    """Return the stream of a run for one who comes, or comes back, later."""
    after = last_seen(last_event_id)
    shown = Projection(
        modes or run.kwargs.get("stream_mode") or ["values"],
        subgraphs=bool(run.kwargs.get("stream_subgraphs")),
        framed=not modes,
        after=after or 0,
    )
    return streamed(engine, run, shown, after=after, cancel=cancel)


def streamed(engine: Engine, run: Run, shown: Projection, *, after: int | None, cancel: bool) -> Held:
    """Return events after `after` as they come; with `cancel` the run stops when the reader goes away."""
    since = 0 if after and shown.looks_back else after

    async def pieces() -> AsyncIterator[bytes]:
        ended = False
        async for batch in stream.follow(engine, run.run_id, after=since):
            yield shown.feed(batch)
            ended = batch[-1].type == "run.ended"
        if engine.draining and not ended:
            raise BrokenOff

    path = path_of(run)
    headers = {**NO_BUFFERS, "Location": f"{path}/stream", "Content-Location": path}
    hangup = _cancelling(engine, run) if cancel else None
    return Held(pieces(), alive=HEARTBEAT, media_type=SSE, headers=headers, on_hangup=hangup)


def awaited(engine: Engine, run: Run, *, cancel: bool = False) -> Held:
    """Return what comes of a run, once it is known: its values, or its error."""

    async def pieces() -> AsyncIterator[bytes]:
        outcome = await stream.outcome(engine, run.run_id)
        yield dumps({"__error__": outcome.error}) if outcome.error else outcome.values

    return _later(run, pieces(), on_hangup=_cancelling(engine, run) if cancel else None)


def stopped(engine: Engine, run: Run, action: dispatch.CancelAction) -> Held:
    """Stop a run, and say so once it has really stopped."""

    async def pieces() -> AsyncIterator[bytes]:
        await dispatch.cancel(engine, run.thread_id, run.run_id, action=action, wait=True, owner=run.owner)
        yield b"{}"

    return _later(run, pieces())


def _later(run: Run, pieces: AsyncIterator[bytes], on_hangup: Hangup | None = None) -> Held:
    path = f"/threads/{run.thread_id}/runs/{run.run_id}"
    headers = {"Location": f"{path}/join", "Content-Location": path}
    return Held(pieces, alive=b"\n", media_type="application/json", headers=headers, on_hangup=on_hangup)


def _cancelling(engine: Engine, run: Run) -> Hangup:
    async def cancel() -> None:
        with suppress(NotFound):
            await dispatch.cancel(engine, run.thread_id, run.run_id, owner=run.owner)

    return cancel
