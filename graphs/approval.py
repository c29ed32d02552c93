"""The gate: asks and waits, and lets through only what was approved.

It is the outermost tool middleware: no effect stands before its question, and nothing outside it retries.
A resumed call starts again from its first line, so what decides whether it asks was frozen in the state when
the model made the call; what the policy or a file says later can only make it stricter.
"""

from asyncio import gather, to_thread
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from json import dumps
from pathlib import Path
from typing import Any

from langchain.agents.middleware.types import AgentMiddleware, ToolCallRequest
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.messages.tool import ToolCall
from langgraph.errors import GraphInterrupt
from langgraph.types import Command, interrupt

from artel.graphs.auditing import entry_of, refused, watched
from artel.graphs.context import Context, handles
from artel.graphs.decisions import check, decision_on, final_args
from artel.graphs.effects import FREE, Answer, Handler, Yes, act_once, once
from artel.graphs.ledgers import AuditEntry
from artel.graphs.questions import About, about, ask_all, ask_one
from artel.graphs.state import AgentLoopState, File, Verdict
from artel.graphs.toolbox import TOOLS, changed, found, reaching
from artel.graphs.workbench import NOT_RUN, message, root_of
from artel.storage.errors import Invalid
from artel.tools.policy import STRENGTH, judge_all
from artel.tools.policy import Verdict as Judged
from artel.tools.tool import Seen, ToolFailed, ToolRefused

__all__ = ["Gate", "check_args", "decision_on", "freeze", "validate"]


def validate(value: Any, decision: Any) -> Any:
    """Return `decision` if it answers the interrupt `value`, in the form to resume with. Touches nothing.

    Raises:
        Invalid: it does not; the message names what is wrong.
    """
    return check(value, decision, check_args)


def freeze(
    agent: str, calls: Sequence[ToolCall], root: Path, seen: Seen, *, batched: bool, tainted: bool = False
) -> dict[str, Verdict]:
    """Return the verdict on each call of a message, by call id. Reads files, so it belongs into a thread.

    Of several changes to one file only the first is made or asked about: the others were worked out for a
    file that will be another one.
    """
    verdicts: dict[str, Verdict] = {}
    changed: set[str] = set()
    for call in calls:
        verdict = _verdict(agent, call, root, seen, batched=batched, tainted=tainted)
        paths = [file["path"] for file in verdict.get("files", ())]
        if twice := [path for path in paths if path in changed]:
            verdict["problem"] = (
                f"{', '.join(twice)}: one change to a file at a time. Call this again after the first."
            )
        else:
            changed.update(paths)
        verdicts[call["id"] or ""] = verdict
    return verdicts


class Gate(AgentMiddleware[AgentLoopState, Context]):
    """Stands before every tool of an agent."""

    state_schema = AgentLoopState

    def __init__(self, agent: str) -> None:
        super().__init__()
        self.agent = agent

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Answer:
        """Run the call if it is allowed; ask a person first if the policy says so."""
        call = request.tool_call
        if await found(request, self.agent) is None:
            unknown = entry_of(request, self.agent)
            return await watched(unknown, lambda: handler(request))  # which says what tools there are
        root = await to_thread(root_of, request.state)
        frozen = self._frozen(request)
        verdict: Verdict = frozen if frozen else await to_thread(self._verdict, request, root)
        _, entry = await to_thread(self._case, request, verdict, root)
        if verdict.get("batched") and not verdict.get("problem"):
            return await self._together(
                request, handler
            )  # its siblings wait for it, also if it is denied now
        if entry.effect == "deny":
            return refused(entry, _not_run(call, entry.reason))
        if problem := verdict.get("problem"):
            return refused(entry, message(call, problem, {"kind": "failed"}))
        if entry.effect == "allow":
            return await self._run(request, handler, root, FREE, entry)
        return await self._alone(request, handler, verdict, entry)

    async def _alone(
        self, request: ToolCallRequest, handler: Handler, verdict: Verdict, entry: AuditEntry
    ) -> Answer:
        shown = await to_thread(self._about, request, request.tool_call, verdict)
        value = ask_one(shown, agent=self.agent, expires_in_s=handles().approval_timeout_s)
        decision = await _ask(value, {shown.call["id"] or "": value["artel"]}, [entry])
        return await self._answered(request, handler, verdict, decision)

    async def _together(self, request: ToolCallRequest, handler: Handler) -> Answer:
        """Let the first gated call of the message ask for all of them, and answer for all."""
        calls = self._gated(request)
        if calls[0]["id"] != request.tool_call["id"]:
            return Command()
        verdicts = request.state["verdicts"]
        shown = [await to_thread(self._about, request, call, verdicts[call["id"]]) for call in calls]
        value = ask_all(shown, agent=self.agent, expires_in_s=handles().approval_timeout_s)
        parts = value["artel"]["calls"]
        root = await to_thread(root_of, request.state)
        entries = [
            await to_thread(entry_of, _for(request, call), self.agent, _judgement(verdicts[call["id"]]), root)
            for call in calls
        ]
        answer = await _ask(value, {part["tool_call_id"]: part for part in parts}, entries)
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
        updates = [_update(one) for one in done]
        messages = [said for update in updates for said in update["messages"]]
        seen = {path: sha for update in updates for path, sha in update.get("seen", {}).items()}
        stains = {"tainted": True} if any(update.get("tainted") for update in updates) else {}
        return Command(update={"messages": messages, "seen": seen, **stains})

    async def _answered(
        self, request: ToolCallRequest, handler: Handler, verdict: Verdict, decision: Any
    ) -> Answer:
        call = request.tool_call
        await found(request, self.agent)  # a server may have been away since, or this be another process
        args = final_args(decision, call["name"], call["args"])
        edited = args is not None and dict(args) != call["args"]
        request = request.override(tool_call={**call, "args": dict(args or call["args"])})
        root = await to_thread(root_of, request.state)
        now, entry = await to_thread(self._case, request, verdict, root)
        entry = replace(entry, decision=_type_of(decision))
        if args is None:
            return refused(entry, _refusal(call, decision))
        if now.effect == "deny":  # an edit does not lead where the call itself may not
            return refused(entry, _not_run(call, now.reason))
        shown = await handles().approvals.approved(call["id"] or "", call["name"], args)
        if shown is None:
            return refused(entry, _not_run(call, "no approval of this very call stands."))
        chosen = tuple(decision.get("hunks", ()))
        if chosen and TOOLS[call["name"]].plan is None:
            return refused(entry, _not_run(call, "the user took parts of it, and it has none."))
        yes = Yes(_shown(verdict, shown), edited=edited, hunks=chosen)
        answer = await self._run(request, handler, root, yes, entry)
        return _noted(answer, args) if edited else answer

    async def _run(
        self, request: ToolCallRequest, handler: Handler, root: Path, yes: Yes, entry: AuditEntry
    ) -> Answer:
        tool = TOOLS[request.tool_call["name"]]

        def run() -> Awaitable[Answer]:
            if tool.act:
                return act_once(request, reaching(tool, self.agent, handler), tool, root)
            if tool.plan is None:
                return handler(request)
            return once(request, handler, tool, root, request.state.get("seen") or {}, yes)

        return await watched(entry, run)

    def _frozen(self, request: ToolCallRequest) -> Verdict | None:
        verdicts: dict[str, Verdict] = request.state.get("verdicts") or {}
        return verdicts.get(request.tool_call["id"] or "")

    def _verdict(self, request: ToolCallRequest, root: Path) -> Verdict:
        seen, tainted = request.state.get("seen") or {}, bool(request.state.get("tainted"))
        return _verdict(self.agent, request.tool_call, root, seen, batched=False, tainted=tainted)

    def _case(self, request: ToolCallRequest, verdict: Verdict, root: Path) -> tuple[Judged, AuditEntry]:
        """Return what the policy says now, and the entry with the stricter of that and what was frozen."""
        tainted = _is_tainted(request, verdict)
        now = changed(request.tool_call, verdict) or _judged(
            self.agent, request.tool_call, root, tainted=tainted
        )
        return now, entry_of(request, self.agent, _stricter(now, verdict), root)

    def _about(self, request: ToolCallRequest, call: ToolCall, verdict: Verdict) -> About:
        seen = request.state.get("seen") or {}
        root, tainted = root_of(request.state), _is_tainted(request, verdict)
        return about(TOOLS[call["name"]], call, root, seen, verdict["reason"], tainted=tainted)

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


async def _ask(
    value: dict[str, Any], shown: Mapping[str, Mapping[str, Any]], entries: Sequence[AuditEntry]
) -> Any:
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


def _verdict(agent: str, call: ToolCall, root: Path, seen: Seen, *, batched: bool, tainted: bool) -> Verdict:
    judged = _judged(agent, call, root, tainted=tainted)
    verdict = Verdict(effect=judged.effect, reason=judged.reason, rule=judged.rule)
    if tainted:
        verdict["tainted"] = True
    tool = TOOLS.get(call["name"])
    if tool is None or judged.effect == "deny":
        return verdict
    if tool.version:
        verdict["version"] = tool.version
    try:
        planned = tool.change(call["args"], root, seen)
    except (ToolRefused, ToolFailed) as error:
        return {**verdict, "problem": str(error)}
    if planned:
        files = [File(path=path, before_sha=sha) for path, sha in planned.files.items()]
        verdict = {**verdict, "files": files}
    return {**verdict, "batched": True} if batched and judged.effect == "ask" else verdict


def _judged(agent: str, call: ToolCall, root: Path, *, tainted: bool) -> Judged:
    tool = TOOLS.get(call["name"])
    if tool is None:
        return Judged(effect="allow", rule="", reason="there is no such tool")
    if tool.offered and not tool.offered(handles().internet.settings):
        return Judged(effect="deny", rule="settings", reason=f"{tool.name} is not switched on here.")
    try:
        return judge_all(handles().policy, agent, tool.calls(call["args"], root, tainted=tainted))
    except (ToolRefused, ToolFailed) as error:
        return Judged(effect="deny", rule="arguments", reason=str(error))


def _judgement(frozen: Verdict) -> Judged:
    return Judged(effect=frozen["effect"], rule=frozen.get("rule", ""), reason=frozen["reason"])


def _stricter(now: Judged, frozen: Verdict) -> Judged:
    """Return what holds of the two; what is said now if they are as strict."""
    return max(now, _judgement(frozen), key=lambda one: STRENGTH[one.effect])


def _type_of(decision: Any) -> str:
    return str(decision.get("type", "")) if isinstance(decision, Mapping) else ""


def _shown(verdict: Verdict, shown: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the files the person saw, as they were; those that were frozen if the ledger does not know."""
    artel = shown.get("artel", shown)
    if "before_sha" in artel:
        return {artel["path"]: artel["before_sha"]}
    files = artel.get("files") or verdict.get("files") or ()
    return {file["path"]: file["before_sha"] for file in files}


def _for(request: ToolCallRequest, call: ToolCall) -> ToolCallRequest:
    """Return the request of a sibling call."""
    tool = next((one for one in request.runtime.tools if one.name == call["name"]), None)
    runtime = replace(request.runtime, tool_call_id=call["id"])
    return replace(request, tool_call=call, tool=tool, runtime=runtime)


def _not_run(call: ToolCall, reason: str) -> ToolMessage:
    return message(call, f"{NOT_RUN} {reason}", {"kind": "refused", "by": "policy"})


def _refusal(call: ToolCall, decision: Any) -> ToolMessage:
    match decision:
        case {"type": "respond", "message": str(said)}:
            content, by = f"{NOT_RUN} the user answered instead: {said}", "user"
        case {"type": "reject", "timeout": True, **rest}:
            content, by = f"{NOT_RUN} {rest.get('message') or 'nobody answered in time'}.", "timeout"
        case {"type": "reject", "message": str(said)} if said.strip():
            content, by = f"{NOT_RUN} the user rejected it: {said}", "user"
        case {"type": "reject"}:
            content, by = f"{NOT_RUN} the user rejected it.", "user"
        case _:
            content, by = f"{NOT_RUN} the answer was neither an approval nor a rejection.", "user"
    return message(
        call, f"{content}\nNothing was changed. Do not repeat this call.", {"kind": "refused", "by": by}
    )


def _noted(answer: Answer, args: Mapping[str, Any]) -> Answer:
    """Tell the model that what ran is not what it asked for."""
    note = f"The user changed this call before it ran; do not repeat yours. It ran with {dumps(dict(args))}"
    update = _update(answer)
    said = update["messages"][0]
    noted = said.model_copy(update={"content": f"{note}\n\n{said.content}"})
    return Command(update={**update, "messages": [noted]})


def _update(answer: Answer) -> dict[str, Any]:
    if isinstance(answer, ToolMessage):
        return {"messages": [answer]}
    assert isinstance(answer.update, dict)
    return answer.update


def check_args(name: str, args: Mapping[str, Any]) -> None:
    """Refuse arguments that a tool of ours does not take; of others nothing is known.

    Raises:
        Invalid: the message names what is wrong.
    """
    tool = TOOLS.get(name)
    if tool is None:
        return
    try:
        tool.parse(args)
    except ToolRefused as error:
        raise Invalid(f"edited_action.args: {error}") from None
