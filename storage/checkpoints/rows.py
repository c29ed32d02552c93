"""What a saver writes: rows of four tables, in one statement, which is one round trip and one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from artel.storage.arrays import BoolArray, ByteaArray, bigints, ints, texts
from artel.storage.checkpoints.lists import Item

ROW = 64  # bytes, about, that a row has beside its blob

# A stale attempt raises in `fence`, and with it the whole statement is undone.
SAVE = """
with fence as materialized (
    select artel_fence(run_id, attempt) from unnest(%(runs)s::uuid[], %(attempts)s) run (run_id, attempt)
), items as (
    insert into checkpoint_items (thread_id, name, type, blob, shown)
    select * from unnest(%(item_threads)s, %(item_names)s, %(item_types)s, %(item_blobs)s, %(item_shown)s)
    on conflict do nothing
), blobs as (
    insert into checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    select * from unnest(%(blob_threads)s, %(blob_ns)s, %(blob_channels)s, %(blob_versions)s, %(blob_types)s,
                         %(blob_blobs)s)
    on conflict (thread_id, checkpoint_ns, channel, version) do nothing
), saved as (
    insert into checkpoints
           (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata)
    select t, ns, id, parent, checkpoint::jsonb, metadata::jsonb
      from unnest(%(threads)s, %(ns)s, %(ids)s, %(parents)s, %(checkpoints)s, %(metadata)s)
           as n (t, ns, id, parent, checkpoint, metadata)
    on conflict (thread_id, checkpoint_ns, checkpoint_id)
    do update set checkpoint = excluded.checkpoint, metadata = excluded.metadata
), written as materialized (
    select *
      from unnest(%(write_threads)s, %(write_ns)s, %(write_ids)s, %(write_tasks)s, %(write_idx)s,
                  %(write_paths)s, %(write_channels)s, %(write_types)s, %(write_blobs)s, %(write_over)s,
                  %(write_runs)s::uuid[])
           as n (t, ns, id, task, idx, path, channel, type, blob, over, run_id)
), added as (
    insert into checkpoint_writes
           (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, blob, run_id)
    select t, ns, id, task, idx, path, channel, type, blob, run_id from written where not over
    on conflict (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) do nothing
), replaced as (
    insert into checkpoint_writes
           (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, blob, run_id)
    select t, ns, id, task, idx, path, channel, type, blob, run_id from written where over
    on conflict (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
    do update set channel = excluded.channel, type = excluded.type, blob = excluded.blob,
                  run_id = excluded.run_id
)
select count(*) from fence
"""


@dataclass(slots=True)
class Rows:
    """Rows by their primary keys, so that a statement meets each only once."""

    items: dict[tuple[str, bytes], Item] = field(default_factory=dict)
    blobs: dict[tuple[str, str, str, str], tuple[str, bytes]] = field(default_factory=dict)
    checkpoints: dict[tuple[str, str, str], tuple[str | None, str, str]] = field(default_factory=dict)
    # path, channel, type, blob, and whether it goes over what is there
    writes: dict[tuple[str, str, str, str, int], tuple[str, str, str, bytes, bool]] = field(
        default_factory=dict
    )

    def add(self, later: "Rows") -> None:
        """Take in rows that were put down later."""
        self.items |= later.items
        self.blobs |= {key: row for key, row in later.blobs.items() if key not in self.blobs}
        self.checkpoints |= later.checkpoints
        for key, row in later.writes.items():
            if row[-1] or key not in self.writes:
                self.writes[key] = row

    @property
    def size(self) -> int:
        """About how many bytes they are; 0 when there are none."""
        return (
            sum(len(row[1]) + ROW for row in self.items.values())
            + sum(len(row[1]) + ROW for row in self.blobs.values())
            + sum(len(row[1]) + ROW for row in self.checkpoints.values())
            + sum(len(row[3]) + ROW for row in self.writes.values())
        )

    def has(self, thread_id: str, ns: str) -> bool:
        """Say whether a checkpoint or a write of this namespace is among them."""
        return any(key[:2] == (thread_id, ns) for keys in (self.checkpoints, self.writes) for key in keys)


def parameters(loads: Sequence[tuple[UUID | None, int, Rows]]) -> dict[str, Any]:
    """Return the parameters of SAVE: rows, each with its run and attempt; without a run they are not fenced.

    No row may be there twice.
    """
    fenced = [(str(run_id), attempt) for run_id, attempt, _ in loads if run_id]
    items = [pair for _, _, rows in loads for pair in rows.items.items()]
    blobs = [pair for _, _, rows in loads for pair in rows.blobs.items()]
    saved = [pair for _, _, rows in loads for pair in rows.checkpoints.items()]
    writes = [(run_id, *pair) for run_id, _, rows in loads for pair in rows.writes.items()]
    return {
        "runs": texts(run_id for run_id, _ in fenced),
        "attempts": ints(attempt for _, attempt in fenced),
        "item_threads": texts(key[0] for key, _ in items),
        "item_names": ByteaArray([key[1] for key, _ in items]),
        "item_types": texts(row[0] for _, row in items),
        "item_blobs": ByteaArray([row[1] for _, row in items]),
        "item_shown": bigints(row[2] for _, row in items),
        "blob_threads": texts(key[0] for key, _ in blobs),
        "blob_ns": texts(key[1] for key, _ in blobs),
        "blob_channels": texts(key[2] for key, _ in blobs),
        "blob_versions": texts(key[3] for key, _ in blobs),
        "blob_types": texts(row[0] for _, row in blobs),
        "blob_blobs": ByteaArray([row[1] for _, row in blobs]),
        "threads": texts(key[0] for key, _ in saved),
        "ns": texts(key[1] for key, _ in saved),
        "ids": texts(key[2] for key, _ in saved),
        "parents": texts(row[0] for _, row in saved),
        "checkpoints": texts(row[1] for _, row in saved),
        "metadata": texts(row[2] for _, row in saved),
        "write_threads": texts(key[0] for _, key, _ in writes),
        "write_ns": texts(key[1] for _, key, _ in writes),
        "write_ids": texts(key[2] for _, key, _ in writes),
        "write_tasks": texts(key[3] for _, key, _ in writes),
        "write_idx": ints(key[4] for _, key, _ in writes),
        "write_paths": texts(row[0] for _, _, row in writes),
        "write_channels": texts(row[1] for _, _, row in writes),
        "write_types": texts(row[2] for _, _, row in writes),
        "write_blobs": ByteaArray([row[3] for _, _, row in writes]),
        "write_over": BoolArray([b"\x01" if row[4] else b"\x00" for _, _, row in writes]),
        "write_runs": texts(None if run_id is None else str(run_id) for run_id, _, _ in writes),
    }
