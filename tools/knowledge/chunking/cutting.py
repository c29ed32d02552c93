"""Which way a text is cut."""

from pathlib import PurePosixPath
from typing import Literal

from artel.tools.knowledge.chunking.chunk import Chunk
from artel.tools.knowledge.chunking.prose import prose
from artel.tools.knowledge.chunking.syntax import code
from artel.tools.knowledge.code.trees import language_of

Kind = Literal["prose", "code"]

ENDINGS = """
.sql .kt .kts .swift .scala .lua .pl .pm .r .jl .dart .ex .exs .erl .hs .ml .clj .vue .svelte .proto
.graphql .tf .hcl .ini .cfg .conf .properties .xml .gradle .cmake .mk .ps1 .bat .vb .fs .asm .s .pyx .hh .hxx
.cxx .scss .less .zsh .fish .env .lock
"""
LIKE_CODE = frozenset(ENDINGS.split())
NAMED_LIKE_CODE = frozenset(("makefile", "dockerfile", "jenkinsfile", "vagrantfile", "rakefile", "gemfile"))


def chunks(text: str, *, path: str = "", title: str = "", kind: Kind | None = None) -> list[Chunk]:
    """Return chunks in order that cover all of a text that is not blank.

    Prose is cut by its headings, paragraphs, lists, tables and sentences, at about 200 tokens; code by its
    syntax, at about 1,500 characters, whole definitions where they fit; what has no structure, cannot be
    parsed, or is longer than 1,000,000 characters of code, in windows of 512 tokens of which 50 overlap.
    No span begins or ends within a surrogate pair or between a letter and its marks.

    `kind`: None tells it by the name in `path`; a text of no known name is prose. It takes CPU: a second for
    some megabytes; a thread is the place for it.

    >>> [(one.header, "Two."[one.start:one.end]) for one in chunks("Two.", title="Numbers")]
    [('Numbers', 'Two.')]
    """
    kind = kind or kind_of(path)
    place = "\n".join(dict.fromkeys(part for part in (path, title) if part))
    return code(text, path, place) if kind == "code" else prose(text, place)


def kind_of(path: str) -> Kind:
    """Return how a file of this name is cut."""
    name = PurePosixPath(path)
    known = language_of(path) or name.suffix.lower() in LIKE_CODE or name.name.lower() in NAMED_LIKE_CODE
    return "code" if known else "prose"
