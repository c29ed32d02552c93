"""The authorities that certificates are held to."""

import ssl
from functools import lru_cache


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """Return those of the system: a megabyte, read at the first https call, so call this in a thread.

    Raises:
        OSError: they cannot be read; the next call tries again.
    """
    return ssl.create_default_context()


def unused() -> ssl.SSLContext:
    """Return a context that trusts nobody, for calls without TLS: it is made in no time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
