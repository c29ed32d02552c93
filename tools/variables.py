"""`${NAME}` and `${NAME:-else}` in files of an operator: values that the file itself need not hold."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")


def filled(where: str, value: Any, environment: Mapping[str, str]) -> Any:
    """Return a value with every variable in its texts, however deep, taken from `environment`.

    Raises:
        LookupError: one is not set there; the message says `where`, and which.
    """
    match value:
        case str():
            return _VARIABLE.sub(lambda found: _value(where, found, environment), value)
        case list():
            return [filled(f"{where}[{place}]", one, environment) for place, one in enumerate(value)]
        case dict():
            return {key: filled(f"{where}.{key}", one, environment) for key, one in value.items()}
    return value


def named(text: str) -> Iterator[str]:
    """Yield the names of the variables in a text."""
    for name, _otherwise in _VARIABLE.findall(text):
        yield name


def _value(where: str, found: re.Match[str], environment: Mapping[str, str]) -> str:
    name, otherwise = found.groups()
    if (value := environment.get(name)) is not None:
        return value
    if otherwise is None:
        raise LookupError(f"{where} takes {name} from the environment, where it is not set")
    return str(otherwise)
