"""Users who were let in a moment ago, by the headers that let them in."""

import time
from collections import OrderedDict

from starlette.datastructures import Headers

from artel.server.auth.caller import Caller
from artel.server.auth.section import CacheSection

Key = tuple[str | None, ...]


class Cache:
    """Remembers callers for `ttl_seconds`, the `max_size` that were asked for last."""

    def __init__(self, section: CacheSection) -> None:
        self._names = [name.lower() for name in section.cache_keys]
        self._ttl_s, self._size = section.ttl_seconds, section.max_size
        self._kept: OrderedDict[Key, tuple[float, Caller]] = OrderedDict()

    def key(self, headers: Headers) -> Key | None:
        """Return what a request is known by; None when it has none of the headers: nobody may share that."""
        key = tuple(headers.get(name) for name in self._names)
        return key if any(key) else None

    def get(self, key: Key | None) -> Caller | None:
        """Return who that was, if it was lately."""
        if key is None or key not in self._kept:
            return None
        until, caller = self._kept[key]
        if time.monotonic() > until:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return caller

    def put(self, key: Key | None, caller: Caller) -> None:
        """Remember who that is."""
        if key is None:
            return
        self._kept[key] = (time.monotonic() + self._ttl_s, caller)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
