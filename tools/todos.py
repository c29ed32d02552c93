"""The tool of todos, and which changes of them are legal; the run that has them is in `artel.graphs.todos`.

An item begins as pending or in_progress. pending → in_progress or cancelled; in_progress → completed, failed
or cancelled; these three are its end. One item is in progress at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from artel.tools.errors import ToolRefused
from artel.tools.tool import Arguments, Risk, Tool

MAX_ITEMS = 50
MAX_CONTENT = 300  # characters
ID_DIGITS = 4  # hex

Status = Literal["pending", "in_progress", "completed", "failed", "cancelled"]
NEXT: Mapping[str, tuple[Status, ...]] = {
    "pending": ("in_progress", "cancelled"),
    "in_progress": ("completed", "failed", "cancelled"),
    "completed": (),
    "failed": (),
    "cancelled": (),
}


class Todo(TypedDict):
    """An item of the list."""

    id: str
    content: str
    status: Status
    activeForm: NotRequired[str]
    "What is said of it while it is in progress."


_TODO = TypeAdapter(Todo)


def _line(text: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if not line:
        raise ValueError("it must say what is to be done")
    return line


class Item(Arguments):
    """An item as a model writes it."""

    content: Annotated[str, Field(min_length=1, max_length=MAX_CONTENT), AfterValidator(_line)]
    status: Status
    id: str = Field("", pattern=r"^[\w.-]{0,40}$")
    activeForm: SkipJsonSchema[str] = Field("", max_length=MAX_CONTENT)  # noqa: N815  as models know it


class WriteTodos(Arguments):
    """Arguments of write_todos."""

    todos: list[Item] = Field(min_length=1, max_length=MAX_ITEMS)


def listed(value: Any) -> list[Todo]:
    """Return the items of a list as a state has it; what is none of ours is left out."""
    found = []
    for one in value if isinstance(value, list) else ():
        try:
            found.append(_TODO.validate_python(one))
        except ValidationError:
            continue
    return found


def finished(one: Todo) -> bool:
    """Whether an item has come to its end."""
    return not NEXT[one["status"]]


def written(now: Sequence[Todo], wanted: Sequence[Item]) -> list[Todo]:
    """Return the list after a change: named items changed, new ones at the end, others as they are.

    An item is known by its id, else by its content. Where all were finished, a new one begins a new list of
    what was named.

    Raises:
        ToolRefused: a change is not legal; every such is named, and nothing is changed.
    """
    pairs = [(_known(now, one), one) for one in wanted]
    problems = [*_twice(pairs), *(said for old, one in pairs if (said := _illegal(old, one)))]
    changed = {old["id"]: _of(one, old["id"], old) for old, one in pairs if old}
    ids = {one["id"] for one in now} | changed.keys()
    new = []
    for old, one in pairs:
        if old is None:
            new.append(_of(one, one.id or _free(one.content, ids)))
            ids.add(new[-1]["id"])
    kept = [changed.get(one["id"], one) for one in now]
    if new and all(finished(one) for one in now):
        kept = [changed[one["id"]] for one in now if one["id"] in changed]
    after = cut([*kept, *new])
    doing = [one["content"] for one in after if one["status"] == "in_progress"]
    if len(doing) > 1:
        problems.append(
            f"only one item may be in_progress, these would be: {_quoted(doing)}; finish one first"
        )
    if len(after) > MAX_ITEMS:
        problems.append(f"there may be {MAX_ITEMS} items, this makes {len(after)}; cancel or finish some")
    if problems:
        raise ToolRefused(f"write_todos changed nothing: {'; '.join(problems)}.")
    return after


def joined(old: Any, new: Any) -> list[Todo]:
    """Return two lists as one: each item as far as it has come, whoever wrote it last.

    A list that `written` made of `old` stays as it is. Of two that were made of the same one nothing is lost.
    """
    before, after = listed(old), listed(new)
    known = {one["id"]: one for one in before}
    if all(map(finished, before)) and any(one["id"] not in known and not finished(one) for one in after):
        return after
    merged = {**known, **{one["id"]: _further(known.get(one["id"]), one) for one in after}}
    return cut(list(merged.values()))


def cut(items: Sequence[Todo]) -> list[Todo]:
    """Leave out the oldest finished items above MAX_ITEMS."""
    over = len(items) - MAX_ITEMS
    old = [one["id"] for one in items if finished(one)][: max(over, 0)]
    return [one for one in items if one["id"] not in old]


def _known(now: Sequence[Todo], wanted: Item) -> Todo | None:
    by_id = next((one for one in now if wanted.id and one["id"] == wanted.id), None)
    if by_id or wanted.id:
        return by_id
    same = [one for one in now if one["content"].casefold() == wanted.content.casefold()]
    return next((one for one in same if not finished(one)), same[-1] if same else None)


def _illegal(old: Todo | None, one: Item) -> str:
    if old is None:
        if one.status in ("pending", "in_progress"):
            return ""
        return f"“{one.content}” is new and cannot begin as {one.status}: begin it as pending or in_progress"
    if one.status == old["status"] or one.status in NEXT[old["status"]]:
        return ""
    if finished(old):
        ended = f"“{one.content}” is {old['status']}"
        return f"{ended} and does not come back: make a new item, with an id of its own"
    ways = " or ".join(NEXT[old["status"]])
    return f"“{one.content}” is {old['status']}, from where it goes to {ways}, not to {one.status}"


def _twice(pairs: Sequence[tuple[Todo | None, Item]]) -> Iterator[str]:
    seen: set[str] = set()
    for old, one in pairs:
        key = old["id"] if old else one.id or one.content.casefold()
        if key in seen:
            yield f"“{one.content}” is there twice: name each item once"
        seen.add(key)


def _of(one: Item, id: str, old: Todo | None = None) -> Todo:  # noqa: A002  as the wire has it
    todo = Todo(id=id, content=one.content, status=one.status)
    if form := one.activeForm or (old.get("activeForm", "") if old else ""):
        todo["activeForm"] = form
    return todo


def _free(content: str, taken: set[str]) -> str:
    """Return an id that follows from the content, so that a call made again makes the same."""
    digest = sha256(content.casefold().encode()).hexdigest()
    return next(one for size in range(ID_DIGITS, len(digest)) if (one := digest[:size]) not in taken)


def _further(old: Todo | None, new: Todo) -> Todo:
    return new if old is None or new["status"] == old["status"] or _stage(new) > _stage(old) else old


def _stage(one: Todo) -> int:
    return 2 if finished(one) else int(one["status"] == "in_progress")


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(f"“{text}”" for text in texts)


TOOL = Tool(
    name="write_todos",
    risk=Risk.READ,
    action="run.todos",
    arguments=WriteTodos,
    sums_up=lambda args: f"Note {len(args.todos)} todos",
    limits={"max_items": MAX_ITEMS},
    inner=True,
)
