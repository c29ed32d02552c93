"""What a tool says when it does not do what it was asked; the model reads it."""

from artel.storage.errors import ArtelError


class ToolRefused(ArtelError):
    """The call is wrong and stays wrong until its arguments change."""

    code = "tool_refused"
    status = 422
    untrusted = False
    "Whether the message holds text from outside."


class ToolFailed(ArtelError):
    """The call was right, but the world is not as it supposed; look again and adapt."""

    code = "tool_failed"
    status = 409
    untrusted = False
    "Whether the message holds text from outside."
