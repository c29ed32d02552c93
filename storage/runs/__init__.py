"""Runs: the queue, and the record of everything that took time.

`attempt` is the fence: whoever writes for a run names the attempt it was given, and is refused when the run
has moved on. A run is started by inserting it already running (fast path) or by claiming it; both give it
event ids up to `reserved_seq`.
"""

from artel.storage.errors import StaleAttempt
from artel.storage.runs.ending import End, cancel, delete, end, keep_thread
from artel.storage.runs.finding import active, ahead, find, get, in_the_way, of_thread, stoppable, with_keys
from artel.storage.runs.holding import claim, fence, next_due_in, of_worker, orphaned, release, reserve
from artel.storage.runs.limits import Limits, RateLimited, charge, has_room, hold
from artel.storage.runs.record import (
    MOST_AHEAD,
    SEQ_BLOCK,
    CancelAction,
    Order,
    Run,
    Status,
    Strategy,
    ThreadTaken,
    UnknownRun,
)
from artel.storage.runs.standing import Standing, standing
from artel.storage.runs.starting import KeyTaken, add, start_on_free_thread, start_on_new_thread

__all__ = [
    "MOST_AHEAD",
    "SEQ_BLOCK",
    "CancelAction",
    "End",
    "KeyTaken",
    "Limits",
    "Order",
    "RateLimited",
    "Run",
    "StaleAttempt",
    "Standing",
    "Status",
    "Strategy",
    "ThreadTaken",
    "UnknownRun",
    "active",
    "add",
    "ahead",
    "cancel",
    "charge",
    "claim",
    "delete",
    "end",
    "fence",
    "find",
    "get",
    "has_room",
    "hold",
    "in_the_way",
    "keep_thread",
    "next_due_in",
    "of_thread",
    "of_worker",
    "orphaned",
    "release",
    "reserve",
    "standing",
    "start_on_free_thread",
    "start_on_new_thread",
    "stoppable",
    "with_keys",
]
