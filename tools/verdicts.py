"""Why a call is allowed, asked about or denied, and what another policy would say of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.grants import Grant, judge_granted
from artel.tools.policy import Call, Effect, Policy, Verdict

if TYPE_CHECKING:
    from artel.tools.tool import Tool

REFUSED = "refused"  # instead of a rule: the tool itself refuses the arguments, whatever a policy says


class Judged(BaseModel):
    """One of the calls that a call amounts to, and what was decided about it."""

    model_config = ConfigDict(frozen=True)

    action: str = Field(description="What it does: fs.read, exec …")
    argv: tuple[str, ...] = Field(description="The command and its arguments, for exec.")
    path: str = Field(description="Where its path really leads, from the workspace.")
    effect: Effect
    rule: str = Field(description="Id of the rule, or `default`, `unknown`, `grant:<id>`.")
    reason: str


class Explanation(BaseModel):
    """The verdict on a call: the strictest of those on what it amounts to."""

    model_config = ConfigDict(frozen=True)

    verdict: Effect
    rule: str = Field(description="Id of the rule, or `default`, `unknown`, `refused`, `grant:<id>`.")
    reason: str
    calls: tuple[Judged, ...] = ()


def explain(
    policies: tuple[Policy, ...],
    agent: str,
    tool: "Tool",
    args: Mapping[str, Any],
    workspace: Path,
    *,
    user: str = "local",
    grants: Sequence[Grant] = (),
) -> list[Explanation]:
    """Return what each policy says of a call by `agent`; it looks where paths lead, and does nothing.

    `grants` are those of `user` that stand.

    Raises:
        ToolRefused: the tool takes no such arguments.
    """
    tool.parse(args)
    try:
        calls = tool.calls(args, workspace, user=user)
    except (ToolRefused, ToolFailed) as error:
        refused = Explanation(verdict="deny", rule=REFUSED, reason=str(error))
        return [refused for _ in policies]
    return [_explained(policy, agent, calls, grants) for policy in policies]


def _explained(policy: Policy, agent: str, calls: list[Call], grants: Sequence[Grant]) -> Explanation:
    strictest = judge_granted(policy, agent, calls, grants)
    return Explanation(
        verdict=strictest.effect,
        rule=strictest.rule,
        reason=strictest.reason,
        calls=tuple(_judged(call, judge_granted(policy, agent, [call], grants)) for call in calls),
    )


def _judged(call: Call, verdict: Verdict) -> Judged:
    return Judged(
        action=call.action,
        argv=call.argv,
        path=call.path,
        effect=verdict.effect,
        rule=verdict.rule,
        reason=verdict.reason,
    )
