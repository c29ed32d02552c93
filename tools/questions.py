"""The tool by which an agent asks its person; what the run does with it is in `artel.graphs.clarifying`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from artel.tools.tool import Arguments, Risk, Tool

MAX_QUESTIONS = 4  # in one call
MAX_OPTIONS = 10
MAX_QUESTION = 1_000  # characters
MAX_LABEL = 200
MAX_ID = 64

YES_NO = {False: ("Yes", "No"), True: ("Да", "Нет")}  # by whether the question is in Russian

# A question that a yes or a no answers opens with its verb, in Russian it has its particle; one that
# offers a choice in its own words does not
_ENGLISH = re.compile(r"(?:is|are|do|does|did|should|shall|may|must|will|has|have)\b", re.IGNORECASE)
_RUSSIAN = re.compile(r"\bли\b", re.IGNORECASE)
_CHOICE = re.compile(
    r"\b(?:or|which|what|who|whom|where|when|why|how|или|либо|как\w*|что|кто|где|когда|кому)\b", re.IGNORECASE
)


def _shown(text: str) -> str:
    """Leave out what nobody would see: colours, changes of direction, what no database keeps."""
    kept = "".join(char for char in text if char.isprintable() or char == "\n").strip()
    if not kept:
        raise ValueError("there must be something to read in it")
    return kept


Label = Annotated[str, Field(min_length=1, max_length=MAX_LABEL), AfterValidator(_shown)]


class Option(Arguments):
    """An answer that is offered."""

    label: Label
    description: str = Field("", max_length=MAX_QUESTION)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        return {"label": given} if isinstance(given, str) else given


_LABELS = {"type": "array", "items": {"type": "string"}}  # what models are told: a label is enough


class Asked(Arguments):
    """One question."""

    id: str = Field("", pattern=rf"^[\w.-]{{0,{MAX_ID}}}$", description="What it decides: `database`.")
    header: SkipJsonSchema[str] = Field("", max_length=MAX_LABEL)
    question: Annotated[str, Field(min_length=1, max_length=MAX_QUESTION), AfterValidator(_shown)]
    options: Annotated[list[Option], WithJsonSchema(_LABELS)] = Field(
        default_factory=list, max_length=MAX_OPTIONS
    )
    multiple: bool = False
    required: bool = True

    @model_validator(mode="after")
    def _can_choose(self) -> Self:
        labels = [one.label.casefold() for one in self.options]
        if len(labels) == 1:
            raise ValueError("one option is no choice: offer two or more, or none for an answer in words")
        if twice := {one for one in labels if labels.count(one) > 1}:
            raise ValueError(f"the option {min(twice)!r} is there twice")
        return self

    @property
    def labels(self) -> list[str]:
        """What is offered; yes and no where the question is one of those and offers nothing itself."""
        return [one.label for one in self.options] or list(_yes_no(self.question))


class Questions(Arguments):
    """Arguments of question."""

    questions: list[Asked] = Field(min_length=1, max_length=MAX_QUESTIONS)

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        ids = [one.id for one in self.questions if one.id]
        if twice := {one for one in ids if ids.count(one) > 1}:
            raise ValueError(f"two questions have the id {min(twice)!r}: each needs its own")
        return self

    @property
    def asked(self) -> list[Mapping[str, Any]]:
        """The questions as a person is shown them; one without an id is `q` and its number."""
        taken = {one.id for one in self.questions}
        free = (name for n in range(1, 2 * MAX_QUESTIONS + 1) if (name := f"q{n}") not in taken)
        return [_as_shown(one, one.id or next(free)) for one in self.questions]


def _as_shown(one: Asked, id: str) -> Mapping[str, Any]:  # noqa: A002  as the wire has it
    about = {option.label: option.description for option in one.options if option.description}
    return {
        "id": id,
        **({"header": one.header} if one.header else {}),
        "question": one.question,
        "options": one.labels,
        **({"descriptions": about} if about else {}),
        "multiple": one.multiple,
        "required": one.required,
    }


def _yes_no(question: str) -> tuple[str, ...]:
    if _CHOICE.search(question):
        return ()
    if _RUSSIAN.search(question):
        return YES_NO[True]
    return YES_NO[False] if _ENGLISH.match(question) else ()


TOOL = Tool(
    name="question",
    risk=Risk.READ,
    action="run.question",
    arguments=Questions,
    sums_up=lambda args: f"Ask: {args.questions[0].question}",
    limits={"max_questions": MAX_QUESTIONS},
    inner=True,
)
