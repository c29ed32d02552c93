from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tests.fakes.listening import listening

from artel.tools.knowledge.formats.errors import Unreadable
from artel.tools.knowledge.formats.openai_speech import OpenAiTranscriber
from artel.tools.knowledge.formats.reading import Reader
from artel.tools.knowledge.formats.records import Limits, Read

RECORDING = b"RIFF\x24\0\0\0WAVEfmt " + bytes(range(256)) * 4_000


class Server:
    """A speech server on this machine: answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.answer: Response | None = None
        self.url = ""

    async def transcriptions(self, request: Request) -> Response:
        form = await request.form()
        file = form["file"]
        assert not isinstance(file, str)
        self.asked = {key: value for key, value in form.items() if isinstance(value, str)}
        self.asked |= {"name": file.filename, "data": await file.read()}
        self.asked["key"] = request.headers.get("authorization")
        await form.close()
        return self.answer or JSONResponse(
            {
                "text": "Добрый день. Начнём.",
                "duration": 7.5,
                "segments": [
                    {"id": 0, "start": 0.5, "end": 2.0, "text": " Добрый день.", "speaker": "A"},
                    {"id": 1, "start": 2.0, "end": 7.5, "text": " Начнём.", "speaker": None},
                ],
            }
        )


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server that listens."""
    server = Server()
    app = FastAPI(routes=[Route("/v1/audio/transcriptions", server.transcriptions, methods=["POST"])])
    async with listening(app) as url:
        server.url = f"{url}/v1"
        yield server


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


@pytest.fixture
def transcriber(server: Server, client: httpx.AsyncClient) -> OpenAiTranscriber:
    """One that is configured."""
    return OpenAiTranscriber(client, server.url, "whisper-1", SecretStr("key"), language="ru")


async def test_a_recording_becomes_a_transcript(
    server: Server, transcriber: OpenAiTranscriber, tmp_path: Path
) -> None:
    (tmp_path / "talk.wav").write_bytes(RECORDING)
    async with Reader(transcriber=transcriber) as reader:
        (read,) = await reader.read("talk.wav", tmp_path / "talk.wav")
    assert isinstance(read, Read)
    assert (read.kind, read.text) == ("transcript", "A: Добрый день.\nНачнём.")
    assert [place.seconds for place in read.places] == [0.5, 2.0]
    assert server.asked == {
        "model": "whisper-1",
        "language": "ru",
        "response_format": "verbose_json",
        "timestamp_granularities[]": "segment",
        "name": "recording.wav",
        "data": RECORDING,
        "key": "Bearer key",
    }


async def test_a_recording_in_memory_is_sent_too(server: Server, transcriber: OpenAiTranscriber) -> None:
    async with Reader(transcriber=transcriber) as reader:
        await reader.read("talk.mp3", b"ID3\x04\0\0" + RECORDING)
    assert (server.asked["name"], server.asked["data"]) == ("recording.mp3", b"ID3\x04\0\0" + RECORDING)


async def test_a_server_that_tells_no_times_gives_one_segment(
    server: Server, transcriber: OpenAiTranscriber, tmp_path: Path
) -> None:
    (tmp_path / "a.wav").write_bytes(RECORDING)
    server.answer = JSONResponse({"text": "Всё сразу.", "duration": "3.5"})
    assert await transcriber.transcribe(tmp_path / "a.wav") == [(0.0, 3.5, "", "Всё сразу.")]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response("model is loading", 503), "speech recognition answered 503: model is loading"),
        (Response("<html>", 200), "answered what is no transcript: <html>"),
        (JSONResponse({"segments": [{"start": "soon"}]}), "answered what is no transcript"),
        (JSONResponse({"text": "", "segments": []}), "it holds no words"),
    ],
)
async def test_a_server_that_does_not_do_it_is_named(
    server: Server, transcriber: OpenAiTranscriber, answer: Response, reason: str
) -> None:
    server.answer = answer
    async with Reader(transcriber=transcriber) as reader:
        with pytest.raises(Unreadable, match=reason):
            await reader.read("talk.wav", RECORDING)


async def test_a_server_that_is_not_there_is_named(client: httpx.AsyncClient) -> None:
    transcriber = OpenAiTranscriber(client, "http://127.0.0.1:9/v1", "whisper-1")
    async with Reader(transcriber=transcriber) as reader:
        with pytest.raises(Unreadable, match="speech recognition broke off: ConnectError"):
            await reader.read("talk.wav", RECORDING)


async def test_without_a_server_a_recording_is_refused_with_what_to_configure() -> None:
    async with Reader() as reader:
        with pytest.raises(
            Unreadable, match=r"no speech recognition is configured: set the address.*VTT or SRT"
        ):
            await reader.read("talk.mp4", b"\0\0\0\x20ftypisom" + RECORDING)


async def test_a_recording_that_is_too_long_is_not_sent(
    server: Server, transcriber: OpenAiTranscriber
) -> None:
    async with Reader(limits=Limits(media_bytes=1_000), transcriber=transcriber) as reader:
        with pytest.raises(Unreadable, match="at most 1000 are read"):
            await reader.read("talk.wav", RECORDING)
    assert not server.asked
