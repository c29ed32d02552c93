"""Speech to text, by whatever server does it."""

from pathlib import Path
from typing import Protocol

from artel.tools.errors import ToolFailed

Segment = tuple[float, float, str, str]
"""From second, to second, who speaks (or nothing), what is said."""

NOT_CONFIGURED = (
    "it is a recording, and no speech recognition is configured: set the address of a server with "
    "/v1/audio/transcriptions (Whisper), or send a transcript as VTT or SRT"
)


class TranscriptionFailed(ToolFailed):
    """The server of speech recognition did not do it; the message is what it answered."""

    code = "transcription_failed"
    status = 502
    untrusted = True


class Transcriber(Protocol):
    """Writes down what is said in a recording."""

    async def transcribe(self, path: Path) -> list[Segment]:
        """Return what is said, in order; nothing if nobody speaks.

        Raises:
            TranscriptionFailed: it could not be done.
        """
