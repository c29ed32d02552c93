"""The one place that imports heavy optional packages, and files of other folders that are providers."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
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
    "llama_cpp": "local-gguf",
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


def provider(name: str, plugins: Path | None = None) -> ModuleType:
    """Return the plug-in `name`: a file with `build`, `detect` and `failures`, ours or one in `plugins`.

    It may also have `tool_calls`, which says how its models call tools; without it: natively.

    Raises:
        ModelMisconfigured: there is no such file, or it is no provider.
    """
    path = f"artel.graphs.models.{name}"
    module = None
    if name.isidentifier() and find_spec(path) is not None:
        module = import_module(path)
    elif name.isidentifier() and plugins and (file := plugins.expanduser() / f"{name}.py").is_file():
        module = _from_file(name, file.resolve())
    if module is not None and all(hasattr(module, needed) for needed in ("build", "detect", "failures")):
        return module
    raise ModelMisconfigured(f"no model provider {name!r}; a model is named like 'openai:gpt-5' or 'offline'")


def known(plugins: Path | None = None) -> frozenset[str]:
    """Return the names of the files beside this one, and in `plugins`: the providers are among them."""
    folders = [str(Path(__file__).parent), *([str(plugins.expanduser())] if plugins else [])]
    return frozenset(module.name for module in iter_modules(folders))


@cache
def _from_file(name: str, file: Path) -> ModuleType:
    """Return a file as a module that no other can import by a name of its own.

    Raises:
        ModelMisconfigured: it cannot be run.
    """
    spec = spec_from_file_location(f"artel_model_plugins.{name}", file)
    if spec is None or spec.loader is None:
        raise ModelMisconfigured(f"{file} is no Python file")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ModelMisconfigured(f"{file} cannot be loaded: {type(error).__name__}: {error}") from error
    return module
