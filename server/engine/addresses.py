"""Where webhooks may go: a URL is looked at when it is given, its address when it is called.

The name is resolved once and that very address is called, so that a name that means something else a moment
later (DNS rebinding) leads nowhere new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from artel.server.engine.settings import WebhookSettings
from artel.storage.errors import Invalid
from artel.tools.web.addresses import Address, Guard, Resolve, Unreachable, looked_up

MAX_URL = 2048
PORTS = {"http": 80, "https": 443}


class WebhookRefused(Invalid):
    """The webhook's URL may not be called from here; the message says why."""

    code = "webhook_refused"


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
        guard = Guard(self.loopback, self.private, self.resolve)
        try:
            found = await guard.addresses(host, port)
        except Unreachable as refused:
            raise WebhookRefused(f"webhook: {refused}") from refused
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


@dataclass(frozen=True, slots=True)
class Webhooks:
    """How this process tells others of the ends of runs."""

    policy: Policy = field(default_factory=Policy)
    settings: WebhookSettings = field(default_factory=WebhookSettings)


def _names(domain: str, host: str) -> bool:
    """Say whether a host is what an entry of `allowed_domains` names.

    >>> _names("*.example.com", "a.example.com"), _names("*.example.com", "example.com")
    (True, False)
    """
    host, domain = host.lower().rstrip("."), domain.lower()
    return host.endswith(domain[1:]) if domain.startswith("*.") else host == domain


def _listed(values: Sequence[object]) -> str:
    return ", ".join(str(value) for value in values)
