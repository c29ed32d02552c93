"""VTT and SRT: what was said, by whom and when."""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from io import StringIO

import webvtt

from artel.tools.knowledge.formats import charsets, plain, wording
from artel.tools.knowledge.formats.errors import Unreadable
from artel.tools.knowledge.formats.kinds import Format
from artel.tools.knowledge.formats.parsing import File
from artel.tools.knowledge.formats.records import Place, Read

Said = tuple[float, float, str, str]
"""From second, to second, who (or nothing), what."""

ROLLING_S = 0.1  # between cues of which one goes on with the rows of the other
SHORT = 20  # characters

_VOICE = re.compile(r"<v(?:\.[^\s>]{0,100})?[ \t]([^>\n]{1,200})>")
_TAG = re.compile(r"<[^>\n]{0,200}>|\{\\[^}\n]{0,200}\}")
_NUMBERS = re.compile(r"(\d{1,3}:\d\d:\d\d),(\d{3})")


def parse(file: File) -> Read:
    """Return a line for each cue, `speaker: words` where the speaker is named; its place tells the second.

    Raises:
        Unreadable: there is no cue in it.
    """
    raw, encoding, lost = charsets.decoded(file.data, file.charset)
    text = wording.clean(raw)
    kind = "srt" if file.format is Format.SRT else "vtt"
    if kind == "vtt" and not text.startswith("WEBVTT"):
        text = "WEBVTT\n\n" + _NUMBERS.sub(r"\1.\2", text)
    try:
        cues = webvtt.from_string(text) if kind == "vtt" else webvtt.WebVTT.from_buffer(StringIO(text), "srt")
    except webvtt.errors.MalformedFileError as error:
        raise Unreadable(f"it holds no cues ({wording.shown(str(error))})") from None
    return told(file.name, _said(cues.captions), {"encoding": encoding}, plain.lost_letters(lost, encoding))


def _said(cues: Iterable[webvtt.Caption]) -> Iterator[Said]:
    """Yield what each voice of each cue says."""
    for cue in cues:
        start, end = cue.start_time.in_milliseconds() / 1000, cue.end_time.in_milliseconds() / 1000
        first, *voices = _VOICE.split(cue.raw_text)  # words, who, words, who, words …
        for speaker, words in (("", first), *zip(voices[::2], voices[1::2], strict=True)):
            yield start, end, unescape(speaker), unescape(_TAG.sub("", words))


def told(name: str, said: Iterable[Said], metadata: dict[str, str], warnings: tuple[str, ...] = ()) -> Read:
    """Return what was said as a text.

    Words that roll up over several cues, as recognition on the fly writes them, are there once.

    Raises:
        Unreadable: nothing was said.
    """
    lines: list[str] = []
    places: list[Place] = []
    at, ends, before = 0, 0.0, ""
    for start, end, speaker, words in said:
        fresh = words if speaker or start > ends + ROLLING_S else _fresh(words, before)
        before, ends = words or before, max(ends, start, end)
        if not (fresh := wording.one_line(fresh)):
            continue
        line = f"{wording.line(speaker)}: {fresh}" if speaker.strip() else fresh
        lines.append(line)
        places.append(Place(at, at + len(line), seconds=start))
        at += len(line) + 1
    if not lines:
        raise Unreadable("it holds no words: cues begin with a time such as 00:00:01.000 --> 00:00:02.000")
    values = {**metadata, "cues": str(len(lines)), "seconds": f"{ends:g}"}
    return Read(
        name, "\n".join(lines), kind="transcript", places=tuple(places), metadata=values, warnings=warnings
    )


def _fresh(words: str, before: str) -> str:
    """Return the rows that were not there just before; a short one may well be said twice."""
    old = {wording.one_line(row) for row in before.split("\n")}
    rows = [wording.one_line(row) for row in words.split("\n")]
    return " ".join(row for row in rows if row not in old or (len(rows) == 1 and len(row) < SHORT))
