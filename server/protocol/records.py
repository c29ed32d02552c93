"""Threads, runs and assistants as the wire shows them."""

from typing import Any
from uuid import UUID

from artel.storage.assistants import Assistant, Version
from artel.storage.checkpoints import Usage
from artel.storage.runs import Run
from artel.storage.threads import Thread

Json = dict[str, Any]


def assistant_record(assistant: Assistant) -> Json:
    """Return an assistant as clients know it."""
    return {
        "assistant_id": assistant.assistant_id,
        "graph_id": assistant.graph_id,
        "config": assistant.config,
        "context": assistant.context,
        "metadata": assistant.metadata,
        "name": assistant.name,
        "created_at": assistant.created_at,
        "updated_at": assistant.updated_at,
        "version": assistant.version,
        "description": assistant.description,
    }


def version_record(version: Version) -> Json:
    """Return a version of an assistant as clients know it."""
    return {
        "assistant_id": version.assistant_id,
        "version": version.version,
        "graph_id": version.graph_id,
        "config": version.config,
        "context": version.context,
        "metadata": version.metadata,
        "created_at": version.created_at,
        "name": version.name,
        "description": version.description,
    }


def thread_record(thread: Thread, values: Json | None, *, ttl: bool = False) -> Json:
    """Return a thread as clients know it, with the values of its newest state; with `ttl` its life."""
    life = {
        "strategy": thread.ttl_strategy,
        "ttl_minutes": thread.ttl_minutes,
        "expires_at": thread.expires_at,  # null: its past has gone, and nothing has happened since
    }
    return {
        "thread_id": thread.thread_id,
        "created_at": thread.created_at,
        "updated_at": thread.updated_at,
        "state_updated_at": thread.state_updated_at,
        "metadata": thread.metadata,
        "status": thread.status,
        "config": thread.config,
        "values": values,
        "error": thread.error,
        "interrupts": thread.interrupts,
        **({"ttl": life} if ttl and thread.ttl_minutes is not None else {}),
    }


def storage_record(thread_id: UUID, usage: Usage) -> Json:
    """Return how much the states of a thread take, as clients know it."""
    channels = {
        name: {"versions": share.count, "bytes": share.bytes} for name, share in usage.channels.items()
    }
    return {
        "thread_id": thread_id,
        "total_bytes": usage.bytes,
        "checkpoints": {"count": usage.checkpoints.count, "bytes": usage.checkpoints.bytes},
        "channel_values": {
            "count": usage.values.count,
            "bytes": usage.values.bytes,
            "by_channel": channels,
        },
        "pending_writes": {"count": usage.writes.count, "bytes": usage.writes.bytes},
    }


def accepted_record(run: Run) -> Json:
    """Return a background run as it was accepted, to begin; it may have begun meanwhile."""
    record = run_record(run)
    return record | {"status": "pending"} if run.status == "running" else record


def run_record(run: Run) -> Json:
    """Return a run as clients know it; one that was looked up in the queue with its place there.

    Raises:
        CannotOpen: what it is to do is sealed, and could not be opened.
    """
    run.check()
    kwargs = run.kwargs
    durability = kwargs.get("durability") or "async"
    place = {} if run.ahead is None else {"queue_position": run.ahead + 1}
    return {
        "run_id": run.run_id,
        "thread_id": run.thread_id,
        "assistant_id": run.assistant_id,
        "metadata": run.metadata,
        "status": run.status,
        "kwargs": {
            "input": kwargs.get("input"),
            "command": kwargs.get("command"),
            "config": kwargs.get("config") or {},
            "context": kwargs.get("context") or {},
            "checkpoint": kwargs.get("checkpoint"),
            "checkpoint_id": kwargs.get("checkpoint_id"),
            "stream_mode": kwargs.get("stream_mode") or ["values"],
            "interrupt_before": kwargs.get("interrupt_before"),
            "interrupt_after": kwargs.get("interrupt_after"),
            "webhook": kwargs.get("webhook"),
            "feedback_keys": kwargs.get("feedback_keys"),
            "temporary": run.temporary,
            "subgraphs": bool(kwargs.get("stream_subgraphs")),
            "resumable": bool(kwargs.get("stream_resumable")),
            "checkpoint_during": durability != "exit",
            "durability": durability,
        },
        "multitask_strategy": run.multitask_strategy,
        "created_at": run.created_at,
        "updated_at": run.updated_at,
        **place,
    }
