"""Plans as models and people write them: JSON, checked word by word before anything is done with it."""

import re
from collections.abc import Collection, Mapping, Sequence
from json import loads
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from artel.graphs.plan import MAX_STEPS, Plan, PlanWrong, Step, edited, new
from artel.tools.errors import ToolRefused
from artel.tools.workspace.globs import matcher

EDITED = "plan"
"""The name that an edited plan goes by in an answer."""
MAX_TEXT = 200_000  # characters of a model's answer that are looked through
KEPT_BY_US = frozenset({"status", "attempts", "result", "spent", "stops", "version", "depth"})
FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)


def _storable(text: str) -> str:
    if "\0" in text or any(0xD800 <= ord(one) <= 0xDFFF for one in text):
        raise ValueError("it holds a character that is no text")
    return text


def _glob(text: str) -> str:
    if text.startswith(("/", "~")) or "\\" in text:
        raise ValueError("a path is written from the workspace, with / between its parts")
    try:
        matcher(text)
    except ToolRefused as error:
        raise ValueError(str(error)) from None
    return text


Text = Annotated[str, AfterValidator(_storable)]
Line = Annotated[Text, Field(min_length=1, max_length=300)]
Long = Annotated[Text, Field(max_length=4_000)]
Command = Annotated[Text, Field(min_length=1, max_length=1_000, pattern=r"\S")]
Glob = Annotated[Text, Field(min_length=1, max_length=300), AfterValidator(_glob)]
Id = Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]


class Allowance(BaseModel):
    """The most that a step may use; a role may allow it less."""

    model_config = ConfigDict(extra="forbid")

    steps: int | None = Field(None, ge=1, le=1_000, description="Calls of a model.")
    tokens: int | None = Field(None, ge=1, le=100_000_000)
    minutes: float | None = Field(None, gt=0, le=10_000)
    usd: float | None = Field(None, gt=0, le=10_000)


class DraftStep(BaseModel):
    """A step as it is written."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)

    id: Id
    title: Line
    agent: Line
    depends_on: list[Id] = Field([], max_length=MAX_STEPS)
    acceptance: Long = ""
    checks: list[Command] = Field([], max_length=5)
    inputs: list[Line] = Field([], max_length=20)
    paths: list[Glob] = Field([], max_length=20)
    budget: Allowance = Allowance.model_validate({})

    @property
    def step(self) -> Step:
        """As the plan has it, before anything was done."""
        written = self.model_dump(exclude={"budget"})
        budget = self.budget.model_dump(exclude_none=True)
        step: Step = {**written, "budget": budget, "status": "pending", "attempts": 0, "result": None}  # type: ignore[typeddict-item]
        return step


class Draft(BaseModel):
    """A plan as it is written."""

    model_config = ConfigDict(extra="forbid")

    goal: Annotated[Text, Field(min_length=1, max_length=4_000)]
    steps: list[DraftStep] = Field(min_length=1, max_length=MAX_STEPS)


def read(text: str, agents: Collection[str], *, depth: int) -> Plan:
    """Return the plan that a model's answer holds: JSON, alone, in a fence or between other words.

    Keys that steps do not have are left out: small models like to add some.

    Raises:
        PlanWrong: there is none, or it breaks a rule; the message is written for the model.
    """
    told = _json(text)
    if isinstance(told, Mapping) and isinstance(told.get("steps"), list):
        steps = [_only(one, DraftStep) if isinstance(one, Mapping) else one for one in told["steps"]]
        told = {**_only(told, Draft), "steps": steps}
    draft = _draft(told)
    return new(draft.goal, [one.step for one in draft.steps], agents, depth=depth)


def revised(plan: Plan, args: Mapping[str, Any], agents: Collection[str]) -> Plan:
    """Return the plan as a person edited it; what only we write (status, attempts, result) is passed over.

    Raises:
        PlanWrong: it breaks a rule; the message names the place.
    """
    steps = args.get("steps")
    if isinstance(steps, list):
        steps = [_without(one) if isinstance(one, Mapping) else one for one in steps]
    draft = _draft({"goal": plan["goal"], **_without(args), "steps": steps})
    return edited(plan, draft.goal, [one.step for one in draft.steps], agents)


def shown(plan: Plan) -> dict[str, Any]:
    """Return what a person is shown of a plan, and may edit."""
    steps = [{key: step[key] for key in DraftStep.model_fields} for step in plan["steps"]]  # type: ignore[literal-required]
    return {"goal": plan["goal"], "steps": steps}


def _draft(told: Any) -> Draft:
    try:
        return Draft.model_validate(told)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
        said = "; ".join(f"{_place(one['loc'])}: {one['msg']}" for one in wrong[:5])
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise PlanWrong(f"{said}{more}") from None


def _place(loc: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in loc) or "the plan"


def _only(told: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key in model.model_fields and value is not None}


def _without(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key not in KEPT_BY_US}


def _json(text: str) -> Any:
    text = text[:MAX_TEXT]
    fenced = FENCED.search(text)
    begin, end = text.find("{"), text.rfind("}")
    candidates = [fenced[1] if fenced else "", text[begin : end + 1] if 0 <= begin < end else ""]
    problem = "there is no JSON object in it"
    for each in filter(None, candidates):
        try:
            return loads(each)
        except (ValueError, RecursionError) as error:
            problem = f"it is no JSON: {str(error)[:200]}"
    raise PlanWrong(f'{problem}; answer with {{"goal": …, "steps": […]}} and nothing else')
