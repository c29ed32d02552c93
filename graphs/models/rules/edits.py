"""Understanding a request for a simple edit, and working it out on the lines of a file."""

import re
from dataclasses import dataclass
from typing import Literal

from artel.graphs.models.rules.words import QUOTE, unquoted
from artel.graphs.routing import bare

Kind = Literal["replace", "append", "prepend", "after", "before", "delete_line", "delete_text", "create"]


@dataclass(frozen=True, slots=True)
class Edit:
    """A simple edit, as asked for."""

    kind: Kind
    file: str
    old: str = ""
    new: str = ""
    line: int = 0


FILE = rf"(?:the\s+)?(?:file\s+|файл[а-я]*\s+)?(?P<file>{QUOTE}|[\w./~-]*[\w/-])[\s.!?,;]*"
IN = r"(?:in|inside|within|of|from|в|во|из|внутри)\s+"
TO = r"(?:to|into|in|at|в|во|к)\s+"
OLD, NEW = rf"(?P<old>{QUOTE}|.+?)", rf"(?P<new>{QUOTE}|.+?)"
WHAT = (
    r"(?:(?:a|an|the|one|new|this|эту|одну|новую)\s+)?"
    r"(?:(?:line|text|string|word|comment|строк\w+|текст\w*|слово|фраз\w+|комментарий)\s*:?\s+)*"
)
ADD = r"(?:add|append|insert|put|write|prepend|добав\w+|допи\w+|впи\w+|встав\w+|запи\w+|напи\w+)"
REPLACE = (
    r"(?:replace|change|rename|substitute|swap|замен\w+|поменя\w+|измен\w+|исправ\w+|смен\w+|переимен\w+)"
)
DELETE = r"(?:delete|remove|drop|erase|удал\w+|убер\w+|убрать|сотр\w+|вычеркн\w+)"
CREATE = r"(?:create|make|add|write|generate|созда\w+|сдела\w+|добав\w+|напи\w+)"
ALL = (
    r"(?:(?:all|every|each|все|всё|каждое|везде)\s+)?"
    r"(?:(?:occurrences?|instances?|вхождени\w+)\s+(?:of\s+)?)?"
)
WITH = r"(?:with|to|by|for|on|на)"
START = r"(?:the\s+)?(?:very\s+)?(?:beginning|start|top|head|начало|начале|верх)"
END = r"(?:the\s+)?(?:very\s+)?(?:end|bottom|конец|конце|низ)"
OF = r"\s+(?:of\s+|to\s+)?"
LINE = (
    r"(?:the\s+)?(?:line|строк\w+)\s+(?:number\s+|номер\s+|№\s*)?(?P<line>\d+)(?:-?(?:ю|й|ую|th|st|nd|rd))?"
)
NTH = r"(?P<line>\d+)(?:-?(?:ю|й|ую|th|st|nd|rd))\s+(?:line|строк\w+)"
SUCH = (
    r"(?:(?:with|containing|reading|saying|с|со|где|that\s+(?:says|contains|reads))\s+(?:the\s+)?"
    r"(?:text\s+|текстом\s+)?)?"
)
EVERYWHERE = r"(?:everywhere\s+|везде\s+)?"
ANEW = r"(?:a\s+|an\s+|the\s+)?(?:new\s+|empty\s+|нов\w+\s+|пуст\w+\s+)*(?:file|файл\w*)\s+"
NAMED = (
    r"(?:called\s+|named\s+|под\s+названием\s+|с\s+именем\s+)?"
    rf"(?P<file>{QUOTE}|[\w./~-]*\w)"
)
HOLDING = (
    r",?\s*(?:and\s+(?:put|write)|with|containing|saying|с|со|в\s+котором"
    r"|и\s+(?:запиши|напиши)(?:\s+в\s+него)?)(?:\s+|(?=:))"
)
NEW_OR_NOT = rf"(?P<new>{QUOTE}|.*?)[\s.]*"
CONTENT = r"(?:the\s+)?(?:content|contents|text|line|содержимым|содержанием|текстом|строкой|словами)?\s*:?\s*"
NEXT = r"(?P<side>after|before|below|above|после|перед|до|над|под)\s+"

FORMS: list[tuple[Kind, str]] = [
    ("create", rf"{CREATE}\s+{ANEW}{NAMED}\s*(?:{HOLDING}{CONTENT}|\s*:\s*|\s+(?={QUOTE}))?{NEW_OR_NOT}"),
    ("replace", rf"{REPLACE}\s+{ALL}{WHAT}{OLD}\s+{WITH}\s+{WHAT}{NEW}\s+{EVERYWHERE}{IN}{FILE}"),
    ("replace", rf"(?:rename|переимен\w+)\s+{ALL}{WHAT}{OLD}\s+(?:to|into|в|на)\s+{WHAT}{NEW}\s+{IN}{FILE}"),
    ("replace", rf"{IN}{FILE}\s*:?\s*{REPLACE}\s+{ALL}{WHAT}{OLD}\s+{WITH}\s+{WHAT}{NEW}[\s.!?]*"),
    ("after", rf"{ADD}\s+{WHAT}{NEW}\s+{NEXT}{LINE}\s+{IN}{FILE}"),
    ("after", rf"{ADD}\s+{WHAT}{NEW}\s+{NEXT}{WHAT}{OLD}\s+{IN}{FILE}"),
    ("after", rf"{ADD}\s+(?:{IN}|{TO}){FILE}\s*{NEXT}{LINE}\s*:?\s+{WHAT}{NEW}[\s.!?]*"),
    ("after", rf"{ADD}\s+(?:{IN}|{TO}){FILE}\s*{NEXT}{WHAT}(?P<old>{QUOTE})\s*:?\s+{WHAT}{NEW}[\s.!?]*"),
    ("after", rf"{ADD}\s+{NEXT}{LINE}\s+{IN}{FILE}\s*:?\s*{WHAT}{NEW}[\s.!?]*"),
    ("prepend", rf"{ADD}\s+{WHAT}{NEW}\s+(?:{TO}|{IN}|on\s+|at\s+){START}{OF}{FILE}"),
    ("prepend", rf"{ADD}\s+(?:{TO}|{IN}|at\s+){START}{OF}{FILE}\s*:?\s*{WHAT}{NEW}[\s.!?]*"),
    ("append", rf"{ADD}\s+{WHAT}{NEW}\s+(?:{TO}|{IN}|at\s+){END}{OF}{FILE}"),
    ("append", rf"{ADD}\s+(?:{TO}|{IN}|at\s+){END}{OF}{FILE}\s*:?\s*{WHAT}{NEW}[\s.!?]*"),
    ("append", rf"{ADD}\s+{WHAT}(?P<new>{QUOTE})\s+{TO}{FILE}"),
    ("append", rf"{ADD}\s+{TO}{FILE}\s*:?\s*{WHAT}(?P<new>{QUOTE})[\s.!?]*"),
    ("append", rf"{ADD}\s+{WHAT}{NEW}\s+{TO}{FILE}"),
    ("append", rf"{IN}{FILE}\s*:?\s*{ADD}\s+{WHAT}{NEW}[\s.!?]*"),
    ("delete_line", rf"{DELETE}\s+{LINE}\s+{IN}{FILE}"),
    ("delete_line", rf"{DELETE}\s+{NTH}\s+{IN}{FILE}"),
    ("delete_line", rf"{IN}{FILE}\s*:?\s*{DELETE}\s+{LINE}[\s.!?]*"),
    ("delete_line", rf"{DELETE}\s+(?:the\s+)?(?:line|строк\w+)\s+{SUCH}(?P<old>{QUOTE})\s+{IN}{FILE}"),
    ("delete_text", rf"{DELETE}\s+{ALL}{WHAT}{OLD}\s+{IN}{FILE}"),
]  # fmt: skip
FITS = [(kind, re.compile(form, re.IGNORECASE | re.DOTALL)) for kind, form in FORMS]
BEFORE = re.compile(r"before|above|перед|до|над", re.IGNORECASE)
AND_RUN = (
    r",?\s+(?:and\s+then|and|then|и\s+потом|и|потом|затем|а\s+потом|а\s+затем)\s+"
    r"(?=(?:run|запусти\w*|прогони\w*|commit|закоммит\w+)\s)"
)
SENTENCE = re.compile(
    rf"{QUOTE}|(?P<cut>(?<=[\w»”\"'`)])[.;]\s+(?=[A-ZА-ЯЁa-zа-яё])|(?<![:\n])\n+(?!\s*[`«“\"'])|{AND_RUN})",
    re.DOTALL | re.IGNORECASE,
)


def understood(request: str) -> list[Edit]:
    """Return the edits a request asks for, in order; none when it is not wholly understood.

    >>> understood("replace 'a' with 'b' in file x.txt")[0].new
    'b'
    """
    edits = [_edit(bare(part).strip()) for part in parts(request.replace("’", "'")) if part.strip()]
    known = [edit for edit in edits if edit is not None]
    return known if len(known) == len(edits) else []


def spliced(lines: list[str], start: int, end: int, new: list[str]) -> tuple[str, str] | None:
    """Return old and new text that put `new` in place of lines[start:end], with context until it is unique.

    None: no amount of context is unique, or there is nothing to hold on to.
    """
    text = "\n".join(lines)
    first, last = start, end
    while True:
        old = "\n".join(lines[first:last])
        if old.strip() and text.count(old) == 1:
            return old, "\n".join([*lines[first:start], *new, *lines[end:last]])
        if first == 0 and last == len(lines):
            return None
        first, last = max(0, first - 1), min(len(lines), last + 1)


def parts(request: str) -> list[str]:
    """Cut a request into sentences, never inside quotation marks."""
    cuts = [m for m in SENTENCE.finditer(request) if m["cut"]]
    edges = [0, *(m.end() for m in cuts), len(request)]
    ends = [*(m.start() for m in cuts), len(request)]
    return [request[start:end] for start, end in zip(edges, ends, strict=False)]


def _edit(sentence: str) -> Edit | None:
    for kind, form in FITS:
        if found := form.fullmatch(sentence):
            said = found.groupdict()
            new = unquoted(said.get("new") or "")
            old = unquoted(said.get("old") or "")
            file = unquoted(said["file"]).rstrip(".,;:!")
            if kind == "after" and BEFORE.match(said["side"]):
                kind = "before"
            if not file or (kind == "delete_text" and not old):
                continue
            return Edit(kind, file, old, new, int(said.get("line") or 0))
    return None
