"""Run a case: the real graph of its agent, in this process, in a fresh folder, answered as the case says."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from json import dumps
from os import defpath, devnull, walk
from pathlib import Path
from subprocess import run as run_command
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import Pregel
from langgraph.types import Command, Interrupt

from artel.graphs.context import Context, Handles, use
from artel.graphs.models import Models, ModelSettings, prices
from artel.graphs.models.scripted import Reply
from artel.graphs.plan import Plan
from artel.graphs.registry import AGENTS
from artel.storage.asking import question_of
from artel.storage.errors import ArtelError
from artel.tools.sandbox.sandbox import Sandbox
from evals.cases import Answer, Case, CaseWrong
from evals.configurations import Configuration
from evals.meter import Meter

MAX_ANSWERS = 60  # to questions of one case: a run that asks more goes round in circles
MAX_ERROR = 500


@dataclass
class Outcome:
    """What came of a case: what was said and used; the folder is looked at before it goes."""

    folder: Path
    before: Mapping[str, str]
    "Path to the sha256 of its content."
    sandbox: Sandbox
    meter: Meter = field(default_factory=Meter)
    asked: list[str] = field(default_factory=list)
    "Tools and types of interrupts, in the order of their questions."
    said: str = ""
    agent: str = ""
    "Whom the orchestrator chose."
    plan: Plan | None = None
    status: str = ""
    "What came of its plan."
    usd: float | None = None
    "None: a price is unknown."
    seconds: float = 0.0
    error: str = ""


COMMIT = (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "As it was"])
NOBODY = {"NAME": "Somebody", "EMAIL": "somebody@example.org", "DATE": "2025-01-02T03:04:05Z"}
GIT = {
    "PATH": defpath,
    "GIT_CONFIG_GLOBAL": devnull,
    "GIT_CONFIG_SYSTEM": devnull,
    **{f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER") for key, value in NOBODY.items()},
}
LEFT_BEHIND = {".git", "__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache"}
"""Folders that commands leave behind and nobody calls a change."""


class Home:
    """A fresh folder with the files of a case, and room beside it that is not the agent's."""

    def __init__(self, case: Case) -> None:
        self._folder = TemporaryDirectory(prefix="artel-eval-")
        self.room = Path(self._folder.name).resolve()
        self.work = self.room / "work"
        self.work.mkdir()
        if case.committed:
            self._write(case.committed)
            for order in COMMIT:
                run_command(["git", *order], cwd=self.work, env=GIT, check=True, capture_output=True)
        self._write(case.files)

    def _write(self, files: Mapping[str, str]) -> None:
        """Write files where no link can be yet."""
        for path, text in files.items():
            file = self.work / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="")

    def __enter__(self) -> "Home":
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()


async def run(
    case: Case, configuration: Configuration, home: Home, settings: ModelSettings | None = None
) -> Outcome:
    """Run a case to its end, in at most `case.limit_s`; what goes wrong stands in the outcome.

    `settings` hold the keys and addresses of real models.

    Raises:
        CaseWrong: there is no agent of its name.
    """
    if case.agent not in AGENTS:
        raise CaseWrong(f"{case.id}: there is no agent {case.agent!r}; there are {', '.join(AGENTS)}")
    chosen = _settings(case, configuration, home, settings or ModelSettings())
    prices.use(chosen.prices)
    models = Models(chosen)
    sandbox = Sandbox(data=home.room, roots=(home.work,))
    handles = Handles(models, (home.work,), home.work, sandbox=sandbox, snapshot_home=home.room / "snapshots")
    outcome = Outcome(home.work, digests(home.work), sandbox)
    began = monotonic()
    try:
        with use(handles):
            await asyncio.wait_for(_talk(case, configuration, outcome), case.limit_s)
    except TimeoutError:
        outcome.error = f"not done after {case.limit_s:g} s"
    except (ArtelError, RuntimeError, ValueError, OSError) as error:
        outcome.error = f"{type(error).__name__}: {error}"[:MAX_ERROR]
    finally:
        await models.aclose()
    outcome.seconds = monotonic() - began
    outcome.usd = outcome.meter.usd
    return outcome


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file below a folder by its path; of a link, that of where it points.

    What commands leave behind (`LEFT_BEHIND`) is not looked at.
    """
    found = {}
    for above, folders, names in walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_BEHIND]
        links = [name for name in folders if (Path(above) / name).is_symlink()]
        for name in (*names, *links):
            file = Path(above) / name
            held = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
            found[file.relative_to(folder).as_posix()] = sha256(held).hexdigest()
    return found


async def _graph(agent: str) -> Any:
    made = AGENTS[agent].graph
    graph = made if isinstance(made, Pregel) else await made()
    return graph.copy(update={"checkpointer": InMemorySaver()})


async def _talk(case: Case, configuration: Configuration, outcome: Outcome) -> None:
    graph = await _graph(case.agent)
    config = {"configurable": {"thread_id": "eval"}, "callbacks": [outcome.meter]}
    wishes = Context.model_validate(configuration.context)
    for turn in case.turns:
        await graph.ainvoke({"messages": [HumanMessage(turn)]}, config, context=wishes)
        while questions := (await graph.aget_state(config)).interrupts:
            if len(outcome.asked) >= MAX_ANSWERS:
                raise RuntimeError(f"it asked {MAX_ANSWERS} questions and wanted to go on")
            answers = {one.id: _answer(case, one, outcome) for one in questions}
            await graph.ainvoke(Command(resume=answers), config, context=wishes)
    values = (await graph.aget_state(config)).values
    outcome.said = _last(values.get("messages", []))
    outcome.agent = (values.get("route") or {}).get("agent", "")
    outcome.plan = values.get("plan")
    outcome.status = (values.get("result") or {}).get("status", "")


def _answer(case: Case, one: Interrupt, outcome: Outcome) -> Any:
    value = question_of(one.value)
    kind = value.get("name") if value.get("type") == "tool_approval" else value.get("type")
    kind = str(kind or "interrupt")
    args = value.get("args") if isinstance(value.get("args"), dict) else {}
    path = str(value.get("path") or (args or {}).get("file_path") or "")
    outcome.asked.append(kind)
    fitting = (
        a for a in case.answers if a.to in ("*", kind) and (a.path == "*" or fnmatchcase(path, a.path))
    )
    answer = next(fitting, None)
    if answer is None and value.get("type") != "tool_approval":
        raise ValueError(f"it asked a {kind} for which the case has no answer: {str(value)[:200]}")
    return _decision(answer or Answer(), kind)


def _decision(answer: Answer, kind: str) -> Any:
    if answer.give is not None:
        return answer.give
    if answer.args is not None:
        return {"type": "edit", "edited_action": {"name": kind, "args": answer.args}}
    if answer.say == "reject":
        return {"type": "reject", **({"message": answer.message} if answer.message else {})}
    if answer.say == "approve" and kind != "question":
        return {"type": "approve"}
    return {"type": "respond", "message": answer.say}


def _last(messages: list[AnyMessage]) -> str:
    return next((m.text for m in reversed(messages) if isinstance(m, AIMessage)), "")


def _settings(case: Case, configuration: Configuration, home: Home, given: ModelSettings) -> ModelSettings:
    """Return the run's models: those that are played come from files beside the folder of the agent."""
    known = {**given.prices, **configuration.prices}
    if configuration.kind == "scripted":
        played = {name: _script(home, name, replies) for name, replies in case.scripts.items()}
        return ModelSettings(model=_script(home, "all", case.script), per_agent=played, prices=known)
    if configuration.kind == "offline":
        return ModelSettings(model=configuration.model, prices=known)
    chosen = {**given.per_agent, **configuration.per_agent}
    return given.model_copy(update={"model": configuration.model, "per_agent": chosen, "prices": known})


def _script(home: Home, name: str, replies: Sequence[str | Reply]) -> str:
    """Write a script where the agent does not reach it, and return the model that plays it."""
    file = home.room / f"{name}.json"
    said = [one if isinstance(one, str) else one.model_dump() for one in replies]
    file.write_text(dumps(said, ensure_ascii=False), encoding="utf-8")
    return f"scripted:{file}"
