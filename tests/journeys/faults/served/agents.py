"""Our own coder, served beside the graphs of the tests."""

from artel.graphs.agent_loop import loop
from artel.graphs.roles import built_in

coder = loop(built_in()["coder"])

__all__ = ["coder"]
