"""Where webhooks may go: a URL is looked at when it is given, its address when it is called.

The name is resolved once and that very address is called, so that a name that means something else a moment
later (DNS rebinding) leads nowhere new.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from artel.server.engine.settings import WebhookSettings
from artel.storage.errors import Invalid

Address: TypeAlias = IPv4Address | IPv6Address
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

RESOLVE_S = 5.0
MAX_URL = 2048
PORTS = {"http": 80, "https": 443}
NAT64 = IPv6Network("64:ff9b::/96")


class WebhookRefused(Invalid):
    """The webhook's URL may not be called from here; the message says why."""

    code = "webhook_refused"


async def looked_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the system knows them."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_S):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


@dataclass(frozen=True, slots=True)
class Target:
    """A checked URL and the address that it is called at."""

    url: SplitResult
    address: Address

    @property
    def host(self) -> str:
        """The name that the receiver is asked for by."""
        return self.url.hostname or ""

    @property
    def at(self) -> str:
        """The URL with the address in place of the name."""
        where = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        port = f":{self.url.port}" if self.url.port else ""
        return self.url._replace(netloc=where + port, fragment="").geturl()


@dataclass(frozen=True, slots=True)
class Policy:
    """What `webhooks` of the configuration and the settings allow."""

    domains: tuple[str, ...] = ()  # of these names only; `*.example.com` is all names below it
    ports: tuple[int, ...] = ()
    https_only: bool = False
    max_chars: int = MAX_URL
    loopback: bool = False
    private: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    resolve: Resolve = looked_up

    async def target(self, text: str) -> Target:
        """Return where a webhook goes.

        Raises:
            WebhookRefused: it may not go there, or nobody knows where that is.
        """
        url = self._read(text)
        host, port = url.hostname or "", url.port or PORTS[url.scheme]
        try:
            found = [_plain(ip_address(each.partition("%")[0])) for each in await self.resolve(host, port)]
        except (OSError, TimeoutError, UnicodeError) as unknown:
            raise WebhookRefused(f"webhook: the host {host!r} is not known here") from unknown
        for address in found:
            self._check(host, address)
        if not found:
            raise WebhookRefused(f"webhook: the host {host!r} has no address")
        return Target(url, found[0])

    def _read(self, text: str) -> SplitResult:
        """Take a URL apart and check what it says."""
        if len(text) > self.max_chars:
            raise WebhookRefused(f"webhook: a URL may have {self.max_chars} characters, got {len(text)}")
        try:
            url = urlsplit(text)
            port = url.port
        except ValueError as wrong:
            raise WebhookRefused(f"webhook must be a URL, got {text!r}: {wrong}") from wrong
        if url.scheme not in PORTS or not url.hostname or any(c <= " " or c == "\x7f" for c in text):
            raise WebhookRefused(f"webhook must be an absolute http or https URL, got {text!r}")
        if self.https_only and url.scheme != "https":
            raise WebhookRefused(f"webhook must be an https URL here, got {text!r}")
        if self.ports and (port or PORTS[url.scheme]) not in self.ports:
            raise WebhookRefused(f"webhook: the port must be among {_listed(self.ports)}, got {text!r}")
        if self.domains and not any(_names(domain, url.hostname) for domain in self.domains):
            raise WebhookRefused(f"webhook: the host must be among {_listed(self.domains)}, got {text!r}")
        return url

    def _check(self, host: str, address: Address) -> None:
        if address.is_loopback or address.is_unspecified:
            if not self.loopback:
                raise WebhookRefused(f"webhook: {host!r} is this very machine, which may not be called")
        elif address.is_multicast or not (address.is_global or self.private):
            raise WebhookRefused(f"webhook: {host!r} is in a private or reserved range ({address})")


@dataclass(frozen=True, slots=True)
class Webhooks:
    """How this process tells others of the ends of runs."""

    policy: Policy = field(default_factory=Policy)
    settings: WebhookSettings = field(default_factory=WebhookSettings)


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


def _names(domain: str, host: str) -> bool:
    """Say whether a host is what an entry of `allowed_domains` names.

    >>> _names("*.example.com", "a.example.com"), _names("*.example.com", "example.com")
    (True, False)
    """
    host, domain = host.lower().rstrip("."), domain.lower()
    return host.endswith(domain[1:]) if domain.startswith("*.") else host == domain


def _listed(values: Sequence[object]) -> str:
    return ", ".join(str(value) for value in values)
