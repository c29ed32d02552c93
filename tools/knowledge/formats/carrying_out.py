"""An order carried out: the file is told, looked into and parsed, in a process that may die of it."""

import os
from pathlib import Path
from typing import BinaryIO

from artel.tools.knowledge.formats import containers, kinds, office, parsing
from artel.tools.knowledge.formats.errors import BROKEN, Unreadable
from artel.tools.knowledge.formats.kinds import Format
from artel.tools.knowledge.formats.orders import Answer, Archive, Nested, Order, Refused
from artel.tools.knowledge.formats.wording import shown

ELSEWHERE = "it is a recording; send it by itself, not in an archive"


def carry_out(order: Order, source: int, target: int | None) -> Answer:
    """Return the text behind `source`, or its list of members, or why there is neither."""
    try:
        with os.fdopen(source, "rb", closefd=False) as file:
            file.seek(0)  # whoever wrote it, or read it before, shares the position
            return _whole(order, file) if order.member is None else _member(order, file, target)
    except Unreadable as refused:
        return Refused(refused.reason)
    except MemoryError:
        return Refused(f"it takes more than {order.limits.memory_bytes >> 20} MB of memory to read")
    except BROKEN as error:
        return Refused(f"it is damaged ({type(error).__name__}: {shown(str(error))[:200]}); send it anew")


def _whole(order: Order, file: BinaryIO) -> Answer:
    head = file.read(kinds.HEAD)
    file.seek(0)
    kind = kinds.told(head, order.name, order.media_type)
    if kind is Format.ZIP:
        with containers.opened(file) as archive:
            document = office.inside(archive)
            if document is None:
                return Archive(containers.listed(archive, order.limits))
        kind = document
        file.seek(0)
    data = file.read(order.limits.file_bytes + 1)
    if len(data) > order.limits.file_bytes:
        raise Unreadable(f"it has more than {order.limits.file_bytes} bytes; split it")
    return parsing.parse(_file(order, data, kind))


def _member(order: Order, file: BinaryIO, target: int | None) -> Answer:
    assert order.member is not None
    with containers.opened(file) as archive:
        data = containers.unpacked(archive, archive.infolist()[order.member], order.limits.file_bytes)
    kind = kinds.told(data[: kinds.HEAD], order.name, order.media_type)
    if kind is Format.MEDIA:
        raise Unreadable(ELSEWHERE)
    if kind is Format.ZIP:
        with containers.opened(data) as inner:
            document = office.inside(inner)
        if document is None:
            return _handed(data, target if order.unpack else None)
        kind = document
    return parsing.parse(_file(order, data, kind))


def _handed(data: bytes, target: int | None) -> Nested:
    if target is not None:
        with os.fdopen(target, "wb", closefd=False) as file:
            file.write(data)
    return Nested(len(data))


def _file(order: Order, data: bytes, kind: Format) -> parsing.File:
    pandoc = Path(order.pandoc) if order.pandoc else None
    return parsing.File(order.name, data, kind, parsing.charset(order.media_type), order.limits, pandoc)
