"""What a configuration turns off: the `http.disable_…` of a `langgraph.json`."""

from artel.server.catalog import Catalog
from artel.server.served import ConfigWrong


def disabled(catalog: Catalog, name: str) -> bool:
    """Return whether `http.<name>` of the served configuration is true.

    Raises:
        ConfigWrong: it is neither true nor false.
    """
    config = catalog.config
    http = config.sections.get("http") if config else None
    if config is None or http is None:
        return False
    if not isinstance(http, dict):
        raise ConfigWrong(f"{config.file}: http must be an object, got {http!r}")
    value = http.get(name, False)
    if not isinstance(value, bool):
        raise ConfigWrong(f"{config.file}: http.{name} must be true or false, got {value!r}")
    return value
