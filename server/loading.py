"""Import what a configuration names: its own modules as its own, ours as ours, and neither twice."""

import sys
from collections.abc import Callable, Iterable
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import artel
from artel.server.served import ConfigWrong, GraphSpec, Served


def open_folders(folders: Iterable[Path]) -> None:
    """Let modules be found in `folders`, the first one first, and no longer in a checkout of Artel.

    A folder that we serve may have its own `tools.py` or `server/`; with our checkout on the path, where
    `python -m` puts it when it is the current folder, ours would be found in their place.
    """
    wanted = [str(folder) for folder in folders]
    checkout = Path(artel.__file__).resolve().parents[2]
    others = [entry for entry in sys.path if entry not in wanted and Path(entry or ".").resolve() != checkout]
    sys.path[:] = wanted + others


def load(served: Served, spec: GraphSpec) -> object:
    """Return what `spec` names: a graph, or a function that makes one.

    Raises:
        ConfigWrong: there is no such file, module or name, or importing it fails.
    """
    return load_named(served, f"graphs.{spec.graph_id}", spec.source, spec.variable)


def load_named(served: Served, key: str, source: str, variable: str) -> object:
    """Return what `key` of the configuration names: `variable` of `source`, a file or a module.

    Raises:
        ConfigWrong: there is no such file, module or name, or importing it fails.
    """
    where = f"{served.file}: {key}"
    module = _module(served, source, where)
    try:
        return getattr(module, variable)
    except AttributeError as missing:
        raise ConfigWrong(f'{where}: there is no "{variable}" in {source}') from missing


def load_file(file: Path, folder: Path, where: str) -> ModuleType:
    """Return the module of a file in `folder`.

    Raises:
        ConfigWrong: importing it fails; the message begins with `where`.
    """
    return _imported(lambda: _import_file(file.resolve(), folder), file.name, where)


def module_of(served: Served, spec: GraphSpec) -> ModuleType:
    """Return the module that a graph is in.

    Raises:
        ConfigWrong: there is no such file or module, or importing it fails.
    """
    return _module(served, spec.source, f"{served.file}: graphs.{spec.graph_id}")


def _module(served: Served, source: str, where: str) -> ModuleType:
    is_file = source.endswith(".py") or "/" in source
    file = (served.folder / source).resolve()
    if is_file and not file.is_file():
        raise ConfigWrong(f"{where}: there is no file {file}")
    return _imported(
        lambda: _import_file(file, served.folder) if is_file else import_module(source), source, where
    )


def _imported(load: Callable[[], ModuleType], source: str, where: str) -> ModuleType:
    try:
        return load()
    except ConfigWrong:
        raise
    except Exception as broken:
        raise ConfigWrong(f"{where}: {source} cannot be imported: {told(broken)}") from broken


def _import_file(file: Path, folder: Path) -> ModuleType:
    """Import a file by the name that its neighbours would use, so that it is loaded once."""
    if name := _our_name(file):
        return import_module(name)
    if file.is_relative_to(folder):
        name = ".".join(file.relative_to(folder).with_suffix("").parts)
        if _finds(name, file):
            return import_module(name)
    name = f"served_{sha256(str(file).encode()).hexdigest()[:8]}_{file.stem}"
    if name in sys.modules:
        return sys.modules[name]
    found = spec_from_file_location(name, file)
    if not found or not found.loader:
        raise ImportError(f"{file} is not a Python file")
    module = sys.modules[name] = module_from_spec(found)
    try:
        found.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _our_name(file: Path) -> str:
    """Return the module name of a file of this very installation; empty for others."""
    for package in Path(artel.__file__).parent.iterdir():
        if package.is_dir() and file.is_relative_to(package.resolve()):
            parts = file.relative_to(package.resolve()).with_suffix("").parts
            return ".".join(("artel", package.name, *parts))
    return ""


def _finds(name: str, file: Path) -> bool:
    if not all(part.isidentifier() for part in name.split(".")):
        return False
    try:
        found = find_spec(name)
    except (ImportError, ValueError):  # a parent of that name is something else
        return False
    return bool(found and found.origin and Path(found.origin).resolve() == file)


def told(broken: Exception) -> str:
    """Say what broke and where, in a line; the place is the last one in a file that is not the importer's."""
    trace, place = broken.__traceback__, ""
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if file != __file__ and "importlib" not in file:
            place = f" ({file}, line {trace.tb_lineno})"
        trace = trace.tb_next
    if isinstance(broken, SyntaxError):
        return f"SyntaxError: {broken.msg} ({broken.filename}, line {broken.lineno})"
    return f"{type(broken).__name__}: {' '.join(str(broken).split())}{place}"
