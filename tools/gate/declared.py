"""What a project says that it depends on, and what in it is its own."""

import configparser
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.gate.source import Language
from artel.tools.workspace import opening
from artel.tools.workspace.paths import Place

MAX_BYTES = 2_000_000
MODULE_FILES = (".py", ".pyi", ".pyx", ".so")
# Distributions whose modules are called otherwise, and not by a rule
MODULES: Mapping[str, tuple[str, ...]] = {
    "attrs": ("attr", "attrs"),
    "beautifulsoup4": ("bs4",),
    "biopython": ("Bio",),
    "django-environ": ("environ",),
    "djangorestframework": ("rest_framework",),
    "faiss-cpu": ("faiss",),
    "gitpython": ("git",),
    "google-api-python-client": ("googleapiclient", "apiclient"),
    "grpcio": ("grpc",),
    "ipython": ("IPython",),
    "kubernetes": ("kubernetes",),
    "langchain": ("langchain",),
    "mysqlclient": ("MySQLdb",),
    "newspaper3k": ("newspaper",),
    "opencv-python": ("cv2",),
    "opencv-python-headless": ("cv2",),
    "pdfminer-six": ("pdfminer",),
    "pillow": ("PIL",),
    "protobuf": ("google",),
    "psycopg2-binary": ("psycopg2",),
    "pycryptodome": ("Crypto",),
    "pygithub": ("github",),
    "pyjwt": ("jwt",),
    "pymupdf": ("fitz", "pymupdf"),
    "pymysql": ("pymysql",),
    "pynacl": ("nacl",),
    "pyopenssl": ("OpenSSL",),
    "pyserial": ("serial",),
    "pytest": ("pytest", "_pytest"),
    "python-dateutil": ("dateutil",),
    "python-docx": ("docx",),
    "python-jose": ("jose",),
    "python-levenshtein": ("Levenshtein",),
    "python-multipart": ("multipart", "python_multipart"),
    "python-pptx": ("pptx",),
    "pywin32": ("win32api", "win32con", "win32gui", "pythoncom"),
    "pyyaml": ("yaml",),
    "pyzmq": ("zmq",),
    "scikit-image": ("skimage",),
    "scikit-learn": ("sklearn",),
    "setuptools": ("setuptools", "pkg_resources"),
    "sentry-sdk": ("sentry_sdk",),
    "typing-extensions": ("typing_extensions",),
    "websocket-client": ("websocket",),
}
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_STRING = re.compile(r"""["']([A-Za-z0-9][A-Za-z0-9._-]*)[^"'\n]*["']""")
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
_REQUIREMENTS = re.compile(r".*requirements.*\.(?:txt|in)", re.IGNORECASE)
_PYTHON = ("pyproject.toml", "setup.cfg", "setup.py")


class Project:
    """What the files of a workspace declare; each folder is read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._python = cache(self._declared_in_python)
        self._node = cache(self._declared_in_node)
        self._entries = cache(self._listed)
        self._aliases = cache(self._aliases_in)

    def declares(self, path: str, language: Language) -> bool:
        """Whether anything says what a file may depend on."""
        look = self._python if language == "python" else self._node
        return any(look(folder) is not None for folder in _above(path))

    def has(self, path: str, module: str, language: Language) -> bool:
        """Whether a file may import a module: a dependency, or the project's own."""
        return self._has_python(path, module) if language == "python" else self._has_node(path, module)

    def _has_python(self, path: str, module: str) -> bool:
        top = module.partition(".")[0]
        for folder in _above(path):
            if _norm(top) in (self._python(folder) or ()):
                return True
            for own in (folder, (*folder, "src"), (*folder, "lib")):
                entries = self._entries(own)
                if entries.get(top) or any(f"{top}{end}" in entries for end in MODULE_FILES):
                    return True
        return False

    def _has_node(self, path: str, module: str) -> bool:
        parts = module.split("/")
        package = "/".join(parts[:2] if module.startswith("@") else parts[:1])
        types = f"@types/{package.removeprefix('@').replace('/', '__')}"
        for folder in _above(path):
            if {package, types} & set(self._node(folder) or ()):
                return True
            if any(module.startswith(alias) for alias in self._aliases(folder)):
                return True
        return False

    def _declared_in_python(self, folder: tuple[str, ...]) -> frozenset[str] | None:
        entries = self._entries(folder)
        names = [name for name in entries if name in _PYTHON or _REQUIREMENTS.fullmatch(name)]
        files = [(*folder, name) for name in names]
        if entries.get("requirements"):
            inner = (*folder, "requirements")
            files += [(*inner, name) for name in self._entries(inner) if name.endswith((".txt", ".in"))]
        if not files:
            return None
        found = {name for file in files for name in _requirements(file[-1], self._text(file))}
        return frozenset(each for name in found for each in _modules(name))

    def _declared_in_node(self, folder: tuple[str, ...]) -> frozenset[str] | None:
        if "package.json" not in self._entries(folder):
            return None
        said = loads(self._text((*folder, "package.json")))
        found = {str(said.get("name", ""))}
        for key in ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies"):
            found |= set(said[key]) if isinstance(said.get(key), dict) else set()
        return frozenset(found - {""})

    def _aliases_in(self, folder: tuple[str, ...]) -> tuple[str, ...]:
        found: list[str] = []
        for name in self._entries(folder):
            if re.fullmatch(r"[tj]sconfig.*\.json", name):
                options = loads(self._text((*folder, name))).get("compilerOptions")
                paths = options.get("paths") if isinstance(options, dict) else None
                # `*` would let everything through
                found += [key.rstrip("*") for key in paths or () if isinstance(key, str) and key.rstrip("*")]
        return tuple(found)

    def _listed(self, folder: tuple[str, ...]) -> Mapping[str, bool]:
        """Return the names in a folder, and whether each is a folder."""
        try:
            return {one.name: one.is_dir() for one in self._root.joinpath(*folder).iterdir()}
        except OSError:
            return {}

    def _text(self, file: tuple[str, ...]) -> str:
        try:
            return opening.read_bytes(Place(self._root, file), limit=MAX_BYTES).data.decode(errors="replace")
        except (ToolFailed, ToolRefused):
            return ""


def loads(text: str) -> Mapping[str, Any]:
    """Return the object in a JSON text, in which comments may stand; nothing if it is none."""
    for each in (text, _COMMENT.sub(lambda match: match[1] or "", text)):
        try:
            said = json.loads(each)
        except (ValueError, RecursionError):
            continue
        return said if isinstance(said, dict) else {}
    return {}


def _above(path: str) -> list[tuple[str, ...]]:
    parts = tuple(path.split("/")[:-1])
    return [parts[:depth] for depth in range(len(parts), -1, -1)]


def _requirements(name: str, text: str) -> Iterator[str]:
    if name == "pyproject.toml":
        yield from _of_pyproject(text)
    elif name == "setup.cfg":
        config = configparser.ConfigParser(strict=False, interpolation=None)
        try:
            config.read_string(text)
        except configparser.Error:
            return
        sections = [config[one] for one in config.sections() if one.startswith("options")]
        yield from _names(line for one in sections for value in one.values() for line in value.splitlines())
    elif name == "setup.py":
        yield from _STRING.findall(text)
    else:
        yield from _names(line for line in text.splitlines() if not line.lstrip().startswith(("-", "#")))


def _of_pyproject(text: str) -> Iterator[str]:
    try:
        said = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    project, poetry = _table(said, "project"), _table(said, "tool", "poetry")
    yield from _names([project.get("name"), poetry.get("name")])
    yield from _names(_list(project.get("dependencies")))
    yield from _names(_list(_table(said, "build-system").get("requires")))
    for groups in (_table(project, "optional-dependencies"), _table(said, "dependency-groups")):
        yield from (name for group in groups.values() for name in _names(_list(group)))
    for name in _table(poetry, "group"):
        yield from _table(poetry, "group", name, "dependencies")
    yield from _table(poetry, "dependencies")
    yield from _table(poetry, "dev-dependencies")


def _table(said: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        inner = said.get(key)
        said = inner if isinstance(inner, dict) else {}
    return said


def _list(said: object) -> list[object]:
    return said if isinstance(said, list) else []


def _names(lines: Iterable[object]) -> Iterator[str]:
    for line in lines:
        if isinstance(line, str) and (found := _NAME.match(line)):
            yield found[1]


def _modules(distribution: str) -> Iterator[str]:
    """Yield what the modules of a distribution may be called, in small letters."""
    name = re.sub(r"[-_.]+", "-", distribution).lower()
    for known in MODULES.get(name, ()):
        yield _norm(known)
    yield _norm(name)
    bare = name.removeprefix("python-").removesuffix("-python").removesuffix("-stubs").removeprefix("types-")
    yield _norm(bare)
    yield _norm(bare.removeprefix("py"))
    yield _norm(bare.partition("-")[0])  # google-cloud-storage → google, langchain-core → langchain


def _norm(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()
