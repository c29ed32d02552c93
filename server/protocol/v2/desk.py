"""What every command of protocol v2 is given, and how one is refused."""

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from artel.server.auth.caller import Caller
from artel.server.catalog import Catalog
from artel.server.engine import Engine
from artel.server.errors import explain
from artel.server.protocol.orders import Call
from artel.server.protocol.snapshots import UnknownCheckpoint
from artel.storage import threads
from artel.storage.assistants import UnknownAssistant
from artel.storage.errors import ArtelError, BadRequest, Forbidden, Invalid
from artel.storage.postgres import Connection
from artel.storage.runs import UnknownRun
from artel.storage.threads import Thread, UnknownThread

Code: TypeAlias = Literal[
    "invalid_argument",
    "unknown_command",
    "unknown_error",
    "no_such_run",
    "no_such_subscription",
    "no_such_namespace",
    "no_such_interrupt",
    "no_such_checkpoint",
    "permission_denied",
    "not_supported",
]
CODES: tuple[tuple[type[ArtelError], Code], ...] = (
    (Forbidden, "permission_denied"),
    (UnknownCheckpoint, "no_such_checkpoint"),
    (UnknownRun, "no_such_run"),
    (UnknownThread, "no_such_run"),
    (UnknownAssistant, "invalid_argument"),
    (Invalid, "invalid_argument"),
    (BadRequest, "invalid_argument"),
)
P = TypeVar("P", bound=BaseModel)


class Refused(Exception):
    """A command cannot be done; the code is one of the protocol's."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code

    @staticmethod
    def by(known: ArtelError) -> Code:
        """Return the protocol's code for an error of ours."""
        return next((code for kind, code in CODES if isinstance(known, kind)), "unknown_error")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a command. `through`: the event before the first of the run that it started."""

    value: dict[str, Any]
    through: int | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where commands for one thread are taken."""

    engine: Engine
    catalog: Catalog
    thread_id: UUID
    call: Call

    @property
    def caller(self) -> Caller:
        """Who gives the commands."""
        return self.call.caller

    async def thread(self, conn: Connection) -> Thread:
        """Return the thread, as far as the caller may read it.

        Raises:
            UnknownThread: they have none with that id.
        """
        allowed = await self.caller.may("threads", "read", {"thread_id": self.thread_id})
        return await threads.get(conn, self.thread_id, owner=self.caller.owner, allowed=allowed)


def checked(kind: type[P], params: dict[str, Any]) -> P:
    """Read the params of a command.

    Raises:
        Refused: a field is missing or wrong.
    """
    try:
        return kind.model_validate(params)
    except ValidationError as wrong:
        raise Refused("invalid_argument", f"params: {explain(wrong.errors())}") from wrong
