"""Documents that rules can write truthfully: how a folder is built, and what a file defines."""

import re
from collections.abc import Generator
from pathlib import PurePosixPath

from artel.graphs.models.rules import files
from artel.graphs.models.rules.outline import outline, summary
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.python import defined
from artel.graphs.models.rules.structure import Structure, diagram, drawn, entries, look
from artel.graphs.models.rules.telling import bullets, not_done
from artel.graphs.models.rules.turn import Call, Rule, Step, Steps, Undone
from artel.graphs.models.rules.words import paths, subject, terms

DOCUMENT = re.compile(r"\.(?:md|mdx|rst|adoc)$", re.IGNORECASE)
README = re.compile(r"\breadme\b|ридми", re.IGNORECASE)
MAX_TERMS = 4
MAX_PLACES = 8


def note(request: str, say: Phrases) -> Rule:
    """Write a note on how the folder is built and where the words of a request stand in it; decide "
    "nothing."""
    structure = yield from look(say)
    if isinstance(structure, Undone):
        return structure
    path = _named(request) or _free("docs/structure.md", structure.paths)
    if path in structure.paths:
        return _there(path, say)
    places = yield from _places(request)
    text = _note(request, structure, places, say)
    words = say(
        "It says what is there and where the words of your request stand. Which way to build it, I "
        "cannot weigh.",
        "В ней то, что есть, и где стоят слова запроса. Взвесить варианты я не могу.",
    )
    return (yield from _written(path, text, words, say))


def document(request: str, say: Phrases) -> Rule:
    """Write a document about a file that is named, or about the folder; each statement with its source."""
    named = [path for path in paths(request) if not DOCUMENT.search(path) and not README.search(path)]
    target = _named(request) or ("README.md" if README.search(request) else "")
    structure = yield from look(say)
    if isinstance(structure, Undone):
        return structure
    if target in structure.paths:
        return _there(target, say)
    if not named:
        path = target or _free("docs/overview.md", structure.paths)
        sources = [say("the list of files", "список файлов"), *(f"`{one}`" for one in structure.sources)]
        return (yield from _documented(path, _overview(structure, say), sources, say))
    found = yield from files.find(named[0])
    if len(found) != 1:
        wrong = say.several_files if found else say.not_found_file
        return Undone(wrong.format(file=named[0]) + "\n" + bullets([f"`{one}`" for one in found[:10]]))
    read = yield from files.read(found[0])
    if isinstance(read, Step):
        return not_done(read, f"`{found[0]}`", say)
    path = target or _free(f"docs/{PurePosixPath(found[0]).stem}.md", structure.paths)
    lines = [f"# {found[0]}", "", summary(read), "", say("## What it defines", "## Что определено"), ""]
    if names := defined(read.text):
        lines += [
            f"- `{one.signature}` (`{found[0]}:{one.line}`)" + (f": {one.says}" if one.says else "")
            for one in names
        ]
    else:
        lines.append(outline(read))
    return (yield from _documented(path, "\n".join(lines) + "\n", [f"`{found[0]}`"], say))


def _documented(path: str, text: str, sources: list[str], say: Phrases) -> Rule:
    told = yield from _written(
        path,
        text,
        say(
            "It repeats what the code says of itself; nothing is explained that no docstring explains.",
            "В нём то, что код говорит о себе сам; чего нет в документации кода, того нет и здесь.",
        ),
        say,
    )
    if isinstance(told, Undone):
        return told
    heads = say("## Documents", "## Документы"), say("## Sources", "## Источники")
    return "\n\n".join([heads[0], told, heads[1], bullets(sources)])


def _written(path: str, text: str, words: str, say: Phrases) -> Rule:
    (made,) = yield [Call("write_file", {"file_path": path, "content": text})]
    if not made.ok:
        return not_done(made, f"`{path}`", say)
    count = text.count("\n")
    lines = say(f"`{path}` ({count} lines)", f"`{path}` (строк: {count})")
    return f"{say.done.format(what=lines)}. {words}"


def _places(request: str) -> Generator[list[Call], Steps, list[tuple[str, list[str]]]]:
    """Return words of a request, each with the files that it stands in most."""
    words = dict(list(terms(subject(request)).items())[:MAX_TERMS])
    if not words:
        return []
    steps = yield [
        Call("grep", {"pattern": pattern, "output_mode": "count", "ignore_case": True})
        for pattern in words.values()
    ]
    found = []
    for word, step in zip(words, steps, strict=True):
        counts = files.counts(step)
        best = sorted(counts, key=lambda path: (-counts[path], path))[:MAX_PLACES]
        found.append((word, [f"`{path}`: {counts[path]}" for path in best]))
    return found


def _note(request: str, structure: Structure, places: list[tuple[str, list[str]]], say: Phrases) -> str:
    asked = "\n".join(f"> {line}" for line in request.strip().split("\n"))
    parts = [
        say("# How this folder is built", "# Как устроена эта папка"),
        say(
            "Written by rules, without a language model, for this request:",
            "Написано правилами, без языковой модели, по запросу:",
        ),
        asked,
        *_body(structure, say),
    ]
    if places:
        parts += [
            say(
                "## Where the words of the request stand (lines by file)",
                "## Где стоят слова запроса (строк по файлам)",
            )
        ]
        for word, where in places:
            parts.append(f"**{word}**\n\n{bullets(where) if where else say('nowhere', 'нигде')}")
    parts += [
        say("## Open", "## Открыто"),
        say(
            "Which ways there are to build it, what each costs, and which to take.",
            "Какие есть способы это сделать, чего стоит каждый и какой выбрать.",
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _overview(structure: Structure, say: Phrases) -> str:
    title = say("# Overview", "# Обзор")
    return (
        "\n\n".join([title, *([said] if (said := structure.says.get(".")) else []), *_body(structure, say)])
        + "\n"
    )


def _body(structure: Structure, say: Phrases) -> list[str]:
    kinds = ", ".join(f"`{kind}` {count}" for kind, count in structure.kinds.items())
    total = len(structure.paths)
    counted = (
        say(f"{total} files", f"Файлов: {total}")
        if structure.whole
        else say(
            f"More than {total} files, of which the first {total} were counted",
            f"Файлов больше {total}, посчитаны первые {total}",
        )
    )
    parts = [say("## Parts", "## Части"), f"{counted}: {kinds}.", bullets(drawn(structure, say))]
    if picture := diagram(structure):
        parts += [
            say("## Who imports whom (lines of import)", "## Кто кого импортирует (строк импорта)"),
            picture,
        ]
    if begins := entries(structure):
        parts += [say("## Where to begin reading", "## С чего начать читать"), bullets(begins)]
    return parts


def _there(path: str, say: Phrases) -> Undone:
    return Undone(
        say(
            f"`{path}` is there already, and rules overwrite no document. Name another file: write it to "
            "docs/new.md.",
            f"`{path}` уже есть, а правила документов не перезаписывают. Назовите другой файл: запиши в "
            "docs/new.md.",
        )
    )


def _named(request: str) -> str:
    return next((path for path in paths(request) if DOCUMENT.search(path)), "")


def _free(path: str, taken: list[str]) -> str:
    """Return a path that no file has."""
    stem, dot, suffix = path.rpartition(".")
    names = [path, *(f"{stem}-{n}{dot}{suffix}" for n in range(2, 100))]
    return next((name for name in names if name not in taken), path)
