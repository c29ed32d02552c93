"""Bundles of a graph's components: read as they were built, or built from their source by esbuild."""

import asyncio
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from artel.server.catalog import Catalog
from artel.server.served import ConfigWrong
from artel.storage.errors import ArtelError

ENTRY = "entrypoint.js"
BUILD_S = 60
TOLD = 500  # characters of what esbuild complained about

# What the page that shows components provides, under a name that both sides know.
PROVIDED = ("react", "react-dom", "@langchain/langgraph-sdk")
REQUIRE = 'globalThis[Symbol.for("LGUI_REQUIRE")]'
RENDERER = """
const found = (id) => document.getElementById(id).shadowRoot;
export function render(name, id) {
  const place = found(id).appendChild(document.createElement("div"));
  globalThis[Symbol.for("LGUI_EXT_STORE")].respond(id, components[name], place);
}
"""

log = structlog.get_logger(__name__)


class NoBundler(ArtelError):
    """The components must be built, and there is no esbuild here."""

    code = "no_bundler"
    status = 501


class UiBroken(ArtelError):
    """The components cannot be built; the message says why."""

    code = "ui_broken"
    status = 500


@dataclass(frozen=True, slots=True)
class Source:
    """Where the components of a graph are: a folder of built files, or the file to build them from."""

    path: Path
    folder: Path  # of the configuration
    shared: tuple[str, ...] = ()  # modules that the page provides besides


def sources(catalog: Catalog) -> dict[str, Source]:
    """Return where a configuration says that components are, by their namespaces.

    Raises:
        ConfigWrong: `ui` is no object of names and paths, or there is nothing at such a path.
    """
    config = catalog.config
    named = config.sections.get("ui") if config else None
    if config is None or named is None:
        return {}
    if not isinstance(named, dict):
        raise ConfigWrong(f'{config.file}: ui must be an object such as {{"agent": "./ui.tsx"}}')
    options = config.sections.get("ui_config") or {}
    shared = options.get("shared", []) if isinstance(options, dict) else None
    if not isinstance(shared, list) or not all(isinstance(one, str) for one in shared):
        raise ConfigWrong(f'{config.file}: ui_config must be an object such as {{"shared": ["a-module"]}}')
    found: dict[str, Source] = {}
    for name, given in named.items():
        key = f"{config.file}: ui.{name}"
        if not isinstance(given, str):
            raise ConfigWrong(f"{key} must be a path, got {given!r}")
        path = (config.folder / given).resolve()
        if not path.is_relative_to(config.folder.resolve()):
            raise ConfigWrong(f"{key} must lie in {config.folder}, got {given!r}")
        if not (path.is_file() or (path / ENTRY).is_file()):
            raise ConfigWrong(f"{key}: {path} is neither a file nor a folder with {ENTRY}")
        found[name] = Source(path, config.folder, tuple(shared))
    return found


class Bundles:
    """The components that are served, each built once."""

    def __init__(self, known: Mapping[str, Source]) -> None:
        self._known = dict(known)
        self._built: dict[str, Mapping[str, bytes]] = {}
        self._turn = asyncio.Lock()

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def variable(self, name: str) -> str:
        """Return the name under which the browser knows a bundle."""
        return f"__LGUI_{re.sub(r'[^A-Za-z0-9_]', '_', name)}"

    async def files(self, name: str) -> Mapping[str, bytes]:
        """Return the files of a bundle by name.

        Raises:
            NoBundler: it must be built, and there is no esbuild.
            UiBroken: it cannot be built.
        """
        async with self._turn:
            if name not in self._built:
                source = self._known[name]
                if source.path.is_dir():
                    self._built[name] = await asyncio.to_thread(_read, source.path)
                else:
                    self._built[name] = await _build(name, source, self.variable(name))
            return self._built[name]


def _read(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.is_file()}


async def _build(name: str, source: Source, variable: str) -> dict[str, bytes]:
    program = _esbuild(source.folder)
    if program is None:
        raise NoBundler(
            f'the ui "{name}" must be built from {source.path.name}: install esbuild beside the '
            f"configuration (npm install esbuild), or name a folder of built files with {ENTRY}"
        )
    relative = source.path.relative_to(source.folder.resolve()).as_posix()
    program_text = f'import components from "./{relative}";{RENDERER}'
    with TemporaryDirectory(prefix="artel-ui-") as folder:
        arguments = _arguments(Path(folder) / ENTRY, source, variable)
        await _run(name, program, arguments, source.folder, program_text.encode())
        built = await asyncio.to_thread(_read, Path(folder))
    log.info("a ui was built", ui=name, files={file: len(content) for file, content in built.items()})
    return built


def _esbuild(folder: Path) -> str | None:
    """Return the esbuild of the served project, or of a folder above it, else that of the system."""
    for place in (folder, *folder.parents):
        own = place / "node_modules" / ".bin" / "esbuild"
        if own.is_file():
            return str(own)
    return shutil.which("esbuild")


def _arguments(out: Path, source: Source, variable: str) -> list[str]:
    return [
        "--bundle",
        "--format=iife",
        "--platform=browser",
        "--target=es2020",
        "--jsx=automatic",
        "--loader=tsx",
        f"--global-name={variable}",
        # esbuild asks for what is external by `require`: it is the page's, for this bundle only
        "--banner:js=(function(require){",
        f"--footer:js=globalThis.{variable}={variable};}})({REQUIRE});",
        *(f"--external:{module}" for module in (*PROVIDED, *source.shared)),
        f"--outfile={out}",
    ]


async def _run(name: str, program: str, arguments: list[str], folder: Path, text: bytes) -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        program, *arguments, cwd=folder, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(BUILD_S):
            said, _ = await process.communicate(text)
    except TimeoutError:
        raise UiBroken(f'the ui "{name}" was not built within {BUILD_S} s') from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        raise UiBroken(f'the ui "{name}" cannot be built: {said.decode(errors="replace").strip()[:TOLD]}')
