"""Who calls, and what they may do: every route asks before it touches anything."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol, TypeAlias

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import Scope

LOCAL = "local"

Resource = Literal["threads", "assistants", "crons", "store"]
Action = Literal[
    "create", "read", "update", "delete", "search", "create_run", "put", "get", "list_namespaces"
]
Allowed: TypeAlias = str | None  # a jsonpath that the metadata of what they may see fulfils; None: no limit


class Policy(Protocol):
    """Decides what a caller may do."""

    async def decide(
        self, caller: "Caller", resource: Resource, action: Action, value: dict[str, Any]
    ) -> Allowed:
        """Return what limits the caller; may change `value`.

        Raises:
            Forbidden: they may not.
        """


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. Without accounts and without `auth` in the configuration: the owner, who may do all."""

    owner: str = LOCAL
    user: Mapping[str, Any] | None = None  # what `@auth.authenticate` returned; runs are told of it
    permissions: tuple[str, ...] = ()
    policy: Policy | None = field(default=None, repr=False)
    known: Any = field(default=None, repr=False)  # the user as handlers of `@auth.on` meet them

    @property
    def name(self) -> str:
        """In whose name their runs go: their identity, or the owner where there are no accounts."""
        return str((self.user or {}).get("identity") or self.owner)

    async def may(self, resource: Resource, action: Action, value: dict[str, Any] | None = None) -> Allowed:
        """Ask before doing something to `value`, what the request says; the answer goes to storage.

        A configured handler may change `value` (add an owner to its metadata, say): read it afterwards.

        Raises:
            Forbidden: they may not.
        """
        if self.policy is None:
            return None
        return await self.policy.decide(self, resource, action, {} if value is None else value)


OWNER = Caller()

# Set by whoever lets a request in, for what lies too deep to be handed it: functions that make graphs.
calling: ContextVar[Caller] = ContextVar("artel_calling", default=OWNER)


def of(scope: Scope) -> Caller:
    """Return who makes a request."""
    caller: Caller = scope.get("artel.caller", OWNER)
    return caller


async def _caller(request: HTTPConnection) -> Caller:
    return of(request.scope)


GivenCaller = Annotated[Caller, Depends(_caller)]
