"""What a site asks robots to leave alone: RFC 9309, with the longest rule winning."""

import re
from dataclasses import dataclass

MAX_BYTES = 512_000  # as the RFC has it
MAX_DELAY_S = 30.0  # a site that wants more is visited once in so long all the same


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules for one robot."""

    rules: tuple[tuple[str, bool], ...] = ()
    "Path patterns, and whether they allow."
    delay_s: float = 0.0
    "Seconds that the site wants between two requests."
    sitemaps: tuple[str, ...] = ()

    def allows(self, target: str) -> bool:
        """Say whether a path, with its query, may be asked for.

        >>> rules = parse("User-agent: *\\nDisallow: /a\\nAllow: /a/b\\nDisallow: /*.pdf$", "artel")
        >>> [rules.allows(path) for path in ("/", "/a/c", "/a/b/c", "/x.pdf", "/x.pdf?y")]
        [True, False, True, False, True]
        """
        best, allowed = -1, True
        for pattern, allows in self.rules:
            longer = len(pattern) > best or (len(pattern) == best and allows)
            if longer and _matches(pattern, target):
                best, allowed = len(pattern), allows
        return allowed


def parse(text: str, robot: str) -> Robots:
    """Return what a robots.txt says to `robot`, or else to all."""
    groups: dict[str, list[tuple[str, str]]] = {}
    agents: list[str] = []
    naming = False
    sitemaps = []
    for line in text.removeprefix("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            agents = [*agents, value.lower()] if naming else [value.lower()]
            naming = True
            groups.setdefault(value.lower(), [])
        elif key == "sitemap":
            sitemaps.append(value)
        elif key in ("allow", "disallow", "crawl-delay"):
            naming = False
            for agent in agents:
                groups[agent].append((key, value))
    named = [agent for agent in groups if agent != "*" and robot.lower().startswith(agent) and agent]
    lines = groups.get(max(named, key=len) if named else "*", [])
    rules = tuple((value, key == "allow") for key, value in lines if key != "crawl-delay" and value)
    delays = [float(value) for key, value in lines if key == "crawl-delay" and _is_number(value)]
    return Robots(rules, min(max(delays, default=0.0), MAX_DELAY_S), tuple(sitemaps))


def _matches(pattern: str, target: str) -> bool:
    """Match from the start; `*` is anything and a `$` at the end the end. Every character is seen once."""
    ends = pattern.endswith("$")
    first, *rest = (pattern[:-1] if ends else pattern).split("*")
    if not target.startswith(first):
        return False
    at = len(first)
    for number, piece in enumerate(rest):
        last = number == len(rest) - 1
        if last and ends:
            return len(target) - len(piece) >= at and target.endswith(piece)
        found = target.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return at == len(target) if ends else True


def _is_number(value: str) -> bool:
    return re.fullmatch(r"\d{1,6}(\.\d{1,6})?", value) is not None
