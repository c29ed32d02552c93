"""What a file is, by its bytes; its name decides only among kinds of text."""

import re
from enum import StrEnum
from pathlib import PurePosixPath

from artel.tools.knowledge.formats.errors import Unreadable

HEAD = 8_192  # bytes that tell


class Format(StrEnum):
    """What can be read."""

    PDF = "pdf"
    ZIP = "zip"
    DOCX = "docx"
    ODT = "odt"
    EPUB = "epub"
    RTF = "rtf"
    HTML = "html"
    MARKDOWN = "markdown"
    TEXT = "text"
    CODE = "code"
    CSV = "csv"
    VTT = "vtt"
    SRT = "srt"
    OLE = "ole"
    MEDIA = "media"


WORDS = {
    **dict.fromkeys(("md", "markdown", "mdown", "mkd", "mdx"), Format.MARKDOWN),
    **dict.fromkeys(("html", "htm", "xhtml"), Format.HTML),
    **dict.fromkeys(("csv", "tsv"), Format.CSV),
    **dict.fromkeys(("txt", "text", "log", "rst", "adoc", "tex", ""), Format.TEXT),
    "vtt": Format.VTT,
    "srt": Format.SRT,
    "pdf": Format.PDF,
    "docx": Format.DOCX,
    "odt": Format.ODT,
    "epub": Format.EPUB,
    "rtf": Format.RTF,
    "zip": Format.ZIP,
}
TYPES = {
    "text/html": Format.HTML,
    "application/xhtml+xml": Format.HTML,
    "text/markdown": Format.MARKDOWN,
    "text/csv": Format.CSV,
    "text/vtt": Format.VTT,
    "application/x-subrip": Format.SRT,
}
LANGUAGES = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "cjs": "javascript",
    "jsx": "javascript", "ts": "typescript", "tsx": "tsx", "dart": "dart", "java": "java", "go": "go",
    "rs": "rust", "c": "c", "h": "c", "cpp": "cpp", "cc": "cpp", "cxx": "cpp", "hpp": "cpp", "hh": "cpp",
    "cs": "csharp", "kt": "kotlin", "kts": "kotlin", "swift": "swift", "scala": "scala", "rb": "ruby",
    "php": "php", "lua": "lua", "r": "r", "jl": "julia", "ex": "elixir", "exs": "elixir", "erl": "erlang",
    "hs": "haskell", "ml": "ocaml", "clj": "clojure", "groovy": "groovy", "pl": "perl", "pm": "perl",
    "sh": "bash", "bash": "bash", "zsh": "bash", "ps1": "powershell", "sql": "sql", "graphql": "graphql",
    "proto": "proto", "css": "css", "scss": "scss", "vue": "vue", "svelte": "svelte", "xml": "xml",
    "xsd": "xml", "svg": "xml", "json": "json", "jsonl": "json", "ndjson": "json", "ipynb": "json",
    "yaml": "yaml", "yml": "yaml", "toml": "toml", "ini": "ini", "cfg": "ini", "tf": "hcl", "hcl": "hcl",
    "cmake": "cmake", "mk": "make", "nix": "nix", "zig": "zig", "m": "objc", "sol": "solidity", "puml": "",
    "dockerfile": "dockerfile", "makefile": "make", "properties": "properties", "gradle": "groovy",
}  # fmt: skip

# Each with what would be right: the sentence is shown to whoever sent the file.
REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "it is a program (ELF), not a document"),
    (b"MZ", "it is a program (Windows), not a document"),
    (b"\xfe\xed\xfa\xce", "it is a program (macOS), not a document"),
    (b"\xfe\xed\xfa\xcf", "it is a program (macOS), not a document"),
    (b"\xce\xfa\xed\xfe", "it is a program (macOS), not a document"),
    (b"\xcf\xfa\xed\xfe", "it is a program (macOS), not a document"),
    (b"\xca\xfe\xba\xbe", "it is a program (macOS or Java), not a document"),
    (b"\0asm", "it is a program (WebAssembly), not a document"),
    (b"\x89PNG", "it is a picture; run it through text recognition and send the text"),
    (b"\xff\xd8\xff", "it is a picture; run it through text recognition and send the text"),
    (b"GIF8", "it is a picture; run it through text recognition and send the text"),
    (b"II*\0", "it is a picture; run it through text recognition and send the text"),
    (b"MM\0*", "it is a picture; run it through text recognition and send the text"),
    (b"AT&TFORM", "it is a DjVu; turn it into a PDF with text and send that"),
    (b"%!PS", "it is PostScript; turn it into a PDF and send that"),
    (b"\x1f\x8b", "it is packed with gzip; unpack it, or send a ZIP"),
    (b"BZh", "it is packed with bzip2; unpack it, or send a ZIP"),
    (b"\xfd7zXZ\0", "it is packed with xz; unpack it, or send a ZIP"),
    (b"\x28\xb5\x2f\xfd", "it is packed with zstd; unpack it, or send a ZIP"),
    (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive; send a ZIP"),
    (b"Rar!\x1a\x07", "it is a RAR archive; send a ZIP"),
    (b"SQLite format 3\0", "it is a database; export a CSV and send that"),
    (b"PAR1", "it is Parquet; export a CSV and send that"),
)  # fmt: skip
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_MEDIA = re.compile(
    rb"ID3|OggS|fLaC|RIFF....(?:WAVE|AVI )|....ftyp|\x1a\x45\xdf\xa3|\xff[\xfb\xf3\xf2\xf1\xf9]|"
    rb"\x00\x00\x01\xba|FLV\x01|\x30\x26\xb2\x75\x8e\x66\xcf\x11|#!AMR",
    re.DOTALL,
)
_PICTURES_IN_ISO = (b"heic", b"heix", b"avif", b"mif1")
_PDF = re.compile(rb"(?:\A(?:\xef\xbb\xbf)?\s*|[\r\n\x00])%PDF-\d\.\d")
_HTML = re.compile(
    rb"(?:<\?xml[^>]{0,300}\?>|<!--.{0,2000}?-->|\s)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_SRT = re.compile(rb"\s*\d{1,6}\s*\r?\n\s*\d{1,3}:\d\d:\d\d[,.]\d{1,3}\s*-->")
_WEBP = re.compile(rb"RIFF....WEBP", re.DOTALL)


def ending(name: str) -> str:
    """Return what a name ends with, in small letters without the dot; whole names that say as much count.

    >>> ending("src/Main.PY"), ending("Dockerfile"), ending("README")
    ('py', 'dockerfile', '')
    """
    path = PurePosixPath(name.replace("\\", "/").lower())
    return path.name if path.name in ("dockerfile", "makefile") else path.suffix.removeprefix(".")


def told(head: bytes, name: str, media_type: str = "") -> Format:
    """Return what a file is that begins with `head`; a ZIP may prove to be a DOCX when looked into.

    Raises:
        Unreadable: it is nothing that can be read, or empty.
    """
    if not head:
        raise Unreadable("it is empty")
    if (found := _PDF.search(head[:1_024])) and (not found.start() or not _is_texty(head)):
        return Format.PDF
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return Format.ZIP
    if head.startswith(OLE):
        return Format.OLE
    for magic, reason in REFUSED:
        if head.startswith(magic) and not (magic in (b"MZ", b"BZh", b"PAR1", b"GIF8") and _is_texty(head)):
            raise Unreadable(reason)
    if _WEBP.match(head) or (head[4:8] == b"ftyp" and head[8:12] in _PICTURES_IN_ISO):
        raise Unreadable("it is a picture; run it through text recognition and send the text")
    if head[257:262] == b"ustar":
        raise Unreadable("it is a tar archive; send a ZIP")
    if _MEDIA.match(head) and not _is_texty(head):
        return Format.MEDIA
    if head.startswith(b"{\\rtf"):
        return Format.RTF
    return _told_by_name(head, name, media_type)


def _told_by_name(head: bytes, name: str, media_type: str) -> Format:
    """Return which text it is: here the name is believed, but for what no other text begins with."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = text.replace(b"\0", b"")[2:]
    end = ending(name)
    if text.startswith(b"WEBVTT"):
        return Format.VTT
    if _HTML.match(text) and end not in LANGUAGES:
        return Format.HTML
    if _SRT.match(text):
        return Format.SRT
    if end in LANGUAGES:
        return Format.CODE
    named = TYPES.get(media_type.partition(";")[0].strip().lower()) if end not in WORDS or not end else None
    named = named or WORDS.get(end, Format.TEXT)
    if named in (Format.PDF, Format.DOCX, Format.ODT, Format.EPUB, Format.RTF, Format.ZIP):
        if _is_texty(head):
            return Format.TEXT  # a text under a wrong name
        raise Unreadable(f"it is called .{end} and is none, or its beginning is damaged; send it anew")
    return named


def _is_texty(head: bytes) -> bool:
    """Whether there is nothing in it that no text holds."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not any(byte < 32 and byte not in (7, 8, 9, 10, 12, 13, 27) for byte in head)
