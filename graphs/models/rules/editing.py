"""Making simple edits: read the file, call one tool, say what came of it."""

import re
from collections.abc import Generator
from typing import TypeAlias

from artel.graphs.models.rules import files
from artel.graphs.models.rules.edits import Edit, spliced
from artel.graphs.models.rules.files import LINE_CUT, File
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import not_done
from artel.graphs.models.rules.turn import Call, Rule, Step, Steps, Undone

Part: TypeAlias = Generator[list[Call], Steps, tuple[bool, str]]

CHANGING = frozenset({"edit_file", "write_file", "multi_edit", "apply_patch", "execute"})
RETRIES = 2  # a file that changes under the question is looked at again


def make(edits: list[Edit], say: Phrases, tools: frozenset[str]) -> Rule:
    """Make edits one after another; stop at the first that is not made."""
    if not tools & CHANGING:
        return Undone(say.only_reads)
    told: list[str] = []
    for edit in edits:
        made, words = yield from _make(edit, say)
        told.append(words)
        if not made:
            return Undone("\n\n".join(told))
    return "\n\n".join(told)


def _make(edit: Edit, say: Phrases) -> Part:
    for _ in range(RETRIES):
        call = yield from _planned(edit, say)
        if isinstance(call, str):
            return False, call
        (step,) = yield [call]
        if step.outcome != "failed":
            break
    return step.ok, _told(step, say)


def _planned(edit: Edit, say: Phrases) -> Generator[list[Call], Steps, Call | str]:
    """Return the call that makes an edit, or why there is none."""
    found = yield from files.find(edit.file)
    if edit.kind == "create":
        if edit.file in found:
            return say.exists.format(file=edit.file)
        content = edit.new if not edit.new or edit.new.endswith("\n") else edit.new + "\n"
        return Call("write_file", {"file_path": edit.file, "content": content})
    if not found:
        return say.not_found_file.format(file=edit.file)
    if len(found) > 1:
        return "\n".join([say.several_files.format(file=edit.file), *(f"- `{path}`" for path in found[:10])])
    read = yield from files.read(found[0])
    if isinstance(read, Step):
        return say.failed.format(why=read.text)
    return _on(read, edit, say)


def _on(file: File, edit: Edit, say: Phrases) -> Call | str:
    lines, count = file.lines, len(file.lines)
    new = edit.new.split("\n")
    if edit.kind in ("replace", "delete_text"):
        return _replaced(file, edit, say)
    if not lines:
        return Call("write_file", {"file_path": file.path, "content": edit.new + "\n"})
    if (edit.kind in ("after", "before") and not edit.line) or (edit.kind == "delete_line" and not edit.line):
        at = next((i for i, line in enumerate(lines) if edit.old in line), -1)
        if at < 0:
            return say.no_text.format(file=file.path, text=_quoted(edit.old))
    else:
        at = edit.line - 1
    if edit.kind in ("after", "before", "delete_line") and not 0 <= at < count:
        return say.no_line.format(file=file.path, lines=count, line=edit.line)
    match edit.kind:
        case "append":
            span = spliced(lines, count, count, new)
        case "prepend":
            span = spliced(lines, 0, 0, new)
        case "after":
            span = spliced(lines, at + 1, at + 1, new)
        case "before":
            span = spliced(lines, at, at, new)
        case _:
            span = _without(lines, at)
    return _call(file, span, say)


def _replaced(file: File, edit: Edit, say: Phrases) -> Call | str:
    places = file.text.count(edit.old)
    if not places:
        at = file.text.lower().find(edit.old.lower())
        hint = f" `{file.text[at : at + len(edit.old)]}`?" if at >= 0 else ""
        return say.no_text.format(file=file.path, text=_quoted(edit.old)) + hint
    if edit.old == edit.new:
        return say.same.format(file=file.path)
    args = {"file_path": file.path, "old_string": edit.old, "new_string": edit.new}
    return Call("edit_file", {**args, "replace_all": True} if places > 1 else args)


def _without(lines: list[str], at: int) -> tuple[str, str] | None:
    """Return old and new text that take a whole line away, with its line end."""
    if len(lines) == 1:
        return lines[0], ""
    if at + 1 < len(lines):
        return spliced(lines, at, at + 2, [lines[at + 1]])
    return spliced(lines, at - 1, at + 1, [lines[at - 1]])


def _call(file: File, span: tuple[str, str] | None, say: Phrases) -> Call | str:
    if span is None or any(LINE_CUT.search(line) for line in span[0].split("\n")):
        return say.failed.format(why=file.path)
    return Call("edit_file", {"file_path": file.path, "old_string": span[0], "new_string": span[1]})


def _told(step: Step, say: Phrases) -> str:
    file = step.call.args["file_path"]
    if not step.ok:
        return not_done(step, f"`{file}`", say)
    shown = [line for line in step.text.split("\n") if re.match(r"[+-](?![+-]{2} )", line)]
    return "\n".join([say.done.format(what=f"`{file}`"), "```diff", *shown[:20], "```"])


def _quoted(text: str) -> str:
    return f"`{text}`" if "`" not in text else repr(text)
