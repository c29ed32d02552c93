"""What goes wrong around commands; what goes wrong inside one is its exit code."""

from artel.tools.errors import ToolFailed, ToolRefused


class SandboxUnavailable(ToolRefused):
    """No command can be boxed on this machine, so none is run."""

    code = "sandbox_unavailable"


class NoSuchJob(ToolRefused):
    """The thread has no job of that id in this process."""

    code = "no_such_job"


class TooManyJobs(ToolFailed):
    """As many background jobs run as may."""

    code = "too_many_jobs"
