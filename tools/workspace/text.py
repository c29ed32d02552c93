"""Bytes to text and back without losing one: encodings, byte order marks, line ends."""

import codecs
import re
from collections import Counter
from dataclasses import dataclass

from artel.tools.errors import ToolRefused
from artel.tools.workspace.paths import WrongKind

UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b"))
HIDDEN = re.compile(
    "[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0001-\U000e007f]"
)
HIDDEN_SHOWN = 5
SAMPLE = 200_000  # bytes that the guess of an old encoding looks at


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a file and how it is kept on disk."""

    text: str
    encoding: str
    bom: bytes = b""

    @property
    def label(self) -> str:
        """The encoding in words."""
        return f"{self.encoding} with a byte order mark" if self.bom else self.encoding

    def encode(self, text: str) -> bytes:
        """Return `text` as bytes, kept as this file is.

        Raises:
            ToolRefused: the file's encoding has no such character; the message names it.
        """
        try:
            return self.bom + text.encode(self.encoding)
        except UnicodeEncodeError as error:
            char = error.object[error.start]
            raise ToolRefused(
                f"{char!r} (U+{ord(char):04X}) cannot be written in this file's encoding, {self.encoding}; "
                "write it otherwise, or ask the user to convert the file"
            ) from None

    def again(self, data: bytes) -> str:
        """Return the text in what `encode` returned."""
        return data[len(self.bom) :].decode(self.encoding)


def decode(data: bytes, name: str) -> Text:
    """Return the text in `data`: UTF-8, UTF-16 with its mark, or a single-byte encoding that fits.

    Whatever the guess, encoding gives back the same bytes.

    Raises:
        WrongKind: it is binary (it holds NUL bytes, or is full of control characters).
    """
    if data.startswith(codecs.BOM_UTF8):
        return _exact(data, "utf-8", codecs.BOM_UTF8) or _old(data, name)
    if not data.startswith(UTF32):
        for bom, encoding in UTF16:
            if data.startswith(bom) and (text := _exact(data, encoding, bom)):
                return text
    if b"\0" in data:
        raise WrongKind(_binary(name, data))
    return _exact(data, "utf-8", b"") or _old(data, name)


def newline(text: str) -> str:
    r"""Return how most lines of `text` end, `\n` or `\r\n`."""
    windows = text.count("\r\n")
    return "\r\n" if windows > text.count("\n") - windows else "\n"


def hidden(before: str, after: str) -> tuple[str, ...]:
    """Return where a change brings in characters that a reader of its diff cannot see, as `line 3: …`.

    Source: N. Boucher and R. Anderson, Trojan Source (CVE-2021-42574).
    """
    if after.isascii() or not HIDDEN.search(after):
        return ()
    known = Counter(HIDDEN.findall(before))
    found = []
    for match in HIDDEN.finditer(after):
        known[match[0]] -= 1
        if known[match[0]] < 0:
            line = after.count("\n", 0, match.start()) + 1
            found.append(f"line {line}: invisible or direction-changing character U+{ord(match[0]):04X}")
        if len(found) == HIDDEN_SHOWN:
            break
    return tuple(found)


def _exact(data: bytes, encoding: str, bom: bytes) -> Text | None:
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else Text(text, encoding, bom)


def _old(data: bytes, name: str) -> Text:
    """Decode text from before Unicode; Russian is told from Western by long runs of high bytes."""
    sample = data[:SAMPLE]
    if (len(sample) - len(sample.translate(None, CONTROL))) * 100 > len(sample) or b"\0" in data:
        raise WrongKind(_binary(name, data))
    for encoding in (*_cyrillic(sample), "cp1252", "latin-1"):
        if text := _exact(data, encoding, b""):
            return text
    raise AssertionError("latin-1 decodes every byte")


def _binary(name: str, data: bytes) -> str:
    return f"{name} is a binary file ({len(data)} bytes); only text is read and edited"


def _cyrillic(sample: bytes) -> tuple[str, ...]:
    runs = re.findall(rb"[\x80-\xff]+", sample)
    high = b"".join(runs)
    if len(high) < 2.5 * len(runs):
        return ()
    dos = sum(byte < 0xB0 for byte in high)
    upper_rows = sum(0xC0 <= byte < 0xE0 for byte in high)  # capitals in cp1251, small letters in KOI8-R
    if dos * 2 > len(high):
        return ("cp866",)
    return ("koi8-r",) if upper_rows * 2 > len(high) else ("cp1251",)
