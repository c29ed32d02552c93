"""XML of strangers, read as a tree: no entity of theirs is expanded, nothing is loaded from elsewhere."""

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

MAX_DEPTH = 500  # elements inside each other; a tree is walked by functions that call themselves


class NotXml(ValueError):
    """It is no XML, or one that would grow while it is read."""


def parse(data: bytes | str) -> Element:
    """Return the root of an XML document; names are `{namespace}name`.

    Raises:
        NotXml: it is broken, declares entities, or is nested deeper than MAX_DEPTH.
    """
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise NotXml(f"it is nested deeper than {MAX_DEPTH} elements")
        builder.start(_named(name), {_named(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_named(name))

    def declared(*_: object) -> None:
        raise NotXml("it declares entities, which are not expanded")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise NotXml(f"it is no XML: {error}") from None
    root: Element = builder.close()
    return root


def text(element: Element | None, path: str = "") -> str:
    """Return the text of what is at `path` below an element, in one line; nothing where nothing is."""
    found = element.find(path) if element is not None and path else element
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def _named(name: str) -> str:
    return f"{{{name}" if "}" in name else name
