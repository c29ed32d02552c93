"""Who may do the steps of plans."""

from pathlib import Path

from artel.graphs.plan import ORCHESTRATOR
from artel.graphs.roles import Role, built_in

DEBUG = "debug"


def crew(root: Path) -> dict[str, str]:
    """Return the agents that steps may be given to, with what they do; `root` is the workspace."""
    del root
    own = "makes a plan of its own for a part too big for one step; rarely needed."
    return {**{name: role.description for name, role in built_in().items()}, ORCHESTRATOR: own}


def role_of(name: str, root: Path) -> Role | None:
    """Return the role of an agent; None: there is none of that name any more."""
    del root
    return built_in().get(name)


def debugger(root: Path) -> str:
    """Return who is asked to repair what a verification found."""
    return DEBUG if DEBUG in crew(root) else "coder"
