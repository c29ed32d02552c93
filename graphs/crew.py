"""Who may do the steps of plans."""

from pathlib import Path

from artel.graphs.plan import ORCHESTRATOR
from artel.graphs.roles import Role, RoleWrong, UnknownRole, built_in, find, of_workspace

DEBUG = "debug"


def crew(root: Path) -> dict[str, str]:
    """Return the agents that steps may be given to, with what they do: those of the workspace `root` too.

    Reads files, so it belongs into a thread.
    """
    own = "makes a plan of its own for a part too big for one step; rarely needed."
    found = {name: role for name, role in of_workspace(root).items() if isinstance(role, Role)}
    return {**{name: role.description for name, role in (found | built_in()).items()}, ORCHESTRATOR: own}


def role_of(name: str, root: Path) -> Role | None:
    """Return the role of an agent; None: there is none of that name any more. Reads a file."""
    try:
        return find(name, root)
    except (UnknownRole, RoleWrong):
        return None


def debugger(root: Path) -> str:
    """Return who is asked to repair what a verification found."""
    return DEBUG if DEBUG in crew(root) else "coder"
