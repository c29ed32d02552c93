"""The body of an answer, read no further than there is room for it, packed or not."""

import zlib

import httpx

from artel.tools.errors import ToolFailed

ACCEPTED = "gzip"  # httpx would unpack others too, but a chunk at a time, whatever becomes of it
_WINDOW = 31  # zlib: gzip, with its header


async def read(response: httpx.Response, limit: int) -> tuple[bytes, bool]:
    """Return at most `limit` bytes of a body, unpacked, and whether there was more.

    A bomb costs no more than any long page: it is unpacked up to the limit, and its packed bytes count too.

    Raises:
        ToolFailed: it is packed in another way than was asked for, or wrongly.
    """
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in ("", "identity", "gzip", "x-gzip"):
        raise ToolFailed("the server packs its answer in a way that was not asked for, so it cannot be read")
    unpacker = zlib.decompressobj(_WINDOW) if packing.endswith("gzip") else None
    got, raw_size = bytearray(), 0
    async for raw in response.aiter_raw():
        raw_size += len(raw)
        try:
            got += unpacker.decompress(raw, limit + 1 - len(got)) if unpacker else raw
        except zlib.error:
            raise ToolFailed("the server packed its answer wrongly, so it cannot be read") from None
        if len(got) > limit or raw_size > limit:
            return bytes(got[:limit]), True
        if unpacker and unpacker.eof:
            break
    return bytes(got), False
