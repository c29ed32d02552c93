"""Sets of questions with labels: a folder each, with `corpus`, `queries` (`.jsonl.gz`) and `qrels.tsv.gz`.

A corpus line is `{id, title?, text, group?}`, a question `{id, text, group?, exclude?, answerable?}`, a label
`question <tab> document <tab> gain` below a line of headings. The sets themselves are never part of this
repository.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from artel.storage.errors import ArtelError

FILES = ("corpus.jsonl.gz", "queries.jsonl.gz", "qrels.tsv.gz")


class SetUnreadable(ArtelError):
    """There is no set of that name, or one of its files is not what it should be."""

    code = "set_unreadable"
    status = 400


@dataclass(frozen=True, slots=True)
class Document:
    """What can be found."""

    id: str
    title: str
    text: str
    group: str
    "Documents of one group are about one subject, such as the paragraphs of an article; else its own id."

    @property
    def whole(self) -> str:
        """Title and text, as they are indexed."""
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what answers it."""

    id: str
    text: str
    relevant: Mapping[str, int]
    "Gain by document."
    exclude: frozenset[str]
    "Documents that may not be found, such as the one that the question is quoted from."
    answerable: bool
    "Whether the document itself holds an answer: a mark for readers, not for search."


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Documents, and questions that have at least one right document among them."""

    name: str
    documents: Sequence[Document]
    questions: Sequence[Question]


def names(folder: Path) -> list[str]:
    """Return the sets of a folder, sorted."""
    return sorted(one.parent.name for one in folder.glob(f"*/{FILES[0]}"))


def load(folder: Path, name: str) -> LabelledSet:
    """Return a set.

    Raises:
        SetUnreadable: a file is missing, no gzip, no JSON, or a label names an unknown document.
    """
    corpus, queries, qrels = (folder / name / file for file in FILES)
    documents = [_document(name, line) for line in _lines(corpus)]
    known = {one.id for one in documents}
    labels: dict[str, dict[str, int]] = {}
    for row in list(_opened(qrels))[1:]:
        question, document, gain = _parted(qrels, row)
        if document not in known:
            raise SetUnreadable(
                f"{qrels}: question {question!r} names document {document!r}, not in {corpus}"
            )
        labels.setdefault(question, {})[document] = gain
    questions = [_question(line, labels) for line in _lines(queries)]
    return LabelledSet(name, documents, [one for one in questions if one.relevant])


def groups(labelled: LabelledSet) -> dict[str, str]:
    """Return the group of each question: one name for all whose right documents are of groups that meet.

    Parts that are split by it share no right document and no subject.
    """
    parent: dict[str, str] = {}

    def root(group: str) -> str:
        while (above := parent.setdefault(group, group)) != group:
            group = above
        return group

    of = {one.id: one.group for one in labelled.documents}
    for question in labelled.questions:
        first, *others = [of[one] for one in question.relevant]
        for other in others:
            parent[root(other)] = root(first)
    return {one.id: root(of[next(iter(one.relevant))]) for one in labelled.questions}


def part(group: str, parts: int, *, salt: str = "") -> int:
    """Return which of `parts` a group falls into, 0-based: always the same, and even in the long run."""
    return int.from_bytes(sha256(f"{salt}{group}".encode()).digest()[:8]) % parts


def evenly(sizes: Mapping[str, int], parts: int) -> dict[str, int]:
    """Return a part for each group so that parts are about equally big: for few groups, chance is unfair.

    `sizes`: questions by group. The biggest goes first, each to the part that is smallest then.
    """
    filled = [0] * parts
    chosen = {}
    for group, size in sorted(sizes.items(), key=lambda one: (-one[1], one[0])):
        chosen[group] = filled.index(min(filled))
        filled[chosen[group]] += size
    return chosen


def _document(name: str, line: Mapping[str, Any]) -> Document:
    key = str(line["id"])
    # a paragraph "12-3" of the Russian set is the fourth of article 12
    article = key.partition("-")[0] if name.startswith("xquad") else key
    return Document(key, str(line.get("title") or ""), str(line["text"]), str(line.get("group") or article))


def _question(line: Mapping[str, Any], labels: Mapping[str, Mapping[str, int]]) -> Question:
    key = str(line["id"])
    excluded = frozenset(map(str, line.get("exclude", ())))
    relevant = {one: gain for one, gain in labels.get(key, {}).items() if gain > 0}
    return Question(key, str(line["text"]), relevant, excluded, bool(line.get("answerable", True)))


def _parted(file: Path, row: str) -> tuple[str, str, int]:
    try:
        question, document, gain = row.split("\t")
        return question, document, int(gain)
    except ValueError as wrong:
        raise SetUnreadable(f"{file}: {row!r} is not question, document and a whole number") from wrong


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for line in _opened(file):
        yield _checked(file, line, json.loads)


def _checked(file: Path, line: str, parse: Callable[[str], Any]) -> dict[str, Any]:
    try:
        said = parse(line)
    except json.JSONDecodeError as wrong:
        raise SetUnreadable(f"{file}: {line[:80]!r} is no JSON: {wrong}") from wrong
    if not isinstance(said, dict) or not {"id", "text"} <= said.keys():
        raise SetUnreadable(f"{file}: {line[:80]!r} has no `id` and `text`")
    return said


def _opened(file: Path) -> Iterator[str]:
    try:
        with gzip.open(file, "rt", encoding="utf-8-sig") as lines:
            for line in lines:
                if line.strip():
                    yield line.rstrip("\n")
    except (OSError, EOFError, UnicodeDecodeError) as wrong:
        raise SetUnreadable(f"{file} cannot be read: {wrong}") from wrong
