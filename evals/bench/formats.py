"""How many documents a second become text, each in a process of its own.

    python evals/bench/formats.py

Plain is the same parser in this process, without any limit, in documents a CPU-second: the ratio is what
safety costs. Figures of one run are to be compared with each other, not with those of another machine.
"""

import asyncio
import subprocess
import time
import zlib

import psutil

from artel.tools.knowledge.formats import parsing
from artel.tools.knowledge.formats.kinds import Format
from artel.tools.knowledge.formats.pandoc import program
from artel.tools.knowledge.formats.reading import Reader
from artel.tools.knowledge.formats.records import Limits

SECONDS = 6.0  # for each row
PARAGRAPH = "The search reads a document, cuts it into parts and finds them again by word and by meaning. "


def main() -> None:
    """Print a table: documents and megabytes a second, documents a CPU-second, and the ratio to plain."""
    asyncio.run(_measure())


async def _measure() -> None:
    print(f"{'':20}{'KB':>7}{'docs/s':>9}{'MB/s':>8}{'docs/CPU-s':>12}{'plain':>8}{'ratio':>7}")
    async with Reader() as reader:
        for title, name, kind, data in _documents():
            plain = _plain(parsing.File(name, data, kind, "", Limits(), program()))
            await reader.read(name, data)  # loads the libraries
            done, began, used = 0, time.perf_counter(), _cpu_s()
            while time.perf_counter() - began < SECONDS:
                await asyncio.gather(*(reader.read(name, data) for _ in range(4)))
                done += 4
            rate = done / (time.perf_counter() - began)
            each, size = done / (_cpu_s() - used), len(data) / 1_000
            figures = f"{size:>7.0f}{rate:>9.1f}{rate * size / 1_000:>8.2f}{each:>12.1f}{plain:>8.1f}"
            print(f"{title:20}{figures}{each / plain:>7.2f}")


def _plain(file: parsing.File) -> float:
    """Return documents a CPU-second of the parser alone."""
    parsing.parse(file)
    done, began, used = 0, time.perf_counter(), _cpu_s()
    while time.perf_counter() - began < SECONDS / 2:
        parsing.parse(file)
        done += 1
    return done / (_cpu_s() - used)


def _cpu_s() -> float:
    """Return the processor time of this process and all it ever began, also of those that have ended."""
    me = psutil.Process()
    times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)


def _documents() -> list[tuple[str, str, Format, bytes]]:
    sections = "".join(f"## Part {number}\n\n{PARAGRAPH * 12}\n\n" for number in range(20))
    paragraphs = "".join(f"<h2>Part {number}</h2><p>{PARAGRAPH * 12}</p>" for number in range(20))
    html = f"<!doctype html><html><title>Search</title><body><main>{paragraphs}</main></body></html>"
    command = [str(program()), "--from", "gfm", "--to", "docx", "--output", "-"]
    docx = subprocess.run(command, input=sections.encode(), capture_output=True, check=True).stdout
    russian = ("Поиск читает документ и режет его на части. " * 600).encode("cp1251")
    return [
        ("PDF, 20 pages", "a.pdf", Format.PDF, _pdf(20)),
        ("DOCX, 20 sections", "a.docx", Format.DOCX, docx),
        ("HTML, 20 sections", "a.html", Format.HTML, html.encode()),
        ("TXT, UTF-8", "a.txt", Format.TEXT, sections.encode()),
        ("TXT, cp1251", "a.txt", Format.TEXT, russian),
        ("TXT, 10 MB", "a.txt", Format.TEXT, (PARAGRAPH * 110_000).encode()),
    ]


def _pdf(pages: int) -> bytes:
    """Return a PDF of full pages."""
    rows = b" ".join(b"(%s) Tj 0 -14 Td" % PARAGRAPH.encode() for _ in range(45))
    drawn = zlib.compress(b"BT /F1 10 Tf 40 760 Td " + rows + b" ET")
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = b" ".join(b"%d 0 R" % (4 + 2 * page) for page in range(pages))
    objects += [b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, kids)]
    objects += [b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    for page in range(pages):
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (5 + 2 * page),
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(drawn), drawn),
        ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, table)
    return bytes(out)


if __name__ == "__main__":
    main()
