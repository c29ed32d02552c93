"""Speech to text by a server that has `/v1/audio/transcriptions`: OpenAI, vLLM, speaches, whisper.cpp."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from artel.tools.knowledge.formats.speech import Segment, TranscriptionFailed
from artel.tools.knowledge.formats.wording import shown

BLOCK = 1 << 18
MAX_ANSWER = 20_000_000  # bytes: of a day's recording
NO_KEY = SecretStr("")
TIMEOUT_S = 3_600.0
"""For a whole recording: an hour of one takes minutes to be understood."""


class _Segment(BaseModel):
    start: float = 0.0
    end: float = 0.0
    text: str = ""
    speaker: str | None = None


class _Answer(BaseModel):
    text: str = ""
    duration: float | str | None = None
    segments: list[_Segment] | None = None


_ANSWER = TypeAdapter(_Answer)


@dataclass(frozen=True, slots=True)
class OpenAiTranscriber:
    """Asks one model of one server; the recording is sent as it is read, never held whole."""

    client: httpx.AsyncClient
    url: str
    "Up to and with `/v1`."
    model: str
    key: SecretStr = NO_KEY
    language: str = ""
    "ISO 639-1; empty: the model tells."
    response_format: str = "verbose_json"
    "`diarized_json` for models that tell speakers apart."

    async def transcribe(self, path: Path) -> list[Segment]:
        """Return what is said, in order.

        Raises:
            TranscriptionFailed: the server refused, broke off, took TIMEOUT_S, or its answer is none.
        """
        boundary = uuid4().hex
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        if self.key.get_secret_value():
            headers["Authorization"] = f"Bearer {self.key.get_secret_value()}"
        before, after = self._around(path, boundary)
        size = (await asyncio.to_thread(path.stat)).st_size
        headers["Content-Length"] = str(len(before) + size + len(after))
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self.client.stream(
                    "POST",
                    f"{self.url.rstrip('/')}/audio/transcriptions",
                    content=_sent(before, path, after),
                    headers=headers,
                    timeout=httpx.Timeout(30, read=TIMEOUT_S, write=120),
                ) as answer,
            ):
                body = await _read(answer)
        except TimeoutError:
            raise TranscriptionFailed(f"speech recognition took longer than {TIMEOUT_S:g} s") from None
        except (httpx.HTTPError, OSError) as error:
            raise TranscriptionFailed(f"speech recognition broke off: {type(error).__name__}") from None
        if answer.status_code != 200:
            said = shown(body[:500].decode(errors="replace"))
            raise TranscriptionFailed(f"speech recognition answered {answer.status_code}: {said}")
        return _segments(body)

    def _around(self, path: Path, boundary: str) -> tuple[bytes, bytes]:
        """Return what stands before and after the recording in the form."""
        fields = {"model": self.model, "response_format": self.response_format}
        if self.response_format == "verbose_json":
            fields["timestamp_granularities[]"] = "segment"
        if self.language:
            fields["language"] = self.language
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        suffix = re.sub(r"[^a-z0-9]", "", path.suffix.lower()) or "bin"
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="recording.{suffix}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        return "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()


async def _sent(before: bytes, path: Path, after: bytes) -> AsyncIterator[bytes]:
    yield before
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while block := await asyncio.to_thread(file.read, BLOCK):
            yield block
    finally:
        file.close()
    yield after


async def _read(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for block in answer.aiter_bytes():
        body += block
        if len(body) > MAX_ANSWER:
            raise TranscriptionFailed(f"speech recognition answered more than {MAX_ANSWER} bytes")
    return bytes(body)


def _segments(body: bytes) -> list[Segment]:
    try:
        told = _ANSWER.validate_json(body)
    except ValidationError:
        said = shown(body[:200].decode(errors="replace"))
        raise TranscriptionFailed(f"speech recognition answered what is no transcript: {said}") from None
    if told.segments is None:
        try:
            ends = float(told.duration or 0)
        except ValueError:
            ends = 0.0
        return [(0.0, ends, "", told.text)] if told.text.strip() else []
    return [(one.start, one.end, one.speaker or "", one.text) for one in told.segments]
