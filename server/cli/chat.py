"""`artel chat`: talk to an agent in the terminal, and answer what it asks."""

import json
from argparse import Namespace
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from langgraph_sdk.schema import StreamPart

from artel.graphs.answering import questions_of
from artel.server.cli import clarify
from artel.server.cli.paint import write, write_diff
from artel.server.cli.reach import talking
from artel.server.cli.talk import Question, Talk, text_of
from artel.server.cli.terminal import Left, Terminal
from artel.storage.asking import question_of

PARTS = "parts of it [p], "
GRANT = "approve from now on [g], "
CHOICES = "approve [a], {}edit [e], reject [r]: "
SCOPES = {"thread": "in this thread", "project": "in this project", "always": "always"}


def run(arguments: Namespace) -> int:
    """Talk until the person leaves, by end of input, Ctrl-C at the prompt, or `/quit`."""
    return talking(arguments, _chat)


async def _chat(talk: Talk) -> int:
    with suppress(Left), Terminal() as terminal:
        write(talk.agent, "bold")
        write(f" · thread {talk.thread_id} · /quit leaves, /decisions lists, Ctrl-C stops an answer\n", "dim")
        await _answer_all(talk, terminal)
        while (text := await terminal.read("\n> ")) != "/quit":
            if text == "/decisions":
                clarify.show_decisions(await talk.decisions())
            elif text:
                await _hear(talk, terminal, talk.say(text))
                await _answer_all(talk, terminal)
    return 0


async def _answer_all(talk: Talk, terminal: Terminal) -> None:
    """Ask the person until the run waits for nothing more."""
    while questions := await talk.questions():
        answers = {one.interrupt_id: await _ask(one, terminal) for one in questions}
        await _hear(talk, terminal, talk.answer(answers))


async def _hear(talk: Talk, terminal: Terminal, events: AsyncIterator[StreamPart]) -> None:
    """Show events until they end, or the person stops the run."""
    if not await terminal.unless_stopped(_show(events, talk.told)):
        await talk.stop()
        write("\n(stopped)\n", "yellow")
    if talk.error:
        write(f"{talk.error.get('error')}: {talk.error.get('message')}\n", "red")


async def _show(events: AsyncIterator[StreamPart], told: set[str]) -> None:
    shown = False
    async for part in events:
        mode, _, _ = part.event.partition("|")
        if mode == "messages":
            chunk, _ = part.data
            if str(chunk.get("type", "")).startswith(("ai", "AI")) and (text := text_of(chunk)):
                write(text)
                shown = not text.endswith("\n")
        elif mode == "custom" and isinstance(part.data, dict) and part.data.get("type") == "todos":
            write("\n" if shown else "")
            clarify.show_todos(part.data)
            shown = False
        elif mode == "updates" and isinstance(part.data, dict):
            for call in _calls(part.data, told):
                write("\n" if shown else "")
                write(f"· {call}\n", "dim")
                shown = False
    if shown:
        write("\n")


def _calls(update: dict[str, Any], told: set[str]) -> list[str]:
    """Return a line for each tool call of an update, once: a parent repeats what its children did."""
    changes = [change for change in update.values() if isinstance(change, dict)]
    messages = [one for change in changes for one in change.get("messages") or () if isinstance(one, dict)]
    calls = {
        f"{one.get('id')} {call.get('id')}": call for one in messages for call in one.get("tool_calls") or ()
    }
    new = [call for key, call in calls.items() if key not in told]
    told.update(calls)
    return [f"{call.get('name')}({_brief(call.get('args') or {})})" for call in new]


def _brief(args: dict[str, Any]) -> str:
    parts = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in args.items())
    return ", ".join(part if len(part) <= 60 else part[:59] + "…" for part in parts)


async def _ask(question: Question, terminal: Terminal) -> Any:
    if asked := questions_of(question_of(question.value)):
        return await clarify.ask(asked, terminal)
    if not question.is_about_a_tool:
        write(f"\n? {json.dumps(question.value, ensure_ascii=False, indent=2)}\n", "yellow")
        return _parsed(await terminal.read("answer: "))
    value = question_of(question.value)
    write(f"\n? {value.get('description') or value.get('name')}\n", "yellow")
    artel = value.get("artel") or {}
    write_diff(
        artel.get("diff")
        or artel.get("command")  # unlike the arguments it hides nothing
        or json.dumps(value.get("args"), ensure_ascii=False, indent=2)
    )
    return await _decision(value, terminal)


async def _decision(value: Mapping[str, Any], terminal: Terminal) -> dict[str, Any]:
    parts = _parts(value.get("artel") or {})
    grants = _grants(value.get("artel") or {})
    prompt = CHOICES.format((PARTS if len(parts) > 1 else "") + (GRANT if grants else ""))
    while True:
        match (await terminal.read(prompt)).lower():
            case "a" | "approve" | "y" | "yes":
                return {"type": "approve"}
            case "p" | "parts" if len(parts) > 1:
                if chosen := await _chosen(parts, terminal):
                    return {"type": "approve", "hunks": chosen}
            case "g" | "grant" if grants:
                if grant := await _granted(grants, terminal):
                    return {"type": "approve", "grant": grant}
            case "r" | "reject" | "n" | "no":
                message = await terminal.read("why (may be empty): ")
                return {"type": "reject", "message": message} if message else {"type": "reject"}
            case "e" | "edit":
                if args := await _edited(value.get("args") or {}, terminal):
                    return {"type": "edit", "edited_action": {"name": value.get("name"), "args": args}}


def _parts(artel: dict[str, Any]) -> dict[str, str]:
    """Return what can be approved by itself: id → file and place; both files of a move are one."""
    return {
        hunk["id"]: f"{file['path']} {hunk['header']}"
        for file in artel.get("files") or ()
        for hunk in file.get("hunks") or ()
    }


async def _chosen(parts: dict[str, str], terminal: Terminal) -> list[str]:
    for number, part in enumerate(parts.values(), start=1):
        write(f"{number:4} {part}\n", "dim")
    typed = (await terminal.read("the numbers of the parts to make: ")).replace(",", " ").split()
    if typed and all(one.isdecimal() and 0 < int(one) <= len(parts) for one in typed):
        ids = list(parts)
        return [ids[int(one) - 1] for one in typed]
    write(f"numbers from 1 to {len(parts)}, please; nothing is made\n", "red")
    return []


def _grants(artel: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return what can be granted with a yes: by what it means, the answer that says so."""
    return {
        f"{offer['label']}, {SCOPES[scope]}": {"scope": scope, "covers": offer["id"]}
        for offer in artel.get("grants") or ()
        for scope in offer.get("scopes") or ()
        if scope in SCOPES
    }


async def _granted(grants: dict[str, dict[str, str]], terminal: Terminal) -> dict[str, str] | None:
    for number, label in enumerate(grants, start=1):
        write(f"{number:4} {label}\n", "dim")
    typed = await terminal.read("the number of what is not to be asked again: ")
    if typed.isdecimal() and 0 < int(typed) <= len(grants):
        return list(grants.values())[int(typed) - 1]
    write(f"a number from 1 to {len(grants)}, please; nothing is approved\n", "red")
    return None


async def _edited(args: dict[str, Any], terminal: Terminal) -> dict[str, Any] | None:
    write(json.dumps(args, ensure_ascii=False) + "\n", "dim")
    changed = _parsed(await terminal.read("the arguments as they should be, as JSON: "))
    if isinstance(changed, dict):
        return changed
    write("that is no JSON object; nothing is changed\n", "red")
    return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
