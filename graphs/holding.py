"""What holds an agent to its role: rules on the floor of the policy, and commands that find files read-only.

A role narrows what the policy lets an agent do and never widens it. It speaks of the files of the workspace:
what programs of others do (`mcp.*`), which only the operator gives to an agent, is the policy's.
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

from langchain.agents.middleware.types import AgentMiddleware, ModelRequest, ModelResponse, ToolCallRequest

from artel.graphs.context import Context, Handles, handles, use
from artel.graphs.effects import Answer, Handler
from artel.graphs.roles import Role, RoleWrong, UnknownRole, find
from artel.graphs.state import AgentLoopState
from artel.tools.policies import ROLE
from artel.tools.policy import Policy, Rule

MAX_HELD = 64  # policies that a loop keeps narrowed: one a user, mostly

Call = Callable[[ModelRequest[Context]], Awaitable[ModelResponse]]


class Hold(AgentMiddleware[AgentLoopState, Context]):
    """Stands around all others of a loop: what they are handed is what the role leaves of it."""

    state_schema = AgentLoopState

    def __init__(self, role: Role) -> None:
        super().__init__()
        self.role = role
        self._narrows = not role.is_free or role.identity != role.name
        self._held: dict[int, tuple[Policy, Policy]] = {}

    async def awrap_model_call(self, request: ModelRequest[Context], handler: Call) -> ModelResponse:
        """Ask the model, whose calls are judged by the role's policy."""
        if not self._narrows:
            return await handler(request)
        with use(await to_thread(self._narrowed)):  # where none are handed, they look where they are
            return await handler(request)

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Answer:
        """Run the call as the role's policy has it."""
        if not self._narrows:
            return await handler(request)
        with use(await to_thread(self._narrowed)):
            return await handler(request)

    def _narrowed(self) -> Handles:
        given = handles()
        kept = self._held.get(id(given.policy))
        if kept is None or kept[0] is not given.policy:
            if len(self._held) >= MAX_HELD:
                self._held.clear()
            kept = self._held[id(given.policy)] = given.policy, held(self.role, given.policy)
        return replace(given, policy=kept[1], read_only=given.read_only or not self.role.is_free)


def held(role: Role, policy: Policy) -> Policy:
    """Return what `policy` says of an agent in a role: no grant and no policy of one's own lifts it.

    A rule that allows something to an agent by its name is none for the role of a user: any workspace may
    have one of that name. A rule against an agent by its name holds for it too.
    """
    more = rules(role)
    if role.identity == role.name:
        return policy.model_copy(update={"floor": (*policy.floor, *more)}) if more else policy
    floor, others = tuple(_about(role, policy.floor)), tuple(_about(role, policy.rules))
    return policy.model_copy(update={"floor": (*floor, *more), "rules": others})


def held_by_name(name: str, root: Path, policy: Policy) -> Policy:
    """Return what `policy` says of the agent of that name in a workspace; of one without a role, itself."""
    try:
        return held(find(name, root), policy)
    except (UnknownRole, RoleWrong):
        return policy


def rules(role: Role) -> tuple[Rule, ...]:
    """Return the rules that hold an agent to what its role may change; none for one that may change all."""
    if role.is_free:
        return ()
    only = f"only {', '.join(role.writes)}" if role.writes else "nothing"
    reason = f"the role {role.name} changes {only}"
    git = f"{reason}, and this may change any file"
    return (
        Rule(id=f"{ROLE}writes", effect="deny", action="fs.write", unless=role.writes, reason=reason),
        Rule(id=f"{ROLE}git", effect="deny", action="git.write", reason=git),
        Rule(id=f"{ROLE}push", effect="deny", action="git.push", reason=git),
    )


def _about(role: Role, given: tuple[Rule, ...]) -> Iterator[Rule]:
    for rule in given:
        if not rule.agents:
            yield rule
        elif role.name in rule.agents and rule.effect != "allow":
            yield rule.model_copy(update={"agents": ()})
