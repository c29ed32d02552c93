"""`artel run`: one message to an agent, no person asked; for scripts."""

import asyncio
import json
import sys
from argparse import Namespace
from functools import partial
from typing import Any

from artel.server.cli.reach import talking
from artel.server.cli.talk import BUDGETS, Talk

DONE, NEEDS_APPROVAL, BUDGET, FAILED = 0, 2, 3, 4
STATUS = {DONE: "done", NEEDS_APPROVAL: "needs_approval", BUDGET: "budget", FAILED: "failed"}


def run(arguments: Namespace) -> int:
    """Run it once; return 0 done, 2 needs approval, 3 budget spent, 4 failed (1: it could not be tried)."""
    return talking(arguments, partial(_once, arguments))


async def _once(arguments: Namespace, talk: Talk) -> int:
    try:
        async for part in talk.say(arguments.message):
            if arguments.json:
                _line({"event": part.event, "data": part.data, "id": part.id})
    except asyncio.CancelledError:  # Ctrl-C: nobody waits for this run any more
        await talk.stop()
        raise
    questions = await talk.questions()
    if talk.error:
        code = BUDGET if talk.error.get("error") in BUDGETS else FAILED
    elif talk.spent or any(one.is_about_a_limit for one in questions):
        code = BUDGET
    else:
        code = NEEDS_APPROVAL if questions else DONE
    end = {
        "event": "end",
        "status": STATUS[code],
        "thread_id": talk.thread_id,
        "run_id": talk.run_id,
        "answer": await talk.last_words(),
        "questions": [{"id": one.interrupt_id, "value": one.value} for one in questions],
        "error": talk.error,
    }
    if arguments.json:
        _line(end)
    else:
        _tell(end)
    return code


def _line(event: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def _tell(end: dict[str, Any]) -> None:
    if end["answer"]:
        sys.stdout.write(end["answer"].rstrip() + "\n")
    if end["error"]:
        sys.stderr.write(f"artel: {end['error'].get('error')}: {end['error'].get('message')}\n")
    for one in end["questions"]:
        value = one["value"]
        asked = value.get("description") if isinstance(value, dict) else None
        sys.stderr.write(f"artel: it waits for an answer: {asked or json.dumps(value, ensure_ascii=False)}\n")
    if end["questions"]:
        sys.stderr.write(f"artel: answer it on the page, or by artel chat --thread {end['thread_id']}\n")
