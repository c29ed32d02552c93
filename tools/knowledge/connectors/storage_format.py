"""Confluence's storage format as plain HTML: macros become what a reader sees of them, or nothing."""

import re
from collections.abc import Callable, Mapping
from html import escape
from html.entities import html5
from xml.etree.ElementTree import Element, SubElement, tostring

from artel.tools.knowledge.connectors import elements
from artel.tools.knowledge.connectors.elements import NotXml

AC, RI = "{ac}", "{ri}"
VOID = frozenset({"toc", "children", "pagetree", "recently-updated", "livesearch", "anchor", "contributors"})
BOXES = {"info": "Info", "note": "Note", "tip": "Tip", "warning": "Warning", "panel": "", "expand": ""}
DROPPED = frozenset({"placeholder", "parameter", "task-id", "task-uuid", "inline-comment-marker-ref"})
ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30});")
KEPT = frozenset({"amp", "lt", "gt", "quot", "apos"})
CDATA = re.compile(r"(<!\[CDATA\[.*?\]\]>)", re.DOTALL)


def html(storage: str, title: str) -> str:
    """Return a page in storage format as an HTML document with its title as first heading.

    What is no XML, as old pages may be, is handed on as it is: readers of HTML are used to worse.

    >>> html('<p>A&ndash;B<ac:emoticon ac:name="smile"/></p>', "T").partition("<body>")[2]
    '<h1>T</h1><p>A–B</p></body></html>'
    """
    head = f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    try:
        body = _body(storage)
    except NotXml:
        body = storage
    return f"{head}<body><h1>{escape(title)}</h1>{body}</body></html>"


def _body(storage: str) -> str:
    pieces = CDATA.split(storage)
    pieces[::2] = [ENTITY.sub(_character, piece) for piece in pieces[::2]]
    root = elements.parse(f'<body xmlns:ac="ac" xmlns:ri="ri">{"".join(pieces)}</body>')
    made = Element("div")
    _copy(root, made)
    return tostring(made, encoding="unicode", method="html").removeprefix("<div>").removesuffix("</div>")


def _character(found: re.Match[str]) -> str:
    return found[0] if found[1] in KEPT else html5.get(f"{found[1]};", "")


def _copy(source: Element, target: Element) -> None:
    """Write what is in `source` into `target`, and what stands between."""
    _say(target, source.text)
    for inner in source:
        _one(inner, target)
        _say(target, inner.tail)


def _one(source: Element, target: Element) -> None:
    if source.tag.startswith(RI):
        _say(target, _named(source))
    elif not source.tag.startswith(AC):
        name = source.tag.rpartition("}")[2]
        about = {key: value for key, value in source.attrib.items() if not key.startswith("{")}
        _copy(source, SubElement(target, name, about))
    else:
        name = source.tag.removeprefix(AC)
        if name not in DROPPED:
            ELEMENTS.get(name, _copy)(source, target)


def _macro(source: Element, target: Element) -> None:
    name = source.get(f"{AC}name", "")
    said = {one.get(f"{AC}name", ""): elements.text(one) for one in source.findall(f"{AC}parameter")}
    plain, rich = source.find(f"{AC}plain-text-body"), source.find(f"{AC}rich-text-body")
    if name in VOID:
        return
    if name in ("code", "noformat") and plain is not None:
        _code(said, plain.text or "", target)
    elif name == "status":
        _say(target, said.get("title", ""))
    elif name == "jira":
        _say(target, said.get("key", "") or said.get("jqlQuery", ""))
    elif rich is not None:
        box = SubElement(target, "blockquote" if BOXES.get(name) else "div")
        heading = said.get("title", "") or BOXES.get(name, "")
        if heading:
            SubElement(SubElement(box, "p"), "strong").text = heading
        _copy(rich, box)
    elif plain is not None:
        SubElement(target, "pre").text = plain.text
    else:
        for one in source.iter():
            if one.tag.startswith(RI):
                _say(target, f"{_named(one)} ")


def _code(said: Mapping[str, str], text: str, target: Element) -> None:
    if said.get("title"):
        SubElement(SubElement(target, "p"), "strong").text = said["title"]
    language = {"class": f"language-{said['language']}"} if said.get("language") else {}
    SubElement(SubElement(target, "pre"), "code", language).text = text


def _link(source: Element, target: Element) -> None:
    for body in (f"{AC}link-body", f"{AC}plain-text-link-body"):
        if (found := source.find(body)) is not None:
            _copy(found, target)
            return
    _say(target, " ".join(filter(None, (_named(one) for one in source if one.tag.startswith(RI)))))


def _image(source: Element, target: Element) -> None:
    named = source.get(f"{AC}alt") or source.get(f"{AC}title") or ""
    named = named or " ".join(_named(one) for one in source if one.tag.startswith(RI))
    if named:
        SubElement(target, "img", {"alt": named})


def _task(source: Element, target: Element) -> None:
    done = elements.text(source, f"{AC}task-status") == "complete"
    item = SubElement(target, "li")
    item.text = "[x] " if done else "[ ] "
    if (body := source.find(f"{AC}task-body")) is not None:
        _copy(body, item)


def _tasks(source: Element, target: Element) -> None:
    _copy(source, SubElement(target, "ul"))


def _nothing(_source: Element, _target: Element) -> None:
    pass


ELEMENTS: Mapping[str, Callable[[Element, Element], None]] = {
    "structured-macro": _macro,
    "macro": _macro,
    "link": _link,
    "image": _image,
    "task": _task,
    "task-list": _tasks,
    "emoticon": _nothing,
}


def _named(source: Element) -> str:
    """Return what a reference names: a page, a file, an address. People have keys here, no names."""
    keys = ("content-title", "filename", "value", "space-key")
    return next((source.attrib[f"{RI}{key}"] for key in keys if source.get(f"{RI}{key}")), "")


def _say(target: Element, text: str | None) -> None:
    if not text:
        return
    if len(target):
        target[-1].tail = (target[-1].tail or "") + text
    else:
        target.text = (target.text or "") + text
