"""Who takes the place of an agent that is not there."""

from collections.abc import Collection

NEAREST: dict[str, tuple[str, ...]] = {
    "plan": ("orchestrator", "coder", "ask"),
    "debug": ("coder", "ask"),
    "test_writer": ("coder", "ask"),
    "document_writer": ("coder", "ask"),
    "profiler": ("debug", "ask", "coder"),
    "security": ("reviewer", "ask", "coder"),
    "reviewer": ("ask", "coder"),
    "architect": ("document_writer", "ask", "coder"),
    "coder": ("debug", "ask"),
    "ask": ("reviewer", "architect", "coder"),
}


def nearest(agent: str, available: Collection[str]) -> str | None:
    """Return `agent` if it is among the available, else who comes nearest to it; None if nobody does.

    Nobody who may change files takes the place of one who may not as long as there is another who may not.

    >>> nearest("test_writer", {"coder", "ask"})
    'coder'
    >>> nearest("reviewer", {"coder", "ask"})
    'ask'
    """
    return next((name for name in (agent, *NEAREST.get(agent, ())) if name in available), None)
