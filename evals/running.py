"""Run a case: the real graph of its agent, in this process, in a fresh folder, answered as the case says."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from json import dumps
from os import walk
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import Pregel
from langgraph.types import Command, Interrupt

from artel.graphs.context import Handles, use
from artel.graphs.models import Models, ModelSettings
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
    seconds: float = 0.0
    error: str = ""


class Home:
    """A fresh folder with the files of a case, and room beside it that is not the agent's."""

    def __init__(self, case: Case) -> None:
        self._folder = TemporaryDirectory(prefix="artel-eval-")
        self.room = Path(self._folder.name).resolve()
        self.work = self.room / "work"
        self.work.mkdir()
        for path, text in case.files.items():
            file = self.work / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8", newline="") as opened:  # follows no link: there is none yet
                opened.write(text)

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
    models = Models(_settings(case, configuration, home, settings or ModelSettings()))
    sandbox = Sandbox(data=home.room, roots=(home.work,))
    handles = Handles(models, (home.work,), home.work, sandbox=sandbox, snapshot_home=home.room / "snapshots")
    outcome = Outcome(home.work, digests(home.work), sandbox)
    began = monotonic()
    try:
        with use(handles):
            await asyncio.wait_for(_talk(case, outcome), case.limit_s)
    except TimeoutError:
        outcome.error = f"not done after {case.limit_s:g} s"
    except (ArtelError, RuntimeError, ValueError, OSError) as error:
        outcome.error = f"{type(error).__name__}: {error}"[:MAX_ERROR]
    finally:
        await models.aclose()
    outcome.seconds = monotonic() - began
    return outcome


def digests(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file below a folder by its path; of a link, that of where it points."""
    found = {}
    for above, folders, names in walk(folder):
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


async def _talk(case: Case, outcome: Outcome) -> None:
    graph = await _graph(case.agent)
    config = {"configurable": {"thread_id": "eval"}, "callbacks": [outcome.meter]}
    for turn in case.turns:
        await graph.ainvoke({"messages": [HumanMessage(turn)]}, config)
        while questions := (await graph.aget_state(config)).interrupts:
            if len(outcome.asked) >= MAX_ANSWERS:
                raise RuntimeError(f"it asked {MAX_ANSWERS} questions and wanted to go on")
            answers = {one.id: _answer(case, one, outcome) for one in questions}
            await graph.ainvoke(Command(resume=answers), config)
    values = (await graph.aget_state(config)).values
    outcome.said = _last(values.get("messages", []))
    outcome.agent = (values.get("route") or {}).get("agent", "")


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
    """Return the run's models: one that is played comes from a file beside the folder of the agent."""
    model = configuration.model
    if configuration.kind == "scripted":
        script = home.room / "script.json"
        replies = [one if isinstance(one, str) else one.model_dump() for one in case.script]
        script.write_text(dumps(replies, ensure_ascii=False), encoding="utf-8")
        model = f"scripted:{script}"
    if configuration.kind != "real":
        return ModelSettings(model=model)
    more = {"model": model, "per_agent": {**given.per_agent, **configuration.per_agent}}
    return given.model_copy(update=more)
