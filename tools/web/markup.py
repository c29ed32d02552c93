"""HTML as a person would read it: headings, lists, tables, links, and nothing that is not shown.

Python's own parser takes 28 s for 160 KB of `<!--` and four times that for twice as much, with the whole
process standing still; this one reads every character once.
"""

import re
from html import unescape
from urllib.parse import urljoin

MAX_HREF = 500  # characters; longer ones carry state, not an address

TOKEN = re.compile(
    r"""<!--(?:-?>|.*?(?:--!?>|\Z))
      | <(?P<end>/?)(?P<name>[a-z][^\s/>]{0,40})
         (?P<attributes>(?:=\s*"[^"]*(?:"|\Z)|=\s*'[^']*(?:'|\Z)|=|[^=>]+)*+)(?:>|\Z)
      | <[!?/][^>]*(?:>|\Z)
      | (?P<text><[^<]*|[^<]+)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
ATTRIBUTE = re.compile(r"""([^\s=/"']+)(?:\s*=\s*(?:"([^"]*)"?|'([^']*)'?|([^\s>]+)))?""")
WANTED = ("href", "alt", "style", "hidden")
UNSEEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
LONG_NUMBER = re.compile(r"&#\d{8,};?")  # of no character; Python refuses to read those of 4,300 digits

RAW = {"script", "style", "iframe", "noembed", "noframes", "textarea", "xmp"}
UNSEEN = {"template", "svg", "math", "object", "select", "canvas", "audio", "video"}
FOREIGN = {"svg", "math"}  # of these alone `<svg/>` is a whole element
HIDEABLE = {"div", "span", "section", "aside", "article", "nav", "form", "ul", "ol", "table", "a", "font"}
APART = {
    *("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote", "section"),
    *("article", "header", "footer", "main", "nav", "aside", "form", "figure", "title", "hr"),
}
LINES = {
    "br",
    "div",
    "li",
    "dt",
    "dd",
    "tr",
    "caption",
    "figcaption",
    "legend",
    "summary",
    "details",
    "option",
}
HEADINGS = {f"h{level}": f"{'#' * level} " for level in range(1, 7)}


def readable(html: str, base: str) -> str:
    """Return what a page says, as Markdown; links are absolute, from `base`."""
    page = _Page(base)
    at = 0
    while at < len(html):
        token = TOKEN.match(html, at)
        if token is None:  # the pattern takes anything
            break
        at = token.end()
        name = (token["name"] or "").lower()
        if token["text"]:
            page.say(token["text"])
        elif token["end"] and name:
            page.end(name)
        elif name in RAW:
            at = _after(html, name, at)
        elif name and not (name in FOREIGN and token["attributes"].endswith("/")):
            page.start(name, _attributes(token["attributes"]))
    return page.text()


def _after(html: str, name: str, at: int) -> int:
    """Return where the content of an element ends that holds no markup."""
    found = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(html, at)
    return found.start() if found else len(html)


def _attributes(text: str) -> dict[str, str]:
    if not text or text.isspace():
        return {}
    found: dict[str, str] = {}
    for name, *values in ATTRIBUTE.findall(text):
        if name.lower() in WANTED:
            found.setdefault(name.lower(), _unescaped("".join(values)))
    return found


def _unescaped(text: str) -> str:
    return unescape(LONG_NUMBER.sub("\N{REPLACEMENT CHARACTER}", text)) if "&" in text else text


class _Page:
    """What was read so far: whole lines, and the one that is being written."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._lines: list[str] = []
        self._line: list[str] = []
        self._unseen = ""
        self._depth = 0
        self._verbatim = False
        self._link: tuple[int, int, str] | None = None  # lines, parts of the line, where it leads

    def say(self, text: str) -> None:
        if self._unseen:
            return
        text = _unescaped(text)
        if self._verbatim:
            self._say_verbatim(text)
            return
        text = re.sub(r"\s+", " ", text)
        if text != " " or (self._line and not self._line[-1].endswith(" ")):  # blanks do not pile up
            self._line.append(text)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._unseen:
            self._depth += name == self._unseen
            return
        if name in UNSEEN or (name in HIDEABLE and _is_hidden(attributes)):
            self._unseen, self._depth = name, 1
            return
        self._separate(name)
        match name:
            case "a":
                self._leave()
                self._link = (len(self._lines), len(self._line), attributes.get("href", ""))
            case "img" if alt := attributes.get("alt", "").strip():
                self.say(f"[{alt}]")
            case "li":
                self._line[:] = ["- "]
            case "td" | "th" if self._line:
                self._line.append(" | ")
            case "hr":
                self._line.append("---")
                self._apart()
            case "pre" if not self._verbatim:
                self._lines.append("```")
                self._verbatim = True
            case "title":
                self._line.append("Title: ")
            case heading if heading in HEADINGS:
                self._line.append(HEADINGS[heading])

    def end(self, name: str) -> None:
        if self._unseen:
            self._depth -= name == self._unseen
            if not self._depth:
                self._unseen = ""
            return
        if name == "a":
            self._leave()
        elif name == "pre" and self._verbatim:
            self._break()
            self._verbatim = False
            self._lines.append("```")
        self._separate(name)

    def text(self) -> str:
        """Return all of it, with one empty line at most between two others."""
        self._leave()
        self._break()
        return "\n".join(self._lines).strip("\n")

    def _say_verbatim(self, text: str) -> None:
        if not self._line and self._lines[-1] == "```":
            text = text.removeprefix("\n")
        first, *rest = text.split("\n")
        self._line.append(first)
        for line in rest:
            self._lines.append("".join(self._line).rstrip())
            self._line[:] = [line]

    def _separate(self, name: str) -> None:
        if name in APART:
            self._apart()
        elif name in LINES:
            self._break()

    def _apart(self) -> None:
        self._break()
        if self._lines and self._lines[-1] and not self._line and not self._verbatim:
            self._lines.append("")

    def _break(self) -> None:
        line = "".join(self._line)
        if self._verbatim:
            if line:
                self._lines.append(line.rstrip())
        elif line == "- ":  # the text of the item is yet to come
            return
        elif line.strip():
            self._lines.append(re.sub(r" {2,}", " ", line.strip()))
        self._line.clear()

    def _leave(self) -> None:
        """Write the link that is open, if there is something to click on and somewhere to go."""
        if self._link is None:
            return
        (lines, start, href), self._link = self._link, None
        leads = self._absolute(href)
        if not leads or self._verbatim:
            return
        if lines != len(self._lines):
            start = 0  # it began on a line above
        if said := "".join(self._line[start:]).strip():
            self._line[start:] = [f"[{said}]({leads})", " " if self._line[-1].endswith(" ") else ""]
        elif lines < len(self._lines) and self._lines[-1]:
            self._lines[-1] = f"[{self._lines[-1]}]({leads})"

    def _absolute(self, href: str) -> str:
        href = re.sub(r"[\x00-\x1f\x7f]", "", href).strip()
        if not href or href.startswith("#") or len(href) > MAX_HREF:
            return ""
        try:
            leads = urljoin(self._base, href)
        except ValueError:
            return ""
        if not leads.startswith(("http://", "https://")):
            return ""
        return leads.replace(" ", "%20").replace("(", "%28").replace(")", "%29")


def _is_hidden(attributes: dict[str, str]) -> bool:
    return "hidden" in attributes or bool(UNSEEN_STYLE.search(attributes.get("style", "")))
