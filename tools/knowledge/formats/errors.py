"""Why a file gave no text."""

import struct
import zlib
from zipfile import BadZipFile, LargeZipFile

from artel.tools.errors import ToolFailed


class Unreadable(ToolFailed):
    """A file gives no text; the message says what is wrong and what would be right."""

    code = "unreadable"
    status = 422

    @property
    def reason(self) -> str:
        """The message."""
        return str(self)


BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BadZipFile,
    EOFError,
    LargeZipFile,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"What parsers raise when a file is not as they suppose; a process that reads files has nothing else to do."
