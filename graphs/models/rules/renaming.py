"""Renaming a word of the code wherever it stands, and moving or deleting files."""

import re
from collections.abc import Callable

from artel.graphs.models.rules import files
from artel.graphs.models.rules.edits import spliced
from artel.graphs.models.rules.files import LINE_CUT, File
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import bullets, not_done
from artel.graphs.models.rules.turn import Call, Rule, Undone

MAX_FILES = 30  # in one renaming: each is a question to a person
MAX_LINES = 100  # of one file


def rename(old: str, new: str, say: Phrases) -> Rule:
    """Rename a whole word in every file, unless the new one stands somewhere already."""
    here, taken = yield [
        Call("grep", {"pattern": rf"\b{re.escape(word)}\b", "output_mode": "count"}) for word in (old, new)
    ]
    if not here.ok:
        return not_done(here, f"`{old}` → `{new}`", say)
    places = files.counts(here)
    if not places:
        return Undone(say(f"`{old}` stands in no file here.", f"`{old}` здесь нигде не встречается."))
    if clash := sorted(files.counts(taken)):
        shown = ", ".join(f"`{path}`" for path in clash[:5])
        return Undone(
            say(
                f"`{new}` stands in {shown} already, so the two could no longer be told apart. Nothing is "
                "changed.",
                f"`{new}` уже есть в {shown}: потом их было бы не различить. Ничего не меняю.",
            )
        )
    if len(places) > MAX_FILES or max(places.values()) > MAX_LINES:
        return Undone(
            say(
                f"`{old}` stands in {len(places)} files; I rename in at most {MAX_FILES} of {MAX_LINES} "
                "lines each.",
                f"`{old}` встречается в файлах: {len(places)}; я правлю не больше {MAX_FILES}, по "
                f"{MAX_LINES} строк.",
            )
        )
    wanted: list[Call] = []
    for path in sorted(places):
        read = yield from files.read(path)
        call = _edits(read, old, new) if isinstance(read, File) else None
        if call is None:
            why = say(f"{path} cannot be edited by rules", f"{path} по правилам не изменить")
            return Undone(say.failed.format(why=why))
        wanted.append(call)
    steps = yield wanted
    made = [step for step in steps if step.ok]
    if lost := [step for step in steps if not step.ok]:
        words = [str(not_done(step, f"`{step.call.args['file_path']}`", say)) for step in lost]
        done = [f"`{step.call.args['file_path']}`" for step in made]
        rest = say("Renamed only in:", "Переименовано только в:")
        return Undone("\n".join([*words, *([rest, bullets(done)] if done else [])]))
    lines = [f"`{step.call.args['file_path']}`: {places[step.call.args['file_path']]}" for step in made]
    head = say(
        f"Renamed `{old}` to `{new}`, lines by file (as a word of the text: I know no scopes):",
        f"`{old}` переименовано в `{new}`, строк по файлам (как слово текста: областей видимости я не знаю):",
    )
    return f"{head}\n{bullets(lines)}"


def delete(path: str, say: Phrases) -> Rule:
    """Delete a file."""
    return (yield from _on_file(path, lambda found: Call("delete_file", {"file_path": found}), say))


def move(path: str, to: str, say: Phrases) -> Rule:
    """Move a file, or call it otherwise."""
    target = to if "/" in to or "/" not in path else f"{path.rpartition('/')[0]}/{to}"
    return (yield from _on_file(path, lambda found: Call("move_file", {"src": found, "dst": target}), say))


def _on_file(path: str, call: Callable[[str], Call], say: Phrases) -> Rule:
    found = yield from files.find(path)
    if not found:
        return Undone(say.not_found_file.format(file=path))
    if len(found) > 1:
        return Undone(
            "\n".join([say.several_files.format(file=path), bullets([f"`{one}`" for one in found[:10]])])
        )
    (step,) = yield [call(found[0])]
    return say.done.format(what=step.text) if step.ok else not_done(step, f"`{found[0]}`", say)


def _edits(file: File, old: str, new: str) -> Call | None:
    """Return the call that renames in one file; None: a line was cut, or cannot be told from another."""
    word = re.compile(rf"\b{re.escape(old)}\b")
    if len(word.findall(file.text)) == file.text.count(old):
        whole = {"file_path": file.path, "old_string": old, "new_string": new, "replace_all": True}
        return Call("edit_file", whole)
    lines, edits = list(file.lines), []
    for at, line in enumerate(file.lines):
        if word.search(line):
            put = word.sub(lambda _: new, line)
            span = None if LINE_CUT.search(line) else spliced(lines, at, at + 1, [put])
            if span is None:
                return None
            edits.append({"old_string": span[0], "new_string": span[1]})
            lines[at] = put
    return Call("multi_edit", {"file_path": file.path, "edits": edits})
