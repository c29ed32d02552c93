"""What somebody may do, as the handlers of `@auth.on` decide it."""

from typing import Any

from langgraph_sdk import Auth
from langgraph_sdk.auth.exceptions import HTTPException
from langgraph_sdk.auth.types import AuthContext, Handler

from artel.server.auth.caller import Action, Allowed, Caller, Resource
from artel.server.auth.filters import FilterWrong, predicate
from artel.server.errors import Answered
from artel.storage.errors import Forbidden


class Refused(Forbidden):
    """The configured auth does not let this caller do this."""


class Handlers:
    """Asks the handler that fits best: of the action on the resource, of the resource, of the action, of all.

    Without any handler whoever is known may do all.
    """

    def __init__(self, auth: Auth) -> None:
        self._by_place = {place: handlers[0] for place, handlers in auth._handlers.items() if handlers}
        self._of_all = auth._global_handlers[0] if auth._global_handlers else None

    async def decide(
        self, caller: Caller, resource: Resource, action: Action, value: dict[str, Any]
    ) -> Allowed:
        """Return what limits the caller; the handler may change `value`.

        Raises:
            Refused: the handler returned False.
            Answered: it refused with an answer of its own.
            FilterWrong: it returned a filter that says nothing.
        """
        handler = self._handler(resource, action)
        if handler is None:
            return None
        user: Any = caller.known
        context = AuthContext(permissions=caller.permissions, user=user, resource=resource, action=action)
        try:
            answer = await handler(ctx=context, value=value)
        except HTTPException as refused:
            raise Answered(refused.detail, refused.status_code, refused.headers) from refused
        match answer:
            case None | True:
                return None
            case False:
                raise Refused(f"{user.identity} may not {action} {resource}")
            case dict() as asked:
                return predicate(asked)
            case other:
                raise FilterWrong(
                    f"a handler returns None, True, False or a filter, not {type(other).__name__}"
                )

    def _handler(self, resource: Resource, action: Action) -> Handler | None:
        for place in ((resource, action), (resource, "*"), ("*", action)):
            if place in self._by_place:
                return self._by_place[place]
        return self._of_all


class Nobody:
    """Lets nobody do anything: for requests that were let through unasked, to routes that need no key."""

    async def decide(
        self, caller: Caller, resource: Resource, action: Action, value: dict[str, Any]
    ) -> Allowed:
        """Refuse.

        Raises:
            Refused: always.
        """
        raise Refused(f"nobody who was not asked for a key may {action} {resource}")


NOBODY = Caller(policy=Nobody())
