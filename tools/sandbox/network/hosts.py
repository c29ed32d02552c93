"""Which hosts commands may reach, as an operator writes them down: `index.example`, `*.files.example:443`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

PORTS = (80, 443)  # where none is named

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_PATTERN = re.compile(rf"(?P<any>\*\.)?(?P<name>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[0-9]{{1,5}}))?")


@dataclass(frozen=True, slots=True)
class Hosts:
    """One entry of the list."""

    name: str
    below: bool
    "Whether it means all names below `name`, and not that itself."
    ports: tuple[int, ...]

    def hold(self, name: str, port: int) -> bool:
        """Say whether a host is meant; `name` in small letters, without a dot at its end."""
        return port in self.ports and (name.endswith(f".{self.name}") if self.below else name == self.name)


def parse(text: str) -> Hosts:
    """Return what an entry means.

    >>> parse("*.files.example:443")
    Hosts(name='files.example', below=True, ports=(443,))

    Raises:
        ValueError: it is none.
    """
    found = _PATTERN.fullmatch(text.lower())
    if found is None or len(found["name"]) > 253:
        raise ValueError(
            f"{text!r} is no host: write a name, or *. and a name for all below it, and a port if it is "
            "neither 80 nor 443: index.example, *.files.example:443; names of other letters as xn--…"
        )
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65_536:
        raise ValueError(f"the port of {text!r} must be from 1 to 65535")
    return Hosts(found["name"], bool(found["any"]), PORTS if port is None else (port,))


def are_allowed(listed: Iterable[Hosts], name: str, port: int) -> bool:
    """Say whether a host is among those listed."""
    return any(hosts.hold(name, port) for hosts in listed)
