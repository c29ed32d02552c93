"""What the tools do that concern a run itself: they change its state and nothing in the world.

Such a tool stands in the registry with `inner=True`, so that roles name it, the policy judges it (`run.*`)
and the audit log has it. It may ask its person by an `interrupt`.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from langchain.tools import ToolRuntime
from langchain_core.messages import ToolMessage
from langgraph.types import Command

from artel.graphs import clarifying, todos
from artel.graphs.recalling import recall
from artel.graphs.remembering import remember
from artel.graphs.submitting import submit
from artel.tools.questions import TOOL as QUESTION
from artel.tools.recalling import NAME as RECALL
from artel.tools.submitting import NAME as SUBMIT
from artel.tools.todos import TOOL as TODOS

Run: TypeAlias = Callable[[ToolRuntime, Any], Awaitable[Command[Any] | ToolMessage]]
"""Gets the runtime and the parsed arguments; raises ToolRefused or ToolFailed, of which the model is told."""

RUNS: Mapping[str, Run] = MappingProxyType(
    {
        QUESTION.name: clarifying.ask,
        TODOS.name: todos.write,
        SUBMIT: submit,
        RECALL: recall,
        "remember": remember,
    }
)
"""By the name of the tool."""
