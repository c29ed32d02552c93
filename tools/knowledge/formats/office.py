"""DOCX, ODT, EPUB and RTF through pandoc, which gets them on its standard input and reaches nothing else."""

import re
import subprocess
from xml.etree import ElementTree
from zipfile import ZipFile

from artel.tools.knowledge.formats import containers, markdown, wording
from artel.tools.knowledge.formats.errors import BROKEN, Unreadable
from artel.tools.knowledge.formats.kinds import Format
from artel.tools.knowledge.formats.parsing import File
from artel.tools.knowledge.formats.records import Limits, Read

HEAP_SHARE = 0.6  # of the memory of the process: its program and two halves of a collection need the rest
MAX_ABOUT = 1 << 20  # bytes of what a document says of itself
HEAP_EXHAUSTED = 251
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
LOCKED = "it is encrypted with a password; save it without one and send that"

_CORE = {
    "{http://purl.org/dc/elements/1.1/}title": "title",
    "{http://purl.org/dc/elements/1.1/}creator": "author",
    "{http://purl.org/dc/elements/1.1/}language": "lang",
    "{http://purl.org/dc/elements/1.1/}description": "description",
    "{http://purl.org/dc/elements/1.1/}subject": "subject",
    "{http://purl.org/dc/terms/}modified": "modified",
    "{http://purl.org/dc/terms/}created": "date",
}
_ABOUT = {Format.DOCX: "docProps/core.xml", Format.ODT: "meta.xml"}
_MARKUP = re.compile(
    r"""(?P<code>^```.*?^```|^(?:[ ]{4}[^\n]*\n?)+|(?<!`)`[^`\n]{1,2000}`(?!`))
      | !\[(?P<picture>[^\]\n]{0,2000})\]\([^)\s]{1,2000}(?:[ ]"[^"\n]{0,500}")?\)
      | (?<!\\)<img\b[^>]{0,4000}>
      | (?<!\\)</?(?:span|div|figure|figcaption|u)\b[^>]{0,2000}> | <!--[ ]-->
      | (?<!\\)<colgroup>.*?</colgroup>\n?
      | (?<!\\)<(?P<table>table|thead|tbody|tr|td|th)\b[^>]{1,2000}>
      | (?<!\\|!)\[(?P<anchor>[^\]\[\n]{0,500})\]\(\#[^)\s]{0,500}\)""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_ALT = re.compile(r'\balt="([^"]{0,2000})"')
_SPLIT_CODE = re.compile(r"(?<=[^`\s])``(?=[^`\s])")
_LINK = re.compile(r"\[([^\]\[\n]{1,500})\]\(([^)\s]{1,500})\)")


def parse(file: File) -> Read:
    """Return the document as GitHub's Markdown: headings, tables and code are kept, pictures are words.

    Raises:
        Unreadable: it is encrypted, a bomb, damaged, or too much for pandoc within the limits.
    """
    if file.format is Format.OLE:
        raise Unreadable(_old_office(file.data))
    about: dict[str, str] = {}
    if file.format is not Format.RTF:
        with containers.opened(file.data) as archive:
            _check(archive, file.limits)
            about = _about(archive, file.format)
    text, values, _ = markdown.parted(_converted(file))
    body = wording.tidy(_plainer(_joined(text) if file.format is Format.RTF else text))
    if values.get("title") and file.format is not Format.EPUB:
        body = f"# {values['title']}\n\n{body}"  # pandoc takes a paragraph in the style Title out of the text
    return markdown.titled(Read(file.name, body), body, {**about, **values})


def inside(archive: ZipFile) -> Format | None:
    """Return which document a ZIP is; None: it is an archive.

    Raises:
        Unreadable: it is an Office file of another kind.
    """
    names = set(archive.namelist())
    if "word/document.xml" in names:
        return Format.DOCX
    if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
        kind = containers.unpacked(archive, archive.getinfo("mimetype"), 200).strip()
        if kind == b"application/epub+zip":
            return Format.EPUB
        if kind.startswith(b"application/vnd.oasis.opendocument.text"):
            return Format.ODT
        if kind.startswith(b"application/vnd.oasis.opendocument"):
            raise Unreadable("it is an OpenDocument table, drawing or presentation; export it as CSV or PDF")
    if "[Content_Types].xml" in names:
        if "_rels/.rels" in names and any(name.startswith("word/") for name in names):
            return Format.DOCX  # some programs name the main part otherwise
        if "xl/workbook.xml" in names or "ppt/presentation.xml" in names:
            raise Unreadable("it is an Excel table or a PowerPoint presentation; export it as CSV or PDF")
    return None


def _check(archive: ZipFile, limits: Limits) -> None:
    """Refuse what would swell: pandoc unpacks all of it."""
    infos = archive.infolist()
    if len(infos) > limits.members * 5 or sum(info.file_size for info in infos) > limits.archive_bytes:
        raise Unreadable(f"it has more than {limits.archive_bytes} bytes unpacked; send it without pictures")
    for info in infos:
        if info.flag_bits & 1:
            raise Unreadable(LOCKED)
        if info.file_size > max(containers.SMALL, info.compress_size * limits.ratio):
            raise Unreadable(
                f"a part of it is packed more than {limits.ratio} times smaller than it is, as in bombs"
            )
    for name, sign in (
        ("META-INF/manifest.xml", b"encryption-data"),
        ("META-INF/rights.xml", b""),
        ("META-INF/encryption.xml", b"http://www.w3.org/2001/04/xmlenc#aes"),
    ):
        if name in archive.NameToInfo and sign in containers.unpacked(
            archive, archive.getinfo(name), MAX_ABOUT
        ):
            raise Unreadable(LOCKED)


def _about(archive: ZipFile, kind: Format) -> dict[str, str]:
    """Return what the document says of itself; none of it is worth failing for."""
    name = _ABOUT.get(kind, "")
    if name not in archive.NameToInfo:
        return {}
    try:
        data = containers.unpacked(archive, archive.getinfo(name), MAX_ABOUT)
        tree = ElementTree.fromstring(data)  # noqa: S314  # expat stops bombs, and the process has its limits
    except (*BROKEN, Unreadable, ElementTree.ParseError):
        return {}
    found = {_CORE[node.tag]: wording.line(node.text or "") for node in tree.iter() if node.tag in _CORE}
    return {
        key: value[:10] if key in ("date", "modified") else value for key, value in found.items() if value
    }


def _converted(file: File) -> str:
    if file.pandoc is None:
        raise Unreadable("pandoc is not installed, which reads this kind of file; send a PDF, HTML or text")
    heap = max(32, int(file.limits.memory_bytes * HEAP_SHARE) >> 20)
    command = [
        str(file.pandoc),
        *("+RTS", f"-M{heap}M", "-RTS", "--sandbox", "--quiet", "--standalone", "--wrap=none"),
        *("--from", file.format.value, "--to", "gfm+yaml_metadata_block", "--track-changes=accept"),
    ]
    # Our own program, no shell, nothing of the file in the arguments
    ran = subprocess.run(command, input=file.data, capture_output=True, env={"LANG": "C.UTF-8"}, check=False)  # noqa: S603
    if ran.returncode in (HEAP_EXHAUSTED, 2):
        raise Unreadable(f"it takes more than {heap} MB of memory to read; split it, or send a PDF")
    if ran.returncode:
        said = wording.shown(ran.stderr[:2_000].decode(errors="replace"))[:200]
        raise Unreadable(f"it is damaged ({said or f'pandoc ended with {ran.returncode}'}); save it anew")
    return ran.stdout.decode(errors="replace")


def _plainer(text: str) -> str:
    """Return Markdown with the words of pictures in their place, without marks that only a layout needs."""

    def said(found: re.Match[str]) -> str:
        if found["code"]:
            return found[0]
        if found["table"]:
            return f"<{found['table']}>"
        alt = _ALT.search(found[0]) if found[0].startswith("<img") else None
        return alt[1] if alt else found["picture"] or found["anchor"] or ""

    return _MARKUP.sub(said, text)


def _joined(text: str) -> str:
    """Return Markdown from RTF, where each letter beyond ASCII may be code or a link of its own."""
    parts = _LINK.split(_SPLIT_CODE.sub("", text))  # text, words, target, text, words, target … text
    said = [parts[0]]
    for at in range(1, len(parts), 3):
        words, target, after = parts[at : at + 3]
        goes_on = after == "" and at + 3 < len(parts) and parts[at + 4] == target
        began = at > 1 and parts[at - 1] == "" and parts[at - 2] == target
        said += ["" if began else "[", words, "" if goes_on else f"]({target})", after]
    return "".join(said)


def _old_office(data: bytes) -> str:
    if ENCRYPTED in data:
        return LOCKED
    return "it is in an Office format of before 2007 or a message; save it as DOCX or PDF and send that"
