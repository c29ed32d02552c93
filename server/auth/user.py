"""Who was let in: what `@auth.authenticate` returned, in one shape."""

from collections.abc import Mapping
from typing import Any

from langgraph_sdk.auth.types import StudioUser

from artel.server.engine.configuration import User
from artel.storage.encoding import dumps_jsonb, loads
from artel.storage.errors import ArtelError

STUDIO_USER = "langgraph-studio-user"


class NobodyReturned(ArtelError):
    """The configured `@auth.authenticate` returned nothing that says who calls."""

    code = "nobody_returned"


class Known(User):
    """A user whose handler returned an object: what it has beyond plain fields can still be asked of it."""

    origin: Any = None

    def __getattr__(self, name: str) -> Any:
        if name in self:
            return self[name]
        return getattr(self.origin, name)


def user_of(given: Any) -> User:
    """Return the user that a handler means by a name, a dict, or an object with an `identity`.

    Raises:
        NobodyReturned: it has no identity.
    """
    fields = {"identity": given} if isinstance(given, str) else _fields(given)
    identity = fields.get("identity")
    if not isinstance(identity, str) or not identity:
        raise NobodyReturned(
            "@auth.authenticate must return a name, a dict with `identity`, or an object that has one, "
            f"not {type(given).__name__}"
        )
    plain: Any = loads(dumps_jsonb({"is_authenticated": True, "display_name": identity} | fields))
    permissions = plain.get("permissions")
    plain["permissions"] = [str(one) for one in permissions] if isinstance(permissions, list) else []
    if isinstance(given, str | Mapping):
        return User(plain)
    known = Known(plain)
    known.origin = given
    return known


def studio_user() -> StudioUser:
    """Return whom handlers meet when Studio calls with this server's key."""
    return StudioUser(STUDIO_USER, is_authenticated=True)


def _fields(given: Any) -> dict[str, Any]:
    if isinstance(given, Mapping):
        return {str(name): value for name, value in given.items()}
    if callable(dump := getattr(given, "model_dump", None)):
        fields: dict[str, Any] = dump()
    else:
        fields = {name: value for name, value in _held(given).items() if not name.startswith("_")}
    named = ("identity", "display_name", "is_authenticated", "permissions")
    return fields | {name: getattr(given, name) for name in named if hasattr(given, name)}


def _held(given: Any) -> dict[str, Any]:
    slots: dict[str, Any] = {
        name: getattr(given, name) for name in getattr(given, "__slots__", ()) if hasattr(given, name)
    }
    return slots | dict(getattr(given, "__dict__", {}))
