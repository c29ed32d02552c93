"""One conversation with a server, by the official client: say something, hear events, answer questions."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import LangGraphError
from langgraph_sdk.schema import StreamMode, StreamPart

from artel.storage.asking import question_of
from artel.storage.errors import ArtelError

FAVOURITE = "orchestrator"
MODES: list[StreamMode] = ["messages-tuple", "updates", "custom"]
BUDGETS = {"GraphRecursionError", "ModelCallLimitExceededError", "ToolCallLimitExceededError"}
LIMITS = ("steps", "tokens", "usd", "minutes")


class NoServer(ArtelError):
    """The server cannot be talked to; the message says why."""

    code = "no_server"


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the run waits for."""

    interrupt_id: str
    value: Any

    @property
    def is_about_a_tool(self) -> bool:
        """Say whether it asks to allow a tool call, so that approve, edit and reject are the answers."""
        return question_of(self.value).get("type") == "tool_approval"

    @property
    def is_about_a_limit(self) -> bool:
        """Say whether the run has used up its budget, and asks whether to go on."""
        match question_of(self.value):
            case {"artel": {"stopped": {"by": str(by)}}}:
                return by in LIMITS
        return False


@dataclass
class Talk:
    """A thread on a server, and the agent that is spoken to."""

    client: LangGraphClient
    agent: str
    thread_id: str
    context: dict[str, Any]
    run_id: str = ""
    error: dict[str, Any] | None = None
    spent: bool = False  # it has said that its budget is used up
    told: set[str] = field(default_factory=set)
    """What a listener has shown already, by ids of its own."""

    def say(self, text: str) -> AsyncIterator[StreamPart]:
        """Start a run with a message; its events end when it ends or asks."""
        return self._stream(input={"messages": [{"role": "user", "content": text}]})

    def answer(self, answers: Mapping[str, Any]) -> AsyncIterator[StreamPart]:
        """Answer open questions by their ids, and hear the run that goes on."""
        return self._stream(command={"resume": dict(answers)})

    async def questions(self) -> list[Question]:
        """Return what the thread waits for."""
        thread = await self.client.threads.get(self.thread_id)
        asked = [one for of_task in thread["interrupts"].values() for one in of_task]
        return [Question(str(one.get("id")), one.get("value")) for one in asked]

    async def decisions(self) -> list[dict[str, Any]]:
        """Return what was decided in the thread, the latest first; nothing where the server keeps none."""
        try:
            return list(await self.client.http.get(f"/api/v1/threads/{self.thread_id}/decisions"))
        except (httpx.TransportError, LangGraphError, httpx.HTTPStatusError):
            return []

    async def last_words(self) -> str:
        """Return the text of the newest message of the agent, if there is one."""
        state = await self.client.threads.get_state(self.thread_id)
        values = state["values"] if isinstance(state["values"], dict) else {}
        messages = [one for one in values.get("messages") or () if isinstance(one, dict)]
        return next((text_of(one) for one in reversed(messages) if one.get("type") == "ai"), "")

    async def stop(self) -> None:
        """Cancel the run that is heard."""
        if self.run_id:
            await self.client.runs.cancel(self.thread_id, self.run_id, wait=True)

    async def _stream(self, **what: Any) -> AsyncIterator[StreamPart]:
        self.error, self.spent = None, False
        stream = self.client.runs.stream(
            self.thread_id,
            self.agent,
            stream_mode=MODES,
            stream_subgraphs=True,
            stream_resumable=True,
            context=self.context or None,
            **what,
        )
        try:
            async for part in stream:
                if part.event == "metadata":
                    self.run_id = part.data.get("run_id", "")
                elif part.event.startswith("error"):
                    self.error = part.data
                elif part.event.startswith("custom"):
                    self.spent = self.spent or is_limit(part.data)
                yield part
        except (httpx.TransportError, LangGraphError) as gone:
            raise NoServer(f"the server went away or refused: {gone}") from gone


async def begin(
    client: LangGraphClient, *, agent: str = "", thread: str | None = None, context: dict[str, Any]
) -> Talk:
    """Open a new thread, or the one that is named, with an agent that the server has.

    Raises:
        NoServer: nothing answers, or it has no such agent or thread.
    """
    try:
        served = [found["graph_id"] for found in await client.assistants.search(limit=1000)]
        if not served or (agent and agent not in served):
            raise NoServer(
                f'the server has no agent "{agent}"; it has: {", ".join(sorted(set(served))) or "none"}'
            )
        chosen = agent or (FAVOURITE if FAVOURITE in served else served[-1])
        opened = await client.threads.get(thread) if thread else await client.threads.create()
    except (httpx.TransportError, LangGraphError) as refused:
        raise NoServer(f"the server cannot be talked to: {refused}") from refused
    return Talk(client, chosen, opened["thread_id"], context)


def is_limit(told: Any) -> bool:
    """Say whether an event tells that a run has come to a limit."""
    return isinstance(told, Mapping) and told.get("type") == "limit"


def text_of(message: Mapping[str, Any]) -> str:
    """Return the text of a message, whose content may be a string or a list of blocks."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content if isinstance(block, dict))
