"""What keeps git from doing what it was asked; the model reads it."""

from artel.tools.errors import ToolFailed, ToolRefused


class NoRepository(ToolFailed):
    """The workspace itself is no git repository."""

    code = "no_repository"


class UnsafeRepository(ToolRefused):
    """The repository would run programs of its own, or leads out of the workspace."""

    code = "unsafe_repository"
    status = 403


class BadName(ToolRefused):
    """No branch, remote or revision can have that name."""

    code = "bad_git_name"


class RemoteRefused(ToolRefused):
    """The remote lies where git may not go."""

    code = "remote_refused"
    status = 403


class GitFailed(ToolFailed):
    """Git could not do it; the message is what it said."""

    code = "git_failed"


class TransferFailed(GitFailed):
    """A remote did not do it; the message is what it said, which its hooks may have written."""

    untrusted = True


class HostFailed(ToolFailed):
    """GitHub or GitLab did not do it; the message is what it answered."""

    code = "git_host_failed"
    status = 502
    untrusted = True
