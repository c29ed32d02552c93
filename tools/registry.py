"""The tools there are, and the groups in which roles have them."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import AliasChoices, Field

from artel.tools import clock, commands, questions, recalling, remembering, submitting, todos
from artel.tools.git import tools as git
from artel.tools.policy import Call
from artel.tools.tool import Arguments, Outcome, Risk, Seen, Tool, Work
from artel.tools.web import fetching, page, searching
from artel.tools.web.internet import InternetSettings
from artel.tools.workspace import edit, envelope, listing, moving, patch, read, search, write
from artel.tools.workspace.changeset import ChangeSet


def _named(*names: str) -> Any:
    """Accept an argument by any of these names; the schema shows the first."""
    return AliasChoices(*names)


class Ls(Arguments):
    """Arguments of ls."""

    path: str = "."
    recursive: bool = Field(default=False, description="List the files of all folders below instead.")


class ReadFile(Arguments):
    """Arguments of read_file."""

    file_path: str = Field(validation_alias=_named("file_path", "path"))
    offset: int = Field(default=0, ge=0, description="Lines to skip.")
    limit: int = Field(default=read.MAX_LINES, ge=1)


class Glob(Arguments):
    """Arguments of glob."""

    pattern: str
    path: str = "."


class Grep(Arguments):
    """Arguments of grep."""

    pattern: str
    path: str = Field(default=".", description="Folder or file to search.")
    glob: str | None = Field(default=None, description="Only such files: `*.py`.")
    output_mode: search.Mode = "files_with_matches"
    max_count: int = Field(default=search.MAX_RESULTS, ge=1)
    regex: bool = True
    ignore_case: bool = False


class EditFile(Arguments):
    """Arguments of edit_file."""

    file_path: str = Field(validation_alias=_named("file_path", "path"))
    old_string: str = Field(validation_alias=_named("old_string", "old_str"))
    new_string: str = Field(validation_alias=_named("new_string", "new_str"))
    replace_all: bool = False


class WriteFile(Arguments):
    """Arguments of write_file."""

    file_path: str = Field(validation_alias=_named("file_path", "path"))
    content: str


class OneEdit(Arguments):
    """One of the edits of multi_edit."""

    old_string: str = Field(validation_alias=_named("old_string", "old_str"))
    new_string: str = Field(validation_alias=_named("new_string", "new_str"))
    replace_all: bool = False


class MultiEdit(Arguments):
    """Arguments of multi_edit."""

    file_path: str = Field(validation_alias=_named("file_path", "path"))
    edits: list[OneEdit] = Field(min_length=1)


class DeleteFile(Arguments):
    """Arguments of delete_file."""

    file_path: str = Field(validation_alias=_named("file_path", "path"))


class MoveFile(Arguments):
    """Arguments of move_file."""

    src: str = Field(validation_alias=_named("src", "source", "source_path", "old_path"))
    dst: str = Field(validation_alias=_named("dst", "destination", "destination_path", "new_path"))


class ApplyPatch(Arguments):
    """Arguments of apply_patch."""

    input: str = Field(validation_alias=_named("input", "patch", "patch_text", "patchText"))


class WebFetch(Arguments):
    """Arguments of web_fetch."""

    url: str = Field(description="Absolute http or https URL.")
    offset: int = Field(default=0, ge=0, description="Characters to skip.")


class WebSearch(Arguments):
    """Arguments of web_search."""

    query: str = Field(
        min_length=1, max_length=searching.MAX_QUERY, description="Words to look for; no secrets."
    )
    max_results: int = Field(default=5, ge=1, le=searching.MAX_RESULTS)


def _ls(root: Path, args: Ls) -> Outcome:
    return Outcome(listing.ls(root, args.path, recursive=args.recursive))


def _read(root: Path, args: ReadFile) -> Outcome:
    reading = read.read(root, args.file_path, offset=args.offset, limit=args.limit)
    return Outcome(reading.text, {reading.path: reading.sha256})


def _glob(root: Path, args: Glob) -> Outcome:
    return Outcome(listing.glob(root, args.pattern, args.path))


def _grep(root: Path, args: Grep) -> Outcome:
    wanted = args.model_dump(exclude={"pattern", "path"})
    return Outcome(search.grep(root, args.pattern, args.path, **wanted))


def _edit(root: Path, args: EditFile, _seen: Seen) -> ChangeSet:
    planned = edit.plan(root, args.file_path, args.old_string, args.new_string, replace_all=args.replace_all)
    return ChangeSet((planned,))


def _write(root: Path, args: WriteFile, seen: Seen) -> ChangeSet:
    return ChangeSet((write.plan(root, args.file_path, args.content, seen=seen),))


def _multi_edit(root: Path, args: MultiEdit, _seen: Seen) -> ChangeSet:
    edits = [edit.Edit(one.old_string, one.new_string, one.replace_all) for one in args.edits]
    return ChangeSet((edit.plan_all(root, args.file_path, edits),))


def _delete(root: Path, args: DeleteFile, _seen: Seen) -> ChangeSet:
    return ChangeSet((moving.delete(root, args.file_path),))


def _move(root: Path, args: MoveFile, made: Collection[str] = ()) -> ChangeSet:
    return ChangeSet(tuple(moving.move(root, args.src, args.dst, made=made)))


def _patch(root: Path, args: ApplyPatch, made: Collection[str] = ()) -> ChangeSet:
    return patch.plan(root, args.input, made=made)


def _changed(plain: Call, there: Collection[str], new: Collection[str] = ()) -> list[Call]:
    """Return the change of files that are `there`, and of `new` ones, as it is judged.

    It reads those that are there: diffs and errors show what stands in them, and so does a new path.
    """
    reads = [plain.model_copy(update={"action": "fs.read", "path": path}) for path in there]
    return [*reads, *(plain.model_copy(update={"path": path}) for path in (*there, *new))]


async def _web_fetch(work: Work, args: WebFetch) -> Outcome:
    return Outcome(await page.show(work.internet, args.url, args.offset), untrusted=True)


def _fetched(args: WebFetch, plain: Call) -> list[Call]:
    return [plain.model_copy(update={"path": fetching.place(args.url)})]


async def _web_search(work: Work, args: WebSearch) -> Outcome:
    return Outcome(await searching.search(work.internet, args.query, args.max_results), untrusted=True)


ALL = (
    Tool(
        name="ls",
        risk=Risk.READ,
        action="fs.list",
        arguments=Ls,
        paths_of=lambda args: (args.path,),
        sums_up=lambda args: f"List {args.path}",
        limits={"max_entries": listing.MAX_ENTRIES},
        look=_ls,
    ),
    Tool(
        name="read_file",
        risk=Risk.READ,
        action="fs.read",
        arguments=ReadFile,
        paths_of=lambda args: (args.file_path,),
        sums_up=lambda args: f"Read {args.file_path}",
        limits={
            "max_lines": read.MAX_LINES,
            "max_chars": read.MAX_CHARS,
            "max_file_mb": read.MAX_FILE_BYTES // 1_048_576,
        },
        look=_read,
    ),
    Tool(
        name="glob",
        risk=Risk.READ,
        action="fs.list",
        arguments=Glob,
        paths_of=lambda args: (args.path,),
        sums_up=lambda args: f"Find {args.pattern} in {args.path}",
        limits={"max_entries": listing.MAX_ENTRIES},
        look=_glob,
    ),
    Tool(
        name="grep",
        risk=Risk.READ,
        action="fs.search",
        arguments=Grep,
        paths_of=lambda args: (args.path,),
        sums_up=lambda args: f"Search {args.path} for {args.pattern}",
        limits={
            "max_results": search.MAX_RESULTS,
            "max_seconds": round(search.MAX_SECONDS),
            "max_file_mb": read.MAX_FILE_BYTES // 1_048_576,
        },
        look=_grep,
    ),
    Tool(
        name="edit_file",
        risk=Risk.WRITE,
        action="fs.write",
        arguments=EditFile,
        paths_of=lambda args: (args.file_path,),
        amounts_to=lambda args, plain: _changed(plain, (args.file_path,)),
        sums_up=lambda args: f"Edit {args.file_path}",
        limits={"max_content_bytes": edit.MAX_CONTENT_BYTES},
        plan=_edit,
    ),
    Tool(
        name="write_file",
        risk=Risk.WRITE,
        action="fs.write",
        arguments=WriteFile,
        paths_of=lambda args: (args.file_path,),
        sums_up=lambda args: f"Write {args.file_path}",
        limits={"max_content_bytes": edit.MAX_CONTENT_BYTES},
        plan=_write,
    ),
    Tool(
        name="multi_edit",
        risk=Risk.WRITE,
        action="fs.write",
        arguments=MultiEdit,
        paths_of=lambda args: (args.file_path,),
        amounts_to=lambda args, plain: _changed(plain, (args.file_path,)),
        sums_up=lambda args: f"Edit {args.file_path} in {len(args.edits)} places",
        limits={"max_edits": edit.MAX_EDITS},
        plan=_multi_edit,
    ),
    Tool(
        name="apply_patch",
        risk=Risk.WRITE,
        action="fs.write",
        arguments=ApplyPatch,
        paths_of=lambda args: envelope.paths(args.input),
        amounts_to=lambda args, plain: _changed(plain, *envelope.touched(args.input)),
        sums_up=lambda args: f"Patch {', '.join(envelope.paths(args.input))}",
        limits={"max_files": envelope.MAX_SECTIONS},
        plan=lambda root, args, _seen: _patch(root, args),
        plan_rest=_patch,
    ),
    Tool(
        name="delete_file",
        risk=Risk.WRITE,
        action="fs.write",
        arguments=DeleteFile,
        paths_of=lambda args: (args.file_path,),
        amounts_to=lambda args, plain: _changed(plain, (args.file_path,)),
        sums_up=lambda args: f"Delete {args.file_path}",
        limits={"max_file_mb": read.MAX_FILE_BYTES // 1_048_576},
        plan=_delete,
    ),
    Tool(
        name="move_file",
        risk=Risk.WRITE,
        action="fs.write",
        arguments=MoveFile,
        paths_of=lambda args: (args.src, args.dst),
        amounts_to=lambda args, plain: _changed(plain, (args.src,), (args.dst,)),
        sums_up=lambda args: f"Move {args.src} to {args.dst}",
        limits={"max_file_mb": read.MAX_FILE_BYTES // 1_048_576},
        plan=lambda root, args, _seen: _move(root, args),
        plan_rest=_move,
    ),
    *commands.TOOLS,
    Tool(
        name="web_fetch",
        risk=Risk.NETWORK,
        action="net.fetch",
        arguments=WebFetch,
        amounts_to=_fetched,
        sums_up=lambda args: f"Fetch {args.url}",
        limits={"max_chars": page.MAX_CHARS, "max_mb": fetching.MAX_BYTES // 1_000_000},
        act=_web_fetch,
        repeatable=True,
        offered=lambda settings: settings.fetch,
    ),
    Tool(
        name="web_search",
        risk=Risk.NETWORK,
        action="net.search",
        arguments=WebSearch,
        sums_up=lambda args: f"Search the web for {args.query}",
        limits={"max_results": searching.MAX_RESULTS},
        act=_web_search,
        repeatable=True,
        offered=lambda settings: bool(settings.search),
    ),
    *git.ALL,
    clock.TOOL,
    submitting.TOOL,
    questions.TOOL,
    todos.TOOL,
    recalling.TOOL,
    remembering.TOOL,
)

TOOLS: Mapping[str, Tool] = MappingProxyType({tool.name: tool for tool in ALL})

NOTHING = InternetSettings()
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "read": ("ls", "read_file", "glob", "grep"),
        "write": ("edit_file", "write_file", "multi_edit", "apply_patch", "delete_file", "move_file"),
        "run": ("execute", "read_output", "kill"),
        "web": ("web_fetch", "web_search"),
        "git": git.READERS,
        "git_write": git.WRITERS,
    }
)
"""Names under which roles have several tools at once."""


def named(names: Iterable[str]) -> tuple[str, ...]:
    """Return the tools that names of tools and groups stand for: each once, in the order of the registry.

    Raises:
        KeyError: one is neither; its argument is that name.
    """
    wanted = {tool for name in names for tool in (GROUPS.get(name) or (TOOLS[name].name,))}
    return tuple(name for name in TOOLS if name in wanted)


def toolset(names: Collection[str], settings: InternetSettings = NOTHING) -> list[Tool]:
    """Return tools by their names, always in the same order: a provider's prompt cache depends on it.

    Those that the settings do not offer are left out.
    """
    tools = (tool for name, tool in TOOLS.items() if name in names)
    return [tool for tool in tools if tool.offered is None or tool.offered(settings)]
