"""Markdown: its front matter is no text, its headings are places."""

import re
import tomllib
from dataclasses import replace

import yaml  # type: ignore[import-untyped]  # without stubs

from artel.tools.knowledge.formats import plain, wording
from artel.tools.knowledge.formats.parsing import File
from artel.tools.knowledge.formats.records import Read

MAX_MATTER = 65_536  # characters of front matter; more is a text that begins with a line
MAX_VALUES = 100

_YAML = re.compile(r"---[ \t]*\n(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TOML = re.compile(r"\+\+\+[ \t]*\n(.*?\n)??\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL)


def parse(file: File) -> Read:
    """Return the text without its front matter, which becomes metadata.

    Raises:
        Unreadable: it holds NUL bytes as text does not.
    """
    read = plain.parse(file)
    text, values, warnings = parted(read.text)
    return replace(titled(read, text, values), warnings=(*read.warnings, *warnings))


def titled(read: Read, text: str, values: dict[str, str]) -> Read:
    """Return `read` with this Markdown, its headings, and its title, language and metadata from `values`."""
    places = wording.headings(text)
    title = values.pop("title", "") or (places[0].heading if places else "")
    language = values.pop("lang", "") or values.pop("language", "")
    return replace(
        read,
        text=text,
        title=read.title or title,
        language=read.language or iso(language),
        places=places,
        metadata={**read.metadata, **values},
    )


def iso(language: str) -> str:
    """Return the two letters of a language tag, or nothing.

    >>> iso("ru-RU"), iso("Russian")
    ('ru', '')
    """
    first = re.split(r"[-_]", language.strip().lower())[0]
    return first if re.fullmatch("[a-z]{2}", first) else ""


def parted(text: str) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Return the text, the values before it, and what is wrong with them; wrong ones stay in the text."""
    head = text[: MAX_MATTER + 10]
    found = _YAML.match(head) or _TOML.match(head)
    if found is None:
        return text, {}, ()
    try:
        read = tomllib.loads(found[1] or "") if head.startswith("+") else yaml.safe_load(found[1] or "")
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError):
        return text, {}, ("the front matter is no YAML or TOML and was left in the text",)
    if read is not None and not isinstance(read, dict):
        return text, {}, ()
    pairs = [(wording.line(key), _value(value)) for key, value in list((read or {}).items())[:MAX_VALUES]]
    return text[found.end() :].strip("\n"), {key.lower(): value for key, value in pairs if value}, ()


def _value(value: object) -> str:
    """Return a value, or a list of them, as a line; aliases may multiply what is nested deeper."""
    if isinstance(value, list):
        return wording.line(", ".join(_value(one) for one in value[:MAX_VALUES] if not isinstance(one, list)))
    return "" if value is None or isinstance(value, dict) else wording.line(value)
