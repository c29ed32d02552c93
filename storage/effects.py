"""The effects ledger: what tools did to the world, so that a step done twice changes it once.

The intent is written before a tool acts and the result after. A repeat of the same call finds its own row:
with a result it is returned, without one nobody knows whether the tool acted.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeAlias
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.errors import NotFound
from artel.storage.postgres import Connection


@dataclass(frozen=True, slots=True)
class EffectKey:
    """What tells a call from every other one.

    Models repeat ids such as `call_0` and forks replay them: hence the checkpoint and the final arguments.
    """

    thread_id: UUID
    checkpoint_ns: str
    parent_checkpoint_id: str
    tool_call_id: str
    args_sha: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of all parts, which no part can cross into another."""
        parts = (
            str(self.thread_id),
            self.checkpoint_ns,
            self.parent_checkpoint_id,
            self.tool_call_id,
            self.args_sha,
        )
        framed = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return sha256(framed).digest()


@dataclass(frozen=True, slots=True)
class New:
    """This call never began; its intent is written now."""


@dataclass(frozen=True, slots=True)
class Done:
    """This call ran to its end before."""

    result: Any


@dataclass(frozen=True, slots=True)
class Unknown:
    """This call began, and nobody knows whether it ended."""

    intent: dict[str, Any]


Begun: TypeAlias = New | Done | Unknown

FENCE = "select artel_fence(%(run_id)s, %(attempt)s)"

BEGIN = """
insert into effects (effect_key, thread_id, run_id, tool, tool_call_id, intent)
values (%(key)s, %(thread_id)s, %(run_id)s, %(tool)s, %(tool_call_id)s, %(intent)s)
on conflict (effect_key) do nothing
returning effect_key
"""

BEGUN = "select intent, result, done_at from effects where effect_key = %(key)s"

FINISH = """
update effects set result = coalesce(result, %(result)s), done_at = coalesce(done_at, clock_timestamp())
 where effect_key = %(key)s
returning effect_key
"""


async def begin(
    conn: Connection,
    key: EffectKey,
    intent: dict[str, Any],
    *,
    tool: str = "",
    run_id: UUID | None = None,
    attempt: int | None = None,
) -> Begun:
    """Write the intent of a call, or say what became of it before. With `attempt`, fenced.

    Call it in a transaction of its own: the tool may act only when the intent is committed.

    Raises:
        StaleAttempt: the run has moved on: somebody else makes this call now.
    """
    if run_id is not None and attempt is not None:
        await conn.execute(FENCE, {"run_id": run_id, "attempt": attempt})
    if conn.sealer:
        intent = await conn.sealer.seal("effect", "intent", intent)
    values = {
        "key": key.digest,
        "thread_id": key.thread_id,
        "run_id": run_id,
        "tool": tool,
        "tool_call_id": key.tool_call_id,
        "intent": Jsonb(intent),
    }
    if await (await conn.execute(BEGIN, values)).fetchone():
        return New()
    row = await (await conn.execute(BEGUN, {"key": key.digest})).fetchone()
    if row is None:
        raise NotFound(f"the thread {key.thread_id} went away")
    if conn.sealer:
        row = await conn.sealer.open(row)
    return Unknown(row["intent"]) if row["done_at"] is None else Done(row["result"])


async def finish(conn: Connection, key: EffectKey, result: Any) -> None:
    """Write the result of a call that ran; the first result stands.

    Raises:
        NotFound: its intent was never written.
    """
    if conn.sealer:
        result = await conn.sealer.seal("effect", "result", result)
    values = {"key": key.digest, "result": Jsonb(result)}
    if await (await conn.execute(FINISH, values)).fetchone() is None:
        raise NotFound(f"the call {key.tool_call_id} was never begun")


async def has_begun(conn: Connection, key: EffectKey) -> bool:
    """Return whether the intent of a call was written."""
    return await (await conn.execute(BEGUN, {"key": key.digest})).fetchone() is not None
