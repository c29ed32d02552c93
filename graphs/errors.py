"""Errors that routes name too, apart from what loads the tools of agents."""

from artel.storage.errors import Invalid, NotFound


class RoleWrong(Invalid):
    """A text is no role; the message names the place and what would be right."""

    code = "role_wrong"


class UnknownRole(NotFound):
    """There is no role of that name; the message names those there are."""

    code = "unknown_role"
