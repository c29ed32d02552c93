"""Get a page of the open internet: every hop checked, called at the address that was checked, and bounded."""

import asyncio
import re
from dataclasses import dataclass
from posixpath import normpath

import httpx

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.web import body
from artel.tools.web.addresses import Address, Unreachable
from artel.tools.web.asking import answer_to
from artel.tools.web.internet import Internet
from artel.tools.web.types import Type, type_of
from artel.tools.workspace.paths import printable

MAX_BYTES = 2_000_000  # of a body, unpacked
MAX_REDIRECTS = 5
MAX_URL = 2_048  # characters
MAX_TRIES = 3  # addresses of one host
TIMEOUT_S = 20  # for all hops together

DEFAULT_PORT = {"http": 80, "https": 443}
HOST = re.compile(r"(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?|[0-9a-fA-F.]*:[0-9a-fA-F:.]*(?:%[\w.-]+)?", re.ASCII)
REDIRECTS = (301, 302, 303, 307, 308)
WHY = {
    401: "; it wants a login, which this tool has not",
    403: "; it does not want this tool",
    404: "; check the address, or search for it",
    410: "; the page is gone",
    429: "; it was asked too often, so leave it alone for now",
}


class UrlRefused(ToolRefused):
    """A URL may not be fetched, whatever is there; the message says why."""

    code = "url_refused"


class FetchFailed(ToolFailed):
    """A page could not be got; the message says what the server did."""

    code = "fetch_failed"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was got."""

    url: httpx.URL
    "Where it was in the end."
    type: Type
    body: bytes
    cut: bool
    "Whether there was more than MAX_BYTES."


def parse(text: str) -> httpx.URL:
    """Return a URL that could be fetched; nobody is asked about it.

    Raises:
        UrlRefused: it is no http or https URL, it is too long, or it carries a name or password.
    """
    if len(text) > MAX_URL:
        raise UrlRefused(f"a URL has at most {MAX_URL} characters, got {len(text)}")
    try:
        url = httpx.URL(text.strip())
    except (httpx.InvalidURL, ValueError) as wrong:  # ValueError: no host can be called that
        raise UrlRefused(f"{_shown(text)} is no URL: {wrong}") from None
    if url.scheme not in DEFAULT_PORT or not HOST.fullmatch(url.raw_host.decode("ascii")):
        raise UrlRefused(f"{_shown(text)}: give an absolute http:// or https:// URL")
    if url.userinfo:
        raise UrlRefused("a URL with a name or password in it is not called; give it without")
    return url.copy_with(fragment=None)


def place(text: str) -> str:
    """Return a URL as the policy knows it: `host/path`, the port named where it is an unusual one.

    >>> place("https://Docs.Example.:443/a/%2e%2e/b?c=d"), place("http://docs.example:8080")
    ('docs.example/b', 'docs.example:8080')
    """
    url = parse(text)
    port = "" if url.port is None else f":{url.port}"
    return f"{_name(url)}{port}/{normpath(f'/{url.path}').lstrip('/')}".rstrip("/")


async def fetch(internet: Internet, text: str) -> Fetched:
    """Return what is at a URL, after MAX_REDIRECTS redirects at most.

    Raises:
        UrlRefused, Unreachable: it may not be called, or a redirect leads to where we may not go.
        FetchFailed: the server did not give it, not in TIMEOUT_S seconds, or gives something else than text.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _follow(internet, parse(text))
    except TimeoutError:
        raise FetchFailed(f"{_shown(text)} did not arrive within {TIMEOUT_S} seconds") from None


async def _follow(internet: Internet, url: httpx.URL) -> Fetched:
    first = called = _shown(_name(url))
    for _ in range(MAX_REDIRECTS + 1):
        got = await _hop(internet, url, called)
        if isinstance(got, Fetched):
            return got
        url, called = got, f"what {first} redirects to"  # its name is the server's choice, not the model's
    raise FetchFailed(f"{first} leads to more than {MAX_REDIRECTS} redirects")


async def _hop(internet: Internet, url: httpx.URL, called: str) -> Fetched | httpx.URL:
    port = DEFAULT_PORT[url.scheme] if url.port is None else url.port
    if port not in internet.settings.ports:
        allowed = ", ".join(map(str, internet.settings.ports))
        raise UrlRefused(f"port {port} of {called} is not called; allowed are {allowed}")
    try:
        addresses = await internet.guard.addresses(_name(url), port)
    except Unreachable as refused:
        raise Unreachable(called, refused.why) from None
    failed: httpx.HTTPError | None = None
    for address in addresses[:MAX_TRIES]:
        try:
            return await _get(url, address, called)
        except httpx.ConnectError as error:
            failed = error
        except (httpx.HTTPError, UnicodeError) as error:  # its words may be the server's
            raise FetchFailed(f"{called} broke off: {type(error).__name__}") from None
    why = ": its certificate is not trusted" if "certificate" in str(failed).lower() else ""
    raise FetchFailed(f"{called} cannot be connected to{why}")


async def _get(url: httpx.URL, address: Address, called: str) -> Fetched | httpx.URL:
    """Ask one address, under the name that was asked for: in TLS, too, it must prove to be that."""
    headers = {
        "Host": _netloc(url),
        "User-Agent": "artel-web-fetch",
        "Accept": "text/html, text/*, application/json, application/xml;q=0.9, */*;q=0.1",
        "Accept-Encoding": body.ACCEPTED,
    }
    at = url.copy_with(host=str(address))
    known_as = {"sni_hostname": _name(url)}
    request = httpx.Request("GET", at, headers=headers, extensions=known_as)
    async with answer_to(request, timeout_s=TIMEOUT_S) as answer:
        if answer.status_code in REDIRECTS and "location" in answer.headers:
            return _next(url, answer.headers["location"], called)
        if not 200 <= answer.status_code < 300:
            raise FetchFailed(f"{called} answered {answer.status_code}{WHY.get(answer.status_code, '')}")
        kind = type_of(answer.headers.get("content-type", ""))
        got, cut = await body.read(answer, MAX_BYTES)
        return Fetched(url, kind, got, cut)


def _next(url: httpx.URL, location: str, called: str) -> httpx.URL:
    try:
        return parse(str(url.join(location)))
    except (httpx.InvalidURL, ValueError, UrlRefused):
        raise UrlRefused(f"{called} redirects to a URL that is not called") from None


def _name(url: httpx.URL) -> str:
    """Return the host as it is looked up and as a certificate names it: ASCII, without a dot at the end."""
    return url.raw_host.decode("ascii").rstrip(".")


def _netloc(url: httpx.URL) -> str:
    return url.netloc.decode("ascii")


def _shown(text: str) -> str:
    shown = printable(text[:100])
    return f"{shown}…" if len(text) > 100 else shown
