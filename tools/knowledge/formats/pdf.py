"""PDF: the text of each page, and which pages have none."""

import logging
import re
import time
from collections.abc import Iterator, Mapping
from io import BytesIO

from pypdf import PageObject, PasswordType, PdfReader
from pypdf.errors import DependencyError, PdfReadError, PyPdfError

from artel.tools.knowledge.formats import markdown, wording
from artel.tools.knowledge.formats.errors import BROKEN, Unreadable
from artel.tools.knowledge.formats.parsing import File
from artel.tools.knowledge.formats.records import Place, Read
from artel.tools.knowledge.formats.timing import TooSlow, at_most

MAX_PAGES = 20_000
SHARE = 0.8  # of the time for a file; after that no page is begun
NAMED = 12  # pages named in a warning

_ROOT = re.compile(rb"(\d{1,9}\s+\d{1,5})\s+obj\b(?:(?!endobj)[\s\S]){0,2000}?/Type\s*/Catalog\b")

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it repairs is nobody's business here


def parse(file: File) -> Read:
    """Return the text of all pages that can be read; page n begins where its place says.

    Raises:
        Unreadable: a password is needed, it is damaged as a whole, or no page holds text.
    """
    ends = time.monotonic() + SHARE * file.limits.file_s
    reader, wrong = _opened(file.data)
    try:
        count = len(reader.pages)
    except (*BROKEN, PyPdfError) as error:
        raise Unreadable(
            f"its list of pages is damaged ({type(error).__name__}); print it to a new PDF"
        ) from None
    if not count:
        raise Unreadable("it has no pages, or its list of pages is damaged; print it to a new PDF")
    said = _Pages(reader, file.limits.page_s, file.limits.text_chars)
    for number in range(1, min(count, MAX_PAGES) + 1):
        if time.monotonic() > ends or said.is_full:
            break
        said.read(number)
    if not said.places:
        raise Unreadable(said.why_empty(count))
    metadata = {**_metadata(reader), "pages": str(count)}
    title, language = metadata.pop("title", ""), metadata.pop("language", "")
    return Read(
        file.name,
        said.text,
        title=title,
        language=markdown.iso(language),
        places=tuple(said.places),
        metadata=metadata,
        warnings=(*wrong, *said.warnings(count)),
    )


class _Pages:
    """What was read so far."""

    def __init__(self, reader: PdfReader, page_s: float, most: int) -> None:
        self._reader = reader
        self._page_s = page_s
        self._most = most
        self._parts: list[str] = []
        self._length = 0
        self._pictures: list[int] = []
        self._empty: list[int] = []
        self._failed: dict[str, list[int]] = {}
        self._seen = 0
        self.places: list[Place] = []

    @property
    def text(self) -> str:
        return "\n\n".join(self._parts)

    @property
    def is_full(self) -> bool:
        return self._length > self._most

    def read(self, number: int) -> None:
        """Read one page, from 1; what goes wrong with it is kept for the warnings."""
        self._seen = number
        try:
            with at_most(self._page_s):
                page = self._reader.pages[number - 1]
                text = wording.tidy(wording.spelled(page.extract_text()))
                is_picture = not text.strip() and _shows_something(page)
        except TooSlow:
            self._failed.setdefault(f"took longer than {self._page_s:g} s", []).append(number)
        except (*BROKEN, PyPdfError, MemoryError) as error:
            self._failed.setdefault(f"could not be read ({type(error).__name__})", []).append(number)
        else:
            if text.strip():
                self._add(number, text)
            else:
                (self._pictures if is_picture else self._empty).append(number)

    def _add(self, number: int, text: str) -> None:
        start = self._length + 2 if self._parts else 0
        self._length = start + len(text)
        self._parts.append(text)
        self.places.append(Place(start, self._length, page=number))

    def why_empty(self, count: int) -> str:
        """Return why there is no text at all."""
        if self._failed:
            return f"none of its {count} pages could be read: {'; '.join(self.warnings(count))}"
        if self._pictures:
            return (
                f"it is a scan: none of its {count} pages holds text, only pictures; "
                "run it through text recognition (ocrmypdf) and send the result"
            )
        return f"all of its {count} pages are empty"

    def warnings(self, count: int) -> Iterator[str]:
        """Say which pages are not in the text; the empty ones, too, so that the sum is that of the file."""
        for what, numbers in self._failed.items():
            yield f"{_pages(numbers)} {what}"
        if self._pictures:
            yield f"{_pages(self._pictures)} only pictures, which were not recognised"
        if self._empty:
            yield f"{_pages(self._empty)} without text"
        if self._seen < count:
            why = "the text is long enough" if self.is_full else "the time for one file was over"
            yield f"pages {self._seen + 1} to {count} of {count} were not read: {why}"


def _opened(data: bytes) -> tuple[PdfReader, tuple[str, ...]]:
    """Return the file, and what is wrong with it that does not keep it from being read."""
    try:
        try:
            reader = PdfReader(BytesIO(data), strict=False)
            wrong: tuple[str, ...] = ()
        except PdfReadError:  # its end is missing, and with it where everything is: look for it
            reader = PdfReader(BytesIO(_mended(data)), strict=False)
            wrong = ("its end is missing or damaged, so pages may be missing too",)
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise Unreadable("it is encrypted with a password; save it without one and send that")
    except DependencyError:
        raise Unreadable("its encryption cannot be undone here; save it without and send that") from None
    except PyPdfError as error:
        said = wording.shown(str(error))[:200]
        raise Unreadable(f"it is a damaged PDF ({said}); print it to a new one and send that") from None
    return reader, wrong


def _mended(data: bytes) -> bytes:
    """Return a file up to its last whole object, and an end that names the root: pypdf finds the rest."""
    whole = data[: data.rfind(b"endobj") + len(b"endobj")]
    roots = _ROOT.findall(whole)
    return b"%s\ntrailer << /Root %s R >>\nstartxref\n0\n%%%%EOF" % (whole, roots[-1] if roots else b"1 0")


def _shows_something(page: PageObject) -> bool:
    """Whether there is a picture on a page; they are not decoded."""
    resources = page.get("/Resources")
    objects = resources.get_object().get("/XObject") if resources is not None else None
    return bool(objects is not None and objects.get_object())


def _metadata(reader: PdfReader) -> dict[str, str]:
    """Return what the file says of itself; none of it is worth failing for."""
    found: dict[str, str] = {}
    try:
        about: Mapping[str, object] = reader.metadata or {}
        for key in ("Title", "Author", "Subject", "Keywords", "CreationDate", "ModDate"):
            value = about.get(f"/{key}")
            if value is not None and (text := wording.line(value)):
                found[{"CreationDate": "date", "ModDate": "modified"}.get(key, key.lower())] = text
        language = reader.root_object.get("/Lang")
        found["language"] = "" if language is None else wording.line(language)
    except (*BROKEN, PyPdfError):
        return {}
    return {key: _date(value) if key in ("date", "modified") else value for key, value in found.items()}


def _date(value: str) -> str:
    """Return `D:20240131120000+03'00'` as 2024-01-31; what is none stays as it is."""
    digits = value.removeprefix("D:")[:8]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 and digits.isdigit() else value


def _pages(numbers: list[int]) -> str:
    named = ", ".join(map(str, numbers[:NAMED]))
    more = f" and {len(numbers) - NAMED} more" if len(numbers) > NAMED else ""
    return f"{'pages' if len(numbers) > 1 else 'page'} {named}{more}"
