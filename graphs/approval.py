"""The gate: asks and waits, and lets through only what was approved.

It is the outermost tool middleware: no effect stands before its question, and nothing outside it retries.
A resumed call starts again from its first line, so what decides whether it asks was frozen in the state when
the model made the call; what the policy or a file says later can only make it stricter.
"""

from asyncio import gather, to_thread
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain.agents.middleware.types import AgentMiddleware, ToolCallRequest
from langchain_core.messages import AIMessage
from langchain_core.messages.tool import ToolCall
from langgraph.errors import GraphInterrupt
from langgraph.types import Command, interrupt

from artel.graphs.auditing import entry_of, refused, watched
from artel.graphs.context import Context, handles
from artel.graphs.decisions import check, decision_on, final_args
from artel.graphs.effects import FREE, Answer, Handler, Yes, act_once, once
from artel.graphs.inbox import decision_of
from artel.graphs.ledgers import AuditEntry
from artel.graphs.lifting import keep, offered, settled, standing
from artel.graphs.questions import About, about, ask_all, ask_inbox, ask_one, waits
from artel.graphs.replies import not_run, noted, refusal, update_of
from artel.graphs.roles import Role
from artel.graphs.state import AgentLoopState, Verdict
from artel.graphs.toolbox import TOOLS, changed, found, reaching
from artel.graphs.verdicts import judged, judgement, stricter, verdict_on
from artel.graphs.workbench import message, root_of
from artel.storage.asking import question_of
from artel.storage.errors import Invalid
from artel.tools.git import publishing
from artel.tools.git.pulls import REMOTE
from artel.tools.grants import Grant
from artel.tools.policy import Verdict as Judged
from artel.tools.tool import Tool, ToolRefused

__all__ = ["Gate", "check_args", "decision_on", "validate"]


def validate(value: Any, decision: Any) -> Any:
    """Return `decision` if it answers the interrupt `value`, in the form to resume with. Touches nothing.

    Raises:
        Invalid: it does not; the message names what is wrong.
    """
    return check(value, decision, check_args)


class Gate(AgentMiddleware[AgentLoopState, Context]):
    """Stands before every tool of an agent."""

    state_schema = AgentLoopState

    def __init__(self, role: Role) -> None:
        super().__init__()
        self.role = role
        self.agent = role.identity

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Answer:
        """Run the call if it is allowed; ask a person first if the policy says so."""
        call = request.tool_call
        if await found(request, self.role.name) is None:
            unknown = entry_of(request, self.agent)
            return await watched(unknown, lambda: handler(request))  # which says what tools there are
        root = await to_thread(root_of, request.state)
        known = self._frozen(request)
        verdict: Verdict = known if known else await to_thread(self._verdict, request, root)
        grants = await standing(call, verdict, root)
        now, entry = await to_thread(self._case, request, verdict, root, grants)
        entry = await settled(entry, verdict, now)
        if verdict["effect"] == "ask" and verdict.get("batched") and not verdict.get("problem"):
            # its siblings wait for it, also if it is denied now
            return await self._together(request, handler)
        if entry.effect == "deny":
            return refused(entry, not_run(call, entry.reason))
        if problem := verdict.get("problem"):
            return refused(entry, message(call, problem, {"kind": "failed"}))
        if entry.effect == "allow":
            return await self._run(request, handler, root, FREE, entry)
        return await self._alone(request, handler, verdict, entry)

    async def _alone(
        self, request: ToolCallRequest, handler: Handler, verdict: Verdict, entry: AuditEntry
    ) -> Answer:
        shown = await to_thread(self._about, request, request.tool_call, verdict)
        inbox = verdict.get("inbox", False)
        ask = ask_inbox if inbox else ask_one
        value: Any = ask(shown, agent=self.agent, waits=waits([verdict], handles().approval_timeout_s))
        question = question_of(value)
        answer = await _ask(value, {shown.call["id"] or "": question["artel"]}, [entry])
        decision = decision_of(answer) if inbox else answer
        await keep(question, decision)
        return await self._answered(request, handler, verdict, decision)

    async def _together(self, request: ToolCallRequest, handler: Handler) -> Answer:
        """Let the first gated call of the message ask for all of them, and answer for all."""
        calls = self._gated(request)
        if calls[0]["id"] != request.tool_call["id"]:
            return Command()
        verdicts = request.state["verdicts"]
        shown = [await to_thread(self._about, request, call, verdicts[call["id"]]) for call in calls]
        limit = waits([verdicts[call["id"]] for call in calls], handles().approval_timeout_s)
        value = ask_all(shown, agent=self.agent, waits=limit)
        parts = value["artel"]["calls"]
        root = await to_thread(root_of, request.state)
        entries = [
            await to_thread(entry_of, _for(request, call), self.agent, judgement(verdicts[call["id"]]), root)
            for call in calls
        ]
        answer = await _ask(value, {part["tool_call_id"]: part for part in parts}, entries)
        await keep(value, answer)
        done = await gather(
            *(
                self._answered(
                    _for(request, call),
                    handler,
                    verdicts[call["id"]],
                    decision_on(value, answer, call["id"] or ""),
                )
                for call in calls
            )
        )
        updates = [update_of(one) for one in done]
        messages = [said for update in updates for said in update["messages"]]
        seen = {path: sha for update in updates for path, sha in update.get("seen", {}).items()}
        stains = {"tainted": True} if any(update.get("tainted") for update in updates) else {}
        return Command(update={"messages": messages, "seen": seen, **stains})

    async def _answered(
        self, request: ToolCallRequest, handler: Handler, verdict: Verdict, decision: Any
    ) -> Answer:
        call = request.tool_call
        await found(request, self.role.name)  # a server may have been away since, or this be another process
        args = final_args(decision, call["name"], call["args"])
        edited = args is not None and dict(args) != call["args"]
        request = request.override(tool_call={**call, "args": dict(args or call["args"])})
        root = await to_thread(root_of, request.state)
        now, entry = await to_thread(self._case, request, verdict, root)
        entry = replace(entry, decision=_type_of(decision))
        if args is None:
            return refused(entry, refusal(call, decision))
        if now.effect == "deny":  # an edit does not lead where the call itself may not
            return refused(entry, not_run(call, now.reason))
        shown = await handles().approvals.approved(call["id"] or "", call["name"], args)
        if shown is None:
            return refused(entry, not_run(call, "no approval of this very call stands."))
        if more := _newly_open(shown, TOOLS[call["name"]]):
            why = f"the user was not told that it may reach {', '.join(more)}. Call it again to ask anew."
            return refused(entry, not_run(call, why))
        chosen = tuple(decision.get("hunks", ()))
        if chosen and TOOLS[call["name"]].plan is None:
            return refused(entry, not_run(call, "the user took parts of it, and it has none."))
        leads = None if _leads_elsewhere(call["args"], args) else _leads(verdict)
        yes = Yes(_shown(verdict, shown), edited=edited, hunks=chosen, leads=leads)
        answer = await self._run(request, handler, root, yes, entry)
        return noted(answer, args) if edited else answer

    async def _run(
        self, request: ToolCallRequest, handler: Handler, root: Path, yes: Yes, entry: AuditEntry
    ) -> Answer:
        tool = TOOLS[request.tool_call["name"]]

        def run() -> Awaitable[Answer]:
            if tool.act:
                return act_once(request, reaching(tool, self.agent, handler), tool, root, yes)
            if tool.plan is None:
                return handler(request)
            return once(request, handler, tool, root, request.state.get("seen") or {}, yes)

        return await watched(entry, run)

    def _frozen(self, request: ToolCallRequest) -> Verdict | None:
        verdicts: dict[str, Verdict] = request.state.get("verdicts") or {}
        return verdicts.get(request.tool_call["id"] or "")

    def _verdict(self, request: ToolCallRequest, root: Path) -> Verdict:
        seen, tainted = request.state.get("seen") or {}, bool(request.state.get("tainted"))
        return verdict_on(self.agent, request.tool_call, root, seen, batched=False, tainted=tainted)

    def _case(
        self, request: ToolCallRequest, verdict: Verdict, root: Path, grants: Sequence[Grant] = ()
    ) -> tuple[Judged, AuditEntry]:
        """Return what the policy says now, and the entry with the stricter of that and what was frozen."""
        tainted = _is_tainted(request, verdict)
        now = changed(request.tool_call, verdict) or judged(
            self.agent, request.tool_call, root, grants, tainted=tainted
        )
        return now, entry_of(request, self.agent, stricter(now, verdict), root)

    def _about(self, request: ToolCallRequest, call: ToolCall, verdict: Verdict) -> About:
        seen = request.state.get("seen") or {}
        root, tainted = root_of(request.state), _is_tainted(request, verdict)
        tool = TOOLS[call["name"]]
        shown = about(tool, call, root, seen, verdict, tainted=tainted, hosts=_hosts(tool))
        more = offered(self.agent, call, root, tainted=tainted)
        return replace(shown, details={**shown.details, **more})

    def _gated(self, request: ToolCallRequest) -> list[ToolCall]:
        last = next(m for m in reversed(request.state["messages"]) if isinstance(m, AIMessage))
        verdicts: dict[str, Verdict] = request.state.get("verdicts") or {}
        asked = ((call, verdicts.get(call["id"] or "")) for call in last.tool_calls)
        return [
            call
            for call, verdict in asked
            if verdict
            and verdict["effect"] == "ask"
            and verdict.get("batched")
            and not verdict.get("problem")
        ]


async def _ask(value: Any, shown: Mapping[str, Mapping[str, Any]], entries: Sequence[AuditEntry]) -> Any:
    try:
        return interrupt(value)
    except GraphInterrupt:
        for entry in entries:
            handles().audit.note(replace(entry, outcome={"status": "asked"}))
        for tool_call_id, part in shown.items():
            await handles().approvals.asked(tool_call_id, part)
        raise


def _is_tainted(request: ToolCallRequest, verdict: Verdict) -> bool:
    return bool(verdict.get("tainted") or request.state.get("tainted"))


def _type_of(decision: Any) -> str:
    return str(decision.get("type", "")) if isinstance(decision, Mapping) else ""


def _shown(verdict: Verdict, shown: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the files the person saw, as they were; those that were frozen if the ledger does not know."""
    artel = shown.get("artel", shown)
    if "before_sha" in artel:
        return {artel["path"]: artel["before_sha"]}
    files = artel.get("files") or verdict.get("files") or ()
    return {file["path"]: file["before_sha"] for file in files}


def _leads(verdict: Verdict) -> tuple[str, ...] | None:
    leads = verdict.get("leads")
    return None if leads is None else tuple(leads)


def _leads_elsewhere(asked: Mapping[str, Any], final: Mapping[str, Any]) -> bool:
    """Whether the person named another remote than the one whose address they were shown."""
    return bool(asked.get("remote", REMOTE) != final.get("remote", REMOTE))


def _hosts(tool: Tool) -> Sequence[str]:
    return tool.reaches(handles().sandbox) if tool.reaches else ()


def _newly_open(shown: Mapping[str, Any], tool: Tool) -> list[str]:
    """Return the hosts that settings opened since a person was asked, if it is known what was shown."""
    told = shown.get("artel", shown).get("hosts", ())
    return [host for host in _hosts(tool) if host not in told] if shown else []


def _for(request: ToolCallRequest, call: ToolCall) -> ToolCallRequest:
    """Return the request of a sibling call."""
    tool = next((one for one in request.runtime.tools if one.name == call["name"]), None)
    runtime = replace(request.runtime, tool_call_id=call["id"])
    return replace(request, tool_call=call, tool=tool, runtime=runtime)


def check_args(name: str, args: Mapping[str, Any]) -> None:
    """Refuse arguments that a tool of ours does not take; of others nothing is known.

    Raises:
        Invalid: the message names what is wrong.
    """
    parse = publishing.parse if name == publishing.NAME else TOOLS[name].parse if name in TOOLS else None
    if parse is None:
        return
    try:
        parse(args)
    except ToolRefused as error:
        raise Invalid(f"edited_action.args: {error}") from None
