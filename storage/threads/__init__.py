"""Threads: dialogues, what each of them is waiting for, and how long it stays."""

from artel.storage.threads.changing import create, delete, get, hold, is_taken, lock, patch, settle
from artel.storage.threads.expiring import next_expired, pruned
from artel.storage.threads.finding import SORTABLE, Filter, count, is_plain, search
from artel.storage.threads.record import (
    Life,
    Status,
    Thread,
    ThreadExists,
    TtlStrategy,
    UnknownThread,
)

__all__ = [
    "SORTABLE",
    "Filter",
    "Life",
    "Status",
    "Thread",
    "ThreadExists",
    "TtlStrategy",
    "UnknownThread",
    "count",
    "create",
    "delete",
    "get",
    "hold",
    "is_plain",
    "is_taken",
    "lock",
    "next_expired",
    "patch",
    "pruned",
    "search",
    "settle",
]
