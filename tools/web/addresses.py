"""Where a name leads, and whether we may go there: looked up once, judged, and called as that very address.

A name that means something else a moment later (DNS rebinding) leads nowhere new: nobody looks it up again.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal, TypeAlias

from artel.tools.errors import ToolFailed

Address: TypeAlias = IPv4Address | IPv6Address
Kind: TypeAlias = Literal["public", "private", "here", "multicast"]
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

RESOLVE_S = 5.0

NAT64 = IPv6Network("64:ff9b::/96")
EMBEDDING = (
    NAT64,
    IPv6Network("::/96"),
    IPv6Network("::ffff:0:0:0/96"),
)  # an IPv4 address in the last 32 bits
UNICAST = IPv6Network("2000::/3")  # all of IPv6 that was ever given to the public
KEPT = (
    ip_network("168.63.129.16/32"),  # public by its number, and Azure's platform to every machine in it
    ip_network("192.0.0.0/24"),  # protocols; Oracle's metadata
    ip_network("192.88.99.0/24"),  # relays of 6to4
    ip_network("3fff::/20"),  # documentation; newer than the tables of older Pythons
)


class Unreachable(ToolFailed):
    """A host has no address, or one that may not be called from here; the message says which."""

    code = "unreachable"

    def __init__(self, who: str, why: str) -> None:
        super().__init__(f"{who} {why}")
        self.why = why


async def looked_up(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the system knows them."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_S):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def kind(address: Address) -> Kind:
    """Return what an address is; one that holds another inside is no better than that one.

    >>> kind(ip_address("64:ff9b::1.1.1.1")), kind(ip_address("64:ff9b::10.0.0.1"))
    ('public', 'private')
    """
    if address.is_loopback or address.is_unspecified:
        return "here"
    if address.is_multicast:
        return "multicast"
    inner = _inside(address)
    if inner is not None:
        found = kind(inner)
        translated = isinstance(address, IPv6Address) and (address.ipv4_mapped or address in NAT64)
        return found if translated or found != "public" else "private"
    if isinstance(address, IPv6Address) and address not in UNICAST:
        return "private"
    return "public" if address.is_global and not any(address in network for network in KEPT) else "private"


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses may be called: public ones, and what else is said."""

    loopback: bool = False
    private: bool = False
    resolve: Resolve = looked_up

    async def addresses(self, host: str, port: int) -> tuple[Address, ...]:
        """Return the addresses of a host, all of them checked: one that may not be called spoils the others.

        Raises:
            Unreachable: there are none, nobody knows them, or one may not be called.
        """
        try:
            found = [ip_address(each.partition("%")[0]) for each in await self.resolve(host, port)]
        except (OSError, TimeoutError, UnicodeError) as unknown:
            raise Unreachable(f"the host {host!r}", "is not known here") from unknown
        for address in found:
            self._check(host, address)
        if not found:
            raise Unreachable(f"the host {host!r}", "has no address")
        return tuple(getattr(address, "ipv4_mapped", None) or address for address in found)

    def _check(self, host: str, address: Address) -> None:
        what = kind(address)
        if what == "here" and not self.loopback:
            raise Unreachable(f"the host {host!r}", "is this very machine, which may not be called")
        if what == "multicast" or (what == "private" and not self.private):
            raise Unreachable(f"the host {host!r}", f"is in a private or reserved range ({address})")


def _inside(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one carries."""
    if isinstance(address, IPv4Address):
        return None
    if any(address in network for network in EMBEDDING):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo
