"""Answering questions about a folder with what its files say, each with its file and line."""

import re
from collections.abc import Generator
from typing import TypeAlias

from artel.graphs.models.rules import files
from artel.graphs.models.rules.files import File
from artel.graphs.models.rules.outline import outline, quoted, summary
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.search import search
from artel.graphs.models.rules.turn import Call, Rule, Steps, Undone
from artel.graphs.models.rules.words import identifiers, paths, terms

MAX_SHOWN = 80  # lines of a file that was to be shown
MAX_FOLDERS = 12

DEFINITION = (
    r"^\s*(?:(?:export|async|public|private|static|pub|abstract|default)\s+)*"
    r"(?:def|class|function|func|fn|interface|type|const|let|var|struct|enum|trait|create table)\s+"
    r"{name}\b|^{name}\s*(?::[^=]+)?=[^=]"
)
SHOW = re.compile(
    r"\b(?:show|read|print|open|cat|display|see)\b|покаж|прочита|прочти|выведи|открой|процитир", re.IGNORECASE
)
LISTING = re.compile(r"\b(?:list|ls)\b|\bfiles\b|\bwhat files\b|файлы|список файлов|перечисли", re.IGNORECASE)
OVERVIEW = re.compile(
    r"overview|structure|architecture|summar|about|обзор|структур|архитектур|кратк|проч|общ", re.I
)
FOLDER = re.compile(
    r"\b(?:in|of|under|inside|в|из)\s+(?:the\s+)?(?:folder|directory|папк\w+|каталог\w*)?\s*`?([A-Za-z_][\w./-]*)",
    re.I,
)

Answering: TypeAlias = Generator[list[Call], Steps, str]


def answer(question: str, say: Phrases) -> Rule:
    """Answer a question: about a file, about a name, about the folder, else about where its words stand."""
    named = paths(question)
    if named:
        return (yield from _about_path(named[0], question, say))
    for name in identifiers(question)[:1]:
        if told := (yield from _about_name(name, say)):
            return told
    folder = FOLDER.search(question)
    if LISTING.search(question) and (folder or not terms(question)):
        return (yield from _listing(folder[1] if folder else ".", say))
    if all(OVERVIEW.search(word) for word in terms(question)):
        return (yield from _overview(say))
    return (yield from search(question, say))


def _about_path(path: str, question: str, say: Phrases) -> Answering:
    names = [name for name in identifiers(question) if name not in path]
    found = yield from files.find(path)
    if not found:
        (listed,) = yield [Call("ls", {"path": path})]
        return (
            f"`{path}`:\n{_bullets(listed.lines)}"
            if listed.ok
            else Undone(say.not_found_file.format(file=path))
        )
    if len(found) > 1:
        return "\n".join([say.several_files.format(file=path), *(f"- `{each}`" for each in found[:10])])
    read = yield from files.read(found[0])
    if not isinstance(read, File):
        return Undone(say.failed.format(why=read.text))
    if not read.text.strip():
        return f"`{read.path}`: {say.empty}"
    if names and (told := _inside(read, names[0])):
        return told
    head = say.contents.format(file=read.path, lines=len(read.lines))
    if SHOW.search(question):
        rest = len(read.lines) - MAX_SHOWN
        more = [say.cut.format(more=rest)] if rest > 0 else []
        return "\n".join([head, "", quoted(read.path, read.lines[:MAX_SHOWN]), *more])
    said = summary(read)
    return "\n\n".join(part for part in (head, said, outline(read)) if part)


def _about_name(name: str, say: Phrases) -> Answering:
    definition = DEFINITION.replace("{name}", re.escape(name))
    defined, mentioned = yield [
        Call("grep", {"pattern": definition, "output_mode": "content"}),
        Call("grep", {"pattern": rf"\b{re.escape(name)}\b", "output_mode": "count"}),
    ]
    places = sorted(files.hits(defined), key=lambda hit: "test" in hit[0])
    if not places:
        return ""
    path, line, _ = places[0]
    (step,) = yield [Call("read_file", {"file_path": path, "offset": line - 1, "limit": 40})]
    body = _block([text for _, text in files.numbered(step)])
    users = [p for p in files.counts(mentioned) if p != path]
    told = [say.defined.format(name=name, place=f"{path}:{line}") + ":", "", quoted(path, body)]
    if len(places) > 1:
        told += ["", say.also, *(f"- `{p}:{n}` {text.strip()[:100]}" for p, n, text in places[1:6])]
    if users:
        shown = ", ".join(f"`{user}`" for user in users[:6])
        told += ["", say.used.format(files=shown + (" …" if len(users) > 6 else ""))]
    return "\n".join(told)


def _inside(file: File, name: str) -> str:
    wanted = re.compile(DEFINITION.replace("{name}", re.escape(name)))
    at = next((i for i, line in enumerate(file.lines) if wanted.search(line)), -1)
    if at < 0:
        at = next((i for i, line in enumerate(file.lines) if name in line), -1)
    if at < 0:
        return ""
    return f"`{file.path}:{at + 1}`:\n\n{quoted(file.path, _block(file.lines[at : at + 40]))}"


def _overview(say: Phrases) -> Answering:
    (top,) = yield [Call("ls", {"path": "."})]
    if not top.ok:
        return Undone(say.failed.format(why=top.text))
    names = [line.split("  ")[0] for line in top.lines]
    if not names:
        return say("The folder is empty.", "Папка пуста.")
    folders = [name.rstrip("/") for name in names if name.endswith("/")][:MAX_FOLDERS]
    readme = next((name for name in names if name.lower().startswith("readme")), "")
    inits = [Call("glob", {"pattern": f"{folder}/__init__.py"}) for folder in folders]
    heads = [Call("read_file", {"file_path": readme, "limit": 40})] if readme else []
    steps = yield [*heads, *inits] if heads or inits else [Call("glob", {"pattern": "*"})]
    packages = [step.lines[0] for step in steps[len(heads) :] if step.ok and step.lines]
    docs: dict[str, str] = {}
    if packages:
        read = yield [Call("read_file", {"file_path": path, "limit": 5}) for path in packages]
        for path, step in zip(packages, read, strict=False):
            docs[path.split("/")[0]] = summary(File(path, [text for _, text in files.numbered(step)]))
    said = []
    if heads and steps[0].ok:
        said = [summary(File(readme, [text for _, text in files.numbered(steps[0])])), ""]
    shown = [f"- `{name}`" + _dash(docs.get(name.rstrip("/"), "")) for name in names]
    return "\n".join([*said, say.overview, *shown]).strip()


def _listing(path: str, say: Phrases) -> Answering:
    (listed,) = yield [Call("ls", {"path": path})]
    told = f"`{path}`:\n{_bullets(listed.lines)}"
    return told if listed.ok else Undone(say.failed.format(why=listed.text))


def _block(lines: list[str]) -> list[str]:
    """Return the definition that the first line opens: up to the next line that is not deeper."""
    if not lines:
        return []
    depth = len(lines[0]) - len(lines[0].lstrip())
    for at, line in enumerate(lines[1:], start=1):
        closes = line.strip()[:1] in (")", "]", "}")
        if line.strip() and len(line) - len(line.lstrip()) <= depth and not closes:
            return _trimmed(lines[:at])
    return _trimmed(lines)


def _trimmed(lines: list[str]) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- `{line.split('  ')[0]}`" for line in lines[:60])


def _dash(text: str) -> str:
    return f": {text}" if text else ""
