"""Versions of prompts: what an agent is told, as a few digits that change when a word of it does."""

from artel import prompts
from artel.graphs.roles import built_in

ORCHESTRATOR = "orchestrator"
COMMON = ("shared", "guard")  # folders of which every agent may be told


def version(agent: str) -> str:
    """Return the version of all prompts that an agent of ours may be told of: ten hexadecimal digits.

    They are its own folder, what all agents share, and how its tools are described; for the orchestrator
    those of every role too, since it has them work.
    """
    roles = built_in()
    crew = sorted(roles) if agent == ORCHESTRATOR else [agent]
    tools = {tool for name in crew if name in roles for tool in roles[name].tools}
    folders = dict.fromkeys([agent, *crew, *COMMON])
    return prompts.version(*folders, *(f"tools/{name}" for name in sorted(tools)))
