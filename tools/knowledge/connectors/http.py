"""Ask a server, as often as it takes and no longer, and read no more than there is room for."""

import asyncio
import json
import random
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import httpx
from pydantic import SecretStr

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.knowledge.connectors.port import MAX_ITEM, ItemGone, Refused, SourceDown, TooBig
from artel.tools.web import body
from artel.tools.web.addresses import Guard, Unreachable
from artel.tools.web.asking import answer_to
from artel.tools.web.fetching import DEFAULT_PORT, REDIRECTS, parse
from artel.tools.workspace.paths import printable

AGENT = "artel-knowledge"
MAX_REDIRECTS = 5
MAX_ADDRESSES = 3  # of one host
TIMEOUT_S = 60.0  # for one request and its whole answer
TRIES = 5
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
PATIENCE_S = 300.0  # a server that wants a longer pause gets it: the sync ends
LATER = (408, 425, 429, 500, 502, 503, 504)

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: httpx.URL
    "Where it was in the end."
    unread: bool = False
    "Whether it is of a type that was not asked for, and so has no body here."

    @property
    def media_type(self) -> str:
        """What it says that it is, in small letters and without parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def next(self) -> str:
        """Where the next page is, by its Link header; empty: this is the last."""
        for link in self.headers.get_list("link", split_commas=True):
            target, _, rest = link.partition(";")
            if 'rel="next"' in rest.replace("'", '"').lower():
                return target.strip().removeprefix("<").removesuffix(">")
        return ""

    def json(self) -> Any:
        """Return what it says as JSON.

        Raises:
            SourceDown: it is none; a page to log in, mostly.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            what = "a web page; is a login in between?" if "html" in self.media_type else "no JSON"
            raise SourceDown(f"{shown(self.url)} answered with {what}") from None


@dataclass(frozen=True, slots=True)
class Client:
    """Asks the servers of one source. Its credentials go to `home` only."""

    home: str
    "Where the source is."
    setting: str = "the source"
    "What holds the credentials, for the message that they are refused."
    credentials: Mapping[str, SecretStr] = field(default_factory=dict)
    guard: Guard = field(default_factory=Guard)
    verified: ssl.SSLContext | None = None
    timeout_s: float = TIMEOUT_S
    tries: int = TRIES
    patience_s: float = PATIENCE_S
    sleep: Sleep = asyncio.sleep
    dice: random.Random = field(default_factory=random.Random)

    def url(self, path: str) -> str:
        """Return an address below home; one that is whole already stays."""
        if path.startswith(("http://", "https://")):
            return path
        return f"{self.home.rstrip('/')}/{path.lstrip('/')}"

    async def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        method: Literal["GET", "HEAD"] = "GET",
        headers: Mapping[str, str] | None = None,
        limit: int = MAX_ITEM,
        types: Collection[str] | None = None,
        ok: Collection[int] = (),
        hosts: Collection[str] = (),
    ) -> Answer:
        """Return the answer, after redirects on the same host; one of other `types` has its body left alone.

        A status in `ok` is an answer too. What will pass (429, 5xx, lost connections) is tried again, after
        the time that the server names or a random one that grows. `hosts`: redirects may lead there too.

        Raises:
            Refused: 401, 403, or the address may not be called.
            ItemGone: 404 or 410.
            TooBig: the body has more than `limit` bytes.
            SourceDown: it did not work out, TRIES times.
        """
        url = _parsed(self.url(path), params)
        failed = SourceDown(f"{shown(url)} was not asked")
        for attempt in range(self.tries):
            answer: Answer | None = None
            try:
                answer = await self._timed(url, method, headers or {}, limit, types, hosts)
            except SourceDown as error:
                failed = error
            else:
                if answer.status not in LATER or answer.status in ok:
                    return self._judged(answer, ok)
                failed = SourceDown(f"{shown(url)} answered {answer.status}")
            if attempt + 1 < self.tries:
                await self.sleep(self._wait(attempt, answer, failed))
        raise SourceDown(f"{failed}, {self.tries} times")

    async def _timed(
        self,
        url: httpx.URL,
        method: str,
        headers: Mapping[str, str],
        limit: int,
        types: Collection[str] | None,
        hosts: Collection[str],
    ) -> Answer:
        try:
            async with asyncio.timeout(self.timeout_s):
                for _ in range(MAX_REDIRECTS + 1):
                    got = await self._hop(url, method, headers, limit, types)
                    if isinstance(got, Answer):
                        return got
                    url = _followed(url, got, hosts)
        except TimeoutError:
            raise SourceDown(f"{shown(url)} did not answer within {self.timeout_s:.0f} s") from None
        raise SourceDown(f"{shown(url)} leads to more than {MAX_REDIRECTS} redirects")

    async def _hop(
        self,
        url: httpx.URL,
        method: str,
        headers: Mapping[str, str],
        limit: int,
        types: Collection[str] | None,
    ) -> Answer | httpx.URL:
        port = DEFAULT_PORT[url.scheme] if url.port is None else url.port
        try:
            addresses = await self.guard.addresses(_host(url), port)
        except Unreachable as error:
            if "private" in error.why or "this very machine" in error.why:
                raise Refused(f"{shown(url)}: {error}") from None
            raise SourceDown(str(error)) from None
        why = ""
        for address in addresses[:MAX_ADDRESSES]:
            at = url.copy_with(host=str(address))
            known_as = {"sni_hostname": _host(url)}
            request = httpx.Request(method, at, headers=self._headers(url, headers), extensions=known_as)
            try:
                async with answer_to(request, timeout_s=self.timeout_s, verified=self.verified) as answer:
                    return await _read(answer, url, limit, types)
            except httpx.ConnectError as error:
                why = ": its certificate is not trusted" if "certificate" in str(error).lower() else ""
            except (httpx.HTTPError, UnicodeError) as error:  # its words may be the server's
                raise SourceDown(f"{shown(url)} broke off: {type(error).__name__}") from None
        raise SourceDown(f"{shown(url)} cannot be connected to{why}")

    def _headers(self, url: httpx.URL, asked: Mapping[str, str]) -> dict[str, str]:
        headers = {
            "Host": url.netloc.decode("ascii"),
            "User-Agent": AGENT,
            "Accept-Encoding": body.ACCEPTED,
            **asked,
        }
        if self.credentials and _same_origin(url, httpx.URL(self.home)):
            headers |= {name: value.get_secret_value() for name, value in self.credentials.items()}
        return headers

    def _wait(self, attempt: int, answer: Answer | None, failed: SourceDown) -> float:
        wanted = _retry_after(answer.headers) if answer else None
        if wanted is not None and wanted > self.patience_s:
            raise SourceDown(f"{failed} and wants {wanted:.0f} s of peace")
        most = min(FIRST_WAIT_S * 2**attempt, LONGEST_WAIT_S)
        return (wanted or 0.0) + self.dice.uniform(0, most)

    def _judged(self, answer: Answer, ok: Collection[int]) -> Answer:
        status, at = answer.status, shown(answer.url)
        if 200 <= status < 300 or status in ok:
            return answer
        if status in (401, 403):
            raise Refused(f"{at} answered {status}: it does not accept what {self.setting} says")
        if status in (404, 410):
            raise ItemGone(f"{at} answered {status}: there is nothing, or nothing that we are shown")
        raise SourceDown(f"{at} answered {status}")


@contextmanager
def understood(name: str) -> Iterator[None]:
    """Read an answer that may be of any shape: one that is not as the server's manual has it is its fault.

    Raises:
        SourceDown: what was read is missing there, or something else.
    """
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError):
        raise SourceDown(f"{name} answered with something else than was asked for") from None


def bearer(token: SecretStr) -> Mapping[str, SecretStr]:
    """Return the credentials that a personal access token is."""
    return {"Authorization": SecretStr(f"Bearer {token.get_secret_value()}")}


def basic(user: str, password: SecretStr) -> Mapping[str, SecretStr]:
    """Return the credentials that a name and a password are."""
    pair = b64encode(f"{user}:{password.get_secret_value()}".encode()).decode()
    return {"Authorization": SecretStr(f"Basic {pair}")}


def shown(url: httpx.URL) -> str:
    """Return an address for messages: without its query, which may hold what is not for them."""
    return printable(f"{_host(url)}{'' if url.port is None else f':{url.port}'}{url.path}"[:200])


async def _read(
    response: httpx.Response, url: httpx.URL, limit: int, types: Collection[str] | None
) -> Answer | httpx.URL:
    if response.status_code in REDIRECTS and "location" in response.headers:
        try:
            return url.join(response.headers["location"])
        except (httpx.InvalidURL, ValueError):
            raise Refused(f"{shown(url)} redirects to what is no URL") from None
    answer = Answer(response.status_code, response.headers, b"", url)
    good = 200 <= response.status_code < 300
    if good and types is not None and answer.media_type not in types:
        return Answer(response.status_code, response.headers, b"", url, unread=True)
    if not good or response.request.method == "HEAD":
        return answer
    length = response.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit and "content-encoding" not in response.headers:
        raise TooBig(f"{shown(url)} has {int(length):,} bytes; at most {limit:,} are read")
    try:
        got, cut = await body.read(response, limit)
    except ToolFailed as error:
        raise SourceDown(f"{shown(url)}: {error}") from None
    if cut:
        raise TooBig(f"{shown(url)} has more than the {limit:,} bytes that are read")
    return Answer(response.status_code, response.headers, got, url)


def _parsed(text: str, params: Mapping[str, str | int] | None = None) -> httpx.URL:
    try:
        url = parse(text)
        return url.copy_merge_params({name: str(value) for name, value in params.items()}) if params else url
    except ToolRefused as error:
        raise Refused(str(error)) from None


def _followed(url: httpx.URL, to: httpx.URL, hosts: Collection[str]) -> httpx.URL:
    """Return where a redirect leads, if that is the same server, the same by https, or one of `hosts`."""
    to = _parsed(str(to))
    safer = (url.scheme, to.scheme) == ("http", "https") and _host(url) == _host(to)
    if _same_origin(url, to) or safer or _host(to) in hosts:
        return to
    raise Refused(f"{shown(url)} redirects to {shown(to)}, which is not of this source")


def _same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, _host(one), one.port) == (other.scheme, _host(other), other.port)


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").rstrip(".").lower()


def _retry_after(headers: httpx.Headers) -> float | None:
    said = headers.get("retry-after", "").strip()
    if said.isdecimal():
        return float(said[:9])
    try:
        when = parsedate_to_datetime(said)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max((when - datetime.now(UTC)).total_seconds(), 0.0)
