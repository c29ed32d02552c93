"""The context of an assistant as one of its kind has it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from artel.storage.errors import Invalid

Wish = TypeVar("Wish", bound=BaseModel)


def wished(schema: type[Wish], context: Mapping[str, Any]) -> Wish:
    """Return a context as `schema` has it.

    Raises:
        Invalid: it does not fit; the message names the key.
    """
    try:
        return schema.model_validate(dict(context))
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise Invalid(f"context.{path}: {first['msg']}") from None
