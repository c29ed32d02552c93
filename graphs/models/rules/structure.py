"""How a folder is built, as its files show it: its parts, what each says of itself, who imports whom."""

import re
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TypeAlias

from artel.graphs.models.rules import files
from artel.graphs.models.rules.files import File
from artel.graphs.models.rules.outline import summary
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import not_done
from artel.graphs.models.rules.turn import Call, Steps, Undone

MAX_FOLDERS = 20
IMPORT = r"^\s*(?:from\s+[\w.]+\s+import|import\s+[\w.]+)"
MODULE = re.compile(r"^\s*(?:from|import)\s+([\w.]+)")
ENTRY_POINTS = re.compile(r"(?:^|/)(?:__main__|main|app|manage|cli|server|index)\.(?:py|js|ts|go|rs)$")
DECLARING = (
    *("pyproject.toml", "setup.py", "requirements.txt", "package.json", "Cargo.toml", "go.mod", "pom.xml"),
    *("Makefile", "Dockerfile", "docker-compose.yml"),
)


@dataclass(frozen=True, slots=True)
class Structure:
    """What a folder holds."""

    paths: list[str]
    whole: bool
    "Whether all files are in `paths`."
    says: dict[str, str] = field(default_factory=dict)
    "Folder → the first sentence of its `__init__.py` or README; `.`: of the folder itself."
    sources: tuple[str, ...] = ()
    "The files that said so."
    imports: Counter[tuple[str, str]] = field(default_factory=Counter)
    "(Folder, the folder that it imports) → lines."

    @property
    def parts(self) -> dict[str, int]:
        """Folders of the top and how many files each holds, the largest first; `.`: files beside them."""
        tops = Counter(path.split("/")[0] if "/" in path else "." for path in self.paths)
        return dict(sorted(tops.items(), key=lambda one: (-one[1], one[0])))

    @property
    def kinds(self) -> dict[str, int]:
        """Endings of files and how many there are, most first."""
        found = Counter(PurePosixPath(path).suffix or PurePosixPath(path).name for path in self.paths)
        return dict(sorted(found.items(), key=lambda one: (-one[1], one[0]))[:8])


Looking: TypeAlias = Generator[list[Call], Steps, Structure | Undone]


def look(say: Phrases) -> Looking:
    """List the folder, read what its parts say of themselves and count who imports whom."""
    listed, imported = yield [
        Call("ls", {"path": ".", "recursive": True}),
        Call("grep", {"pattern": IMPORT, "glob": "*.py", "output_mode": "content"}),
    ]
    if not listed.ok:
        return not_done(listed, "ls", say)
    if not listed.lines:
        return Undone(say("The folder is empty.", "Папка пуста."))
    found = listed.lines
    tops = list(dict.fromkeys(path.split("/")[0] for path in found if "/" in path))[:MAX_FOLDERS]
    telling = {
        folder: path
        for folder in [".", *tops]
        if (path := next((p for p in _tellers(folder) if p in found), ""))
    }
    reads = (
        (yield [Call("read_file", {"file_path": path, "limit": 40}) for path in telling.values()])
        if telling
        else []
    )
    says = {
        folder: said
        for (folder, path), step in zip(telling.items(), reads, strict=True)
        if step.ok and (said := summary(File(path, [text for _, text in files.numbered(step)])))
    }
    return Structure(
        paths=found,
        whole="\n[only the first" not in listed.text,
        says=says,
        sources=tuple(telling.values()),
        imports=_imports(files.hits(imported), tops),
    )


def drawn(structure: Structure, say: Phrases) -> list[str]:
    """Return the parts of a folder as lines of a list."""
    lines = []
    for folder, count in structure.parts.items():
        name = f"`{folder}/`" if folder != "." else say("beside them", "рядом с ними")
        said = structure.says.get(folder, "") if folder != "." else ""
        lines.append(f"{name}: " + say(f"{count} files", f"файлов: {count}") + (f". {said}" if said else ""))
    return lines


def diagram(structure: Structure) -> str:
    """Return who imports whom as a Mermaid picture; empty if nobody does."""
    arrows = [f"    {a} -->|{count}| {b}" for (a, b), count in sorted(structure.imports.items())]
    return "\n".join(["```mermaid", "graph LR", *arrows, "```"]) if arrows else ""


def entries(structure: Structure) -> list[str]:
    """Return the files that look like beginnings, and those that declare what the project needs."""
    begins = [f"`{path}`" for path in structure.paths if ENTRY_POINTS.search(path) and "test" not in path][
        :10
    ]
    return [*begins, *(f"`{name}`" for name in DECLARING if name in structure.paths)]


def _tellers(folder: str) -> list[str]:
    place = "" if folder == "." else f"{folder}/"
    return [
        f"{place}{name}"
        for name in ("__init__.py", "README.md", "README.rst", "README.txt", "README", "readme.md")
    ]


def _imports(hits: list[tuple[str, int, str]], tops: list[str]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for path, _, text in hits:
        home, module = path.split("/")[0], MODULE.match(text)
        if "/" not in path or not module:
            continue
        target = next((part for part in module[1].split(".")[:2] if part in tops), "")
        if target and target != home:
            found[home, target] += 1
    return found
