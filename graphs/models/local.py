"""Look for model servers on this machine."""

from http.client import HTTPConnection, HTTPException
from json import JSONDecodeError, loads
from urllib.parse import urlsplit

PROBE_S = 0.5


def first_model(base_url: str) -> str | None:
    """Return the first model an OpenAI-compatible server lists, or None when there is no such server.

    Asked directly, never through a proxy. A step takes at most `PROBE_S`, nothing when the port is shut.
    """
    url = urlsplit(base_url)
    connection = HTTPConnection(url.hostname or "", url.port or 80, timeout=PROBE_S)
    try:
        connection.request("GET", f"{url.path.rstrip('/')}/models")
        listing = loads(connection.getresponse().read(1_000_000))
    except (OSError, HTTPException, JSONDecodeError, UnicodeDecodeError):
        return None
    finally:
        connection.close()
    match listing:
        case {"object": "list", "data": [{"id": str(name)}, *_]}:
            return name
    return None
