"""What keeps the gate from judging, and what it says when it shuts."""

from artel.tools.errors import ToolFailed, ToolRefused


class GateMisconfigured(ToolRefused):
    """The gate's configuration in the base commit cannot be used; a person has to mend it."""

    code = "gate_misconfigured"


class GateRed(ToolFailed):
    """A change did not pass the gate; the message is the report."""

    code = "gate_red"
