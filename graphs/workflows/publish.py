"""Publish what a workspace holds: gate, a person's yes, commit, push, request; each a step that is saved.

Nothing decides that a step was made but the world: the branch, the remote, the open request. So a repeat
after a crash finds what the first attempt did.
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from langchain_core.messages import AIMessage
from langgraph.config import get_config
from langgraph.errors import GraphInterrupt
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from artel.graphs.auditing import refused, watched
from artel.graphs.context import Context, handles, workspace
from artel.graphs.decisions import final_args
from artel.graphs.workbench import message
from artel.graphs.workflows import consent, gating
from artel.graphs.workflows.publication import (
    ASKED,
    NAME,
    Promise,
    Publication,
    PublishState,
    Wanted,
    args_of,
    asked_of,
    branch_of,
    draft_of,
    kept,
    words,
)
from artel.tools.git import publishing
from artel.tools.git.publishing import Changed, Draft, Publish
from artel.tools.git.turns import turn
from artel.tools.tool import ToolFailed, ToolRefused, Work

WORDS = ("title", "description", "draft")  # a person may change them without being asked again
BROKEN_OFF = "it was broken off; publish again to go on."


async def prepare(state: PublishState, runtime: Runtime[Context]) -> Command[Literal["gate", "done"]]:
    """Work out what would be published, touching nothing."""
    fresh: dict[str, Any] = {"promise": None, "report": None, "publication": None}
    wish = (runtime.context or Context()).workspace or state.get("workspace") or ""
    try:
        asked = asked_of(state)
        root = await to_thread(workspace, wish)
        user, thread_id = _who()
        draft = await publishing.drafted(
            _work(root, thread_id, ""), asked, branch_of(user or "local", thread_id)
        )
    except (ToolRefused, ToolFailed) as error:
        return _over("failed", str(error), fresh)
    promise = Promise(
        call_id=uuid4().hex, args=args_of(state), workspace=str(root), draft=kept(draft), gate=""
    )
    verdict = consent.judged()
    if verdict.effect == "deny":
        entry = consent.entry_of(promise, verdict, runtime, promise["args"])
        refused(entry, message(consent.call_of(promise), verdict.reason, {"kind": "refused", "by": "policy"}))
        return _over("refused", f"the policy denies it ({verdict.rule}): {verdict.reason}", fresh)
    return Command(goto="gate", update={**fresh, "workspace": str(root), "promise": promise})


async def gate(state: PublishState) -> Command[Literal["ask", "done"]]:
    """Check what would be published; while the gate is red nobody is asked and nothing is committed."""
    promise = _promise(state)
    asked, draft = publishing.parse(promise["args"]), draft_of(promise)
    work = _work(Path(promise["workspace"]), _who()[1], "")
    try:
        before = await publishing.drafted(work, asked, draft.branch)
        report = await gating.run(work, base=before.start, paths=before.files)
        after = await publishing.drafted(work, asked, draft.branch)
    except (ToolRefused, ToolFailed) as error:
        return _over("failed", str(error))
    shown = {"report": report.model_dump(mode="json")}
    if not report.passed:
        return _over("red", report.text(), shown)
    if not draft.promised == before.promised == after.promised:
        return _over("failed", "the files changed while they were checked. Publish again.", shown)
    return Command(goto="ask", update={**shown, "promise": {**promise, "gate": report.text()}})


async def ask(
    state: PublishState, runtime: Runtime[Context]
) -> Command[Literal["prepare", "commit", "done"]]:
    """Ask a person; other words are taken, other files are checked and asked about anew."""
    promise = _promise(state)
    entry = consent.entry_of(promise, consent.judged(), runtime, promise["args"])
    entry = replace(entry, effect="ask")  # whatever the policy lets agents do by themselves
    value = consent.question(promise)
    try:
        decision = interrupt(value)
    except GraphInterrupt:
        handles().audit.note(replace(entry, outcome={"status": "asked"}))
        await handles().approvals.asked(promise["call_id"], value["artel"])
        raise
    final = final_args(decision, NAME, promise["args"])
    if final is None:
        reason = consent.no(decision)
        entry = replace(entry, decision=str(decision.get("type", "")) if isinstance(decision, dict) else "")
        refused(entry, message(consent.call_of(promise), reason, {"kind": "refused", "by": "user"}))
        return _over("rejected", reason)
    change = {name: final.get(name) for name in ASKED}
    if any(final.get(name) != promise["args"].get(name) for name in ASKED if name not in WORDS):
        return Command(goto="prepare", update=change)
    return Command(goto="commit", update={**change, "promise": {**promise, "args": dict(final)}})


async def commit(
    state: PublishState, runtime: Runtime[Context]
) -> Command[Literal["prepare", "push", "done"]]:
    """Make the commit that was shown; where the files are others by now, ask anew."""

    async def act(step: _Step) -> str:
        return await publishing.commit(step.work, step.draft, step.asked)

    branch = draft_of(_promise(state)).branch
    return await _made(state, runtime, "commit", act, "push", lambda made: {"branch": branch, "commit": made})


async def push(
    state: PublishState, runtime: Runtime[Context]
) -> Command[Literal["prepare", "request", "done"]]:
    """Bring the commit to the remote, at the address that was shown."""
    so_far = state.get("publication")
    made = so_far.get("commit", "") if so_far else ""

    async def act(step: _Step) -> str:
        new = await publishing.push(step.work, step.draft, made)
        return "pushed" if new else "it was there already"

    return await _made(state, runtime, "push", act, "request", lambda _: {"pushed": True})


async def request(state: PublishState, runtime: Runtime[Context]) -> Command[Literal["prepare", "done"]]:
    """Ask for the branch to be merged, unless a request for it is open."""

    async def act(step: _Step) -> str:
        return (await publishing.request(step.work, step.draft, step.asked)).where

    return await _made(
        state,
        runtime,
        "request",
        act,
        "done",
        lambda where: {"status": "published", "reason": "", "request": where},
    )


async def done(state: PublishState) -> dict[str, Any]:
    """Say what came of it."""
    publication = state.get("publication") or Publication(status="failed", reason=BROKEN_OFF)
    return {"messages": [AIMessage(words(publication), name=NAME)]}


def build() -> CompiledStateGraph[Any, Context, Any, Any]:
    """Return the graph: prepare → gate → ask → commit → push → request → done."""
    graph = StateGraph(PublishState, context_schema=Context, input_schema=Wanted)
    graph.add_node(prepare)
    graph.add_node(gate)
    graph.add_node(ask)
    graph.add_node(commit)
    graph.add_node(push)
    graph.add_node(request)
    graph.add_node(done)
    graph.add_edge(START, "prepare")
    graph.add_edge("done", END)
    return graph.compile(name=NAME).with_config(metadata={"kind": "workflow"})


@dataclass(frozen=True, slots=True)
class _Step:
    """An effect that a person said yes to."""

    work: Work
    draft: Draft
    asked: Publish


async def _made(
    state: PublishState,
    runtime: Runtime[Context],
    effect: Literal["commit", "push", "request"],
    act: Callable[[_Step], Awaitable[str]],
    then: str,
    told: Callable[[str], Mapping[str, Any]],
) -> Command[Any]:
    """Make an effect if the yes to it stands, note it in the audit log, and say where to go on."""
    promise, verdict = _promise(state), consent.judged()
    draft, so_far = draft_of(promise), dict(state.get("publication") or {})
    details = {"effect": effect, "branch": draft.branch, "address": draft.address, "tree": draft.tree}
    summary = consent.of_effect(effect, draft, str(so_far.get("commit", ""))[:10])
    entry = consent.entry_of(promise, verdict, runtime, details)
    entry = replace(entry, effect="ask", decision="approve", summary=summary)
    if problem := await consent.why_not(promise, verdict):
        refused(entry, message(consent.call_of(promise), problem, {"kind": "refused", "by": "policy"}))
        return _over("refused", problem, {"publication": so_far})
    root = Path(promise["workspace"])
    work = _work(root, _who()[1], promise["call_id"], draft.address)
    failed: ToolRefused | ToolFailed | None = None
    result = ""

    async def run() -> Any:
        nonlocal failed, result
        try:
            await to_thread(workspace, promise["workspace"])
            async with turn(root):
                result = await act(_Step(work, draft, publishing.parse(promise["args"])))
        except (ToolRefused, ToolFailed) as error:
            failed = error
            return message(consent.call_of(promise), str(error), {"kind": "failed", "code": error.code})
        return message(consent.call_of(promise), result, {"kind": "act", "tool": NAME}, "success")

    await watched(entry, run)
    if isinstance(failed, Changed):
        return Command(goto="prepare")
    if failed:
        return _over("failed", str(failed), {"publication": so_far})
    begun = {"status": "failed", "reason": BROKEN_OFF, **so_far}
    return Command(goto=then, update={"publication": {**begun, **told(result)}})


def _promise(state: PublishState) -> Promise:
    promise = state.get("promise")
    if promise is None:
        raise ToolFailed("nothing is prepared to be published; begin a run with a title")
    return promise


def _who() -> tuple[str, str]:
    """Return for whom a run is and on which thread, as our server and LangGraph's tell."""
    known = get_config().get("configurable") or {}
    return str(known.get("langgraph_auth_user_id") or ""), str(known.get("thread_id") or "")


def _work(root: Path, thread_id: str, key: str, *leads: str) -> Work:
    given = handles()
    return Work(
        root,
        thread_id,
        key,
        NAME,
        key,
        roots=given.roots,
        sandbox=given.sandbox,
        internet=given.internet,
        git=given.git,
        leads=leads or None,
    )


def _over(status: str, reason: str, more: Mapping[str, Any] | None = None) -> Command[Any]:
    """Go to the end with why nothing, or not all, was published."""
    so_far = (more or {}).get("publication") or {}
    publication = {**so_far, "status": status, "reason": reason}
    return Command(goto="done", update={**(more or {}), "publication": publication})


graph = build()
