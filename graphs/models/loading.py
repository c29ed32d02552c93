"""The one place that imports heavy optional packages; most runs of `offline` need none."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from artel.graphs.models.settings import ModelMisconfigured

EXTRA_OF = {
    "langchain_openai": "",
    "openai": "",
    "langchain_anthropic": "anthropic",
    "anthropic": "anthropic",
}


def load(package: str, attribute: str) -> Any:
    """Return `attribute` of an optional package.

    Raises:
        ModelMisconfigured: the package is not installed; the message says how to install it.
    """
    if find_spec(package) is None:
        extra = EXTRA_OF.get(package)
        install = f"artel[{extra}]" if extra else package
        raise ModelMisconfigured(f"{package} is not installed; run: pip install '{install}'")
    return getattr(import_module(package), attribute)


def provider(name: str) -> ModuleType:
    """Return the plug-in `artel.graphs.models.<name>`: a file with `build`, `detect` and `failures`.

    Raises:
        ModelMisconfigured: there is no such file.
    """
    path = f"artel.graphs.models.{name}"
    if name.isidentifier() and find_spec(path) is not None:
        module = import_module(path)
        if hasattr(module, "build") and hasattr(module, "detect"):
            return module
    raise ModelMisconfigured(f"no model provider {name!r}; a model is named like 'openai:gpt-5' or 'offline'")


def known() -> frozenset[str]:
    """Return the names of the files beside this one; those with `build` and `detect` are providers."""
    return frozenset(module.name for module in iter_modules([str(Path(__file__).parent)]))
