"""The JSON schemas of types, also of those that pydantic refuses."""

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import structlog
import typing_extensions
from pydantic import Field, TypeAdapter, create_model
from typing_extensions import is_typeddict

Schema = dict[str, Any]

log = structlog.get_logger(__name__)

_MARKS = (typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.ReadOnly)


def of_type(schema: Any) -> Schema:
    """Return the JSON schema of a type; what pydantic raises is passed on."""
    return TypeAdapter(describable(schema)).json_schema()


def derived(derive: Callable[[], Schema]) -> Schema | None:
    """Return what is derived; None where a type, which describes itself by code of its own, does not say."""
    try:
        return derive()
    except Exception as wrong:  # noqa: BLE001 - the code of a foreign type may raise anything
        log.debug("a type cannot be described", reason=str(wrong))
        return None


def of_fields(title: str, fields: Mapping[str, Any]) -> Schema:
    """Return the JSON schema of an object with these fields, none required.

    A field whose type cannot be described may be anything.
    """
    whole = derived(lambda: _model(title, fields))
    return whole or _model(title, {name: _or_any(hint) for name, hint in fields.items()})


def _model(title: str, fields: Mapping[str, Any]) -> Schema:
    # By aliases, for a name may be one that pydantic keeps for itself: `json`, `_private`, `model_config`.
    held = {
        f"field_{place}": (
            describable(hint),
            Field(None, alias=name, title=name.title().replace("_", " ").strip()),
        )
        for place, (name, hint) in enumerate(fields.items())
    }
    make: Any = create_model
    schema: Schema = make(title, **held).model_json_schema()
    return schema


def _or_any(hint: Any) -> Any:
    return Any if derived(lambda: _model("", {"it": hint})) is None else hint


def describable(hint: Any, _known: dict[Any, Any] | None = None) -> Any:
    """Rebuild in a type each `typing.TypedDict`, which pydantic refuses before Python 3.12."""
    known = {} if _known is None else _known
    if is_typeddict(hint) and type(hint).__module__ == "typing":
        if hint not in known:
            known[hint] = Any  # in itself: a type that holds its like is described one level deep
            known[hint] = _rebuilt(hint, known)
        return known[hint]
    args = get_args(hint)
    if not args or get_origin(hint) in (None, typing_extensions.Literal):
        return hint
    if get_origin(hint) is Annotated:
        return Annotated[(describable(args[0], known), *hint.__metadata__)]
    inner = tuple(describable(arg, known) for arg in args)
    if inner == args:
        return hint
    if get_origin(hint) in (Union, UnionType):
        return Union[inner]  # noqa: UP007 - made of a tuple
    return hint.copy_with(inner) if hasattr(hint, "copy_with") else get_origin(hint)[inner]


def _rebuilt(hint: Any, known: dict[Any, Any]) -> Any:
    required, optional = typing_extensions.Required, typing_extensions.NotRequired
    fields = {
        name: (required if name in hint.__required_keys__ else optional)[describable(_bare(one), known)]
        for name, one in get_type_hints(hint, include_extras=True).items()
    }
    make: Any = typing_extensions.TypedDict
    made = make(hint.__name__, fields)
    made.__doc__ = hint.__doc__
    return made


def _bare(hint: Any) -> Any:
    while get_origin(hint) in _MARKS:
        hint = get_args(hint)[0]
    return hint
