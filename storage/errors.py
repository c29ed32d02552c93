"""The root of the error tree; each layer adds its children beside its own code."""

from typing import ClassVar


class ArtelError(Exception):
    """Something true that a caller can act on, said in one sentence."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500


class NotFound(ArtelError):
    """Nothing of that kind has that id."""

    code = "not_found"
    status = 404


class Conflict(ArtelError):
    """The thing is not in a state that allows this."""

    code = "conflict"
    status = 409


class StaleAttempt(Conflict):
    """Another worker has the run now; whoever held it must let go."""

    code = "stale_attempt"


class Invalid(ArtelError):
    """The request is well-formed but a value in it is wrong; the message names the value."""

    code = "invalid"
    status = 422


class Unstorable(Invalid):
    """The database cannot take a value: a text with a NUL in it, or a name too long for an index."""

    code = "unstorable"


class BadRequest(ArtelError):
    """The request does not make sense here."""

    code = "bad_request"
    status = 400


class Forbidden(ArtelError):
    """The caller may not do this."""

    code = "forbidden"
    status = 403


class Unavailable(ArtelError):
    """Something this needs is down; trying again later may help."""

    code = "unavailable"
    status = 503
