"""/api/v1/policy: why a call is allowed, asked about or denied, and what another policy would change."""

from asyncio import to_thread
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from artel.graphs.context import Handles, workspace
from artel.graphs.decisions import shown_calls
from artel.server.auth.caller import Allowed, Caller, GivenCaller
from artel.server.engine import Engine
from artel.server.engine.handles import grant_of
from artel.server.errors import answers
from artel.server.protocol.bodies import MAX_LIMIT, Body, Id, Text
from artel.server.protocol.given import GivenEngine, JsonRoute
from artel.storage import approvals, grants
from artel.storage.approvals import Approval
from artel.storage.asking import question_of
from artel.storage.errors import Invalid, NotFound
from artel.tools.errors import ToolRefused
from artel.tools.grants import Grant
from artel.tools.policies import PolicyWrong, check, over
from artel.tools.policy import Policy
from artel.tools.verdicts import Explanation, explain
from artel.tools.workspace.paths import BadPath, DeniedPath, OutsideWorkspace, WrongKind

router = APIRouter(prefix="/policy", route_class=JsonRoute, tags=["Product"])


class NoAgents(NotFound):
    """This server has no agents of ours, and so no policy."""

    code = "no_agents"


class Asked(Body):
    """A call of a tool, as an agent would make it."""

    agent: Annotated[Text, Field(min_length=1, max_length=200)] = Field(description="Name of the agent.")
    tool: str = Field(description="Name of the tool.")
    args: dict[str, Any] = Field({}, description="Its arguments.")
    workspace: Text = Field("", description="Absolute path of the folder; empty: the server's default.")
    thread_id: Id | None = Field(None, description="The thread, whose grants then count.")


class Proposal(Body):
    """A policy to try, and on what."""

    policy: Policy
    calls: Annotated[list[Asked], Field(max_length=MAX_LIMIT)] | None = Field(
        None, description="Calls to try it on; without them, what you were asked about, newest first."
    )


class Changed(BaseModel):
    """A call about which the two policies differ."""

    approval_id: UUID | None = Field(description="The question in which it was asked; none of a given call.")
    agent: str
    tool: str
    args: dict[str, Any]
    before: Explanation
    after: Explanation


class Simulation(BaseModel):
    """What a policy would change."""

    judged: int = Field(description="How many calls were judged under both policies.")
    skipped: int = Field(description="Past calls of tools that are not there, or whose arguments are wrong.")
    changed: list[Changed]


Past = tuple[UUID | None, Asked]


@dataclass(frozen=True, slots=True)
class Ground:
    """By what the calls of somebody are judged."""

    handles: Handles
    user: str
    policy: Policy
    grants: Sequence[Grant]


@router.post("/explain", responses=answers(NoAgents, OutsideWorkspace, DeniedPath, BadPath, WrongKind))
async def why(body: Asked, engine: GivenEngine, caller: GivenCaller) -> Explanation:
    """Say what the policy decides about a call, by which rule, and of what it is made; nothing is done."""
    await caller.may("threads", "search", {})
    ground = await _ground(engine, caller)
    (explained,) = await to_thread(_explained, ground, (ground.policy,), body)
    return explained


@router.post(
    "/simulate", responses=answers(NoAgents, PolicyWrong, OutsideWorkspace, DeniedPath, BadPath, WrongKind)
)
async def simulate(body: Proposal, engine: GivenEngine, caller: GivenCaller) -> Simulation:
    """Say which verdicts would change if this were your own policy; nothing is done, and it is not kept."""
    allowed = await caller.may("threads", "search", {})
    check(body.policy)
    ground = await _ground(engine, caller)
    proposed = over(ground.handles.policy, body.policy)
    if body.calls is not None:
        given: list[Past] = [(None, call) for call in body.calls]
        return await to_thread(_compared, ground, proposed, given, strict=True)
    past = await _past(engine, caller.owner, allowed)
    return await to_thread(_compared, ground, proposed, past, strict=False)


def handles_of_agents(engine: Engine) -> Handles:
    """Return what our agents are handed, with the server's policy.

    Raises:
        NoAgents: there are none.
    """
    handles: Handles | None = engine.handles
    if handles is None:
        raise NoAgents("this server serves none of our agents, so there is no policy")
    return handles


async def _ground(engine: Engine, caller: Caller) -> Ground:
    handles, user = handles_of_agents(engine), caller.name
    ruled = await engine.policies.of(handles.policy, owner=caller.owner, user_id=user)
    async with engine.db.connection() as conn:
        given = await grants.search(conn, owner=caller.owner, user_id=user, limit=grants.MOST)
    return Ground(handles, user, ruled.policy, [grant_of(one) for one in given])


async def _past(engine: Engine, owner: str, allowed: Allowed) -> list[Past]:
    """Return the calls that a caller was asked about on threads of theirs, newest first."""
    async with engine.db.connection() as conn:
        found = await approvals.search(conn, owner=owner, limit=MAX_LIMIT, allowed=allowed)
    return [one for question in found for one in _calls(question)][:MAX_LIMIT]


def _calls(question: Approval) -> Iterator[Past]:
    """Yield the calls of ours that a question was about: one, or all of a batch."""
    value = question_of(question.value)
    artel = value.get("artel")
    agent = str(artel.get("agent", "")) if isinstance(artel, Mapping) else ""
    one = {"name": question.tool, "args": question.args}
    for call in [one] if question.tool else shown_calls(value):
        match call:
            case {"name": str(tool), "args": Mapping() as args} if question.kind == "tool_call" and agent:
                asked = Asked.model_construct(agent=agent, tool=tool, args=dict(args))
                yield question.approval_id, asked.model_copy(update={"thread_id": question.thread_id})


def _compared(ground: Ground, policy: Policy, asked: Iterable[Past], *, strict: bool) -> Simulation:
    judged, skipped, changed = 0, 0, []
    for approval_id, call in asked:
        try:
            before, after = _explained(ground, (ground.policy, policy), call)
        except (Invalid, ToolRefused):
            if strict:
                raise
            skipped += 1
            continue
        judged += 1
        if before.verdict != after.verdict:
            named = {"agent": call.agent, "tool": call.tool, "args": call.args}
            changed.append(Changed(approval_id=approval_id, before=before, after=after, **named))
    return Simulation(judged=judged, skipped=skipped, changed=changed)


def _explained(ground: Ground, policies: tuple[Policy, ...], asked: Asked) -> list[Explanation]:
    tools = import_module("artel.tools.registry").TOOLS  # an idle server needs none of what tools need
    tool = tools.get(asked.tool) or ground.handles.mcp.get(asked.tool)
    if tool is None:
        raise Invalid(f"tool must be one of {', '.join(tools)}, got {asked.tool[:80]!r}")
    root: Path = workspace(asked.workspace, ground.handles)
    places = ("", str(asked.thread_id), str(root))
    here = [one for one in ground.grants if (one.thread_id or one.workspace) in places]
    held = import_module("artel.graphs.holding").held_by_name
    policies = tuple(held(asked.agent, root, policy) for policy in policies)
    return explain(policies, asked.agent, tool, asked.args, root, user=ground.user, grants=here)
