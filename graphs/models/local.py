"""Look for model servers, on this machine or where a setting says."""

from http.client import HTTPConnection, HTTPException, HTTPSConnection
from json import JSONDecodeError, loads
from urllib.parse import urlsplit

PROBE_S = 1.0


def first_model(base_url: str, api_key: str = "") -> str | None:
    """Return the first model an OpenAI-compatible server lists, or None when there is no such server.

    Asked directly, never through a proxy. A step takes at most `PROBE_S`, nothing when the port is shut.
    """
    url = urlsplit(base_url)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    connection = kind(url.hostname or "", url.port, timeout=PROBE_S)
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        connection.request("GET", f"{url.path.rstrip('/')}/models", headers=headers)
        listing = loads(connection.getresponse().read(1_000_000))
    except (OSError, HTTPException, JSONDecodeError, UnicodeDecodeError):
        return None
    finally:
        connection.close()
    match listing:
        case {"object": "list", "data": [{"id": str(name)}, *_]}:
            return name
    return None
