"""Files of each format, made on the spot."""

import io
import subprocess
import zipfile
import zlib
from collections.abc import Mapping, Sequence

from pypdf import PdfReader, PdfWriter

from artel.tools.knowledge.formats.pandoc import program

PICTURE = b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю."

MARKDOWN = f"""---
title: Отчёт о сервере
author: Иван Петров
lang: ru
---

# Введение

{RUSSIAN} Здесь `код` и snake_case.

| Имя | Число |
|-----|------:|
| Ёж  | 5     |

```
def f(x):
    return x
```

## Part two

An English paragraph with [a link](https://example.com/page).
"""

HTML = f"""<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><title>Как мы ищем</title>
<meta name="author" content="Анна Иванова">
<meta property="article:published_time" content="2024-03-05T10:00:00Z">
<script>var secret = "из скрипта";</script><style>p {{ color: red }}</style></head>
<body><nav><a href="/">Главная страница</a> <a href="/blog">Блог</a></nav>
<main><article><h1>Как мы ищем</h1><p>{"Поиск по документам начинается с текста. " * 8}</p>
<h2>Таблица</h2><table><tr><th>слово</th><th>число</th></tr><tr><td>ёж</td><td>5</td></tr></table>
<pre><code>def f(x):
    return x</code></pre>
<p style="display: none">спрятано стилем</p><p hidden>спрятано признаком</p>
<p>{"Вторая часть рассказа о поиске. " * 8}</p></article></main>
<footer>Подвал сайта</footer></body></html>
"""

VTT = """WEBVTT

1
00:00:01.500 --> 00:00:04.000
<v Анна>Добрый день, коллеги.

2
00:01:04.000 --> 00:01:07.250
<v Борис>Начнём с <b>отчёта</b> &amp; планов.
<v Анна>Да.

01:00:00.000 --> 01:00:02.000
Без имени.
"""

SRT = """1
00:00:01,500 --> 00:00:04,000
Анна: Добрый день.

2
00:00:05,000 --> 00:00:06,000
Борис: <i>Здравствуйте</i>.
"""


def pandoc(text: str, to: str) -> bytes:
    """Return a document that pandoc writes from Markdown."""
    command = [str(program()), "--standalone", "--from", "markdown", "--to", to, "--output", "-"]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout


def zipped(members: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def pdf(pages: Sequence[str | bytes | None], *, title: str = "") -> bytes:
    """Return a PDF: a text is shown on its page, None leaves it to a picture, bytes are drawn as they are."""
    objects: dict[int, bytes] = {
        1: b"<< /Type /Catalog /Pages 2 0 R /Lang (ru-RU) >>",
        3: b"<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H"
        b" /DescendantFonts [4 0 R] /ToUnicode 5 0 R >>",
        4: b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any /DW 600"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
        5: _stream(
            b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            b"1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
            b"3 beginbfrange <0000> <00FF> <0000> <0400> <04FF> <0400> <FB00> <FB06> <FB00> endbfrange\n"
            b"endcmap end end"
        ),
        6: b"<< /Title <" + ("\ufeff" + title).encode("utf-16-be").hex().encode() + b"> >>",
        7: _stream(
            b"\0",
            PICTURE,
        ),
    }
    kids = []
    for page in pages:
        number = max(objects) + 1
        picture = b"/XObject << /Im0 7 0 R >>" if page is None else b""
        objects[number] = (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> %s >> >>" % (number + 1, picture)
        )
        drawn = b"/Im0 Do" if page is None else page if isinstance(page, bytes) else _drawn(page)
        objects[number + 1] = _stream(drawn)
        kids.append(b"%d 0 R" % number)
    objects[2] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    return _file(objects)


def encrypted(data: bytes, password: str, algorithm: str = "AES-256") -> bytes:
    """Return a PDF that opens with `password`, and may be changed by its owner only."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(user_password=password, owner_password="owner", algorithm=algorithm)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _drawn(text: str) -> bytes:
    rows = [b"<" + row.encode("utf-16-be").hex().encode() + b"> Tj 0 -14 Td" for row in text.split("\n")]
    return b"BT /F1 12 Tf 50 750 Td " + b" ".join(rows) + b" ET"


def _stream(data: bytes, also: bytes = b"") -> bytes:
    packed = zlib.compress(data)
    return b"<< /Length %d /Filter /FlateDecode %s >>\nstream\n%s\nendstream" % (len(packed), also, packed)


def _file(objects: Mapping[int, bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"), {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for number in sorted(objects):
        out += b"%010d 00000 n \n" % places[number]
    out += b"trailer << /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        table,
    )
    return bytes(out)
